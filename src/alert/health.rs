//! The machine's health from its firing alerts.

use std::sync::Arc;

use crate::model::{Alert, AlertKind, AlertState, HealthScore, LostPoints, Severity};

/// `100 − 100 · Σ over kinds of weight(kind) · max penalty of its firing alerts` (contracts §5): penalties info 0.1, warning
/// 0.4, critical 1.0; an acknowledged alert counts half, a silenced or snoozed one in full and is marked.
pub fn health_score<'a>(alerts: impl IntoIterator<Item = &'a Arc<Alert>>) -> HealthScore {
    let firing: Vec<&Arc<Alert>> = alerts.into_iter().filter(|a| a.state == AlertState::Firing).collect();
    let worst = |kind: AlertKind| {
        let of_kind = firing.iter().filter(move |a| a.kind == kind);
        // Of equals the oldest, so that the alert shown does not jump.
        of_kind.max_by(|a, b| penalty(a).total_cmp(&penalty(b)).then_with(|| (b.since, &b.id).cmp(&(a.since, &a.id))))
    };
    let mut lost: Vec<LostPoints> = Vec::new();
    let mut silenced = false;
    for kind in AlertKind::ALL {
        if let Some(alert) = worst(kind) {
            silenced |= alert.is_quiet();
            lost.push(LostPoints { kind, points: 100.0 * kind.weight() * penalty(alert), alert: alert.id.clone() });
        }
    }
    lost.sort_by(|a, b| b.points.total_cmp(&a.points));
    let points: f64 = lost.iter().map(|l| l.points).sum();
    HealthScore { score: (100.0 - points).max(0.0), lost, silenced }
}

fn penalty(alert: &Alert) -> f64 {
    let full = match alert.severity {
        Severity::Info => 0.1,
        Severity::Warning => 0.4,
        Severity::Critical => 1.0,
    };
    if alert.acknowledged.is_some() { full / 2.0 } else { full }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::alert;
    use crate::model::{Acknowledgment, Snooze};

    fn of(kind: AlertKind, severity: Severity) -> Alert {
        Alert { kind, severity, ..alert("1", "r") }
    }

    fn check(alerts: Vec<Alert>, score: f64) -> HealthScore {
        let alerts: Vec<Arc<Alert>> = alerts.into_iter().map(Arc::new).collect();
        let health = health_score(&alerts);
        assert!((health.score - score).abs() < 1e-9, "{} instead of {score}", health.score);
        health
    }

    #[test]
    fn each_kind_costs_its_worst_alert() {
        assert_eq!(check(vec![], 100.0), HealthScore::default());
        check(vec![of(AlertKind::Performance, Severity::Warning), of(AlertKind::Performance, Severity::Critical)], 60.0);
        let all = AlertKind::ALL.map(|kind| of(kind, Severity::Critical)).to_vec();
        let health = check(all, 0.0);
        assert_eq!(health.lost.iter().map(|l| l.kind).collect::<Vec<_>>(), AlertKind::ALL);
        check(vec![of(AlertKind::Error, Severity::Info)], 97.0);
    }

    #[test]
    fn acknowledged_counts_half_and_quiet_in_full_with_a_mark() {
        let mut acked = of(AlertKind::Performance, Severity::Critical);
        acked.acknowledged = Some(Acknowledgment { by: "ana".into(), at: acked.since, comment: String::new() });
        assert!(!check(vec![acked], 80.0).silenced);
        let mut quiet = of(AlertKind::Performance, Severity::Critical);
        quiet.snoozed = Some(Snooze { until: None, condition: Some("until_change".into()) });
        assert!(check(vec![quiet], 60.0).silenced);
        let pending = Alert { state: AlertState::Pending, ..of(AlertKind::Error, Severity::Critical) };
        check(vec![pending], 100.0);
    }
}
