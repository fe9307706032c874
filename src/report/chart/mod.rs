//! One chart as shapes, which each format paints.
//!
//! Lines, timelines, heat strips and bars; a file each. Invariant: a drawing depends on the chart and the zone alone, and
//! nothing of it lies outside its frame.

mod bars;
mod lines;
mod strips;

use std::time::Duration;

use jiff::tz::TimeZone;

pub(super) use self::strips::SHADES;
use super::document::{Chart, Level, Plot};
use super::text;
use crate::base::{TimeRange, Timestamp};

/// Height of a drawing in user units: the golden ratio flattened to what a list of charts bears.
pub(super) const HEIGHT: f64 = 190.0;
/// Widths: half a page, and all of it with the blank between two charts.
const HALF: f64 = 520.0;
const WHOLE: f64 = 1069.0;
const LEFT: f64 = 62.0;
/// Left edge of the rows of a timeline: their names stand before it.
const NAMES: f64 = 170.0;
/// Height of a row of a timeline.
const BAR: f64 = 22.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;

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

/// Where instants lie.
struct Axis {
    left: f64,
    right: f64,
    range: TimeRange,
}

/// What a chart is drawn in.
struct Frame<'a> {
    axis: Axis,
    zone: &'a TimeZone,
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
    /// A line of what is expected.
    Expected(usize),
    /// A bar, by its place in the legend.
    Bar(usize),
    /// A stretch of a timeline, or a bar whose color says how bad it is.
    Stretch(Level),
    /// A cell of a heat strip, by its shade.
    Heat(u8),
    /// Nothing was observed there.
    Empty,
}

/// Which end of a word its place is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Draws a chart, in painting order.
pub(super) fn draw(chart: &Chart, zone: &TimeZone, width: Width) -> Vec<Shape> {
    let left = if matches!(chart.plot, Plot::Timeline(_)) { NAMES } else { LEFT };
    let frame = Frame { axis: Axis { left, right: width.units() - RIGHT, range: chart.range }, zone };
    match &chart.plot {
        Plot::Lines(lines) => lines::draw(lines, &frame),
        Plot::Timeline(rows) => strips::timeline(rows, &frame),
        Plot::Heat(heat) => strips::heat(heat, &frame),
        Plot::Bars(bars) => bars::draw(bars, &frame),
    }
}

/// Height of a chart's drawing.
pub(super) fn height(chart: &Chart) -> f64 {
    match &chart.plot {
        Plot::Timeline(rows) => TOP + BAR * rows.len() as f64 + BOTTOM,
        Plot::Bars(bars) => TOP + BAR * bars.rows.len() as f64,
        Plot::Lines(_) | Plot::Heat(_) => HEIGHT,
    }
}

/// What each color stands for; a line with its newest value.
pub(super) fn legend(chart: &Chart) -> Vec<(Look, String)> {
    match &chart.plot {
        Plot::Lines(lines) => {
            let named = lines.lines.iter().enumerate().map(|(i, line)| {
                let last = line.points.last().map_or_else(String::new, |b| format!(" {}", text::number(b.last, lines.unit)));
                (Look::Line(i), format!("{}{last}", line.name))
            });
            named.collect()
        }
        Plot::Timeline(rows) => strips::legend(rows),
        Plot::Bars(bars) => bars.names.iter().enumerate().map(|(i, name)| (Look::Bar(i), (*name).to_owned())).collect(),
        Plot::Heat(_) => {
            let shade = |n: u8| (Look::Heat(n), format!("{} – {}%", n * 20, n * 20 + 20));
            (0..SHADES).map(shade).collect()
        }
    }
}

/// What a chart shows, for ears.
pub(super) fn spoken(chart: &Chart) -> String {
    let title = text::clean(&chart.title);
    let joined = |parts: Vec<String>| text::clean(&parts.join(", "));
    match &chart.plot {
        Plot::Lines(_) => {
            let lines = legend(chart).into_iter().map(|(_, name)| name).collect();
            format!("{title} over time. At the end: {}.", joined(lines))
        }
        Plot::Timeline(rows) => format!("{title} over time: {}.", joined(rows.iter().map(|r| r.name.clone()).collect())),
        Plot::Heat(_) => format!("{title} by day and hour."),
        Plot::Bars(bars) => {
            let amounts = |r: &super::document::BarRow| {
                let values: Vec<String> = r.values.iter().map(|v| bars::amount(*v, bars.unit)).collect();
                format!("{} {}", r.name, values.join(" / "))
            };
            format!("{title}: {}.", joined(bars.rows.iter().map(amounts).collect()))
        }
    }
}

/// All names in a chart.
pub(super) fn words(chart: &Chart) -> Vec<String> {
    let mut words: Vec<String> = legend(chart).into_iter().map(|(_, text)| text).collect();
    words.push(chart.title.clone());
    if let Plot::Timeline(rows) = &chart.plot {
        words.extend(rows.iter().map(|r| r.name.clone()));
    }
    if let Plot::Bars(bars) = &chart.plot {
        words.extend(bars.rows.iter().map(|r| r.name.clone()));
    }
    words
}

fn path(look: Look, points: impl Into<Vec<(f64, f64)>>) -> Shape {
    Shape::Path { look, points: points.into() }
}

impl Axis {
    fn x(&self, at: Timestamp) -> f64 {
        let length = self.range.length().as_secs_f64().max(1.0);
        let share = (at.seconds() - self.range.from.seconds()) / length;
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// Instants under a drawing of that height.
    fn labels(&self, zone: &TimeZone, height: f64) -> Vec<Shape> {
        let word = |(at, text): (Timestamp, String)| {
            let x = self.x(at);
            let anchor = if x > self.right - 16.0 { Anchor::End } else { Anchor::Middle };
            Shape::Word { x, y: height - 6.0, anchor, text }
        };
        self.times(zone).into_iter().map(word).collect()
    }

    /// Even steps of local time.
    fn times(&self, zone: &TimeZone) -> Vec<(Timestamp, String)> {
        let length = i64::try_from(self.range.length().as_secs()).unwrap_or(i64::MAX);
        let most = ((self.right - self.left) / TIME_LABEL) as i64;
        let weeks = (length / most / 604_800 + 1).saturating_mul(604_800);
        let step = TIME_STEPS.into_iter().find(|s| length / s <= most).unwrap_or(weeks);
        let format = if step < 86_400 { "%H:%M" } else { "%b %-d" };
        let offset = |at: Timestamp| {
            let instant = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
            i64::from(zone.to_offset(instant).seconds())
        };
        let every = Duration::from_secs(step.unsigned_abs());
        // Steps are whole in local time; where the offset changes within the span, that of each label counts.
        let local = Timestamp(self.range.from.millis() + offset(self.range.from) * 1000).floor(every);
        let steps = (0..=most + 1).map(|i| Timestamp(local.millis() + i * step * 1000));
        let instants =
            steps.map(|local| Timestamp(local.millis() - offset(Timestamp(local.millis() - offset(local) * 1000)) * 1000));
        instants.filter(|at| self.range.contains(*at)).map(|at| (at, text::local(at, zone, format))).collect()
    }
}
