//! What a probe is, and the table of those there are.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::bus::SystemBus;
use super::checker::ProcessView;
use super::config::{ServiceConfig, ServiceConfigError};
use super::probes::{command, dns, file, http, icmp, process, smtp, ssh, systemd, tcp, tls, udp};
use crate::model::{CheckOutcome, Measure, MeasureKind};
use crate::net::Phases;

/// What a probe found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Ok, warning or failed; too slow is judged elsewhere.
    pub outcome: CheckOutcome,
    /// Time to the answer; `None` where there was none.
    pub response: Option<Duration>,
    /// What happened, for people.
    pub message: String,
    /// Time until the certificate ends, negative after it.
    pub certificate_expires_in_seconds: Option<f64>,
    /// Phases of the time, a plugin's performance data.
    pub measures: Vec<Measure>,
}

impl Finding {
    /// All is well.
    pub fn ok(response: impl Into<Option<Duration>>, message: impl Into<String>) -> Self {
        Self {
            outcome: CheckOutcome::Ok,
            response: response.into(),
            message: message.into(),
            certificate_expires_in_seconds: None,
            measures: Vec::new(),
        }
    }

    /// It does not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { outcome: CheckOutcome::Failed, ..Self::ok(None, message) }
    }

    /// The same with the phases of its time; those that took no time did not happen.
    #[must_use]
    pub fn timed(mut self, phases: &Phases) -> Self {
        let known = [
            ("dns", phases.dns),
            ("connect", Some(phases.connect)),
            ("tls", phases.tls),
            ("first_byte", Some(phases.first_byte)),
            ("whole", Some(phases.total)),
        ];
        let taken = known.into_iter().filter_map(|(label, took)| Some((label, took.filter(|t| !t.is_zero())?)));
        self.measures.extend(taken.map(|(label, took)| Measure {
            kind: MeasureKind::Phase,
            label: label.to_owned(),
            value: took.as_secs_f64(),
        }));
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(self) -> Self {
        Self { outcome: CheckOutcome::Warning, ..self }
    }
}

/// What a check is given.
#[derive(Clone)]
pub struct ProbeContext {
    /// The processes of the newest round.
    pub processes: ProcessView,
    /// The system's message bus, connected when first needed.
    pub bus: SystemBus,
    /// Time the check may take.
    pub timeout: Duration,
}

/// A check under way; dropping it ends whatever it started.
pub type ProbeFuture<'a> = Pin<Box<dyn Future<Output = Finding> + Send + 'a>>;

/// One way to check a service.
pub trait Probe: Send + Sync {
    /// Checks once. Ends within the context's timeout; whoever runs it enforces that.
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a>;
    /// What is checked, for people: a URL, an address, a unit.
    fn target(&self) -> String;
}

/// A kind of probe.
pub struct ProbeKind {
    /// As users write it in `type`; the name of its file.
    pub name: &'static str,
    /// The keys it uses beside those of every service; the first one is required.
    pub keys: &'static [&'static str],
    /// Makes one.
    pub make: fn(&ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError>,
}

/// All kinds of probes.
pub const PROBES: &[ProbeKind] = &[
    http::KIND,
    tcp::KIND,
    udp::KIND,
    tls::KIND,
    dns::KIND,
    icmp::KIND,
    smtp::KIND,
    ssh::KIND,
    process::KIND,
    systemd::KIND,
    file::KIND,
    command::KIND,
];
