//! Texts of one's own: a channel's `title` and `text` with names in braces.
//!
//! Invariant: a template that was read can be filled for every message; what is not known is empty.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Channel, Delivery, DeliveryError, Message, Receipt, Screen, text};
use crate::model::catalog::nearest;

/// Names a template may use; beside them `label.<name>`.
const NAMES: &[&str] = &[
    "subject", "lead", "facts", "hint", "host", "reason", "severity", "level", "id", "rule", "kind", "title", "since", "at",
    "value", "limit", "why", "normal", "process", "moved", "changed", "query",
];

enum Piece {
    Text(String),
    Name(String),
}

/// A text with places to be filled.
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Reads `{name}`, and `{{` and `}}` as braces.
    ///
    /// # Errors
    /// A name nobody knows, or a brace without its other.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.peek() == Some(&c) => {
                    plain.push(c);
                    chars.next();
                }
                '}' => return Err("a } without its {; write }} for a brace".to_owned()),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some(c) => name.push(c),
                            None => return Err(format!("{{{name} has no }}; write {{{{ for a brace")),
                        }
                    }
                    known(&name)?;
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Name(name));
                }
                c => plain.push(c),
            }
        }
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    fn fill(&self, message: &Message) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Name(name) => value(name, message),
        });
        pieces.collect()
    }
}

fn known(name: &str) -> Result<(), String> {
    if NAMES.contains(&name) || name.strip_prefix("label.").is_some_and(|label| !label.is_empty()) {
        return Ok(());
    }
    let near = nearest(name, NAMES.iter().copied()).map_or(String::new(), |near| format!("; did you mean {{{near}}}?"));
    Err(format!("there is no {{{name}}} (there are {}, label.NAME){near}", NAMES.join(", ")))
}

fn value(name: &str, message: &Message) -> String {
    let alert = &message.json["alert"];
    let plain = |value: &Value| match value {
        Value::String(text) => text::line(text),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    match name {
        "subject" => message.subject.clone(),
        "lead" => message.lead.clone(),
        "hint" => message.hint.clone(),
        "host" => message.host.clone(),
        "at" => message.at.rfc3339(),
        "reason" | "severity" | "level" => plain(&message.json[name]),
        "facts" => message.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n"),
        "id" | "rule" | "kind" | "title" | "since" => plain(&alert[name]),
        _ => match name.strip_prefix("label.") {
            Some(label) => plain(&alert["labels"][label]),
            None => message
                .facts
                .iter()
                .find(|(fact, _)| fact.split(' ').next() == Some(name))
                .map_or(String::new(), |(_, v)| v.clone()),
        },
    }
}

/// A channel that tells by templates.
pub(super) struct Templated {
    channel: Arc<dyn Channel>,
    title: Option<Template>,
    text: Option<Template>,
}

impl Templated {
    /// Takes `title` and `text` out of a channel's settings.
    ///
    /// # Errors
    /// A template that is none.
    pub(super) fn take(map: &mut Map<String, Value>) -> Result<(Option<Template>, Option<Template>), String> {
        let mut template = |key: &str| match map.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Template::parse(&text).map(Some).map_err(|e| format!("{key}: {e}")),
            Some(other) => Err(format!("{key}: must be a text, not {other}")),
        };
        Ok((template("title")?, template("text")?))
    }

    /// The channel itself where there is no template.
    pub(super) fn wrap(channel: Arc<dyn Channel>, (title, text): (Option<Template>, Option<Template>)) -> Arc<dyn Channel> {
        if title.is_none() && text.is_none() { channel } else { Arc::new(Self { channel, title, text }) }
    }

    fn rendered(&self, message: &Message) -> Message {
        let mut out = message.clone();
        if let Some(title) = &self.title {
            out.subject = text::line(&title.fill(message));
        }
        if let Some(text) = &self.text {
            (out.lead, out.facts, out.hint) = (text.fill(message), Vec::new(), String::new());
        }
        out.json["subject"] = Value::String(out.subject.clone());
        out.json["text"] = Value::String(out.body());
        out
    }
}

impl Channel for Templated {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let message = Arc::new(self.rendered(&delivery.message));
            let filled = Delivery { message, ..delivery.clone() };
            self.channel.deliver(&filled).await
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        self.channel.verify()
    }

    fn timeout(&self) -> Duration {
        self.channel.timeout()
    }

    fn attach(&self, screen: &Screen) {
        self.channel.attach(screen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::{alert, message};

    fn fill(template: &str) -> String {
        Template::parse(template).expect(template).fill(&message("memory 91% > 85%"))
    }

    #[test]
    fn names_are_filled_and_braces_stay() {
        assert_eq!(
            fill("{severity} {host}: {title} ({value}, {label.rule}) {{x}}{process}"),
            "critical web-1: memory 91% > 85% (91%, memory) {x}"
        );
        assert_eq!(fill("{id}\n{facts}").lines().next(), Some(alert("7k", "x").id.as_str()));
    }

    #[test]
    fn a_name_nobody_knows_is_refused_with_a_suggestion() {
        for (template, hint) in
            [("{tilte}", "did you mean {title}?"), ("{host", "has no }"), ("host}", "without its {"), ("{label.}", "label.NAME")]
        {
            let error = Template::parse(template).err().expect(template);
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn a_channel_tells_by_its_own_texts() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = serde_json::json!({"path": "out", "title": "{rule}!", "text": "see {id}"});
        let channel = crate::notify::tests::opened("file", &settings, folder.path());
        assert!(crate::notify::tests::run(channel.deliver(&crate::notify::tests::delivery(message("x")))).is_ok());
        let line: Value =
            serde_json::from_str(&std::fs::read_to_string(folder.path().join("out")).expect("a file")).expect("JSON");
        assert_eq!((&line["subject"], &line["text"]), (&serde_json::json!("memory!"), &serde_json::json!("see 7k")));
    }
}
