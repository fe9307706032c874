//! From which values on a metric is colored as warning or critical.
//!
//! The rules in force say it, an open alert about the series its own limit. Invariant: a metric without
//! limits is a flow and never colored by state.

use crate::base::format_value;
use crate::model::{AlertState, Limit, SeriesKey, Severity, Snapshot};
use crate::ui::widgets::chart::{Coloring, LimitLine};
use crate::ui::widgets::{Role, axis};

/// The limits of one series.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Warning from here up.
    pub warn: Option<f64>,
    /// Critical from here up.
    pub crit: Option<f64>,
    /// The one that is drawn as a line.
    pub line: Option<(f64, Role)>,
}

impl Limits {
    /// Limits of a series.
    pub fn of(snapshot: &Snapshot, key: &SeriesKey) -> Self {
        let (mut warn, mut crit): (Option<f64>, Option<f64>) = (None, None);
        for rule in snapshot.rules.iter().filter(|r| r.is_about(key)) {
            let (Limit::Above(limit) | Limit::Outside(_, limit)) = rule.spec.limit else { continue };
            let slot = match rule.spec.severity {
                Severity::Info => continue,
                Severity::Warning => &mut warn,
                Severity::Critical => &mut crit,
            };
            *slot = Some(slot.map_or(limit, |known| known.min(limit)));
        }
        // The line stands where the first rule fires.
        let mut line = match (warn, crit) {
            (Some(warn), crit) if crit.is_none_or(|crit| warn <= crit) => Some((warn, Role::Warn)),
            (_, crit) => crit.map(|crit| (crit, Role::Crit)),
        };
        let own = snapshot.alerts.iter().find(|a| a.key == *key && a.state != AlertState::Resolved && a.limit.is_finite());
        if let Some(alert) = own {
            if alert.severity == Severity::Critical {
                crit = Some(alert.limit);
                warn = warn.filter(|w| *w < alert.limit);
                line = Some((alert.limit, Role::Crit));
            } else {
                warn = Some(alert.limit);
                crit = crit.filter(|c| *c > alert.limit);
                line = Some((alert.limit, Role::Warn));
            }
        }
        Self { warn, crit, line }
    }

    /// How a line of the series is colored.
    pub fn coloring(self) -> Coloring {
        match self {
            Self { warn: None, crit: None, .. } => Coloring::Fixed(Role::Flow),
            Self { warn, crit, .. } => Coloring::Above { warn, crit },
        }
    }

    /// Role of a value.
    pub fn role(self, value: f64) -> Role {
        self.coloring().role(value, value)
    }

    /// The limit as a line of a chart in that scale.
    pub fn lines(self, scale: &axis::Scale, unit: crate::base::Unit) -> Vec<LimitLine> {
        let label = |value: f64| if scale.unit == "%" { format_value(value, unit) } else { scale.label(value) };
        self.line.iter().map(|(value, role)| LimitLine { value: *value, role: *role, label: label(*value) }).collect()
    }
}
