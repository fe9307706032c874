//! Lines of means over their lowest and highest, limits, alerts, and what is expected.
//!
//! Invariant: gaps stay gaps, and what is expected is never drawn as what was.

use super::{Anchor, Axis, BOTTOM, Frame, HEIGHT, LEFT, Look, Shape, TOP, path};
use crate::base::Unit;
use crate::model::Bucket;
use crate::report::document::{Line, Lines};
use crate::report::text;

/// Points further apart than this many times the usual distance have a gap between them: one may be missing, two not.
const GAP_TIMES: f64 = 2.5;

/// Where values lie.
struct Scale {
    low: f64,
    high: f64,
    /// Distance of two lines of the grid.
    step: f64,
}

/// Draws grid, lines and marks, in painting order.
pub(super) fn draw(lines: &Lines, frame: &Frame<'_>) -> Vec<Shape> {
    let scale = Scale::new(lines);
    let mut shapes = Vec::new();
    grid(&mut shapes, lines, &scale, frame);
    for (i, line) in lines.lines.iter().enumerate() {
        self::line(&mut shapes, (line, i), &scale, &frame.axis);
        ahead(&mut shapes, (line, i), &scale, &frame.axis);
    }
    for (at, level) in &lines.marks {
        let x = frame.axis.x(*at);
        shapes.push(path(Look::Mark(*level), [(x, TOP), (x, HEIGHT - BOTTOM)]));
    }
    shapes
}

impl Scale {
    fn new(lines: &Lines) -> Self {
        let points = || lines.lines.iter().flat_map(|l| &l.points);
        let ahead = || lines.lines.iter().flat_map(|l| &l.ahead);
        let highest = points().map(|b| b.max).chain(ahead().map(|a| a.high)).fold(0.0, f64::max);
        let lowest = points().map(|b| b.min).chain(ahead().map(|a| a.low)).fold(f64::INFINITY, f64::min);
        // What has a whole is seen beside it; temperatures have no zero worth showing; everything else begins at 0.
        let (low, high) = match (lines.natural, lines.unit) {
            ((Some(least), Some(most)), _) => (least, most),
            (_, Unit::Celsius) => (lowest.min(highest), highest.max(lowest + 1.0)),
            _ => (lowest.min(0.0), highest),
        };
        let (low, high) = if low.is_finite() && high.is_finite() && high > low { (low, high) } else { (0.0, 1.0) };
        let step = nice_step((high - low) / 4.0, matches!(lines.unit, Unit::Bytes | Unit::BytesPerSecond));
        Self { low: (low / step).floor() * step, high: (high / step - 1e-9).ceil() * step, step }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The next of 1, 2, 5 (of 1, 2, 4, … in powers of 1,024 for bytes) that is not below `least`.
fn nice_step(least: f64, binary: bool) -> f64 {
    let base: f64 = if binary { 1024.0 } else { 10.0 };
    let unit = base.powf(least.max(f64::MIN_POSITIVE).log(base).floor());
    let factors: &[f64] =
        if binary { &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 256.0, 512.0, 1024.0] } else { &[1.0, 2.0, 2.5, 5.0, 10.0] };
    factors.iter().map(|f| f * unit).find(|s| *s >= least * (1.0 - 1e-9)).unwrap_or(unit * base)
}

fn grid(shapes: &mut Vec<Shape>, lines: &Lines, scale: &Scale, frame: &Frame<'_>) {
    let across = |look, y| path(look, [(LEFT, y), (frame.axis.right, y)]);
    let n = ((scale.high - scale.low) / scale.step).round().clamp(1.0, 8.0) as u32;
    for i in 0..=n {
        let value = scale.low + f64::from(i) * scale.step;
        let y = scale.y(value);
        shapes.push(across(Look::Grid, y));
        shapes.push(Shape::Word { x: LEFT - 6.0, y: y + 3.5, anchor: Anchor::End, text: axis_label(value, lines.unit) });
    }
    if let Some(limit) = lines.limit.filter(|l| (scale.low..=scale.high).contains(l)) {
        shapes.push(across(Look::Limit, scale.y(limit)));
    }
    shapes.extend(frame.axis.labels(frame.zone, HEIGHT));
}

/// Whole percent and no decimals that are zero: the axis has no room for more.
fn axis_label(value: f64, unit: Unit) -> String {
    let text = if unit == Unit::Ratio { format!("{:.0}%", value * 100.0) } else { text::number(value, unit) };
    text.replace(".0 ", " ").replace(".00", "")
}

fn line(shapes: &mut Vec<Shape>, (line, color): (&Line, usize), scale: &Scale, axis: &Axis) {
    for part in unbroken(&line.points) {
        if part.iter().any(|b| b.max > b.min) {
            let highs = part.iter().map(|b| (axis.x(b.at), scale.y(b.max)));
            let lows = part.iter().rev().map(|b| (axis.x(b.at), scale.y(b.min)));
            shapes.push(path(Look::Band(color), highs.chain(lows).collect::<Vec<_>>()));
        }
        let means: Vec<_> = part.iter().map(|b| (axis.x(b.at), scale.y(b.mean))).collect();
        shapes.push(path(Look::Line(color), means));
    }
}

/// What is expected: its band, and its mean from the newest value on.
fn ahead(shapes: &mut Vec<Shape>, (line, color): (&Line, usize), scale: &Scale, axis: &Axis) {
    if line.ahead.is_empty() {
        return;
    }
    let highs = line.ahead.iter().map(|a| (axis.x(a.at), scale.y(a.high)));
    let lows = line.ahead.iter().rev().map(|a| (axis.x(a.at), scale.y(a.low)));
    shapes.push(path(Look::Band(color), highs.chain(lows).collect::<Vec<_>>()));
    let from = line.points.last().map(|b| (axis.x(b.at), scale.y(b.last)));
    let means = line.ahead.iter().map(|a| (axis.x(a.at), scale.y(a.mean)));
    shapes.push(path(Look::Expected(color), from.into_iter().chain(means).collect::<Vec<_>>()));
}

/// Stretches without a gap.
fn unbroken(points: &[Bucket]) -> Vec<&[Bucket]> {
    let mut distances: Vec<f64> = points.windows(2).map(|w| w[1].at.seconds() - w[0].at.seconds()).collect();
    distances.sort_by(f64::total_cmp);
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(0.0);
    points.chunk_by(|a, b| b.at.seconds() - a.at.seconds() <= usual * GAP_TIMES).collect()
}
