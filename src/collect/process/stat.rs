//! What `/proc/PID/stat` and `/proc/PID/io` say.
//!
//! Pure parsing. Invariant: a name may hold any byte, also blanks and closing brackets.

use crate::collect::parse::{lines, number, signed, words};
use crate::model::ProcessState;

/// One reading of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat<'a> {
    pub(super) name: &'a [u8],
    pub(super) state: ProcessState,
    pub(super) parent: u32,
    /// A thread of the kernel: has no memory of its own and no command line.
    pub(super) kernel: bool,
    /// User and system time in ticks.
    pub(super) ticks: u64,
    pub(super) nice: i8,
    pub(super) threads: u32,
    /// In ticks since boot.
    pub(super) started: u64,
    /// Resident memory in pages.
    pub(super) pages: u64,
}

/// `PF_KTHREAD` of linux/sched.h.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Fields by their number in proc(5), less three: the number, the name and the state come before.
pub(super) fn parse_stat(text: &[u8]) -> Option<Stat<'_>> {
    // The name is in brackets and may hold brackets: it ends at the last one.
    let open = text.iter().position(|b| *b == b'(')?;
    let close = text.iter().rposition(|b| *b == b')')?;
    let name = text.get(open + 1..close)?;
    let mut fields = words(text.get(close + 1..)?.trim_ascii());
    let state = ProcessState::from_letter(*fields.next()?.first()?);
    let mut values = [b"".as_slice(); 21];
    for value in &mut values {
        *value = fields.next()?;
    }
    let at = |field: usize| values.get(field - 4).copied().unwrap_or_default();
    Some(Stat {
        name,
        state,
        parent: number(at(4)).and_then(|v| u32::try_from(v).ok())?,
        kernel: number(at(9))? & KERNEL_THREAD != 0,
        ticks: number(at(14))?.saturating_add(number(at(15))?),
        nice: signed(at(19)).and_then(|v| i8::try_from(v).ok())?,
        threads: number(at(20)).and_then(|v| u32::try_from(v).ok())?,
        started: number(at(22))?,
        pages: number(at(24))?,
    })
}

/// Bytes read from and written to devices since the start.
pub(super) fn parse_io(text: &[u8]) -> Option<(u64, u64)> {
    let field = |name: &[u8]| lines(text).find_map(|line| line.strip_prefix(name)).and_then(|v| number(v.trim_ascii()));
    Some((field(b"read_bytes:")?, field(b"write_bytes:")?))
}

/// The effective user of `/proc/PID/status`.
pub(super) fn parse_uid(text: &[u8]) -> Option<u32> {
    let line = lines(text).find_map(|line| line.strip_prefix(b"Uid:"))?;
    words(line).nth(1).and_then(number).and_then(|uid| u32::try_from(uid).ok())
}

#[cfg(test)]
pub(super) const EXAMPLE: &str = "825 (a) b (c)) S 1 825 825 0 -1 4194560 101 0 0 0 250 50 0 0 20 -5 7 0 254673 3133440 388 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::testing::mutated;
    use proptest::prelude::*;

    #[test]
    fn a_name_with_brackets_and_blanks_is_read_whole() {
        let stat = parse_stat(EXAMPLE.as_bytes()).expect("a real line");
        let expected = Stat {
            name: b"a) b (c)",
            state: ProcessState::Sleeping,
            parent: 1,
            kernel: false,
            ticks: 300,
            nice: -5,
            threads: 7,
            started: 254_673,
            pages: 388,
        };
        assert_eq!(stat, expected);
    }

    #[test]
    fn io_and_user_are_found_by_name() {
        assert_eq!(parse_io(b"rchar: 9\nread_bytes: 4096\nwrite_bytes: 12\ncancelled_write_bytes: 5\n"), Some((4096, 12)));
        assert_eq!(parse_uid(b"Name:\tx\nUid:\t1000\t33\t33\t33\n"), Some(33));
    }

    proptest! {
        #[test]
        fn no_bytes_make_them_panic(text in mutated(EXAMPLE)) {
            let _ = (parse_stat(&text), parse_io(&text), parse_uid(&text));
        }
    }
}
