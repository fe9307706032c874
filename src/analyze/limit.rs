//! Where a series ends by nature: full disks, full memory, no descriptors left.

use crate::model::{Catalog, Limit, SeriesKey};

/// Metrics that cannot go past 1 without something failing.
const FULL_AT_ONE: &[&str] = &[
    "filesystem_used_ratio",
    "filesystem_inodes_used_ratio",
    "memory_used_ratio",
    "swap_used_ratio",
    "conntrack_used_ratio",
    "file_descriptors_used_ratio",
    "pids_used_ratio",
];

/// The natural capacity limit of a series; `None` where its metric has none or is not in the catalog.
pub fn limit_for(key: &SeriesKey, catalog: &Catalog) -> Option<Limit> {
    catalog.get(key.metric())?;
    FULL_AT_ONE.contains(&key.metric()).then_some(Limit::Above(1.0))
}
