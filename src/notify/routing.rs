//! Who is told of alerts at which level, together with what, and how often again.
//!
//! Invariant: channels add up with the level; a channel is named once; only configured channels are named.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::action::is_action;
use super::{ActionConfig, Audience, Budget};
use crate::base::time::duration_text;
use crate::model::{Alert, LevelConfig, Matcher};

/// One `[[route]]`: the first that matches says who is told and how.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// All must match the alert's labels; empty: every alert.
    #[serde(default, rename = "match")]
    pub matchers: Vec<Matcher>,
    /// Channels by name; none: nobody is told.
    pub channels: Vec<String>,
    /// Alerts with the same values of these labels are one message; empty: all alerts of the route.
    #[serde(default = "by_rule")]
    pub group_by: Vec<String>,
    /// How long the first message of a group waits for more alerts of it.
    #[serde(default = "group_wait", with = "duration_text")]
    pub group_wait: Duration,
    /// How long after the last message one that still fires and nobody cares for is told again; zero: never.
    #[serde(default = "repeat", with = "duration_text")]
    pub repeat: Duration,
    /// Levels of its own; absent: those of `[escalation]`; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Vec<LevelConfig>>,
}

fn by_rule() -> Vec<String> {
    vec!["rule".to_owned()]
}

fn group_wait() -> Duration {
    Duration::from_secs(1)
}

/// As Alertmanager's.
fn repeat() -> Duration {
    Duration::from_secs(4 * 3600)
}

/// A configured channel, as far as routing knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The level it joins at where no route names it.
    pub joins_at: u8,
    /// Who reads it.
    pub audience: Audience,
    /// How often a message about what still fires is sent again.
    pub refresh: Option<Duration>,
}

impl Target {
    /// A channel for people that is told from that level on.
    pub fn new(name: &str, joins_at: u8) -> Self {
        Self { name: name.to_owned(), joins_at, audience: Audience::People, refresh: None }
    }
}

/// Routes, ready.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routing {
    /// Every configured channel.
    pub channels: Vec<Target>,
    /// In order.
    pub routes: Vec<RouteConfig>,
    /// Channels of escalation levels 1 and up, where they are configured; empty: those that join there by their type.
    pub levels: Vec<Vec<String>>,
    /// How many messages an hour may bring.
    pub budget: Budget,
    /// What alerts set off.
    pub actions: Vec<ActionConfig>,
}

/// How one alert is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Way {
    /// To whom.
    pub(super) channels: Vec<String>,
    /// Why to nobody, where `channels` is empty.
    pub(super) nobody: String,
    /// Alerts with the same are told together.
    pub(super) group: String,
    /// How long the first message waits.
    pub(super) wait: Duration,
    /// When it is told again.
    pub(super) repeat: Option<Duration>,
}

impl Routing {
    /// How an alert is told at that level; `own` are channels the rule names itself.
    pub(super) fn way(&self, alert: &Alert, own: &[String], level: u8) -> Way {
        let found = self.route(alert);
        let route = found.map(|(_, route)| route);
        let labels = route.map_or_else(by_rule, |r| r.group_by.clone());
        let values: Vec<&str> = labels.iter().map(|l| alert.labels.get(l).map_or("", String::as_str)).collect();
        let place = found.map_or_else(String::new, |(at, _)| (at + 1).to_string());
        let nobody = match found {
            Some((at, _)) => format!("route {} names nobody", at + 1),
            None => "no channel is configured".to_owned(),
        };
        Way {
            channels: self.recipients(alert, own, level),
            nobody,
            group: format!("{place}/{}", values.join("/")),
            wait: route.map_or(Duration::ZERO, |r| r.group_wait),
            repeat: route.map(|r| r.repeat).filter(|r| !r.is_zero()),
        }
    }

    /// Channels to be told at that level, those of lower levels included; `own` are those the rule names itself.
    pub fn recipients(&self, alert: &Alert, own: &[String], level: u8) -> Vec<String> {
        let route = self.route(alert).map(|(_, route)| route);
        let mut names: Vec<&str> = self.first(route, own);
        for step in 1..=level {
            let at = usize::from(step) - 1;
            let written: Option<&[String]> = match route.and_then(|r| r.escalation.as_ref()) {
                Some(levels) => levels.get(at).map(|l| l.channels.as_slice()),
                None => self.levels.get(at).map(Vec::as_slice),
            };
            match written.filter(|l| !l.is_empty()) {
                Some(written) => names.extend(written.iter().map(String::as_str)),
                None => names.extend(self.joining(step)),
            }
        }
        let mut told: Vec<String> = Vec::with_capacity(names.len());
        for name in names {
            let known = self.channels.iter().any(|c| c.name == name);
            if known && !told.iter().any(|t| t == name) {
                told.push(name.to_owned());
            }
        }
        told
    }

    /// The first route whose matchers all match, and its place.
    fn route(&self, alert: &Alert) -> Option<(usize, &RouteConfig)> {
        let matches =
            |route: &RouteConfig| route.matchers.iter().all(|m| m.matches(alert.labels.get(m.name()).map(String::as_str)));
        self.routes.iter().enumerate().find(|(_, route)| matches(route))
    }

    /// Channels of level 0: the rule's, the route's, or all that do not join later; where there are only such, the first to join.
    fn first<'a>(&'a self, route: Option<&'a RouteConfig>, own: &'a [String]) -> Vec<&'a str> {
        if !own.is_empty() {
            return own.iter().map(String::as_str).collect();
        }
        if let Some(route) = route {
            return route.channels.iter().map(String::as_str).collect();
        }
        let lowest = self.channels.iter().map(|c| c.joins_at).min().unwrap_or(0);
        self.joining(lowest).collect()
    }

    fn joining(&self, level: u8) -> impl Iterator<Item = &str> {
        self.channels.iter().filter(move |c| c.joins_at == level).map(|c| c.name.as_str())
    }

    fn target(&self, channel: &str) -> Option<&Target> {
        self.channels.iter().find(|c| c.name == channel)
    }

    /// Who reads a channel.
    pub(super) fn audience(&self, channel: &str) -> Audience {
        let default = if is_action(channel) { Audience::Service } else { Audience::People };
        self.target(channel).map_or(default, |c| c.audience)
    }

    /// How many messages a channel takes at once, where that is fewer than others do.
    pub(super) fn at_most(&self, channel: &str) -> Option<usize> {
        let action = self.actions.iter().find(|a| is_action(channel) && a.channel() == channel)?;
        usize::try_from(action.at_most).ok()
    }

    /// How often a channel is told again of what still fires.
    pub(super) fn refresh(&self, channel: &str) -> Option<Duration> {
        self.target(channel).and_then(|c| c.refresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::alert;

    fn routing(channels: &[(&str, u8)]) -> Routing {
        Routing { channels: channels.iter().map(|(name, level)| Target::new(name, *level)).collect(), ..Routing::default() }
    }

    fn route(text: &str) -> RouteConfig {
        toml::from_str(text).expect("a route")
    }

    fn check(routing: &Routing, own: &[&str], level: u8, expected: &[&str]) {
        let own: Vec<String> = own.iter().map(|o| (*o).to_owned()).collect();
        assert_eq!(routing.recipients(&alert("1", "x"), &own, level), expected, "level {level}");
    }

    #[test]
    fn channels_add_up_with_the_level() {
        let all = routing(&[("desktop", 0), ("email", 2), ("file", 0), ("sms", 3)]);
        check(&all, &[], 0, &["desktop", "file"]);
        check(&all, &[], 1, &["desktop", "file"]);
        check(&all, &[], 2, &["desktop", "file", "email"]);
        check(&all, &[], 4, &["desktop", "file", "email", "sms"]);
        check(&all, &["file"], 2, &["file", "email"]);
        check(&routing(&[("email", 2), ("sms", 3)]), &[], 0, &["email"]);
        check(&routing(&[]), &["file"], 4, &[]);
    }

    #[test]
    fn routes_and_written_levels_come_before_the_default() {
        let mut routed = routing(&[("desktop", 0), ("email", 2), ("file", 0)]);
        routed.routes = vec![
            route("match = ['severity=info']\nchannels = ['desktop']"),
            route("match = ['severity=critical']\nchannels = ['file']"),
        ];
        routed.levels = vec![vec!["email".to_owned()]];
        check(&routed, &[], 0, &["file"]);
        check(&routed, &[], 1, &["file", "email"]);
        routed.routes[1].escalation =
            Some(vec![LevelConfig { after: Duration::from_secs(60), channels: vec!["desktop".to_owned()] }]);
        check(&routed, &[], 1, &["file", "desktop"]);
        routed.routes.clear();
        routed.levels = vec![vec!["pager".to_owned()]];
        check(&routed, &[], 1, &["desktop", "file"]);
    }

    #[test]
    fn a_route_says_what_is_told_together_how_late_and_how_often() {
        let mut routed = routing(&[("file", 0)]);
        let plain = routed.way(&alert("1", "x"), &[], 0);
        assert_eq!((plain.group.as_str(), plain.wait, plain.repeat), ("/memory", Duration::ZERO, None));
        routed.routes = vec![route("channels = []\ngroup_by = ['severity', 'none']\nrepeat = '1h'")];
        let way = routed.way(&alert("1", "x"), &[], 0);
        assert_eq!(
            (way.group.as_str(), way.wait, way.repeat),
            ("1/critical/", Duration::from_secs(1), Some(Duration::from_secs(3600)))
        );
        assert_eq!((way.channels.len(), way.nobody.as_str()), (0, "route 1 names nobody"));
    }
}
