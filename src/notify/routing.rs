//! Who is told of an alert at which level.
//!
//! Invariant: channels add up with the level; a channel is named once; only configured channels are named.

use serde::{Deserialize, Serialize};

use crate::model::{Alert, Matcher};

/// One `[[route]]`: the first that matches names the channels of level 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// All must match the alert's labels; empty: every alert.
    #[serde(default, rename = "match")]
    pub matchers: Vec<Matcher>,
    /// Channels by name.
    pub channels: Vec<String>,
}

/// Routes, ready.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routing {
    /// Name and the level it joins at, for every configured channel.
    pub channels: Vec<(String, u8)>,
    /// In order.
    pub routes: Vec<RouteConfig>,
    /// Channels of escalation levels 1 and up, where they are configured; empty: those that join there by their type.
    pub levels: Vec<Vec<String>>,
}

impl Routing {
    /// Channels to be told at that level, those of lower levels included; `own` are those the rule names itself.
    pub fn recipients(&self, alert: &Alert, own: &[String], level: u8) -> Vec<String> {
        let mut names: Vec<&str> = self.first(alert, own);
        for step in 1..=level {
            match self.levels.get(usize::from(step) - 1).filter(|l| !l.is_empty()) {
                Some(written) => names.extend(written.iter().map(String::as_str)),
                None => names.extend(self.joining(step)),
            }
        }
        let mut told: Vec<String> = Vec::with_capacity(names.len());
        for name in names {
            let known = self.channels.iter().any(|(n, _)| n == name);
            if known && !told.iter().any(|t| t == name) {
                told.push(name.to_owned());
            }
        }
        told
    }

    /// Channels of level 0: the rule's, the route's, or all that do not join later; where there are only such, the first to join.
    fn first<'a>(&'a self, alert: &Alert, own: &'a [String]) -> Vec<&'a str> {
        if !own.is_empty() {
            return own.iter().map(String::as_str).collect();
        }
        let matches =
            |route: &&RouteConfig| route.matchers.iter().all(|m| m.matches(alert.labels.get(m.name()).map(String::as_str)));
        if let Some(route) = self.routes.iter().find(matches) {
            return route.channels.iter().map(String::as_str).collect();
        }
        let lowest = self.channels.iter().map(|(_, joins)| *joins).min().unwrap_or(0);
        self.joining(lowest).collect()
    }

    fn joining(&self, level: u8) -> impl Iterator<Item = &str> {
        self.channels.iter().filter(move |(_, joins)| *joins == level).map(|(name, _)| name.as_str())
    }

    /// Channels that rules, routes or levels name but nobody configured, for the configuration's check.
    pub fn unknown<'a>(&'a self, own: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
        let named = self.routes.iter().flat_map(|r| &r.channels).chain(self.levels.iter().flatten()).chain(own);
        named.map(String::as_str).filter(|name| !self.channels.iter().any(|(n, _)| n == name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::alert;

    fn routing(channels: &[(&str, u8)]) -> Routing {
        Routing { channels: channels.iter().map(|(n, l)| ((*n).to_owned(), *l)).collect(), ..Routing::default() }
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
        let route = |matcher: &str, channel: &str| RouteConfig {
            matchers: vec![matcher.parse().expect("a matcher")],
            channels: vec![channel.to_owned()],
        };
        routed.routes = vec![route("severity=info", "desktop"), route("severity=critical", "file")];
        routed.levels = vec![vec!["email".to_owned()]];
        check(&routed, &[], 0, &["file"]);
        check(&routed, &[], 1, &["file", "email"]);
        routed.routes.clear();
        routed.levels = vec![vec!["pager".to_owned()]];
        check(&routed, &[], 1, &["desktop", "file"]);
        assert_eq!(routed.unknown(&["fax".to_owned()]), ["pager", "fax"]);
    }
}
