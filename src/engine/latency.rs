//! How long it takes from the sample that breaks a rule to the message in its channel's hands.
//!
//! Real core, history and deliverer; the commit is measured apart. Counted are rounds in which a bare timer thread beside was
//! less than 5 ms late, so that a busy machine is not measured instead.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::core::Core;
use super::exchange::{Output, Timing};
use super::past::past;
use super::{Surroundings, catalog, settings};
use crate::base::Timestamp;
use crate::config::{Inputs, load};
use crate::model::{Reading, Sample, SeriesKey};
use crate::notify::{
    Budget, Channel, Deliverer, Delivery, DeliveryError, DeliveryReport, Reason, Receipt, Report, Sending, Target,
};
use crate::sim::Machine;
use crate::store::{Store, StoreConfig};

type Handed<'a> = Pin<Box<dyn Future<Output = Result<Receipt, DeliveryError>> + Send + 'a>>;

/// Tells when a message was handed to it.
struct Probe(Mutex<Sender<(Reason, Instant)>>);

impl Channel for Probe {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Handed<'a> {
        let _ = self.0.lock().expect("a lock").send((delivery.message.reason, Instant::now()));
        Box::pin(std::future::ready(Ok(Receipt::default())))
    }
}

/// How late a thread that does nothing but wake each millisecond was at worst, in microseconds.
fn timer(worst: Arc<AtomicU64>, over: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            let due = Instant::now() + Duration::from_millis(1);
            std::thread::park_timeout(Duration::from_millis(1));
            let late = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
            worst.fetch_max(late, Ordering::Relaxed);
        }
    });
}

fn sample(at: Timestamp, used: f64) -> Sample {
    let readings = vec![Reading { key: SeriesKey::total("memory_used_ratio"), value: used, cumulative: None }];
    Sample { at, since_previous: Some(Duration::from_secs(1)), readings, ..Sample::default() }
}

fn quantile(values: &mut [Duration], q: f64) -> Duration {
    values.sort_unstable();
    values.get(((values.len() as f64 * q) as usize).min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}

#[test]
fn a_breach_is_in_its_channels_hands_within_the_bar() {
    const ROUNDS: u64 = 120;
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("config.toml");
    // Each of its many alerts is told, as the first of its kind would be.
    let rule = "[[rule]]\nname = \"tight\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\nflap_start = \"100%\"\n";
    std::fs::write(&file, rule).expect("written");
    let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("a configuration").config;
    let start = Timestamp::from_seconds(1_780_000_000);
    let host = Arc::new(Machine::new(1, start).facts());
    let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending: Sending::Real };
    let mut settings = settings(&config, &Arc::new(catalog()), &around).expect("settings");
    settings.routing.channels = vec![Target::new("probe", 0)];
    settings.routing.budget = Budget { all: 100_000, rule: 100_000 };
    settings.rules.retain(|rule| rule.name == "tight");
    let (mut writer, reader) = Store::open(&dir.path().join("farol.redb"), &StoreConfig::default()).expect("a history");
    let known = past(&reader.view().expect("readable"), start).expect("readable");
    let mut core = Core::new(settings, known, start).expect("good rules");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    let ended = Arc::new(tokio::sync::Notify::new());
    let end = Arc::clone(&ended);
    let outside = std::thread::spawn(move || runtime.block_on(end.notified()));
    let (handed, hands): (_, Receiver<(Reason, Instant)>) = channel();
    let (reported, reports): (Sender<DeliveryReport>, _) = channel();
    let reported = Mutex::new(reported);
    let report: Report = Arc::new(move |report| drop(reported.lock().expect("a lock").send(report)));
    let deliverer = Deliverer::new(&handle, vec![("probe".to_owned(), Arc::new(Probe(Mutex::new(handed))))], report);
    let (worst, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    timer(Arc::clone(&worst), Arc::clone(&over));
    let (mut inside, mut commits, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS * 2 {
        let at = start + Duration::from_secs(round + 1);
        worst.store(0, Ordering::Relaxed);
        let began = Instant::now();
        let Output { now, deliveries, .. } = core.tick(sample(at, if round % 2 == 0 { 0.95 } else { 0.5 }), Timing::default());
        let thought = began.elapsed();
        let before = Instant::now();
        writer.commit(now).expect("there is room");
        let commit = before.elapsed();
        let after = Instant::now();
        assert_eq!(deliveries.len(), 1, "round {round}");
        deliveries.into_iter().for_each(|d| deliverer.deliver(d));
        let (reason, came) = hands.recv_timeout(Duration::from_secs(60)).expect("handed over");
        let took = thought + came.saturating_duration_since(after);
        if reason == Reason::Fired {
            all.push(took);
            if worst.load(Ordering::Relaxed) < 5_000 {
                inside.push(took);
                commits.push(commit);
            }
        }
        let report = reports.recv_timeout(Duration::from_secs(60)).expect("reported");
        let output = core.delivered(report, at);
        writer.commit(output.now).expect("there is room");
    }
    over.store(true, Ordering::Relaxed);
    ended.notify_one();
    outside.join().expect("the runtime");
    let (p99, commit) = (quantile(&mut inside, 0.99), quantile(&mut commits, 0.99));
    println!(
        "breach to channel: p99 {p99:?} inside the process in {} of {ROUNDS} rounds (all rounds: {:?}), commit p99 {commit:?}; with up to 1 s \
         to the next sample {:?}",
        inside.len(),
        quantile(&mut all, 0.99),
        Duration::from_secs(1) + p99 + commit
    );
    if inside.len() >= 20 {
        assert!(p99 <= Duration::from_millis(50), "{p99:?}");
    }
}
