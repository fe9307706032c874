//! What a process may use: `/proc/PID/limits`.
//!
//! Pure parsing. Invariant: `unlimited` is no number.

use super::super::parse::{clean, lines, number, words};
use crate::model::ResourceLimit;

/// The kernel writes the name into this many columns (fs/proc/base.c: `%-25s %-20s %-20s %-10s`).
const NAME_COLUMNS: usize = 25;

/// Longest name or unit kept.
const TEXT_CHARS: usize = 40;

/// The lines after the head.
pub(super) fn parse_limits(text: &[u8]) -> Vec<ResourceLimit> {
    let limit = |line: &[u8]| {
        let (name, rest) = line.split_at_checked(NAME_COLUMNS)?;
        let mut fields = words(rest);
        let value = |word: &[u8]| if word == b"unlimited" { Some(None) } else { number(word).map(Some) };
        Some(ResourceLimit {
            name: clean(name.trim_ascii(), TEXT_CHARS),
            soft: value(fields.next()?)?,
            hard: value(fields.next()?)?,
            unit: clean(fields.next().unwrap_or_default(), TEXT_CHARS),
        })
    };
    lines(text).skip(1).filter_map(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::testing::mutated;
    use proptest::prelude::*;

    const EXAMPLE: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
        Max cpu time              unlimited            unlimited            seconds   \n\
        Max open files            1024                 524288               files     \n\
        Max nice priority         0                    0                    \n";

    #[test]
    fn unlimited_is_no_number() {
        let limits = parse_limits(EXAMPLE.as_bytes());
        let rows: Vec<_> = limits.iter().map(|l| (l.name.as_str(), l.soft, l.hard, l.unit.as_str())).collect();
        assert_eq!(
            rows,
            [
                ("Max cpu time", None, None, "seconds"),
                ("Max open files", Some(1024), Some(524_288), "files"),
                ("Max nice priority", Some(0), Some(0), "")
            ]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(EXAMPLE)) {
            let _ = parse_limits(&text);
        }
    }
}
