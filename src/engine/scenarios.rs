//! The core on a manual clock with a real history under it: what a rule does from its first sign to its end.
//!
//! Invariant: a core made from the history goes on exactly where the one before it was.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{Context, answer};
use super::core::Core;
use super::exchange::{CoreSettings, Output, Timing};
use super::past::past;
use super::schedule::ReportJob;
use super::{Surroundings, catalog, settings};
use crate::base::{TimeRange, Timestamp};
use crate::config::{Inputs, load};
use crate::model::{
    Alert, AlertState, HostFacts, JournalEvent, Process, ProcessChange, ProcessId, Reading, RecorderHealth, Sample, SeriesKey,
    Snapshot,
};
use crate::monitor::{Answer, RefusalKind, Request};
use crate::notify::{Delivery, DeliveryReport, Reason, Receipt, Sending};
use crate::sim::Machine;
use crate::store::{Reader, Store, StoreConfig, Writer};

const SERVICE: &str = "[[service]]\nname = \"shop\"\ntype = \"process\"\nprocess = \"shop\"\n";

const RULE: &str = "[[rule]]\nname = \"tight\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\nfor = \"2s\"\nclear = \"80%\"\n";

pub(super) struct Scene {
    dir: tempfile::TempDir,
    pub(super) settings: CoreSettings,
    pub(super) core: Core,
    history: Option<(Writer, Reader)>,
    pub(super) at: Timestamp,
    /// Full scans of the processes asked for.
    scans: usize,
    /// Reports asked for.
    pub(super) jobs: Vec<ReportJob>,
    /// Messages handed out.
    pub(super) deliveries: Vec<Delivery>,
    /// Files of reports that may go.
    pub(super) removed: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        Self::with(&format!("{RULE}{SERVICE}"), Timestamp::from_seconds(1_780_000_000), Sending::Dry)
    }

    /// A machine with that configuration at that time.
    pub(super) fn with(config: &str, at: Timestamp, sending: Sending) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("config.toml");
        std::fs::write(&file, config).expect("written");
        let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("a good configuration").config;
        let host = Arc::new(Machine::new(1, at).facts());
        let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending };
        let settings = settings(&config, &Arc::new(catalog()), &around).expect("good settings");
        let (history, core) = open(&dir, &settings, at);
        let (jobs, deliveries, removed) = (Vec::new(), Vec::new(), Vec::new());
        Self { dir, settings, core, history: Some(history), at, scans: 0, jobs, deliveries, removed }
    }

    /// A second with that much memory in use.
    pub(super) fn tick(&mut self, used: f64) {
        self.at = self.at + Duration::from_secs(1);
        let readings = vec![Reading { key: SeriesKey::total("memory_used_ratio"), value: used, cumulative: None }];
        let since_previous = Some(Duration::from_secs(1));
        let sample = Sample { seq: 0, at: self.at, since_previous, readings, ..Sample::default() };
        let output = self.core.tick(sample, Timing::default());
        self.scans += usize::from(output.scan);
        self.write(output);
    }

    pub(super) fn write(&mut self, output: Output) {
        self.jobs.extend(output.reports);
        self.deliveries.extend(output.deliveries);
        self.removed.extend(output.removed);
        let (writer, _) = self.history.as_mut().expect("open");
        writer.commit(output.now).expect("there is room");
        for (at, readings) in output.rounds.iter().flatten() {
            writer.push(*at, readings);
        }
        writer.queue(output.later);
        writer.flush(self.at).expect("there is room");
    }

    pub(super) fn decide(&mut self, request: Request) {
        let (output, _) = self.core.decide(request, self.at).expect("it is possible");
        self.write(output);
    }

    /// What the history answers.
    pub(super) fn ask(&self, request: &Request) -> Answer {
        let (_, reader) = self.history.as_ref().expect("open");
        let view = reader.view().expect("readable");
        let (catalog, prices, judging) = (&self.settings.catalog, &self.settings.prices, self.settings.judging());
        let mut now = Snapshot::empty(Arc::clone(catalog));
        now.recorder = Arc::new(RecorderHealth { interval_seconds: 1.0, ..RecorderHealth::default() });
        let context = Context { head: None, view: Some(&view), catalog, now: &now, prices, judging: &judging };
        answer(request, &context).expect("it can be answered")
    }

    pub(super) fn alert(&mut self) -> Option<Arc<Alert>> {
        self.core.alerter.alerts().iter().find(|a| a.rule == "tight").cloned()
    }

    /// Ends as asked, or as a crash would, and starts again from the history.
    pub(super) fn restart(&mut self, ended: &str) {
        if ended == "well" {
            let output = self.core.finish(self.at);
            self.write(output);
            let (writer, _) = self.history.take().expect("open");
            writer.close(self.at).expect("there is room");
        }
        drop(self.history.take());
        let (history, core) = open(&self.dir, &self.settings, self.at);
        (self.history, self.core) = (Some(history), core);
    }
}

fn open(dir: &tempfile::TempDir, settings: &CoreSettings, at: Timestamp) -> ((Writer, Reader), Core) {
    let (writer, reader) = Store::open(&dir.path().join("farol.redb"), &StoreConfig::default()).expect("a history");
    let known = past(&reader.view().expect("readable"), at).expect("readable");
    let core = Core::new(settings.clone(), known, at).expect("good rules");
    ((writer, reader), core)
}

#[test]
fn a_rule_fires_is_acknowledged_and_resolved_over_restarts() {
    let mut scene = Scene::new();
    (0..5).for_each(|_| scene.tick(0.5));
    assert_eq!(scene.alert(), None);
    (0..4).for_each(|_| scene.tick(0.95));
    let fired = scene.alert().expect("it fires");
    assert_eq!(fired.state, AlertState::Firing);
    assert!(scene.scans > 0, "all processes are read when a rule fires");
    let comment = "on it".to_owned();
    scene.decide(Request::Acknowledge { alert: fired.id.clone(), author: "me".to_owned(), comment });
    for ended in ["well", "in a crash"] {
        let before = scene.alert();
        scene.restart(ended);
        assert_eq!(scene.alert(), before, "ended {ended}");
        scene.tick(0.95);
        let after = scene.alert().expect("it still fires");
        assert_eq!((&after.id, after.state, after.since), (&fired.id, AlertState::Firing, fired.since));
        assert_eq!(after.acknowledged.as_ref().map(|a| a.comment.as_str()), Some("on it"));
    }
    (0..120).for_each(|_| scene.tick(0.5));
    assert!(scene.alert().is_none_or(|a| a.state == AlertState::Resolved));

    let (_, reader) = scene.history.as_ref().expect("open");
    let all = TimeRange { from: Timestamp::from_seconds(0), to: scene.at };
    let told: Vec<String> = reader
        .view()
        .expect("readable")
        .journal(all)
        .expect("readable")
        .into_iter()
        .filter_map(|entry| match entry.event {
            JournalEvent::Transition { transition, alert } if alert.rule == "tight" => Some(format!("{:?}", transition.to)),
            JournalEvent::Acknowledged { .. } => Some("Acknowledged".to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["Pending", "Firing", "Acknowledged", "Resolved"]);
}

#[test]
fn a_flap_storm_of_a_thousand_transitions_is_two_messages_over_restarts() {
    let rule =
        "[notify.file]\npath = \"alerts.jsonl\"\n[[rule]]\nname = \"tight\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\n";
    let mut scene = Scene::with(rule, Timestamp::from_seconds(1_780_000_000), Sending::Real);
    let mut told = Vec::new();
    let mut tick = |scene: &mut Scene, used| {
        scene.tick(used);
        while let Some(delivery) = scene.deliveries.pop() {
            if delivery.message.json["alert"]["rule"] == "tight" {
                told.push(delivery.message.reason);
            }
            let report = DeliveryReport { row: delivery.row, result: Ok(Receipt::default()) };
            let output = scene.core.delivered(report, scene.at);
            scene.write(output);
        }
    };
    for change in 0..1000 {
        tick(&mut scene, if change % 2 == 0 { 0.95 } else { 0.5 });
        match change {
            1 | 3 => scene.restart("in a crash"),
            400 => scene.restart("well"),
            700 => scene.restart("in a crash"),
            _ => {}
        }
    }
    assert!(scene.alert().is_some_and(|a| a.is_flapping() && a.state == AlertState::Firing));
    (0..1200).for_each(|_| tick(&mut scene, 0.5));
    assert_eq!(told, [Reason::Fired, Reason::Resolved]);
}

#[test]
fn a_decision_long_after_the_last_sample_forgets_no_alert() {
    let mut scene = Scene::new();
    (0..5).for_each(|_| scene.tick(0.95));
    let fired = scene.alert().expect("it fires");
    scene.restart("well");
    // A command on a history nobody records in, three hours later.
    scene.at = scene.at + Duration::from_secs(3 * 3600);
    scene.decide(Request::Acknowledge { alert: fired.id.clone(), author: "me".to_owned(), comment: "late".to_owned() });
    scene.restart("in a crash");
    let known = scene.alert().expect("it is still known");
    assert_eq!(known.acknowledged.as_ref().map(|a| a.comment.as_str()), Some("late"));
}

#[test]
fn maintenance_of_a_service_is_set_replaced_kept_over_restarts_and_ends() {
    let mut scene = Scene::new();
    scene.tick(0.5);
    let wish = |service: &str, minutes: Option<u64>| Request::Maintenance {
        service: service.to_owned(),
        length: minutes.map(|m| Duration::from_secs(m * 60)),
        author: "ana".to_owned(),
        comment: "new disks".to_owned(),
    };
    let state = |scene: &Scene| scene.core.services[0].window.clone();
    assert_eq!(state(&scene), None);
    let refused = scene.core.decide(wish("shp", Some(1)), scene.at).err().expect("a refusal");
    assert_eq!(refused.message, "there is no service \"shp\"; did you mean shop?");
    assert!(scene.core.decide(wish("shop", None), scene.at).is_err_and(|e| e.kind == RefusalKind::Invalid));
    assert!(scene.core.decide(wish("shop", Some(0)), scene.at).is_err_and(|e| e.kind == RefusalKind::Invalid));
    scene.decide(wish("shop", Some(60)));
    let window = state(&scene).expect("at once, before the next tick");
    assert_eq!((window.until, window.author.as_str()), (scene.at + Duration::from_secs(3600), "ana"));
    scene.decide(wish("shop", Some(2)));
    let until = scene.at + Duration::from_secs(120);
    assert_eq!(state(&scene).map(|w| w.until), Some(until), "the second takes the place of the first");
    for ended in ["well", "killed"] {
        scene.restart(ended);
        scene.tick(0.5);
        assert_eq!(state(&scene).map(|w| (w.until, w.comment)), Some((until, "new disks".to_owned())), "{ended}");
    }
    while scene.at < until {
        scene.tick(0.5);
    }
    assert_eq!(state(&scene), None);
    scene.decide(wish("shop", Some(60)));
    scene.decide(wish("shop", None));
    assert!(!scene.core.services[0].maintenance);
    scene.restart("killed");
    scene.tick(0.5);
    assert!(!scene.core.services[0].maintenance);
}

#[test]
fn other_settings_keep_what_was_learned_and_the_interval_follows_its_sample() {
    let mut scene = Scene::new();
    (0..4).for_each(|_| scene.tick(0.95));
    let fired = scene.alert().expect("it fires");
    let mut other = scene.settings.clone();
    let labels = std::collections::BTreeMap::from([("site".to_owned(), "b".to_owned())]);
    other.host = Arc::new(HostFacts { name: "renamed".to_owned(), labels, ..(*other.host).clone() });
    other.interval = Duration::from_secs(5);
    other.flush = Duration::from_secs(60);
    let output = scene.core.reload(other, scene.at).expect("good rules");
    let host = output.pulse.and_then(|p| p.host).expect("it is told");
    assert_eq!((&host.name, host.labels["site"].as_str()), (&scene.settings.host.name, "b"));
    assert_eq!(scene.core.settings().interval, Duration::from_secs(1), "samples are a second apart still");
    let timing = Timing { interval: Some(Duration::from_secs(5)), ..Timing::default() };
    scene.at = scene.at + Duration::from_secs(5);
    let since_previous = Some(Duration::from_secs(5));
    scene.core.tick(Sample { at: scene.at, since_previous, ..Sample::default() }, timing);
    assert_eq!(scene.core.settings().interval, Duration::from_secs(5));
    assert_eq!(
        (scene.core.settings().flush, scene.alert().map(|a| a.id.clone())),
        (Duration::from_secs(60), Some(fired.id.clone()))
    );
}

#[test]
fn sources_made_anew_take_the_processes_along_that_are_gone() {
    let mut scene = Scene::new();
    let named = |pids: &[u32]| {
        let process = |pid| Arc::new(Process { id: ProcessId { pid, started: 1 }, ..Process::default() });
        ProcessChange { changed: pids.iter().map(|pid| process(*pid)).collect(), ..ProcessChange::default() }
    };
    let mut tick = |processes, anew| {
        scene.at = scene.at + Duration::from_secs(1);
        let sample = Sample { at: scene.at, processes, ..Sample::default() };
        scene.core.tick(sample, Timing { anew, ..Timing::default() }).pulse.expect("a tick").processes.gone
    };
    assert_eq!(tick(named(&[1, 2, 3]), false), []);
    assert_eq!(tick(named(&[2]), true), [ProcessId { pid: 1, started: 1 }, ProcessId { pid: 3, started: 1 }]);
    assert_eq!(tick(named(&[]), true), [ProcessId { pid: 2, started: 1 }], "a source that is switched off");
}

#[test]
fn no_id_is_given_twice_however_a_recorder_ends() {
    for ended in ["well", "in a crash"] {
        let mut scene = Scene::new();
        let mut given = Vec::new();
        for _ in 0..3 {
            scene.tick(0.5);
            scene.decide(Request::AddSilence {
                matchers: vec![crate::model::Matcher::equal("rule", "tight")],
                length: Duration::from_secs(3600),
                author: "me".to_owned(),
                comment: String::new(),
                maintenance: false,
            });
            let id = scene.core.alerter.silences().last().expect("it was added").id.clone();
            scene.decide(Request::ExpireSilence { id: id.clone(), author: "me".to_owned() });
            given.push(id);
            // Long enough that nothing else remembers it.
            scene.at = scene.at + Duration::from_secs(40 * 86_400);
            scene.tick(0.5);
            scene.restart(ended);
        }
        let mut different = given.clone();
        different.dedup();
        assert_eq!(different, given, "ended {ended}");
    }
}

#[test]
fn the_score_of_what_is_unusual_is_a_series_of_its_own() {
    let mut scene = Scene::new();
    let key = SeriesKey::new("anomaly_score", [("metric", "memory_used_ratio")]);
    let mut score = |used: f64| {
        scene.at = scene.at + Duration::from_secs(1);
        let readings = vec![Reading { key: SeriesKey::total("memory_used_ratio"), value: used, cumulative: None }];
        let sample = Sample { at: scene.at, since_previous: Some(Duration::from_secs(1)), readings, ..Sample::default() };
        let pulse = scene.core.tick(sample, Timing::default()).pulse.expect("a tick");
        pulse.readings.expect("readings").iter().find(|r| r.key == key).map(|r| r.value)
    };
    let usual: Vec<f64> = (0..7200).filter_map(|second| score(0.4 + f64::from(second % 60) / 6000.0)).collect();
    assert!(usual.is_empty(), "absent while it is normal: {usual:?}");
    let scores: Vec<f64> = (0..300).filter_map(|_| score(0.84)).collect();
    assert!(scores.iter().any(|s| *s >= 0.5) && scores.iter().all(|s| (0.0..=1.0).contains(s)), "{scores:?}");
}
