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
