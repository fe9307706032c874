//! Samples as means over steps before and after a moment, and what errors are measured in.
//!
//! Invariant: what came after the moment is only ever compared with, never learned from.

use super::table::{Column, Table};

/// Means of steps counted from a moment; nothing where a step has no sample.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    /// Steps before it, oldest first.
    pub past: Vec<Option<f64>>,
    /// Steps after it.
    pub truth: Vec<Option<f64>>,
}

/// Cuts a column at `origin` into `back` steps before and `ahead` after.
pub fn cut(table: &Table, column: &Column, origin: i64, step: i64, [back, ahead]: [usize; 2]) -> Cut {
    let mut sums = vec![(0.0, 0_u32); back + ahead];
    let (from, to) = (origin - back as i64 * step, origin + ahead as i64 * step);
    let rows = table.times.partition_point(|t| *t < from)..table.times.partition_point(|t| *t < to);
    for row in rows {
        let Some(value) = column.values[row] else { continue };
        let place = (table.times[row] - from).div_euclid(step) as usize;
        sums[place].0 += value;
        sums[place].1 += 1;
    }
    let mut past: Vec<Option<f64>> = sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect();
    let truth = past.split_off(back);
    Cut { past, truth }
}

/// Holes bridged by straight lines; those before the first value are left out, those after the last repeat it.
pub fn filled(values: &[Option<f64>]) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::with_capacity(values.len());
    let mut hole = 0;
    for value in values {
        let Some(value) = value else {
            hole += 1;
            continue;
        };
        if let Some(before) = out.last().copied() {
            let rise = (value - before) / (hole + 1) as f64;
            out.extend((1..=hole).map(|i| before + rise * i as f64));
        }
        out.push(*value);
        hole = 0;
    }
    if let Some(last) = out.last().copied() {
        out.extend(std::iter::repeat_n(last, hole));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_takes_means_on_either_side() {
        let column = Column { name: "a".to_owned(), values: vec![Some(1.0), Some(3.0), None, Some(5.0), Some(7.0)] };
        let table = Table { times: vec![0, 30, 60, 120, 180], columns: vec![column.clone()] };
        let cut = cut(&table, &column, 120, 60, [2, 3]);
        assert_eq!((cut.past, cut.truth), (vec![Some(2.0), None], vec![Some(5.0), Some(7.0), None]));
    }

    #[test]
    fn holes_are_bridged() {
        assert_eq!(filled(&[None, Some(1.0), None, Some(3.0), None]), [1.0, 2.0, 3.0, 3.0]);
        assert!(filled(&[None]).is_empty());
    }
}
