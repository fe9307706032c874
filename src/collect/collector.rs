//! One round of reading after the other.

use std::sync::Arc;
use std::time::Duration;

use super::CollectConfig;
use crate::base::Timestamp;
use crate::model::{Host, Process, Sample};

/// Reads all sources of one machine, round by round.
pub struct Collector {
    #[expect(dead_code)]
    host: Arc<dyn Host>,
    seq: u64,
}

impl Collector {
    /// Makes the sources that `config` does not leave out; threads are started only for slow ones.
    pub fn new(host: Arc<dyn Host>, _config: &CollectConfig) -> Self {
        Self { host, seq: 0 }
    }

    /// Reads every source once. `at` is the wall clock, `monotonic` a clock that never goes back and does not count suspend.
    ///
    /// Never blocks on a device. `seq` begins at 1 and rises by one a call; `since_previous` is `None` on the first call, after
    /// suspend and after a long gap, and then counters give no rates.
    pub fn round(&mut self, at: Timestamp, _monotonic: Duration) -> Sample {
        self.seq += 1;
        Sample { seq: self.seq, at, ..Sample::default() }
    }

    /// All processes, each read in full now and sorted by id: for the second in which an alert fires.
    ///
    /// Figures per second span the time since each process's last reading. Does not disturb the next round's changes.
    pub fn full_scan(&mut self) -> Vec<Arc<Process>> {
        Vec::new()
    }

    /// Tells the threads of slow sources to end; never waits for one, so that a hung mount cannot hold the caller.
    pub fn stop(&mut self) {}
}
