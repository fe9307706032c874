//! Alarms by chance: as many as farol's and as long, at uniform times. What is not clearly better is no result.
//!
//! Invariant: the same seed gives the same alarms.

use super::protocol::{Counts, Scored, Span};
use crate::analyze::Noise;

/// Repetitions the protocol asks for.
const REPEATS: usize = 20;

/// Mean counts of alarms by chance; delays of all repetitions together.
pub fn by_chance(file: &Scored, spans: &[Span], noise: &mut Noise) -> Counts {
    let lengths: Vec<i64> = file.joined(spans).iter().map(|(a, b)| b - a).collect();
    let end = file.span().1;
    let repeats = if lengths.is_empty() { 1 } else { REPEATS };
    let mut sum = Counts::default();
    for _ in 0..repeats {
        let mut drawn = || file.times[noise.below(file.times.len())];
        let spans: Vec<Span> = lengths.iter().map(|length| (drawn(), *length)).map(|(at, l)| (at, (at + l).min(end))).collect();
        sum.add(&file.score(&spans));
    }
    sum.divide(repeats as f64);
    sum
}
