//! Performance data of Nagios plugins: `'label'=value[unit];warn;crit;min;max`.
//!
//! Written by programs of strangers (Monitoring Plugins Guidelines, "Performance data"). Invariant: what cannot be read is
//! left out, never guessed.

use crate::base::Unit;

/// One value of a plugin, in base units.
#[derive(Debug, Clone, PartialEq)]
pub struct PerfValue {
    /// Its label, without quotes.
    pub label: String,
    /// Seconds, bytes, a ratio 0–1, or a number.
    pub unit: Unit,
    /// The value; counters (`c`) as they are.
    pub value: f64,
}

/// Longest label kept: it becomes part of a series' key.
const MAX_LABEL: usize = 64;

/// Reads the part of a plugin's output behind `|`; values that are none (`U`) are left out.
pub fn perfdata(text: &str) -> Vec<PerfValue> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((label, after)) = label(rest) else { break };
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (written, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        rest = tail.trim_start();
        let first = written.split(';').next().unwrap_or_default();
        let Some((unit, value)) = value(first) else { continue };
        let label: String = label.chars().filter(|c| !c.is_control()).take(MAX_LABEL).collect();
        if !label.is_empty() {
            found.push(PerfValue { label, unit, value });
        }
    }
    found
}

/// A label and what follows its `=`; in a quoted one two quotes are one.
fn label(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let (label, after) = text.split_once('=')?;
        // Words in front of a label are no part of it.
        return Some((label.rsplit(char::is_whitespace).next().unwrap_or_default().to_owned(), after));
    };
    let mut label = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('\'')?;
        label.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                label.push('\'');
                rest = more;
            }
            None => return after.strip_prefix('=').map(|after| (label, after)),
        }
    }
}

/// A number with a unit, in base units.
fn value(text: &str) -> Option<(Unit, f64)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    // `5e` is five of a unit, not an exponent.
    let number: f64 = number.trim_end_matches(['e', 'E']).parse().ok()?;
    let (unit, factor) = match unit {
        "s" => (Unit::Seconds, 1.0),
        "ms" => (Unit::Seconds, 1e-3),
        "us" => (Unit::Seconds, 1e-6),
        "ns" => (Unit::Seconds, 1e-9),
        "%" => (Unit::Ratio, 0.01),
        "B" => (Unit::Bytes, 1.0),
        "KB" => (Unit::Bytes, 1024.0),
        "MB" => (Unit::Bytes, 1024.0 * 1024.0),
        "GB" => (Unit::Bytes, 1024.0 * 1024.0 * 1024.0),
        "TB" => (Unit::Bytes, 1024.0 * 1024.0 * 1024.0 * 1024.0),
        _ => (Unit::Count, 1.0),
    };
    let value = number * factor;
    value.is_finite().then_some((unit, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_come_in_base_units_and_the_rest_is_left_out() {
        for (text, read) in [
            ("time=12ms;100;200;0 size=3KB", vec![("time", Unit::Seconds, 0.012), ("size", Unit::Bytes, 3072.0)]),
            ("'free space'=40%;10:;5:;0;100", vec![("free space", Unit::Ratio, 0.4)]),
            ("'it''s'=1 n=-2.5e3c", vec![("it's", Unit::Count, 1.0), ("n", Unit::Count, -2500.0)]),
            ("a=U b=2", vec![("b", Unit::Count, 2.0)]),
            ("a=1,5 b", vec![("a", Unit::Count, 1.0)]),
            ("'open=1", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<_> = perfdata(text).into_iter().map(|p| (p.label, p.unit, p.value)).collect();
            let read: Vec<_> = read.into_iter().map(|(label, unit, value)| (label.to_owned(), unit, value)).collect();
            assert_eq!(found, read, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            for found in perfdata(&text) {
                prop_assert!(found.value.is_finite() && !found.label.is_empty());
            }
        }
    }
}
