//! `farol.report/1` of the contracts.
//!
//! Invariant: only fields of the contract; adding one is free, renaming one is a new schema.

use serde::Serialize;

use crate::model::Fact;
use crate::report::document::{Cell, Document, Section, Table};

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    generated_at: String,
    kind: &'static str,
    depth: &'static str,
    from: String,
    to: String,
    host: &'a str,
    sections: Vec<SectionOut<'a>>,
    coverage: f64,
}

#[derive(Serialize)]
struct SectionOut<'a> {
    id: &'static str,
    title: &'static str,
    facts: &'a [Fact],
    tables: Vec<TableOut>,
}

#[derive(Serialize)]
struct TableOut {
    id: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<serde_json::Value>>,
}

pub(super) fn write(document: &Document<'_>) -> String {
    let spec = document.spec;
    let report = Report {
        schema: "farol.report/1",
        generated_at: spec.range.to.rfc3339(),
        kind: spec.kind.name(),
        depth: spec.depth.name(),
        from: spec.range.from.rfc3339(),
        to: spec.range.to.rfc3339(),
        host: &document.facts.host.name,
        sections: document.sections.iter().map(section).collect(),
        coverage: document.facts.coverage,
    };
    let mut text = serde_json::to_string_pretty(&report).expect("texts, numbers and lists are JSON");
    text.push('\n');
    text
}

fn section(section: &Section) -> SectionOut<'_> {
    SectionOut { id: section.id, title: section.title, facts: &section.facts, tables: section.tables.iter().map(table).collect() }
}

fn table(table: &Table) -> TableOut {
    TableOut {
        id: table.id,
        columns: table.columns.iter().map(|c| c.id).collect(),
        rows: table.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    }
}

fn cell(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Text(text) => text.as_str().into(),
        Cell::Series(key) => key.to_string().into(),
        Cell::Number(number, _) => (*number).into(),
        Cell::Time(at) => at.map(|t| t.rfc3339()).into(),
        Cell::Level(level) => level.name().into(),
    }
}
