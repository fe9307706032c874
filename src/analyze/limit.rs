//! Where a series ends by nature: full disks, full memory, no descriptors left; and what to say of it.
//!
//! One table. Invariant: every row has its limit, its sentence and its advice.

use crate::model::{Catalog, Limit, SeriesKey};

/// What happens at the natural end of a metric, for people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    metric: &'static str,
    /// The value at which it has happened.
    pub limit: f64,
    /// What is full where the series has no labels.
    what: &'static str,
    /// What then happens (`is full`).
    happens: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

/// Shown as 100 %: the last half percent of a file system or table is reserved or rounded away.
const FULL: f64 = 0.995;
/// Under 3 % of available memory the kernel reclaims without end and kills: a machine never shows more.
const MEMORY_FULL: f64 = 0.97;

const CAPACITIES: &[Capacity] = &[
    Capacity {
        metric: "filesystem_used_ratio",
        limit: FULL,
        what: "file system",
        happens: "is full",
        advice: "Delete or move what grows, or enlarge the file system.",
    },
    Capacity {
        metric: "filesystem_inodes_used_ratio",
        limit: FULL,
        what: "file system",
        happens: "has no inodes left",
        advice: "Delete many small files: caches, sessions, mail queues.",
    },
    Capacity {
        metric: "memory_used_ratio",
        limit: MEMORY_FULL,
        what: "memory",
        happens: "is exhausted",
        advice: "Restart or limit the process that grows, or add memory.",
    },
    Capacity {
        metric: "swap_used_ratio",
        limit: FULL,
        what: "swap",
        happens: "is full",
        advice: "Restart or limit the process that grows, or add swap.",
    },
    Capacity {
        metric: "conntrack_used_ratio",
        limit: FULL,
        what: "the connection table",
        happens: "is full",
        advice: "Find who opens the connections, or raise net.netfilter.nf_conntrack_max.",
    },
    Capacity {
        metric: "file_descriptors_used_ratio",
        limit: FULL,
        what: "the file table",
        happens: "is full",
        advice: "Restart the process that leaks descriptors, or raise fs.file-max.",
    },
    Capacity {
        metric: "pids_used_ratio",
        limit: FULL,
        what: "the process table",
        happens: "is full",
        advice: "Find who starts the processes, or raise kernel.pid_max.",
    },
];

impl Capacity {
    /// That of a series' metric.
    pub fn of(key: &SeriesKey) -> Option<&'static Self> {
        CAPACITIES.iter().find(|c| c.metric == key.metric())
    }

    /// What will happen (`/ is full`).
    pub fn title(&self, key: &SeriesKey) -> String {
        let instance = key.instance();
        format!("{} {}", if instance.is_empty() { self.what } else { &instance }, self.happens)
    }
}

/// The natural capacity limit of a series; `None` where its metric has none or is not in the catalog.
pub fn limit_for(key: &SeriesKey, catalog: &Catalog) -> Option<Limit> {
    catalog.get(key.metric())?;
    Capacity::of(key).map(|c| Limit::Above(c.limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Unit;
    use crate::model::MetricDef;

    #[test]
    fn disks_end_and_load_does_not() {
        let defs =
            [MetricDef::gauge("filesystem_used_ratio", Unit::Ratio, "x"), MetricDef::gauge("load_average", Unit::Count, "y")];
        let catalog = Catalog::new([&defs[..]]);
        let root = SeriesKey::new("filesystem_used_ratio", [("mount", "/")]);
        assert_eq!(limit_for(&root, &catalog), Some(Limit::Above(FULL)));
        assert_eq!(Capacity::of(&root).map(|c| c.title(&root)), Some("/ is full".to_owned()));
        assert_eq!(limit_for(&SeriesKey::total("load_average"), &catalog), None);
        assert_eq!(limit_for(&root, &Catalog::default()), None);
    }
}
