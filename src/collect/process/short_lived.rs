//! Processes that began and ended between two looks, and what they used.
//!
//! Nobody meets them, but they leave two traces that need no rights: the numbers they were given, and the CPU time their
//! parents are given when they wait for them. Invariant: what a process had used when it was last looked at is never counted
//! again as use of one that was not met.

use std::sync::Arc;
use std::time::Duration;

use super::tracked::Tracked;
use crate::collect::parse::lines;
use crate::model::{Host, Process, ShortLived, ShortLivedBy};

/// Most numbers asked for one by one, 0.2 µs each; of more the newest stand for all.
const MOST_ASKED: u64 = 4096;

/// Parents told of in one round: those whose children used most.
const MOST_TOLD: usize = 16;

/// The kernel tells the time of children in ticks of a hundredth of a second; less than one is no trace.
const TICK: Duration = Duration::from_millis(10);

/// What the ended children of one process used.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// CPU time of all it waited for, and when that was read.
    total: Duration,
    at: Duration,
    /// What those that were met had used when they were last looked at, and are not yet known to be part of `total`.
    met: Duration,
    /// By how much `total` rose at the last reading, and since when that was.
    rise: Option<(Duration, Duration)>,
}

impl Children {
    pub(super) fn new(total: Duration, at: Duration) -> Self {
        Self { total, at, ..Self::default() }
    }

    /// What is known of them in all.
    pub(super) fn known(&self) -> Duration {
        self.total + self.met
    }

    /// A new reading; true where it is to be settled.
    pub(super) fn read(&mut self, total: Duration, at: Duration) -> bool {
        let rise = total.saturating_sub(self.total);
        self.rise = (rise > Duration::ZERO).then(|| (rise, at.saturating_sub(self.at)));
        (self.total, self.at) = (total, at);
        self.rise.is_some()
    }

    /// A child that was met ended, having used that much.
    fn lose(&mut self, used: Duration) {
        self.met += used;
    }

    /// The part of the last rise that nobody was seen to use, and the span in which it came.
    ///
    /// `None` too where so many cores cannot have done that much in that time: then it is of a child that was met, but whose parent
    /// was another one when it was read.
    fn settle(&mut self, cores: Option<f64>) -> Option<(Duration, Duration)> {
        let (rise, span) = self.rise.take()?;
        let unseen = rise.saturating_sub(self.met);
        // A child may be found gone before its time is given to its parent, and ticks are rounded: the rest waits for the next rise.
        self.met = self.met.saturating_sub(rise);
        let possible = cores.is_none_or(|cores| unseen <= span.mul_f64(cores) + TICK);
        (unseen >= TICK && possible && span > Duration::ZERO).then_some((unseen, span))
    }
}

/// What all of them left in one round.
#[derive(Debug, Default)]
pub(super) struct Traces {
    cores: Option<f64>,
    /// Processes that ended in this round: the number of the parent, and what they and their children used.
    ended: Vec<(u32, Duration)>,
    /// Numbers of processes whose children's time rose.
    risen: Vec<u32>,
}

impl Traces {
    pub(super) fn new(host: &dyn Host) -> Self {
        Self { cores: cores(host), ..Self::default() }
    }

    /// A process was found gone.
    pub(super) fn end(&mut self, process: &Process, used: Duration) {
        self.ended.push((process.parent, used));
    }

    /// The time of a process's children rose.
    pub(super) fn rise(&mut self, pid: u32) {
        self.risen.push(pid);
    }

    /// Settles a round in which everybody was looked at: whose children used how much unseen, the most first, and CPU in cores of
    /// all together.
    pub(super) fn settle(&mut self, known: &mut [Tracked]) -> (Vec<ShortLivedBy>, f64) {
        fn of(known: &mut [Tracked], pid: u32) -> Option<&mut Tracked> {
            let place = known.binary_search_by_key(&pid, |t| t.pid).ok()?;
            known.get_mut(place)
        }
        for (parent, used) in self.ended.drain(..) {
            if let Some(parent) = of(known, parent) {
                parent.children.lose(used);
            }
        }
        let (mut all, mut cores) = (Vec::new(), 0.0);
        for pid in self.risen.drain(..) {
            let Some(parent) = of(known, pid) else { continue };
            let Some((used, span)) = parent.children.settle(self.cores) else { continue };
            cores += used.as_secs_f64() / span.as_secs_f64();
            let (parent, name) = (parent.process.id, Arc::clone(&parent.process.name));
            all.push(ShortLivedBy { parent, name, cpu_seconds: used.as_secs_f64() });
        }
        all.sort_by(|a, b| b.cpu_seconds.total_cmp(&a.cpu_seconds));
        all.truncate(MOST_TOLD);
        (all, cores)
    }
}

/// How many of the numbers given out after `before`, up to `newest`, belong to nobody any more: to no process and no thread.
///
/// `None` where the numbers began anew in between, and where the host cannot tell.
pub(super) fn vanished(host: &dyn Host, before: u64, newest: u64) -> Option<f64> {
    let given = newest.checked_sub(before)?;
    let asked = given.min(MOST_ASKED);
    let mut gone = 0_u64;
    for number in newest - asked + 1..=newest {
        gone += u64::from(!host.is_alive(u32::try_from(number).ok()?).ok()?);
    }
    Some(if asked == 0 { 0.0 } else { gone as f64 * given as f64 / asked as f64 })
}

/// Cores in use, each a line of its own.
fn cores(host: &dyn Host) -> Option<f64> {
    let mut text = Vec::new();
    host.read("/proc/stat", &mut text).ok()?;
    let n = lines(&text).filter(|line| line.starts_with(b"cpu") && line.get(3).is_some_and(u8::is_ascii_digit)).count();
    (n > 0).then_some(n as f64)
}

/// What is told of a round; `None` where there was nothing.
pub(super) fn told(at: crate::base::Timestamp, vanished: Option<f64>, by: Vec<ShortLivedBy>) -> Option<Arc<ShortLived>> {
    let count = vanished.map_or(0, |n| n.round() as u32);
    (count > 0 || !by.is_empty()).then(|| Arc::new(ShortLived { at, count, by: by.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn settled(children: &mut Children, total: u64, second: u32) -> Option<u64> {
        children.read(millis(total), SECOND * second);
        children.settle(Some(2.0)).map(|(used, _)| used.as_millis() as u64)
    }

    #[test]
    fn what_children_used_that_were_met_is_theirs() {
        let mut children = Children::new(millis(500), Duration::ZERO);
        assert_eq!(settled(&mut children, 800, 1), Some(300));
        children.lose(millis(250));
        // Of these 400 ms, 250 were seen.
        assert_eq!(settled(&mut children, 1200, 2), Some(150));
        assert_eq!(settled(&mut children, 1200, 3), None);
    }

    #[test]
    fn a_child_found_gone_before_its_parent_has_its_time_is_not_counted_again() {
        let mut children = Children::new(Duration::ZERO, Duration::ZERO);
        children.lose(millis(700));
        assert_eq!(settled(&mut children, 0, 1), None);
        assert_eq!(settled(&mut children, 700, 2), None);
        assert_eq!(settled(&mut children, 900, 3), Some(200));
    }

    #[test]
    fn more_than_the_cores_can_do_is_of_one_that_was_met() {
        let mut children = Children::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(settled(&mut children, 3_600_000, 1), None);
        assert_eq!(settled(&mut children, 3_601_000, 2), Some(1000));
    }
}
