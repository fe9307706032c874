//! The lists in the order and with the filter of the screen.
//!
//! Made once a pulse or key, never while drawing. Invariant: every index is valid for the snapshot the
//! lists were made from.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::state::{Selected, Sort, SortColumn};
use crate::model::{AlertState, Process, ProcessId, Snapshot};

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

    /// The first `n` processes of an order, and nothing else.
    pub fn top(snapshot: &Snapshot, order: ProcessOrder, n: usize) -> Self {
        let (mut processes, _) = processes(snapshot, order, &Filter::default());
        processes.truncate(n);
        Self { processes, ..Self::default() }
    }

    /// Puts the processes that had a place before where they were, others after them; in the tree nothing moves anyway.
    pub fn keep_places(&mut self, snapshot: &Snapshot, before: &[ProcessId]) {
        if !self.depth.is_empty() {
            return;
        }
        let places: HashMap<ProcessId, usize> = before.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        let place = |i: &usize| snapshot.processes.get(*i).and_then(|p| places.get(&p.id)).copied().unwrap_or(usize::MAX);
        self.processes.sort_by_key(place);
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

/// Terms all of which must hold: a word, `!word`, and for processes `cpu>5` (percent of a core) or `mem>100M`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(Vec<Term>);

#[derive(Debug, Clone, PartialEq)]
enum Term {
    /// In one of the texts.
    Has(String),
    /// In none of the texts.
    HasNot(String),
    /// A figure of a process compares so with a number.
    Figure(Figure, Ordering, f64),
}

/// A figure of a process that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Cpu,
    Memory,
    Read,
    Write,
    Threads,
}

impl Figure {
    fn of(self, process: &Process) -> Option<f64> {
        match self {
            Self::Cpu => Some(process.cpu * 100.0),
            Self::Memory => Some(process.memory_bytes as f64),
            Self::Read => process.read_bytes_per_second,
            Self::Write => process.write_bytes_per_second,
            Self::Threads => Some(f64::from(process.threads)),
        }
    }
}

impl Term {
    fn new(word: &str) -> Self {
        let word = word.to_lowercase();
        match word.strip_prefix('!') {
            Some(rest) if !rest.is_empty() => Self::HasNot(rest.to_owned()),
            _ => Self::figure(&word).unwrap_or(Self::Has(word)),
        }
    }

    /// `cpu>5`, `mem<1g`, `read>100k`; sizes in powers of 1,024.
    fn figure(word: &str) -> Option<Self> {
        let (name, order, number) = match (word.split_once('>'), word.split_once('<')) {
            (Some((name, number)), None) => (name, Ordering::Greater, number),
            (None, Some((name, number))) => (name, Ordering::Less, number),
            _ => return None,
        };
        let figure = match name {
            "cpu" => Figure::Cpu,
            "mem" | "memory" => Figure::Memory,
            "read" => Figure::Read,
            "write" => Figure::Write,
            "thr" | "threads" => Figure::Threads,
            _ => return None,
        };
        let factors = [('k', 1024.0), ('m', 1_048_576.0), ('g', 1_073_741_824.0), ('%', 1.0)];
        let (number, factor) = factors
            .iter()
            .find_map(|(suffix, factor)| number.strip_suffix(*suffix).map(|n| (n, *factor)))
            .unwrap_or((number, 1.0));
        let value = number.parse::<f64>().ok().filter(|v| v.is_finite())?;
        Some(Self::Figure(figure, order, value * factor))
    }
}

impl Filter {
    /// From what was typed; empty keeps everything.
    pub fn new(text: &str) -> Self {
        Self(text.split_whitespace().map(Term::new).collect())
    }

    /// Whether every word is in one of the texts and no excluded one is; figures are not looked at.
    pub fn matches(&self, texts: &[&str]) -> bool {
        self.0.iter().all(|term| match term {
            Term::Has(word) => texts.iter().any(|t| contains(t, word)),
            Term::HasNot(word) => !texts.iter().any(|t| contains(t, word)),
            Term::Figure(..) => true,
        })
    }

    /// Whether a process's figures compare as they should; an unknown figure does not.
    fn figures_match(&self, process: &Process) -> bool {
        self.0.iter().all(|term| match term {
            Term::Figure(figure, order, limit) => figure.of(process).is_some_and(|v| v.total_cmp(limit) == *order),
            Term::Has(_) | Term::HasNot(_) => true,
        })
    }

    /// The number that is the whole filter.
    fn number(&self) -> Option<u32> {
        match self.0.as_slice() {
            [Term::Has(word)] => word.parse().ok(),
            _ => None,
        }
    }
}

fn contains(text: &str, word: &str) -> bool {
    if text.is_ascii() && word.is_ascii() {
        let length = word.len().max(1);
        return word.is_empty() || text.as_bytes().windows(length).any(|w| w.eq_ignore_ascii_case(word.as_bytes()));
    }
    text.to_lowercase().contains(word)
}

/// The filter of each list.
#[derive(Debug, Clone, Default, PartialEq)]
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
    let number = filter.number();
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
    filter.figures_match(process) && filter.matches(&[&pid, &process.user, &process.name, &process.command, unit, container])
}

fn compare(a: &Process, b: &Process, sort: Sort) -> Ordering {
    let rate = |v: Option<f64>| v.unwrap_or(-1.0);
    // Figures start with the largest, words and numbers with the first.
    let order = match sort.column {
        SortColumn::Cpu => steady(b).cmp(&steady(a)),
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

/// CPU use as the list is ordered by: tenths of a percent of a core, below a tenth of a core whole percents, and where those are
/// equal the larger memory, in steps of 16 MiB. Rows that differ by less than anybody sees do not change places.
fn steady(process: &Process) -> (u64, u64) {
    let tenths = (process.cpu.max(0.0) * 1000.0).round() as u64;
    let cpu = if tenths < 100 { (tenths + 5) / 10 * 10 } else { tenths };
    (cpu, process.memory_bytes >> 24)
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
    let mut placed = vec![false; all.len()];
    // After the roots all rows: a ring of parents, which a reused number can make, has no root.
    for start in roots.iter().chain(rows) {
        let mut stack = vec![(*start, 0_u16)];
        while let Some((i, level)) = stack.pop() {
            if std::mem::replace(&mut placed[i], true) {
                continue;
            }
            order.push(i);
            depth.push(level);
            let below = children.get(&all[i].id.pid).into_iter().flatten();
            stack.extend(below.rev().map(|c| (*c, level.saturating_add(1))));
        }
    }
    (order, depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(words: &str) -> Vec<u32> {
        let snapshot = crate::ui::fixture::snapshot();
        let filters = Filters { processes: Filter::new(words), ..Filters::default() };
        let order = ProcessOrder { sort: Sort::default(), tree: false };
        let lists = Lists::new(&snapshot, order, &filters);
        lists.processes.iter().map(|i| snapshot.processes[*i].id.pid).collect()
    }

    #[test]
    fn words_and_figures_must_all_hold() {
        assert_eq!(kept("cpu>30"), [2817, 41903, 1204]);
        assert_eq!(kept("cpu>30 !postgres"), [1204]);
        assert_eq!(kept("MEM>2g SHOP"), [1204]);
        assert_eq!(kept("read>5m"), [2817, 41903]);
        assert_eq!(kept("cpu>much"), Vec::<u32>::new(), "what is no figure is a word");
        assert_eq!(kept("").len(), 231);
    }

    #[test]
    fn parents_that_form_a_ring_still_end() {
        let mut snapshot = crate::ui::fixture::snapshot();
        let ring = |pid: u32, parent: u32| {
            let id = crate::model::ProcessId { pid, started: 1 };
            std::sync::Arc::new(Process { id, parent, ..Process::default() })
        };
        snapshot.processes = std::sync::Arc::new([ring(1, 2), ring(2, 1), ring(3, 3)]);
        let order = ProcessOrder { sort: Sort::default(), tree: true };
        let lists = Lists::new(&snapshot, order, &Filters::default());
        assert_eq!(lists.processes.len(), lists.depth.len());
        assert_eq!(lists.processes.len(), 3, "none is lost");
    }
}
