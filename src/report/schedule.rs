//! When a report is due: on the wall clock of a zone.
//!
//! Invariant: a day has a report once, however often the clock shows its time.

use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use super::config::{On, ReportConfig, is_path};
use super::name::Template;
use crate::base::{TimeRange, Timestamp};
use crate::model::{ReportDepth, ReportSpec, calendar};

const HOUR_MS: i64 = 3_600_000;

/// Two moments of any schedule lie no further apart: a month and a day of change of the clock.
const LONGEST_DAYS: i64 = 33;

/// A `[[report]]`, ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Unique.
    pub name: String,
    /// Channels and paths, as written.
    pub to: Vec<String>,
    /// How long what it makes is kept.
    pub keep: Duration,
    spec: ReportSpec,
    days: Days,
    at: Time,
    zone: TimeZone,
}

/// On which days.
#[derive(Debug, Clone, PartialEq)]
enum Days {
    /// All, each hour.
    Hours,
    /// Those of a week.
    Week(Vec<Weekday>),
    /// One of a month; where it has fewer, its last.
    Month(i8),
}

impl Schedule {
    /// Reads times, days, zone and paths.
    pub(super) fn new(config: &ReportConfig) -> Result<Self, String> {
        let name = config.name();
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err("name: must be one line of text".to_owned());
        }
        let at = calendar::clock_time(&config.at).map_err(|e| format!("at: {e}"))?;
        let zone = calendar::time_zone(config.time_zone.as_deref())?;
        for path in config.to.iter().filter(|to| is_path(to)) {
            Template::parse(path).map_err(|e| format!("to: \"{path}\": {e}"))?;
        }
        if config.growth > 1000 {
            return Err("growth: is a percentage up to 1000".to_owned());
        }
        if config.keep < Duration::from_secs(3600) {
            return Err("keep: a report is kept for an hour at least".to_owned());
        }
        let spec = ReportSpec {
            kind: config.kind,
            depth: config.depth,
            range: TimeRange { from: Timestamp::default(), to: Timestamp::default() },
            format: config.format,
            growth_percent: config.growth,
            time_zone: config.time_zone.clone(),
        };
        let days = days(config.depth, config.on.as_ref()).map_err(|e| format!("on: {e}"))?;
        Ok(Self { name, to: config.to.clone(), keep: config.keep, spec, days, at, zone })
    }

    /// The first moment after `at` at which one is due.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        self.around(at).into_iter().find(|due| *due > at)
    }

    /// The last moment not after `at` at which one was due.
    pub fn last_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.around(at).into_iter().rev().find(|due| *due <= at)
    }

    /// What is made for a moment at which one is due: the hour, day, week or month before it on the same clock.
    pub fn spec(&self, due: Timestamp) -> ReportSpec {
        let from = match self.spec.depth {
            ReportDepth::Hourly => due - Duration::from_secs(3600),
            ReportDepth::Daily => self.back(due, 1.day()),
            ReportDepth::Weekly => self.back(due, 1.week()),
            ReportDepth::Monthly => self.last_until(Timestamp(due.millis() - 1)).unwrap_or_else(|| self.back(due, 1.month())),
        };
        ReportSpec { range: TimeRange { from, to: due }, ..self.spec.clone() }
    }

    /// The zone its clock and its texts are in.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Names what was due then, in letters any file's name may have: `daily-performance-20261121T070000Z`.
    pub fn id(&self, due: Timestamp) -> String {
        let safe = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = self.name.chars().map(safe).take(48).collect();
        let at: String = due.rfc3339().chars().filter(char::is_ascii_alphanumeric).take("20261121T070000".len()).collect();
        format!("{name}-{at}Z")
    }

    fn back(&self, due: Timestamp, span: Span) -> Timestamp {
        let local = instant(due).to_zoned(self.zone.clone());
        let then = local.checked_sub(span).ok().map(|then| Timestamp(then.timestamp().as_millisecond()));
        // Where the zone left out the very day before, its midnight is this moment itself.
        then.filter(|then| *then < due).unwrap_or(due - self.spec.depth.span())
    }

    /// All moments near `at`, by time: the one before it and the one after it are among them.
    fn around(&self, at: Timestamp) -> Vec<Timestamp> {
        if self.days == Days::Hours {
            return (-2..=2).map(|n| self.in_hour(at.millis().div_euclid(HOUR_MS) + n)).collect();
        }
        let today = instant(at).to_zoned(self.zone.clone()).date();
        let dates = (-LONGEST_DAYS..=LONGEST_DAYS).filter_map(|n| today.checked_add(n.days()).ok());
        let mut moments: Vec<Timestamp> = dates.filter(|d| self.is_day(*d)).filter_map(|d| self.on(d)).collect();
        // A zone that jumped over a whole day has two dates at one moment.
        moments.dedup();
        moments
    }

    /// The moment of an hour since 1970 at which the clock shows the minute; with a zone that changes by half an hour within it
    /// the one before the change.
    fn in_hour(&self, hour: i64) -> Timestamp {
        let start = Timestamp(hour * HOUR_MS);
        let shown = i64::from(instant(start).to_zoned(self.zone.clone()).minute());
        Timestamp(start.millis() + (i64::from(self.at.minute()) - shown).rem_euclid(60) * 60_000)
    }

    fn is_day(&self, date: Date) -> bool {
        match &self.days {
            Days::Hours => true,
            Days::Week(days) => days.is_empty() || days.contains(&date.weekday()),
            Days::Month(day) => date.day() == (*day).min(date.days_in_month()),
        }
    }

    /// A time the clock shows twice counts once, the first time; one that it leaves out is as much later as it leaves out.
    fn on(&self, date: Date) -> Option<Timestamp> {
        let due = date.to_datetime(self.at).to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp(due.timestamp().as_millisecond()))
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default()
}

fn days(depth: ReportDepth, on: Option<&On>) -> Result<Days, String> {
    let week = |names: &[String]| names.iter().map(|n| calendar::weekday(n)).collect::<Result<Vec<_>, _>>().map(Days::Week);
    match (depth, on) {
        (ReportDepth::Hourly, None) => Ok(Days::Hours),
        (ReportDepth::Hourly, Some(_)) => Err("an hourly report is made every hour; leave it out".to_owned()),
        (ReportDepth::Daily, None) => Ok(Days::Week(Vec::new())),
        (ReportDepth::Weekly, None) => Ok(Days::Week(vec![Weekday::Monday])),
        (ReportDepth::Monthly, None) => Ok(Days::Month(1)),
        (ReportDepth::Monthly, Some(On::Day(day @ 1..=31))) => Ok(Days::Month(day.cast_signed())),
        (ReportDepth::Monthly, Some(_)) => {
            Err("a monthly report is made on a day from 1 to 31; write for example on = 1".to_owned())
        }
        (_, Some(On::Day(_))) => Err("write a day of the week, for example on = \"mon\"".to_owned()),
        (ReportDepth::Daily, Some(On::Weekdays(names))) if !names.is_empty() => week(names),
        (_, Some(On::Weekday(name))) => week(std::slice::from_ref(name)),
        (ReportDepth::Weekly, Some(On::Weekdays(names))) if names.len() == 1 => week(names),
        (ReportDepth::Weekly, Some(On::Weekdays(_))) => {
            Err("a weekly report is made on one day; write for example on = \"mon\"".to_owned())
        }
        (_, Some(On::Weekdays(_))) => Err("write at least one day, or leave it out".to_owned()),
    }
}

#[cfg(test)]
mod tests;
