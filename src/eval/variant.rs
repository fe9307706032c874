//! The same series a little different: jittered, rescaled, shifted in time.
//!
//! What is found must not hang on the very numbers. Invariant: the same file gives the same variant.

use super::folder::Label;
use super::table::Table;
use crate::analyze::Noise;

/// Spread of the jitter, in spreads of the column's changes.
const JITTER: f64 = 0.1;
/// What every value is multiplied with: no power of anything.
const SCALE: f64 = 7.3;
/// Seconds every time is later: not whole hours, not quarters.
const SHIFT: i64 = 18_660;
const SEED: u64 = 1;

/// In what way series are different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Every value with noise of a tenth of the usual change.
    Jittered,
    /// Every value in another unit.
    Rescaled,
    /// Everything five hours and eleven minutes later.
    Shifted,
}

/// All of them.
pub const VARIANTS: [Variant; 3] = [Variant::Jittered, Variant::Rescaled, Variant::Shifted];

impl Variant {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jittered => "jittered",
            Self::Rescaled => "rescaled",
            Self::Shifted => "shifted in time",
        }
    }

    /// The table in this variant.
    pub fn table(self, mut table: Table) -> Table {
        let mut noise = Noise::new(SEED);
        for column in &mut table.columns {
            let known = || column.values.iter().flatten();
            let squares: f64 = known().zip(known().skip(1)).map(|(a, b)| (b - a).powi(2)).sum();
            let change = (squares / known().count().max(1) as f64).sqrt();
            for value in column.values.iter_mut().flatten() {
                match self {
                    Self::Jittered => *value += JITTER * change * noise.normal(),
                    Self::Rescaled => *value *= SCALE,
                    Self::Shifted => {}
                }
            }
        }
        if self == Self::Shifted {
            table.times.iter_mut().for_each(|at| *at += SHIFT);
        }
        table
    }

    /// The labels in this variant.
    pub fn label(self, label: &mut Label) {
        if self == Self::Shifted {
            label.score_from = label.score_from.map(|from| from + SHIFT);
            label.windows.iter_mut().for_each(|(from, to)| (*from, *to) = (*from + SHIFT, *to + SHIFT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_times_move_and_gaps_stay() {
        let table = || Table::sorted(vec![(0, vec![Some(1.0)]), (60, vec![None]), (120, vec![Some(3.0)])], vec!["a".to_owned()]);
        let of = |variant: Variant| variant.table(table());
        assert_eq!(of(Variant::Rescaled).columns[0].values, [Some(SCALE), None, Some(3.0 * SCALE)]);
        assert_eq!(of(Variant::Shifted).times, [SHIFT, SHIFT + 60, SHIFT + 120]);
        let jittered = &of(Variant::Jittered).columns[0].values;
        assert!(jittered[0].is_some_and(|v| v != 1.0 && (v - 1.0).abs() < 1.0) && jittered[1].is_none(), "{jittered:?}");
    }
}
