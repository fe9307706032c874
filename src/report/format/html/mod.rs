//! One self-contained page: no script, no request, light and dark, printable.
//!
//! Invariant: every text passes through [`escaped`]; nothing else reaches the page.

mod svg;

use std::fmt::Write as _;

use crate::base::{escape_attribute, format_duration};
use crate::model::Fact;
use crate::report::chart::Width;
use crate::report::document::{Cell, Document, FactsLook, Level, Look, Section, Table};
use crate::report::text;

const STYLE: &str = include_str!("style.css");
/// The page may load and run nothing, whatever a browser finds in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn write(document: &Document<'_>) -> String {
    let host = escaped(&document.facts.host.name);
    let kind = text::capitalized(document.spec.kind.name());
    let mut page = String::with_capacity(64 * 1024);
    page.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    let _ = writeln!(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">");
    let _ = writeln!(page, "<title>{host} · {kind} report · {}</title>", span(document));
    let _ = writeln!(page, "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>");
    header(&mut page, document, &host, &kind);
    for part in &document.sections {
        section(&mut page, document, part);
    }
    page.push_str("<footer>Made by farol. ≈ marks what is not exact: percentiles from sketches (within 1 %) or from means of longer spans. ");
    let _ = writeln!(page, "Times are {}.</footer>", zone(document));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn header(page: &mut String, document: &Document<'_>, host: &str, kind: &str) {
    let _ = writeln!(page, "<header>\n<h1>{kind} report · {host}</h1>");
    let length = format_duration(document.spec.range.length());
    let depth = text::capitalized(document.spec.depth.name());
    let _ = writeln!(page, "<p>{depth}: {} ({length})</p>", span(document));
    let about: Vec<String> = text::about(document.facts).iter().map(|a| escaped(a)).collect();
    let _ = writeln!(page, "<p class=\"dim\">{}</p>\n</header>", about.join(" · "));
}

fn span(document: &Document<'_>) -> String {
    let range = document.spec.range;
    let time = |at| escaped(&text::local(at, &document.facts.zone, "%Y-%m-%d %H:%M"));
    format!("{} – {} {}", time(range.from), time(range.to), zone(document))
}

fn zone(document: &Document<'_>) -> String {
    escaped(&format!("UTC{}", text::local(document.spec.range.to, &document.facts.zone, "%:z")))
}

fn section(page: &mut String, document: &Document<'_>, section: &Section) {
    let _ = writeln!(page, "<section id=\"{}\">\n<h2>{}</h2>", section.id, escaped(section.title));
    // Sentences first: figures are for those who want to know more.
    let (sentences, grids): (Vec<_>, Vec<_>) = section.tables.iter().partition(|t| t.look == Look::Statements);
    sentences.into_iter().for_each(|t| statements(page, t));
    if section.facts_look == FactsLook::Tiles && !section.facts.is_empty() {
        page.push_str("<div class=\"tiles\">\n");
        section.facts.iter().for_each(|f| tile(page, f));
        page.push_str("</div>\n");
    }
    if !section.charts.is_empty() {
        page.push_str("<div class=\"charts\">\n");
        for pair in section.charts.chunks(2) {
            pair.iter().for_each(|c| svg::figure(page, c, &document.facts.zone, Width::of(pair)));
        }
        page.push_str("</div>\n");
    }
    grids.into_iter().for_each(|t| grid(page, document, t));
    page.push_str("</section>\n");
}

fn tile(page: &mut String, fact: &Fact) {
    let about = if fact.exact { "" } else { "≈ " };
    let value = fact.value.map_or_else(|| "–".to_owned(), |v| format!("{about}{}", text::number(v, fact.unit)));
    let _ = writeln!(page, "<dl><dt>{}</dt><dd>{}</dd></dl>", escaped(&fact.label), escaped(&value));
}

fn statements(page: &mut String, table: &Table) {
    if !table.title.is_empty() {
        let _ = writeln!(page, "<h3>{}</h3>", escaped(table.title));
    }
    if table.rows.is_empty() {
        let _ = writeln!(page, "<p class=\"dim\">{}</p>", escaped(table.empty));
        return;
    }
    page.push_str("<ul class=\"lines\">\n");
    let (shown, left_out) = table.shown(usize::MAX);
    for row in shown {
        let [Cell::Level(level), Cell::Text(what), Cell::Text(because), how @ ..] = row.as_slice() else { continue };
        let mut aside =
            if because.is_empty() { String::new() } else { format!("<span class=\"because\">{}</span>", escaped(because)) };
        if let [Cell::Text(how)] = how {
            let _ = write!(aside, "<code>{}</code>", escaped(how));
        }
        let _ = writeln!(page, "<li class=\"{}\">{}<span>{}{aside}</span></li>", level.name(), glyph(*level), escaped(what));
    }
    page.push_str("</ul>\n");
    if left_out > 0 {
        let _ = writeln!(page, "<p class=\"dim\">{}</p>", escaped(&text::left_out(left_out)));
    }
}

fn glyph(level: Level) -> String {
    format!("<span class=\"glyph\" role=\"img\" aria-label=\"{}\">{}</span>", level.name(), level.glyph())
}

fn grid(page: &mut String, document: &Document<'_>, table: &Table) {
    if !table.title.is_empty() {
        let _ = writeln!(page, "<h3>{}</h3>", escaped(table.title));
    }
    if table.rows.is_empty() {
        let _ = writeln!(page, "<p class=\"dim\">{}</p>", escaped(table.empty));
        return;
    }
    page.push_str("<div class=\"scroll\">\n<table>\n<thead><tr>");
    for (i, column) in table.columns.iter().enumerate() {
        let numeric = table.rows.iter().any(|row| matches!(row.get(i), Some(Cell::Number(..))));
        let _ = write!(page, "<th{}>{}</th>", if numeric { " class=\"n\"" } else { "" }, escaped(column.title));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    let (shown, left_out) = table.shown(usize::MAX);
    for row in shown {
        page.push_str("<tr>");
        row.iter().for_each(|c| cell(page, document, c));
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
    if left_out > 0 {
        let _ = writeln!(page, "<p class=\"dim\">{}</p>", escaped(&text::left_out(left_out)));
    }
}

fn cell(page: &mut String, document: &Document<'_>, cell: &Cell) {
    let _ = match cell {
        Cell::Text(text) => write!(page, "<td>{}</td>", escaped(text)),
        Cell::Series(key) => write!(page, "<td>{}</td>", escaped(&text::series(key))),
        Cell::Number(value, unit) => {
            let shown = value.filter(|v| v.is_finite()).map_or_else(|| "–".to_owned(), |v| text::number(v, *unit));
            write!(page, "<td class=\"n\">{}</td>", escaped(&shown))
        }
        Cell::Time(at) => {
            let shown = at.map_or_else(|| "–".to_owned(), |t| text::local(t, &document.facts.zone, "%b %-d %H:%M:%S"));
            write!(page, "<td class=\"t\">{}</td>", escaped(&shown))
        }
        Cell::Level(level) => write!(page, "<td class=\"l {}\">{}</td>", level.name(), glyph(*level)),
    };
}

/// A text that is only a text, between tags and within quotes.
fn escaped(text: &str) -> String {
    escape_attribute(&text::clean(text))
}
