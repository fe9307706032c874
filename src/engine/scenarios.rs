//! The core on a manual clock with a real history under it: what a rule does from its first sign to its end.
//!
//! Invariant: a core made from the history goes on exactly where the one before it was.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::exchange::{CoreSettings, Output, Timing};
use super::past::past;
use super::{Surroundings, catalog, settings};
use crate::base::{TimeRange, Timestamp};
use crate::config::{Inputs, load};
use crate::model::{Alert, AlertState, JournalEvent, Reading, Sample, SeriesKey};
use crate::monitor::{RefusalKind, Request};
use crate::notify::Sending;
use crate::sim::Machine;
use crate::store::{Reader, Store, StoreConfig, Writer};

const SERVICE: &str = "[[service]]\nname = \"shop\"\ntype = \"process\"\nprocess = \"shop\"\n";

const RULE: &str = "[[rule]]\nname = \"tight\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\nfor = \"2s\"\nclear = \"80%\"\n";

struct Scene {
    dir: tempfile::TempDir,
    settings: CoreSettings,
    core: Core,
    history: Option<(Writer, Reader)>,
    at: Timestamp,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("config.toml");
        std::fs::write(&file, format!("{RULE}{SERVICE}")).expect("written");
        let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("a good configuration").config;
        let at = Timestamp::from_seconds(1_780_000_000);
        let host = Arc::new(Machine::new(1, at).facts());
        let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending: Sending::Dry };
        let settings = settings(&config, &Arc::new(catalog()), &around).expect("good settings");
        let (history, core) = open(&dir, &settings, at);
        Self { dir, settings, core, history: Some(history), at }
    }

    /// A second with that much memory in use.
    fn tick(&mut self, used: f64) {
        self.at = self.at + Duration::from_secs(1);
        let readings = vec![Reading { key: SeriesKey::total("memory_used_ratio"), value: used, cumulative: None }];
        let since_previous = Some(Duration::from_secs(1));
        let sample = Sample { seq: 0, at: self.at, since_previous, readings, ..Sample::default() };
        let output = self.core.tick(sample, Timing::default());
        self.write(output);
    }

    fn write(&mut self, output: Output) {
        let (writer, _) = self.history.as_mut().expect("open");
        writer.commit(output.now).expect("there is room");
        for (at, readings) in output.rounds.iter().flatten() {
            writer.push(*at, readings);
        }
        writer.queue(output.later);
        writer.flush(self.at).expect("there is room");
    }

    fn decide(&mut self, request: Request) {
        let (output, _) = self.core.decide(request, self.at).expect("it is possible");
        self.write(output);
    }

    fn alert(&mut self) -> Option<Arc<Alert>> {
        self.core.alerter.alerts().iter().find(|a| a.rule == "tight").cloned()
    }

    /// Ends as asked, or as a crash would, and starts again from the history.
    fn restart(&mut self, ended: &str) {
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
