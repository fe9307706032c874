//! The lists in the order and with the filter of the screen.
//!
//! Made once a pulse or key, never while drawing. Invariant: every index is valid for the snapshot the
//! lists were made from.

use std::sync::Arc;

use super::filter::{Filter, Problem};
use super::process_list::{self, ProcessOrder, TreeRow};
use super::state::{Selected, View};
use crate::model::{Alert, AlertState, Prediction, Process, ServiceStatus, Snapshot};

/// Where an alert stands in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Fires, and people are told.
    Active,
    /// Not yet for long enough.
    Pending,
    /// Nobody is told: silenced or snoozed.
    Silenced,
    /// Over.
    Past,
}

impl Standing {
    /// Where an alert stands.
    pub fn of(alert: &Alert) -> Self {
        match alert.state {
            AlertState::Resolved => Self::Past,
            _ if alert.is_quiet() => Self::Silenced,
            AlertState::Pending => Self::Pending,
            AlertState::Firing => Self::Active,
        }
    }

    /// Its name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Silenced => "silenced",
            Self::Past => "past",
        }
    }
}

/// Rows of each list, as indices into the sections of the snapshot shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists {
    /// Processes, as sorted; in the tree parents before their children.
    pub processes: Vec<usize>,
    /// Place of each row of `processes` in the tree; empty without the tree.
    pub tree: Vec<TreeRow>,
    /// Services, worst first.
    pub services: Vec<usize>,
    /// Alerts: active, pending, silenced, past. Indices behind the snapshot's are those of `older`.
    pub alerts: Vec<usize>,
    /// How many stand where, in the order of `alerts`.
    pub standings: Vec<(Standing, usize)>,
    /// Alerts that are over and no longer in the snapshot, newest first.
    pub older: Arc<[Arc<Alert>]>,
    /// Predictions: open, then scored.
    pub predictions: Vec<usize>,
}

impl Lists {
    /// Makes all lists; `older` are alerts that are over.
    pub fn new(snapshot: &Snapshot, order: ProcessOrder, filters: &Filters, older: &Arc<[Arc<Alert>]>) -> Self {
        let (processes, tree) = process_list::rows(snapshot, order, &filters.processes);
        let services = 0..snapshot.services.len();
        let predictions = 0..snapshot.predictions.len();
        let mut lists = Self {
            processes,
            tree,
            services: services.filter(|i| filters.services.keeps(&snapshot.services[*i])).collect(),
            alerts: Vec::new(),
            standings: Vec::new(),
            older: Arc::clone(older),
            predictions: predictions.filter(|i| filters.predictions.keeps(&snapshot.predictions[*i])).collect(),
        };
        let all = 0..snapshot.alerts.len() + older.len();
        lists.alerts = all.filter(|i| lists.alert(snapshot, *i).is_some_and(|a| filters.alerts.keeps(a))).collect();
        // Stable: worst first within each.
        let mut alerts = std::mem::take(&mut lists.alerts);
        alerts.sort_by_key(|i| lists.alert(snapshot, *i).map(|a| Standing::of(a)));
        let standings = alerts.iter().filter_map(|i| lists.alert(snapshot, *i)).map(|a| Standing::of(a));
        for standing in standings.collect::<Vec<_>>() {
            match lists.standings.last_mut().filter(|(last, _)| *last == standing) {
                Some((_, count)) => *count += 1,
                None => lists.standings.push((standing, 1)),
            }
        }
        lists.alerts = alerts;
        lists.predictions.sort_by_key(|i| snapshot.predictions[*i].outcome.is_some());
        lists
    }

    /// The first `n` processes of an order, and nothing else.
    pub fn top(snapshot: &Snapshot, order: ProcessOrder, n: usize) -> Self {
        let (mut processes, _) = process_list::rows(snapshot, order, &Filter::default());
        processes.truncate(n);
        Self { processes, ..Self::default() }
    }

    /// Row of the chosen process; the first where none is chosen or it is gone.
    pub fn process_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.processes, |i| snapshot.processes.get(i).map(|p| p.id) == selected.process)
    }

    /// Row of the chosen service.
    pub fn service_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.services, |i| snapshot.services.get(i).map(|s| s.name.as_str()) == selected.service.as_deref())
    }

    /// The alert an index of `alerts` stands for.
    pub fn alert<'a>(&'a self, snapshot: &'a Snapshot, index: usize) -> Option<&'a Arc<Alert>> {
        let older = index.checked_sub(snapshot.alerts.len());
        snapshot.alerts.get(index).or_else(|| older.and_then(|i| self.older.get(i)))
    }

    /// Row of the chosen alert.
    pub fn alert_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.alerts, |i| self.alert(snapshot, i).map(|a| a.id.as_str()) == selected.alert.as_deref())
    }

    /// Row of the chosen prediction.
    pub fn prediction_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.predictions, |i| snapshot.predictions.get(i).map(|p| p.id.as_str()) == selected.prediction.as_deref())
    }
}

fn row(list: &[usize], is_chosen: impl Fn(usize) -> bool) -> usize {
    list.iter().position(|i| is_chosen(*i)).unwrap_or(0)
}

/// The filter of each list; the page with a filter gets it, the other lists are whole.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Of the processes.
    pub processes: Filter<Process>,
    /// Of the services.
    pub services: Filter<ServiceStatus>,
    /// Of the alerts.
    pub alerts: Filter<Alert>,
    /// Of the predictions.
    pub predictions: Filter<Prediction>,
}

impl Filters {
    /// Takes the words of a page; the lists of other pages are whole.
    pub fn set(&mut self, view: View, words: &str) {
        let of = |views: &[View]| if views.contains(&view) { words } else { "" };
        self.processes.set(of(&[View::Overview, View::Processes]));
        self.services.set(of(&[View::Services]));
        self.alerts.set(of(&[View::Alerts]));
        self.predictions.set(of(&[View::Predictions]));
    }

    /// What is wrong with the words.
    pub fn problem(&self) -> Option<&Problem> {
        let lists = self.services.problem().or(self.alerts.problem()).or(self.predictions.problem());
        self.processes.problem().or(lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(words: &str) -> Vec<u32> {
        let snapshot = crate::ui::fixture::snapshot();
        let mut filters = Filters::default();
        filters.set(View::Processes, words);
        let choice = process_list::ProcessChoice::default();
        let order = ProcessOrder { sort: Default::default(), tree: false, choice: &choice, held: None };
        let lists = Lists::new(&snapshot, order, &filters, &Arc::default());
        lists.processes.iter().map(|i| snapshot.processes[*i].id.pid).collect()
    }

    #[test]
    fn words_and_figures_must_all_hold() {
        assert_eq!(kept("cpu>30"), [2817, 41903, 1204]);
        assert_eq!(kept("cpu>30 !postgres"), [1204]);
        assert_eq!(kept("MEM>2g SHOP"), [1204]);
        assert_eq!(kept("read>5m"), [2817, 41903]);
        assert_eq!(kept("825 or 1204").len(), 1, "a number is looked for in the number");
        assert_eq!(kept("1204").first(), Some(&1204));
        assert_eq!(kept("").len(), 231);
    }
}
