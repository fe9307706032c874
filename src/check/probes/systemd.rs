//! Whether a systemd unit is active, as the system's manager says over its message bus.

use std::sync::Arc;

use tokio::time::Instant;

use crate::check::bus::Unit;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};

/// `type = "systemd"`.
pub const KIND: ProbeKind = ProbeKind { name: "systemd", keys: &["unit"], make };

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let text = config.required("unit", &config.unit)?;
    if text.contains(['/', ' ', '*', '?']) {
        return Err(config.error("unit", format!("\"{text}\" is no unit; write for example nginx or backup.timer")));
    }
    let unit = if text.contains('.') { text.to_owned() } else { format!("{text}.service") };
    Ok(Arc::new(Systemd { unit }))
}

struct Systemd {
    unit: String,
}

/// What a unit's states mean for those who use it (systemd's `org.freedesktop.systemd1.Unit`).
fn judge(unit: &Unit) -> Finding {
    let states = format!("{} ({})", unit.active, unit.sub);
    match (unit.loaded.as_str(), unit.active.as_str(), unit.sub.as_str()) {
        ("not-found", _, _) => Finding::failed("there is no such unit"),
        ("masked", _, _) => Finding::failed(format!("masked, {states}")),
        // Waiting to be started again after it failed.
        (_, "activating", "auto-restart" | "auto-restart-queued") => Finding::failed(states),
        (_, "active" | "reloading" | "refreshing", _) => Finding::ok(None, states),
        (_, "activating" | "deactivating" | "maintenance", _) => Finding::ok(None, states).warning(),
        _ => Finding::failed(states),
    }
}

impl Probe for Systemd {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move {
            let start = Instant::now();
            match context.bus.units_by_name(&[&self.unit]).await {
                Ok(units) => match units.first() {
                    // The time is the manager's, not the unit's: it is no response time.
                    Some(unit) => judge(unit),
                    None => Finding::failed(format!("the manager said nothing of it in {} ms", start.elapsed().as_millis())),
                },
                Err(error) => Finding::failed(error.to_string()),
            }
        })
    }

    fn target(&self) -> String {
        self.unit.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CheckOutcome;

    #[test]
    fn the_states_of_a_unit_are_judged_by_what_its_users_see() {
        for (loaded, active, sub, outcome) in [
            ("loaded", "active", "running", CheckOutcome::Ok),
            ("loaded", "active", "exited", CheckOutcome::Ok),
            ("loaded", "reloading", "reload", CheckOutcome::Ok),
            ("loaded", "activating", "start", CheckOutcome::Warning),
            ("loaded", "activating", "auto-restart", CheckOutcome::Failed),
            ("loaded", "inactive", "dead", CheckOutcome::Failed),
            ("loaded", "failed", "failed", CheckOutcome::Failed),
            ("not-found", "inactive", "dead", CheckOutcome::Failed),
            ("masked", "inactive", "dead", CheckOutcome::Failed),
        ] {
            let unit = Unit { name: "a.service".into(), loaded: loaded.into(), active: active.into(), sub: sub.into() };
            assert_eq!(judge(&unit).outcome, outcome, "{active} {sub}");
        }
    }
}
