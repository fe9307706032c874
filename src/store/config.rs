//! The `[store]` section: how often is written, how long is kept, how large the file may be.
//!
//! Values only; the meaning of each is where it is used. Invariant: the defaults are those of the
//! documented configuration.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::base::time::duration_text;
use crate::base::{Unit, parse_quantity};

const DAY: u64 = 86_400;

/// How the history is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Time between two writes of samples to disk: at most this much is lost when power fails.
    #[serde(with = "duration_text")]
    pub flush: Duration,
    /// How long every sample is kept.
    #[serde(with = "duration_text")]
    pub raw: Duration,
    /// How long 10 s means, extremes and counts are kept.
    #[serde(with = "duration_text")]
    pub ten_seconds: Duration,
    /// How long those of a minute are kept; keyframes and processes as long.
    #[serde(with = "duration_text")]
    pub minute: Duration,
    /// How long those of an hour are kept; journal, anomalies and predictions as long.
    #[serde(with = "duration_text")]
    pub hour: Duration,
    /// How long the hourly quantile sketches are kept.
    #[serde(with = "duration_text")]
    pub sketches: Duration,
    /// Size in bytes the stored history may reach; the finest tier is cut first.
    #[serde(with = "size_text")]
    pub max_size: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            flush: Duration::from_secs(10),
            raw: Duration::from_secs(8 * DAY),
            ten_seconds: Duration::from_secs(30 * DAY),
            minute: Duration::from_secs(60 * DAY),
            hour: Duration::from_secs(730 * DAY),
            sketches: Duration::from_secs(400 * DAY),
            max_size: 2 << 30,
        }
    }
}

/// Serde for sizes written by people: `"2GiB"`.
mod size_text {
    use super::{Deserialize, Deserializer, Error, Serializer, Unit, parse_quantity};

    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];

    pub(super) fn serialize<S: Serializer>(size: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        let (factor, unit) = UNITS.into_iter().find(|(f, _)| *size >= *f && size.is_multiple_of(*f)).unwrap_or((1, "B"));
        serializer.serialize_str(&format!("{}{unit}", size / factor))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let quantity = parse_quantity(&text).map_err(D::Error::custom)?;
        let value = quantity.for_unit(Unit::Bytes).map_err(D::Error::custom)?;
        if value < 0.0 {
            return Err(D::Error::custom(format!("\"{text}\" is no size; write for example 2GiB")));
        }
        Ok(value as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_written_as_documented_and_read_back() {
        let text = toml::to_string(&StoreConfig::default()).expect("plain values");
        let expected = "flush = \"10s\"\nraw = \"8d\"\nten_seconds = \"30d\"\nminute = \"60d\"\nhour = \"730d\"\n\
                        sketches = \"400d\"\nmax_size = \"2GiB\"\n";
        assert_eq!(text, expected);
        assert_eq!(toml::from_str(&text), Ok(StoreConfig::default()));
        assert_eq!(toml::from_str("hour = \"2y\""), Ok(StoreConfig::default()));
    }

    #[test]
    fn unknown_keys_and_odd_sizes_are_refused() {
        for text in ["size = \"1GiB\"", "max_size = \"-1GiB\"", "max_size = \"2s\"", "raw = \"soon\""] {
            assert!(toml::from_str::<StoreConfig>(text).is_err(), "{text}");
        }
    }
}
