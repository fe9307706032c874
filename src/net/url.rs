//! The parts of an absolute `http` or `https` URL, and where a redirect leads.
//!
//! Invariant: a [`Target`] always has a host and a port, and its path begins with a slash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;

use super::NetError;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Speaks TLS.
    pub https: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// `user:password` of the URL, still percent-encoded.
    pub credentials: Option<String>,
}

impl Target {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// What is no URL, has another scheme or has no host.
    pub fn parse(url: &str) -> Result<Self, NetError> {
        let bad =
            |why: &str| NetError::Invalid(format!("\"{url}\" is no URL: {why}; write for example https://example.org/health"));
        let whole = url.split('#').next().unwrap_or_default();
        let uri: Uri = whole.parse().map_err(|e: hyper::http::uri::InvalidUri| bad(&e.to_string()))?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(other) => return Err(bad(&format!("scheme {other}"))),
            None => return Err(bad("no scheme")),
        };
        let authority = uri.authority().ok_or_else(|| bad("no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(bad("no host"));
        }
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()).filter(|p| *p > 0).ok_or_else(|| bad("port 0"))?,
            None if authority.as_str().ends_with(':') || !has_no_port(authority.as_str()) => {
                return Err(bad("the port is no number"));
            }
            None => default_port(https),
        };
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let credentials = authority.as_str().rsplit_once('@').map(|(credentials, _)| credentials.to_owned());
        Ok(Self { https, host: host.to_owned(), port, path, credentials })
    }

    /// `host` or `host:port` as the `Host` header wants it.
    pub fn host_header(&self) -> String {
        if self.port == default_port(self.https) { self.bracketed() } else { self.address() }
    }

    /// `host:port`, an IPv6 address in brackets.
    pub fn address(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// The whole URL, without credentials.
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.https { "https" } else { "http" }, self.host_header(), self.path)
    }

    /// Whether both are the same scheme, host and port.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.https == other.https && self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }

    /// Where a `Location` leads from here (RFC 3986 §5.2).
    ///
    /// # Errors
    /// A location that is no reference, or leads out of HTTP.
    pub fn join(&self, location: &str) -> Result<Self, NetError> {
        let reference = location.split('#').next().unwrap_or_default();
        let scheme = if self.https { "https" } else { "http" };
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{scheme}:{reference}"));
        }
        let own_path = self.path.split('?').next().unwrap_or_default();
        let path = match reference.chars().next() {
            None => self.path.clone(),
            Some('/') => without_dots(reference),
            Some('?') => format!("{own_path}{reference}"),
            Some(_) => {
                let folder = own_path.rsplit_once('/').map_or("", |(folder, _)| folder);
                without_dots(&format!("{folder}/{reference}"))
            }
        };
        Self::parse(&Self { path, ..self.clone() }.url())
    }
}

/// 443 or 80 (RFC 9110 §4.2).
fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

/// Whether nothing like a port follows the host of an authority.
fn has_no_port(authority: &str) -> bool {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.rsplit_once(']') {
        Some((_, tail)) => tail.is_empty(),
        None => !host.contains(':'),
    }
}

/// Whether a reference begins with `scheme:` (RFC 3986 §3.1).
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// A path without `.` and `..` (RFC 3986 §5.2.4); its query stays.
fn without_dots(reference: &str) -> String {
    let (path, query) = reference.split_once('?').map_or((reference, None), |(p, q)| (p, Some(q)));
    let mut parts: Vec<&str> = Vec::new();
    let mut folder = false;
    for part in path.split('/').skip(1) {
        folder = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut out = format!("/{}", parts.join("/"));
    if folder && !out.ends_with('/') {
        out.push('/');
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    out
}

/// Base64 with padding (RFC 4648 §4), for the `Basic` scheme.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The `Basic` value of percent-encoded `user:password` (RFC 7617).
pub fn basic(credentials: &str) -> String {
    let with_colon = if credentials.contains(':') { credentials.to_owned() } else { format!("{credentials}:") };
    format!("Basic {}", base64(&percent_decoded(&with_colon)))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, address, host_header, path) in [
            ("http://example.org", "example.org:80", "example.org", "/"),
            ("https://example.org:443/a?b=c#d", "example.org:443", "example.org", "/a?b=c"),
            ("https://example.org:8443", "example.org:8443", "example.org:8443", "/"),
            ("http://[::1]:8080/x", "[::1]:8080", "[::1]:8080", "/x"),
            ("http://me:secret@10.0.0.1/", "10.0.0.1:80", "10.0.0.1", "/"),
            ("http://example.org?q", "example.org:80", "example.org", "/?q"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!([&target.address(), &target.host_header(), &target.path], [address, host_header, path], "{url}");
            assert!(!target.url().contains("secret"));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_an_example() {
        for url in [
            "",
            "example.org",
            "/path",
            "ftp://example.org",
            "http://",
            "http://a b/",
            "http://h:99999/",
            "http://h:/",
            "http://h:0/",
        ] {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(error.contains("https://example.org/health"), "{url}: {error}");
        }
    }

    #[test]
    fn references_lead_where_browsers_go() {
        let base = Target::parse("https://example.org:8443/a/b?q=1").unwrap();
        for (location, url) in [
            ("/c", "https://example.org:8443/c"),
            ("c", "https://example.org:8443/a/c"),
            ("../c?d#e", "https://example.org:8443/c?d"),
            ("../../../c", "https://example.org:8443/c"),
            (".", "https://example.org:8443/a/"),
            ("?q=2", "https://example.org:8443/a/b?q=2"),
            ("", "https://example.org:8443/a/b?q=1"),
            ("//other.org/x", "https://other.org/x"),
            ("http://other.org", "http://other.org/"),
            ("x?u=http://other.org", "https://example.org:8443/a/x?u=http://other.org"),
        ] {
            assert_eq!(base.join(location).map(|t| t.url()), Ok(url.to_owned()), "{location}");
        }
        assert!(base.join("javascript:alert(1)").is_err());
    }

    #[test]
    fn basic_credentials_are_decoded_and_encoded() {
        assert_eq!(basic("Aladdin:open%20sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        for (text, code) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(url in "\\PC*", location in "\\PC*") {
            let _ = Target::parse(&url);
            let _ = Target::parse("http://h/a/b").unwrap().join(&location);
        }

        #[test]
        fn a_url_is_read_back(host in "[a-z]{1,8}(\\.[a-z]{2,3})?", port in 1_u16.., path in "(/[a-z0-9._-]{0,5}){1,4}(\\?[a-z=&]{0,6})?") {
            let target = Target { https: port % 2 == 0, host, port, path, credentials: None };
            prop_assert_eq!(Target::parse(&target.url()), Ok(target));
        }
    }
}
