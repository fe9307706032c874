//! Two constants of the running kernel: the size of a page and the length of a clock tick.
//!
//! The kernel hands them to every program in its auxiliary vector. Invariant: a vector that cannot be
//! read gives the values of nearly every Linux.

use crate::model::Host;

/// `AT_PAGESZ` and `AT_CLKTCK` of linux/auxvec.h.
const PAGE_SIZE: u64 = 6;
const CLOCK_TICKS: u64 = 17;

/// Bytes in a page; 4,096 where it cannot be read.
pub(super) fn page_size(host: &dyn Host) -> u64 {
    entry(host, PAGE_SIZE).filter(|v| v.is_power_of_two() && (512..=1 << 30).contains(v)).unwrap_or(4096)
}

/// Ticks of `/proc/PID/stat` in a second; 100 where it cannot be read.
pub(super) fn clock_ticks(host: &dyn Host) -> u64 {
    entry(host, CLOCK_TICKS).filter(|v| (1..=1_000_000).contains(v)).unwrap_or(100)
}

fn entry(host: &dyn Host, wanted: u64) -> Option<u64> {
    let mut bytes = Vec::new();
    host.read("/proc/self/auxv", &mut bytes).ok()?;
    find(&bytes, wanted)
}

/// Pairs of key and value, each as wide as a pointer.
fn find(bytes: &[u8], wanted: u64) -> Option<u64> {
    const WIDTH: usize = size_of::<usize>();
    let number = |part: &[u8]| part.try_into().ok().map(|part: [u8; WIDTH]| usize::from_ne_bytes(part) as u64);
    bytes.chunks_exact(2 * WIDTH).find_map(|pair| {
        let (key, value) = pair.split_at(WIDTH);
        (number(key) == Some(wanted)).then(|| number(value)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_says_its_constants() {
        let host = super::super::LinuxHost::new();
        assert!(entry(&host, PAGE_SIZE).is_some() && page_size(&host).is_power_of_two());
        assert_eq!(clock_ticks(&host), 100);
    }

    #[test]
    fn a_cut_vector_gives_nothing() {
        assert_eq!(find(&[6, 0, 0, 0, 0, 0, 0, 0, 0, 16], PAGE_SIZE), None);
    }
}
