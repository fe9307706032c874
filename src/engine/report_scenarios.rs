//! Reports by the clock on a manual clock with a real history: due, missed, failed, kept, sent, forgotten.
//!
//! Invariant: whenever farol ends, what was due is made once and goes out once.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::scenarios::Scene;
use super::schedule::MadeReport;
use crate::base::Timestamp;
use crate::model::{KeptReport, NextReport};
use crate::monitor::{Answer, RefusalKind, Request};
use crate::notify::{DeliveryError, DeliveryReport, Receipt, Sending};

const CONFIG: &str = r#"
[notify.file]
path = "messages.jsonl"

[[report]]
name = "morning"
kind = "performance"
at = "07:00"
time_zone = "Europe/Berlin"
format = "html"
to = ["file", "out/{date}.{format}"]
keep = "2d"
"#;

fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().map(|t| Timestamp(t.as_millisecond())).expect(text)
}

fn scene(start: &str) -> Scene {
    let mut scene = Scene::with(CONFIG, at(start), Sending::Real);
    scene.tick(0.5);
    scene
}

fn go(scene: &mut Scene, to: &str) {
    scene.at = at(to) - Duration::from_secs(1);
    scene.tick(0.5);
}

/// What the other threads would have done with each job.
fn make(scene: &mut Scene) -> Vec<String> {
    let jobs = std::mem::take(&mut scene.jobs);
    let ids = jobs.iter().map(|j| j.id.clone()).collect();
    for job in jobs {
        let made = MadeReport {
            name: "farol-report.html".to_owned(),
            path: format!("/data/reports/{}.html", job.id).into(),
            bytes: 1000,
            summary: vec!["● No alert fired.".to_owned()],
        };
        let output = scene.core.reported(job, Ok(made), scene.at);
        scene.write(output);
    }
    ids
}

fn reports(scene: &Scene) -> (Vec<KeptReport>, Vec<NextReport>) {
    match scene.core.reports(scene.at) {
        Answer::Reports { kept, next } => (kept, next),
        other => panic!("{other:?}"),
    }
}

fn deliver(scene: &mut Scene, result: &Result<Receipt, DeliveryError>) -> Vec<String> {
    let mut deliveries = std::mem::take(&mut scene.deliveries);
    deliveries.retain(|d| d.message.enclosure.is_some());
    let told = deliveries.iter().map(|d| format!("{} {}", d.channel, d.key)).collect();
    for delivery in deliveries {
        let output = scene.core.delivered(DeliveryReport { row: delivery.row, result: result.clone() }, scene.at);
        scene.write(output);
    }
    told
}

#[test]
fn what_was_missed_is_made_up_for_once_and_never_doubled() {
    let mut scene = scene("2026-11-20T12:00:00Z");
    assert_eq!(make(&mut scene), [""; 0], "what was due before it was asked for is not made up for");
    assert_eq!(reports(&scene).1[0].at, Some(at("2026-11-21T06:00:00Z")), "seven in Berlin");
    assert_eq!(scene.core.next_due(), Some(at("2026-11-21T06:00:00Z")), "not only with the next sample");
    go(&mut scene, "2026-11-21T06:00:00Z");
    assert_eq!(make(&mut scene), ["morning-20261121T060000Z"]);
    scene.restart("killed");
    go(&mut scene, "2026-11-21T06:00:30Z");
    assert_eq!(make(&mut scene), [""; 0]);
    // Four days without farol.
    scene.restart("killed");
    go(&mut scene, "2026-11-25T20:00:00Z");
    let job = scene.jobs[0].clone();
    assert_eq!(job.spec.range.to, at("2026-11-25T06:00:00Z"), "the newest one, over its own day");
    // Killed while it was being made.
    scene.restart("killed");
    scene.jobs.clear();
    go(&mut scene, "2026-11-25T20:00:10Z");
    assert_eq!(make(&mut scene), ["morning-20261125T060000Z"]);
    go(&mut scene, "2026-11-25T20:10:10Z");
    assert_eq!(make(&mut scene), [""; 0]);
}

#[test]
fn a_report_that_cannot_be_made_is_tried_again_and_said_to_be_missing() {
    let mut scene = scene("2026-11-21T05:59:00Z");
    go(&mut scene, "2026-11-21T06:00:00Z");
    let job = scene.jobs.remove(0);
    let output = scene.core.reported(job, Err("/data/reports/x cannot be written: no space".to_owned()), scene.at);
    scene.write(output);
    scene.tick(0.5);
    assert!(scene.core.faults.iter().any(|f| f.source == "report morning" && f.message.contains("no space")));
    assert_eq!(reports(&scene).1[0].problem.as_deref(), Some("/data/reports/x cannot be written: no space"));
    go(&mut scene, "2026-11-21T06:04:00Z");
    assert_eq!(make(&mut scene), [""; 0]);
    go(&mut scene, "2026-11-21T06:05:30Z");
    assert_eq!(make(&mut scene), ["morning-20261121T060000Z"]);
    scene.tick(0.5);
    assert!(scene.core.faults.iter().all(|f| !f.source.starts_with("report")));
}

#[test]
fn a_report_goes_out_once_is_tried_again_and_is_seen_to_wait() {
    let mut scene = scene("2026-11-21T05:59:00Z");
    go(&mut scene, "2026-11-21T06:00:00Z");
    make(&mut scene);
    scene.deliveries.retain(|d| d.message.enclosure.is_some());
    let enclosed: Vec<_> = scene.deliveries.iter().filter_map(|d| d.message.enclosure.clone()).collect();
    assert_eq!((enclosed[0].target.as_str(), enclosed[1].target.as_str()), ("", "out/2026-11-21.html"));
    assert!(scene.deliveries[0].message.body().contains("- ● No alert fired."), "{}", scene.deliveries[0].message.body());
    let first = deliver(&mut scene, &Err(DeliveryError::transient("the server is away")));
    let sent = &reports(&scene).0[0].sent;
    assert!(sent.iter().all(|s| !s.over && s.error.as_deref() == Some("the server is away") && s.due_at.is_some()), "{sent:?}");
    scene.restart("killed");
    scene.tick(0.5);
    let again = deliver(&mut scene, &Ok(Receipt::default()));
    assert_eq!(first, again, "the same messages with the same keys");
    let kept = reports(&scene).0;
    assert!(kept[0].sent.iter().all(|s| s.over && s.at == Some(scene.at)), "{kept:?}");
    scene.restart("killed");
    scene.tick(0.5);
    assert_eq!(deliver(&mut scene, &Ok(Receipt::default())), [""; 0]);
    assert_eq!(reports(&scene).0, kept, "it is remembered");
}

#[test]
fn a_report_is_kept_as_long_as_asked_or_until_somebody_deletes_it() {
    let mut scene = scene("2026-11-20T12:00:00Z");
    for day in 21..=24 {
        go(&mut scene, &format!("2026-11-{day}T06:00:00Z"));
        make(&mut scene);
        deliver(&mut scene, &Ok(Receipt::default()));
    }
    let ids = |scene: &Scene| reports(scene).0.iter().map(|k| k.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&scene), ["morning-20261124T060000Z", "morning-20261123T060000Z"]);
    assert_eq!(scene.removed, ["morning-20261121T060000Z.html", "morning-20261122T060000Z.html"]);
    let delete = |id: &str| Request::DeleteReport { report: id.to_owned(), author: "ana".to_owned() };
    let refused = scene.core.decide(delete("morning-20261121T060000Z"), scene.at).err().expect("gone");
    assert!(refused.kind == RefusalKind::NotFound && refused.message.contains("did you mean"), "{refused:?}");
    scene.decide(delete("morning-20261124T060000Z"));
    scene.restart("killed");
    assert_eq!(ids(&scene), ["morning-20261123T060000Z"]);
    go(&mut scene, "2026-11-24T06:10:00Z");
    assert_eq!(make(&mut scene), [""; 0], "deleted is not missed");
}

#[test]
fn a_clock_that_was_wrong_stops_no_schedule() {
    let mut scene = scene("2026-11-20T12:00:00Z");
    go(&mut scene, "2031-01-01T12:00:00Z");
    assert_eq!(make(&mut scene).len(), 1);
    go(&mut scene, "2026-11-21T05:00:00Z");
    assert_eq!(make(&mut scene), [""; 0]);
    go(&mut scene, "2026-11-21T06:00:00Z");
    assert_eq!(make(&mut scene), ["morning-20261121T060000Z"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Over both changes of the clock, with kills at any moment.
    #[test]
    fn each_morning_has_at_most_one_report_and_the_newest_is_never_missing(
        spring in any::<bool>(),
        steps in prop::collection::vec((1_u64..40 * 3600, 0_u8..4), 1..25),
    ) {
        let mut scene = scene(if spring { "2026-03-25T03:00:00Z" } else { "2026-10-21T03:00:00Z" });
        let began = scene.at;
        let mut seen = BTreeSet::new();
        for (seconds, how) in steps {
            scene.at = scene.at + Duration::from_secs(seconds);
            if how == 0 {
                scene.restart("killed");
                scene.jobs.clear();
            }
            scene.tick(0.5);
            if how == 1 && !scene.jobs.is_empty() {
                // Killed before it was made.
                scene.restart("killed");
                scene.jobs.clear();
                scene.tick(0.5);
            }
            for id in make(&mut scene) {
                prop_assert!(seen.insert(id.clone()), "{} twice", id);
            }
            let plan = &scene.settings.reports[0];
            let newest = plan.last_until(scene.at).filter(|due| *due > began);
            prop_assert!(newest.is_none_or(|due| seen.contains(&plan.id(due))), "{:?} is missing of {:?}", newest, seen);
        }
    }
}
