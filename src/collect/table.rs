//! The table of sources.
//!
//! To add a source, write its file and add its row. Invariant: names are unique and each is the name
//! of a file beside this one.

use std::sync::Arc;

use super::CollectConfig;
use super::slow::Lane;
use crate::model::{Host, MetricDef, Source};

/// What a source is made from.
pub(super) struct Start<'a> {
    /// For jobs on the lane; a round is handed its host.
    pub(super) host: Arc<dyn Host>,
    pub(super) config: &'a CollectConfig,
    pub(super) lane: Lane,
}

/// One source.
pub(super) struct SourceRow {
    pub(super) name: &'static str,
    pub(super) metrics: &'static [MetricDef],
    pub(super) make: fn(&Start<'_>) -> Box<dyn Source>,
}

macro_rules! rows {
    ($($name:ident),* $(,)?) => {
        &[$(SourceRow { name: stringify!($name), metrics: super::$name::METRICS, make: super::$name::make }),*]
    };
}

/// All sources, in the order they are read.
pub(super) const SOURCES: &[SourceRow] = rows![cpu, frequency, memory, system, pressure, disk, network, socket];
