//! Scales of charts: what a row stands for, what a column stands for, and their labels.
//!
//! Labels of values are steps of the unit shown in the title; labels of time are even steps of local
//! time. Invariant: no two labels touch; of two that would, the less important one is left out.

use std::time::Duration;

use crate::ui::format::Clock;
use ratatui::buffer::Buffer;

use super::text::{width, write};
use super::units::{Shown, Units};
use super::{Ink, Role};
use crate::base::units::plain;
use crate::base::{Timestamp, Unit};

/// Rows of a chart in a unit: `lo` at the bottom, `hi` at the top, and how both are said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Value of the bottom, in the metric's base unit.
    pub lo: f64,
    /// Value of the top.
    pub hi: f64,
    /// Base units in one of the unit shown.
    pub factor: f64,
    /// Added to a value in the unit shown; 0 but for °F.
    pub offset: f64,
    /// The unit shown (`MiB/s`), as it stands in the title.
    pub unit: &'static str,
    /// How values are spread over the rows.
    pub curve: Curve,
}

/// How values are spread over the rows of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Curve {
    /// Equal differences take equal room.
    #[default]
    Linear,
    /// Equal ratios take equal room.
    Log,
}

/// Powers of ten a logarithmic scale shows below its top: from a thousand times less on nothing is told apart.
const DECADES: f64 = 1000.0;

/// Tops that read well, as multiples of a power of ten.
const ROUND: [f64; 9] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];

impl Scale {
    /// 0–100 %.
    pub const SHARE: Self = Self { lo: 0.0, hi: 1.0, factor: 0.01, offset: 0.0, unit: "%", curve: Curve::Linear };

    /// From 0 to a round number not below `max`; flows share one for both halves.
    pub fn rounded(units: Units, unit: Unit, max: f64) -> Self {
        // A flow of nothing still has a scale: one of the unit's kilo step, one second, one thing.
        let least = match unit {
            Unit::Ratio => 0.01,
            Unit::Bytes | Unit::BytesPerSecond => 1024.0,
            Unit::BitsPerSecond | Unit::Hertz => 1000.0,
            Unit::Seconds => 0.001,
            _ => 1.0,
        };
        let max = if max.is_finite() { max.max(least) } else { least };
        let Shown { factor, offset, name } = units.shown_in(unit, max);
        let power = 10_f64.powf((max / factor).log10().floor());
        let top = ROUND.iter().map(|r| r * power).find(|t| *t * factor >= max * 0.999).unwrap_or(10.0 * power);
        Self { lo: 0.0, hi: top * factor, factor, offset, unit: name, curve: Curve::Linear }
    }

    /// The same values on a logarithmic scale of three powers of ten.
    #[must_use]
    pub fn log(self) -> Self {
        let lo = if self.lo > 0.0 { self.lo } else { self.hi / DECADES };
        Self { lo, curve: Curve::Log, ..self }
    }

    /// Around values that need not start at 0, for a line without an area.
    pub fn around(units: Units, unit: Unit, lo: f64, hi: f64) -> Self {
        let Shown { factor, offset, name } = units.shown_in(unit, hi);
        let (lo, hi) = (lo / factor + offset, hi / factor + offset);
        let span = (hi - lo).max(1e-9);
        let power = 10_f64.powf(span.log10().floor());
        let step = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|s| span / s <= 6.0).unwrap_or(power);
        let bottom = ((lo - span * 0.1) / step).floor() * step;
        let top = ((hi + span * 0.1) / step).ceil() * step;
        let limit = if matches!(unit, Unit::Ratio) { 100.0 } else { f64::INFINITY };
        Self {
            lo: (bottom.max(0.0) - offset) * factor,
            hi: (top.min(limit).max(bottom.max(0.0) + step) - offset) * factor,
            factor,
            offset,
            unit: name,
            curve: Curve::Linear,
        }
    }

    /// Share of the height at which a value lies, 0–1; outside values at the nearer end.
    pub fn share(&self, value: f64) -> f64 {
        let span = self.hi - self.lo;
        if span <= 0.0 || !value.is_finite() {
            return 0.0;
        }
        match self.curve {
            Curve::Linear => ((value - self.lo) / span).clamp(0.0, 1.0),
            Curve::Log if value > 0.0 && self.lo > 0.0 => ((value / self.lo).ln() / (self.hi / self.lo).ln()).clamp(0.0, 1.0),
            Curve::Log => 0.0,
        }
    }

    /// A value as a label: the number in the unit shown.
    pub fn label(&self, value: f64) -> String {
        plain(((value / self.factor + self.offset) * 1000.0).round() / 1000.0)
    }
}

/// A label beside a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueLabel {
    /// Where, in the metric's unit.
    pub value: f64,
    /// What it says.
    pub text: String,
    /// How it is colored.
    pub role: Role,
}

/// Labels of a scale for a chart `rows` high: top, middle and bottom as there is room.
pub fn value_labels(scale: &Scale, rows: u16) -> Vec<ValueLabel> {
    let percent = if scale.unit == "%" { "%" } else { "" };
    let top = (scale.hi, format!("{}{percent}", scale.label(scale.hi)));
    // Only a bottom that is not 0 needs its unit again.
    let bottom = (scale.lo, format!("{}{}", scale.label(scale.lo), if scale.lo > 0.0 { percent } else { "" }));
    let middle = match scale.curve {
        Curve::Linear => f64::midpoint(scale.lo, scale.hi),
        Curve::Log => (scale.lo * scale.hi).max(0.0).sqrt(),
    };
    let mut labels = vec![top];
    if rows >= 3 {
        labels.push(bottom);
    }
    if rows >= 6 {
        labels.push((middle, scale.label(middle)));
    }
    labels.into_iter().map(|(value, text)| ValueLabel { value, text, role: Role::Dim }).collect()
}

/// Draws labels right-aligned before column `right`; of two for one row the first stays.
pub fn draw_values(
    ink: &Ink,
    buf: &mut Buffer,
    (left, right): (u16, u16),
    rows: (u16, u16),
    scale: &Scale,
    labels: &[ValueLabel],
) {
    let (top, height) = rows;
    let mut taken: u128 = 0;
    for label in labels.iter().filter(|_| height > 0) {
        let up = (scale.share(label.value) * (f64::from(height) - 0.01)) as u16;
        let row = height - 1 - up.min(height - 1);
        let bit = 1_u128 << row.min(127);
        let wide = width(&label.text);
        if taken & bit == 0 && left + wide <= right {
            taken |= bit;
            write(buf, (right - wide, top + row), right, &label.text, ink.style(label.role));
        }
    }
}

/// Columns of a chart in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeScale {
    /// Instant of the left edge.
    pub from: Timestamp,
    /// Time of half a column: of one braille dot.
    pub bin: Duration,
    /// Columns that lie in the past; `now` is at the next one.
    pub past: u16,
}

impl TimeScale {
    /// Half columns from the left edge to an instant; negative before it.
    pub fn halves(&self, at: Timestamp) -> i64 {
        let bin = i64::try_from(self.bin.as_millis()).unwrap_or(i64::MAX).max(1);
        at.0.saturating_sub(self.from.0).div_euclid(bin)
    }

    /// The column of an instant, where it lies in a chart `width` columns wide.
    pub fn column(&self, at: Timestamp, width: u16) -> Option<u16> {
        u16::try_from(self.halves(at).div_euclid(2)).ok().filter(|c| *c < width)
    }

    /// The instant at which a column begins.
    pub fn at(&self, column: u16) -> Timestamp {
        self.from + self.bin * (2 * u32::from(column))
    }
}

/// Even steps of local time, in seconds.
const STEPS: [i64; 23] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 345_600,
    604_800, 2_592_000,
];

/// A local time as a label for steps of that many seconds.
pub fn time_label(at: Timestamp, zone: &Clock, step: i64) -> String {
    let Ok(instant) = jiff::Timestamp::from_millisecond(at.0) else { return String::new() };
    let local = zone.zone.to_offset(instant).to_datetime(instant);
    let form = if step >= 86_400 {
        "%b %-d"
    } else if step < 60 {
        zone.seconds()
    } else {
        zone.minutes()
    };
    local.strftime(form).to_string()
}

/// Milliseconds since 1970 of a moment at which a local day begins.
fn local_midnight(near: Timestamp, zone: &Clock) -> i64 {
    let offset = jiff::Timestamp::from_millisecond(near.0).map_or(0, |t| i64::from(zone.zone.to_offset(t).seconds()) * 1000);
    near.0.saturating_add(offset).div_euclid(86_400_000) * 86_400_000 - offset
}

/// A label on the time axis that must be there: `now`, the cursor, the moment an alert fired.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeLabel {
    /// Which column.
    pub column: u16,
    /// What it says.
    pub text: String,
    /// How it is colored; always bold.
    pub role: Role,
}

/// Draws the time axis in row `y` from column `x` on: `fixed` labels by importance, then even steps of local time where they touch none.
pub fn draw_time(
    ink: &Ink,
    buf: &mut Buffer,
    (x, y): (u16, u16),
    width_: u16,
    time: &TimeScale,
    zone: &Clock,
    fixed: &[TimeLabel],
) {
    let mut taken: Vec<(u16, u16)> = Vec::with_capacity(12);
    let place = |buf: &mut Buffer, taken: &mut Vec<(u16, u16)>, (column, must): (u16, bool), text: &str, style| {
        let wide = width(text);
        if wide > width_ || column >= width_ {
            return;
        }
        let middle = column.saturating_sub(wide / 2).min(width_ - wide);
        // Two columns between labels, so that they never read as one; a label that must be there may move to one side of its column.
        let free = |start: &u16| taken.iter().all(|(a, b)| *start >= b + 2 || start + wide + 2 <= *a);
        let sides = [column.saturating_sub(wide.saturating_sub(1)), column.min(width_ - wide)];
        let starts = [middle].into_iter().chain(sides.into_iter().filter(|_| must));
        if let Some(start) = starts.into_iter().find(free) {
            taken.push((start, start + wide));
            write(buf, (x + start, y), x + width_, text, style);
        }
    };
    for label in fixed {
        place(buf, &mut taken, (label.column, true), &label.text, ink.bold(label.role));
    }
    let column_ms = i64::try_from(time.bin.as_millis()).unwrap_or(i64::MAX).saturating_mul(2).max(1);
    // A label and the room after it take about twelve columns.
    let wanted = column_ms.saturating_mul(12) / 1000;
    let step = STEPS.into_iter().find(|s| *s >= wanted).unwrap_or(2_592_000);
    // Below a day steps are counted from now, so that a label is as far ahead as one is back and none moves between minutes.
    let anchor = if time.past < width_ && step < 86_400 { time.at(time.past).0 } else { local_midnight(time.from, zone) };
    let first = anchor + (time.from.0.saturating_sub(anchor)).div_euclid(step * 1000) * step * 1000;
    for i in 0..64 {
        let at = Timestamp(first.saturating_add(i * step * 1000));
        // The right edge itself belongs to the axis.
        if let Some(column) = time.column(at, width_.saturating_add(1)) {
            place(
                buf,
                &mut taken,
                (column.min(width_.saturating_sub(1)), false),
                &time_label(at, zone, step),
                ink.style(Role::Dim),
            );
        } else if at > time.from {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::ink::tests::dark;
    use proptest::prelude::*;
    use ratatui::layout::Rect;

    #[test]
    fn tops_are_round_in_the_unit_shown() {
        let scale = Scale::rounded(Units::default(), Unit::BytesPerSecond, 9.8 * 1_048_576.0);
        assert_eq!((scale.label(scale.hi).as_str(), scale.unit), ("10", "MiB/s"));
        let scale = Scale::rounded(Units::default(), Unit::BytesPerSecond, 0.0);
        assert_eq!((scale.label(scale.hi).as_str(), scale.unit), ("1", "KiB/s"));
        let scale = Scale::rounded(Units::default(), Unit::Seconds, 2.4);
        assert_eq!((scale.label(scale.hi).as_str(), scale.unit), ("3,000", "ms"));
    }

    #[test]
    fn a_line_without_an_area_may_start_above_zero() {
        let scale = Scale::around(Units::default(), Unit::Ratio, 0.70, 0.92);
        assert!(scale.lo >= 0.5 && scale.lo <= 0.70 && scale.hi <= 1.0 && scale.hi >= 0.92, "{scale:?}");
        assert_eq!(value_labels(&scale, 15)[0].text.chars().last(), Some('%'));
    }

    proptest! {
        #[test]
        fn every_value_fits_its_rounded_scale(max in 0.0_f64..1e15) {
            let scale = Scale::rounded(Units::default(), Unit::BytesPerSecond, max);
            prop_assert!(scale.hi >= max * 0.999 && scale.hi <= (max * 2.1).max(1024.0));
            prop_assert!(width(&scale.label(scale.hi)) <= 5, "{}", scale.label(scale.hi));
        }

        #[test]
        fn time_labels_never_touch(width in 0u16..200, bin in 1u64..10_000_000, from in 0i64..2_000_000_000_000, past in 0u16..200) {
            let time = TimeScale { from: Timestamp(from), bin: Duration::from_millis(bin), past };
            let mut buf = Buffer::empty(Rect::new(0, 0, 220, 1));
            let now = TimeLabel { column: past, text: "now".into(), role: Role::Strong };
            draw_time(&dark(), &mut buf, (3, 0), width, &time, &Clock::UTC, &[now]);
            let row: String = (0..220).map(|x| buf[(x, 0)].symbol().chars().next().unwrap_or(' ')).collect();
            for label in row.split("  ").map(str::trim).filter(|l| !l.is_empty()) {
                prop_assert!(label == "now" || label.len() == 5 || label.len() == 8 || label.len() == 6, "{:?}", row);
            }
            prop_assert!(row.trim_end().chars().count() <= usize::from(width) + 3);
        }
    }
}
