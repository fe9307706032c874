//! The list of anomalies that go on: opened, worsened, closed.
//!
//! Never decides whether something is unusual. Invariant: a key has one open anomaly at most, whose verdict never falls.

use super::analyzer::{Analysis, AnomalyChange};
use super::watch::Step;
use crate::base::Timestamp;
use crate::model::{AnomalyInterval, SeriesKey, Verdict};

/// A rise of strength worth telling.
const RISE: f64 = 0.05;

/// What an event looks like at this moment; the reason is only made where it is kept.
pub struct Seen<'a> {
    /// When.
    pub at: Timestamp,
    /// The value.
    pub value: f64,
    /// How unusual it is.
    pub strength: f64,
    /// What it means as long as it is not critical.
    pub verdict: Verdict,
    /// Why.
    pub reason: &'a dyn Fn() -> String,
}

/// Opens, worsens or closes the anomaly of `key`; whether the set of verdicts changed.
pub fn follow(open: &mut Vec<AnomalyInterval>, key: &SeriesKey, step: Step, seen: &Seen<'_>, analysis: &mut Analysis) -> bool {
    if step == Step::Opened {
        let anomaly = AnomalyInterval {
            key: key.clone(),
            from: seen.at,
            to: None,
            peak: seen.value,
            peak_at: seen.at,
            strength: seen.strength,
            verdict: seen.verdict,
            reason: (seen.reason)(),
        };
        analysis.anomalies.push(AnomalyChange::Opened(anomaly.clone()));
        open.push(anomaly);
        return true;
    }
    let Some(i) = open.iter().position(|a| a.key == *key) else { return false };
    if step == Step::Closed {
        let anomaly = AnomalyInterval { to: Some(seen.at), ..open.remove(i) };
        analysis.anomalies.push(AnomalyChange::Closed(anomaly));
        return true;
    }
    let anomaly = &mut open[i];
    let escalated = step == Step::Escalated;
    if escalated || seen.verdict > anomaly.verdict || seen.strength >= anomaly.strength + RISE {
        (anomaly.peak, anomaly.peak_at, anomaly.reason) = (seen.value, seen.at, (seen.reason)());
        anomaly.strength = anomaly.strength.max(seen.strength);
        anomaly.verdict = anomaly.verdict.max(if escalated { Verdict::Critical } else { seen.verdict });
        analysis.anomalies.push(AnomalyChange::Updated(anomaly.clone()));
    }
    escalated
}
