//! Windows of maintenance that come again: `{ days = ["sun"], from = "02:00", for = "2h" }`.
//!
//! Times are those of a zone's clock. Invariant: a window is found by the time alone; nothing is kept.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::base::time::duration_text;
use crate::model::{MaintenanceWindow, calendar};

/// A window as the user writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// `mon` … `sun`; none: every day.
    #[serde(default)]
    pub days: Vec<String>,
    /// Start on the clock (`"02:00"`).
    pub from: String,
    /// How long; at most a week.
    #[serde(rename = "for", with = "duration_text")]
    pub length: Duration,
    /// `Europe/Lisbon`; by default the machine's.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Why, for people.
    #[serde(default)]
    pub comment: String,
}

/// A window, ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    days: Vec<Weekday>,
    from: Time,
    length: Duration,
    zone: TimeZone,
    comment: String,
}

/// A window comes again after a week.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

impl WindowConfig {
    /// Reads days, times and zone.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn ready(&self) -> Result<Window, String> {
        let from = calendar::clock_time(&self.from).map_err(|e| format!("from: {e}"))?;
        if self.length.is_zero() || self.length > LONGEST {
            return Err("for: must lie between 1s and 7d".to_owned());
        }
        let zone = calendar::time_zone(self.time_zone.as_deref())?;
        let days = self.days.iter().map(|day| calendar::weekday(day)).collect::<Result<_, _>>()?;
        Ok(Window { days, from, length: self.length, zone, comment: self.comment.clone() })
    }
}

impl Window {
    /// The window that covers an instant, with its end.
    pub fn covering(&self, now: Timestamp) -> Option<MaintenanceWindow> {
        let today = jiff::Timestamp::from_millisecond(now.millis()).ok()?.to_zoned(self.zone.clone()).date();
        // The longest window began seven days ago.
        let starts = (0..=7_i64).filter_map(|back| {
            let back: Span = back.days();
            let date = today.checked_sub(back).ok()?;
            let is_day = self.days.is_empty() || self.days.contains(&date.weekday());
            // A start that a change to summer time leaves out is an hour later.
            let start = date.to_datetime(self.from).to_zoned(self.zone.clone()).ok().filter(|_| is_day)?;
            Some(Timestamp(start.timestamp().as_millisecond()))
        });
        let ends = starts.filter(|start| *start <= now).map(|start| start + self.length).filter(|end| now < *end);
        ends.max().map(|until| MaintenanceWindow { until, author: String::new(), comment: self.comment.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[&str], from: &str, hours: u64) -> Window {
        let config = WindowConfig {
            days: days.iter().map(|d| (*d).to_owned()).collect(),
            from: from.to_owned(),
            length: Duration::from_secs(hours * 3600),
            time_zone: Some("Europe/Lisbon".to_owned()),
            comment: String::new(),
        };
        config.ready().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().map(|t| Timestamp(t.as_millisecond())).unwrap()
    }

    #[test]
    fn a_window_covers_its_hours_over_midnight_and_in_summer() {
        let sunday = window(&["Sunday"], "23:00", 2);
        for (now, until) in [
            ("2026-01-04T22:59:59Z", None),
            ("2026-01-04T23:00:00Z", Some("2026-01-05T01:00:00Z")),
            ("2026-01-05T00:59:59Z", Some("2026-01-05T01:00:00Z")),
            ("2026-01-05T01:00:00Z", None),
            ("2026-01-05T23:30:00Z", None),
            ("2026-07-05T22:30:00Z", Some("2026-07-06T00:00:00Z")),
        ] {
            assert_eq!(sunday.covering(at(now)).map(|w| w.until), until.map(at), "{now}");
        }
        assert!(window(&[], "02:00", 1).covering(at("2026-03-03T02:30:00Z")).is_some());
        let long = window(&["mon"], "00:00", 7 * 24);
        assert!(long.covering(at("2026-03-03T02:30:00Z")).is_some());
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (json, says) in [
            (r#"{"days":["sunn"],"from":"02:00","for":"1h"}"#, ""),
            (r#"{"days":["xx"],"from":"02:00","for":"1h"}"#, "no day"),
            (r#"{"from":"25:00","for":"1h"}"#, "no time"),
            (r#"{"from":"02:00","for":"8d"}"#, "7d"),
            (r#"{"from":"02:00","for":"1h","time_zone":"Mars"}"#, "time_zone"),
        ] {
            let error = serde_json::from_str::<WindowConfig>(json).unwrap().ready().err().unwrap_or_default();
            assert!(error.contains(says) && error.is_empty() == says.is_empty(), "{json}: {error}");
        }
    }
}
