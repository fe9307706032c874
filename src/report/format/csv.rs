//! CSV: each block under a line `# section` (its facts) or `# section.table`.
//!
//! RFC 4180 with base units and times with the zone's offset. Invariant: no cell is a formula to a
//! spreadsheet, and no text breaks its row.

use crate::report::document::{Cell, Document};
use crate::report::text;

/// What spreadsheets take for the beginning of a formula (OWASP, CSV injection).
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(super) fn write(document: &Document<'_>) -> String {
    let spec = document.spec;
    let mut out = String::new();
    line(&mut out, ["# report".to_owned()]);
    line(&mut out, ["kind", "depth", "from", "to", "host", "coverage"].map(str::to_owned));
    let time = |at| text::local(at, &document.facts.zone, "%Y-%m-%dT%H:%M:%S%:z");
    let coverage = document.facts.coverage.to_string();
    let host = quoted(&document.facts.host.name);
    line(&mut out, [spec.kind.to_string(), spec.depth.to_string(), time(spec.range.from), time(spec.range.to), host, coverage]);
    for section in &document.sections {
        out.push_str("\r\n");
        line(&mut out, [format!("# {}", section.id)]);
        line(&mut out, ["fact", "label", "value", "unit", "exact"].map(str::to_owned));
        for fact in &section.facts {
            let unit = serde_json::to_value(fact.unit).ok().and_then(|u| u.as_str().map(str::to_owned)).unwrap_or_default();
            line(&mut out, [quoted(&fact.id), quoted(&fact.label), number(fact.value), unit, fact.exact.to_string()]);
        }
        for table in &section.tables {
            out.push_str("\r\n");
            line(&mut out, [format!("# {}.{}", section.id, table.id)]);
            line(&mut out, table.columns.iter().map(|c| c.id.to_owned()));
            for row in &table.rows {
                let cell = |cell: &Cell| match cell {
                    Cell::Text(text) => quoted(text),
                    Cell::Series(key) => quoted(&key.to_string()),
                    Cell::Number(value, _) => number(*value),
                    Cell::Time(at) => at.map(time).unwrap_or_default(),
                    Cell::Level(level) => level.name().to_owned(),
                };
                line(&mut out, row.iter().map(cell));
            }
        }
    }
    out
}

fn line(out: &mut String, cells: impl IntoIterator<Item = String>) {
    for (i, cell) in cells.into_iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        out.push_str(&cell);
    }
    out.push_str("\r\n");
}

fn number(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or_else(String::new, |v| v.to_string())
}

/// A text that is one cell and no formula.
fn quoted(text: &str) -> String {
    // `# ` at a line's start would be taken for a block.
    let guard = if text.starts_with(FORMULA_STARTS) || text.starts_with('#') { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        return text.to_owned();
    }
    // Within quotes a line break would be legal, but would let a text begin a line with `# `.
    let one_line: String = text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
    format!("\"{guard}{}\"", one_line.replace('"', "\"\""))
}
