//! The engine's core over a machine, and the alert that fires when it is told to.
//!
//! The processes are what they are. When the condition holds is the test's decision: a shared machine's own figures would say
//! it of a neighbor as well. Invariant: the same samples give the same alert.

use std::sync::Arc;

use farol::base::Timestamp;
use farol::config::{Inputs, load};
use farol::engine::{Core, Past, Surroundings, Timing, catalog, settings};
use farol::model::{Alert, AlertState, HostFacts, Reading, Sample, SeriesKey};
use farol::notify::Sending;

use super::{HOLDS, Kind};

impl Kind {
    /// The series the alert is about: well, and broken.
    fn series(self) -> (SeriesKey, f64, f64) {
        match self {
            Self::CpuHog => (SeriesKey::total("cpu_usage_ratio"), 0.3, 0.99),
            Self::MemoryLeak => (SeriesKey::total("memory_used_ratio"), 0.3, 0.95),
            Self::DiskFiller => (SeriesKey::new("filesystem_used_ratio", [("mount", "/")]), 0.3, 0.95),
            Self::IoStorm => (SeriesKey::new("disk_busy_ratio", [("device", "injected")]), 0.1, 0.99),
            Self::ConnectionLeak => (SeriesKey::new("tcp_connections", [("state", "established")]), 20.0, 3000.0),
        }
    }

    fn rule(self, hold: u64) -> String {
        format!("{} after {hold} s", self.name())
    }

    fn rules(self) -> String {
        let (key, ..) = self.series();
        let labels: Vec<String> = key.labels().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
        let above = if self == Self::ConnectionLeak { "2500" } else { "90%" };
        let rule = |hold: u64| {
            format!(
                "[[rule]]\nname = \"{}\"\nmetric = \"{}\"\n{}above = \"{above}\"\nfor = \"{hold}s\"\nflap_start = \"100%\"\n",
                self.rule(hold),
                key.metric(),
                if labels.is_empty() { String::new() } else { format!("where = {{{}}}\n", labels.join(", ")) }
            )
        };
        HOLDS.map(rule).concat()
    }
}

/// A core that judges the injected rules.
pub(super) struct Machine {
    core: Core,
}

impl Machine {
    pub(super) fn new(host: HostFacts, at: Timestamp) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, Kind::ALL.map(Kind::rules).concat()).expect("written");
        let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("good rules").config;
        let around =
            Surroundings { host: Arc::new(host), link_bits_per_second: None, data_dir: folder.path(), sending: Sending::Dry };
        let settings = settings(&config, &Arc::new(catalog()), &around).expect("good settings");
        let mut core = Core::new(settings, Past::default(), at).expect("good rules");
        let _ = core.first_pulse(at);
        Self { core }
    }

    /// One tick; `broken` is what is wrong. Gives the alert of the rule that waits `hold` seconds once it fires.
    pub(super) fn tick(&mut self, mut sample: Sample, broken: Option<(Kind, u64)>) -> Option<Arc<Alert>> {
        for kind in Kind::ALL {
            let (key, well, bad) = kind.series();
            sample.readings.retain(|r| r.key != key);
            let value = if broken.is_some_and(|(one, _)| one == kind) { bad } else { well };
            sample.readings.push(Reading { key, value, cumulative: None });
        }
        let pulse = self.core.tick(sample, Timing::default()).pulse?;
        let (rule, (key, ..)) = broken.map(|(kind, hold)| (kind.rule(hold), kind.series()))?;
        let alerts = pulse.alerts?;
        alerts.iter().find(|a| a.rule == rule && a.key == key && a.state == AlertState::Firing).cloned()
    }
}
