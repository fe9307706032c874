//! Sets of HTTP status codes as users write them: `"200-399"`, `"200, 204"`, `200`, `[200, "300-399"]`.
//!
//! Invariant: never empty; every code lies between 100 and 599.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Which status codes are well; serialized as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(Vec<RangeInclusive<u16>>);

impl Default for StatusSet {
    /// 200 to 399.
    fn default() -> Self {
        Self(vec![200..=399])
    }
}

impl StatusSet {
    /// Whether a code is in it.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// Whether it holds redirects and nothing else, so that following one would miss what is meant.
    pub fn only_redirects(&self) -> bool {
        self.0.iter().all(|range| (300..=399).contains(range.start()) && (300..=399).contains(range.end()))
    }
}

/// Why a text is no set of status codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no set of HTTP status codes; write for example \"200-399\" or \"200,204\"")]
pub struct StatusSetError(String);

impl FromStr for StatusSet {
    type Err = StatusSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = |part: &str| part.trim().parse().ok().filter(|c| (100..=599).contains(c));
        let range = |part: &str| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let range = code(from)?..=code(to)?;
            (!range.is_empty()).then_some(range)
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges.map(Self).ok_or_else(|| StatusSetError(text.to_owned()))
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            match (range.start(), range.end()) {
                (from, to) if from == to => write!(f, "{from}")?,
                (from, to) => write!(f, "{from}-{to}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for StatusSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The forms a user may choose from.
#[derive(Deserialize)]
#[serde(untagged, expecting = "status codes such as \"200-399\", 200 or [200, 204]")]
enum Written {
    Code(u16),
    Text(String),
    List(Vec<Written>),
}

impl Written {
    fn text(&self) -> String {
        match self {
            Self::Code(code) => code.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(parts) => parts.iter().map(Self::text).collect::<Vec<_>>().join(","),
        }
    }
}

impl<'de> Deserialize<'de> for StatusSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer)?.text().parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_written_forms_are_read() {
        for (json, shown, inside, outside) in [
            ("\"200-399\"", "200-399", 302, 404),
            ("\"200, 204\"", "200,204", 204, 201),
            ("404", "404", 404, 200),
            ("[200, \"300-310\"]", "200,300-310", 305, 250),
        ] {
            let set: StatusSet = serde_json::from_str(json).unwrap();
            assert_eq!((set.to_string().as_str(), set.contains(inside), set.contains(outside)), (shown, true, false));
        }
        for json in ["\"\"", "\"ok\"", "\"399-200\"", "99", "600", "[]", "\"200,\"", "true"] {
            let error = serde_json::from_str::<StatusSet>(json).unwrap_err().to_string();
            assert!(error.contains("\"200-399\""), "{json}: {error}");
        }
    }

    #[test]
    fn only_pure_redirect_sets_keep_the_redirect() {
        for (text, only) in [("301", true), ("300-399", true), ("301,302", true), ("200-399", false), ("301,200", false)] {
            assert_eq!(text.parse::<StatusSet>().unwrap().only_redirects(), only, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_set_is_read_back(ranges in prop::collection::vec((100_u16..600, 0_u16..50), 1..5)) {
            let set = StatusSet(ranges.into_iter().map(|(from, more)| from..=(from + more).min(599)).collect());
            prop_assert_eq!(set.to_string().parse(), Ok(set));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<StatusSet>();
        }
    }
}
