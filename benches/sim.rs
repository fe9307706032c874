//! What a sample of the simulated machine costs, with the checks of its services.
//!
//! `cargo bench --bench sim`: a day at one sample a second.

use std::time::{Duration, Instant};

use farol::base::Timestamp;
use farol::sim::Machine;

/// Seconds of a day.
const DAY: u32 = 86_400;

fn main() {
    let start = Timestamp::from_seconds(1_780_000_000);
    let mut machine = Machine::new(7, start);
    let begun = Instant::now();
    let (mut readings, mut checks) = (0, 0);
    for second in 0..DAY {
        let at = start + Duration::from_secs(second.into());
        readings += machine.sample(at).readings.len();
        checks += machine.checks(at).len();
    }
    let each = begun.elapsed().as_secs_f64() * 1e6 / f64::from(DAY);
    println!("{each:.1} µs a sample, {} readings each, {checks} checks in a day", readings / DAY as usize);
}
