//! Where the memory of a process is: `/proc/PID/smaps_rollup`.
//!
//! Pure parsing. Invariant: a line that is missing counts as zero, a file without `Rss` is none.

use super::super::parse::{lines, number, split_once, words};
use crate::model::MemoryUse;

/// Reads the sums over all maps; lines are in KiB.
pub(super) fn parse_rollup(text: &[u8]) -> Option<MemoryUse> {
    let mut memory = MemoryUse::default();
    let mut resident = None;
    for line in lines(text) {
        let Some((name, rest)) = split_once(line, b':') else { continue };
        let Some(bytes) = words(rest).next().and_then(number).map(|kib| kib.saturating_mul(1024)) else { continue };
        let place = match name {
            b"Rss" => {
                resident = Some(bytes);
                continue;
            }
            b"Pss" => &mut memory.proportional,
            b"Private_Clean" | b"Private_Dirty" => &mut memory.unique,
            b"Anonymous" => &mut memory.anonymous,
            b"AnonHugePages" | b"ShmemPmdMapped" | b"FilePmdMapped" => &mut memory.huge,
            b"Swap" => &mut memory.swapped,
            b"SwapPss" => &mut memory.swapped_proportional,
            b"Locked" => &mut memory.locked,
            _ => continue,
        };
        *place = place.saturating_add(bytes);
    }
    memory.resident = resident?;
    memory.shared = memory.resident.saturating_sub(memory.anonymous);
    Some(memory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::testing::mutated;
    use proptest::prelude::*;

    const EXAMPLE: &str = "563d83c72000-7ffcb7223000 ---p 00000000 00:00 0                          [rollup]\n\
        Rss:                1744 kB\nPss:                 256 kB\nShared_Clean:       1588 kB\nPrivate_Clean:        40 kB\n\
        Private_Dirty:       116 kB\nAnonymous:           116 kB\nAnonHugePages:         8 kB\nSwap:                 12 kB\n\
        SwapPss:               6 kB\nLocked:                4 kB\n";

    #[test]
    fn sums_are_in_bytes() {
        let kib = |n: u64| n << 10;
        let expected = MemoryUse {
            resident: kib(1744),
            proportional: kib(256),
            unique: kib(156),
            anonymous: kib(116),
            shared: kib(1628),
            huge: kib(8),
            swapped: kib(12),
            swapped_proportional: kib(6),
            locked: kib(4),
        };
        assert_eq!(parse_rollup(EXAMPLE.as_bytes()), Some(expected));
        assert_eq!(parse_rollup(b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(EXAMPLE)) {
            let _ = parse_rollup(&text);
        }
    }
}
