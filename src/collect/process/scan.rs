//! One full scan: every file of every process, once.
//!
//! For the second in which a rule fires, away from the sampling thread. Invariant: it knows nothing of the
//! rounds and disturbs none of them.

use std::sync::Arc;

use super::make;
use crate::base::Timestamp;
use crate::collect::CollectConfig;
use crate::collect::groups::Groups;
use crate::collect::slow::Lane;
use crate::collect::table::Start;
use crate::model::{Host, Process, Round, Source};

/// All processes by id, read now; CPU and device figures per second are those of `known` (sorted by id), which were made over a
/// whole interval, and 0 or absent for those not among them.
pub fn scan(host: &Arc<dyn Host>, at: Timestamp, known: &[Arc<Process>]) -> Vec<Arc<Process>> {
    let config = CollectConfig::default();
    let (lane, programs, groups) = (Lane::new(), Lane::of_programs(), Groups::default());
    let mut source = make(&Start { host: Arc::clone(host), config: &config, lane, programs, groups });
    let mut round = Round { at, ..Round::default() };
    source.collect(host.as_ref(), &mut round);
    let mut found = round.processes.changed;
    for process in &mut found {
        if let Ok(place) = known.binary_search_by_key(&process.id, |p| p.id)
            && let Some(before) = known.get(place)
        {
            let process = Arc::make_mut(process);
            process.cpu = before.cpu;
            process.read_bytes_per_second = before.read_bytes_per_second;
            process.write_bytes_per_second = before.write_bytes_per_second;
        }
    }
    found.sort_by_key(|p| p.id);
    found
}
