//! What a report says, before it is written in a format.
//!
//! Values keep their units and instants here; text for people is made by the formats. Invariant: a row has
//! as many cells as its table has columns.

use crate::base::{TimeRange, Timestamp, Unit};
use crate::model::{Bucket, Fact, ReportSpec, SeriesKey, Severity};

/// A whole report.
pub(super) struct Document<'a> {
    pub spec: &'a ReportSpec,
    pub facts: &'a super::Facts,
    pub sections: Vec<Section>,
}

/// One part of it.
pub(super) struct Section {
    pub id: &'static str,
    pub title: &'static str,
    pub facts: Vec<Fact>,
    pub facts_look: FactsLook,
    pub charts: Vec<Chart>,
    pub tables: Vec<Table>,
}

/// How people see the facts of a section.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FactsLook {
    /// A tile each.
    Tiles,
    /// Not by themselves: a table of the section shows them; files have them all the same.
    InTables,
}

/// Rows under columns.
pub(super) struct Table {
    pub id: &'static str,
    /// For people; empty where the section's title says it.
    pub title: &'static str,
    pub look: Look,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// What people read where there are no rows.
    pub empty: &'static str,
    /// Rows that people read where not all of them; files have all.
    pub brief: Option<usize>,
}

/// How people see a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Columns with heads.
    Grid,
    /// Sentences, each with its level before it.
    Statements,
}

/// One column: its name in files and for people.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub id: &'static str,
    pub title: &'static str,
}

/// One value of a table.
#[derive(Clone)]
pub(super) enum Cell {
    Text(String),
    /// Files have its key, people read its name.
    Series(SeriesKey),
    Number(Option<f64>, Unit),
    Time(Option<Timestamp>),
    Level(Level),
}

/// How good or bad something is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Unknown,
    Ok,
    Info,
    Predicted,
    Warning,
    Critical,
}

/// A picture.
pub(super) struct Chart {
    pub title: String,
    pub range: TimeRange,
    pub plot: Plot,
}

/// What a chart shows.
pub(super) enum Plot {
    Lines(Lines),
    /// Rows of stretches of time, each in the color of its level; where there is none nothing was observed.
    Timeline(Vec<Row>),
    Heat(Heat),
    Bars(Bars),
}

/// Amounts beside each other; their time is that of the report.
pub(super) struct Bars {
    pub unit: Unit,
    /// What the values of a row stand for, in their order; empty where the title says it.
    pub names: Vec<&'static str>,
    pub rows: Vec<BarRow>,
}

/// One name and its amounts.
pub(super) struct BarRow {
    pub name: String,
    pub values: Vec<f64>,
    /// Its color says how bad it is; `None`: the color says which of the values it is.
    pub level: Option<Level>,
}

/// One row of a timeline.
pub(super) struct Row {
    pub name: String,
    pub stretches: Vec<(TimeRange, Level)>,
}

/// Days beside each other, hours under each other: the fuller, the darker.
pub(super) struct Heat {
    /// Start of each day.
    pub days: Vec<Timestamp>,
    /// Of each day the cells from midnight on, 0–1; `None` where nothing was observed.
    pub cells: Vec<Vec<Option<f64>>>,
}

/// Lines of values.
pub(super) struct Lines {
    pub unit: Unit,
    /// Least and largest value that is possible; the scale spans it where both are known.
    pub natural: (Option<f64>, Option<f64>),
    pub lines: Vec<Line>,
    /// A limit drawn across, in the unit of the values.
    pub limit: Option<f64>,
    /// Moments at which an alert of one of the series fired.
    pub marks: Vec<(Timestamp, Level)>,
}

/// One line of a chart.
pub(super) struct Line {
    pub name: String,
    pub points: Vec<Bucket>,
    /// What is expected after the span.
    pub ahead: Vec<Ahead>,
}

/// A moment to come: what is expected, and the band that holds it four times of five.
pub(super) struct Ahead {
    pub at: Timestamp,
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Document<'_> {
    /// The first sentences, with the sign of each that is no plain statement.
    pub(super) fn summary(&self) -> Vec<String> {
        let tables = self.sections.iter().flat_map(|s| &s.tables);
        let rows = tables.filter(|t| t.look == Look::Statements).find(|t| !t.rows.is_empty()).into_iter().flat_map(|t| &t.rows);
        let line = |row: &Vec<Cell>| match row.as_slice() {
            [Cell::Level(level), Cell::Text(what), ..] => Some(format!("{} {what}", level.glyph())),
            _ => None,
        };
        rows.filter_map(line).take(super::SUMMARY_LINES).collect()
    }
}

impl Level {
    /// Its name in files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Predicted => "predicted",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Its sign: shape says it without color.
    pub(super) fn glyph(self) -> &'static str {
        match self {
            Self::Unknown => "○",
            Self::Ok => "●",
            Self::Info => "·",
            Self::Predicted => "◆",
            Self::Warning => "▲",
            Self::Critical => "✘",
        }
    }
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

impl Chart {
    /// Rows of amounts as a chart of bars; `None` where there is nothing to compare.
    pub(super) fn bars(title: &str, range: TimeRange, bars: Bars) -> Option<Self> {
        let any = bars.rows.iter().any(|r| r.values.iter().any(|v| *v != 0.0));
        any.then(|| Self { title: title.to_owned(), range, plot: Plot::Bars(bars) })
    }
}

impl Section {
    /// A section without content; its builder adds what it has.
    pub(super) fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title, facts: Vec::new(), facts_look: FactsLook::Tiles, charts: Vec::new(), tables: Vec::new() }
    }

    /// Adds an exact figure.
    pub(super) fn fact(&mut self, id: &str, label: &str, value: Option<f64>, unit: Unit) {
        self.facts.push(Fact {
            id: id.to_owned(),
            label: label.to_owned(),
            value: value.filter(|v| v.is_finite()),
            unit,
            exact: true,
        });
    }

    /// Adds a number of things.
    pub(super) fn count(&mut self, id: &str, label: &str, n: usize) {
        self.fact(id, label, Some(n as f64), Unit::Count);
    }
}

impl Table {
    /// A grid with these columns (`id`, head).
    pub(super) fn grid(id: &'static str, columns: &[(&'static str, &'static str)]) -> Self {
        let columns = columns.iter().map(|(id, title)| Column { id, title }).collect();
        Self { id, title: "", look: Look::Grid, columns, rows: Vec::new(), empty: "None.", brief: None }
    }

    /// Sentences: a level, what, and why.
    pub(super) fn statements(id: &'static str) -> Self {
        let columns = [("level", "level"), ("statement", "statement"), ("because", "because")];
        Self { look: Look::Statements, ..Self::grid(id, &columns) }
    }

    /// Sentences with a fourth text: the command or setting that does it.
    pub(super) fn advice(id: &'static str) -> Self {
        let columns = [("level", "level"), ("statement", "statement"), ("because", "because"), ("how", "how")];
        Self { look: Look::Statements, ..Self::grid(id, &columns) }
    }

    /// The same with a title.
    pub(super) fn titled(self, title: &'static str) -> Self {
        Self { title, ..self }
    }

    /// Rows that people read, of which at most `most`, and how many are left out.
    pub(super) fn shown(&self, most: usize) -> (&[Vec<Cell>], usize) {
        let most = self.brief.map_or(most, |brief| brief.min(most)).min(self.rows.len());
        let (shown, left_out) = self.rows.split_at(most);
        (shown, left_out.len())
    }

    /// The same with what people read where there are no rows.
    pub(super) fn or(self, empty: &'static str) -> Self {
        Self { empty, ..self }
    }

    /// Adds a sentence.
    pub(super) fn say(&mut self, level: Level, what: impl Into<String>, because: impl Into<String>) {
        self.rows.push(vec![Cell::Level(level), Cell::Text(what.into()), Cell::Text(because.into())]);
    }
}
