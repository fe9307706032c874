//! Why a query was refused or failed.
//!
//! Invariant: every error names a place in the text the person wrote.

use std::fmt;

/// What the caller branches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryErrorKind {
    /// The text is no query, uses what is not supported, or names an unknown metric: the asker must change it.
    Invalid,
    /// The series could not be read.
    Source,
}

/// Why a query was refused or failed, and where; shown with the text and a caret below the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct QueryError {
    /// What the caller branches on.
    pub kind: QueryErrorKind,
    /// The place, in characters from the start of the text.
    pub position: usize,
    /// What is wrong and what to write instead.
    pub message: String,
    /// The query as it was written.
    pub text: String,
}

impl QueryError {
    /// Line and column of the place, both from 1.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.text.chars().take(self.position);
        before.fold((1, 1), |(line, column), c| if c == '\n' { (line + 1, 1) } else { (line, column + 1) })
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        let source = self.text.split('\n').nth(line - 1).unwrap_or("");
        // A control character would break the line or move the caret.
        let shown: String = source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(f, "line {line}, column {column}: {}\n  {shown}\n  {:>column$}", self.message, "^")
    }
}
