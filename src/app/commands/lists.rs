//! `farol services` and `farol predictions`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::out;
use crate::analyze::SERVICE_STABILITY;
use crate::app::Failure;
use crate::app::cli::{Format, Global};
use crate::app::reach::Reach;
use crate::base::{Timestamp, format_duration};
use crate::model::{Prediction, ServiceState, ServiceStatus, Snapshot, UptimeShare};

/// Arguments of `services`.
#[derive(Debug, Args)]
pub struct Services {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Arguments of `predictions`.
#[derive(Debug, Args)]
pub struct Predictions {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Services {
    /// Prints services, worst first.
    ///
    /// # Errors
    /// No engine and no history.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let snapshot = Reach::find(global)?.snapshot()?;
        match self.format {
            Format::Json => {
                let list: Vec<Value> = snapshot.services.iter().map(|s| service_json(s, stability(&snapshot, s))).collect();
                out::print(&out::object("services", Timestamp::now(), json!({"services": list})))?;
            }
            Format::Text if snapshot.services.is_empty() => out::print("no services\n")?,
            Format::Text => {
                let rows: Vec<Vec<String>> = snapshot.services.iter().map(|s| service_row(s, stability(&snapshot, s))).collect();
                out::print(&out::table(&rows))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn state(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Online => "online",
        ServiceState::Degraded => "degraded",
        ServiceState::Offline => "offline",
        ServiceState::Unknown => "unknown",
    }
}

/// Share of the last day in which it behaved as forecast; `None` before enough is known.
fn stability(snapshot: &Snapshot, service: &ServiceStatus) -> Option<f64> {
    snapshot.part(SERVICE_STABILITY, &service.name)
}

fn service_row(service: &ServiceStatus, stability: Option<f64>) -> Vec<String> {
    let response = service.response_seconds.map_or_else(String::new, |s| format!("{:.0} ms", s * 1000.0));
    let share = service.uptime[0].map_or_else(String::new, |u| format!("{:.2}% of 24 h", u.up * 100.0));
    let steady = stability.map_or_else(String::new, |s| format!("{:.0}% as expected", s * 100.0));
    let row = [state(service.state), &service.name, &service.target, &response, &share, &steady, &service.message];
    row.into_iter().map(str::to_owned).collect()
}

fn service_json(service: &ServiceStatus, stability: Option<f64>) -> Value {
    let share = |u: Option<UptimeShare>| u.map_or(Value::Null, |u| json!({"up": u.up, "observed": u.observed}));
    json!({
        "name": service.name,
        "type": service.kind,
        "target": service.target,
        "state": state(service.state),
        "since": out::time(service.since),
        "last_check_at": out::time(service.last_check),
        "response_seconds": service.response_seconds,
        "message": service.message,
        "uptime": {"24h": share(service.uptime[0]), "7d": share(service.uptime[1]), "30d": share(service.uptime[2])},
        "stability": stability,
        "failures": service.failures,
        "fail_after": service.fail_after,
        "depends_on": service.depends_on,
        "caused_by": service.caused_by,
        "slo": service.slo.map(|s| json!({"target": s.target, "budget_left": s.left, "burn": s.burn})),
        "discovered": service.discovered,
        "maintenance": service.maintenance,
        "window": service.window.as_ref().map(|w| {
            json!({"until": out::time(Some(w.until)), "author": w.author, "comment": w.comment})
        }),
    })
}

impl Predictions {
    /// Prints predictions, most urgent first, and how they did so far.
    ///
    /// # Errors
    /// No engine and no history.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let snapshot = Reach::find(global)?.snapshot()?;
        let now = Timestamp::now();
        let record = snapshot.record;
        match self.format {
            Format::Json => {
                // What nobody said before it came is counted, and no prediction.
                let said = snapshot.predictions.iter().filter(|p| !p.is_missed());
                let list: Vec<Value> = said.map(prediction_json).collect();
                let record = json!({
                    "shown": record.shown, "right": record.right, "wrong": record.wrong, "missed": record.missed,
                    "brier": record.brier, "base_rate_brier": record.base_rate_brier,
                });
                out::print(&out::object("predictions", now, json!({"predictions": list, "record": record})))?;
            }
            Format::Text => {
                let rows: Vec<Vec<String>> = snapshot.predictions.iter().map(|p| prediction_row(p, now)).collect();
                let list = if rows.is_empty() { "no predictions\n".to_owned() } else { out::table(&rows) };
                out::print(&format!("{list}right {} of {} shown, missed {}\n", record.right, record.shown, record.missed))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn prediction_row(prediction: &Prediction, now: Timestamp) -> Vec<String> {
    let when = match prediction.outcome {
        None => format!("in {}", format_duration(prediction.at.since(now))),
        Some(_) if prediction.is_missed() => "came unforeseen".to_owned(),
        Some(crate::model::Outcome::Right) => "came true".to_owned(),
        Some(crate::model::Outcome::Wrong) => "did not come".to_owned(),
    };
    let factors = prediction.factors.join(", ");
    vec![prediction.title.clone(), when, format!("p {:.2}", prediction.probability), factors, prediction.advice.clone()]
}

fn prediction_json(prediction: &Prediction) -> Value {
    json!({
        "id": prediction.id,
        "kind": prediction.kind,
        "key": prediction.key,
        "probability": prediction.probability,
        "at": out::time(Some(prediction.at)),
        "at_lo": out::time(Some(prediction.at_lo)),
        "at_hi": out::time(Some(prediction.at_hi)),
        "confidence": prediction.confidence,
        "factors": prediction.factors,
        "advice": prediction.advice,
        "made_at": out::time(Some(prediction.made_at)),
        "outcome": prediction.outcome,
    })
}
