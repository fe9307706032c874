//! The metric one looks at: which series share its chart, on which scale, and what else is drawn with them.
//!
//! Invariant: the chosen series is the first of the chart; at most as many are charted as there are colors.

use std::sync::Arc;
use std::time::Duration;

use super::charts::{Bin, ChartStore, Window};
use super::filter::{Filter, Texts};
use super::state::{UiState, View};
use super::widgets::Role;
use super::widgets::lines::Together;
use crate::model::{Forecast, JournalEntry, MetricDef, SeriesKey};

/// The first of the times that can be laid behind a chart.
pub const DAY: Duration = Duration::from_secs(86_400);
/// The other one.
pub const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// How values are spread over the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spread {
    /// Evenly.
    #[default]
    Even,
    /// Equal ratios take equal room.
    Log,
}

/// The same series at another time.
#[derive(Debug, Clone)]
pub struct Ghost {
    /// How long before.
    pub back: Duration,
    /// The series.
    pub key: SeriesKey,
    /// Its points then; empty until they came.
    pub charts: ChartStore,
}

/// What is chosen on the page of metrics.
#[derive(Debug, Clone, Default)]
pub struct Explore {
    /// The metric.
    pub metric: Option<String>,
    /// One of its series.
    pub series: Option<SeriesKey>,
    /// Series kept in the chart whatever is chosen.
    pub pinned: Vec<SeriesKey>,
    /// Scale.
    pub spread: Spread,
    /// Lines or areas on each other.
    pub together: Together,
    /// Yesterday or last week.
    pub ghost: Option<Ghost>,
    /// What comes next for the first series, made on demand.
    pub forecast: Option<Arc<Forecast>>,
    /// Journal of the span shown.
    pub events: Vec<JournalEntry>,
    /// What was asked for last: series, span, and whether it was the present.
    pub asked: Option<(SeriesKey, Duration, bool)>,
}

impl Explore {
    /// Row of the chosen metric; the first where none is chosen or it is filtered out.
    pub fn row(&self, all: &[&MetricDef]) -> usize {
        all.iter().position(|d| Some(d.name) == self.metric.as_deref()).unwrap_or(0)
    }

    /// Row of the chosen series.
    pub fn series_row(&self, all: &[SeriesKey]) -> usize {
        all.iter().position(|k| Some(k) == self.series.as_ref()).unwrap_or(0)
    }

    /// Bins of the other time for a window of now; empty where there are none.
    pub fn ghost_bins(&self, key: &SeriesKey, window: Window) -> Vec<Option<Bin>> {
        let Some(ghost) = self.ghost.as_ref().filter(|g| g.key == *key) else { return Vec::new() };
        ghost.charts.bins(key, Window { from: window.from - ghost.back, ..window })
    }
}

/// Metrics that the filter keeps, by name.
pub fn listed(state: &UiState) -> Vec<&MetricDef> {
    let filter: Filter<Texts> = Filter::new(&state.filter[View::Metrics.index()]);
    state.live.catalog.iter().filter(|d| filter.matches(&[d.name, d.help])).collect()
}

/// Series of the chosen metric at the moment shown.
pub fn series(state: &UiState) -> Vec<SeriesKey> {
    let Some(metric) = state.explore.metric.as_deref() else { return Vec::new() };
    state.shown().of(metric).map(|r| r.key.clone()).collect()
}

/// Series in the chart: the chosen one first, then pinned ones, then the others of the metric while there are colors.
pub fn charted(state: &UiState) -> Vec<SeriesKey> {
    let all = series(state);
    let explore = &state.explore;
    let chosen = all.get(explore.series_row(&all)).cloned();
    let others = all.into_iter().filter(|_| explore.pinned.is_empty());
    let mut keys: Vec<SeriesKey> = Vec::new();
    for key in chosen.into_iter().chain(explore.pinned.iter().cloned()).chain(others) {
        if !keys.contains(&key) && keys.len() < Role::SERIES.len() {
            keys.push(key);
        }
    }
    keys
}
