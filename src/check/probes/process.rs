//! Whether a process runs, as the newest round of reading saw it.
//!
//! Reads nothing itself.

use std::sync::Arc;

use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::pattern::Pattern;
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::model::{Process, ProcessState};

/// `type = "process"`.
pub const KIND: ProbeKind = ProbeKind { name: "process", keys: &["process"], make };

/// The kernel keeps 15 bytes of a name (`TASK_COMM_LEN` less the final NUL).
const KERNEL_NAME_BYTES: usize = 15;

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let text = config.required("process", &config.process)?;
    let wanted = Pattern::parse(text).map_err(|e| config.error("process", e))?;
    Ok(Arc::new(ProcessProbe { wanted, text: text.to_owned() }))
}

struct ProcessProbe {
    wanted: Pattern,
    text: String,
}

impl ProcessProbe {
    fn is(&self, process: &Process) -> bool {
        match &self.wanted {
            Pattern::Text(name) => {
                let kept = name.as_bytes().get(..KERNEL_NAME_BYTES).unwrap_or(name.as_bytes());
                process.name.as_bytes() == kept
            }
            Pattern::Regex(regex) => regex.is_match(&process.command),
        }
    }

    fn judge(&self, processes: &[Arc<Process>]) -> Finding {
        if processes.is_empty() {
            return Finding::failed("processes are not read yet");
        }
        let is_alive = |p: &&&Arc<Process>| !matches!(p.state, ProcessState::Zombie | ProcessState::Dead);
        let found: Vec<&Arc<Process>> = processes.iter().filter(|p| self.is(p)).collect();
        let alive: Vec<&&Arc<Process>> = found.iter().filter(is_alive).collect();
        match (alive.as_slice(), found.len()) {
            ([], 0) => Finding::failed("not running"),
            ([], n) => Finding::failed(format!("{n} ended and not reaped (zombie)")),
            ([one], _) => Finding::ok(None, format!("running (pid {})", one.id.pid)),
            ([first, ..], _) => Finding::ok(None, format!("{} running (first pid {})", alive.len(), first.id.pid)),
        }
    }
}

impl Probe for ProcessProbe {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.judge(&(context.processes)()) })
    }

    fn target(&self) -> String {
        self.text.clone()
    }
}
