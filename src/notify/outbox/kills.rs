//! The outbox's promises under kills: nothing lost, nothing doubled unless the answer was, and then marked.

use proptest::prelude::*;

use super::tests::{routing, telling};
use super::*;
use crate::notify::tests::{alert, at};

/// What happens to an outbox and the disk under it.
#[derive(Debug, Clone)]
enum Act {
    Fire(u8),
    Resolve(u8),
    Result(usize, bool),
    Pass(u64),
    /// The message is taken, then everything in memory is lost, the answer too.
    Kill(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0..4u8).prop_map(Act::Fire),
        2 => (0..4u8).prop_map(Act::Resolve),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(n, ok)| Act::Result(n, ok)),
        3 => (1..700u64).prop_map(Act::Pass),
        1 => any::<usize>().prop_map(Act::Kill),
    ];
    prop::collection::vec(act, 1..120)
}

/// Alert, channel, and whether it fired or is over.
type Told = (String, String, bool);

/// One run: the outbox, the disk under it, what is on its way and what arrived.
struct Run {
    outbox: Outbox,
    disk: BTreeMap<u64, OutboxRow>,
    flying: Vec<Delivery>,
    /// What arrived, in order, and whether it was marked as perhaps doubled.
    taken: Vec<(Told, bool)>,
    now: u64,
}

impl Run {
    fn new() -> Self {
        let outbox = Self::outbox();
        Self { outbox, disk: BTreeMap::new(), flying: Vec::new(), taken: Vec::new(), now: 0 }
    }

    fn outbox() -> Outbox {
        let budget = Budget { all: 10_000, rule: 10_000 };
        Outbox::new("web-1", Routing { budget, ..routing(&["a", "b"]) }, Sending::Real)
    }

    fn take(&mut self, at: usize) -> Delivery {
        let delivery = self.flying.remove(at % self.flying.len());
        let marked = delivery.message.json["possible_duplicate"] == true;
        for (at, told) in self.disk[&delivery.row].told_of.iter().enumerate() {
            let over = told.reason == Reason::Resolved;
            self.taken.push(((told.alert.clone(), delivery.channel.clone(), over), marked));
            // A digest says of what began and ended before it was sent that it is over.
            if !over && !delivery.message.json["alerts"][at]["resolved_at"].is_null() {
                self.taken.push(((told.alert.clone(), delivery.channel.clone(), true), marked));
            }
        }
        delivery
    }

    fn step(&mut self, event: OutboxEvent<'_>) -> Result<(), TestCaseError> {
        let step = self.outbox.step(event, at(self.now));
        for write in step.writes {
            match write {
                OutboxWrite::Put(row) => drop(
                    self.disk.insert(row.id, serde_json::from_value(serde_json::to_value(row).expect("JSON")).expect("a row")),
                ),
                OutboxWrite::Delete(id) => drop(self.disk.remove(&id)),
            }
        }
        for delivery in step.deliveries {
            let begun = self.disk.get(&delivery.row).is_some_and(|r| r.sending && r.delivered_at.is_none());
            prop_assert!(begun, "sent without being written down");
            prop_assert!(!self.flying.iter().any(|f| f.row == delivery.row), "sent twice at once");
            self.flying.push(delivery);
        }
        Ok(())
    }

    fn act(&mut self, act: &Act, alerts: &mut [(u32, bool); 4], wanted: &mut BTreeSet<Told>) -> Result<(), TestCaseError> {
        match act {
            Act::Fire(n) | Act::Resolve(n) => {
                let (generation, open) = &mut alerts[usize::from(*n)];
                let fire = matches!(act, Act::Fire(_));
                if fire == *open {
                    return Ok(());
                }
                *open = fire;
                *generation += u32::from(fire);
                let mut alert = alert(&format!("{n}-{generation}"), "x");
                alert.resolved_at = (!fire).then_some(at(self.now));
                wanted.extend(["a", "b"].map(|channel| (alert.id.clone(), channel.to_owned(), !fire)));
                let reason = if fire { Reason::Fired } else { Reason::Resolved };
                self.step(OutboxEvent::Told(&[telling(&alert, reason)]))
            }
            Act::Result(..) if self.flying.is_empty() => Ok(()),
            Act::Result(at, true) => {
                let row = self.take(*at).row;
                self.step(OutboxEvent::Done { row, result: Ok(Receipt::default()) })
            }
            Act::Result(at, false) => {
                let row = self.flying.remove(at % self.flying.len()).row;
                self.step(OutboxEvent::Done { row, result: Err(DeliveryError::transient("x")) })
            }
            Act::Pass(seconds) => {
                self.now += seconds;
                self.step(OutboxEvent::Due)
            }
            Act::Kill(at) => {
                if !self.flying.is_empty() {
                    self.take(*at);
                }
                self.flying.clear();
                self.outbox = Self::outbox();
                self.outbox.restore(self.disk.values().cloned().collect());
                self.step(OutboxEvent::Due)
            }
        }
    }
}

/// Plays the acts and what ends them all, then holds the promises against what arrived.
fn holds(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let mut run = Run::new();
    let mut alerts = [(0, false); 4];
    let mut wanted = BTreeSet::new();
    // At the end everything is over, is given time and is taken.
    let end = (0..4).map(Act::Resolve).chain(std::iter::repeat_n([Act::Pass(700), Act::Result(0, true)], 400).flatten());
    for act in acts.into_iter().chain(end) {
        run.act(&act, &mut alerts, &mut wanted)?;
    }
    let mut seen: BTreeSet<&Told> = BTreeSet::new();
    for (told, marked) in &run.taken {
        prop_assert!(seen.insert(told) || *marked, "{told:?} came twice without a mark");
    }
    let place = |told: &Told| run.taken.iter().position(|(t, _)| t == told);
    for told in &wanted {
        let (alert, channel, over) = told;
        let began = (alert.clone(), channel.clone(), false);
        prop_assert!(place(told).is_some(), "{told:?} was lost");
        prop_assert!(!over || place(&began) <= place(told), "the beginning comes before the end");
    }
    prop_assert_eq!(run.outbox.depth(), 0);
    Ok(())
}

#[test]
fn a_digest_tells_what_began_before_what_is_over() {
    use Act::{Fire, Pass, Resolve, Result};
    let fails = |n| Result(n, false);
    let outage = vec![Fire(0), fails(0), Pass(5), fails(6_530_193_654_234_877_361), Resolve(0), Pass(11)];
    let more = [fails(15_664_816_602_129_583_787), Fire(2), Pass(21), Fire(3), Fire(0)];
    holds(outage.into_iter().chain(more).collect()).expect("in order");
}

#[test]
fn an_end_that_is_due_later_does_not_overtake_its_beginning() {
    use Act::{Fire, Kill, Pass, Resolve, Result};
    let begun = [Fire(3), Pass(30), Fire(0), Result(0, true), Result(0, true), Result(0, false), Pass(6), Result(0, false)];
    let then = [Pass(10), Resolve(3), Result(0, false), Pass(19), Kill(0), Fire(0)];
    holds(begun.into_iter().chain(then).collect()).expect("in order");
}

proptest! {
    #[test]
    fn nothing_is_lost_and_what_is_doubled_is_marked(acts in acts()) {
        holds(acts)?;
    }
}
