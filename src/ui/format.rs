//! Clock times and spans as the screen writes them.
//!
//! Local time (or UTC where asked) exists only here. Numbers and units are written by `base`.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::Timestamp;

/// Whether a day has one round of the clock or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hours {
    /// `15:04`.
    #[default]
    Day,
    /// `3:04pm`.
    HalfDay,
}

impl Hours {
    /// By its name in the configuration: `24h` or `12h`; `None` for any other.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "24h" => Some(Self::Day),
            "12h" => Some(Self::HalfDay),
            _ => None,
        }
    }
}

/// The zone of all times shown, and how their hours are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// The zone.
    pub zone: TimeZone,
    /// How hours are counted.
    pub hours: Hours,
}

impl Clock {
    /// UTC, hours of a whole day.
    pub const UTC: Self = Self { zone: TimeZone::UTC, hours: Hours::Day };

    /// A moment in the zone; `None` outside what a calendar knows.
    pub fn zoned(&self, at: Timestamp) -> Option<jiff::Zoned> {
        jiff::Timestamp::from_millisecond(at.millis()).ok().map(|t| t.to_zoned(self.zone.clone()))
    }

    /// The format of a time of day with minutes.
    pub fn minutes(&self) -> &'static str {
        match self.hours {
            Hours::Day => "%H:%M",
            Hours::HalfDay => "%-I:%M%P",
        }
    }

    /// The format of a time of day with seconds.
    pub fn seconds(&self) -> &'static str {
        match self.hours {
            Hours::Day => "%H:%M:%S",
            Hours::HalfDay => "%-I:%M:%S%P",
        }
    }
}

impl From<TimeZone> for Clock {
    fn from(zone: TimeZone) -> Self {
        Self { zone, hours: Hours::default() }
    }
}

/// `03:14:31`.
pub fn time_seconds(at: Timestamp, clock: &Clock) -> String {
    clock.zoned(at).map_or_else(String::new, |t| t.strftime(clock.seconds()).to_string())
}

/// `03:14`.
pub fn time(at: Timestamp, clock: &Clock) -> String {
    clock.zoned(at).map_or_else(String::new, |t| t.strftime(clock.minutes()).to_string())
}

/// `Nov 24`.
pub fn date(at: Timestamp, clock: &Clock) -> String {
    clock.zoned(at).map_or_else(String::new, |t| t.strftime("%b %-d").to_string())
}

/// `03:14` where that is unambiguous (less than 18 hours from `now`), else `Nov 24`.
pub fn time_or_date(at: Timestamp, now: Timestamp, clock: &Clock) -> String {
    let apart = at.since(now).max(now.since(at));
    if apart < Duration::from_secs(18 * 3600) { time(at, clock) } else { date(at, clock) }
}

/// `03:14:31` today, else `Nov 20 22:00`.
pub fn moment(at: Timestamp, now: Timestamp, clock: &Clock) -> String {
    match (clock.zoned(at), clock.zoned(now)) {
        (Some(then), Some(today)) if then.date() == today.date() => then.strftime(clock.seconds()).to_string(),
        (Some(then), _) => then.strftime(&format!("%b %-d {}", clock.minutes())).to_string(),
        _ => String::new(),
    }
}

/// A span in the fewest words for a header: `12d 4h`, `4h 5m`, `3m`, `20s`.
pub fn span_short(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m", s / 60),
        3600..86_400 => format!("{}h {}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d {}h", s / 86_400, s % 86_400 / 3600),
    }
}

/// A span in one unit as a title says it: `60 min`, `6 h`, `3 d`, `90 s`.
pub fn span_title(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0..180 => format!("{s} s"),
        180..10_800 => format!("{} min", s / 60),
        10_800..259_200 => format!("{} h", s / 3600),
        _ => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_zone() {
        let zone = Clock::from(TimeZone::fixed(jiff::tz::offset(2)));
        let at = Timestamp::from_seconds(1_795_230_871);
        let shown = [time_seconds(at, &zone), time(at, &zone), date(at, &zone)];
        assert_eq!(shown, ["05:14:31".to_owned(), "05:14".to_owned(), "Nov 21".to_owned()]);
        assert_eq!(time_or_date(at + Duration::from_secs(3 * 86_400), at, &zone), "Nov 24");
        assert_eq!(time_or_date(at, at + Duration::from_secs(60), &zone), "05:14");
        let halves = Clock { hours: Hours::HalfDay, ..zone };
        let afternoon = at + Duration::from_secs(10 * 3600);
        assert_eq!([time_seconds(at, &halves), time(afternoon, &halves)], ["5:14:31am".to_owned(), "3:14pm".to_owned()]);
    }

    #[test]
    fn spans_are_short() {
        let spans: Vec<_> = [20, 200, 14_700, 1_051_200].map(|s| span_short(Duration::from_secs(s))).into();
        assert_eq!(spans, ["20s", "3m", "4h 5m", "12d 4h"]);
        assert_eq!(span_title(Duration::from_secs(3600)), "60 min");
    }
}
