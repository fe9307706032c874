//! One file a page, or a page made from a layout of panes.
//!
//! A pane draws from what it is handed, `draw(&self, ctx, area, buf)`, and changes nothing. Invariant: no
//! area, however small, and no text, however hostile, makes one panic or draw outside its area.

mod alert_detail;
mod alert_facts;
mod alert_history;
mod alert_rows;
mod alerts;
mod blocks;
mod cpu_panes;
mod difference;
mod disk_panes;
mod explorer;
mod facts;
mod history;
mod limits;
mod lines;
mod memory_panes;
mod metrics;
mod network_panes;
mod overview;
mod overview_small;
mod own_panes;
mod page;
mod parts;
mod prediction_chart;
mod prediction_facts;
mod prediction_list;
mod prediction_record;
mod prediction_rows;
mod predictions;
mod process_page;
mod process_panel;
mod process_table;
mod processes;
mod sensor_panes;
mod service_checks;
mod service_detail;
mod service_facts;
mod service_grid;
mod service_links;
mod service_list;
mod service_rows;
mod services;
mod settings;
mod timeline;
mod trends;
mod unit_panes;

use super::pane::Pane;
use super::state::{UiState, View};
use crate::model::SeriesKey;

pub use page::{body, pane_names, unknown_pane};

/// All pages, in the order of their digits.
pub const PANES: &[&dyn Pane] = &[
    &overview::Overview,
    &services::Services,
    &alerts::Alerts,
    &predictions::Predictions,
    &history::History,
    &processes::Processes,
    &page::LaidOut(View::Cpu),
    &page::LaidOut(View::Memory),
    &page::LaidOut(View::Disks),
    &page::LaidOut(View::Network),
    &page::LaidOut(View::Sensors),
    &page::LaidOut(View::Units),
    &page::LaidOut(View::Farol),
    &metrics::Metrics,
    &settings::Settings,
];

/// Names of the panes that stand on the page, in the order of reading.
pub fn panes_shown(state: &UiState) -> Vec<&'static str> {
    page::shown(state, state.shown(), body(state.size)).iter().map(|s| s.block.name).collect()
}

/// Series the page needs beside those of the four charts.
pub fn series(state: &UiState) -> Vec<SeriesKey> {
    if state.view == View::Metrics { super::explore::charted(state) } else { page::series(state) }
}

/// Whether a page has no room: less than the least screen, 40×12, without header, second line and hints.
fn is_too_small(area: ratatui::layout::Rect) -> bool {
    area.width < 40 || area.height < 9
}

#[cfg(test)]
mod tests;
