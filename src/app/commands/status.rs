//! `farol status`: how the machine and its recorder are, as a Nagios plugin would say it.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::{out, reports};
use crate::app::cli::{Format, Global};
use crate::app::reach::Reach;
use crate::app::{Failure, place};
use crate::base::Timestamp;
use crate::model::{AlertState, ServiceState, Severity, Snapshot};
use crate::monitor::stale_after;

/// Arguments.
#[derive(Debug, Args)]
pub struct Status {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// The machine's state and the plugin's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// Alerts that fire, by severity; silenced and snoozed ones apart.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    critical: usize,
    warning: usize,
    info: usize,
    silenced: usize,
}

impl Status {
    /// Prints and gives the state as exit code.
    ///
    /// # Errors
    /// Only where the arguments are wrong or nothing can be printed: a machine without an engine is `unknown`, not an error.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let now = Timestamp::now();
        let mut schedules = Vec::new();
        let answer = match Reach::engine(global)? {
            Some(mut reach) => {
                let snapshot = reach.snapshot().map_err(|e| e.to_string());
                // An engine that does not know them yet has none.
                schedules = reports::all(&mut reach).map(|(_, next)| next).unwrap_or_default();
                snapshot
            }
            None => {
                let dirs: Vec<String> = place::data_dirs(global).iter().map(|d| place::shown(d)).collect();
                Err(format!("no engine runs on {}; start farol --record", dirs.join(" or ")))
            }
        };
        let (state, text, mut body) = match &answer {
            Ok(snapshot) => described(snapshot, now),
            Err(why) => (State::Unknown, format!("UNKNOWN - {why}"), nobody()),
        };
        let next = schedules.iter().find(|n| n.at.is_some());
        body["next_report"] = next.map_or(Value::Null, |n| json!({"schedule": n.schedule, "at": out::time(n.at)}));
        // Further lines of a plugin are its long text.
        let mut more: String = schedules
            .iter()
            .filter_map(|n| Some(format!("report {} could not be made: {}\n", n.schedule, n.problem.as_ref()?)))
            .collect();
        let planned =
            next.and_then(|n| Some(format!("next report: {}, {}\n", n.schedule, out::local(n.at?, &out::zone(global)))));
        more.extend(planned);
        match self.format {
            Format::Text => out::print(&format!("{text}\n{more}"))?,
            Format::Json => out::print(&out::object("status", now, body))?,
        }
        Ok(ExitCode::from(state as u8))
    }
}

fn described(snapshot: &Snapshot, now: Timestamp) -> (State, String, Value) {
    let mut counts = Counts::default();
    for alert in snapshot.alerts.iter().filter(|a| a.state == AlertState::Firing) {
        let count = match alert.severity {
            _ if alert.is_quiet() => &mut counts.silenced,
            Severity::Critical => &mut counts.critical,
            Severity::Warning => &mut counts.warning,
            Severity::Info => &mut counts.info,
        };
        *count += 1;
    }
    let (lag, stale) = (now.since(snapshot.at), stale_after(snapshot));
    let state = match () {
        () if lag > stale => State::Unknown,
        () if counts.critical > 0 => State::Critical,
        () if counts.warning > 0 => State::Warning,
        () => State::Ok,
    };
    let services = |wanted| snapshot.services.iter().filter(|s| s.state == wanted).count();
    let (offline, degraded) = (services(ServiceState::Offline), services(ServiceState::Degraded));
    let text = if state == State::Unknown {
        format!("UNKNOWN - {}: the newest sample is {} s old", snapshot.host.name, lag.as_secs())
    } else {
        let worst = snapshot.firing().find(|a| !a.is_quiet()).map_or_else(|| "all quiet".to_owned(), |a| a.title.clone());
        format!(
            "{} - {}: {worst}; health {:.0}, {} critical, {} warning, {} of {} services up | health={:.0};;;0;100 critical={} warning={}",
            state.name().to_uppercase(),
            snapshot.host.name,
            snapshot.health.score,
            counts.critical,
            counts.warning,
            up(snapshot),
            snapshot.services.len(),
            snapshot.health.score,
            counts.critical,
            counts.warning,
        )
    };
    let recorder = &snapshot.recorder;
    let lost: Vec<Value> =
        snapshot.health.lost.iter().map(|l| json!({"kind": l.kind, "points": l.points, "alert": l.alert})).collect();
    let body = json!({
        "state": state.name(),
        "exit_code": state as u8,
        "host": snapshot.host.name,
        "recorder": {
            "running": true,
            "pid": recorder.pid,
            "since": out::time(Some(recorder.since)),
            "last_sample_at": out::time(Some(snapshot.at)),
            "lag_seconds": lag.as_secs_f64(),
            "ready": lag <= stale && recorder.store.ok,
            "store_ok": recorder.store.ok,
        },
        "health": {"score": snapshot.health.score, "lost": lost},
        "alerts": {"critical": counts.critical, "warning": counts.warning, "info": counts.info, "silenced": counts.silenced},
        "services": {
            "online": services(ServiceState::Online),
            "degraded": degraded,
            "offline": offline,
            "unknown": services(ServiceState::Unknown),
        },
    });
    (state, text, body)
}

/// Services known to be up; of the unknown ones nothing is known.
fn up(snapshot: &Snapshot) -> usize {
    snapshot.services.iter().filter(|s| matches!(s.state, ServiceState::Online | ServiceState::Degraded)).count()
}

fn nobody() -> Value {
    json!({
        "state": "unknown",
        "exit_code": 3,
        "host": null,
        "recorder": {
            "running": false, "pid": null, "since": null, "last_sample_at": null, "lag_seconds": null, "ready": false, "store_ok": null
        },
        "health": null,
        "alerts": null,
        "services": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Catalog, ServiceStatus};
    use std::sync::Arc;

    #[test]
    fn a_service_nobody_knows_of_is_not_up() {
        let states = [ServiceState::Online, ServiceState::Degraded, ServiceState::Offline, ServiceState::Unknown];
        let services = states.map(|state| ServiceStatus { state, ..ServiceStatus::default() });
        let now = Timestamp::now();
        let empty = Snapshot::empty(Arc::new(Catalog::default()));
        let (_, text, body) = described(&Snapshot { at: now, services: services.into(), ..empty }, now);
        assert!(text.contains("2 of 4 services up"), "{text}");
        assert_eq!(body["services"]["unknown"], 1);
    }
}
