//! Values as people read them in a report.
//!
//! Invariant: no clock and no system zone; instants are written in the zone that was passed in.

use jiff::tz::TimeZone;

use super::facts::Facts;
use crate::base::{Timestamp, Unit, format_value, units};
use crate::model::SeriesKey;

/// Tables have one decimal where titles are whole, and small numbers keep two digits.
pub(super) fn number(value: f64, unit: Unit) -> String {
    match unit {
        // The nines are what matters there, and 99.97 % is not all.
        Unit::Ratio if (0.99..1.0).contains(&value) => share(value),
        Unit::Ratio => format!("{:.1}%", value * 100.0),
        Unit::Count | Unit::PerSecond if value.abs() < 10.0 && value.fract() != 0.0 => {
            format!("{value:.2}{}", if unit == Unit::PerSecond { "/s" } else { "" })
        }
        Unit::Count => units::plain(value),
        Unit::Seconds if value == 0.0 => "0 s".to_owned(),
        unit => format_value(value, unit),
    }
}

/// A share with the two decimals uptime needs, rounded down: only all is `100.00%`.
pub(super) fn share(value: f64) -> String {
    // What a decimal fraction lacks in binary is not a hundredth.
    format!("{:.2}%", (value * 10_000.0 + 1e-6).floor() / 100.0)
}

/// An instant in a zone; `format` is strftime's.
pub(super) fn local(at: Timestamp, zone: &TimeZone, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(instant) => instant.to_zoned(zone.clone()).strftime(format).to_string(),
        Err(_) => at.rfc3339(),
    }
}

/// `1 alert`, `3 alerts`.
pub(super) fn plural(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// What stands under a table that is cut.
pub(super) fn left_out(rows: usize) -> String {
    format!("… and {rows} more; the JSON and CSV formats hold all rows.")
}

/// A series for people: its labels' values behind a title, or the title alone.
pub(super) fn named(title: &str, key: &SeriesKey) -> String {
    let instance = key.instance();
    if instance.is_empty() { title.to_owned() } else { format!("{title} {instance}") }
}

/// A series as people read it: its name where reports have one, else its key.
pub(super) fn series(key: &SeriesKey) -> String {
    super::facts::name(key).unwrap_or_else(|| key.to_string())
}

/// The machine in a few words, each an entry: system, kernel, cores, memory, labels, and how much of the span was observed.
pub(super) fn about(facts: &Facts) -> Vec<String> {
    let host = &facts.host;
    let mut about = Vec::new();
    about.extend((!host.system.is_empty()).then(|| host.system.clone()));
    about.extend((!host.kernel.is_empty()).then(|| host.kernel.clone()));
    about.extend((host.cores > 0).then(|| plural(host.cores as usize, "core")));
    about.extend((host.memory_bytes > 0).then(|| format!("{} memory", number(host.memory_bytes as f64, Unit::Bytes))));
    about.extend(host.labels.iter().map(|(name, value)| format!("{name}={value}")));
    about.push(format!("{} observed", number(facts.coverage, Unit::Ratio)));
    about
}

/// The word with its first letter large.
pub(super) fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A text that is only a text: control signs become blanks, marks that turn the direction go.
pub(super) fn clean(text: &str) -> String {
    let keep = |c: &char| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    text.chars().filter(keep).map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// At most so many signs of a text.
pub(super) fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
