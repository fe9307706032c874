//! The table of sources.
//!
//! To add a source, write its file and add its row. Invariant: names are unique and each is the name
//! of a file beside this one.

use std::sync::Arc;

use super::CollectConfig;
use super::groups::Groups;
use super::process::Processes;
use super::slow::Lane;
use crate::model::{Host, MetricDef, Source};

/// What a source is made from.
pub(super) struct Start<'a> {
    /// For jobs on the lane; a round is handed its host.
    pub(super) host: Arc<dyn Host>,
    pub(super) config: &'a CollectConfig,
    pub(super) lane: Lane,
    /// For jobs that run programs: those take longer than what hangs elsewhere.
    pub(super) programs: Lane,
    pub(super) groups: Groups,
}

/// One source.
pub(super) struct SourceRow {
    pub(super) name: &'static str,
    pub(super) metrics: &'static [MetricDef],
    pub(super) make: Make,
}

/// How a source is made.
pub(super) enum Make {
    /// One of many.
    Plain(fn(&Start<'_>) -> Box<dyn Source>),
    /// The one that can also be asked for all it knows.
    Processes(fn(&Start<'_>) -> Processes),
}

macro_rules! row {
    ($kind:ident, $name:ident) => {
        SourceRow { name: stringify!($name), metrics: super::$name::METRICS, make: Make::$kind(super::$name::make) }
    };
}

/// All sources, by name.
pub(super) const SOURCES: &[SourceRow] = &[
    row!(Plain, array),
    row!(Plain, cpu),
    row!(Plain, disk),
    row!(Plain, filesystem),
    row!(Plain, frequency),
    row!(Plain, gpu),
    row!(Plain, group),
    row!(Plain, hardware),
    row!(Plain, memory),
    row!(Plain, network),
    row!(Plain, numa),
    row!(Plain, pressure),
    row!(Processes, process),
    row!(Plain, sensor),
    row!(Plain, session),
    row!(Plain, smart),
    row!(Plain, socket),
    row!(Plain, system),
    row!(Plain, unit),
    row!(Plain, wireless),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Catalog;
    use std::path::Path;

    #[test]
    fn every_source_has_its_file_and_names_are_unique() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect");
        for pair in SOURCES.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} and {} are out of order", pair[0].name, pair[1].name);
        }
        for row in SOURCES {
            let file = folder.join(format!("{}.rs", row.name));
            assert!(file.exists() || folder.join(row.name).join("mod.rs").exists(), "{}", file.display());
        }
    }

    #[test]
    fn no_metric_is_defined_twice_and_each_name_ends_with_its_unit() {
        let all: usize = SOURCES.iter().map(|row| row.metrics.len()).sum();
        let catalog = Catalog::new(SOURCES.iter().map(|row| row.metrics));
        assert_eq!(catalog.len(), all);
        for def in catalog.iter() {
            assert!(!def.help.is_empty() && def.help.ends_with('.'), "{}", def.name);
            if def.unit == crate::base::Unit::Ratio {
                assert!(def.name.ends_with("_ratio"), "{}", def.name);
            }
        }
    }
}
