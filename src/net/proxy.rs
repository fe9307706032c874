//! Which proxy a request takes, as the environment says.
//!
//! Invariant: this machine itself is never reached through a proxy.

use std::net::IpAddr;

use super::NetError;
use super::url::{Target, basic};

/// The rules of `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` (upper case as well).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    none_for: Vec<Exempt>,
}

/// A proxy: where it is and what to say to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its address.
    pub target: Target,
    /// Value of `Proxy-Authorization`.
    pub authorization: Option<String>,
}

/// One entry of `no_proxy`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exempt {
    All,
    Network(IpAddr, u8),
    Domain(String, Option<u16>),
}

impl Proxies {
    /// From this process's environment.
    pub fn from_env() -> Self {
        Self::from(|name| std::env::var(name).ok())
    }

    /// From variables; lower case goes first.
    pub fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            let value = variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
            value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
        };
        let all = get("all_proxy");
        Self {
            http: get("http_proxy").or_else(|| all.clone()),
            https: get("https_proxy").or(all),
            none_for: get("no_proxy").unwrap_or_default().split([',', ' ']).filter_map(Exempt::parse).collect(),
        }
    }

    /// The proxy for a target; `None` where it is reached directly.
    ///
    /// # Errors
    /// A proxy that is no `http://` address.
    pub fn pick(&self, target: &Target) -> Result<Option<Proxy>, NetError> {
        let Some(text) = (if target.https { &self.https } else { &self.http }) else { return Ok(None) };
        if is_this_machine(&target.host) || self.none_for.iter().any(|e| e.holds(target)) {
            return Ok(None);
        }
        let url = if text.contains("://") { text.clone() } else { format!("http://{text}") };
        let proxy = Target::parse(&url).ok().filter(|p| !p.https);
        let Some(proxy) = proxy else {
            return Err(NetError::Invalid(
                "the proxy of the environment is no http:// address; other proxies are not spoken".to_owned(),
            ));
        };
        let authorization = proxy.credentials.as_deref().map(basic);
        Ok(Some(Proxy { target: proxy, authorization }))
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

impl Exempt {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Network(address, if address.is_ipv4() { 32 } else { 128 }));
        }
        if let Some((network, bits)) = text.split_once('/')
            && let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse())
        {
            return Some(Self::Network(network, bits));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let name = name.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Domain(name, port))
    }

    fn holds(&self, target: &Target) -> bool {
        match self {
            Self::All => true,
            Self::Network(network, bits) => target.host.parse().is_ok_and(|a| within(a, *network, *bits)),
            Self::Domain(name, port) => {
                let host = target.host.to_ascii_lowercase();
                let fits = host.strip_suffix(name.as_str()).is_some_and(|head| head.is_empty() || head.ends_with('.'));
                fits && port.is_none_or(|p| p == target.port)
            }
        }
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let shift = 32_u32.saturating_sub(u32::from(bits));
            (a.to_bits() ^ n.to_bits()).checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let shift = 128_u32.saturating_sub(u32::from(bits));
            (a.to_bits() ^ n.to_bits()).checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pick(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::from(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
        proxies.pick(&Target::parse(url).unwrap()).unwrap().map(|p| p.target.address())
    }

    #[test]
    fn the_scheme_chooses_the_proxy() {
        let both = [("http_proxy", "http://a:1"), ("HTTPS_PROXY", "b:2")];
        assert_eq!(pick(&both, "http://example.org"), Some("a:1".to_owned()));
        assert_eq!(pick(&both, "https://example.org"), Some("b:2".to_owned()));
        assert_eq!(pick(&[("ALL_PROXY", "c:3")], "https://example.org"), Some("c:3".to_owned()));
        assert_eq!(pick(&[], "https://example.org"), None);
    }

    #[test]
    fn exempt_hosts_go_direct() {
        let rules = [("all_proxy", "a:1"), ("no_proxy", ".example.org, other.net:8080,10.0.0.0/8 ,fd00::/8,[::5]")];
        for direct in [
            "http://example.org",
            "http://www.EXAMPLE.org",
            "http://other.net:8080",
            "http://10.9.8.7",
            "http://[fd12::1]",
            "http://[::5]",
        ] {
            assert_eq!(pick(&rules, direct), None, "{direct}");
        }
        for proxied in ["http://notexample.org", "http://other.net", "http://11.0.0.1", "http://[fe12::1]"] {
            assert_eq!(pick(&rules, proxied), Some("a:1".to_owned()), "{proxied}");
        }
        assert_eq!(pick(&[("all_proxy", "a:1"), ("no_proxy", "*")], "http://example.org"), None);
    }

    #[test]
    fn this_machine_is_never_behind_a_proxy() {
        for url in ["http://localhost:80", "http://127.0.0.1", "http://[::1]"] {
            assert_eq!(pick(&[("all_proxy", "a:1")], url), None);
        }
    }

    #[test]
    fn a_proxy_that_is_not_spoken_is_an_error_without_its_password() {
        let proxies = Proxies::from(|n| (n == "http_proxy").then(|| "socks5://me:secret@a:1".to_owned()));
        let error = proxies.pick(&Target::parse("http://example.org").unwrap()).unwrap_err().to_string();
        assert!(error.contains("http://") && !error.contains("secret"));
    }

    #[test]
    fn credentials_become_a_header() {
        let proxies = Proxies::from(|n| (n == "http_proxy").then(|| "http://a:b@p:3128".to_owned()));
        let proxy = proxies.pick(&Target::parse("http://example.org").unwrap()).unwrap().unwrap();
        assert_eq!(proxy.authorization.as_deref(), Some("Basic YTpi"));
    }

    proptest! {
        #[test]
        fn no_variable_makes_it_panic(proxy in "\\PC*", none in "\\PC*") {
            let proxies = Proxies::from(|n| Some(if n == "no_proxy" { none.clone() } else { proxy.clone() }));
            let _ = proxies.pick(&Target::parse("http://example.org").unwrap());
        }
    }
}
