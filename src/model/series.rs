//! The name of a series: a metric and its labels.
//!
//! Invariant: labels are sorted by name, so that equal series have equal keys; a key is cheap to clone
//! and to hash, because every reading carries one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::base::Fnv;

/// A metric name and its labels, as in `cpu_usage_ratio{core="3"}`; clones share one allocation.
#[derive(Clone)]
pub struct SeriesKey(Arc<Key>);

struct Key {
    hash: u64,
    metric: Box<str>,
    labels: Box<[(Box<str>, Box<str>)]>,
}

impl SeriesKey {
    /// A key; labels may come in any order.
    pub fn new<'a>(metric: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut labels: Vec<(Box<str>, Box<str>)> = labels.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        labels.sort();
        let mut hasher = Fnv::default();
        metric.hash(&mut hasher);
        labels.hash(&mut hasher);
        Self(Arc::new(Key { hash: hasher.finish(), metric: metric.into(), labels: labels.into() }))
    }

    /// A key without labels.
    pub fn total(metric: &str) -> Self {
        Self::new(metric, [])
    }

    /// The metric's name.
    pub fn metric(&self) -> &str {
        &self.0.metric
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.0.labels.iter().find(|(n, _)| **n == *name).map(|(_, v)| &**v)
    }

    /// Names and values of the labels, by name.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.labels.iter().map(|(n, v)| (&**n, &**v))
    }

    /// Whether it has no labels.
    pub fn is_total(&self) -> bool {
        self.0.labels.is_empty()
    }

    /// The values of its labels joined by a comma: a short name for people; empty for a total.
    pub fn instance(&self) -> String {
        self.0.labels.iter().map(|(_, v)| &**v).collect::<Vec<_>>().join(", ")
    }
}

impl PartialEq for SeriesKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash && self.0.metric == other.0.metric && self.0.labels == other.0.labels)
    }
}

impl Eq for SeriesKey {}

impl PartialOrd for SeriesKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SeriesKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.0.metric, &self.0.labels).cmp(&(&other.0.metric, &other.0.labels))
    }
}

impl Hash for SeriesKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.metric)?;
        if self.0.labels.is_empty() {
            return Ok(());
        }
        for (i, (name, value)) in self.0.labels.iter().enumerate() {
            write!(f, "{}{name}=\"", if i == 0 { "{" } else { "," })?;
            for c in value.chars() {
                match c {
                    '"' => f.write_str("\\\"")?,
                    '\\' => f.write_str("\\\\")?,
                    '\n' => f.write_str("\\n")?,
                    c => write!(f, "{c}")?,
                }
            }
            f.write_str("\"")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no series key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no series; write metric{{label=\"value\"}}")]
pub struct SeriesKeyError(String);

impl FromStr for SeriesKey {
    type Err = SeriesKeyError;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || SeriesKeyError(text.to_owned());
        let Some((metric, rest)) = text.split_once('{') else {
            return if text.is_empty() || text.contains(['"', '}']) { Err(bad()) } else { Ok(Self::total(text)) };
        };
        let mut labels: Vec<(String, String)> = Vec::new();
        let mut chars = rest.chars().peekable();
        loop {
            let mut name = String::new();
            while let Some(c) = chars.next_if(|c| !matches!(c, '=' | '}' | '"')) {
                name.push(c);
            }
            match chars.next() {
                Some('}') if name.is_empty() => break,
                Some('=') if !name.is_empty() && chars.next() == Some('"') => {}
                _ => return Err(bad()),
            }
            let mut value = String::new();
            loop {
                match chars.next().ok_or_else(bad)? {
                    '"' => break,
                    '\\' => match chars.next().ok_or_else(bad)? {
                        'n' => value.push('\n'),
                        c => value.push(c),
                    },
                    c => value.push(c),
                }
            }
            labels.push((name, value));
            chars.next_if_eq(&',');
        }
        if metric.is_empty() || chars.next().is_some() {
            return Err(bad());
        }
        Ok(Self::new(metric, labels.iter().map(|(n, v)| (n.as_str(), v.as_str()))))
    }
}

impl Serialize for SeriesKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SeriesKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // What an expression gives may have neither a name nor labels.
        if text.is_empty() {
            return Ok(Self::total(""));
        }
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_key_is_read_back(metric in "[a-z_]{1,12}", labels in prop::collection::btree_map("[a-z]{1,5}", "\\PC*", 0..4)) {
            let key = SeriesKey::new(&metric, labels.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            prop_assert_eq!(key.to_string().parse::<SeriesKey>(), Ok(key));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = text.parse::<SeriesKey>();
        }
    }

    #[test]
    fn what_has_neither_name_nor_labels_is_kept_too() {
        let nameless = SeriesKey::total("");
        let text = serde_json::to_string(&nameless).expect("JSON");
        assert_eq!(serde_json::from_str::<SeriesKey>(&text).expect(&text), nameless);
    }

    #[test]
    fn the_order_of_labels_does_not_matter() {
        assert_eq!(SeriesKey::new("m", [("b", "2"), ("a", "1")]), SeriesKey::new("m", [("a", "1"), ("b", "2")]));
    }
}
