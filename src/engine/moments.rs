//! Past moments and queries over a real history: what was recorded is what is told.
//!
//! Invariant: a query and the state of a moment never disagree.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::answer::{Context, answer};
use super::catalog;
use super::exchange::Judging;
use super::live::Head;
use super::moment::standing_at;
use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Catalog, HostFacts, JournalEntry, JournalEvent, Listener, Prices, Protocol, Reading, SeriesKey, ServiceState, ServiceStatus,
    Silence, Snapshot,
};
use crate::monitor::{Answer, QueryRequest, Request};
use crate::store::{Reader, Store, StoreConfig, View, Write, Writer};

/// A full day, hour and minute.
const START: Timestamp = Timestamp(1_780_012_800_000);

pub(super) fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

pub(super) struct History {
    _dir: tempfile::TempDir,
    pub(super) writer: Writer,
    reader: Reader,
    catalog: Arc<Catalog>,
    /// The machine.
    pub(super) host: HostFacts,
    pub(super) prices: Prices,
}

impl History {
    pub(super) fn new(config: &StoreConfig) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (writer, reader) = Store::open(&dir.path().join("farol.redb"), config).expect("made");
        let (host, prices) = (HostFacts::default(), Prices::default());
        Self { _dir: dir, writer, reader, catalog: Arc::new(catalog()), host, prices }
    }

    pub(super) fn push(&mut self, seconds: u64, key: &SeriesKey, value: f64) {
        self.writer.push(at(seconds), &[Reading { key: key.clone(), value, cumulative: None }]);
    }

    pub(super) fn flush(&mut self, seconds: u64) {
        self.writer.flush(at(seconds)).expect("room");
        while self.writer.maintain(at(seconds)).expect("room") {}
    }

    fn with<T>(&self, head: Option<&RwLock<Head>>, f: impl FnOnce(&Context<'_>) -> T) -> T {
        self.with_services(head, &[], f)
    }

    pub(super) fn with_services<T>(
        &self,
        head: Option<&RwLock<Head>>,
        services: &[ServiceStatus],
        f: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let view: View = self.reader.view().expect("open");
        let host = Arc::new(self.host.clone());
        let now = Snapshot { services: services.into(), host, ..Snapshot::empty(Arc::clone(&self.catalog)) };
        f(&Context {
            head,
            view: Some(&view),
            catalog: &self.catalog,
            now: &now,
            prices: &self.prices,
            judging: &Judging::default(),
        })
    }

    fn snapshot(&self, seconds: u64) -> Arc<Snapshot> {
        self.with(None, |context| match answer(&Request::At { at: at(seconds) }, context) {
            Ok(Answer::Snapshot { snapshot }) => snapshot,
            other => panic!("{other:?}"),
        })
    }

    fn value(&self, seconds: u64) -> Option<f64> {
        self.snapshot(seconds).readings.first().map(|r| r.value)
    }
}

fn silence(id: &str) -> Silence {
    let (author, comment) = ("me".to_owned(), id.to_owned());
    Silence { id: id.to_owned(), matchers: Vec::new(), from: at(0), until: at(9_000_000), author, comment, maintenance: false }
}

fn silenced(seconds: u64, id: &str) -> Write {
    Write::Journal(JournalEntry { at: at(seconds), event: JournalEvent::Silenced { silence: silence(id) } })
}

#[test]
fn decisions_are_known_however_old_the_keyframe_is_and_before_the_first_one() {
    let mut history = History::new(&StoreConfig::default());
    let keyframe =
        |seconds, silences| Write::Keyframe { at: at(seconds), alerts: vec![], silences, services: vec![], listeners: vec![] };
    history.writer.commit(vec![silenced(5, "first")]).expect("room");
    history.writer.commit(vec![keyframe(600, vec![silence("first")]), silenced(700, "second")]).expect("room");
    // A week without a recorder, in which a command decides.
    history.writer.commit(vec![silenced(400_000, "third")]).expect("room");
    let standing = |seconds| {
        let view = history.reader.view().expect("open");
        let silences = standing_at(at(seconds), &view).expect("readable").silences;
        silences.into_iter().map(|s| s.id).collect::<Vec<_>>()
    };
    assert_eq!(standing(4), Vec::<String>::new());
    assert_eq!(standing(60), ["first"]);
    assert_eq!(standing(650), ["first"]);
    assert_eq!(standing(300_000), ["first", "second"]);
    assert_eq!(standing(604_800), ["first", "second", "third"]);
}

#[test]
fn a_moment_shows_what_was_sampled_up_to_two_intervals_of_that_time_before() {
    let key = SeriesKey::total("memory_used_ratio");
    for (interval, fresh, stale) in [(1, 2, 70), (300, 599, 700), (2700, 5300, 5500), (10_800, 21_000, 25_300)] {
        let mut history = History::new(&StoreConfig::default());
        let last = interval * 20;
        for n in 0..=20 {
            history.push(n * interval, &key, n as f64 / 100.0);
            history.flush(n * interval);
        }
        // Later the machine is sampled every second.
        for second in last + 30_000..last + 30_100 {
            history.push(second, &key, 0.5);
        }
        history.flush(last + 30_100);
        assert_eq!(history.value(last), Some(0.2), "every {interval} s");
        assert_eq!(history.value(last + fresh), Some(0.2), "every {interval} s, {fresh} s later");
        assert_eq!(history.value(last + stale), None, "every {interval} s, {stale} s later");
        assert_eq!(history.value(last + 30_050), Some(0.5));
    }
}

#[test]
fn a_service_is_what_its_series_say_after_the_keyframe_and_unknown_where_nobody_looked() {
    let mut history = History::new(&StoreConfig::default());
    let web = ServiceStatus { name: "web".to_owned(), message: "200 in 3 ms".to_owned(), ..ServiceStatus::default() };
    let services = vec![ServiceStatus { state: ServiceState::Online, since: Some(at(0)), ..web }];
    history
        .writer
        .commit(vec![Write::Keyframe { at: at(0), alerts: vec![], silences: vec![], services, listeners: vec![] }])
        .expect("room");
    let key = SeriesKey::new("service_state", [("service", "web")]);
    for second in 0..300 {
        history.push(second, &key, if second < 100 { 0.0 } else { 2.0 });
    }
    history.flush(300);
    let service = |seconds| history.snapshot(seconds).services[0].clone();
    assert_eq!((service(50).state, service(50).message.as_str()), (ServiceState::Online, "200 in 3 ms"));
    let down = service(200);
    assert_eq!((down.state, down.since, down.message.as_str()), (ServiceState::Offline, Some(at(100)), ""));
    assert_eq!(service(5000).state, ServiceState::Unknown);
}

#[test]
fn what_listened_is_known_where_something_was_read() {
    let mut history = History::new(&StoreConfig::default());
    let address = "0.0.0.0:22".parse().expect("an address");
    let ssh = Listener { protocol: Protocol::Tcp, address, name: Some("sshd".into()), pid: Some(845), unit: Some("ssh".into()) };
    let listeners = vec![ssh.clone()];
    let keyframe = Write::Keyframe { at: at(0), alerts: vec![], silences: vec![], services: vec![], listeners };
    history.writer.commit(vec![keyframe]).expect("room");
    let key = SeriesKey::total("memory_used_bytes");
    (0..300).for_each(|second| history.push(second, &key, 1.0));
    history.flush(300);
    assert_eq!(*history.snapshot(200).listeners, [ssh]);
    assert_eq!(*history.snapshot(5000).listeners, []);
}

fn ranged(expr: &str, range: TimeRange, step: u64, context: &Context<'_>) -> Vec<(Timestamp, f64)> {
    let request = QueryRequest { expr: expr.to_owned(), range, step: Duration::from_secs(step) };
    match answer(&Request::Query(request), context) {
        Ok(Answer::Query { series, .. }) => series.into_iter().next().map(|s| s.values).unwrap_or_default(),
        other => panic!("{expr}: {other:?}"),
    }
}

#[test]
fn each_step_shows_a_sample_of_the_last_two_intervals_or_nothing_wherever_the_steps_lie() {
    let key = SeriesKey::total("memory_used_bytes");
    let mut history = History::new(&StoreConfig::default());
    // A day of seconds, an hour of them missing.
    for second in (0..43_200).chain(46_800..86_400) {
        history.push(second, &key, second as f64);
        if second % 600 == 599 {
            history.flush(second);
        }
    }
    history.flush(86_400);
    history.with(None, |context| {
        for (from, step) in [(7, 10), (3, 60), (0, 60), (605, 600), (0, 3600), (1234, 7200)] {
            let to = 86_399.min(from + step * 5000);
            let values = ranged("memory_used_bytes", TimeRange { from: at(from), to: at(to) }, step, context);
            let old: Vec<_> = values.iter().filter(|(t, v)| t.since(at(0)).as_secs_f64() - v > 2.0).collect();
            assert_eq!(old, Vec::<&(Timestamp, f64)>::new(), "from {from} by {step}");
            let expected = (from..=to).step_by(step as usize).filter(|s| !(43_202..46_800).contains(s)).count();
            assert_eq!(values.len(), expected, "from {from} by {step}");
        }
        // Where nobody names a step the newest value is always there.
        let two_years = TimeRange { from: at(86_399) - Duration::from_secs(2 * 365 * 86_400), to: at(86_399) };
        assert_eq!(ranged("memory_used_bytes", two_years, 0, context), [(at(86_399), 86_399.0)]);
    });
}
