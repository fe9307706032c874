//! Makes forecasts with the lowest priority, one series after the other.
//!
//! Between two series it looks whether to go on: not where the engine ends, the machine is under pressure or a newer job of
//! the kind waits. Invariant: a job holds at most [`BUDGET`] bytes of forecasts and one series' past.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::read::Library;
use crate::analyze::ForecastPlan;
use crate::base::{Beat, Queue, QueueStats, Timestamp, system};
use crate::engine::event::Event;
use crate::engine::guard::Spare;
use crate::engine::live::Merged;
use crate::engine::{future, patterns};
use crate::model::{Forecast, Snapshot};

/// Most bytes of forecasts of one job: some thousand series a week ahead. What does not fit is left out, counted.
const BUDGET: usize = 16 << 20;

/// All tasks wait for memory or a device for more than this share of the time: the machine has no time for tomorrow.
const STALLED: f64 = 0.2;

/// So many threads want each core; this one, at the lowest priority, adds one at most.
const CROWDED: f64 = 4.0;

/// What to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Job {
    /// Now.
    pub(in crate::engine) at: Timestamp,
    /// For charts, or for capacity.
    pub(in crate::engine) what: What,
}

/// Two kinds of forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum What {
    /// The next minutes of what the charts show, for samples so far apart.
    Charts(Duration),
    /// The next days of what can become full.
    Capacity(ForecastPlan),
    /// What stands out over days and among programs.
    Patterns,
}

impl What {
    /// Whether both are of one kind, so that the newer one makes the older one needless.
    pub(in crate::engine) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Whether the machine needs its time for something else than forecasts.
pub(in crate::engine) fn under_pressure(snapshot: &Snapshot) -> bool {
    let stalled = snapshot.of("pressure_full_ratio").filter(|r| r.key.label("resource") != Some("cpu"));
    let load = snapshot.part("load_average", "1m").unwrap_or(0.0);
    stalled.into_iter().any(|r| r.value > STALLED) || load > CROWDED * f64::from(snapshot.host.cores.max(1))
}

/// The way to this thread; clones share it.
#[derive(Clone)]
pub(in crate::engine) struct Fits {
    pub(in crate::engine) jobs: Queue<Job>,
    /// Series left out because a job had no room for them.
    pub(in crate::engine) left_out: Arc<AtomicU64>,
}

impl Fits {
    pub(in crate::engine) fn new() -> Self {
        // One of each kind.
        Self { jobs: Queue::new(3), left_out: Arc::default() }
    }

    /// How full it is; what was left out counts as dropped.
    pub(in crate::engine) fn stats(&self) -> QueueStats {
        let stats = self.jobs.stats();
        QueueStats { dropped: stats.dropped + self.left_out.load(Ordering::Relaxed), ..stats }
    }

    /// Whether the job is going to be done; one of its kind that still waits is dropped, counted.
    pub(in crate::engine) fn ask(&self, job: Job) -> bool {
        self.jobs.replace(job, |waiting| waiting.what.is_like(&job.what)).is_ok()
    }
}

/// Forecasts until the queue is closed.
pub(in crate::engine) fn run(library: &Library, fits: &Fits, events: &Queue<Event>, (beat, mut guard): (&Beat, Spare)) {
    system::yield_to_others();
    while let Some(job) = fits.jobs.pop(None) {
        beat.mark();
        if job.what == What::Patterns {
            // After a panic at its usual time; pressure alone lets it be asked for again at once.
            let Some(found) = guard.run(|| notice(library, fits, job.at, beat)) else { continue };
            let event = found.map_or(Event::Unfitted(What::Patterns), Event::Patterned);
            // Where it does not fit, the next one replaces it.
            let _ = events.push(event);
            continue;
        }
        let Some((forecasts, paused)) = guard.run(|| fit(library, fits, &job, beat)) else { continue };
        if !forecasts.is_empty() {
            // The next one replaces it.
            let _ = events.push(Event::Fitted(forecasts.into_iter().map(Arc::new).collect()));
        }
        if paused {
            // Where it does not fit the job is due again at its usual time.
            let _ = events.push(Event::Unfitted(job.what));
        }
    }
}

/// The forecasts of a job, and whether pressure kept it from making them all.
fn fit(library: &Library, fits: &Fits, job: &Job, beat: &Beat) -> (Vec<Forecast>, bool) {
    let plan = match job.what {
        What::Charts(interval) => future::charts(interval),
        What::Capacity(plan) => future::capacity(plan),
        What::Patterns => return (Vec::new(), false),
    };
    let (mut forecasts, mut held) = (Vec::new(), 0);
    let view = library.reader.view().ok();
    let source = Merged::new(Some(&*library.head), view.as_ref());
    let mut keys = plan.keys(&source, &library.catalog);
    keys.extend(future::Plan::asked(&library.hub.snapshot().rules, &source, &keys));
    drop(view);
    let n = keys.len();
    for (done, key) in keys.into_iter().enumerate() {
        beat.mark();
        if fits.jobs.is_closed() || fits.jobs.any(|waiting| waiting.what.is_like(&job.what)) {
            break;
        }
        if under_pressure(&library.hub.snapshot()) {
            return (forecasts, true);
        }
        if held > BUDGET {
            fits.left_out.fetch_add((n - done) as u64, Ordering::Relaxed);
            break;
        }
        // A view of its own for each: a long one would keep the writer from using old pages again.
        let view = library.reader.view().ok();
        let source = Merged::new(Some(&*library.head), view.as_ref());
        let made = plan.forecast(&key, &source, &library.catalog, job.at);
        held += made.as_ref().map_or(0, size);
        forecasts.extend(made);
    }
    (forecasts, false)
}

/// What stands out over days and among programs; `None` where pressure or the end keeps from looking.
fn notice(library: &Library, fits: &Fits, at: Timestamp, beat: &Beat) -> Option<patterns::Found> {
    let snapshot = library.hub.snapshot();
    let mut shifts = Vec::new();
    for key in patterns::told(&snapshot) {
        beat.mark();
        if fits.jobs.is_closed() || under_pressure(&library.hub.snapshot()) {
            return None;
        }
        let view = library.reader.view().ok();
        let source = Merged::new(Some(&*library.head), view.as_ref());
        shifts.extend(patterns::shifts(&key, &source, &library.catalog, at));
    }
    let view = library.reader.view().ok();
    let connections = patterns::usual_connections(&Merged::new(Some(&*library.head), view.as_ref()), at);
    Some(patterns::Found { shifts, clusters: patterns::groups(&snapshot), connections })
}

/// Bytes of a forecast's course: a mean and two bands.
fn size(forecast: &Forecast) -> usize {
    size_of_val(&*forecast.mean) + size_of_val(&*forecast.band80) + size_of_val(&*forecast.band95)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Catalog, HostFacts, Reading, SeriesKey};

    fn job(seconds: i64, what: What) -> Job {
        Job { at: Timestamp::from_seconds(seconds), what }
    }

    #[test]
    fn the_oldest_job_of_a_kind_gives_way() {
        let fits = Fits::new();
        let capacity = What::Capacity(crate::analyze::capacity_plan(&crate::analyze::AnalyzeConfig::default()));
        let charts = |interval| What::Charts(Duration::from_secs(interval));
        assert!(fits.ask(job(1, charts(1))) && fits.ask(job(2, capacity)) && fits.ask(job(3, charts(5))));
        let order: Vec<i64> = std::iter::from_fn(|| fits.jobs.try_pop()).map(|j| j.at.0 / 1000).collect();
        assert_eq!((order, fits.jobs.stats().dropped), (vec![2, 3], 1));
    }

    #[test]
    fn forecasts_wait_while_the_machine_is_under_pressure() {
        let with = |metric: &str, label: (&str, &str), value| {
            let reading = Reading { key: SeriesKey::new(metric, [label]), value, cumulative: None };
            let host = Arc::new(HostFacts { cores: 4, ..HostFacts::default() });
            let empty = Snapshot::empty(Arc::new(Catalog::default()));
            under_pressure(&Snapshot { readings: vec![reading].into(), host, ..empty })
        };
        assert!(with("pressure_full_ratio", ("resource", "memory"), 0.3));
        assert!(!with("pressure_full_ratio", ("resource", "memory"), 0.1));
        assert!(!with("pressure_full_ratio", ("resource", "cpu"), 0.9), "that is what the lowest priority is for");
        assert!(with("load_average", ("window", "1m"), 17.0) && !with("load_average", ("window", "1m"), 15.0));
    }
}
