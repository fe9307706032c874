//! Instants, ranges and durations, and how people write them.
//!
//! An instant is wall-clock milliseconds UTC. Local time exists only where text is made for people.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A wall-clock instant: milliseconds since 1970-01-01 UTC; serialized as that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The system's wall clock now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since 1970, with fraction.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long after `earlier` this is; zero where it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The latest multiple of `step` (counted from 1970) not after this; unchanged for a zero step.
    pub fn floor(self, step: Duration) -> Self {
        let step = millis(step);
        if step == 0 { self } else { Self(self.0 - self.0.rem_euclid(step)) }
    }

    /// What the clocks of a time zone show then; `None` beyond the year 9999.
    pub fn in_zone(self, zone: &jiff::tz::TimeZone) -> Option<jiff::civil::DateTime> {
        jiff::Timestamp::from_millisecond(self.0).ok().map(|at| zone.to_datetime(at))
    }

    /// RFC 3339 in UTC with milliseconds only where they are not zero: `2026-11-21T03:04:05Z`.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| format!("@{}", self.0), |t| t.to_string())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

/// A span of time: `from` is included, `to` is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct TimeRange {
    /// First instant.
    pub from: Timestamp,
    /// Last instant.
    pub to: Timestamp,
}

impl TimeRange {
    /// The span that ends at `to` and lasts `length`.
    pub fn last(length: Duration, to: Timestamp) -> Self {
        Self { from: to - length, to }
    }

    /// Its length; zero where it ends before it begins.
    pub fn length(self) -> Duration {
        self.to.since(self.from)
    }

    /// Whether `at` lies within, both ends included.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

/// Why a time or duration was not understood; the text names what was written and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TimeError(String);

/// Reads `90s`, `5m`, `2h`, `7d`, `1h30m`, `250ms`, `2w`, `2y` (365 days).
///
/// # Errors
/// An empty text, a missing or unknown unit, a number out of range.
pub fn parse_duration(text: &str) -> Result<Duration, TimeError> {
    let bad = || TimeError(format!("\"{text}\" is no duration; write for example 90s, 5m, 2h or 7d"));
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let value: f64 = number.parse().map_err(|_| bad())?;
        let seconds = match unit.trim() {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "y" => 31_536_000.0,
            _ => return Err(bad()),
        };
        total += value * seconds;
        rest = tail.trim_start();
    }
    // A thousand years is beyond every use and below every overflow.
    if total.is_finite() && total < 3.2e10 { Ok(Duration::from_secs_f64(total)) } else { Err(bad()) }
}

/// Writes a span as people say it, its two largest units: `3 d 4 h`, `10 min`, `45 s`, `250 ms`.
pub fn format_duration(d: Duration) -> String {
    let seconds = d.as_secs();
    if d.is_zero() {
        return "0 s".to_owned();
    }
    if seconds == 0 {
        return format!("{} ms", d.subsec_millis());
    }
    let parts = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let first = parts.iter().position(|(size, _)| seconds >= *size).unwrap_or(3);
    let (size, unit) = parts[first];
    let mut text = format!("{} {unit}", seconds / size);
    if let Some((next, unit)) = parts.get(first + 1) {
        let rest = seconds % size / next;
        // Below an hour the seconds are noise in a sentence.
        if rest > 0 && size > 60 {
            text.push_str(&format!(" {rest} {unit}"));
        }
    }
    text
}

/// Reads an instant: RFC 3339, a local date or date and time, `now`, or relative to `now` as `-2h`.
///
/// # Errors
/// Anything else, with the forms that are allowed.
pub fn parse_time(text: &str, now: Timestamp) -> Result<Timestamp, TimeError> {
    let trimmed = text.trim();
    if trimmed == "now" {
        return Ok(now);
    }
    if let Some(back) = trimmed.strip_prefix('-') {
        return parse_duration(back).map(|d| now - d);
    }
    if let Ok(at) = trimmed.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(at.as_millisecond()));
    }
    let civil = trimmed.parse::<jiff::civil::DateTime>().or_else(|_| trimmed.parse::<jiff::civil::Date>().map(Into::into));
    civil.and_then(|c| c.to_zoned(jiff::tz::TimeZone::system())).map(|z| Timestamp(z.timestamp().as_millisecond())).map_err(|_| {
        TimeError(format!("\"{text}\" is no time; write RFC 3339 (2026-11-21T03:04:00Z), a local date and time (2026-11-21 03:04), now, or -2h"))
    })
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Serde for durations written by people: `"90s"`.
pub mod duration_text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the shortest exact form.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(d: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::exact(*d))
    }

    /// Reads what [`super::parse_duration`] reads.
    ///
    /// # Errors
    /// A text that is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_duration(&text).map_err(D::Error::custom)
    }
}

/// Writes a duration so that [`parse_duration`] reads the same back: `90s`, `5m`, `250ms`.
pub fn exact(d: Duration) -> String {
    let ms = d.as_millis();
    for (size, unit) in [(604_800_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] {
        if ms >= size && ms.is_multiple_of(size) && (unit != "w" || ms.is_multiple_of(604_800_000 * 2)) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [("90s", 90_000), ("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("7d", 604_800_000), ("0s", 0)]
        {
            assert_eq!(parse_duration(text).map(|d| d.as_millis()), Ok(ms), "{text}");
        }
        for text in ["", "5", "m", "-5m", "5 parsecs", "1e9y", "5é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn exact_durations_are_read_back() {
        for ms in [0, 1, 250, 1000, 90_000, 3_600_000, 86_400_000, 604_800_000, 1_209_600_000] {
            let d = Duration::from_millis(ms);
            assert_eq!(parse_duration(&exact(d)), Ok(d), "{}", exact(d));
        }
        assert_eq!(exact(Duration::from_secs(7 * 86_400)), "7d");
    }

    #[test]
    fn times_are_absolute_or_relative() {
        let now = Timestamp::from_seconds(1_000_000);
        assert_eq!(parse_time("-2h", now), Ok(now - Duration::from_secs(7200)));
        assert_eq!(parse_time("1970-01-01T00:00:05Z", now), Ok(Timestamp(5000)));
        assert!(parse_time("yesterdayish", now).is_err());
    }

    #[test]
    fn spans_are_said_in_two_units() {
        assert_eq!(format_duration(Duration::from_secs(273_600)), "3 d 4 h");
        assert_eq!(format_duration(Duration::from_secs(605)), "10 min");
        assert_eq!(format_duration(Duration::from_millis(20)), "20 ms");
    }
}
