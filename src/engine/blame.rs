//! Who used what: the processes at the second an alert fires, and how they changed.
//!
//! Keeps what every process had used by some moments of the last half hour, the older the fewer. Invariant: a process is
//! compared only with itself (number and start).

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Culprit, Process, ProcessChange, ProcessId, Resource};

/// Processes kept by each resource.
pub const TOP: usize = 10;

/// Time between two looks; the store keeps the top ones of the same moments.
pub const EVERY: Duration = Duration::from_secs(10);

/// How long before an alert its cause may have begun.
const LEAD: Duration = Duration::from_secs(600);

/// Looks older than this are forgotten, but for one: a rule that holds for ten minutes still has a look from before its cause.
const KEPT: Duration = Duration::from_secs(1800);

/// A look is dropped where its neighbors are no farther apart than this share of their age: about fifteen are left.
const THINNED: f64 = 0.5;

/// Shorter spans say less than the figures of the second itself.
const SHORTEST: Duration = Duration::from_secs(5);

/// Share of the largest use from which growth is a cause, not noise.
const GROWTH: f64 = 0.02;

/// Culprits named in an alert.
const NAMED: usize = 5;

/// The top processes by each resource that the store keeps, each once, by id.
pub fn top(processes: &[Arc<Process>]) -> Vec<Arc<Process>> {
    let mut chosen: Vec<Arc<Process>> = Vec::with_capacity(3 * TOP);
    for resource in [Resource::Cpu, Resource::Memory, Resource::DiskIo] {
        chosen.extend(top_by(processes, resource, TOP).into_iter().cloned());
    }
    chosen.sort_by_key(|p| p.id);
    chosen.dedup_by_key(|p| p.id);
    chosen
}

fn top_by(processes: &[Arc<Process>], resource: Resource, n: usize) -> Vec<&Arc<Process>> {
    let mut using: Vec<(f64, &Arc<Process>)> =
        processes.iter().map(|p| (resource.used_by(p), p)).filter(|(used, _)| *used > 0.0).collect();
    let order = |a: &(f64, _), b: &(f64, _)| b.0.total_cmp(&a.0);
    if using.len() > n {
        using.select_nth_unstable_by(n, order);
        using.truncate(n);
    }
    using.sort_by(order);
    using.into_iter().map(|(_, p)| p).collect()
}

/// What a process had used: levels as they are, what flows as the sum since its start, in the order of [`Resource::ALL`].
type Used = [f32; Resource::ALL.len()];

/// All processes with memory of their own at one moment, by id.
#[derive(Debug)]
struct Look {
    at: Timestamp,
    used: Box<[(ProcessId, Used)]>,
}

impl Look {
    fn of(&self, process: &Process, resource: Resource) -> Option<f64> {
        let place = self.used.binary_search_by_key(&process.id, |(id, _)| *id).ok()?;
        self.used.get(place).map(|(_, used)| f64::from(used[resource as usize]))
    }
}

/// Whose fault it is asked.
pub struct Question<'a> {
    /// By what.
    pub resource: Resource,
    /// When what the alert is about began: its condition, less the window of its values.
    pub began: Timestamp,
    /// When it fired.
    pub at: Timestamp,
    /// Who is asked about: all, or those of a container or unit.
    pub among: &'a dyn Fn(&Process) -> bool,
}

/// What the processes used lately.
#[derive(Default)]
pub struct Blame {
    /// Oldest first.
    looks: VecDeque<Look>,
    /// Bytes a process was given by children that ended, all and written ones: the kernel adds what they moved to their parent.
    inherited: HashMap<ProcessId, [f64; 2]>,
    /// CPU seconds a process's children used that nobody met; nobody else can be blamed for them.
    unmet: HashMap<ProcessId, f64>,
    /// Numbers of parents that lost a child in the last tick.
    bereaved: HashSet<u32>,
}

impl Blame {
    /// Takes in what a tick changed; `before` are the processes of the tick before, by id. What a parent's sums rise by while a child
    /// of it ends is its children's work, not its own.
    pub fn follow(&mut self, before: &[Arc<Process>], change: &ProcessChange) {
        let known = |id: &ProcessId| before.binary_search_by_key(id, |p| p.id).ok().and_then(|place| before.get(place));
        let parents: HashSet<u32> = change.gone.iter().filter_map(|id| known(id).map(|p| p.parent)).collect();
        // A parent may have been read before its child was found gone: the next tick counts too.
        if !(parents.is_empty() && self.bereaved.is_empty()) {
            let heirs = change.changed.iter().filter(|p| parents.contains(&p.id.pid) || self.bereaved.contains(&p.id.pid));
            for (heir, then) in heirs.filter_map(|heir| Some((heir, known(&heir.id)?))) {
                let given = self.inherited.entry(heir.id).or_default();
                for (sum, resource) in given.iter_mut().zip(MOVED) {
                    *sum += (raw(heir, resource) - raw(then, resource)).max(0.0);
                }
            }
        }
        for by in change.short_lived.iter().flat_map(|left| left.by.iter()) {
            *self.unmet.entry(by.parent).or_default() += by.cpu_seconds;
        }
        for id in &change.gone {
            self.unmet.remove(id);
            self.inherited.remove(id);
        }
        self.bereaved = parents;
    }

    /// A level, or the sum of a flow since the process's start, without what its children left it, but with the CPU time of those
    /// that were not met.
    fn sum(&self, process: &Process, resource: Resource) -> f64 {
        if resource == Resource::Cpu {
            return process.cpu_seconds + self.unmet.get(&process.id).copied().unwrap_or(0.0);
        }
        let place = MOVED.iter().position(|r| *r == resource);
        let given = place.and_then(|place| self.inherited.get(&process.id).map(|given| given[place]));
        (raw(process, resource) - given.unwrap_or(0.0)).max(0.0)
    }

    /// Remembers what all processes have used by now; called every [`EVERY`].
    pub fn look(&mut self, at: Timestamp, processes: &[Arc<Process>]) {
        // A clock that went back: what it repeats is forgotten.
        while self.looks.back().is_some_and(|last| last.at >= at) {
            self.looks.pop_back();
        }
        let used = |p: &Process| Resource::ALL.map(|r| self.sum(p, r) as f32);
        let used = processes.iter().filter(|p| p.memory_bytes > 0).map(|p| (p.id, used(p))).collect();
        self.looks.push_back(Look { at, used });
        self.thin(at);
    }

    fn thin(&mut self, now: Timestamp) {
        while self.looks.get(1).is_some_and(|second| now.since(second.at) >= KEPT) {
            self.looks.pop_front();
        }
        let mut place = 1;
        while let (Some(before), Some(after)) = (self.looks.get(place - 1), self.looks.get(place + 1)) {
            if after.at.since(before.at).as_secs_f64() <= THINNED * now.since(after.at).as_secs_f64() {
                self.looks.remove(place);
            } else {
                place += 1;
            }
        }
    }

    /// Those to blame, the likeliest first: who grew before who was always large.
    ///
    /// Memory, open files and threads are compared with ten minutes before it began. CPU and device use are means since it began,
    /// compared with the means before that; what was written is compared with what as long a time brought before, or, where everybody
    /// goes on as always, with ten minutes before.
    pub fn culprits(&self, processes: &[Arc<Process>], question: &Question<'_>) -> Vec<Culprit> {
        let resource = question.resource;
        // What led to it began before it.
        let before = self.newest_by(question.began - LEAD).or_else(|| self.looks.front().filter(|l| l.at < question.at));
        let span = self.newest_by(question.began).filter(|l| question.at.since(l.at) >= SHORTEST && l.at < question.at);
        let span = span.filter(|_| question.at.since(question.began) >= SHORTEST);
        let culprit = |p: &Arc<Process>| {
            let value = self.value(p, resource, span, question.at);
            let change = before.map(|look| value - self.usual(p, resource, look));
            let unit = p.container.as_ref().or(p.unit.as_ref()).map(|u| u.to_string());
            // What was ever written says nothing of the present: a database would always be first.
            let (large, more) = match before.filter(|_| resource == Resource::DiskSpace) {
                None => (value, change.unwrap_or(0.0)),
                Some(look) => {
                    let came = change.unwrap_or(0.0);
                    (came, came - self.rate(p, resource, look) * question.at.since(look.at).as_secs_f64())
                }
            };
            (more.max(0.0), large, Culprit { name: p.name.to_string(), pid: p.id.pid, unit, value, change })
        };
        let using = processes.iter().filter(|p| (question.among)(p)).map(culprit);
        let mut culprits: Vec<(f64, f64, Culprit)> = using.filter(|(.., c)| c.value > 0.0).collect();
        let most = |of: fn(&(f64, f64, Culprit)) -> f64| culprits.iter().map(of).fold(0.0, f64::max);
        let is_growth = most(|c| c.0) > GROWTH * most(|c| c.1);
        culprits.sort_by(|(more_a, large_a, a), (more_b, large_b, b)| {
            let more = if is_growth { more_b.total_cmp(more_a) } else { std::cmp::Ordering::Equal };
            more.then(large_b.total_cmp(large_a)).then(b.value.total_cmp(&a.value)).then(a.pid.cmp(&b.pid))
        });
        culprits.truncate(NAMED);
        culprits.into_iter().map(|(.., culprit)| culprit).collect()
    }

    fn newest_by(&self, at: Timestamp) -> Option<&Look> {
        self.looks.iter().rev().find(|look| look.at <= at)
    }

    /// What it uses now; of what flows the mean since `span` where that is known.
    fn value(&self, process: &Process, resource: Resource, span: Option<&Look>, at: Timestamp) -> f64 {
        if !flows(resource) {
            return self.sum(process, resource);
        }
        let Some(look) = span.filter(|_| is_summed(process, resource)) else { return resource.used_by(process) };
        // Who is not in the look began after it.
        let used = self.sum(process, resource) - look.of(process, resource).unwrap_or(0.0);
        used.max(0.0) / at.since(look.at).as_secs_f64()
    }

    /// What it had before: a level, or the mean of a flow over all that is known up to `before`.
    fn usual(&self, process: &Process, resource: Resource, before: &Look) -> f64 {
        let Some(had) = before.of(process, resource) else { return 0.0 };
        if flows(resource) { self.rate(process, resource, before) } else { had }
    }

    /// How much of a sum came each second, over all that is known up to `before`.
    fn rate(&self, process: &Process, resource: Resource, before: &Look) -> f64 {
        let Some(had) = before.of(process, resource) else { return 0.0 };
        let first = self.looks.front().filter(|first| first.at < before.at);
        let (since, then) = match first.and_then(|first| Some((first.at, first.of(process, resource)?))) {
            Some(known) => known,
            None => (process.started_at.unwrap_or(before.at), 0.0),
        };
        let seconds = before.at.since(since).as_secs_f64();
        if seconds > 0.0 { (had - then).max(0.0) / seconds } else { 0.0 }
    }
}

/// Whether a resource is a rate, kept as a sum.
fn flows(resource: Resource) -> bool {
    matches!(resource, Resource::Cpu | Resource::DiskIo)
}

/// Whether the sum of a rate is known beside the rate itself.
fn is_summed(process: &Process, resource: Resource) -> bool {
    resource == Resource::Cpu || (process.read_bytes.is_some() && process.written_bytes.is_some())
}

/// What a parent is given by children that ended.
const MOVED: [Resource; 2] = [Resource::DiskIo, Resource::DiskSpace];

/// A level, or the sum of a flow since the process's start, as the kernel counts it.
fn raw(process: &Process, resource: Resource) -> f64 {
    match resource {
        Resource::Cpu => process.cpu_seconds,
        Resource::DiskIo => process.read_bytes.unwrap_or(0) as f64 + process.written_bytes.unwrap_or(0) as f64,
        level => level.used_by(process),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ShortLived, ShortLivedBy};

    fn process(pid: u32, memory: u64, cpu: f64) -> Process {
        Process {
            id: ProcessId { pid, started: 1 },
            name: format!("p{pid}").into(),
            memory_bytes: memory,
            cpu,
            started_at: Some(Timestamp::from_seconds(0)),
            ..Process::default()
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(10_000 + second)
    }

    fn asked(blame: &Blame, now: &[Process], resource: Resource, (began, fired): (i64, i64)) -> Vec<(u32, Option<f64>)> {
        let now: Vec<Arc<Process>> = now.iter().cloned().map(Arc::new).collect();
        let question = Question { resource, began: at(began), at: at(fired), among: &|_| true };
        blame.culprits(&now, &question).iter().map(|c| (c.pid, c.change.map(|d| (d * 100.0).round() / 100.0))).collect()
    }

    fn looked(blame: &mut Blame, second: i64, all: &[Process]) {
        let all: Vec<Arc<Process>> = all.iter().cloned().map(Arc::new).collect();
        blame.look(at(second), &all);
    }

    #[test]
    fn the_one_that_grew_is_named_before_the_large_one() {
        let mut blame = Blame::default();
        looked(&mut blame, 0, &[process(1, 8_000, 0.1), process(2, 1_000, 0.1)]);
        let now = [process(1, 8_000, 0.1), process(2, 5_000, 0.1)];
        assert_eq!(asked(&blame, &now, Resource::Memory, (60, 60)), [(2, Some(4_000.0)), (1, Some(0.0))]);
    }

    #[test]
    fn without_a_past_the_busiest_is_named() {
        let now = [process(1, 8_000, 0.1), process(2, 1_000, 0.9), process(3, 1_000, 0.0)];
        assert_eq!(asked(&Blame::default(), &now, Resource::Cpu, (0, 0)), [(2, None), (1, None)]);
    }

    #[test]
    fn a_new_hog_comes_before_one_that_is_always_busy_and_one_that_bursts_at_that_second() {
        let mut blame = Blame::default();
        let busy = |second: f64| Process { cpu_seconds: 9_000.0 + second, ..process(1, 1_000, 1.0) };
        // A tenth of a core in the mean, a whole one at the moment of the alert.
        let bursts = |second: f64, cpu| Process { cpu_seconds: 1_000.0 + 0.1 * second, ..process(2, 1_000, cpu) };
        for second in (0..=120).step_by(10) {
            looked(&mut blame, second, &[busy(second as f64), bursts(second as f64, 0.0)]);
        }
        let hog = Process { cpu_seconds: 24.0, ..process(3, 1_000, 0.8) };
        let named = asked(&blame, &[busy(150.0), bursts(150.0, 1.0), hog], Resource::Cpu, (120, 150));
        assert_eq!(named.iter().map(|(pid, _)| *pid).collect::<Vec<_>>(), [3, 1, 2]);
        assert_eq!(named[0].1, Some(0.8));
    }

    #[test]
    fn who_wrote_what_fills_a_disk_is_found_among_those_who_wrote_more_before() {
        let mut blame = Blame::default();
        let wrote = |pid, bytes| Process { written_bytes: Some(bytes), read_bytes: Some(0), ..process(pid, 1_000, 0.0) };
        looked(&mut blame, 0, &[wrote(1, 9_000_000), wrote(2, 0)]);
        let now = [wrote(1, 9_001_000), wrote(2, 40_000)];
        assert_eq!(asked(&blame, &now, Resource::DiskSpace, (60, 60))[0], (2, Some(40_000.0)));
    }

    #[test]
    fn who_always_writes_is_named_after_who_began_to_unless_everybody_goes_on_as_always() {
        let wrote = |pid, bytes| Process { written_bytes: Some(bytes), read_bytes: Some(0), ..process(pid, 1_000, 0.0) };
        let mut blame = Blame::default();
        for second in (0..=900).step_by(10) {
            looked(&mut blame, second, &[wrote(1, 1_000_000 * second as u64), wrote(2, 10_000 * second as u64)]);
        }
        let steady = [wrote(1, 910_000_000), wrote(2, 9_100_000)];
        assert_eq!(asked(&blame, &steady, Resource::DiskSpace, (910, 910))[0].0, 1);
        let filling = [wrote(1, 910_000_000), wrote(2, 9_100_000), wrote(3, 80_000_000)];
        assert_eq!(asked(&blame, &filling, Resource::DiskSpace, (910, 910))[0], (3, Some(80_000_000.0)));
    }

    #[test]
    fn a_parent_is_blamed_for_the_cpu_of_children_nobody_met() {
        let mut blame = Blame::default();
        let all: Arc<[Arc<Process>]> = [process(1, 1_000, 0.0), process(2, 1_000, 0.1)].map(Arc::new).into();
        for second in 0..=60_i64 {
            if second % 10 == 0 {
                blame.look(at(second), &all);
            }
            let by = ShortLivedBy { parent: ProcessId { pid: 1, started: 1 }, name: "sh".into(), cpu_seconds: 1.5 };
            let left = ShortLived { at: at(second), count: 200, by: [by].into() };
            let short_lived = (second >= 30).then(|| Arc::new(left));
            blame.follow(&all, &ProcessChange { short_lived, ..ProcessChange::default() });
        }
        let now: Vec<Process> = all.iter().map(|p| (**p).clone()).collect();
        let (pid, change) = asked(&blame, &now, Resource::Cpu, (30, 60))[0];
        assert!(pid == 1 && change.is_some_and(|c| c > 1.0), "{pid} {change:?}");
    }

    #[test]
    fn a_parent_is_not_blamed_for_what_its_ended_children_wrote() {
        let mut blame = Blame::default();
        let wrote = |pid, parent, bytes| {
            Arc::new(Process { parent, written_bytes: Some(bytes), read_bytes: Some(0), ..process(pid, 1_000, 0.0) })
        };
        let mut all: Arc<[Arc<Process>]> = [wrote(1, 0, 0), wrote(2, 1, 900), wrote(3, 1, 0)].into();
        blame.look(at(0), &all);
        // The second ends; the kernel adds what it wrote to the first, in this tick or the next.
        for (changed, gone) in
            [(vec![], vec![2]), (vec![wrote(1, 0, 905)], vec![]), (vec![wrote(1, 0, 915), wrote(3, 1, 50)], vec![])]
        {
            let gone = gone.into_iter().map(|pid| ProcessId { pid, started: 1 }).collect();
            let change = ProcessChange { changed, gone, ..ProcessChange::default() };
            blame.follow(&all, &change);
            all = change.apply(&all);
        }
        let now: Vec<Process> = all.iter().map(|p| (**p).clone()).collect();
        assert_eq!(asked(&blame, &now, Resource::DiskSpace, (60, 60)), [(3, Some(50.0)), (1, Some(10.0))]);
    }

    #[test]
    fn only_those_of_the_container_are_asked() {
        let inside = Process { container: Some("web".into()), ..process(2, 10, 0.0) };
        let all: Vec<Arc<Process>> = [process(1, 9_000, 0.0), inside].map(Arc::new).into();
        let among = |p: &Process| p.container.as_deref() == Some("web");
        let question = Question { resource: Resource::Memory, began: at(0), at: at(0), among: &among };
        let culprits = Blame::default().culprits(&all, &question);
        assert_eq!(culprits.iter().map(|c| (c.pid, c.unit.as_deref())).collect::<Vec<_>>(), [(2, Some("web"))]);
    }

    #[test]
    fn old_looks_are_few_and_reach_back_ten_minutes_before_a_long_rule() {
        let mut blame = Blame::default();
        for second in (0..7200).step_by(10) {
            looked(&mut blame, second, &[process(1, 1, 0.0)]);
        }
        let ages: Vec<u64> = blame.looks.iter().map(|l| at(7190).since(l.at).as_secs()).collect();
        assert!(ages.len() <= 20 && ages[0] >= 1200, "{ages:?}");
    }

    #[test]
    fn top_names_each_process_once() {
        let all: Vec<Arc<Process>> = (0..100).map(|i| Arc::new(process(i, u64::from(i), f64::from(i)))).collect();
        assert_eq!(top(&all).len(), 10);
    }
}
