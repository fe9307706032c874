//! Which processes are listed, in which order, and how they stand below each other.
//!
//! In the tree a filter keeps the parents of what it keeps, and branches are ordered by what they use
//! together. Invariant: no process is lost and none comes twice, whatever the parents say.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::columns::{Sort, SortColumn};
use super::filter::Filter;
use crate::model::{Process, ProcessId, Snapshot};

/// What was chosen of the process list beside its order.
#[derive(Debug, Clone, Default)]
pub struct ProcessChoice {
    /// Columns; `None`: as the size of the screen says.
    pub columns: Option<Vec<SortColumn>>,
    /// Branches that are folded.
    pub folded: BTreeSet<ProcessId>,
    /// Those marked to do something with together.
    pub marked: BTreeSet<ProcessId>,
    /// The one that stays chosen until it ends.
    pub followed: Option<ProcessId>,
    /// Whether kernel threads are listed.
    pub kernel: Kernel,
    /// The order while something is decided about a process; rows do not move.
    pub held: Option<Vec<ProcessId>>,
}

/// Whether kernel threads are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kernel {
    /// They are.
    #[default]
    Shown,
    /// They are not.
    Hidden,
}

impl ProcessChoice {
    /// Forgets what was chosen of processes that are gone.
    pub fn forget(&mut self, gone: &[ProcessId]) {
        for id in gone {
            self.folded.remove(id);
            self.marked.remove(id);
        }
    }
}

/// Whether it is a thread of the kernel: no command line, its name in brackets.
pub fn is_kernel(process: &Process) -> bool {
    process.command.starts_with('[') && process.command.ends_with(']') && (process.parent == 2 || process.id.pid == 2)
}

/// How the list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct ProcessOrder<'a> {
    /// Order.
    pub sort: Sort,
    /// Below their parents.
    pub tree: bool,
    /// What else was chosen.
    pub choice: &'a ProcessChoice,
    /// Those that have their places, in their order; others stand behind.
    pub held: Option<&'a [ProcessId]>,
}

/// What processes use together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sum {
    /// How many.
    pub count: u32,
    /// Cores.
    pub cpu: f64,
    /// Bytes.
    pub memory_bytes: u64,
    /// Bytes read per second; `None` where no one is known.
    pub read: Option<f64>,
    /// Bytes written per second.
    pub write: Option<f64>,
    /// Threads.
    pub threads: u32,
    /// CPU time in seconds.
    pub cpu_seconds: f64,
}

impl Sum {
    /// What one uses.
    pub fn of(process: &Process) -> Self {
        Self {
            count: 1,
            cpu: process.cpu,
            memory_bytes: process.memory_bytes,
            read: process.read_bytes_per_second,
            write: process.write_bytes_per_second,
            threads: process.threads,
            cpu_seconds: process.cpu_seconds,
        }
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        let both = |a: Option<f64>, b: Option<f64>| a.map_or(b, |a| Some(a + b.unwrap_or(0.0)));
        self.count += other.count;
        self.cpu += other.cpu;
        self.memory_bytes += other.memory_bytes;
        self.read = both(self.read, other.read);
        self.write = both(self.write, other.write);
        self.threads += other.threads;
        self.cpu_seconds += other.cpu_seconds;
    }
}

/// How a row stands in the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeRow {
    /// Parents above it.
    pub depth: u16,
    /// What is below it.
    pub branch: Branch,
    /// The filter keeps it itself, not only what is below it.
    pub is_kept: bool,
}

/// What is below a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Branch {
    /// Nothing.
    Leaf,
    /// Its children follow.
    Open,
    /// Its children are not listed; with them it uses this.
    Folded(Sum),
}

/// Rows as indices into the snapshot's processes, and their places in the tree (empty without one).
pub fn rows(snapshot: &Snapshot, order: ProcessOrder, filter: &Filter<Process>) -> (Vec<usize>, Vec<TreeRow>) {
    let all = &snapshot.processes;
    let is_listed = |i: &usize| order.choice.kernel == Kernel::Shown || !is_kernel(&all[*i]);
    let listed = (0..all.len()).filter(is_listed);
    if order.tree {
        return Tree::new(all, listed.collect()).rows(order, filter);
    }
    let mut rows: Vec<usize> = listed.filter(|i| filter.keeps(&all[*i])).collect();
    // An exact number comes first, so that a process is found by it.
    let number = filter.number();
    rows.sort_by(|a, b| {
        let (a, b) = (&all[*a], &all[*b]);
        let exact = (Some(b.id.pid) == number).cmp(&(Some(a.id.pid) == number));
        exact.then_with(|| compare(a, b, order.sort)).then_with(|| a.id.cmp(&b.id))
    });
    if let Some(held) = order.held {
        let place: HashMap<ProcessId, usize> = held.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        // Stable: what is new stands behind, in the usual order.
        rows.sort_by_key(|i| place.get(&all[*i].id).copied().unwrap_or(usize::MAX));
    }
    (rows, Vec::new())
}

fn compare(a: &Process, b: &Process, sort: Sort) -> Ordering {
    let order = words(a, b, sort.column).unwrap_or_else(|| figures(&Sum::of(a), &Sum::of(b), sort.column));
    if sort.inverted { order.reverse() } else { order }
}

/// Words and numbers start with the first; `None` for a figure.
fn words(a: &Process, b: &Process, column: SortColumn) -> Option<Ordering> {
    // What is not there stands behind everything that is.
    let named = |a: &Option<Arc<str>>, b: &Option<Arc<str>>| a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(b));
    match column {
        SortColumn::Pid => Some(a.id.cmp(&b.id)),
        SortColumn::Parent => Some(a.parent.cmp(&b.parent)),
        SortColumn::User => Some(a.user.cmp(&b.user)),
        SortColumn::Name => Some(a.name.cmp(&b.name)),
        SortColumn::Nice => Some(a.nice.cmp(&b.nice)),
        SortColumn::State => Some(a.state.letter().cmp(&b.state.letter())),
        SortColumn::Unit => Some(named(&a.unit, &b.unit)),
        SortColumn::Container => Some(named(&a.container, &b.container)),
        SortColumn::Cpu
        | SortColumn::Memory
        | SortColumn::MemoryShare
        | SortColumn::Read
        | SortColumn::Write
        | SortColumn::Threads
        | SortColumn::Time
        | SortColumn::Graph => None,
    }
}

/// Figures start with the largest.
fn figures(a: &Sum, b: &Sum, column: SortColumn) -> Ordering {
    let rate = |v: Option<f64>| v.unwrap_or(-1.0);
    match column {
        SortColumn::Memory | SortColumn::MemoryShare => b.memory_bytes.cmp(&a.memory_bytes),
        SortColumn::Read => rate(b.read).total_cmp(&rate(a.read)),
        SortColumn::Write => rate(b.write).total_cmp(&rate(a.write)),
        SortColumn::Threads => b.threads.cmp(&a.threads),
        SortColumn::Time => b.cpu_seconds.total_cmp(&a.cpu_seconds),
        _ => steady(b).cmp(&steady(a)),
    }
}

/// CPU use as the list is ordered by: tenths of a percent of a core, below a tenth of a core whole percents, and where those are
/// equal the larger memory, in steps of 16 MiB. Rows that differ by less than anybody sees do not change places.
fn steady(used: &Sum) -> (u64, u64) {
    let tenths = (used.cpu.max(0.0) * 1000.0).round() as u64;
    let cpu = if tenths < 100 { (tenths + 5) / 10 * 10 } else { tenths };
    (cpu, used.memory_bytes >> 24)
}

/// Who is below whom.
struct Tree<'a> {
    all: &'a [Arc<Process>],
    /// Parents before their children.
    walk: Vec<usize>,
    /// By index into `all`.
    parent: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
}

impl<'a> Tree<'a> {
    fn new(all: &'a [Arc<Process>], listed: Vec<usize>) -> Self {
        let by_pid: HashMap<u32, usize> = listed.iter().map(|i| (all[*i].id.pid, *i)).collect();
        let mut below = vec![Vec::new(); all.len()];
        let mut roots = Vec::new();
        for i in &listed {
            let process = &all[*i];
            match by_pid.get(&process.parent).filter(|_| process.parent != process.id.pid) {
                Some(parent) => below[*parent].push(*i),
                None => roots.push(*i),
            }
        }
        let mut tree = Self { all, walk: Vec::new(), parent: vec![None; all.len()], children: vec![Vec::new(); all.len()] };
        let mut placed = vec![false; all.len()];
        // After the roots all rows: a ring of parents, which a reused number can make, has no root.
        for start in roots.iter().chain(&listed) {
            let mut stack = vec![(*start, None)];
            while let Some((i, parent)) = stack.pop() {
                if std::mem::replace(&mut placed[i], true) {
                    continue;
                }
                tree.walk.push(i);
                tree.parent[i] = parent;
                if let Some(parent) = parent {
                    tree.children[parent].push(i);
                }
                stack.extend(below[i].iter().map(|c| (*c, Some(i))));
            }
        }
        tree
    }

    fn rows(mut self, order: ProcessOrder, filter: &Filter<Process>) -> (Vec<usize>, Vec<TreeRow>) {
        let all = self.all;
        let mut sums = vec![Sum::default(); all.len()];
        let mut kept = vec![false; all.len()];
        let mut needed = vec![false; all.len()];
        for i in self.walk.iter().rev() {
            sums[*i].add(&Sum::of(&all[*i]));
            kept[*i] = filter.keeps(&all[*i]);
            needed[*i] |= kept[*i];
            if let Some(parent) = self.parent[*i] {
                let sum = sums[*i];
                sums[parent].add(&sum);
                needed[parent] |= needed[*i];
            }
        }
        let place: HashMap<ProcessId, usize> = order.held.into_iter().flatten().enumerate().map(|(at, id)| (*id, at)).collect();
        let held = |i: &usize| place.get(&all[*i].id).copied().unwrap_or(usize::MAX);
        let by = |a: &usize, b: &usize| {
            let figure = || figures(&sums[*a], &sums[*b], order.sort.column);
            let usual = words(&all[*a], &all[*b], order.sort.column).unwrap_or_else(figure);
            let usual = if order.sort.inverted { usual.reverse() } else { usual };
            held(a).cmp(&held(b)).then(usual).then_with(|| all[*a].id.cmp(&all[*b].id))
        };
        let mut roots: Vec<usize> = self.walk.iter().copied().filter(|i| self.parent[*i].is_none() && needed[*i]).collect();
        roots.sort_by(by);
        for children in &mut self.children {
            children.retain(|i| needed[*i]);
            children.sort_by(by);
        }
        let (mut rows, mut places) = (Vec::with_capacity(self.walk.len()), Vec::with_capacity(self.walk.len()));
        let mut stack: Vec<(usize, u16)> = roots.iter().rev().map(|i| (*i, 0)).collect();
        while let Some((i, depth)) = stack.pop() {
            let below = &self.children[i];
            let branch = match (below.is_empty(), order.choice.folded.contains(&all[i].id)) {
                (true, _) => Branch::Leaf,
                (false, true) => Branch::Folded(sums[i]),
                (false, false) => Branch::Open,
            };
            if branch == Branch::Open {
                stack.extend(below.iter().rev().map(|c| (*c, depth.saturating_add(1))));
            }
            rows.push(i);
            places.push(TreeRow { depth, branch, is_kept: kept[i] });
        }
        (rows, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(rows: &[(u32, u32, f64, &str)]) -> Snapshot {
        let mut snapshot = crate::ui::fixture::snapshot();
        let one = |(pid, parent, cpu, name): &(u32, u32, f64, &str)| {
            let id = ProcessId { pid: *pid, started: 1 };
            Arc::new(Process { id, parent: *parent, cpu: *cpu, name: (*name).into(), threads: 1, ..Process::default() })
        };
        snapshot.processes = rows.iter().map(one).collect();
        snapshot
    }

    fn tree(snapshot: &Snapshot, choice: &ProcessChoice, words: &str) -> Vec<(u32, TreeRow)> {
        let order = ProcessOrder { sort: Sort::default(), tree: true, choice, held: choice.held.as_deref() };
        let (rows, places) = rows(snapshot, order, &Filter::new(words));
        rows.iter().map(|i| snapshot.processes[*i].id.pid).zip(places).collect()
    }

    #[test]
    fn branches_are_ordered_by_what_they_use_together_and_fold_into_their_sum() {
        let snapshot = machine(&[(1, 0, 0.0, "init"), (5, 1, 0.3, "web"), (6, 1, 0.1, "db"), (7, 6, 0.9, "worker")]);
        let mut choice = ProcessChoice::default();
        let pids = |choice: &ProcessChoice| tree(&snapshot, choice, "").iter().map(|(pid, _)| *pid).collect::<Vec<_>>();
        assert_eq!(pids(&choice), [1, 6, 7, 5]);
        choice.folded.insert(ProcessId { pid: 6, started: 1 });
        assert_eq!(pids(&choice), [1, 6, 5]);
        let folded = tree(&snapshot, &choice, "")[1].1;
        assert!(matches!(folded.branch, Branch::Folded(sum) if sum.count == 2 && (sum.cpu - 1.0).abs() < 1e-9));
        choice.held = Some([1, 5, 6].map(|pid| ProcessId { pid, started: 1 }).to_vec());
        assert_eq!(pids(&choice), [1, 5, 6], "what is held does not move");
    }

    #[test]
    fn a_filter_in_the_tree_keeps_the_parents() {
        let snapshot = machine(&[(1, 0, 0.0, "init"), (5, 1, 0.3, "web"), (6, 1, 0.1, "db"), (7, 6, 0.9, "worker")]);
        let rows = tree(&snapshot, &ProcessChoice::default(), "worker");
        let shown: Vec<_> = rows.iter().map(|(pid, row)| (*pid, row.depth, row.is_kept)).collect();
        assert_eq!(shown, [(1, 0, false), (6, 1, false), (7, 2, true)]);
    }

    #[test]
    fn parents_that_form_a_ring_still_end() {
        let snapshot = machine(&[(1, 2, 0.0, "a"), (2, 1, 0.0, "b"), (3, 3, 0.0, "c")]);
        let rows = tree(&snapshot, &ProcessChoice::default(), "");
        let pids: BTreeSet<u32> = rows.iter().map(|(pid, _)| *pid).collect();
        assert_eq!((rows.len(), pids.len()), (3, 3), "none is lost, none comes twice");
    }

    #[test]
    fn what_ended_is_not_marked_any_more() {
        let mut choice = ProcessChoice::default();
        let id = ProcessId { pid: 5, started: 1 };
        choice.marked.insert(id);
        choice.forget(&[id, ProcessId { pid: 9, started: 1 }]);
        assert!(choice.marked.is_empty());
    }
}
