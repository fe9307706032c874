//! How fast the cores run.
//!
//! From `/sys/devices/system/cpu/*/cpufreq`, every five seconds on the slow thread: some processors must
//! be interrupted to answer. A frequency stands until the next answer. Invariant: machines that do not
//! say (most virtual ones) have no such series and no fault.

use std::time::Duration;

use super::gauges::{Found, Gauges, Plan, SELDOM};
use super::parse::{number, single};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[MetricDef::gauge("cpu_frequency_hertz", Unit::Hertz, "Frequency a core runs at.")
    .by(&["core"])
    .good(GoodDirection::Neither)];

const PLAN: Plan = Plan {
    name: "frequency",
    metrics: METRICS,
    what: "cores",
    // Governors settle in milliseconds, people look at trends.
    period: Duration::from_secs(5),
    retry: SELDOM,
};

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Gauges::boxed(start, &start.lane, PLAN, |ask| {
        let mut found = Found::default();
        for (core, hertz) in read(ask.host) {
            found.gauge(&METRICS[0], &[&core.to_string()], hertz);
        }
        found
    })
}

/// Core and hertz; the files say kHz.
fn read(host: &dyn Host) -> Vec<(u64, f64)> {
    const FOLDER: &str = "/sys/devices/system/cpu";
    let (mut names, mut text) = (Vec::new(), Vec::new());
    if host.list(FOLDER, &mut names).is_err() {
        return Vec::new();
    }
    let mut cores: Vec<u64> = names.iter().filter_map(|name| number(name.strip_prefix("cpu")?.as_bytes())).collect();
    cores.sort_unstable();
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
