//! What a probe is, and the table of those there are.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::checker::ProcessView;
use super::config::{ServiceConfig, ServiceConfigError};
use crate::model::CheckOutcome;

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
}

/// What a check is given.
#[derive(Clone)]
pub struct ProbeContext {
    /// The processes of the newest round.
    pub processes: ProcessView,
    /// Time the check may take.
    pub timeout: Duration,
}

/// A check under way; dropping it ends whatever it started.
pub type ProbeFuture<'a> = Pin<Box<dyn Future<Output = Finding> + Send + 'a>>;

/// One way to check a service.
pub trait Probe: Send + Sync {
    /// Checks once. Ends within the context's timeout.
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a>;
}

/// Makes a probe of a configuration.
pub type ProbeMaker = fn(&ServiceConfig) -> Result<(String, std::sync::Arc<dyn Probe>), ServiceConfigError>;

/// All probes by the name users write.
pub const PROBES: &[(&str, ProbeMaker)] = &[];
