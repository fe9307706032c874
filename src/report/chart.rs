//! One chart as shapes, which each format paints.
//!
//! Lines of means over their minimum–maximum band; gaps stay gaps. Invariant: a drawing depends on the chart and the
//! zone alone, and nothing of it lies outside its frame.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::document::{Chart, Level, Line};
use super::text;
use crate::base::{Timestamp, Unit};
use crate::model::Bucket;

/// Height of a drawing in user units: the golden ratio flattened to what a list of charts bears.
pub(super) const HEIGHT: f64 = 190.0;
/// Widths: half a page, and all of it with the blank between two charts.
const HALF: f64 = 520.0;
const WHOLE: f64 = 1069.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;
/// Points further apart than this many times the usual distance have a gap between them: one may be missing, two not.
const GAP_TIMES: f64 = 2.5;

/// Steps of the time axis, in seconds.
const TIME_STEPS: [i64; 14] = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 604_800];
/// User units that a label of the time axis needs so as not to touch the next.
const TIME_LABEL: f64 = 64.0;

/// How wide a chart is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Half,
    Whole,
}

impl Width {
    /// Charts stand in pairs; the last of an odd number has the page for itself.
    pub(super) fn of(pair: &[Chart]) -> Self {
        if pair.len() == 1 { Self::Whole } else { Self::Half }
    }

    /// In user units.
    pub(super) fn units(self) -> f64 {
        if self == Self::Half { HALF } else { WHOLE }
    }
}

/// Where values and instants lie.
struct Scale {
    right: f64,
    from: Timestamp,
    length: f64,
    low: f64,
    high: f64,
    /// Distance of two lines of the grid.
    step: f64,
}

/// One stroke, area or word of a drawing, in user units.
pub(super) enum Shape {
    /// Points joined by straight lines.
    Path { look: Look, points: Vec<(f64, f64)> },
    /// A word at its baseline.
    Word { x: f64, y: f64, anchor: Anchor, text: String },
}

/// What a path stands for; each format has its own colors for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A line of the grid.
    Grid,
    /// A limit across.
    Limit,
    /// An alert fired.
    Mark(Level),
    /// A line of means, by its place in the legend.
    Line(usize),
    /// The filled span from lowest to highest.
    Band(usize),
}

/// Which end of a word its place is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Middle,
    End,
}

/// Draws a chart: grid, lines, marks, in painting order.
pub(super) fn draw(chart: &Chart, zone: &TimeZone, width: Width) -> Vec<Shape> {
    let scale = Scale::new(chart, width);
    let mut shapes = Vec::new();
    grid(&mut shapes, chart, &scale, zone);
    for (i, line) in chart.lines.iter().enumerate() {
        self::line(&mut shapes, line, i, &scale);
    }
    for (at, level) in &chart.marks {
        let x = scale.x(*at);
        shapes.push(path(Look::Mark(*level), [(x, TOP), (x, HEIGHT - BOTTOM)]));
    }
    shapes
}

/// Name and newest value of each line.
pub(super) fn legend(chart: &Chart) -> impl Iterator<Item = String> {
    chart.lines.iter().map(|line| {
        let last = line.points.last().map_or_else(String::new, |b| format!(" {}", text::number(b.last, chart.unit)));
        format!("{}{last}", line.name)
    })
}

fn path(look: Look, points: impl Into<Vec<(f64, f64)>>) -> Shape {
    Shape::Path { look, points: points.into() }
}

impl Scale {
    fn new(chart: &Chart, width: Width) -> Self {
        let points = || chart.lines.iter().flat_map(|l| &l.points);
        let highest = points().map(|b| b.max).fold(0.0, f64::max);
        let lowest = points().map(|b| b.min).fold(f64::INFINITY, f64::min);
        // What has a whole is seen beside it; temperatures have no zero worth showing; everything else begins at 0.
        let (low, high) = match (chart.natural, chart.unit) {
            ((Some(least), Some(most)), _) => (least, most),
            (_, Unit::Celsius) => (lowest.min(highest), highest.max(lowest + 1.0)),
            _ => (lowest.min(0.0), highest),
        };
        let (low, high) = if low.is_finite() && high.is_finite() && high > low { (low, high) } else { (0.0, 1.0) };
        let step = nice_step((high - low) / 4.0, matches!(chart.unit, Unit::Bytes | Unit::BytesPerSecond));
        let (low, high) = ((low / step).floor() * step, (high / step - 1e-9).ceil() * step);
        let (right, length) = (width.units() - RIGHT, chart.range.length().as_secs_f64().max(1.0));
        Self { right, from: chart.range.from, length, low, high, step }
    }

    fn x(&self, at: Timestamp) -> f64 {
        let share = (at.seconds() - self.from.seconds()) / self.length;
        LEFT + share.clamp(0.0, 1.0) * (self.right - LEFT)
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

fn grid(shapes: &mut Vec<Shape>, chart: &Chart, scale: &Scale, zone: &TimeZone) {
    let across = |look, y| path(look, [(LEFT, y), (scale.right, y)]);
    let lines = ((scale.high - scale.low) / scale.step).round().clamp(1.0, 8.0) as u32;
    for i in 0..=lines {
        let value = scale.low + f64::from(i) * scale.step;
        let y = scale.y(value);
        shapes.push(across(Look::Grid, y));
        let text = axis_label(value, chart.unit);
        shapes.push(Shape::Word { x: LEFT - 6.0, y: y + 3.5, anchor: Anchor::End, text });
    }
    if let Some(limit) = chart.limit.filter(|l| (scale.low..=scale.high).contains(l)) {
        shapes.push(across(Look::Limit, scale.y(limit)));
    }
    for (at, text) in time_labels(chart, scale, zone) {
        let x = scale.x(at);
        let anchor = if x > scale.right - 16.0 { Anchor::End } else { Anchor::Middle };
        shapes.push(Shape::Word { x, y: HEIGHT - 6.0, anchor, text });
    }
}

/// Whole percent and no decimals that are zero: the axis has no room for more.
fn axis_label(value: f64, unit: Unit) -> String {
    let text = if unit == Unit::Ratio { format!("{:.0}%", value * 100.0) } else { text::number(value, unit) };
    text.replace(".0 ", " ").replace(".00", "")
}

/// Even steps of local time.
fn time_labels(chart: &Chart, scale: &Scale, zone: &TimeZone) -> Vec<(Timestamp, String)> {
    let length = i64::try_from(chart.range.length().as_secs()).unwrap_or(i64::MAX);
    let most = ((scale.right - LEFT) / TIME_LABEL) as i64;
    let weeks = (length / most / 604_800 + 1).saturating_mul(604_800);
    let step = TIME_STEPS.into_iter().find(|s| length / s <= most).unwrap_or(weeks);
    let format = if step < 86_400 { "%H:%M" } else { "%b %-d" };
    let offset = |at: Timestamp| {
        let instant = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
        i64::from(zone.to_offset(instant).seconds())
    };
    let every = Duration::from_secs(step.unsigned_abs());
    // Steps are whole in local time; where the offset changes within the span, that of each label counts.
    let local = Timestamp(chart.range.from.millis() + offset(chart.range.from) * 1000).floor(every);
    let steps = (0..=most + 1).map(|i| Timestamp(local.millis() + i * step * 1000));
    let instants = steps.map(|local| Timestamp(local.millis() - offset(Timestamp(local.millis() - offset(local) * 1000)) * 1000));
    instants.filter(|at| chart.range.contains(*at)).map(|at| (at, text::local(at, zone, format))).collect()
}

fn line(shapes: &mut Vec<Shape>, line: &Line, color: usize, scale: &Scale) {
    for part in unbroken(&line.points) {
        if part.iter().any(|b| b.max > b.min) {
            let highs = part.iter().map(|b| (scale.x(b.at), scale.y(b.max)));
            let lows = part.iter().rev().map(|b| (scale.x(b.at), scale.y(b.min)));
            shapes.push(path(Look::Band(color), highs.chain(lows).collect::<Vec<_>>()));
        }
        let means: Vec<_> = part.iter().map(|b| (scale.x(b.at), scale.y(b.mean))).collect();
        shapes.push(path(Look::Line(color), means));
    }
}

/// Stretches without a gap.
fn unbroken(points: &[Bucket]) -> Vec<&[Bucket]> {
    let mut distances: Vec<f64> = points.windows(2).map(|w| w[1].at.seconds() - w[0].at.seconds()).collect();
    distances.sort_by(f64::total_cmp);
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(0.0);
    points.chunk_by(|a, b| b.at.seconds() - a.at.seconds() <= usual * GAP_TIMES).collect()
}
