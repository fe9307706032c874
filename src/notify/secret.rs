//! Secrets of channels: from a file, a command or the environment.
//!
//! Read for each message, so that a changed one needs no reload. Invariant: a secret is never in a setting, never printed
//! and never in an error.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Map, Value};

use super::{ChannelKind, DeliveryError};

/// Where one secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// The first line of a file.
    File(PathBuf),
    /// The first line that a program prints.
    Command(Vec<String>),
    /// An environment variable.
    Environment(String),
}

/// One secret, by the key it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    key: &'static str,
    origin: Origin,
}

/// The secrets of a channel by key.
#[derive(Debug, Clone, Default)]
pub struct Secrets(BTreeMap<&'static str, Secret>);

impl Secrets {
    /// Takes the keys of secrets out of a channel's settings; relative files are in `folder`.
    ///
    /// # Errors
    /// A secret written into the settings, or by two ways at once.
    pub fn take(map: &mut Map<String, Value>, kind: &ChannelKind, folder: &std::path::Path) -> Result<Self, String> {
        let mut found = BTreeMap::new();
        for key in kind.secrets.iter().copied() {
            if map.contains_key(key) && !kind.plain_too.contains(&key) {
                return Err(format!("{key} is a secret: write {key}_file, {key}_command or {key}_env"));
            }
            for (ending, make) in FORMS {
                let Some(value) = map.remove(&format!("{key}_{ending}")) else { continue };
                let origin = make(&value, folder).ok_or_else(|| format!("{key}_{ending}: not {value}"))?;
                if found.insert(key, Secret { key, origin }).is_some() {
                    return Err(format!("write one of {key}_file, {key}_command and {key}_env"));
                }
            }
        }
        Ok(Self(found))
    }

    /// The secret of a key, where it is set.
    pub fn get(&self, key: &str) -> Option<Secret> {
        self.0.get(key).cloned()
    }

    /// The secret of a key.
    ///
    /// # Errors
    /// It is not set.
    pub fn need(&self, key: &str) -> Result<Secret, String> {
        self.get(key).ok_or_else(|| format!("missing {key}_file, {key}_command or {key}_env"))
    }
}

type Make = fn(&Value, &std::path::Path) -> Option<Origin>;

const FORMS: [(&str, Make); 3] = [("file", file), ("command", command), ("env", environment)];

fn file(value: &Value, folder: &std::path::Path) -> Option<Origin> {
    value.as_str().filter(|s| !s.is_empty()).map(|s| Origin::File(folder.join(s)))
}

/// A list is a program with its arguments; one text is what the user would type, by the shell.
fn command(value: &Value, _: &std::path::Path) -> Option<Origin> {
    let words: Vec<String> = match value {
        Value::String(text) => ["/bin/sh", "-c", text].map(str::to_owned).to_vec(),
        Value::Array(list) => list.iter().map(|w| w.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        _ => return None,
    };
    words.first().is_some_and(|w| !w.is_empty()).then_some(Origin::Command(words))
}

fn environment(value: &Value, _: &std::path::Path) -> Option<Origin> {
    value.as_str().filter(|s| !s.is_empty()).map(|s| Origin::Environment(s.to_owned()))
}

impl Secret {
    /// Reads it: the first line, without blanks around it.
    ///
    /// # Errors
    /// It cannot be read or is empty; said without it.
    pub async fn read(&self) -> Result<String, DeliveryError> {
        let failed = |text: String| DeliveryError::transient(text);
        let (place, text) = match &self.origin {
            Origin::File(path) => {
                let (place, path) = (format!("{}_file {}", self.key, path.display()), path.clone());
                let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
                let text = read.unwrap_or_else(|e| Err(std::io::Error::other(e)));
                (place.clone(), text.map_err(|e| failed(format!("{place}: {}", crate::net::plain_error(&e))))?)
            }
            Origin::Command(words) => {
                let place = format!("{}_command", self.key);
                let text = run(words).await.map_err(|e| failed(format!("{place}: {e}")))?;
                (place, text)
            }
            Origin::Environment(name) => {
                let place = format!("{}_env {name}", self.key);
                let text = std::env::var(name).map_err(|_| failed(format!("{place}: the variable is not set")))?;
                (place, text)
            }
        };
        let line = text.lines().next().unwrap_or("").trim();
        if line.is_empty() { Err(failed(format!("{place}: empty"))) } else { Ok(line.to_owned()) }
    }
}

async fn run(words: &[String]) -> Result<String, String> {
    let (program, arguments) = words.split_first().expect("a command has a program");
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let out = command.output().await.map_err(|e| crate::net::plain_error(&e))?;
    if !out.status.success() {
        return Err(out.status.to_string());
    }
    String::from_utf8(out.stdout).map_err(|_| "its output is not UTF-8".to_owned())
}

/// Replaces every secret in a text, so that what a provider repeats is not shown.
pub(super) fn without(text: &str, secrets: &[&str]) -> String {
    secrets.iter().filter(|s| s.len() >= 4).fold(text.to_owned(), |text, secret| text.replace(secret, "[secret]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::run;

    fn take(text: &str) -> Result<Secrets, String> {
        let mut map = serde_json::from_str(text).expect("JSON");
        let kind = ChannelKind { secrets: &["token"], ..ChannelKind::PLAIN };
        Secrets::take(&mut map, &kind, std::path::Path::new("/f"))
    }

    #[test]
    fn a_secret_comes_from_one_place_that_is_no_setting() {
        for (text, hint) in [
            (r#"{"token": "x"}"#, "token_file, token_command or token_env"),
            (r#"{"token_file": "x", "token_env": "Y"}"#, "write one of"),
            (r#"{"token_file": 3}"#, "token_file"),
            (r#"{"token_command": []}"#, "token_command"),
        ] {
            let error = take(text).expect_err(text);
            assert!(error.contains(hint), "{error}");
        }
        assert!(take("{}").expect("none").need("token").expect_err("missing").contains("token_file"));
        let file = take(r#"{"token_file": "x"}"#).expect("a file").need("token").expect("a secret");
        assert_eq!(file.origin, Origin::File("/f/x".into()));
    }

    #[test]
    fn the_first_line_counts_and_failures_do_not_show_it() {
        let secret = |text: &str| take(text).expect("a secret").need("token").expect("a secret");
        assert_eq!(run(secret(r#"{"token_command": ["printf", " abc \nrest"]}"#).read()), Ok("abc".to_owned()));
        assert_eq!(run(secret(r#"{"token_command": "echo abc"}"#).read()), Ok("abc".to_owned()));
        for text in [
            r#"{"token_command": "echo hidden; exit 3"}"#,
            r#"{"token_command": ["/nonexistent"]}"#,
            r#"{"token_command": "true"}"#,
            r#"{"token_file": "none"}"#,
            r#"{"token_env": "FAROL_TEST_NOT_SET"}"#,
        ] {
            let error = run(secret(text).read()).expect_err(text);
            assert!(error.text.starts_with("token_") && !error.text.contains("hidden"), "{error}");
        }
        assert_eq!(without("bad token abcd1", &["abcd1", ""]), "bad token [secret]");
    }
}
