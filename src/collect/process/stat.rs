//! What `/proc/PID/stat`, `status` and `io` say.
//!
//! Pure parsing. Invariant: a name may hold any byte, also blanks and closing brackets.

use crate::collect::parse::{lines, number, signed, split_once, words};
use crate::model::{ProcessState, Scheduler};

/// One reading of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) struct Stat<'a> {
    pub(in crate::collect) name: &'a [u8],
    pub(in crate::collect) state: ProcessState,
    pub(in crate::collect) parent: u32,
    pub(in crate::collect) session: u32,
    /// Number of the terminal's device; 0 for none.
    pub(in crate::collect) terminal: u32,
    /// A thread of the kernel: has no memory of its own and no command line.
    pub(in crate::collect) kernel: bool,
    pub(in crate::collect) minor_faults: u64,
    pub(in crate::collect) major_faults: u64,
    /// User and system time in ticks.
    pub(in crate::collect) ticks: u64,
    /// The system's part of it.
    pub(in crate::collect) system_ticks: u64,
    /// The same time of children that ended and that it waited for, and of theirs.
    pub(in crate::collect) children_ticks: u64,
    pub(in crate::collect) priority: i16,
    pub(in crate::collect) nice: i8,
    pub(in crate::collect) threads: u32,
    /// In ticks since boot.
    pub(in crate::collect) started: u64,
    /// Address space in bytes.
    pub(in crate::collect) virtual_bytes: u64,
    /// Resident memory in pages.
    pub(in crate::collect) pages: u64,
    pub(in crate::collect) core: u32,
    pub(in crate::collect) scheduler: Scheduler,
}

/// `PF_KTHREAD` of linux/sched.h.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// The fields of proc(5) that are read: from the parent's number (4) to the scheduler (41), of which those after the resident
/// memory (24) may be missing.
const FIELDS: usize = 38;
const NEEDED: usize = 21;

/// Fields by their number in proc(5), less three: the number, the name and the state come before.
pub(in crate::collect) fn parse_stat(text: &[u8]) -> Option<Stat<'_>> {
    // The name is in brackets and may hold brackets: it ends at the last one.
    let open = text.iter().position(|b| *b == b'(')?;
    let close = text.iter().rposition(|b| *b == b')')?;
    let name = text.get(open + 1..close)?;
    let mut fields = words(text.get(close + 1..)?.trim_ascii());
    let state = ProcessState::from_letter(*fields.next()?.first()?);
    let mut values = [b"".as_slice(); FIELDS];
    let mut n = 0;
    for (value, field) in values.iter_mut().zip(fields) {
        *value = field;
        n += 1;
    }
    if n < NEEDED {
        return None;
    }
    let at = |field: usize| values.get(field - 4).copied().unwrap_or_default();
    let small = |field: usize| number(at(field)).and_then(|v| u32::try_from(v).ok());
    let system_ticks = number(at(15))?;
    Some(Stat {
        name,
        state,
        parent: small(4)?,
        // Negative in another namespace of numbers than the reader's.
        session: small(6).unwrap_or(0),
        terminal: small(7).unwrap_or(0),
        kernel: number(at(9))? & KERNEL_THREAD != 0,
        minor_faults: number(at(10))?,
        major_faults: number(at(12))?,
        ticks: number(at(14))?.saturating_add(system_ticks),
        system_ticks,
        // Signed in proc(5); negative by a mistake of old kernels only.
        children_ticks: number(at(16)).unwrap_or(0).saturating_add(number(at(17)).unwrap_or(0)),
        priority: signed(at(18)).and_then(|v| i16::try_from(v).ok())?,
        nice: signed(at(19)).and_then(|v| i8::try_from(v).ok())?,
        threads: small(20)?,
        started: number(at(22))?,
        virtual_bytes: number(at(23))?,
        pages: number(at(24))?,
        core: small(39).unwrap_or(0),
        scheduler: Scheduler::from_number(number(at(41)).unwrap_or(0)),
    })
}

/// The name of a terminal by the number of its device (linux/kdev_t.h and Documentation/admin-guide/devices.txt).
pub(in crate::collect) fn terminal(device: u32) -> Option<String> {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
    match major {
        0 => None,
        4 if minor < 64 => Some(format!("tty{minor}")),
        4 => Some(format!("ttyS{}", minor - 64)),
        136..=143 => Some(format!("pts/{}", minor + (major - 136) * 256)),
        _ => Some(format!("{major}:{minor}")),
    }
}

/// What is read of `/proc/PID/status`; bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::collect) struct Status {
    /// The effective user.
    pub(in crate::collect) uid: Option<u32>,
    pub(in crate::collect) shared: Option<u64>,
    pub(in crate::collect) swap: Option<u64>,
    pub(in crate::collect) peak: Option<u64>,
    pub(in crate::collect) voluntary: Option<u64>,
    pub(in crate::collect) involuntary: Option<u64>,
}

/// Reads the lines of `/proc/PID/status`; those missing are `None` (threads of the kernel have no memory).
pub(in crate::collect) fn parse_status(text: &[u8]) -> Status {
    let mut status = Status::default();
    let kib = |rest: &[u8]| words(rest).next().and_then(number).map(|v| v.saturating_mul(1024));
    for line in lines(text) {
        let Some((name, rest)) = split_once(line, b':') else { continue };
        match name {
            b"Uid" => status.uid = words(rest).nth(1).and_then(number).and_then(|uid| u32::try_from(uid).ok()),
            b"VmHWM" => status.peak = kib(rest),
            b"RssFile" | b"RssShmem" => status.shared = kib(rest).map(|v| v.saturating_add(status.shared.unwrap_or(0))),
            b"VmSwap" => status.swap = kib(rest),
            b"voluntary_ctxt_switches" => status.voluntary = number(rest.trim_ascii()),
            b"nonvoluntary_ctxt_switches" => status.involuntary = number(rest.trim_ascii()),
            _ => {}
        }
    }
    status
}

/// Bytes read from and written to devices since the start.
pub(in crate::collect) fn parse_io(text: &[u8]) -> Option<(u64, u64)> {
    let field = |name: &[u8]| lines(text).find_map(|line| line.strip_prefix(name)).and_then(|v| number(v.trim_ascii()));
    Some((field(b"read_bytes:")?, field(b"write_bytes:")?))
}

#[cfg(test)]
pub(in crate::collect) const EXAMPLE: &str = "825 (a) b (c)) S 1 825 825 34819 -1 4194560 101 0 12 0 250 50 0 0 20 -5 7 0 254673 3133440 388 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 3 0 0 0 0 0 0 0 0 0 0 0\n";

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
            session: 825,
            terminal: 34_819,
            kernel: false,
            minor_faults: 101,
            major_faults: 12,
            ticks: 300,
            system_ticks: 50,
            children_ticks: 0,
            priority: 20,
            nice: -5,
            threads: 7,
            started: 254_673,
            virtual_bytes: 3_133_440,
            pages: 388,
            core: 3,
            scheduler: Scheduler::Batch,
        };
        assert_eq!(stat, expected);
    }

    #[test]
    fn io_and_user_are_found_by_name() {
        assert_eq!(parse_io(b"rchar: 9\nread_bytes: 4096\nwrite_bytes: 12\ncancelled_write_bytes: 5\n"), Some((4096, 12)));
        let text = b"Name:\tx\nUid:\t1000\t33\t33\t33\nVmHWM:\t  2000 kB\nRssAnon:\t 5 kB\nRssFile:\t 10 kB\nRssShmem:\t 2 kB\nVmSwap:\t 0 kB\nvoluntary_ctxt_switches:\t77\nnonvoluntary_ctxt_switches:\t8\n";
        let (shared, swap, peak) = (Some(12 << 10), Some(0), Some(2000 << 10));
        assert_eq!(parse_status(text), Status { uid: Some(33), shared, swap, peak, voluntary: Some(77), involuntary: Some(8) });
    }

    #[test]
    fn terminals_have_the_names_people_know() {
        for (device, name) in
            [(0, None), (1025, Some("tty1")), (1088, Some("ttyS0")), (34_819, Some("pts/3")), (0x8b05, Some("pts/773"))]
        {
            assert_eq!(terminal(device).as_deref(), name, "{device}");
        }
    }

    #[test]
    fn a_line_cut_after_the_resident_memory_is_enough() {
        let cut: Vec<&str> = EXAMPLE.split(' ').take(28).collect();
        assert_eq!(parse_stat(cut.join(" ").as_bytes()).map(|s| (s.pages, s.scheduler)), Some((388, Scheduler::Normal)));
        let cut: Vec<&str> = EXAMPLE.split(' ').take(25).collect();
        assert_eq!(parse_stat(cut.join(" ").as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_them_panic(text in mutated(EXAMPLE)) {
            let _ = (parse_stat(&text), parse_io(&text), parse_status(&text));
        }
    }
}
