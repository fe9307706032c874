//! When an alert nobody takes care of rises to the next level.
//!
//! Says when, never who is told: channels of a level are passed on. Invariant: levels only rise.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::Matcher;
use crate::base::time::duration_text;

/// `[escalation]`: levels 1 and up, each counted from firing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EscalationConfig {
    /// Most messages an hour to one channel; what comes beyond is told in one digest (A5).
    pub per_hour: u32,
    /// The same from one rule.
    pub per_hour_and_rule: u32,
    /// Level 1 first, each later than the one before; at most four. At level 3 the alert becomes critical.
    #[serde(deserialize_with = "rising")]
    pub levels: Vec<LevelConfig>,
}

/// Levels as they are read: rising, at most four.
fn rising<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LevelConfig>, D::Error> {
    let levels = Vec::<LevelConfig>::deserialize(deserializer)?;
    if levels.len() > LEVELS {
        return Err(D::Error::custom(format!("there are at most {LEVELS} levels")));
    }
    if levels.windows(2).any(|pair| pair[0].after >= pair[1].after) {
        return Err(D::Error::custom("each level must come after the one before"));
    }
    Ok(levels)
}

/// One level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelConfig {
    /// How long after firing without acknowledgment.
    #[serde(with = "duration_text")]
    pub after: Duration,
    /// Channels told from this level on, beside those told before; empty: those that join here by their type.
    #[serde(default)]
    pub channels: Vec<String>,
}

/// The level at which an alert becomes critical (A4).
pub const CRITICAL_LEVEL: u8 = 3;

/// Highest level an alert knows.
const LEVELS: usize = 4;

impl Default for EscalationConfig {
    // A4: 300 s reminder, 600 s e-mail, 1,800 s critical and SMS, 3,600 s phone call.
    fn default() -> Self {
        let level = |seconds| LevelConfig { after: Duration::from_secs(seconds), channels: Vec::new() };
        Self { per_hour: 10, per_hour_and_rule: 10, levels: [300, 600, 1800, 3600].map(level).to_vec() }
    }
}

impl EscalationConfig {
    /// Channels of levels 1 and up.
    pub fn channels(&self) -> Vec<Vec<String>> {
        self.levels.iter().map(|l| l.channels.clone()).collect()
    }

    /// The level due after firing that long without acknowledgment; levels beyond the fourth are not reached.
    pub fn due(&self, firing: Duration) -> u8 {
        let due = self.levels.iter().take(LEVELS).rposition(|l| firing >= l.after).map_or(0, |at| at + 1);
        u8::try_from(due).unwrap_or(u8::MAX)
    }

    /// How long after firing a level is reached; zero for level 0.
    pub fn after(&self, level: u8) -> Duration {
        usize::from(level).checked_sub(1).and_then(|at| self.levels.get(at)).map_or(Duration::ZERO, |l| l.after)
    }
}

/// Levels by route: the first that matches an alert counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Escalations {
    /// `[escalation]`.
    pub default: EscalationConfig,
    /// Matchers of each route, and its own levels where it has some.
    pub routes: Vec<(Vec<Matcher>, Option<EscalationConfig>)>,
}

impl Escalations {
    /// The levels of an alert with these labels.
    pub fn of(&self, labels: &BTreeMap<String, String>) -> &EscalationConfig {
        let matches = |matchers: &[Matcher]| matchers.iter().all(|m| m.matches(labels.get(m.name()).map(String::as_str)));
        let route = self.routes.iter().find(|(matchers, _)| matches(matchers));
        route.and_then(|(_, levels)| levels.as_ref()).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_due_at_the_times_of_the_mission() {
        let config = EscalationConfig::default();
        let due = [0, 299, 300, 600, 1800, 3600, 90_000].map(|s| config.due(Duration::from_secs(s)));
        assert_eq!(due, [0, 0, 1, 2, 3, 4, 4]);
        assert_eq!(config.after(2), Duration::from_secs(600));
        for text in ["levels=[{after='2m'},{after='1m'}]", "levels=[{after='1m'},{after='1m'}]", "levels=[{after=5}]", "level=[]"]
        {
            assert!(toml::from_str::<EscalationConfig>(text).is_err(), "{text}");
        }
        assert_eq!(
            toml::from_str("levels=[{after='1m',channels=['x']}]").map(|c: EscalationConfig| c.channels()),
            Ok(vec![vec!["x".into()]])
        );
        assert_eq!(EscalationConfig { levels: Vec::new(), ..EscalationConfig::default() }.due(Duration::from_secs(90_000)), 0);
    }
}
