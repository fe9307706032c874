//! Which silences match an alert, and when a snooze until a change ends.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::model::{Limit, Silence};

/// Whether a silence is in force.
pub(super) fn in_force(silence: &Silence, at: Timestamp) -> bool {
    silence.from <= at && at < silence.until
}

/// Whether all its matchers match these labels.
pub(super) fn matches(silence: &Silence, labels: &BTreeMap<String, String>) -> bool {
    silence.matchers.iter().all(|m| m.matches(labels.get(m.name()).map(String::as_str)))
}

/// Ids of the silences in force that match.
pub(super) fn silenced_by(labels: &BTreeMap<String, String>, silences: &[Silence], at: Timestamp) -> Vec<String> {
    silences.iter().filter(|s| in_force(s, at) && matches(s, labels)).map(|s| s.id.clone()).collect()
}

/// Whether a value is clearly worse than when it was snoozed: twice as far beyond the limit, and by at least 5 % of the
/// limit, so that jitter just beyond the limit does not count.
pub(super) fn worse_since_snooze(limit: Limit, then: f64, now: f64) -> bool {
    let bound = limit.shown(now);
    let beyond = |value: f64| match limit {
        Limit::Above(l) => value - l,
        Limit::Below(l) => l - value,
        Limit::Outside(low, high) => (low - value).max(value - high),
    };
    let (then, now) = (beyond(then).max(0.0), beyond(now));
    now > 2.0 * then && now - then >= 0.05 * bound.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_means_twice_as_far_and_not_by_jitter() {
        let limit = Limit::Above(0.85);
        assert!(worse_since_snooze(limit, 0.91, 0.98));
        assert!(!worse_since_snooze(limit, 0.91, 0.94));
        assert!(!worse_since_snooze(limit, 0.851, 0.86));
        assert!(worse_since_snooze(Limit::Below(500e6), 450e6, 300e6));
        assert!(worse_since_snooze(Limit::Outside(10.0, 20.0), 21.0, 5.0));
    }
}
