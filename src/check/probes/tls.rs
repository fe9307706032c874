//! Whether a server's certificate is trusted, for its name, and for how long yet.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, format_duration};
use crate::check::address::Address;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::net::{Client, Deadline, NetConfig, NetError, Phases, Shown, connect_tcp};

/// `type = "tls"`.
pub const KIND: ProbeKind = ProbeKind { name: "tls", keys: &["address", "server_name", "ca_file", "certificate_warning"], make };

/// Short-lived certificates last six days and are renewed at half of that.
pub(super) const CERTIFICATE_WARNING: Duration = Duration::from_secs(3 * 86_400);

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let address = Address::of(config, Some(443))?;
    Ok(Arc::new(Tls {
        name: config.server_name.clone().unwrap_or_else(|| address.host.clone()),
        address,
        warning: config.certificate_warning.unwrap_or(CERTIFICATE_WARNING),
        client: Client::new(&NetConfig { ca_file: config.ca_file.clone() }),
    }))
}

struct Tls {
    address: Address,
    name: String,
    warning: Duration,
    client: Client,
}

/// Adds what a certificate says: its end, and a warning where it or one it stands on ends soon.
pub(super) fn certified(finding: Finding, shown: Shown, warning: Duration, now: Timestamp) -> Finding {
    let left = |end: Timestamp| end.seconds() - now.seconds();
    let soon = |end: Option<Timestamp>| end.map(left).filter(|l| *l < warning.as_secs_f64());
    let span = |left: f64| format_duration(Duration::try_from_secs_f64(left).unwrap_or_default());
    let expires = shown.ends_at.map(left);
    let mut finding = Finding { certificate_expires_in_seconds: expires, ..finding };
    // One that has ended and is trusted all the same was not needed.
    let issuer = soon(shown.chain_ends_at).filter(|l| *l >= 0.0);
    let (what, left) = match (soon(shown.ends_at), issuer) {
        (Some(left), _) => ("the certificate", left),
        (None, Some(left)) => ("the certificate of its issuer", left),
        (None, None) => return finding,
    };
    finding.message.push_str(&format!("; {what} ends in {}", span(left)));
    if finding.outcome == crate::model::CheckOutcome::Ok { finding.warning() } else { finding }
}

/// A failure with the end of the certificate that was refused.
pub(super) fn refused(error: &NetError, now: Timestamp) -> Finding {
    let end = if let NetError::Tls { certificate_ends_at, .. } = error { *certificate_ends_at } else { None };
    let left = end.map(|end| end.seconds() - now.seconds());
    Finding { certificate_expires_in_seconds: left, ..Finding::failed(error.to_string()) }
}

impl Tls {
    async fn run(&self, context: &ProbeContext) -> Result<Finding, NetError> {
        let deadline = Deadline::after(context.timeout);
        let (stream, phases) = connect_tcp(&self.address.host, self.address.port, context.timeout).await?;
        let opened = self.client.secure(Box::new(stream), &self.name, &deadline).await?;
        let tls = opened.phases.tls;
        let total = phases.dns.unwrap_or_default() + phases.connect + tls.unwrap_or_default();
        let phases = Phases { tls, total, ..phases };
        let (now, shown) = (Timestamp::now(), opened.shown.unwrap_or_default());
        let days = shown.ends_at.map(|end| format_duration(end.since(now))).unwrap_or_default();
        let message = format!("certificate for {days}, {} in the chain, {} ms", shown.certificates, total.as_millis());
        Ok(certified(Finding::ok(total, message).timed(&phases), shown, self.warning, now))
    }
}

impl Probe for Tls {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.run(context).await.unwrap_or_else(|e| refused(&e, Timestamp::now())) })
    }

    fn target(&self) -> String {
        format!("{}:{}", self.address.host, self.address.port)
    }
}
