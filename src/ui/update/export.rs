//! What is written into files by key: a report, the points of the charts, a picture of the screen.
//!
//! Invariant: a file has the name that was typed, else one that says what is in it and of when.

use crate::base::{TimeRange, Timestamp};
use crate::model::{ReportDepth, ReportFormat, ReportKind, ReportSpec};
use crate::monitor::Request;
use crate::ui::event::{Effect, Purpose};
use crate::ui::overlay::{Form, Tone};
use crate::ui::pane;
use crate::ui::picture::{self, PictureKind};
use crate::ui::state::UiState;

use super::say;

/// What the form says.
///
/// # Errors
/// Nothing to export.
pub fn submit(state: &mut UiState, form: &Form) -> Result<Vec<Effect>, String> {
    let name = form.get("file").trim();
    let named = |tail: &str| {
        let at = jiff::Timestamp::from_millisecond(shown_at(state).millis()).unwrap_or_default();
        let at = at.to_zoned(state.zone.zone.clone()).strftime("%Y%m%d-%H%M%S").to_string();
        let page = state.view.name().to_lowercase();
        if name.is_empty() { format!("farol-{page}-{at}.{tail}") } else { name.to_owned() }
    };
    match form.get("what") {
        "charts as CSV" => {
            let charts = state.focus.as_ref().map_or(state.charts_shown(), |f| &f.charts);
            let (span, end) = match &state.focus {
                Some(focus) => (focus.range.length(), focus.range.to),
                None => (state.span, state.past.as_ref().map_or(state.live.at, |p| p.chart_end)),
            };
            if charts.keys().next().is_none() {
                return Err("this page has no chart".to_owned());
            }
            // As fine as the screen has it.
            let table = picture::csv(charts, pane::window(span, end, 500));
            Ok(vec![Effect::Export(named("csv"), table.into_bytes())])
        }
        "screen as text" => Ok(vec![Effect::Picture(PictureKind::Text, named("txt"))]),
        "screen as SVG" => Ok(vec![Effect::Picture(PictureKind::Svg, named("svg"))]),
        _ => report(state, form),
    }
}

fn shown_at(state: &UiState) -> Timestamp {
    state.past.as_ref().map_or(state.live.at, |p| p.at)
}

/// A report over the span its depth is for, up to the moment shown.
fn report(state: &mut UiState, form: &Form) -> Result<Vec<Effect>, String> {
    let kind: ReportKind = form.get("what").trim_end_matches(" report").parse()?;
    let depth: ReportDepth = form.get("depth").parse()?;
    let format: ReportFormat = form.get("format").parse()?;
    let range = TimeRange::last(depth.span(), shown_at(state));
    let spec = ReportSpec { kind, depth, range, format, growth_percent: 0, time_zone: None };
    let name = form.get("file").trim();
    state.export_name = Some(name.to_owned()).filter(|n| !n.is_empty());
    say(state, Tone::Good, "the report is being made; its path is told here");
    Ok(vec![Effect::Ask(Purpose::Report, Request::Report(spec))])
}
