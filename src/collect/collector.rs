//! One round of reading after the other.
//!
//! What is read is the sources' business. Invariant: a round reads every source once, waits for no
//! device, and its readings come sorted by key.

use std::sync::Arc;
use std::time::Duration;

use super::CollectConfig;
use super::groups::Groups;
use super::parse::{decimal, words};
use super::process::Processes;
use super::slow::Lane;
use super::table::{Make, SOURCES, Start};
use crate::base::{Timestamp, Unit};
use crate::model::{Host, MetricDef, Round, Sample, SeriesKey, Source};

/// The clock that counts suspend may run ahead of the one that does not by this much: its file has hundredths of a second, and
/// the two are read a moment apart.
const CLOCK_SLACK: Duration = Duration::from_secs(2);

/// A round this much later than the one before it was is a gap: the recorder itself stood still (stopped, or the machine
/// was overloaded).
const GAP_FACTOR: u32 = 4;

/// Shorter waits are no gap, whatever the interval.
const GAP_LEAST: Duration = Duration::from_secs(10);

/// What the collector says of itself.
pub(super) const METRICS: &[MetricDef] = &[MetricDef::gauge(
    "farol_left_out_instances",
    Unit::Count,
    "Devices, mounts, units and the like that have no series because there are too many (collect.max_instances).",
)];

/// Reads all sources of one machine, round by round.
pub struct Collector {
    host: Arc<dyn Host>,
    sources: Vec<Box<dyn Source>>,
    processes: Option<Processes>,
    /// The threads for slow readings and for programs.
    lanes: [Lane; 2],
    left_out: SeriesKey,
    seq: u64,
    clocks: Option<Clocks>,
    text: Vec<u8>,
    /// Readings and faults of the round before, for the size of the next lists.
    expected: usize,
}

/// The clocks of the round before.
#[derive(Clone, Copy)]
struct Clocks {
    monotonic: Duration,
    /// Counts suspend; `None` where it cannot be read.
    since_boot: Option<Duration>,
    /// From the round before that.
    span: Option<Duration>,
}

impl Collector {
    /// Makes the sources that `config` does not leave out; two threads are started, for slow sources only.
    pub fn new(host: Arc<dyn Host>, config: &CollectConfig) -> Self {
        let (lane, programs) = (Lane::new(), Lane::of_programs());
        let start =
            Start { host: Arc::clone(&host), config, lane: lane.clone(), programs: programs.clone(), groups: Groups::default() };
        let (mut sources, mut processes) = (Vec::new(), None);
        for row in SOURCES.iter().filter(|row| !config.without.iter().any(|name| name == row.name)) {
            match row.make {
                Make::Plain(make) => sources.push(make(&start)),
                Make::Processes(make) => processes = Some(make(&start)),
            }
        }
        let lanes = [lane, programs];
        // What the sources ask for at once; if no thread can be had the first round says so.
        let _ = lanes.each_ref().map(Lane::run);
        let left_out = SeriesKey::total(METRICS[0].name);
        Self { host, sources, processes, lanes, left_out, seq: 0, clocks: None, text: Vec::new(), expected: 0 }
    }

    /// One with other settings for the same machine; its first round gives no rates and names every process.
    pub fn anew(&self, config: &CollectConfig) -> Self {
        let mut anew = Self::new(Arc::clone(&self.host), config);
        anew.seq = self.seq;
        anew
    }

    /// Reads every source once. `at` is the wall clock, `monotonic` a clock that never goes back and does not count suspend.
    ///
    /// Never blocks on a device. `seq` begins at 1 and rises by one a call. `since_previous` is `None` on the first call, after
    /// suspend and after a gap, and then counters give no rates. Suspend shows as the machine's uptime, which counts it,
    /// running ahead of `monotonic`; the wall clock is not asked, because it may be set. A gap is a wait of four times the one
    /// before and at least ten seconds.
    pub fn round(&mut self, at: Timestamp, monotonic: Duration) -> Sample {
        self.seq += 1;
        let mut round = Round { at, since_previous: self.since_previous(monotonic), ..Round::default() };
        round.readings.reserve(self.expected);
        self.lanes.iter().for_each(|lane| lane.begin(monotonic));
        for source in &mut self.sources {
            source.collect(self.host.as_ref(), &mut round);
        }
        if let Some(processes) = &mut self.processes {
            processes.collect(self.host.as_ref(), &mut round);
        }
        for message in self.lanes.iter().filter_map(|lane| lane.run().err()) {
            round.fault("collect", message);
        }
        let left_out = round.left_out as f64;
        round.gauge(&self.left_out, left_out);
        // The sources' readings are runs that are sorted already or nearly: the stable sort merges them.
        round.readings.sort_by(|a, b| a.key.cmp(&b.key));
        self.expected = round.readings.len();
        let Round { since_previous, readings, processes, faults, .. } = round;
        Sample { seq: self.seq, at, since_previous, readings, processes, faults }
    }

    /// Tells the threads of slow sources to end; never waits for them, so that a hung mount cannot hold the caller.
    pub fn stop(&mut self) {
        self.lanes.iter().for_each(Lane::stop);
    }

    /// The monotonic time of the round before; zero before the first.
    #[cfg(test)]
    pub(super) fn clock(&self) -> Duration {
        self.clocks.map_or(Duration::ZERO, |clocks| clocks.monotonic)
    }

    fn since_previous(&mut self, monotonic: Duration) -> Option<Duration> {
        let since_boot = self.host.read("/proc/uptime", &mut self.text).ok().and_then(|()| {
            let seconds = words(&self.text).next().and_then(decimal)?;
            Duration::try_from_secs_f64(seconds).ok()
        });
        let before = self.clocks.replace(Clocks { monotonic, since_boot, span: None })?;
        let span = monotonic.checked_sub(before.monotonic)?;
        if let Some(clocks) = &mut self.clocks {
            clocks.span = Some(span);
        }
        let real = since_boot.zip(before.since_boot).and_then(|(now, then)| now.checked_sub(then));
        let suspended = real.is_some_and(|real| real > span + CLOCK_SLACK);
        let gap = before.span.is_some_and(|usual| span > (usual * GAP_FACTOR).max(GAP_LEAST));
        (!suspended && !gap && span > Duration::ZERO).then_some(span)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}
