//! Matchers over labels, written as Alertmanager and PromQL write them.
//!
//! `name=value`, `name!=value`, `name=~regex`, `name!~regex`; values may be quoted. A regular
//! expression must match the whole value. An absent label is the empty text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::SeriesKey;

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// One condition on one label.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<regex_lite::Regex>,
}

/// Why a matcher was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MatcherError(pub String);

impl Matcher {
    /// A matcher; compiles the expression.
    ///
    /// # Errors
    /// A regular expression that is none.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, MatcherError> {
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(
                regex_lite::Regex::new(&format!("^(?s:{value})$"))
                    .map_err(|e| MatcherError(format!("\"{value}\" is no regular expression: {e}")))?,
            ),
        };
        Ok(Self { name: name.to_owned(), op, value: value.to_owned(), regex })
    }

    /// `name="value"`.
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), op: MatchOp::Equal, value: value.to_owned(), regex: None }
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// What it compares with.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label with that value matches; an absent label is `None`.
    pub fn matches(&self, value: Option<&str>) -> bool {
        let value = value.unwrap_or("");
        match (self.op, &self.regex) {
            (MatchOp::Equal, _) => value == self.value,
            (MatchOp::NotEqual, _) => value != self.value,
            (MatchOp::Regex, regex) => regex.as_ref().is_some_and(|r| r.is_match(value)),
            (MatchOp::NotRegex, regex) => regex.as_ref().is_some_and(|r| !r.is_match(value)),
        }
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}\"{}\"", self.name, self.value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let bad = || MatcherError(format!("\"{text}\" is no matcher; write name=value, name!=value, name=~regex or name!~regex"));
        let at = text.find(['=', '!']).ok_or_else(bad)?;
        let (name, rest) = text.split_at(at);
        let ops = [("!=", MatchOp::NotEqual), ("!~", MatchOp::NotRegex), ("=~", MatchOp::Regex), ("=", MatchOp::Equal)];
        let (op, value) = ops.iter().find_map(|(s, op)| rest.strip_prefix(s).map(|v| (*op, v))).ok_or_else(bad)?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')) {
            return Err(bad());
        }
        let inner = value.strip_prefix('"').map(|v| v.strip_suffix('"').ok_or_else(bad)).transpose()?;
        let value = match inner {
            None => value.to_owned(),
            Some(quoted) => unescape(quoted),
        };
        Self::new(name, op, &value)
    }
}

fn unescape(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

impl Serialize for Matcher {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Whether a series satisfies all matchers; `__name__` is its metric.
pub fn matches_key(key: &SeriesKey, matchers: &[Matcher]) -> bool {
    matchers.iter().all(|m| m.matches(if m.name() == "__name__" { Some(key.metric()) } else { key.label(m.name()) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_matcher_is_read_back(name in "[a-z_]{1,8}", value in "\\PC*") {
            let matcher = Matcher::equal(&name, &value);
            prop_assert_eq!(matcher.to_string().parse::<Matcher>(), Ok(matcher));
        }
    }

    #[test]
    fn expressions_match_whole_values() {
        let matcher: Matcher = "severity=~\"warn.*\"".parse().expect("a matcher");
        assert!(matcher.matches(Some("warning")) && !matcher.matches(Some("prewarning")) && !matcher.matches(None));
        let absent: Matcher = "mount!=/".parse().expect("a matcher");
        assert!(absent.matches(None));
        for text in ["", "x", "=y", "a=~(", "a b=c"] {
            assert!(text.parse::<Matcher>().is_err(), "{text}");
        }
    }
}
