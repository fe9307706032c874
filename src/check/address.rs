//! `host:port` as users write it in `address`.

use super::config::{ServiceConfig, ServiceConfigError};

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or address, without brackets.
    pub host: String,
    /// Port, never 0.
    pub port: u16,
}

impl Address {
    /// The key `address` of a service; `port` stands in where none is written.
    ///
    /// # Errors
    /// It is missing or no address; the message says how to write one.
    pub fn of(config: &ServiceConfig, port: Option<u16>) -> Result<Self, ServiceConfigError> {
        let text = config.required("address", &config.address)?;
        Self::parse(text, port).ok_or_else(|| {
            let example = match port {
                Some(_) => "mail.example.org or [::1]:2525",
                None => "db.example.org:5432 or [::1]:22",
            };
            config.error("address", format!("\"{text}\" is no address; write for example {example}"))
        })
    }

    fn parse(text: &str, default: Option<u16>) -> Option<Self> {
        let (host, port) = match (text.strip_prefix('['), default) {
            (Some(rest), _) => {
                let (host, port) = rest.split_once(']')?;
                (host, if port.is_empty() { default } else { Some(port.strip_prefix(':')?.parse().ok()?) })
            }
            // An address of the sixth version without brackets has no port.
            (None, Some(_)) if text.matches(':').count() > 1 => (text, default),
            (None, _) => match text.split_once(':') {
                Some((host, port)) => (host, Some(port.parse().ok()?)),
                None => (text, default),
            },
        };
        let is_bad = host.is_empty() || host.contains(['[', ']', '/', ' ']);
        let port = port.filter(|p| *p > 0 && !is_bad)?;
        Some(Self { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, default, read) in [
            ("a:1", None, Some(("a", 1))),
            ("[::1]:22", None, Some(("::1", 22))),
            ("a", Some(25), Some(("a", 25))),
            ("::1", Some(25), Some(("::1", 25))),
            ("[::1]", Some(25), Some(("::1", 25))),
            ("a:26", Some(25), Some(("a", 26))),
            ("a", None, None),
            ("::1:22", None, None),
            ("a:0", None, None),
            ("a b:1", None, None),
            ("http://a:1", None, None),
            (":1", None, None),
            ("[::1]x", Some(1), None),
        ] {
            let address = Address::parse(text, default);
            assert_eq!(address.as_ref().map(|a| (a.host.as_str(), a.port)), read, "{text}");
        }
    }
}
