//! Times that come again, written as cron writes them.
//!
//! Knows no clock: the moment comes from the caller. Invariant: every matching minute of a local day begins once, in a day
//! whose clock is put forward or back as well: what the clock leaves out begins when it goes on, what it has twice the first time.

use std::str::FromStr;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::Timestamp;

/// Farther than any clock was put back or forward from 2000 on, whole days left out aside.
const LARGEST_STEP: i64 = 3;

/// Minutes, hours, days, months and days of the week on which something begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Bit 0 is Sunday.
    weekdays: u64,
    /// Both kinds of days are named: either is enough, as in every cron.
    either: bool,
}

/// Why a text is no such time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CronError(String);

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 8] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl FromStr for Cron {
    type Err = CronError;

    /// `minute hour day month weekday`, each `*`, a number, `a-b`, `a,b` or `*/n`; months and weekdays also by their first three
    /// letters.
    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            let message =
                format!("\"{text}\" is not understood; write minute hour day month weekday, as in \"30 2 * * mon-fri\"");
            return Err(CronError(message));
        };
        let weekday = field("weekday", weekdays, (0, 7), &WEEKDAYS, 0)?;
        Ok(Self {
            text: text.to_owned(),
            minutes: field("minute", minutes, (0, 59), &[], 0)?,
            hours: field("hour", hours, (0, 23), &[], 0)?,
            days: field("day", days, (1, 31), &[], 0)?,
            months: field("month", months, (1, 12), &MONTHS, 1)?,
            // 7 is Sunday as 0 is.
            weekdays: (weekday | (weekday >> 7)) & 0x7f,
            either: !days.starts_with('*') && !weekdays.starts_with('*'),
        })
    }
}

/// One field as a set of bits.
fn field(what: &str, text: &str, (least, most): (u32, u32), names: &[&str], first: u32) -> Result<u64, CronError> {
    let number = |text: &str| -> Result<u32, CronError> {
        let lower = text.to_lowercase();
        let named = names.iter().position(|n| *n == lower).and_then(|at| u32::try_from(at).ok()).map(|at| at + first);
        let number = named.or_else(|| text.parse().ok()).filter(|n| (least..=most).contains(n));
        number.ok_or_else(|| CronError(format!("\"{text}\" is no {what}; it goes from {least} to {most}")))
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|s| *s > 0)),
            None => (part, Some(1)),
        };
        let step: u32 = step.ok_or_else(|| CronError(format!("\"{part}\": the step of a {what} is a number from 1 on")))?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return Err(CronError(format!("\"{part}\": a {what} goes from the smaller to the larger")));
        }
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        (from..=to).step_by(step).for_each(|n| bits |= 1 << n);
    }
    Ok(bits)
}

impl Cron {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The newest beginning in `(at − length, at]` by the clocks of a time zone.
    pub fn begun(&self, at: Timestamp, length: Duration, zone: &TimeZone) -> Option<Timestamp> {
        let local = at.in_zone(zone)?;
        let oldest = (at - length).in_zone(zone)?.date().yesterday().ok()?;
        let farthest = local.saturating_add(LARGEST_STEP.hours());
        let mut newest: Option<Timestamp> = None;
        // A clock that was put back over midnight has begun the next day already.
        let mut date = local.date().tomorrow().ok()?;
        while date >= oldest {
            for time in self.times(date) {
                let civil = DateTime::from_parts(date, time);
                if civil > farthest {
                    continue;
                }
                let Some(begun) = moment(civil, zone).filter(|b| *b <= at) else { continue };
                newest = newest.max(Some(begun));
                // Later ones of the list began earlier, by more than any clock was put back.
                if at.since(begun) > Duration::from_secs(2 * 3600 * LARGEST_STEP.unsigned_abs()) {
                    break;
                }
            }
            if newest.is_some_and(|n| at.since(n) < length) && date < local.date() {
                break;
            }
            date = date.yesterday().ok()?;
        }
        newest.filter(|n| at.since(*n) < length)
    }

    fn is_on(&self, date: Date) -> bool {
        let has = |bits: u64, n: i8| bits >> n & 1 == 1;
        let (day, weekday) = (has(self.days, date.day()), has(self.weekdays, date.weekday().to_sunday_zero_offset()));
        has(self.months, date.month()) && if self.either { day || weekday } else { day && weekday }
    }

    /// Times of a day on which something begins, the latest first.
    fn times(&self, date: Date) -> impl Iterator<Item = Time> {
        let hours = if self.is_on(date) { self.hours } else { 0 };
        let (of_hour, minutes) = (move |h: &i8| hours >> h & 1 == 1, self.minutes);
        (0..24i8).rev().filter(of_hour).flat_map(move |hour| {
            let minute = (0..60i8).rev().filter(move |m| minutes >> m & 1 == 1);
            minute.filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
        })
    }
}

/// When a local time is: the first of two, and where the clock leaves it out as much later as the clock is put forward.
pub fn moment(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = zone.to_ambiguous_zoned(civil).compatible().ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().expect(text).as_millisecond())
    }

    fn begun(text: &str, now: &str, hours: u64) -> Option<String> {
        cron(text).begun(at(now), Duration::from_secs(3600 * hours), &TimeZone::UTC).map(Timestamp::rfc3339)
    }

    #[test]
    fn fields_mean_what_cron_means() {
        for (text, now, hours, expected) in [
            ("30 2 * * *", "2026-11-21T03:00:00Z", 1, Some("2026-11-21T02:30:00Z")),
            ("30 2 * * *", "2026-11-21T03:30:00Z", 1, None),
            ("0 22 * * mon-fri", "2026-11-21T03:00:00Z", 8, Some("2026-11-20T22:00:00Z")),
            ("0 22 * * 6,7", "2026-11-21T03:00:00Z", 8, None),
            ("*/15 9-17 * * *", "2026-11-21T17:50:00Z", 1, Some("2026-11-21T17:45:00Z")),
            ("0 0 1 jan *", "2026-01-31T23:00:00Z", 24 * 31, Some("2026-01-01T00:00:00Z")),
            ("0 0 13 * fri", "2026-11-20T12:00:00Z", 24, Some("2026-11-20T00:00:00Z")),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z", 1, Some("2028-02-29T00:00:00Z")),
        ] {
            assert_eq!(begun(text, now, hours).as_deref(), expected, "{text} at {now}");
        }
        for wrong in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "x * * * *",
        ] {
            assert!(wrong.parse::<Cron>().is_err(), "{wrong}");
        }
    }

    /// The moment of a local time by the offsets around a change of the clock alone.
    fn by_offsets(civil: DateTime, (before, after): (i64, i64), zone: &TimeZone) -> Timestamp {
        let utc = Timestamp(civil.to_zoned(TimeZone::UTC).expect("a time").timestamp().as_millisecond());
        let shifted = |offset: i64| Timestamp(utc.0 - offset * 1000);
        let is_it = |t: &Timestamp| t.in_zone(zone) == Some(civil);
        [before, after].map(shifted).into_iter().filter(is_it).min().unwrap_or_else(|| shifted(before))
    }

    #[test]
    fn every_local_day_begins_once_over_every_change_of_every_zone_from_2000_to_2040() {
        let (from, to) = (at("2000-01-01T00:00:00Z"), at("2040-01-01T00:00:00Z"));
        let mut seen = BTreeSet::new();
        for name in jiff::tz::db().available() {
            let Ok(zone) = TimeZone::get(name.as_str()) else { continue };
            let first = jiff::Timestamp::from_millisecond(from.0).expect("a time");
            for change in zone.following(first).take_while(|c| c.timestamp().as_millisecond() < to.0) {
                let instant = Timestamp(change.timestamp().as_millisecond());
                let offset =
                    |at: Timestamp| i64::from(zone.to_offset(jiff::Timestamp::from_millisecond(at.0).expect("a time")).seconds());
                let offsets = (offset(instant - Duration::from_secs(1)), offset(instant));
                // Zones under two names, and changes of other names only, are not worth a second look.
                if offsets.0 == offsets.1 || !seen.insert((instant, offsets)) {
                    continue;
                }
                let local = (instant - Duration::from_secs(1)).in_zone(&zone).expect("a time");
                for hour in [local.hour(), (local.hour() + 1) % 24] {
                    let time = Time::new(hour, 30, 0, 0).expect("a time");
                    let cron = cron(&format!("30 {hour} * * *"));
                    let dates = [local.date().yesterday(), Ok(local.date()), local.date().tomorrow()].map(|d| d.expect("a day"));
                    let begins = dates.map(|d| by_offsets(DateTime::from_parts(d, time), offsets, &zone));
                    let length = Duration::from_secs(1800);
                    for begin in begins {
                        let found = |at: Timestamp| cron.begun(at, length, &zone);
                        let last = begin + length - Duration::from_millis(1);
                        assert_eq!((found(begin), found(last)), (Some(begin), Some(begin)), "{} {begin:?}", name.as_str());
                        assert_eq!(found(begin - Duration::from_millis(1)), None, "{} before {begin:?}", name.as_str());
                        assert_eq!(found(begin + length), None, "{} after {begin:?}", name.as_str());
                    }
                }
            }
        }
        assert!(seen.len() > 1000, "only {} changes: no time zones are installed (tzdata)", seen.len());
    }
}
