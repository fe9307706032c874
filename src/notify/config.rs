//! `[notify.<name>]` tables.
//!
//! Each channel's own settings are read beside the channel. Invariant: what is wrong with a table is told by its name and key.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};

use super::template::Templated;
use super::{CHANNELS, Channel, ChannelContext, ChannelKind, Secrets, Target};

/// All `[notify.<name>]` tables by name; empty: see [`NotifyConfig::or_default`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct NotifyConfig(pub BTreeMap<String, ChannelConfig>);

/// One `[notify.<name>]` table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelConfig {
    /// A [`ChannelKind::name`]; by default the table's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The other keys, as the channel reads them. Holds no secret: those come from files, commands or the environment.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

/// A configured channel, ready to deliver: its name, its type, itself.
pub type Opened = (String, &'static ChannelKind, Arc<dyn Channel>);

/// Keys of channels and actions that are not the channel's settings.
const OWN_KEYS: [&str; 4] = ["type", "name", "on", "at_most"];

/// What is wrong with the settings of a channel or an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{of}: {message}")]
pub struct ChannelError {
    /// Whose settings: `notify.ops`, `action "restart"`.
    pub of: String,
    /// The key at fault, where it is one that is there.
    pub key: Option<String>,
    /// What is wrong and what to write.
    pub message: String,
}

impl ChannelError {
    pub(super) fn new(of: String, settings: &Map<String, Value>, message: String) -> Self {
        // Messages begin with the key, but for serde's of a key that nobody reads.
        let unread = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        let first = message.split([' ', ':']).next();
        let key = unread.or(first).filter(|key| OWN_KEYS.contains(key) || settings.contains_key(*key)).map(str::to_owned);
        Self { of, key, message }
    }
}

impl<'de> Deserialize<'de> for NotifyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tables = BTreeMap::<String, Map<String, Value>>::deserialize(deserializer)?;
        let mut channels = BTreeMap::new();
        for (name, mut settings) in tables {
            let kind = match settings.remove("type") {
                None => name.clone(),
                Some(Value::String(kind)) => kind,
                Some(other) => return Err(D::Error::custom(format!("notify.{name}: type must be a text, not {other}"))),
            };
            channels.insert(name, ChannelConfig { kind, settings });
        }
        Ok(Self(channels))
    }
}

impl NotifyConfig {
    /// This; where nothing is configured the desktop if there is one, else the terminal of whoever looks.
    #[must_use]
    pub fn or_default(self, has_session_bus: bool) -> Self {
        if !self.0.is_empty() {
            return self;
        }
        let kind = if has_session_bus { "desktop" } else { "terminal" }.to_owned();
        Self([(kind.clone(), ChannelConfig { kind, settings: Map::new() })].into())
    }

    /// Makes the channels; no I/O.
    ///
    /// # Errors
    /// An unknown type with those that exist, or settings that are wrong, with the table's name.
    pub fn open(&self, context: &ChannelContext) -> Result<Vec<Opened>, ChannelError> {
        let open = |(name, config): (&String, &ChannelConfig)| {
            let mut settings = config.settings.clone();
            let named = |message: String| ChannelError::new(format!("notify.{name}"), &config.settings, message);
            let kind = CHANNELS.iter().find(|k| k.name == config.kind).ok_or_else(|| named(unknown(&config.kind)))?;
            let texts = Templated::take(&mut settings).map_err(named)?;
            let opened = Secrets::take(&mut settings, kind, &context.folder).and_then(|s| (kind.open)(&settings, s, context));
            let channel = Templated::wrap(opened.map_err(named)?, texts);
            Ok((name.clone(), kind, channel))
        };
        self.0.iter().map(open).collect()
    }

    /// The channels as [`super::Routing::channels`] takes them.
    pub fn targets(&self) -> Vec<Target> {
        let kind = |config: &ChannelConfig| CHANNELS.iter().find(|k| k.name == config.kind);
        let target = |(name, config): (&String, &ChannelConfig)| kind(config).map(|k| k.target(name));
        self.0.iter().filter_map(target).collect()
    }
}

fn unknown(kind: &str) -> String {
    let known: Vec<&str> = CHANNELS.iter().map(|k| k.name).collect();
    let near = crate::model::catalog::nearest(kind, known.iter().copied());
    let hint = near.map_or(String::new(), |n| format!("; did you mean {n}?"));
    format!("type \"{kind}\" is no channel{hint} (there are {})", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NotifyConfig, String> {
        let config: NotifyConfig = toml::from_str(text).map_err(|e| format!("notify.: {e}"))?;
        config.open(&ChannelContext::default()).map(|_| config.clone()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_key_at_fault_is_known() {
        for (text, key) in [
            ("[file]\npth='x'", Some("pth")),
            ("[file]\npath=3", Some("path")),
            ("[file]\ntype='fil'", Some("type")),
            ("[file]", None),
            ("[email]\nserver='m'\nfrom='not an address'\nto=['a@b.c']", Some("from")),
            ("[webhook]\nurl='ftp://x'", Some("url")),
            ("[file]\npath='x'\ntext='{tilte}'", Some("text")),
        ] {
            let config: NotifyConfig = toml::from_str(text).expect(text);
            let error = config.open(&ChannelContext::default()).err().expect(text);
            assert_eq!(error.key.as_deref(), key, "{error}");
        }
    }

    #[test]
    fn a_table_is_of_the_type_of_its_name_unless_it_says_otherwise() {
        let config = read("[file]\npath='alerts.jsonl'\n[ops]\ntype='file'\npath='/var/log/ops.jsonl'").expect("tables");
        let kinds: Vec<(&str, &str)> = config.0.iter().map(|(n, c)| (n.as_str(), c.kind.as_str())).collect();
        assert_eq!(kinds, [("file", "file"), ("ops", "file")]);
        let again = serde_json::to_value(&config).and_then(serde_json::from_value);
        assert_eq!(again.ok(), Some(config), "what is shown is read back");
    }

    #[test]
    fn mistakes_are_named_with_their_table() {
        for (text, hint) in [
            ("[fil]\npath='x'", "did you mean file"),
            ("[file]\npth='x'", "pth"),
            ("[file]", "path"),
            ("[file]\ntype=3", "type"),
            ("[email]\nserver='m'\nfrom='not an address'\nto=['a@b.c']", "not an address"),
            ("[email]\nserver='m'\nfrom='a@b.c'\nto=[]", "to"),
            ("[email]\nserver='m'\nfrom='a@b.c'\nto=['a@b.c']\npassword_file='x'", "user"),
            ("[slack]\nurl='https://hooks.slack.com/x'", "is a secret: write url_file"),
            ("[slack]\ntoken_file='x'", "to = "),
            ("[teams]", "url_file"),
            ("[sms]\naccount='A'\nfrom='+1'\nto=['12']\ntoken_file='x'", "\"12\" is no number"),
            ("[webhook]\nurl='ftp://x'", "url"),
            ("[webhook]\nurl='http://x'\nheaders={Authorization='Bearer x'}", "token_file"),
            ("[webhook]\nurl='http://x'\nheaders={a=\"b\\nc\"}", "headers"),
            ("[syslog]\naddress='nowhere'", "udp://"),
            ("[ntfy]\ntopic='a b'", "topic"),
            ("[file]\npath='x'\ntext='{tilte}'", "did you mean {title}"),
            ("[matrix]\nurl='http://x'\nroom='#x:y'\ntoken_file='t'", "room"),
            ("[command]\ncommand=[]", "command"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains("notify.") && error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn without_configuration_the_desktop_is_told_where_there_is_one() {
        assert_eq!(NotifyConfig::default().or_default(true).targets(), [Target::new("desktop", 0)]);
        assert_eq!(NotifyConfig::default().or_default(false).targets(), [Target::new("terminal", 0)]);
        let file = read("[file]\npath='x'").expect("a table");
        assert_eq!(file.clone().or_default(true), file);
    }
}
