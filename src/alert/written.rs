//! A rule that comes with farol as somebody would have written it: what an editor begins with.
//!
//! Invariant: written over that rule it changes nothing.

use std::time::Duration;

use super::config::{Amount, RuleConfig};
use crate::base::{Unit, exact_value};
use crate::model::{FlapLimits, Limit, RuleSpec};

impl RuleConfig {
    /// What somebody would write to have a built-in rule as it is; it says nothing of what is judged.
    pub fn of(spec: &RuleSpec) -> Self {
        let text = |value| Amount::Text(exact_value(value, spec.unit));
        let one = |limit: Limit| match limit {
            Limit::Above(limit) | Limit::Below(limit) => text(limit),
            Limit::Outside(low, _) => text(low),
        };
        let ladder = || {
            let steps = spec.ladder.iter().map(|(severity, limit)| (*severity, one(*limit)));
            Amount::Ladder(std::iter::once((spec.severity, one(spec.limit))).chain(steps).collect())
        };
        let amount = || if spec.ladder.is_empty() { one(spec.limit) } else { ladder() };
        let mut config = Self { name: spec.name.clone(), ..Self::default() };
        match spec.limit {
            Limit::Above(_) => config.above = Some(amount()),
            Limit::Below(_) => config.below = Some(amount()),
            Limit::Outside(low, high) => config.outside = Some([text(low), text(high)]),
        }
        config.clear = spec.clear.filter(|clear| !matches!(clear, Limit::Outside(..))).map(one);
        let some = |span: Duration| (!span.is_zero()).then_some(span);
        config.hold = some(spec.hold);
        config.clear_for = some(spec.clear_hold);
        config.min_duration = some(spec.at_least);
        config.max_duration = spec.at_most;
        let share = |share: f64, usual: f64| (share != usual).then(|| Amount::Text(exact_value(share, Unit::Ratio)));
        let usual = FlapLimits::default();
        config.flap_start = share(spec.flap.start, usual.start);
        config.flap_stop = share(spec.flap.stop, usual.stop);
        config.times = spec.times.map(|(n, of)| format!("{n} of {of}"));
        config.severity = Some(spec.severity).filter(|_| spec.ladder.is_empty());
        config.kind = Some(spec.kind);
        config.channels.clone_from(&spec.channels);
        config.labels.clone_from(&spec.labels);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{all_rules, default_rules};
    use crate::model::{Catalog, HostFacts, Severity};

    #[test]
    fn a_rule_written_as_it_is_stays_as_it_is() {
        let rules = default_rules(&HostFacts { cores: 4, memory_bytes: 1 << 34, ..HostFacts::default() }, Some(1e9));
        let written: Vec<RuleConfig> = rules.iter().map(RuleConfig::of).collect();
        let catalog = Catalog::new(Vec::new());
        assert_eq!(all_rules(rules.clone(), &written, &catalog).expect("they are right"), rules);
        assert!(written.iter().all(|w| w.severity != Some(Severity::Info) || w.name == "core busy"));
    }
}
