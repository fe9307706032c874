//! Units of values, how people write them and how they are shown.
//!
//! Inside, ratios are 0–1 and everything is in base units; percent and MiB exist only here and in the
//! text made from it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The unit of a metric; always a base unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share; 0–1 where the whole is bounded. Shown in percent.
    Ratio,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Bits per second.
    BitsPerSecond,
    /// Events per second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// Cycles per second.
    Hertz,
    /// Degrees Celsius.
    Celsius,
    /// Watts.
    Watts,
    /// Revolutions per minute.
    Rpm,
    /// A plain number of things.
    Count,
}

/// A number with the unit a person gave it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// The number, in base units.
    pub value: f64,
    /// The unit; `None` for a bare number.
    pub unit: Option<Unit>,
}

impl Quantity {
    /// The number as a value of a metric in `unit`.
    ///
    /// # Errors
    /// A unit that does not fit, and a bare number above 1 on a ratio, with what to write instead.
    pub fn for_unit(self, unit: Unit) -> Result<f64, UnitError> {
        match self.unit {
            None if unit == Unit::Ratio && self.value > 1.0 => {
                let v = self.value;
                Err(UnitError(format!("{v} on a ratio is ambiguous; write \"{v}%\" (or {} as a ratio)", v / 100.0)))
            }
            None => Ok(self.value),
            Some(own) if own == unit => Ok(self.value),
            Some(Unit::BitsPerSecond) if unit == Unit::BytesPerSecond => Ok(self.value / 8.0),
            Some(Unit::BytesPerSecond) if unit == Unit::BitsPerSecond => Ok(self.value * 8.0),
            Some(own) => Err(UnitError(format!("a value in {own} does not fit a metric in {unit}"))),
        }
    }
}

/// Why a quantity was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(pub String);

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ratio => "percent",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes per second",
            Self::BitsPerSecond => "bits per second",
            Self::PerSecond => "per second",
            Self::Seconds => "seconds",
            Self::Hertz => "hertz",
            Self::Celsius => "degrees Celsius",
            Self::Watts => "watts",
            Self::Rpm => "revolutions per minute",
            Self::Count => "a plain number",
        })
    }
}

/// Suffix, factor to base units, unit. MB is 10^6, MiB is 2^20.
const SUFFIXES: &[(&str, f64, Unit)] = &[
    ("%", 0.01, Unit::Ratio),
    ("B", 1.0, Unit::Bytes),
    ("kB", 1e3, Unit::Bytes),
    ("KB", 1e3, Unit::Bytes),
    ("MB", 1e6, Unit::Bytes),
    ("GB", 1e9, Unit::Bytes),
    ("TB", 1e12, Unit::Bytes),
    ("KiB", 1024.0, Unit::Bytes),
    ("MiB", 1_048_576.0, Unit::Bytes),
    ("GiB", 1_073_741_824.0, Unit::Bytes),
    ("TiB", 1_099_511_627_776.0, Unit::Bytes),
    ("bit/s", 1.0, Unit::BitsPerSecond),
    ("kbit/s", 1e3, Unit::BitsPerSecond),
    ("Mbit/s", 1e6, Unit::BitsPerSecond),
    ("Gbit/s", 1e9, Unit::BitsPerSecond),
    ("/s", 1.0, Unit::PerSecond),
    ("ms", 1e-3, Unit::Seconds),
    ("s", 1.0, Unit::Seconds),
    ("min", 60.0, Unit::Seconds),
    ("m", 60.0, Unit::Seconds),
    ("h", 3600.0, Unit::Seconds),
    ("d", 86_400.0, Unit::Seconds),
    ("°C", 1.0, Unit::Celsius),
    ("C", 1.0, Unit::Celsius),
    ("Hz", 1.0, Unit::Hertz),
    ("MHz", 1e6, Unit::Hertz),
    ("GHz", 1e9, Unit::Hertz),
    ("W", 1.0, Unit::Watts),
    ("rpm", 1.0, Unit::Rpm),
];

/// Reads `85%`, `500MB`, `2s`, `100Mbit/s`, `3 MiB/s`, `12`.
///
/// # Errors
/// No number, an unknown unit (with those that exist), a number that is not finite.
pub fn parse_quantity(text: &str) -> Result<Quantity, UnitError> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(trimmed.len());
    let (number, suffix) = trimmed.split_at(end);
    let suffix = suffix.trim();
    let value: f64 = number
        .parse()
        .ok()
        .filter(|v: &f64| v.is_finite())
        .ok_or_else(|| UnitError(format!("\"{text}\" is no quantity; write for example 85%, 500MB, 2s, 100Mbit/s or 12")))?;
    if suffix.is_empty() {
        return Ok(Quantity { value, unit: None });
    }
    if let Some((_, factor, unit)) = SUFFIXES.iter().find(|(name, _, _)| *name == suffix) {
        // Divided, 95 % is exactly 0.95.
        let value = if *factor < 1.0 { value / (1.0 / factor).round() } else { value * factor };
        return Ok(Quantity { value, unit: Some(*unit) });
    }
    if let Some(bytes) = suffix.strip_suffix("/s")
        && let Some((_, factor, Unit::Bytes)) = SUFFIXES.iter().find(|(name, _, _)| *name == bytes)
    {
        return Ok(Quantity { value: value * factor, unit: Some(Unit::BytesPerSecond) });
    }
    Err(UnitError(format!(
        "\"{suffix}\" is no unit; known are %, B, kB, MB, GB, MiB, GiB, MB/s, Mbit/s, /s, ms, s, m, h, d, °C, MHz, W, rpm"
    )))
}

/// Shares in configuration files: `"80%"`.
pub mod share_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Unit, exact_value, parse_quantity};

    /// Writes percent.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(share: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&exact_value(*share, Unit::Ratio))
    }

    /// Reads what [`parse_quantity`] reads as a ratio.
    ///
    /// # Errors
    /// A text that is no share.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_quantity(&text).and_then(|q| q.for_unit(Unit::Ratio)).map_err(D::Error::custom)
    }
}

/// How near a text must read to the value it stands for: some steps of a double, which a division and a product cost.
const NEAR: f64 = 1e-14;

/// Writes a value so that [`parse_quantity`] reads it: `85%`, `500MB`, `1.5GiB/s`, `50ms`, `12`; the last digits of what was
/// computed (0.1 × 1.111) are no part of what is meant.
pub fn exact_value(value: f64, unit: Unit) -> String {
    let (own, tail) = if unit == Unit::BytesPerSecond { (Unit::Bytes, "/s") } else { (unit, "") };
    let reads =
        |text: &str| parse_quantity(text).and_then(|q| q.for_unit(unit)).is_ok_and(|v| (v - value).abs() <= value.abs() * NEAR);
    let texts = SUFFIXES.iter().filter(|(_, _, u)| *u == own).map(|(name, factor, _)| {
        // A share of a percent is written with as many digits as it needs and no more.
        let scaled = (value / factor * 1e6).round() / 1e6;
        format!("{scaled}{name}{tail}")
    });
    let plain = || if unit == Unit::Ratio { format!("{}%", value * 100.0) } else { value.to_string() };
    texts.filter(|text| reads(text)).min_by_key(String::len).unwrap_or_else(plain)
}

/// Writes a value for people: `91%`, `21.8 GiB`, `3.1 MiB/s`, `184 ms`, `1,204`.
pub fn format_value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{:.0}%", value * 100.0),
        Unit::Bytes => binary(value, ""),
        Unit::BytesPerSecond => binary(value, "/s"),
        Unit::BitsPerSecond => decimal(value, "bit/s"),
        Unit::Hertz => decimal(value, "Hz"),
        Unit::PerSecond => format!("{}/s", plain(value)),
        Unit::Seconds if value.abs() < 1.0 => format!("{:.0} ms", value * 1000.0),
        Unit::Seconds if value.abs() < 60.0 => format!("{value:.1} s"),
        Unit::Seconds => super::format_duration(std::time::Duration::from_secs_f64(value.abs().min(3.0e10))),
        Unit::Celsius => format!("{value:.0}°C"),
        Unit::Watts => format!("{value:.1} W"),
        Unit::Rpm => format!("{} rpm", plain(value)),
        Unit::Count => plain(value),
    }
}

fn binary(value: f64, tail: &str) -> String {
    scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"], tail)
}

fn decimal(value: f64, tail: &str) -> String {
    scaled(value, 1000.0, &["", "k", "M", "G", "T"], tail)
}

fn scaled(value: f64, base: f64, names: &[&str], tail: &str) -> String {
    let mut scaled = value;
    let mut at = 0;
    while scaled.abs() >= base * 0.99995 && at + 1 < names.len() {
        scaled /= base;
        at += 1;
    }
    let digits = if at == 0 || scaled.abs() >= 99.95 { 0 } else { 1 };
    format!("{scaled:.digits$} {}{tail}", names[at])
}

/// A plain number: thousands with a comma, one decimal below ten where it is not whole.
pub fn plain(value: f64) -> String {
    if value.abs() < 10.0 && value.fract().abs() > 0.05 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() + 4);
    if value <= -0.5 {
        text.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_carry_their_units() {
        for (text, value, unit) in [
            ("85%", 0.85, Some(Unit::Ratio)),
            ("95%", 0.95, Some(Unit::Ratio)),
            ("500MB", 5e8, Some(Unit::Bytes)),
            ("1 MiB/s", 1_048_576.0, Some(Unit::BytesPerSecond)),
            ("100Mbit/s", 1e8, Some(Unit::BitsPerSecond)),
            ("2s", 2.0, Some(Unit::Seconds)),
            ("12", 12.0, None),
        ] {
            assert_eq!(parse_quantity(text), Ok(Quantity { value, unit }), "{text}");
        }
        for text in ["", "%", "12 parsecs", "1e999", "--4"] {
            assert!(parse_quantity(text).is_err(), "{text}");
        }
    }

    #[test]
    fn exact_values_are_read_back() {
        for (value, unit, text) in [
            (0.85, Unit::Ratio, "85%"),
            (0.955, Unit::Ratio, "95.5%"),
            (5e8, Unit::Bytes, "500MB"),
            (1_610_612_736.0, Unit::BytesPerSecond, "1.5GiB/s"),
            (0.05, Unit::Seconds, "50ms"),
            (120.0, Unit::Seconds, "2m"),
            (2000.0, Unit::Count, "2000"),
        ] {
            assert_eq!(exact_value(value, unit), text);
            assert_eq!(parse_quantity(text).and_then(|q| q.for_unit(unit)), Ok(value), "{text}");
        }
    }

    #[test]
    fn a_share_is_written_in_percent_whatever_was_computed() {
        assert_eq!(exact_value(0.1111, Unit::Ratio), "11.11%");
        assert_eq!(exact_value(0.85 * 1.1, Unit::Ratio), "93.5%");
        for n in 1..20_000_u32 {
            let share = f64::from(n) / 10_000.0;
            let text = exact_value(share, Unit::Ratio);
            let read = parse_quantity(&text).and_then(|q| q.for_unit(Unit::Ratio)).expect("it is read");
            assert!(text.ends_with('%') && text.len() <= 7 && (read - share).abs() < 1e-12, "{text}");
        }
        let third = exact_value(1.0 / 3.0, Unit::Ratio);
        assert!(third.ends_with('%') && parse_quantity(&third).is_ok_and(|q| (q.value - 1.0 / 3.0).abs() < 1e-12), "{third}");
    }

    #[test]
    fn a_bare_number_on_a_ratio_is_refused_with_what_to_write() {
        let error = parse_quantity("85").and_then(|q| q.for_unit(Unit::Ratio));
        assert!(error.is_err_and(|e| e.0.contains("\"85%\"")));
    }

    #[test]
    fn values_are_shown_as_people_say_them() {
        for (value, unit, text) in [
            (0.912, Unit::Ratio, "91%"),
            (23_407_000_000.0, Unit::Bytes, "21.8 GiB"),
            (3_250_000.0, Unit::BytesPerSecond, "3.1 MiB/s"),
            (0.184, Unit::Seconds, "184 ms"),
            (1204.0, Unit::Count, "1,204"),
            (0.0, Unit::Bytes, "0 B"),
            (1e9, Unit::BitsPerSecond, "1.0 Gbit/s"),
        ] {
            assert_eq!(format_value(value, unit), text);
        }
    }
}
