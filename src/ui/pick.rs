//! A list to choose from, over the page: orders, columns, users, signals.
//!
//! What is typed narrows it. Invariant: a row is named by its id, never by its place.

use super::overlay::Input;
use super::settings::Goal;
use super::wish::Target;
use crate::model::KeptReport;
use crate::monitor::Learned;

/// What is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PickKind {
    /// The column the processes are sorted by.
    Sort,
    /// The columns of the processes, in their order; several.
    Columns,
    /// A user whose processes are shown.
    User,
    /// A value of the configuration.
    Setting(Goal),
    /// A signal for processes.
    Signal(Vec<Target>),
    /// What rules could learn, or have learned.
    Learn(Box<Learned>),
    /// A report that is kept.
    Reports(Vec<KeptReport>),
    /// What becomes of one.
    Report(Box<KeptReport>),
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickRow {
    /// What it stands for.
    pub id: String,
    /// In bold.
    pub name: String,
    /// Beside it.
    pub note: String,
    /// Whether it is among the chosen ones, where several can be.
    pub mark: Option<bool>,
}

impl PickRow {
    /// A row of a list one is chosen of.
    pub fn new(id: impl Into<String>, name: impl Into<String>, note: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), note: note.into(), mark: None }
    }
}

/// A list being chosen from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// What for.
    pub kind: PickKind,
    /// Heading.
    pub title: String,
    /// All rows.
    pub rows: Vec<PickRow>,
    /// What was typed.
    pub input: Input,
    /// Id of the row that is pointed at.
    pub at: String,
}

impl Pick {
    /// A list with a row pointed at; the first where `at` is none of them.
    pub fn new(kind: PickKind, title: impl Into<String>, rows: Vec<PickRow>, at: &str) -> Self {
        Self { kind, title: title.into(), rows, input: Input::default(), at: at.to_owned() }
    }

    /// The rows that hold what was typed, by place.
    pub fn shown(&self) -> Vec<usize> {
        let typed = self.input.text().to_lowercase();
        let holds = |row: &PickRow| {
            typed.split_whitespace().all(|w| row.name.to_lowercase().contains(w) || row.note.to_lowercase().contains(w))
        };
        (0..self.rows.len()).filter(|i| holds(&self.rows[*i])).collect()
    }

    /// Place among the shown rows of the one pointed at.
    pub fn place(&self) -> usize {
        self.shown().iter().position(|i| self.rows[*i].id == self.at).unwrap_or(0)
    }

    /// The row pointed at.
    pub fn chosen(&self) -> Option<&PickRow> {
        self.shown().get(self.place()).and_then(|i| self.rows.get(*i))
    }

    /// Points some rows on, at most to an end.
    pub fn step(&mut self, by: isize) {
        let shown = self.shown();
        let next = self.place().saturating_add_signed(by).min(shown.len().saturating_sub(1));
        if let Some(row) = shown.get(next).and_then(|i| self.rows.get(*i)) {
            self.at.clone_from(&row.id);
        }
    }

    /// Marks the row pointed at, or takes its mark away.
    pub fn toggle(&mut self) {
        let Some(id) = self.chosen().map(|r| r.id.clone()) else { return };
        if let Some(row) = self.rows.iter_mut().find(|r| r.id == id) {
            row.mark = row.mark.map(|m| !m);
        }
    }

    /// Moves the row pointed at up (−1) or down (1) among all rows.
    pub fn shift(&mut self, by: isize) {
        let Some(id) = self.chosen().map(|r| r.id.clone()) else { return };
        let Some(from) = self.rows.iter().position(|r| r.id == id) else { return };
        let to = from.saturating_add_signed(by).min(self.rows.len().saturating_sub(1));
        self.rows.swap(from, to);
        self.at = id;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_narrows_and_the_pointed_row_stays_itself() {
        let rows = ["cpu", "memory", "read"].map(|id| PickRow { mark: Some(false), ..PickRow::new(id, id, "") });
        let mut pick = Pick::new(PickKind::Columns, "Columns", rows.to_vec(), "memory");
        assert_eq!(pick.place(), 1);
        pick.shift(-1);
        assert_eq!((pick.place(), pick.rows[0].id.as_str()), (0, "memory"));
        pick.input.insert("re");
        assert_eq!(pick.chosen().map(|r| r.id.as_str()), Some("read"));
        pick.toggle();
        assert_eq!(pick.rows[2].mark, Some(true));
        pick.input.insert("zzz");
        assert_eq!(pick.chosen(), None);
        pick.step(5);
        pick.toggle();
    }
}
