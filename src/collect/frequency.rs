//! How fast the cores run.
//!
//! From `/sys/devices/system/cpu/*/cpufreq`, every [`PERIOD`] on the slow thread: some processors must
//! be interrupted to answer. A frequency stands until the next answer. Invariant: machines that do not
//! say (most virtual ones) have no such series and no fault.

use std::sync::Arc;
use std::time::Duration;

use super::parse::{number, single};
use super::slow::Standing;
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[MetricDef::gauge("cpu_frequency_hertz", Unit::Hertz, "Frequency a core runs at.")
    .by(&["core"])
    .good(GoodDirection::Neither)];

/// Governors settle in milliseconds, people look at trends.
const PERIOD: Duration = Duration::from_secs(5);

/// Where nothing answered, cores are looked for again after so many periods: a governor's module may be loaded.
const RETRY_PERIODS: u32 = 120;

/// Asks for all cores at once.
pub(super) struct Frequency {
    host: Arc<dyn Host>,
    most: usize,
    answer: Standing<Vec<(u64, f64)>>,
    /// The key of each core in the answer.
    keys: Vec<(u64, SeriesKey)>,
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let mut source = Frequency {
        host: Arc::clone(&start.host),
        most: start.config.max_instances,
        answer: Standing::new(&start.lane, PERIOD),
        keys: Vec::new(),
    };
    source.ask();
    Box::new(source)
}

impl Source for Frequency {
    fn name(&self) -> &'static str {
        "frequency"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, _: &dyn Host, round: &mut Round) {
        let came = self.answer.refresh();
        if let Some(cores) = self.answer.value() {
            if came && !self.keys.iter().map(|(core, _)| core).eq(cores.iter().map(|(core, _)| core)) {
                let key = |core: u64| SeriesKey::new("cpu_frequency_hertz", [("core", core.to_string().as_str())]);
                self.keys = cores.iter().map(|(core, _)| (*core, key(*core))).collect();
            }
            for ((_, key), (_, hertz)) in self.keys.iter().zip(cores) {
                round.gauge(key, *hertz);
            }
        }
        self.ask();
    }
}

impl Frequency {
    fn ask(&mut self) {
        let (host, most) = (Arc::clone(&self.host), self.most);
        let factor = if self.keys.is_empty() { RETRY_PERIODS } else { 1 };
        self.answer.ask(factor, move || read(host.as_ref(), most));
    }
}

/// Core and hertz; the files say kHz.
fn read(host: &dyn Host, most: usize) -> Vec<(u64, f64)> {
    const FOLDER: &str = "/sys/devices/system/cpu";
    let (mut names, mut text) = (Vec::new(), Vec::new());
    if host.list(FOLDER, &mut names).is_err() {
        return Vec::new();
    }
    let mut cores: Vec<u64> = names.iter().filter_map(|name| number(name.strip_prefix("cpu")?.as_bytes())).collect();
    cores.sort_unstable();
    cores.truncate(most);
    let mut hertz = |core: u64| {
        host.read(&format!("{FOLDER}/cpu{core}/cpufreq/scaling_cur_freq"), &mut text).ok()?;
        single(&text).map(|khz| (core, khz as f64 * 1000.0))
    };
    cores.into_iter().filter_map(&mut hertz).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, value};
    use super::*;

    #[test]
    fn frequencies_are_given_in_hertz_and_stand() {
        let mut script = Script::new(make);
        script.file("/sys/devices/system/cpu/cpu10/cpufreq/scaling_cur_freq", "2600000\n");
        script.file("/sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq", "garbage");
        script.file("/sys/devices/system/cpu/cpufreq/policy0", "");
        let key = r#"cpu_frequency_hertz{core="10"}"#;
        let round = script.round_until(|r| value(r, key).is_some());
        assert_eq!((value(&round, key), round.readings.len()), (Some(2.6e9), 1));
        assert_eq!(value(&script.round(), key), Some(2.6e9));
    }
}
