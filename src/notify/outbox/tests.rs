//! The outbox as steps, and its promises under restarts.

use proptest::prelude::*;

use super::*;
use crate::notify::tests::{alert, at};

fn routing(names: &[&str]) -> Routing {
    Routing { channels: names.iter().map(|n| ((*n).to_owned(), 0)).collect(), ..Routing::default() }
}

fn outbox(names: &[&str]) -> Outbox {
    Outbox::new("web-1", routing(names), Sending::Real)
}

fn tell(outbox: &mut Outbox, alert: &Alert, reason: Reason, second: u64) -> OutboxStep {
    outbox.step(OutboxEvent::Told { alert, reason, channels: &[] }, at(second))
}

fn done(outbox: &mut Outbox, row: u64, result: Result<Receipt, DeliveryError>, second: u64) -> OutboxStep {
    outbox.step(OutboxEvent::Done { row, result }, at(second))
}

fn sent(step: &OutboxStep) -> Vec<(u64, &str, Reason)> {
    step.deliveries.iter().map(|d| (d.row, d.channel.as_str(), d.message.reason)).collect()
}

fn transient(text: &str) -> Result<Receipt, DeliveryError> {
    Err(DeliveryError::transient(text))
}

#[test]
fn everybody_is_told_once_and_those_who_were_told_hear_the_end() {
    let mut outbox = outbox(&["desktop", "file"]);
    let alert = alert("7k", "x");
    let step = tell(&mut outbox, &alert, Reason::Fired, 0);
    assert_eq!(sent(&step), [(1, "desktop", Reason::Fired), (2, "file", Reason::Fired)]);
    assert_eq!(step.writes.len(), 2, "written before it is sent");
    assert_eq!(tell(&mut outbox, &alert, Reason::Fired, 1), OutboxStep::default(), "told twice is told once");
    let told = done(&mut outbox, 1, Ok(Receipt::default()), 2);
    assert_eq!(told.journal, [JournalEvent::Delivered { alert: "7k".into(), channel: "desktop".into(), error: None }]);
    done(&mut outbox, 2, Err(DeliveryError::new(DeliveryFault::Permanent, "no")), 2);
    assert_eq!((outbox.told("7k"), outbox.depth()), (vec!["desktop"], 0));
    let step = tell(&mut outbox, &alert, Reason::Resolved, 3);
    assert_eq!(sent(&step), [(3, "desktop", Reason::Resolved)]);
    let step = done(&mut outbox, 3, Ok(Receipt::default()), 4);
    let deleted: Vec<&OutboxWrite> = step.writes.iter().filter(|w| matches!(w, OutboxWrite::Delete(_))).collect();
    assert_eq!(deleted.len(), 3, "nothing is kept of an alert that is over");
}

#[test]
fn a_failed_delivery_is_tried_again_later_and_later() {
    let mut outbox = outbox(&["file"]);
    tell(&mut outbox, &alert("7k", "x"), Reason::Fired, 0);
    let mut now = 0;
    let mut pauses = Vec::new();
    for attempt in 0..10 {
        let step = done(&mut outbox, 1, transient("disk full"), now);
        assert_eq!(step.journal.len(), usize::from(attempt == 0), "the journal hears of it once");
        let due = outbox.next_due().expect("a time");
        pauses.push(due.since(at(now)).as_secs());
        now += pauses[attempt];
        assert_eq!(outbox.step(OutboxEvent::Due, due - Duration::from_millis(1)).deliveries, []);
        assert_eq!(outbox.step(OutboxEvent::Due, due).deliveries.len(), 1);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
    let asked =
        DeliveryError { retry_after: Some(Duration::from_secs(3600)), ..DeliveryError::new(DeliveryFault::Transient, "429") };
    done(&mut outbox, 1, Err(asked), now);
    assert_eq!(outbox.next_due(), Some(at(now + 3600)), "the other side says when");
    outbox.step(OutboxEvent::Due, at(now + 3600));
    let step = done(&mut outbox, 1, transient("disk full"), 3 * 86_400);
    assert!(matches!(&step.journal[..], [JournalEvent::Delivered { error: Some(e), .. }] if e.ends_with("given up")));
    assert_eq!((outbox.depth(), outbox.next_due()), (0, None));
}

#[test]
fn the_end_is_told_after_the_beginning_also_when_that_was_late() {
    let mut outbox = outbox(&["file"]);
    let alert = alert("7k", "x");
    tell(&mut outbox, &alert, Reason::Fired, 0);
    done(&mut outbox, 1, transient("no network"), 1);
    tell(&mut outbox, &alert, Reason::Reminder(1), 300);
    let step = tell(&mut outbox, &alert, Reason::Resolved, 301);
    assert!(step.writes.contains(&OutboxWrite::Delete(2)), "a reminder of what is over is dropped");
    let step = outbox.step(OutboxEvent::Due, at(400));
    assert_eq!(sent(&step), []);
    let step = done(&mut outbox, 1, Ok(Receipt::default()), 401);
    assert_eq!(sent(&step), [(3, "file", Reason::Resolved)]);
}

#[test]
fn quiet_and_acknowledged_alerts_tell_nobody() {
    let mut outbox = outbox(&["file"]);
    let mut silenced = alert("1", "x");
    silenced.silenced_by = vec!["s".to_owned()];
    assert_eq!(tell(&mut outbox, &silenced, Reason::Fired, 0), OutboxStep::default());
    assert_eq!(tell(&mut outbox, &silenced, Reason::Resolved, 1), OutboxStep::default());
    silenced.silenced_by.clear();
    assert_eq!(sent(&tell(&mut outbox, &silenced, Reason::Fired, 2)).len(), 1, "told when the silence ends");
}

#[test]
fn reminders_reach_the_channels_of_their_level() {
    let channels = vec![("desktop".to_owned(), 0), ("email".to_owned(), 2)];
    let mut outbox = Outbox::new("web-1", Routing { channels, ..Routing::default() }, Sending::Real);
    let mut alert = alert("1", "x");
    done(&mut outbox, 0, Ok(Receipt::default()), 0);
    tell(&mut outbox, &alert, Reason::Fired, 0);
    done(&mut outbox, 1, Ok(Receipt::default()), 0);
    alert.level = 2;
    let step = tell(&mut outbox, &alert, Reason::Reminder(2), 600);
    assert_eq!(sent(&step), [(2, "desktop", Reason::Reminder(2)), (3, "email", Reason::Reminder(2))]);
}

#[test]
fn a_channel_that_cannot_work_is_mentioned_once() {
    let mut outbox = outbox(&["desktop"]);
    tell(&mut outbox, &alert("1", "x"), Reason::Fired, 0);
    tell(&mut outbox, &alert("2", "y"), Reason::Fired, 0);
    let gone = || Err(DeliveryError::new(DeliveryFault::Unavailable, "no desktop here"));
    assert_eq!(done(&mut outbox, 1, gone(), 1).journal.len(), 1);
    assert_eq!(outbox.depth(), 0);
    assert_eq!(tell(&mut outbox, &alert("3", "z"), Reason::Fired, 2), OutboxStep::default());
    outbox.set_routing(routing(&["desktop"]));
    assert_eq!(tell(&mut outbox, &alert("4", "z"), Reason::Fired, 3).deliveries.len(), 1, "tried again after a reload");
}

#[test]
fn a_dry_run_shows_everything_and_sends_nothing() {
    let mut outbox = Outbox::new("web-1", routing(&["desktop", "file"]), Sending::Dry);
    let alert = alert("1", "x");
    for reason in [Reason::Fired, Reason::Resolved] {
        let step = tell(&mut outbox, &alert, reason, 0);
        assert_eq!((step.writes.len(), step.deliveries.len(), step.journal.len()), (0, 0, 2), "{reason:?}");
        let marked = |e: &JournalEvent| matches!(e, JournalEvent::Delivered { error: Some(e), .. } if e.contains("dry run"));
        assert!(step.journal.iter().all(marked));
    }
    assert_eq!(outbox.depth(), 0);
}

#[test]
fn a_clock_that_went_back_does_not_hold_messages() {
    let mut outbox = outbox(&["file"]);
    tell(&mut outbox, &alert("1", "x"), Reason::Fired, 100_000);
    done(&mut outbox, 1, transient("x"), 100_000);
    assert_eq!(outbox.step(OutboxEvent::Due, at(10)).deliveries.len(), 1);
}

/// What happens to an outbox and the disk under it.
#[derive(Debug, Clone)]
enum Act {
    Fire(u8),
    Resolve(u8),
    Result(usize, bool),
    Pass(u64),
    /// Everything in memory is lost, what was on its way too.
    Kill,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0..4u8).prop_map(Act::Fire),
        2 => (0..4u8).prop_map(Act::Resolve),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(n, ok)| Act::Result(n, ok)),
        3 => (1..700u64).prop_map(Act::Pass),
        1 => Just(Act::Kill),
    ];
    prop::collection::vec(act, 1..120)
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled_over_kills(acts in acts()) {
        let mut outbox = outbox(&["a", "b"]);
        let mut disk: BTreeMap<u64, OutboxRow> = BTreeMap::new();
        let mut flying: Vec<Delivery> = Vec::new();
        let mut taken: Vec<(String, String, Reason)> = Vec::new();
        let mut wanted: BTreeSet<(String, String, Reason)> = BTreeSet::new();
        let mut generation = [0u32; 4];
        let mut open = [false; 4];
        let mut now = 0;
        // At the end everything is given time and taken.
        let rest = std::iter::repeat_n([Act::Pass(700), Act::Result(0, true)], 400).flatten();
        for act in acts.into_iter().chain(rest) {
            let step = match act {
                Act::Fire(n) | Act::Resolve(n) => {
                    let n = usize::from(n);
                    let fire = matches!(act, Act::Fire(_));
                    if fire == open[n] {
                        continue;
                    }
                    open[n] = fire;
                    generation[n] += u32::from(fire);
                    let alert = alert(&format!("{n}-{}", generation[n]), "x");
                    let reason = if fire { Reason::Fired } else { Reason::Resolved };
                    for channel in ["a", "b"] {
                        wanted.insert((alert.id.clone(), channel.to_owned(), reason));
                    }
                    tell(&mut outbox, &alert, reason, now)
                }
                Act::Result(..) if flying.is_empty() => continue,
                Act::Result(at, ok) => {
                    let delivery = flying.remove(at % flying.len());
                    if ok {
                        taken.push((delivery.message.alert.clone(), delivery.channel.clone(), delivery.message.reason));
                    }
                    done(&mut outbox, delivery.row, if ok { Ok(Receipt::default()) } else { transient("x") }, now)
                }
                Act::Pass(seconds) => {
                    now += seconds;
                    outbox.step(OutboxEvent::Due, at(now))
                }
                Act::Kill => {
                    flying.clear();
                    outbox = self::outbox(&["a", "b"]);
                    outbox.restore(disk.values().cloned().collect());
                    outbox.step(OutboxEvent::Due, at(now))
                }
            };
            for write in step.writes {
                match write {
                    OutboxWrite::Put(row) => { disk.insert(row.id, row); }
                    OutboxWrite::Delete(id) => { disk.remove(&id); }
                }
            }
            for delivery in step.deliveries {
                let row = disk.get(&delivery.row);
                prop_assert!(row.is_some_and(|r| r.delivered_at.is_none()), "sent without being written down");
                prop_assert!(!flying.iter().any(|f| f.row == delivery.row), "sent twice at once");
                flying.push(delivery);
            }
        }
        let unique: BTreeSet<(String, String, Reason)> = taken.iter().cloned().collect();
        prop_assert_eq!(unique.len(), taken.len(), "taken twice");
        prop_assert_eq!(unique, wanted);
        prop_assert_eq!(outbox.depth(), 0);
        let place = |wanted: &(String, String, Reason)| taken.iter().position(|t| t == wanted);
        for (alert, channel, reason) in taken.iter().filter(|t| t.2 == Reason::Resolved) {
            let fired = (alert.clone(), channel.clone(), Reason::Fired);
            let over = (alert.clone(), channel.clone(), *reason);
            prop_assert!(place(&fired) < place(&over), "the beginning comes before the end");
        }
    }
}
