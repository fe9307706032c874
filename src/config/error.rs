//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;

use crate::model::catalog::nearest;

/// A mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where: file with line and column, variable or flag.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// A mistake at a place.
    pub fn new(place: impl Into<String>, message: impl AsRef<str>) -> Self {
        Self { place: place.into(), message: with_suggestion(message.as_ref()) }
    }

    /// A mistake in a TOML text.
    pub(super) fn in_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let place = match error.span() {
            Some(span) => {
                let (line, column) = line_and_column(text, span.start);
                format!("{file}:{line}:{column}")
            }
            None => file.to_owned(),
        };
        Self::new(place, error.message())
    }
}

/// Line and column (both from 1, columns in characters) of a byte position.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// Adds "did you mean" to serde's list of what it expected, and drops the list where a name is near.
fn with_suggestion(message: &str) -> String {
    let message = message.trim();
    let kinds = [("unknown field `", "key"), ("unknown variant `", "value")];
    let found = kinds.into_iter().find_map(|(words, kind)| Some((message.split_at_checked(message.find(words)?)?, kind)));
    let Some(((before, told), kind)) = found else { return message.replace('`', "\"") };
    let names: Vec<&str> = told.split('`').skip(1).step_by(2).collect();
    match names.split_first() {
        Some((wrong, expected)) if !expected.is_empty() => match nearest(wrong, expected.iter().copied()) {
            Some(near) => format!("{before}unknown {kind} \"{wrong}\"; did you mean \"{near}\"?"),
            None => format!("{before}unknown {kind} \"{wrong}\"; known are {}", expected.join(", ")),
        },
        _ => message.replace('`', "\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_gets_the_list() {
        let message = "unknown field `intervall`, expected one of `interval`, `host`, `labels`";
        assert_eq!(with_suggestion(message), "unknown key \"intervall\"; did you mean \"interval\"?");
        let message = "unknown field `zzz`, expected `host` or `labels`";
        assert_eq!(with_suggestion(message), "unknown key \"zzz\"; known are host, labels");
        let message = "notify.file: unknown field `pth`, expected `path`";
        assert_eq!(with_suggestion(message), "notify.file: unknown key \"pth\"; did you mean \"path\"?");
    }
}
