//! One file a page: the overview, services, alerts, predictions, history, processes.
//!
//! A pane draws from what it is handed, `draw(&self, ctx, area, buf)`, and changes nothing. Invariant: no
//! area, however small, and no text, however hostile, makes one panic or draw outside its area.

mod alert_detail;
mod alert_facts;
mod alert_rows;
mod alerts;
mod difference;
mod facts;
mod history;
mod limits;
mod overview;
mod overview_small;
mod parts;
mod prediction_rows;
mod predictions;
mod process_panel;
mod process_table;
mod processes;
mod service_rows;
mod services;
mod timeline;
mod trends;

use super::pane::Pane;

/// All pages, in the order of their digits.
pub const PANES: &[&dyn Pane] = &[
    &overview::Overview,
    &services::Services,
    &alerts::Alerts,
    &predictions::Predictions,
    &history::History,
    &processes::Processes,
];

/// Whether a page has no room: less than the least screen, 40×12, without header, second line and hints.
fn is_too_small(area: ratatui::layout::Rect) -> bool {
    area.width < 40 || area.height < 9
}

#[cfg(test)]
mod tests;
