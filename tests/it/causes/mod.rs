//! Injected causes: real processes that take too much of something, and whether the alert names them first.
//!
//! Which process, how hard and how long before the rule fires is drawn from the number of the run, so that every run can be made
//! again. A few run live in the slow set (`FAROL_SLOW=1`), as many as named with `FAROL_CAUSES`; recorded ones are replayed
//! always. Invariant: everything an offender takes is bounded, on loopback or in the test's own folder, and ends with the test.

mod live;
mod machine;
mod offender;
mod record;

/// What can be taken too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    CpuHog,
    MemoryLeak,
    DiskFiller,
    IoStorm,
    ConnectionLeak,
}

impl Kind {
    const ALL: [Self; 5] = [Self::CpuHog, Self::MemoryLeak, Self::DiskFiller, Self::IoStorm, Self::ConnectionLeak];

    fn name(self) -> &'static str {
        match self {
            Self::CpuHog => "cpu hog",
            Self::MemoryLeak => "memory leak",
            Self::DiskFiller => "disk filler",
            Self::IoStorm => "I/O storm",
            Self::ConnectionLeak => "connection leak",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One run, drawn from its number.
#[derive(Debug, Clone, Copy)]
struct Case {
    seed: u64,
    kind: Kind,
    /// Strength, 0 to 1.
    strength: f64,
    /// Seconds the offender works before the condition holds.
    lead: u64,
    /// Seconds the condition holds before the rule fires.
    hold: u64,
}

impl Case {
    fn of(seed: u64) -> Self {
        let mut state = seed;
        let mut draw = |n: u64| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state) % n
        };
        let kind = Kind::ALL[usize::try_from(seed % 5).expect("below five")];
        Self {
            seed,
            kind,
            strength: draw(1000) as f64 / 1000.0,
            lead: 2 + draw(7),
            hold: HOLDS[usize::try_from(draw(2)).expect("below two")],
        }
    }
}

/// The two rules of each kind.
const HOLDS: [u64; 2] = [0, 3];

/// SplitMix64 (Steele, Lea, Flood 2014).
fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
