//! PDF/UA-1: real text in embedded fonts, vector charts, outline, tags.
//!
//! The document is laid out first ([`sheet`]), then written ([`file`]). Invariant: the same document gives the same
//! bytes; no clock is asked, and fonts of the machine come with the facts.

mod bidi;
mod figure;
mod file;
mod ink;
mod sheet;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use ink::covered;
use ink::{CARD, DIM, Faces, Has, STRONG, Style, TEXT};
use sheet::{LEFT, Mark, Op, Sheet, Tag, WIDTH, rectangle};

use crate::base::format_duration;
use crate::model::Fact;
use crate::report::document::{Cell, Document, FactsLook, Look, Section, Table};
use crate::report::{chart, text};

const TITLE: Style = Style::bold(19.0, STRONG);
const HEADING: Style = Style::bold(12.5, STRONG);
const SUBHEADING: Style = Style::bold(9.0, STRONG);
const WORDS: Style = Style::regular(9.0, TEXT);
const ASIDE: Style = Style::regular(8.0, DIM);
/// Figures beside each other in a row: four, or three where that leaves no hole.
const TILES: usize = 4;
const TILE: Style = Style::regular(7.5, DIM);
/// A tile with one line of label; each more is a line higher.
const TILE_HEIGHT: f32 = 32.0;
/// A row of tiles, or a table's head and its first row.
const ROW_ROOM: f32 = 70.0;

pub(super) fn write(document: &Document<'_>) -> Vec<u8> {
    let foreign = foreign_signs(document);
    let mut sheet = Sheet::new(Faces::new(&document.facts.fonts, &foreign));
    heading(&mut sheet, document);
    if foreign.iter().any(|c| sheet.faces.has(*c) == Has::Nobody) {
        let note = "Signs that no font here has are shown as their code points, [U+…]; what is copied is the sign.";
        sheet.paragraph(ASIDE, note);
    }
    for part in &document.sections {
        sheet.within(Tag::Section, |sheet| section(sheet, document, part));
    }
    file::write(document, sheet)
}

/// Signs of a document that the own faces have not.
pub fn foreign_signs(document: &Document<'_>) -> BTreeSet<char> {
    let own = Faces::new(&[], &BTreeSet::new());
    let mut texts = vec![title(document)];
    texts.extend(text::about(document.facts));
    for part in &document.sections {
        texts.extend(part.facts.iter().map(|f| f.label.clone()));
        texts.extend(part.charts.iter().flat_map(chart::words));
        let cells = part.tables.iter().flat_map(|t| &t.rows).flatten();
        texts.extend(cells.filter_map(|cell| match cell {
            Cell::Text(text) => Some(text.clone()),
            Cell::Series(key) => Some(text::series(key)),
            Cell::Number(..) | Cell::Time(_) | Cell::Level(_) => None,
        }));
    }
    let clean = texts.iter().map(|t| text::clean(t)).collect::<String>();
    clean.chars().filter(|c| own.has(*c) == Has::Nobody).collect()
}

/// What the report is, of whom and of when.
pub(super) fn title(document: &Document<'_>) -> String {
    let kind = text::capitalized(document.spec.kind.name());
    text::clean(&format!("{kind} report · {}", document.facts.host.name))
}

/// The span in the zone of the report.
pub(super) fn span(document: &Document<'_>) -> String {
    let range = document.spec.range;
    let time = |at| text::local(at, &document.facts.zone, "%Y-%m-%d %H:%M");
    format!("{} – {} UTC{}", time(range.from), time(range.to), text::local(range.to, &document.facts.zone, "%:z"))
}

fn heading(sheet: &mut Sheet, document: &Document<'_>) {
    headline(sheet, 1, TITLE, &title(document));
    let depth = text::capitalized(document.spec.depth.name());
    sheet.paragraph(WORDS, &format!("{depth}: {} ({})", span(document), format_duration(document.spec.range.length())));
    sheet.paragraph(ASIDE, &text::about(document.facts).join(" · "));
    sheet.paragraph(ASIDE, "≈ marks what is not exact: percentiles from sketches (within 1 %) or from means of longer spans.");
}

fn headline(sheet: &mut Sheet, level: u16, style: Style, words: &str) {
    let words = text::clean(words);
    let lines = sheet.faces.wrap(&words, style, WIDTH);
    sheet.marks.push(Mark { title: words.clone(), page: sheet.page(), y: sheet.y });
    sheet.open(Tag::Heading(level, words));
    for line in lines {
        let y = sheet.y + style.size;
        sheet.line((LEFT, y), style, &line);
        sheet.y += style.leading();
    }
    sheet.close();
}

fn section(sheet: &mut Sheet, document: &Document<'_>, section: &Section) {
    sheet.y += 12.0;
    // A heading stays with what it heads.
    let first = if section.charts.is_empty() || sentences(section) { ROW_ROOM } else { figure::ROOM };
    sheet.make_room(HEADING.leading() + first);
    headline(sheet, 2, HEADING, section.title);
    sheet.y += 2.0;
    let (sentences, grids): (Vec<_>, Vec<_>) = section.tables.iter().partition(|t| t.look == Look::Statements);
    sentences.into_iter().for_each(|t| statements(sheet, t));
    if section.facts_look == FactsLook::Tiles && !section.facts.is_empty() {
        tiles(sheet, &section.facts);
    }
    figure::draw(sheet, document, &section.charts);
    for grid in grids {
        subheading(sheet, grid.title);
        if grid.rows.is_empty() {
            sheet.paragraph(ASIDE, grid.empty);
        } else {
            table::draw(sheet, document, grid);
        }
    }
}

/// The title of a table, where it has one.
fn subheading(sheet: &mut Sheet, title: &str) {
    if !title.is_empty() {
        sheet.y += 4.0;
        sheet.make_room(SUBHEADING.leading() + 40.0);
        let y = sheet.y + SUBHEADING.size;
        sheet.within(Tag::Heading(3, title.to_owned()), |s| s.line((LEFT, y), SUBHEADING, title));
        sheet.y += SUBHEADING.leading() + 2.0;
    }
}

/// Whether a section begins with something smaller than a chart.
fn sentences(section: &Section) -> bool {
    section.facts_look == FactsLook::Tiles || section.tables.iter().any(|t| t.look == Look::Statements)
}

/// Sentences, each on the ground of its level with its sign before it.
fn statements(sheet: &mut Sheet, table: &Table) {
    subheading(sheet, table.title);
    if table.rows.is_empty() {
        sheet.paragraph(ASIDE, table.empty);
        return;
    }
    sheet.open(Tag::List);
    let (shown, left_out) = table.shown(usize::MAX);
    for row in shown {
        let [Cell::Level(level), Cell::Text(what), Cell::Text(because), how @ ..] = row.as_slice() else { continue };
        let wrap = |sheet: &Sheet, text: &str, style| {
            let text = text::clean(text);
            sheet.faces.wrap(&text, style, WIDTH - 30.0)
        };
        let what = wrap(sheet, what, WORDS);
        let mut because = if because.is_empty() { Vec::new() } else { wrap(sheet, because, ASIDE) };
        if let [Cell::Text(how)] = how {
            because.extend(wrap(sheet, &format!("→ {how}"), ASIDE));
        }
        let height = what.len() as f32 * WORDS.leading() + because.len() as f32 * ASIDE.leading() + 7.0;
        sheet.make_room(height + 3.0);
        let top = sheet.y;
        let ground = Op::Area { points: rectangle(LEFT, top, WIDTH, height), color: ink::ground(*level), opacity: 1.0 };
        sheet.decorate(vec![ground]);
        sheet.open(Tag::Item);
        let sign = Style::bold(WORDS.size, ink::of(*level));
        sheet.within(Tag::Label, |s| s.line((LEFT + 7.0, top + 3.0 + WORDS.size), sign, level.glyph()));
        sheet.open(Tag::Body);
        let mut y = top + 3.0;
        for (lines, style) in [(&what, WORDS), (&because, ASIDE)] {
            for line in lines {
                sheet.line((LEFT + 22.0, y + style.size), style, line);
                y += style.leading();
            }
        }
        sheet.close();
        sheet.close();
        sheet.y = top + height + 3.0;
    }
    sheet.close();
    if left_out > 0 {
        sheet.paragraph(ASIDE, &text::left_out(left_out));
    }
    sheet.y += 3.0;
}

fn tiles(sheet: &mut Sheet, facts: &[Fact]) {
    let columns =
        if facts.len() > TILES && !facts.len().is_multiple_of(TILES) && facts.len().is_multiple_of(3) { 3 } else { TILES };
    let width = (WIDTH - 6.0 * (columns - 1) as f32) / columns as f32;
    sheet.open(Tag::List);
    for row in facts.chunks(columns) {
        let labels: Vec<Vec<String>> =
            row.iter().map(|fact| sheet.faces.wrap(&text::clean(&fact.label), TILE, width - 14.0)).collect();
        let more = (labels.iter().map(Vec::len).max().unwrap_or(1) - 1) as f32 * TILE.leading();
        sheet.make_room(TILE_HEIGHT + more + 6.0);
        for (i, (fact, label)) in row.iter().zip(labels).enumerate() {
            let x = LEFT + i as f32 * (width + 6.0);
            let top = sheet.y;
            let ground = rectangle(x, top, width, TILE_HEIGHT + more);
            sheet.decorate(vec![Op::Area { points: ground, color: CARD, opacity: 1.0 }]);
            let about = if fact.exact { "" } else { "≈ " };
            let value = fact.value.map_or_else(|| "–".to_owned(), |v| format!("{about}{}", text::number(v, fact.unit)));
            sheet.open(Tag::Item);
            sheet.within(Tag::Label, |s| {
                let lines = label.iter().enumerate();
                lines.for_each(|(n, line)| s.line((x + 7.0, top + 11.0 + n as f32 * TILE.leading()), TILE, line));
            });
            sheet.within(Tag::Body, |s| s.line((x + 7.0, top + more + 25.0), Style::bold(11.5, STRONG), &value));
            sheet.close();
        }
        sheet.y += TILE_HEIGHT + more + 6.0;
    }
    sheet.close();
    sheet.y += 2.0;
}
