//! Days, times and zones as people write them.
//!
//! Invariant: a word that is none is answered with what to write.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::catalog::nearest;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A day of the week: `mon`, `Monday`.
///
/// # Errors
/// What to write.
pub fn weekday(text: &str) -> Result<Weekday, String> {
    let found = DAYS.iter().find(|(name, _)| text.to_lowercase().starts_with(name));
    found.map(|(_, day)| *day).ok_or_else(|| {
        let hint = nearest(text, DAYS.map(|(name, _)| name)).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
        format!("\"{text}\" is no day; write mon, tue, wed, thu, fri, sat or sun{hint}")
    })
}

/// A time on the clock: `02:00`.
///
/// # Errors
/// What to write.
pub fn clock_time(text: &str) -> Result<Time, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no time; write for example \"02:00\""))
}

/// A zone of the IANA's list (`Europe/Lisbon`); the machine's where none is named.
///
/// # Errors
/// What to write.
pub fn time_zone(name: Option<&str>) -> Result<TimeZone, String> {
    match name {
        Some(name) => {
            TimeZone::get(name).map_err(|_| format!("time_zone: \"{name}\" is unknown; write for example Europe/Lisbon"))
        }
        None => Ok(TimeZone::system()),
    }
}
