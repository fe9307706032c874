//! Times as tables write them.
//!
//! Invariant: one notation per table; times without a zone are UTC.

use jiff::civil;

/// Names of columns that hold times, in lower case.
pub const TIME_NAMES: [&str; 10] =
    ["timestamp", "time", "date", "datetime", "ts", "at", "epoch", "unix", "@timestamp", "date_time"];

/// How a table writes its times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Notation {
    /// A number of seconds since 1970, divided by this.
    Unix(f64),
    /// `2026-11-21T03:04:05+01:00`.
    Zoned,
    /// `2026-11-21 03:04:05`, `2026-11-21`; taken as UTC.
    Civil,
    /// `21.11.2026 03:04` or `21/11/2026 03:04`: three numbers and a time of day, taken as UTC.
    Parted {
        /// What stands between the numbers.
        by: char,
        /// Whether the day comes before the month.
        day_first: Option<bool>,
    },
}

impl Notation {
    /// That of a text; `None` where it is no time.
    pub fn of(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse::<f64>() {
            // Seconds until the year 5138; then milliseconds, microseconds, nanoseconds.
            let scale = match number.abs() {
                n if n < 1e11 => 1.0,
                n if n < 1e14 => 1e3,
                n if n < 1e17 => 1e6,
                n if n < 1e20 => 1e9,
                _ => return None,
            };
            return Some(Self::Unix(scale));
        }
        if zoned(text).is_some() {
            return Some(Self::Zoned);
        }
        if civil(text).is_some() {
            return Some(Self::Civil);
        }
        ['.', '/'].into_iter().find(|by| parts(text, *by).is_some()).map(|by| Self::Parted {
            by,
            day_first: match parts(text, by) {
                _ if by == '.' => Some(true),
                Some(([a, _, _], _)) if a > 12 => Some(true),
                Some(([_, b, _], _)) if b > 12 => Some(false),
                _ => None,
            },
        })
    }

    /// Decides between day and month by later times of the same table.
    ///
    /// # Errors
    /// Where no time tells.
    pub fn settle(self, later: impl Iterator<Item = String>) -> Result<Self, String> {
        let Self::Parted { by, day_first: None } = self else { return Ok(self) };
        let told = later.filter_map(|text| Self::of(text.trim())).find_map(|n| match n {
            Self::Parted { day_first, .. } => day_first,
            _ => None,
        });
        told.map(|first| Self::Parted { by, day_first: Some(first) })
            .ok_or_else(|| "times do not tell day or month from each other; write them as 2026-11-21 03:04:05".to_owned())
    }

    /// Unix seconds of a text.
    ///
    /// # Errors
    /// A text that is no time, or one in another notation.
    pub fn read(self, text: &str) -> Result<i64, String> {
        let text = text.trim();
        let seconds = match self {
            Self::Unix(scale) => text.parse::<f64>().ok().map(|n| (n / scale).floor() as i64),
            Self::Zoned => zoned(text),
            Self::Civil => civil(text),
            Self::Parted { by, day_first } => parts(text, by).and_then(|(numbers, rest)| parted(numbers, rest, day_first)),
        };
        seconds.ok_or_else(|| match Self::of(text) {
            Some(_) => format!("the time \"{text}\" is written otherwise than those before; use one notation"),
            None => format!("\"{text}\" is no time"),
        })
    }
}

fn zoned(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

fn civil(text: &str) -> Option<i64> {
    // Shorter ones are numbers or words that only look like dates.
    if text.len() < 8 {
        return None;
    }
    let at = text.parse::<civil::DateTime>().ok()?;
    at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp().as_second())
}

/// Three numbers and what follows them.
fn parts(text: &str, by: char) -> Option<([i64; 3], &str)> {
    let (date, rest) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let mut numbers = date.split(by).map(str::parse);
    let three = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
    (numbers.next().is_none() && three[2] > 31).then_some((three, rest.trim()))
}

fn parted([a, b, year]: [i64; 3], rest: &str, day_first: Option<bool>) -> Option<i64> {
    let (day, month) = if day_first? { (a, b) } else { (b, a) };
    let year = if year < 100 { 2000 + year } else { year };
    let date = format!("{year:04}-{month:02}-{day:02}");
    civil(&if rest.is_empty() { date } else { format!("{date} {rest}") })
}
