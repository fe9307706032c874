//! From which values on a metric is colored as warning or critical.
//!
//! An alert says its own limit; where none was ever pending, the limits every machine has out of the
//! box apply. Invariant: a metric without limits is a flow and never colored by state.

use crate::base::format_value;
use crate::model::{AlertState, SeriesKey, Severity, Snapshot};
use crate::ui::widgets::chart::{Coloring, LimitLine};
use crate::ui::widgets::{Role, axis};

/// Metric, warning and critical from here up: the rules a machine has without configuration.
const USUAL: &[(&str, Option<f64>, Option<f64>)] = &[
    ("cpu_usage_ratio", Some(0.80), Some(0.85)),
    ("memory_used_ratio", Some(0.80), Some(0.85)),
    ("swap_used_ratio", Some(0.30), None),
    ("filesystem_used_ratio", Some(0.90), None),
    ("service_check_seconds", Some(2.0), None),
    ("log_error_ratio", None, Some(0.05)),
];

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
        let usual = USUAL.iter().find(|(metric, _, _)| *metric == key.metric());
        let (mut warn, mut crit) = usual.map_or((None, None), |(_, w, c)| (*w, *c));
        // Memory fires at its critical limit, CPU already at its warning: the line stands where the rule fires.
        let mut line = match (key.metric(), warn, crit) {
            ("memory_used_ratio", _, Some(c)) | (_, None, Some(c)) => Some((c, Role::Crit)),
            (_, Some(w), _) => Some((w, Role::Warn)),
            _ => None,
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
