//! Whether somebody takes TCP connections at an address.
//!
//! Connects and closes; nothing is sent.

use std::sync::Arc;

use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::net::connect_tcp;

/// `type = "tcp"`.
pub const KIND: ProbeKind = ProbeKind { name: "tcp", keys: &["address"], make };

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let text = config.required("address", &config.address)?;
    let bad = || config.error("address", format!("\"{text}\" is no address; write for example db.example.org:5432 or [::1]:22"));
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let port = port.parse().ok().filter(|p| *p > 0).ok_or_else(bad)?;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    if bare.is_empty() || bare.contains(['[', ']', '/', ' ']) || (bare.contains(':') && bare.len() == host.len()) {
        return Err(bad());
    }
    Ok(Arc::new(Tcp { host: bare.to_owned(), port, address: text.to_owned() }))
}

struct Tcp {
    host: String,
    port: u16,
    address: String,
}

impl Probe for Tcp {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move {
            match connect_tcp(&self.host, self.port, context.timeout).await {
                Ok((_, phases)) => Finding::ok(phases.connect, format!("connected in {} ms", phases.connect.as_millis())),
                Err(error) => Finding::failed(error.to_string()),
            }
        })
    }

    fn target(&self) -> String {
        self.address.clone()
    }
}
