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
        let mut row = encode(&low);
        row[20] ^= 1;
        assert!(decode(&row).is_none());
    }
}
