//! Moments as people write them: `10m`, `-2h`, `yesterday 14:00`, `monday 9:30`, `boot`.
//!
//! Invariant: a moment that is said without a date is the newest one that is not to come.

use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::base::{Timestamp, parse_duration, parse_time};
use crate::ui::format::Clock;

/// What stands beside a form that asks for one.
pub const HOW: &str = "10m, -2h, 03:04, yesterday 14:00, monday 9:30, 2026-11-21 03:04, boot";

/// What is known of the moments words stand for.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// The present.
    pub now: Timestamp,
    /// Zone of days and times of day.
    pub zone: &'a TimeZone,
    /// When the machine was started.
    pub booted: Option<Timestamp>,
}

/// Reads a moment.
///
/// # Errors
/// What was not understood, with how it is written.
pub fn parse(text: &str, known: &Known) -> Result<Timestamp, String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| !matches!(*w, "at" | "um" | "the")).collect();
    match words.as_slice() {
        [] => Err(format!("write for example {HOW}")),
        ["now"] => Ok(known.now),
        ["boot"] => known.booted.ok_or_else(|| "it is not known when this machine was started".to_owned()),
        [span] if parse_duration(span).is_ok() => Ok(known.now - parse_duration(span).unwrap_or_default()),
        [span, "ago"] => parse_duration(span).map(|d| known.now - d).map_err(|e| e.to_string()),
        [number, unit, "ago"] => {
            parse_duration(&format!("{number}{}", short(unit))).map(|d| known.now - d).map_err(|e| e.to_string())
        }
        [time] if of_day(time).is_some() => at_time(None, time, known),
        [day] if date(day, known).is_some() => at_time(date(day, known), "0:00", known),
        [day, time] if date(day, known).is_some() && of_day(time).is_some() => at_time(date(day, known), time, known),
        _ => parse_time(text.trim(), known.now).map_err(|e| format!("{e}; write for example {HOW}")),
    }
}

/// A moment as [`parse`] reads it.
pub fn written(at: Timestamp, clock: &Clock) -> String {
    clock.zoned(at).map_or_else(String::new, |t| t.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// `hours` as a duration writes it.
fn short(unit: &str) -> &str {
    match unit.trim_end_matches('s') {
        "second" | "sec" => "s",
        "minute" | "min" => "m",
        "hour" => "h",
        "day" => "d",
        "week" => "w",
        _ => unit,
    }
}

fn of_day(text: &str) -> Option<Time> {
    match text {
        "midnight" => return Some(Time::midnight()),
        "noon" => return Time::new(12, 0, 0, 0).ok(),
        _ => {}
    }
    let mut parts = text.splitn(3, ':').map(|p| p.parse::<i8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    Time::new(hour, minute, second, 0).ok()
}

fn today(known: &Known) -> Option<Date> {
    let now = jiff::Timestamp::from_millisecond(known.now.millis()).ok()?;
    Some(now.to_zoned(known.zone.clone()).date())
}

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// `today`, `yesterday`, a day of the week (the last one), `11-20`, `2026-11-20`.
fn date(word: &str, known: &Known) -> Option<Date> {
    let today = today(known)?;
    match word {
        "today" => return Some(today),
        "yesterday" => return today.yesterday().ok(),
        _ => {}
    }
    let is_day = |name: &str| word.len() >= 3 && name.starts_with(word);
    if let Some((_, day)) = DAYS.iter().find(|(name, _)| is_day(name)) {
        return if today.weekday() == *day { Some(today) } else { today.nth_weekday(-1, *day).ok() };
    }
    if let Ok(date) = word.parse::<Date>() {
        return Some(date);
    }
    let (month, day) = word.split_once('-')?;
    Date::new(today.year(), month.parse().ok()?, day.parse().ok()?).ok()
}

/// A time of a day; without one of today, or of yesterday where today's is still to come.
fn at_time(date: Option<Date>, time: &str, known: &Known) -> Result<Timestamp, String> {
    let understood = of_day(time).zip(date.or_else(|| today(known)));
    let (time, day) = understood.ok_or_else(|| format!("\"{time}\" is no time of day; write for example {HOW}"))?;
    let on = |day: Date| {
        let zoned = day.to_datetime(time).to_zoned(known.zone.clone()).map_err(|e| e.to_string())?;
        Ok::<_, String>(Timestamp(zoned.timestamp().as_millisecond()))
    };
    let at = on(day)?;
    match (at > known.now, date) {
        (true, None) => on(day.checked_sub(1.day()).map_err(|e| e.to_string())?),
        (true, Some(_)) => Err("that is still to come; predictions are on page 4".to_owned()),
        _ => Ok(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Saturday, November 21, 2026, 03:14:31 in UTC.
    const NOW: Timestamp = Timestamp(1_795_230_871_000);

    fn said(text: &str) -> String {
        let known = Known { now: NOW, zone: &TimeZone::UTC, booted: Some(Timestamp(0)) };
        match parse(text, &known) {
            Ok(at) => jiff::Timestamp::from_millisecond(at.0).expect("a time").strftime("%d %H:%M:%S").to_string(),
            Err(why) => why,
        }
    }

    #[test]
    fn words_stand_for_moments_that_were() {
        for (text, at) in [
            ("10m", "21 03:04:31"),
            ("-2h", "21 01:14:31"),
            ("2 hours ago", "21 01:14:31"),
            ("3d ago", "18 03:14:31"),
            ("03:04", "21 03:04:00"),
            ("14:00", "20 14:00:00"),
            ("yesterday 14:00", "20 14:00:00"),
            ("Yesterday at 14:00", "20 14:00:00"),
            ("yesterday", "20 00:00:00"),
            ("today 1:30:15", "21 01:30:15"),
            ("monday 9:30", "16 09:30:00"),
            ("mon noon", "16 12:00:00"),
            ("saturday 1:00", "21 01:00:00"),
            ("11-20 22:00", "20 22:00:00"),
            ("2026-11-20 22:00", "20 22:00:00"),
            ("boot", "01 00:00:00"),
            ("now", "21 03:14:31"),
        ] {
            assert_eq!(said(text), at, "{text}");
        }
        assert!(said("today 14:00").contains("still to come"));
        assert!(said("whenever").contains("yesterday 14:00"), "{}", said("whenever"));
        assert!(said("").contains("write for example"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_without_a_date_nothing_lies_ahead(text in "\\PC{0,30}|[a-z0-9: -]{0,20}") {
            let known = Known { now: NOW, zone: &TimeZone::UTC, booted: None };
            let _ = parse(&text, &known);
            if let Some(time) = of_day(&text) {
                let at = parse(&format!("{}:{}", time.hour(), time.minute()), &known).expect("a time of day");
                prop_assert!(at <= NOW);
            }
        }
    }
}
