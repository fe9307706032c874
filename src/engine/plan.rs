//! What readers are told of rules and of the plan of escalation.
//!
//! Invariant: the same functions say who will be told and who is told.

use std::sync::Arc;

use super::core::Core;
use crate::model::{AlertState, NextStep, RuleSpec, WatchedRule};
use crate::query;

/// The rules in force, with the series their limits are about.
pub fn watched(rules: &[RuleSpec]) -> Arc<[WatchedRule]> {
    let matchers = |rule: &RuleSpec| {
        let expr = query::parse(&rule.expr).ok()?;
        let (metric, matchers) = expr.subject()?;
        (metric == rule.metric).then(|| matchers.to_vec())
    };
    rules.iter().map(|rule| WatchedRule { spec: rule.clone(), matchers: matchers(rule) }).collect()
}

impl Core {
    /// For every alert that fires and nobody takes care of, the level it rises to next.
    pub(super) fn next_steps(&mut self) -> Arc<[NextStep]> {
        let alerts = self.alerter.alerts();
        let settings = self.settings();
        let next = |alert: &Arc<crate::model::Alert>| {
            let is_open = alert.state == AlertState::Firing && !alert.is_quiet() && alert.acknowledged.is_none();
            let level = alert.level.checked_add(1).filter(|_| is_open)?;
            let after = settings.escalation.of(&alert.labels).levels.get(usize::from(level) - 1)?.after;
            let own = settings.rules.iter().find(|r| r.name == alert.rule).map_or(&[][..], |r| &r.channels);
            let before = settings.routing.recipients(alert, own, alert.level);
            let channels = settings.routing.recipients(alert, own, level);
            let joining = channels.iter().filter(|c| !before.contains(c)).cloned().collect();
            Some(NextStep { alert: alert.id.clone(), at: alert.counts_from()? + after, level, channels, joining })
        };
        alerts.iter().filter_map(next).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostFacts, SeriesKey};

    #[test]
    fn the_limit_of_a_rule_is_about_the_series_its_query_reads() {
        let rules = crate::alert::default_rules(&HostFacts { cores: 4, ..HostFacts::default() }, None);
        let watched = watched(&rules);
        let about =
            |key: &SeriesKey| watched.iter().filter(|w| w.is_about(key)).map(|w| w.spec.name.as_str()).collect::<Vec<_>>();
        assert!(about(&SeriesKey::total("memory_used_ratio")).contains(&"memory"));
        assert!(about(&SeriesKey::total("cpu_usage_ratio")).contains(&"cpu high"), "over a window too");
        assert_eq!(about(&SeriesKey::new("cpu_mode_ratio", [("mode", "user")])), Vec::<&str>::new());
        assert_eq!(about(&SeriesKey::new("cpu_mode_ratio", [("mode", "iowait")])), ["iowait"]);
    }
}
