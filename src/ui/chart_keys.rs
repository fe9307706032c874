//! Which series the charts of every page are made of.
//!
//! Invariant: a choice once made stays while the machine has the series.

use crate::model::{SeriesKey, Snapshot};

/// The series of the four charts; `None` where the machine has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartKeys {
    /// CPU use.
    pub cpu: Option<SeriesKey>,
    /// Memory use.
    pub memory: Option<SeriesKey>,
    /// Network in and out: the total, or of the busiest interface.
    pub network: Option<(SeriesKey, SeriesKey)>,
    /// Disk read and written: the total, or of the busiest device.
    pub disk: Option<(SeriesKey, SeriesKey)>,
    /// CPU use of the first cores, by number.
    pub cores: Vec<SeriesKey>,
    /// Use of the fullest file system.
    pub filesystem: Option<SeriesKey>,
}

/// Cores with a graph of their own: as many rows as the facts of the largest layout have.
const CORES: usize = 12;

impl ChartKeys {
    /// Looks them up; a choice once made stays while the machine has the series.
    pub fn choose(snapshot: &Snapshot, before: &Self) -> Self {
        let total = |metric: &str| snapshot.of(metric).find(|r| r.key.is_total()).map(|r| r.key.clone());
        let pair = |now: &Option<(SeriesKey, SeriesKey)>, a: &str, b: &str| {
            let kept = now.clone().filter(|(one, two)| snapshot.value(one).is_some() || snapshot.value(two).is_some());
            kept.or_else(|| total(a).zip(total(b))).or_else(|| busiest(snapshot, a, b))
        };
        Self {
            cpu: total("cpu_usage_ratio"),
            memory: total("memory_used_ratio"),
            network: pair(&before.network, "network_receive_bytes_per_second", "network_transmit_bytes_per_second"),
            disk: pair(&before.disk, "disk_read_bytes_per_second", "disk_write_bytes_per_second"),
            cores: cores(snapshot),
            filesystem: fullest(snapshot),
        }
    }

    /// All of them but the cores.
    pub fn all(&self) -> impl Iterator<Item = &SeriesKey> {
        let pairs = self.network.iter().chain(&self.disk).flat_map(|(a, b)| [a, b]);
        self.cpu.iter().chain(&self.memory).chain(pairs).chain(&self.filesystem)
    }
}

fn cores(snapshot: &Snapshot) -> Vec<SeriesKey> {
    let number = |key: &SeriesKey| key.label("core").and_then(|c| c.parse::<u32>().ok());
    let mut cores: Vec<_> = snapshot.of("cpu_usage_ratio").filter_map(|r| Some((number(&r.key)?, r.key.clone()))).collect();
    cores.sort_by_key(|(number, _)| *number);
    cores.into_iter().take(CORES).map(|(_, key)| key).collect()
}

fn fullest(snapshot: &Snapshot) -> Option<SeriesKey> {
    snapshot.of("filesystem_used_ratio").max_by(|a, b| a.value.total_cmp(&b.value)).map(|r| r.key.clone())
}

/// The instance for which both metrics together are largest; the loopback interface is never it.
fn busiest(snapshot: &Snapshot, a: &str, b: &str) -> Option<(SeriesKey, SeriesKey)> {
    let both = snapshot.of(a).filter(|r| r.key.instance() != "lo").filter_map(|r| {
        let key = SeriesKey::new(b, r.key.labels());
        snapshot.value(&key).map(|other| (r.value + other, r.key.clone(), key))
    });
    both.max_by(|x, y| x.0.total_cmp(&y.0)).map(|(_, one, two)| (one, two))
}
