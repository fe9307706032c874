//! Small things several pages say the same way: shares, states, glyphs, the place of a pane.
//!
//! Invariant: one thing is said in one way on every page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::{Timestamp, Unit};
use crate::model::{Alert, AlertState, Prediction, SeriesKey, ServiceState, Severity, Snapshot};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::units::Shown;
use crate::ui::widgets::{Borders, Ink, Phrase, Role, axis, frame};

/// A pane between shared border lines; the lines themselves are at its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Column of the left border.
    pub x0: u16,
    /// Column of the right border.
    pub x1: u16,
    /// Row of the upper border, where the title stands.
    pub y0: u16,
    /// Row of the lower border.
    pub y1: u16,
}

impl Slot {
    /// The inside, with one column of padding left and right.
    pub fn inner(self) -> Rect {
        let (x, y) = (self.x0.saturating_add(2), self.y0.saturating_add(1));
        Rect { x, y, width: self.x1.saturating_sub(1).saturating_sub(x), height: self.y1.saturating_sub(y) }
    }

    /// Writes the title.
    pub fn title(self, ink: &Ink, buf: &mut Buffer, left: &Phrase, right: &[Phrase]) {
        frame::title(ink, buf, self.y0, (self.x0, self.x1), left, right);
    }
}

/// A whole page as one pane: its place, and its border to which further lines come.
pub fn framed(area: Rect) -> (Slot, Borders) {
    let mut lines = Borders::new(area);
    lines.around(area);
    (Slot { x0: area.x, x1: area.right() - 1, y0: area.y, y1: area.bottom() - 1 }, lines)
}

/// The words of `/` where there are some.
pub fn filter(ctx: &DrawContext) -> Phrase {
    match ctx.state.filter() {
        "" => Phrase::new(),
        words => Phrase::new().role(Role::Past, &format!("/ {words}")),
    }
}

/// The same, or that there could be some.
pub fn filter_or_key(ctx: &DrawContext) -> Phrase {
    if ctx.state.filter().is_empty() { Phrase::new().dim("/ filter") } else { filter(ctx) }
}

/// An area split at its right: the rest, and `width` columns after a gap of two.
pub fn split_right(area: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    let left = Rect { width: area.width.saturating_sub(width + 2), ..area };
    (left, Rect { x: area.right() - width, width, ..area })
}

/// One row of an area; an empty one past its end.
pub fn row(area: Rect, index: u16) -> Rect {
    let y = area.y.saturating_add(index);
    Rect { y: y.min(area.bottom()), height: u16::from(index < area.height), ..area }
}

/// A name at the left and values at the right of a row.
pub fn fact(ink: &Ink, buf: &mut Buffer, line: Rect, left: &Phrase, right: &Phrase) {
    if line.height == 0 {
        return;
    }
    let from = right.put_right(ink, buf, (line.x, line.right()), line.y);
    left.put(ink, buf, (line.x, line.y), from.saturating_sub(1).max(line.x));
}

/// A name and cells that end so many columns before the right edge of the row; a cell that would touch one before it is left out.
pub fn cells(ink: &Ink, buf: &mut Buffer, line: Rect, name: &Phrase, all: &[(u16, Phrase)]) {
    let mut sorted: Vec<&(u16, Phrase)> = all.iter().filter(|(_, text)| !text.is_empty()).collect();
    sorted.sort_by_key(|(offset, _)| *offset);
    let mut from = line.right();
    for (offset, text) in sorted {
        let end = line.right().saturating_sub(*offset);
        // Two columns between cells, so that they never read as one.
        let free = if from == line.right() { from } else { from.saturating_sub(2) };
        if end <= free && end >= line.x + text.width() {
            from = text.put_right(ink, buf, (line.x, end), line.y);
        }
    }
    name.put(ink, buf, (line.x, line.y), if from == line.right() { from } else { from.saturating_sub(2).max(line.x) });
}

/// Writes lines one under the other, as many as fit; what is too long goes on below.
pub fn paragraphs(ink: &Ink, buf: &mut Buffer, area: Rect, lines: &[Phrase]) {
    let wrapped = lines.iter().flat_map(|line| line.wrap(area.width));
    for (y, line) in (area.y..area.bottom()).zip(wrapped) {
        line.put(ink, buf, (area.x, y), area.right());
    }
}

/// `26%` with a dim sign, whole.
pub fn percent(role: Role, value: f64) -> Phrase {
    let text = format!("{:.0}", value * 100.0);
    let number =
        if matches!(role, Role::Crit | Role::Warn) { Phrase::new().bold(role, &text) } else { Phrase::new().role(role, &text) };
    number.dim("%")
}

/// Two values with their unit once: `97–107%`, `1.5–4.5 MiB/s`.
pub fn span(ctx: &DrawContext, low: f64, high: f64, unit: Unit) -> String {
    let Shown { factor, offset, name } = ctx.units().shown_in(unit, high);
    let shown = |value: f64| {
        let value = value / factor + offset;
        if unit == Unit::Ratio || value.abs() >= 99.95 { crate::base::units::plain(value.round()) } else { format!("{value:.1}") }
    };
    let gap = if matches!(name, "%" | "") { "" } else { " " };
    format!("{}–{}{gap}{name}", shown(low), shown(high))
}

/// A value in the unit of a scale, one decimal below a hundred: `3.1`.
pub fn scaled(value: f64, scale: &axis::Scale) -> String {
    let shown = value / scale.factor + scale.offset;
    if shown.abs() >= 99.95 { crate::base::units::plain(shown) } else { format!("{shown:.1}") }
}

/// Glyph and role of an alert where it stands.
pub fn alert_glyph(alert: &Alert) -> (&'static str, Role) {
    match (alert.state, alert.is_quiet(), alert.severity) {
        (AlertState::Resolved, _, _) => ("✓", Role::Dim),
        (_, true, _) => ("z", Role::Dim),
        (AlertState::Pending, _, _) => ("○", Role::Dim),
        (_, _, Severity::Critical) => ("✘", Role::Crit),
        (_, _, Severity::Warning) => ("▲", Role::Warn),
        (_, _, Severity::Info) => ("●", Role::Text),
    }
}

/// Whether an alert is about a series, or about what is predicted of it.
pub fn is_about(alert: &Alert, key: &SeriesKey) -> bool {
    alert.key == *key || alert.key.label("series").is_some_and(|series| series == key.to_string())
}

/// Glyph and role of a service.
pub fn service_glyph(state: ServiceState) -> (&'static str, Role) {
    match state {
        ServiceState::Offline => ("✘", Role::Crit),
        ServiceState::Degraded => ("▲", Role::Warn),
        ServiceState::Online => ("●", Role::Ok),
        ServiceState::Unknown => ("○", Role::Dim),
    }
}

/// When something is expected, from the moment shown: `16 min`, `3 d 4 h`, `now`.
pub fn until(ctx: &DrawContext, at: Timestamp) -> String {
    let left = at.since(ctx.snapshot.at);
    if left.as_secs() < 60 { "now".to_owned() } else { crate::base::format_duration(left) }
}

/// The open prediction about a series that comes first.
pub fn prediction_of(snapshot: &Snapshot, is_about: impl Fn(&SeriesKey) -> bool) -> Option<&Prediction> {
    let open = snapshot.predictions.iter().filter(|p| p.outcome.is_none() && is_about(&p.key));
    open.min_by_key(|p| p.at)
}

/// `at 01:14 ` before a title while the moment shown is not the present.
pub fn at_moment(ctx: &DrawContext) -> Phrase {
    ctx.cursor().map_or_else(Phrase::new, |at| {
        Phrase::new().bold(Role::Past, &format!("at {} ", crate::ui::format::time(at, ctx.zone())))
    })
}

/// A metric said in words: `disk read nvme0n1`.
pub fn series_name(key: &SeriesKey) -> String {
    const TAILS: [&str; 10] = [
        "_bytes_per_second",
        "_per_second",
        "_used_ratio",
        "_usage_ratio",
        "_ratio",
        "_bytes",
        "_seconds",
        "_celsius",
        "_hertz",
        "_check",
    ];
    let mut name = key.metric();
    for tail in TAILS {
        name = name.strip_suffix(tail).unwrap_or(name);
    }
    let mut words = name.replace('_', " ");
    if !key.is_total() {
        words.push(' ');
        words.push_str(&key.instance());
    }
    words
}
