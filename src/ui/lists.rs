//! The lists in the order and with the filter of the screen.
//!
//! Made once a pulse or key, never while drawing. Invariant: every index is valid for the snapshot the
//! lists were made from.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::state::{Selected, Sort, SortColumn};
use crate::model::{AlertState, Process, Snapshot};

/// Rows of each list, as indices into the sections of the snapshot shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// Processes, as sorted; in the tree parents before their children.
    pub processes: Vec<usize>,
    /// Depth of each row of `processes` in the tree; empty without the tree.
    pub depth: Vec<u16>,
    /// Services, worst first.
    pub services: Vec<usize>,
    /// Alerts: firing, pending, resolved.
    pub alerts: Vec<usize>,
    /// Predictions: open, then scored.
    pub predictions: Vec<usize>,
}

/// How the process list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct ProcessOrder {
    /// Order.
    pub sort: Sort,
    /// Below their parents.
    pub tree: bool,
}

impl Lists {
    /// Makes all lists; `filter` keeps what holds all its words, case ignored. The list of the page with a filter gets it, the others are whole.
    pub fn new(snapshot: &Snapshot, order: ProcessOrder, filters: &Filters) -> Self {
        let (processes, depth) = processes(snapshot, order, &filters.processes);
        let services = 0..snapshot.services.len();
        let alerts = 0..snapshot.alerts.len();
        let predictions = 0..snapshot.predictions.len();
        let mut lists = Self {
            processes,
            depth,
            services: services
                .filter(|i| {
                    let s = &snapshot.services[*i];
                    filters.services.matches(&[&s.name, &s.kind, &s.target, &s.message])
                })
                .collect(),
            alerts: alerts
                .filter(|i| {
                    let a = &snapshot.alerts[*i];
                    filters.alerts.matches(&[&a.title, &a.rule, &a.id, &a.explanation.summary])
                })
                .collect(),
            predictions: predictions
                .filter(|i| {
                    let p = &snapshot.predictions[*i];
                    filters.predictions.matches(&[&p.title, &p.kind, &p.id])
                })
                .collect(),
        };
        lists.alerts.sort_by_key(|i| match snapshot.alerts[*i].state {
            AlertState::Firing => 0,
            AlertState::Pending => 1,
            AlertState::Resolved => 2,
        });
        lists.predictions.sort_by_key(|i| snapshot.predictions[*i].outcome.is_some());
        lists
    }

    /// Row of the chosen process; the first where none is chosen or it is gone.
    pub fn process_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.processes, |i| snapshot.processes.get(i).map(|p| p.id) == selected.process)
    }

    /// Row of the chosen service.
    pub fn service_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.services, |i| snapshot.services.get(i).map(|s| s.name.as_str()) == selected.service.as_deref())
    }

    /// Row of the chosen alert.
    pub fn alert_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.alerts, |i| snapshot.alerts.get(i).map(|a| a.id.as_str()) == selected.alert.as_deref())
    }

    /// Row of the chosen prediction.
    pub fn prediction_row(&self, snapshot: &Snapshot, selected: &Selected) -> usize {
        row(&self.predictions, |i| snapshot.predictions.get(i).map(|p| p.id.as_str()) == selected.prediction.as_deref())
    }
}

fn row(list: &[usize], is_chosen: impl Fn(usize) -> bool) -> usize {
    list.iter().position(|i| is_chosen(*i)).unwrap_or(0)
}

/// Words all of which must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<String>);

impl Filter {
    /// From what was typed; empty keeps everything.
    pub fn new(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_lowercase).collect())
    }

    /// Whether every word is in one of the texts.
    pub fn matches(&self, texts: &[&str]) -> bool {
        self.0.iter().all(|word| texts.iter().any(|t| contains(t, word)))
    }
}

fn contains(text: &str, word: &str) -> bool {
    if text.is_ascii() && word.is_ascii() {
        return text.as_bytes().windows(word.len().max(1)).any(|w| w.eq_ignore_ascii_case(word.as_bytes())) || word.is_empty();
    }
    text.to_lowercase().contains(word)
}

/// The filter of each list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Of the processes.
    pub processes: Filter,
    /// Of the services.
    pub services: Filter,
    /// Of the alerts.
    pub alerts: Filter,
    /// Of the predictions.
    pub predictions: Filter,
}

fn processes(snapshot: &Snapshot, order: ProcessOrder, filter: &Filter) -> (Vec<usize>, Vec<u16>) {
    let all = &snapshot.processes;
    let mut rows: Vec<usize> = (0..all.len()).filter(|i| keeps(&all[*i], filter)).collect();
    // An exact number comes first, so that a process is found by it.
    let number = filter.0.first().filter(|_| filter.0.len() == 1).and_then(|w| w.parse::<u32>().ok());
    rows.sort_by(|a, b| {
        let (a, b) = (&all[*a], &all[*b]);
        let exact = (Some(b.id.pid) == number).cmp(&(Some(a.id.pid) == number));
        exact.then_with(|| compare(a, b, order.sort)).then_with(|| a.id.cmp(&b.id))
    });
    if order.tree { tree(snapshot, &rows) } else { (rows, Vec::new()) }
}

fn keeps(process: &Process, filter: &Filter) -> bool {
    if filter.0.is_empty() {
        return true;
    }
    let pid = process.id.pid.to_string();
    let unit = process.unit.as_deref().unwrap_or("");
    let container = process.container.as_deref().unwrap_or("");
    filter.matches(&[&pid, &process.user, &process.name, &process.command, unit, container])
}

fn compare(a: &Process, b: &Process, sort: Sort) -> Ordering {
    let rate = |v: Option<f64>| v.unwrap_or(-1.0);
    // Figures start with the largest, words and numbers with the first.
    let order = match sort.column {
        SortColumn::Cpu => b.cpu.total_cmp(&a.cpu),
        SortColumn::Memory => b.memory_bytes.cmp(&a.memory_bytes),
        SortColumn::Read => rate(b.read_bytes_per_second).total_cmp(&rate(a.read_bytes_per_second)),
        SortColumn::Write => rate(b.write_bytes_per_second).total_cmp(&rate(a.write_bytes_per_second)),
        SortColumn::Pid => a.id.cmp(&b.id),
        SortColumn::User => a.user.cmp(&b.user),
        SortColumn::Threads => b.threads.cmp(&a.threads),
        SortColumn::Time => b.cpu_seconds.total_cmp(&a.cpu_seconds),
        SortColumn::Name => a.name.cmp(&b.name),
    };
    if sort.inverted { order.reverse() } else { order }
}

/// Parents before children; a row whose parent is filtered out stands at the top.
fn tree(snapshot: &Snapshot, rows: &[usize]) -> (Vec<usize>, Vec<u16>) {
    let all = &snapshot.processes;
    let shown: HashMap<u32, usize> = rows.iter().map(|i| (all[*i].id.pid, *i)).collect();
    let mut children: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for i in rows {
        let process = &all[*i];
        if process.parent != process.id.pid && shown.contains_key(&process.parent) {
            children.entry(process.parent).or_default().push(*i);
        } else {
            roots.push(*i);
        }
    }
    let (mut order, mut depth) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    let mut stack: Vec<(usize, u16)> = roots.iter().rev().map(|i| (*i, 0)).collect();
    while let Some((i, level)) = stack.pop() {
        order.push(i);
        depth.push(level);
        // Taken out: a loop of parents, which a reused number can make, ends.
        let below = children.remove(&all[i].id.pid).unwrap_or_default();
        stack.extend(below.iter().rev().map(|c| (*c, level.saturating_add(1))));
    }
    (order, depth)
}
