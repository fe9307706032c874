//! A table of samples: one time column, then one column per series.
//!
//! Invariant: times ascend strictly; every column has a value or nothing for each of them.

/// Samples of several series at common times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Unix seconds, ascending.
    pub times: Vec<i64>,
    /// The series.
    pub columns: Vec<Column>,
}

/// One series of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    /// As its header has it.
    pub name: String,
    /// One for each time; nothing where it is missing.
    pub values: Vec<Option<f64>>,
}

impl Table {
    /// Brings rows into order: of several with the same time the last one stays.
    pub fn sorted(rows: Vec<(i64, Vec<Option<f64>>)>, names: Vec<String>) -> Self {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|i| rows[*i].0);
        let mut kept: Vec<usize> = Vec::with_capacity(order.len());
        for i in order {
            match kept.last_mut() {
                Some(last) if rows[*last].0 == rows[i].0 => *last = i,
                _ => kept.push(i),
            }
        }
        let times = kept.iter().map(|i| rows[*i].0).collect();
        let column = |c: usize| kept.iter().map(|i| rows[*i].1.get(c).copied().flatten()).collect();
        let columns = names.into_iter().enumerate().map(|(c, name)| Column { name, values: column(c) }).collect();
        Self { times, columns }
    }

    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The usual time between two rows: the median; 1 for fewer than two.
    pub fn interval(&self) -> i64 {
        let mut steps: Vec<i64> = self.times.windows(2).map(|w| w[1] - w[0]).collect();
        if steps.is_empty() {
            return 1;
        }
        let middle = steps.len() / 2;
        *steps.select_nth_unstable(middle).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_brought_into_order_and_the_last_of_twins_stays() {
        let rows = vec![(60, vec![Some(1.0)]), (0, vec![None]), (60, vec![Some(2.0)]), (120, vec![Some(3.0)])];
        let table = Table::sorted(rows, vec!["load".to_owned()]);
        assert_eq!(table.times, [0, 60, 120]);
        assert_eq!(table.column("load").map(|c| c.values.clone()), Some(vec![None, Some(2.0), Some(3.0)]));
        assert_eq!((table.interval(), Table::default().interval()), (60, 1));
    }
}
