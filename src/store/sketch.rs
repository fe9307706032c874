//! Quantile sketches of an hour, which can be put together to those of a month.
//!
//! Invariant: every quantile is within 1 % of the value itself.

use sketches_ddsketch::{Config, DDSketch};

use super::frame::{OWN, frame, unframe};

/// A sketch without values: 1 % relative error, 2,048 bins at most, which span 17 powers of ten, values
/// nearer to zero than 10⁻⁹ counted as zero. The library's own defaults, which its bytes imply.
pub(super) fn empty() -> DDSketch {
    DDSketch::new(Config::defaults())
}

/// The sketch as a row.
pub(super) fn encode(sketch: &DDSketch) -> Vec<u8> {
    frame(OWN, &sketch.to_java_bytes())
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(row: &[u8]) -> Option<DDSketch> {
    DDSketch::from_java_bytes(unframe(OWN, row)?).ok()
}

/// Its values, each within 1 % of the samples it stands for, and how many those are.
pub(super) fn counted(sketch: &DDSketch) -> Vec<(f64, u64)> {
    let total = sketch.count() as u64;
    // The quantile whose rank is `rank`, whatever way the product of the two is rounded.
    let at = |rank: u64| {
        let q = if rank + 1 == total { 1.0 } else { (rank as f64 + 0.5) / (total - 1) as f64 };
        sketch.quantile(q).ok().flatten()
    };
    let (mut counted, mut rank) = (Vec::new(), 0);
    while rank < total
        && let Some(value) = at(rank)
    {
        // Ranks of one value lie together: the last of them by halving.
        let (mut last, mut beyond) = (rank, total);
        while beyond - last > 1 {
            let middle = last.midpoint(beyond);
            if at(middle) == Some(value) { last = middle } else { beyond = middle }
        }
        counted.push((value, last - rank + 1));
        rank = last + 1;
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sketches_read_back_and_put_together_are_within_one_percent() {
        let (mut low, mut high) = (empty(), empty());
        (1..=5000).for_each(|v| low.add(f64::from(v)));
        (5001..=10_000).for_each(|v| high.add(f64::from(v)));
        let mut both = decode(&encode(&low)).expect("what was written");
        both.merge(&decode(&encode(&high)).expect("what was written")).expect("same configuration");
        for (q, value) in [(0.5, 5000.0), (0.95, 9500.0), (0.99, 9900.0)] {
            let found = both.quantile(q).ok().flatten().expect("values");
            assert!((found - value).abs() <= value * 0.011, "{q}: {found}");
        }
        let counted = counted(&both);
        assert_eq!(counted.iter().map(|(_, n)| n).sum::<u64>(), 10_000);
        assert!(counted.len() < 600 && counted.windows(2).all(|w| w[0].0 < w[1].0), "{} values", counted.len());
        let mut row = encode(&low);
        row[20] ^= 1;
        assert!(decode(&row).is_none());
    }
}
