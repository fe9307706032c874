//! The outbox as steps: who is told, together with what, when again, and when not.

use std::sync::Arc;

use super::*;
use crate::model::Severity;
use crate::notify::tests::{alert, at};
use crate::notify::{RouteConfig, Target};

pub(super) fn routing(names: &[&str]) -> Routing {
    Routing { channels: names.iter().map(|n| Target::new(n, 0)).collect(), ..Routing::default() }
}

fn outbox(names: &[&str]) -> Outbox {
    Outbox::new("web-1", routing(names), Sending::Real)
}

pub(super) fn telling(alert: &Alert, reason: Reason) -> Telling {
    Telling { alert: Arc::new(alert.clone()), reason, channels: Arc::new([]), settles: Duration::ZERO }
}

fn tell(outbox: &mut Outbox, alert: &Alert, reason: Reason, second: u64) -> OutboxStep {
    outbox.step(OutboxEvent::Told(&[telling(alert, reason)]), at(second))
}

fn tell_all(outbox: &mut Outbox, alerts: &[Alert], reason: Reason, second: u64) -> OutboxStep {
    let tellings: Vec<Telling> = alerts.iter().map(|a| telling(a, reason)).collect();
    outbox.step(OutboxEvent::Told(&tellings), at(second))
}

fn done(outbox: &mut Outbox, row: u64, result: Result<Receipt, DeliveryError>, second: u64) -> OutboxStep {
    outbox.step(OutboxEvent::Done { row, result }, at(second))
}

fn due(outbox: &mut Outbox, second: u64) -> OutboxStep {
    outbox.step(OutboxEvent::Due, at(second))
}

fn taken() -> Result<Receipt, DeliveryError> {
    Ok(Receipt::default())
}

fn transient(text: &str) -> Result<Receipt, DeliveryError> {
    Err(DeliveryError::transient(text))
}

fn sent(step: &OutboxStep) -> Vec<(&str, Reason)> {
    step.deliveries.iter().map(|d| (d.channel.as_str(), d.message.reason)).collect()
}

/// Takes everything that goes out until nothing does; the messages.
fn take_all(outbox: &mut Outbox, step: OutboxStep, second: u64) -> Vec<Arc<Message>> {
    let mut messages = Vec::new();
    let mut waiting = step.deliveries;
    while let Some(delivery) = waiting.pop() {
        messages.push(delivery.message);
        waiting.extend(done(outbox, delivery.row, taken(), second).deliveries);
    }
    messages
}

fn errors(step: &OutboxStep) -> Vec<&str> {
    let events = step.journal.iter();
    events
        .filter_map(|event| match event {
            JournalEvent::Delivered { error, .. } => error.as_deref(),
            _ => None,
        })
        .collect()
}

/// The n-th alert of one rule, a warning.
fn numbered(n: usize) -> Alert {
    Alert { severity: Severity::Warning, fingerprint: n as u64 + 100, ..alert(&format!("a{n}"), &format!("disk {n} full")) }
}

/// The only alert of the n-th rule.
fn of_rule(n: usize) -> Alert {
    let mut alert = numbered(n);
    alert.rule = format!("rule {n}");
    alert.labels.insert("rule".to_owned(), alert.rule.clone());
    alert
}

#[test]
fn an_alert_is_written_down_then_sent_then_told_to_be_over() {
    let mut outbox = outbox(&["desktop", "file"]);
    let alert = alert("7k", "x");
    let step = tell(&mut outbox, &alert, Reason::Fired, 0);
    assert_eq!(sent(&step), [("desktop", Reason::Fired), ("file", Reason::Fired)]);
    assert!(matches!(&step.writes[..], [OutboxWrite::Put(a), OutboxWrite::Put(b)] if a.sending && b.sending), "begun is on disk");
    let step = done(&mut outbox, 1, Ok(Receipt::new("200 ok")), 1);
    assert!(matches!(&step.journal[..], [JournalEvent::Delivered { error: None, note, .. }] if note == "fired: 200 ok"));
    done(&mut outbox, 2, taken(), 1);
    assert_eq!(outbox.told("7k"), ["desktop", "file"]);
    let step = tell(&mut outbox, &alert, Reason::Resolved, 60);
    assert_eq!(sent(&step), [("desktop", Reason::Resolved), ("file", Reason::Resolved)]);
    take_all(&mut outbox, step, 61);
    due(&mut outbox, 4_000);
    assert_eq!((outbox.rows.len(), outbox.depth()), (0, 0), "what is over and told is forgotten after an hour at most");
}

#[test]
fn failures_are_tried_again_later_and_later_as_asked_and_not_for_ever() {
    let mut outbox = outbox(&["file"]);
    tell(&mut outbox, &alert("1", "x"), Reason::Fired, 0);
    let mut now = 0;
    for expected in [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0] {
        let step = done(&mut outbox, 1, transient("disk full"), now);
        assert_eq!(step.journal.len(), usize::from(now == 0), "told once for one reason");
        let next = outbox.next_due().expect("it is tried again");
        let pause = next.since(at(now)).as_secs_f64();
        assert!((pause / expected - 1.0).abs() <= 0.1, "{pause} s, expected about {expected} s");
        now = next.since(at(0)).as_secs() + 1;
        assert_eq!(due(&mut outbox, now).deliveries.len(), 1);
    }
    let wish = Some(Duration::from_secs(3600));
    let asked = DeliveryError { retry_after: wish, ..DeliveryError::transient("429") };
    done(&mut outbox, 1, Err(asked), now);
    assert_eq!(outbox.next_due(), Some(at(now + 3600)), "the other side says when");
    due(&mut outbox, now + 3600);
    let step = done(&mut outbox, 1, transient("disk full"), 3 * 86_400);
    assert!(errors(&step)[0].ends_with("given up"), "{step:?}");
    assert_eq!((outbox.depth(), outbox.next_due()), (0, None));
}

#[test]
fn too_many_requests_hold_the_whole_channel_and_no_other() {
    let mut outbox = outbox(&["chat", "file"]);
    tell(&mut outbox, &of_rule(1), Reason::Fired, 0);
    let asked = DeliveryError { retry_after: Some(Duration::from_secs(30)), ..DeliveryError::transient("429") };
    done(&mut outbox, 1, Err(asked), 0);
    let step = tell(&mut outbox, &of_rule(2), Reason::Fired, 1);
    assert_eq!(sent(&step), [("file", Reason::Fired)], "the other goes on");
    assert_eq!(sent(&due(&mut outbox, 31)).len(), 2);
}

#[test]
fn a_permanent_failure_is_told_at_once_and_its_end_is_not_sent() {
    let mut outbox = outbox(&["chat"]);
    tell(&mut outbox, &alert("1", "x"), Reason::Fired, 0);
    let step = done(&mut outbox, 1, Err(DeliveryError::permanent("403; is the secret right?")), 0);
    assert_eq!(errors(&step), ["403; is the secret right?; given up"]);
    assert_eq!(outbox.failing()[0].error, "403; is the secret right?");
    assert_eq!(tell(&mut outbox, &alert("1", "x"), Reason::Resolved, 9).deliveries, []);
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
    assert_eq!(sent(&step), []);
    let step = done(&mut outbox, 1, taken(), 401);
    assert_eq!(sent(&step), [("file", Reason::Resolved)]);
}

#[test]
fn quiet_and_acknowledged_alerts_tell_nobody_and_say_why() {
    let mut outbox = outbox(&["file"]);
    let mut silenced = alert("1", "x");
    silenced.silenced_by = vec!["s".to_owned()];
    let step = tell(&mut outbox, &silenced, Reason::Fired, 0);
    assert_eq!((errors(&step), step.deliveries.len()), (vec!["not sent: silenced by s"], 0));
    assert_eq!(tell(&mut outbox, &silenced, Reason::Resolved, 1), OutboxStep::default());
    silenced.silenced_by.clear();
    assert_eq!(sent(&tell(&mut outbox, &silenced, Reason::Fired, 2)).len(), 1, "told when the silence ends");
    outbox.set_routing(Routing { routes: vec![RouteConfig::default()], ..routing(&["file"]) });
    assert_eq!(errors(&tell(&mut outbox, &of_rule(1), Reason::Fired, 3)), ["not sent: route 1 names nobody"]);
}

#[test]
fn channels_add_up_and_everybody_who_was_told_hears_the_end() {
    let channels = vec![Target::new("desktop", 0), Target::new("email", 2), Target::new("sms", 3), Target::new("phone", 4)];
    let mut outbox = Outbox::new("web-1", Routing { channels, ..Routing::default() }, Sending::Real);
    let mut alert = alert("1", "x");
    let step = tell(&mut outbox, &alert, Reason::Fired, 0);
    take_all(&mut outbox, step, 0);
    let mut told = Vec::new();
    for (level, second) in [(1, 300), (2, 600), (3, 1800), (4, 3600)] {
        alert.level = level;
        let step = tell(&mut outbox, &alert, Reason::Reminder(level), second);
        told.push(step.deliveries.len());
        take_all(&mut outbox, step, second);
    }
    assert_eq!(told, [1, 2, 3, 4]);
    let step = tell(&mut outbox, &alert, Reason::Resolved, 4000);
    assert_eq!(sent(&step).iter().map(|s| s.0).collect::<Vec<_>>(), ["desktop", "email", "sms", "phone"]);
}

#[test]
fn what_got_worse_is_told_and_its_levels_begin_again() {
    let mut outbox = outbox(&["file"]);
    let mut alert = alert("1", "x");
    for (reason, second) in [(Reason::Fired, 0), (Reason::Reminder(1), 300), (Reason::Worse(0), 900), (Reason::Reminder(1), 1200)]
    {
        let step = tell(&mut outbox, &alert, reason, second);
        assert_eq!(step.deliveries.len(), 1, "{reason:?}");
        take_all(&mut outbox, step, second);
        alert.level = 1;
    }
    assert_eq!(tell(&mut outbox, &alert, Reason::Reminder(1), 1300).deliveries.len(), 0, "once");
}

#[test]
fn a_thousand_alerts_at_once_are_one_message_and_those_that_follow_another() {
    let mut outbox = outbox(&["chat"]);
    let all: Vec<Alert> = (0..1000).map(numbered).collect();
    let mut messages = Vec::new();
    // They fall within eleven seconds, as checks of services do, and rise within as many.
    for (second, some) in all.chunks(100).enumerate() {
        let step = tell_all(&mut outbox, some, Reason::Fired, second as u64);
        messages.extend(take_all(&mut outbox, step, second as u64));
    }
    let step = due(&mut outbox, 31);
    messages.extend(take_all(&mut outbox, step, 31));
    let listed: usize = messages.iter().map(|m| m.json["alerts"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!((messages.len(), listed), (2, 1000));
    for (second, some) in all.chunks(100).enumerate() {
        let step = tell_all(&mut outbox, some, Reason::Resolved, 600 + second as u64);
        messages.extend(take_all(&mut outbox, step, 600 + second as u64));
    }
    assert_eq!(messages.len(), 3, "at most three in all");
    assert_eq!(messages[2].subject, "[resolved] web-1: 1000 alerts of memory over");
    assert_eq!((messages[0].thread.as_str(), messages[2].thread.as_str()), ("a0", "a0"), "one thread");
}

#[test]
fn a_route_waits_for_more_of_a_group_and_repeats_what_nobody_cares_for() {
    let route: RouteConfig = toml::from_str("channels = ['file']\ngroup_by = []\nrepeat = '1h'").expect("a route");
    let mut outbox = Outbox::new("web-1", Routing { routes: vec![route], ..routing(&["file"]) }, Sending::Real);
    assert_eq!(tell(&mut outbox, &of_rule(1), Reason::Fired, 0).deliveries, []);
    assert_eq!(outbox.next_due(), Some(at(1)));
    tell(&mut outbox, &of_rule(2), Reason::Fired, 0);
    let step = due(&mut outbox, 1);
    assert_eq!(step.deliveries[0].message.subject, "[warning] web-1: 2 alerts of rule 1, rule 2");
    take_all(&mut outbox, step, 1);
    assert_eq!((outbox.repeats_due(at(3599)).len(), outbox.repeats_due(at(3600))), (0, vec!["a1".to_owned(), "a2".to_owned()]));
    tell(&mut outbox, &of_rule(1), Reason::Repeat(0), 3600);
    let step = due(&mut outbox, 3601);
    assert_eq!(sent(&step), [("file", Reason::Repeat(1))]);
}

#[test]
fn ten_messages_an_hour_then_one_digest_that_says_how_many() {
    let mut outbox = outbox(&["chat"]);
    let mut messages = 0;
    for n in 0..30 {
        let step = tell(&mut outbox, &of_rule(n), Reason::Fired, n as u64);
        assert_eq!(errors(&step).len(), usize::from(n >= 10), "said why not");
        messages += take_all(&mut outbox, step, n as u64).len();
    }
    assert_eq!(messages, 10);
    let first = Alert { severity: Severity::Critical, ..of_rule(40) };
    assert_eq!(tell(&mut outbox, &first, Reason::Fired, 40).deliveries.len(), 1, "the first of a critical one is exempt");
    let again = Alert { id: "again".to_owned(), ..first.clone() };
    assert_eq!(tell(&mut outbox, &again, Reason::Fired, 50).deliveries.len(), 0, "one that flaps is not");
    assert_eq!(tell(&mut outbox, &of_rule(3), Reason::Resolved, 60).deliveries.len(), 1, "the end is exempt");
    assert_eq!(tell(&mut outbox, &of_rule(20), Reason::Resolved, 70).deliveries.len(), 0, "who was not told needs no end");
    let step = due(&mut outbox, 3600);
    assert_eq!(sent(&step), [("chat", Reason::Digest)]);
    let digest = &step.deliveries[0].message;
    assert_eq!(digest.subject, "[digest] web-1: 21 messages held back");
    assert!(digest.lead.contains("(a29)"), "{}", digest.lead);
}

#[test]
fn counters_survive_a_restart() {
    let mut first = outbox(&["chat"]);
    let mut disk = BTreeMap::new();
    for n in 0..10 {
        let step = tell(&mut first, &of_rule(n), Reason::Fired, n as u64);
        keep(&mut disk, &step);
        keep(&mut disk, &done(&mut first, n as u64 + 1, taken(), n as u64));
        keep(&mut disk, &tell(&mut first, &of_rule(n), Reason::Resolved, n as u64));
    }
    let mut second = outbox(&["chat"]);
    second.restore(disk.into_values().collect());
    assert_eq!(
        tell(&mut second, &of_rule(50), Reason::Fired, 60).deliveries.iter().filter(|d| d.message.alert == "a50").count(),
        0
    );
}

fn keep(disk: &mut BTreeMap<u64, OutboxRow>, step: &OutboxStep) {
    for write in &step.writes {
        match write {
            OutboxWrite::Put(row) => drop(disk.insert(row.id, row.clone())),
            OutboxWrite::Delete(id) => drop(disk.remove(id)),
        }
    }
}

#[test]
fn a_network_that_was_down_gives_one_digest_with_the_original_times() {
    let mut outbox = outbox(&["chat"]);
    let cut = || Err(DeliveryError::transient("cannot connect"));
    tell(&mut outbox, &of_rule(0), Reason::Fired, 0);
    done(&mut outbox, 1, cut(), 0);
    let mut second = 1;
    for n in 1..9 {
        let step = tell(&mut outbox, &of_rule(n), Reason::Fired, second);
        for delivery in step.deliveries {
            done(&mut outbox, delivery.row, cut(), second);
        }
        second += 600;
    }
    // A day later it is there again.
    let step = due(&mut outbox, 86_400);
    assert_eq!(sent(&step), [("chat", Reason::Digest)], "tried out with one message");
    let digest = Arc::clone(&step.deliveries[0].message);
    assert_eq!(digest.subject, "[digest] web-1: 9 messages held back");
    assert!(digest.lead.contains("could not be reached since 2023-11-14T22:13:20Z"), "{}", digest.lead);
    assert!(digest.lead.contains("2023-11-14T22:13:20Z [fired] warning: disk 0 full"), "{}", digest.lead);
    let step = done(&mut outbox, step.deliveries[0].row, taken(), 86_401);
    assert_eq!(step.journal.len(), 9, "each alert's story has it");
    let step = tell(&mut outbox, &of_rule(5), Reason::Resolved, 86_500);
    assert_eq!(sent(&step), [("chat", Reason::Resolved)], "the digest told of it");
}

#[test]
fn what_was_begun_before_a_crash_is_sent_again_and_marked() {
    let mut first = outbox(&["chat", "slow"]);
    let step = tell(&mut first, &alert("1", "x"), Reason::Fired, 0);
    let mut disk = BTreeMap::new();
    keep(&mut disk, &step);
    keep(&mut disk, &done(&mut first, 1, taken(), 0));
    let mut second = outbox(&["chat", "slow"]);
    second.restore(disk.into_values().collect());
    let step = due(&mut second, 10);
    assert_eq!(sent(&step), [("slow", Reason::Fired)], "the other is known to be told");
    assert_eq!(step.deliveries[0].message.json["possible_duplicate"], true);
    assert_eq!(step.deliveries[0].key, format!("farol-web-1-2-{}", at(0).millis()), "the same key");
    let lost = DeliveryError { in_doubt: true, ..DeliveryError::transient("no answer") };
    let mut third = outbox(&["chat"]);
    tell(&mut third, &alert("1", "x"), Reason::Fired, 0);
    done(&mut third, 1, Err(lost), 1);
    assert_eq!(due(&mut third, 60).deliveries[0].message.json["possible_duplicate"], true, "an answer that was lost");
}

#[test]
fn a_service_that_forgets_is_told_again_while_it_fires_and_one_with_incidents_of_each_alone() {
    let every = Duration::from_secs(60);
    let feed = Target { audience: Audience::Feed, refresh: Some(every), ..Target::new("am", 0) };
    let pager = Target { audience: Audience::Service, ..Target::new("pager", 0) };
    let mut outbox = Outbox::new("web-1", Routing { channels: vec![feed, pager], ..Routing::default() }, Sending::Real);
    let both = [numbered(1), numbered(2)];
    let step = tell_all(&mut outbox, &both, Reason::Fired, 0);
    let mut count: Vec<(String, usize)> =
        step.deliveries.iter().map(|d| (d.channel.clone(), d.message.json["alerts"].as_array().map_or(0, Vec::len))).collect();
    count.sort();
    assert_eq!(count, [("am".to_owned(), 2), ("pager".to_owned(), 1), ("pager".to_owned(), 1)]);
    take_all(&mut outbox, step, 0);
    assert_eq!(outbox.next_due(), Some(at(60)));
    let step = tell(&mut outbox, &both[0], Reason::Resolved, 30);
    assert_eq!(step.deliveries.len(), 2);
    take_all(&mut outbox, step, 30);
    let step = due(&mut outbox, 60);
    assert_eq!(sent(&step), [("am", Reason::Fired)]);
    assert_eq!(step.deliveries[0].message.json["alerts"].as_array().map(Vec::len), Some(1), "without what is over");
    let step = done(&mut outbox, step.deliveries[0].row, taken(), 60);
    assert_eq!((step.journal.len(), step.writes.len()), (0, 0), "no news");
    assert_eq!(outbox.next_due(), Some(at(120)));
}

#[test]
fn a_sign_of_life_takes_the_place_of_one_that_waits_and_leaves_no_trace() {
    let mut outbox = outbox(&["hc"]);
    let beat = |outbox: &mut Outbox, second| outbox.step(OutboxEvent::Beat { channel: "hc", how: "well" }, at(second));
    assert_eq!(sent(&beat(&mut outbox, 0)), [("hc", Reason::Heartbeat)]);
    done(&mut outbox, 1, transient("cut"), 1);
    assert_eq!(sent(&beat(&mut outbox, 300)), [("hc", Reason::Heartbeat)]);
    assert_eq!(done(&mut outbox, 2, taken(), 301).journal, []);
    assert_eq!(outbox.rows.len(), 0);
}

#[test]
fn a_channel_that_cannot_work_is_mentioned_once() {
    let mut outbox = outbox(&["desktop"]);
    tell(&mut outbox, &of_rule(1), Reason::Fired, 0);
    tell(&mut outbox, &of_rule(2), Reason::Fired, 0);
    let gone = || Err(DeliveryError::new(DeliveryFault::Unavailable, "no desktop here"));
    assert_eq!(done(&mut outbox, 1, gone(), 1).journal.len(), 1);
    assert_eq!(outbox.depth(), 0);
    assert_eq!(tell(&mut outbox, &of_rule(3), Reason::Fired, 2).deliveries, []);
    outbox.set_routing(routing(&["desktop"]));
    assert_eq!(tell(&mut outbox, &of_rule(4), Reason::Fired, 3).deliveries.len(), 1, "tried again after a reload");
}

#[test]
fn a_dry_run_shows_everything_and_sends_nothing() {
    let mut outbox = Outbox::new("web-1", routing(&["desktop", "file"]), Sending::Dry);
    let alert = alert("1", "x");
    for reason in [Reason::Fired, Reason::Resolved] {
        let step = tell(&mut outbox, &alert, reason, 0);
        assert_eq!((step.writes.len(), step.deliveries.len(), errors(&step)), (0, 0, vec!["dry run: not sent"; 2]), "{reason:?}");
    }
    assert_eq!(outbox.depth(), 0);
}

#[test]
fn a_clock_that_went_back_does_not_hold_messages() {
    let mut outbox = outbox(&["file"]);
    tell(&mut outbox, &alert("1", "x"), Reason::Fired, 100_000);
    done(&mut outbox, 1, transient("x"), 100_000);
    assert_eq!(due(&mut outbox, 10).deliveries.len(), 1);
}

#[test]
fn an_action_runs_once_cools_down_and_is_not_begun_again_after_a_crash() {
    let text = "name = 'restart'\nmatch = ['rule=memory']\ncommand = ['/bin/true']\ncool_down = '10m'";
    let action: crate::notify::ActionConfig = toml::from_str(text).expect("an action");
    assert!(action.open(&crate::notify::ChannelContext::default()).is_ok());
    let with = |action: &crate::notify::ActionConfig| Routing { actions: vec![action.clone()], ..Routing::default() };
    let mut outbox = Outbox::new("web-1", with(&action), Sending::Real);
    let ran = |step: &OutboxStep| step.deliveries.iter().filter(|d| d.channel == "action:restart").count();
    let step = tell(&mut outbox, &numbered(1), Reason::Fired, 0);
    assert_eq!(ran(&step), 1);
    let mut disk = BTreeMap::new();
    keep(&mut disk, &step);
    assert_eq!(ran(&tell(&mut outbox, &numbered(2), Reason::Fired, 1)), 0, "one at a time");
    let step = done(&mut outbox, 1, Err(DeliveryError::transient("exit code 1")), 2);
    assert_eq!((errors(&step), ran(&step)), (vec!["exit code 1; given up"], 1), "never tried again; the next one runs");
    tell(&mut outbox, &numbered(1), Reason::Resolved, 3);
    let again = Alert { id: "b1".to_owned(), ..numbered(1) };
    let step = tell(&mut outbox, &again, Reason::Fired, 60);
    assert_eq!(ran(&step), 0);
    assert!(errors(&step)[0].starts_with("not run: it cools down until"), "{step:?}");
    let mut after = Outbox::new("web-1", with(&action), Sending::Real);
    after.restore(disk.into_values().collect());
    let step = due(&mut after, 5);
    assert_eq!((ran(&step), errors(&step).len()), (0, 1));
    assert!(errors(&step)[0].contains("not run again"), "{step:?}");
    let dry = crate::notify::ActionConfig { dry_run: true, ..action };
    let step = tell(&mut Outbox::new("web-1", with(&dry), Sending::Real), &numbered(1), Reason::Fired, 0);
    assert_eq!((ran(&step), errors(&step)[0]), (0, "dry run: not run"));
}
