//! Timelines and heat strips.
//!
//! Invariant: what was not observed has no color.

use super::{Anchor, BAR, BOTTOM, Frame, HEIGHT, LEFT, Look, NAMES, Shape, TOP, path};
use crate::report::document::{Heat, Level, Row};
use crate::report::text;

/// Signs of a name that fit before a row.
const NAME: usize = 26;
/// Shades of a heat strip: more are not told apart on paper.
pub(in crate::report) const SHADES: u8 = 5;

fn rectangle(look: Look, (left, top): (f64, f64), (right, bottom): (f64, f64)) -> Shape {
    path(look, [(left, top), (right, top), (right, bottom), (left, bottom)])
}

/// Draws rows of stretches under each other.
pub(super) fn timeline(rows: &[Row], frame: &Frame<'_>) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let mut top = TOP;
    for row in rows {
        let bottom = top + BAR * 0.6;
        shapes.push(rectangle(Look::Empty, (NAMES, top), (frame.axis.right, bottom)));
        for (range, level) in &row.stretches {
            let (left, right) = (frame.axis.x(range.from), frame.axis.x(range.to));
            // A minute of a month is still to be seen.
            shapes.push(rectangle(Look::Stretch(*level), (left, top), (right.max(left + 1.5), bottom)));
        }
        let name = text::clipped(&row.name, NAME);
        shapes.push(Shape::Word { x: NAMES - 8.0, y: top + BAR * 0.3 + 4.0, anchor: Anchor::End, text: name });
        top += BAR;
    }
    shapes.extend(frame.axis.labels(frame.zone, top + BOTTOM));
    shapes
}

/// Draws days beside each other.
pub(super) fn heat(heat: &Heat, frame: &Frame<'_>) -> Vec<Shape> {
    let (n, bottom) = (heat.days.len().max(1) as f64, HEIGHT - BOTTOM);
    let width = (frame.axis.right - LEFT) / n;
    let mut shapes = Vec::new();
    for (day, cells) in heat.cells.iter().enumerate() {
        let height = (bottom - TOP) / cells.len().max(1) as f64;
        let (left, right) = (LEFT + width * day as f64, LEFT + width * (day + 1) as f64 - 1.0);
        for (slot, value) in cells.iter().enumerate() {
            let top = TOP + height * slot as f64;
            let shade = value.map(|v| (v.clamp(0.0, 0.999) * f64::from(SHADES)) as u8);
            let look = shade.map_or(Look::Empty, Look::Heat);
            shapes.push(rectangle(look, (left, top), (right, top + height - 1.0)));
        }
    }
    for (hour, share) in [("00:00", 0.0), ("06:00", 0.25), ("12:00", 0.5), ("18:00", 0.75)] {
        let y = TOP + (bottom - TOP) * share + 9.0;
        shapes.push(Shape::Word { x: LEFT - 6.0, y, anchor: Anchor::End, text: hour.to_owned() });
    }
    // Days whose labels do not touch.
    let every = (super::TIME_LABEL / width).ceil().max(1.0) as usize;
    for (day, at) in heat.days.iter().enumerate().step_by(every) {
        let x = LEFT + width * (day as f64 + 0.5);
        let text = text::local(*at, frame.zone, "%b %-d");
        shapes.push(Shape::Word { x, y: HEIGHT - 6.0, anchor: Anchor::Middle, text });
    }
    shapes
}

/// What the colors of a timeline stand for.
pub(super) fn legend(rows: &[Row]) -> Vec<(Look, String)> {
    let words = [
        (Level::Ok, "up"),
        (Level::Info, "maintenance"),
        (Level::Warning, "warning"),
        (Level::Critical, "down or critical"),
        (Level::Unknown, "unknown"),
    ];
    let used = |level| rows.iter().any(|r| r.stretches.iter().any(|(_, l)| *l == level));
    let mut legend: Vec<_> =
        words.into_iter().filter(|(l, _)| used(*l)).map(|(l, word)| (Look::Stretch(l), word.to_owned())).collect();
    legend.push((Look::Empty, "not observed".to_owned()));
    legend
}
