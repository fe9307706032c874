//! Charts, two beside each other; the last of an odd number over the whole width.
//!
//! Invariant: a chart is one figure with words for those who cannot see it.

use super::ink::{CARD, Color, DIM, LINE, LINES, STRONG, Style, WARNING, of};
use super::sheet::{LEFT, Op, Sheet, Tag, WIDTH, rectangle};
use crate::report::chart::{self, Anchor, Look, Shape, Width};
use crate::report::document::{Chart, Document};
use crate::report::text;

/// Blank between two charts.
const GAP: f32 = 14.0;
const CHART: f32 = (WIDTH - GAP) / 2.0;
/// A row of charts with its titles and one row of legends.
pub(super) const ROOM: f32 = 121.0;
const TITLE: Style = Style::bold(8.5, STRONG);
const LEGEND: Style = Style::regular(7.0, DIM);

/// Draws the charts of a section; moves on.
pub(super) fn draw(sheet: &mut Sheet, document: &Document<'_>, charts: &[Chart]) {
    for pair in charts.chunks(2) {
        let drawn = Width::of(pair);
        let width = if drawn == Width::Half { CHART } else { WIDTH };
        let scale = width / drawn.units() as f32;
        let legends: Vec<Vec<Vec<Entry>>> = pair.iter().map(|c| legend(sheet, c, width)).collect();
        let rows = legends.iter().map(Vec::len).max().unwrap_or(0) as f32;
        let drawing = pair.iter().map(chart::height).fold(0.0, f64::max) as f32 * scale;
        let height = TITLE.leading() + rows * LEGEND.leading() + drawing + 10.0;
        sheet.make_room(height);
        let top = sheet.y;
        for (i, (chart, legend)) in pair.iter().zip(&legends).enumerate() {
            let x = LEFT + i as f32 * (CHART + GAP);
            let y = top + TITLE.leading() + rows * LEGEND.leading();
            let frame = [x, top, x + width, y + drawing];
            sheet.open(Tag::Figure(chart::spoken(chart), sheet.page(), frame));
            let mut ops = vec![Op::Text { x, y: top + TITLE.size, style: TITLE, text: chart.title.clone() }];
            legend_ops(&mut ops, legend, (x, top + TITLE.leading()));
            ops.extend(chart::draw(chart, &document.facts.zone, drawn).iter().map(|s| op(sheet, s, (x, y), scale)));
            sheet.paint(ops);
            sheet.close();
        }
        sheet.y = top + height;
    }
}

/// A line's place in the legend: its color, where it begins, and its words.
struct Entry {
    look: Look,
    x: f32,
    text: String,
}

/// The legend in rows no wider than the chart.
fn legend(sheet: &Sheet, chart: &Chart, most: f32) -> Vec<Vec<Entry>> {
    let mut rows: Vec<Vec<Entry>> = vec![Vec::new()];
    let mut x = 0.0;
    for (look, name) in chart::legend(chart) {
        let name = text::clean(&name);
        let lines = sheet.faces.wrap(&name, LEGEND, most - 12.0);
        let text = lines.into_iter().next().unwrap_or_default();
        let width = sheet.faces.width(&text, LEGEND) + 22.0;
        if x > 0.0 && x + width > most {
            rows.push(Vec::new());
            x = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push(Entry { look, x, text });
        }
        x += width;
    }
    rows
}

fn legend_ops(ops: &mut Vec<Op>, rows: &[Vec<Entry>], (left, top): (f32, f32)) {
    for (i, row) in rows.iter().enumerate() {
        let y = top + i as f32 * LEGEND.leading() + LEGEND.size;
        for entry in row {
            let x = left + entry.x;
            let middle = y - LEGEND.size * 0.35;
            let area = |color| Op::Area { points: rectangle(x, middle - 2.5, 9.0, 5.0), color, opacity: 1.0 };
            let points = vec![(x, middle), (x + 9.0, middle)];
            ops.push(match entry.look {
                Look::Bar(i) => area(line_color(i)),
                Look::Stretch(level) => area(of(level)),
                Look::Heat(shade) => area(heat(shade)),
                Look::Empty => area(LINE),
                Look::Line(i) | Look::Expected(i) | Look::Band(i) => {
                    Op::Stroke { points, color: line_color(i), width: 2.0, dash: None }
                }
                Look::Grid | Look::Limit | Look::Mark(_) => Op::Stroke { points, color: DIM, width: 2.0, dash: None },
            });
            ops.push(Op::Text { x: x + 12.0, y, style: LEGEND, text: entry.text.clone() });
        }
    }
}

fn op(sheet: &Sheet, shape: &Shape, (x0, y0): (f32, f32), scale: f32) -> Op {
    let at = |(x, y): (f64, f64)| (x0 + x as f32 * scale, y0 + y as f32 * scale);
    match shape {
        Shape::Word { x, y, anchor, text } => {
            let style = Style::regular(6.5, DIM);
            let width = sheet.faces.width(text, style);
            let (x, y) = at((*x, *y));
            let x = match anchor {
                Anchor::Start => x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            Op::Text { x, y, style, text: text.clone() }
        }
        Shape::Path { look, points } => {
            let points: Vec<_> = points.iter().copied().map(at).collect();
            match look {
                Look::Grid => Op::Stroke { points, color: LINE, width: 0.5, dash: None },
                Look::Limit => Op::Stroke { points, color: WARNING, width: 0.6, dash: Some([1.0, 2.5]) },
                Look::Mark(level) => Op::Stroke { points, color: of(*level), width: 0.7, dash: Some([2.5, 1.8]) },
                Look::Line(i) => Op::Stroke { points, color: line_color(*i), width: 0.9, dash: None },
                Look::Band(i) => Op::Area { points, color: line_color(*i), opacity: 0.16 },
                Look::Expected(i) => Op::Stroke { points, color: line_color(*i), width: 0.9, dash: Some([2.0, 2.0]) },
                Look::Bar(i) => Op::Area { points, color: line_color(*i), opacity: 1.0 },
                Look::Stretch(level) => Op::Area { points, color: of(*level), opacity: 0.8 },
                Look::Heat(shade) => Op::Area { points, color: heat(*shade), opacity: 1.0 },
                Look::Empty => Op::Area { points, color: CARD, opacity: 1.0 },
            }
        }
    }
}

fn line_color(line: usize) -> Color {
    LINES.get(line).copied().unwrap_or(DIM)
}

/// From nearly white to the color of the first line.
fn heat(shade: u8) -> Color {
    let [full, ..] = LINES;
    let share = f32::from(shade + 1) / f32::from(chart::SHADES);
    full.map(|part| (255.0 - (255.0 - f32::from(part)) * share) as u8)
}
