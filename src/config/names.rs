//! Channels that rules, routes, levels and the heartbeat name must exist.
//!
//! Invariant: a name nobody knows is said with file, line and what may have been meant.

use super::{Config, KeyError};
use crate::model::catalog::nearest;

/// A name of a channel and the path of keys and places to it.
struct Named<'a> {
    name: &'a str,
    path: Vec<String>,
    what: String,
}

/// Looks at every name.
///
/// # Errors
/// The first that is no channel.
pub(super) fn check_channels(config: &Config) -> Result<(), KeyError> {
    let by_default = ["desktop", "terminal"];
    let none = config.notify.0.is_empty();
    let known = |name: &str| config.notify.0.contains_key(name) || (none && by_default.contains(&name));
    let Some(wrong) = named(config).into_iter().find(|n| !known(n.name)) else { return Ok(()) };
    let names: Vec<&str> = config.notify.0.keys().map(String::as_str).collect();
    let hint = match nearest(wrong.name, names.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if none => format!("no channel is configured; add [notify.{}]", wrong.name),
        None => format!("there are {}; or add [notify.{}]", names.join(", "), wrong.name),
    };
    let message = format!("{} names the channel \"{}\", which does not exist; {hint}", wrong.what, wrong.name);
    Err(KeyError { path: wrong.path, message })
}

fn named(config: &Config) -> Vec<Named<'_>> {
    let path = |parts: &[&str]| parts.iter().map(|p| (*p).to_owned()).collect::<Vec<String>>();
    let mut all = Vec::new();
    for (at, rule) in config.rule.iter().enumerate() {
        for (n, name) in rule.channels.iter().enumerate() {
            let what = format!("channels of rule \"{}\"", rule.name);
            all.push(Named { name, path: path(&["rule", &at.to_string(), "channels", &n.to_string()]), what });
        }
    }
    for (at, route) in config.route.iter().enumerate() {
        for (n, name) in route.channels.iter().enumerate() {
            let path = path(&["route", &at.to_string(), "channels", &n.to_string()]);
            all.push(Named { name, path, what: "channels of a [[route]]".to_owned() });
        }
        for (level, written) in route.escalation.iter().flatten().enumerate() {
            for (n, name) in written.channels.iter().enumerate() {
                let parts = ["route", &at.to_string(), "escalation", &level.to_string(), "channels", &n.to_string()];
                all.push(Named { name, path: path(&parts), what: "escalation of a [[route]]".to_owned() });
            }
        }
    }
    for (level, written) in config.escalation.levels.iter().enumerate() {
        for (n, name) in written.channels.iter().enumerate() {
            let path = path(&["escalation", "levels", &level.to_string(), "channels", &n.to_string()]);
            all.push(Named { name, path, what: "levels of [escalation]".to_owned() });
        }
    }
    for (at, report) in config.report.iter().enumerate() {
        for (n, name) in report.channels() {
            let what = format!("to of report \"{}\"", report.name());
            all.push(Named { name, path: path(&["report", &at.to_string(), "to", &n.to_string()]), what });
        }
    }
    if let Some(name) = &config.heartbeat.channel {
        all.push(Named { name, path: path(&["heartbeat", "channel"]), what: "channel of [heartbeat]".to_owned() });
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::config::{Inputs, load};

    fn check(text: &str, expected: &str) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        let error = load(&Inputs { file: Some(path), ..Inputs::default() }).expect_err(text).to_string();
        assert!(error.ends_with(expected), "{error}");
    }

    #[test]
    fn an_unknown_channel_is_said_with_file_line_key_and_suggestion() {
        let file = "[notify.file]\npath = \"a\"\n";
        check(
            &format!(
                "{file}[[rule]]\nname = \"x\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\nchannels = [\"file\", \"fil\"]\n"
            ),
            "config.toml:7:21: channels of rule \"x\" names the channel \"fil\", which does not exist; did you mean \"file\"?",
        );
        check(
            &format!("{file}[[route]]\nchannels = [\"pager\"]\n"),
            "config.toml:4:13: channels of a [[route]] names the channel \"pager\", which does not exist; there are file; or add [notify.pager]",
        );
        check(
            &format!("{file}[[route]]\nchannels = []\nescalation = [{{ after = \"1m\", channels = [\"sms\"] }}]\n"),
            "escalation of a [[route]] names the channel \"sms\", which does not exist; there are file; or add [notify.sms]",
        );
        check(
            "[heartbeat]\nchannel = \"hc\"\n",
            "channel of [heartbeat] names the channel \"hc\", which does not exist; no channel is configured; add [notify.hc]",
        );
        check(&format!("{file}[escalation]\nlevels = [{{ after = \"1m\", channels = [\"fyle\"] }}]\n"), "did you mean \"file\"?");
    }
}
