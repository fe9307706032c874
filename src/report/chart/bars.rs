//! Amounts beside each other, a row each.
//!
//! Invariant: bars begin at zero, so that their lengths compare as their values do.

use super::{Anchor, BAR, Frame, Look, NAMES, Shape, TOP, path};
use crate::base::Unit;
use crate::report::document::Bars;
use crate::report::text;

/// Signs of a name that fit before a row.
const NAME: usize = 26;
/// Room for a value behind the longest bar.
const VALUE: f64 = 74.0;

/// Draws the rows under each other, from left to right: names, bars, values.
pub(super) fn draw(bars: &Bars, frame: &Frame<'_>) -> Vec<Shape> {
    let values = || bars.rows.iter().flat_map(|r| &r.values);
    let (low, high) = (values().copied().fold(0.0, f64::min), values().copied().fold(0.0, f64::max));
    let span = if high > low { high - low } else { 1.0 };
    let right = frame.axis.right - VALUE;
    // Values below zero have theirs before the bar.
    let left = NAMES + if low < 0.0 { VALUE } else { 0.0 };
    let x = |value: f64| left + (value - low) / span * (right - left);
    let mut shapes = Vec::new();
    for (i, row) in bars.rows.iter().enumerate() {
        let top = TOP + BAR * i as f64;
        let height = BAR * 0.7 / row.values.len().max(1) as f64;
        for (n, value) in row.values.iter().enumerate() {
            let (upper, lower) = (top + height * n as f64, top + height * (n + 1) as f64 - 1.0);
            let look = row.level.map_or(Look::Bar(n), Look::Stretch);
            let (from, to) = (x(value.min(0.0)), x(value.max(0.0)).max(x(0.0) + 1.0));
            shapes.push(path(look, [(from, upper), (to, upper), (to, lower), (from, lower)]));
        }
        let middle = top + BAR * 0.35 + 3.5;
        let name = text::clipped(&row.name, NAME);
        shapes.push(Shape::Word { x: NAMES - 8.0, y: middle, anchor: Anchor::End, text: name });
        let (least, most) = (row.values.iter().copied().fold(0.0, f64::min), row.values.iter().copied().fold(0.0, f64::max));
        let shown: Vec<String> = row.values.iter().map(|v| amount(*v, bars.unit)).collect();
        let (at, anchor) =
            if most > 0.0 || least == 0.0 { (x(most) + 6.0, Anchor::Start) } else { (x(least) - 6.0, Anchor::End) };
        shapes.push(Shape::Word { x: at, y: middle, anchor, text: shown.join(" / ") });
    }
    let bottom = TOP + BAR * bars.rows.len() as f64;
    shapes.push(path(Look::Grid, [(x(0.0), TOP - 3.0), (x(0.0), bottom)]));
    shapes
}

/// Shares of less than nothing have their sign; the rest is written as in tables.
pub(super) fn amount(value: f64, unit: Unit) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", text::number(value.abs(), unit))
}
