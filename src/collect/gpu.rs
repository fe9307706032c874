//! Graphics processors: load, memory, clock, power, temperature.
//!
//! AMD and Intel from `/sys/class/drm`, NVIDIA through `nvidia-smi` where that is installed: its library can only be called by
//! unsafe code. Every five seconds, that program every thirty, on the thread for programs. Invariant: a machine without one runs no program.

use std::time::Duration;

use super::gauges::{Ask, Found, Gauges, Plan, SELDOM};
use super::parse::{label, lines, number, single};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("gpu_usage_ratio", Unit::Ratio, "Share of time in which the GPU did any work.").by(&["gpu"]),
    MetricDef::gauge("gpu_memory_used_bytes", Unit::Bytes, "Memory of the GPU in use.").by(&["gpu"]),
    MetricDef::gauge("gpu_memory_total_bytes", Unit::Bytes, "Memory of the GPU.").by(&["gpu"]).good(GoodDirection::Neither),
    MetricDef::gauge("gpu_frequency_hertz", Unit::Hertz, "Frequency the GPU runs at.").by(&["gpu"]).good(GoodDirection::Neither),
    MetricDef::gauge("gpu_power_watts", Unit::Watts, "Power the GPU draws.").by(&["gpu"]),
    MetricDef::gauge("gpu_temperature_celsius", Unit::Celsius, "Temperature of the GPU.")
        .by(&["gpu"])
        .within(Some(-273.15), None),
];

const USAGE: &MetricDef = &METRICS[0];
const MEMORY_USED: &MetricDef = &METRICS[1];
const MEMORY_TOTAL: &MetricDef = &METRICS[2];
const FREQUENCY: &MetricDef = &METRICS[3];
const POWER: &MetricDef = &METRICS[4];
const TEMPERATURE: &MetricDef = &METRICS[5];

const PLAN: Plan = Plan { name: "gpu", metrics: METRICS, what: "GPUs", period: Duration::from_secs(5), retry: SELDOM };

/// The kernel's module is loaded: only then the program is worth running.
const NVIDIA: &str = "/proc/driver/nvidia/version";

/// What `nvidia-smi` is asked, in this order.
const QUERY: &str = "--query-gpu=index,name,utilization.gpu,memory.used,memory.total,clocks.sm,power.draw,temperature.gpu";

/// Starting its library costs a tenth of a second of CPU: every half a minute.
const NVIDIA_EVERY: u32 = 6;

/// How long it may take: it wakes a sleeping card.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let (mut idle, mut nvidia) = (Vec::new(), Nvidia::default());
    Gauges::boxed(start, &start.programs, PLAN, move |ask| {
        let mut found = read(ask, &mut idle);
        nvidia.read(ask.host, &mut found);
        found
    })
}

/// What `nvidia-smi` said last.
#[derive(Default)]
struct Nvidia {
    askings: u32,
    said: Vec<u8>,
}

impl Nvidia {
    /// Asks every [`NVIDIA_EVERY`] times; in between the last answer stands.
    fn read(&mut self, host: &dyn Host, found: &mut Found) {
        let mut text = Vec::new();
        if host.read(NVIDIA, &mut text).is_err() {
            return self.said.clear();
        }
        if self.askings.is_multiple_of(NVIDIA_EVERY) {
            self.said.clear();
            match host.run("nvidia-smi", &[QUERY, "--format=csv,noheader,nounits"], PATIENCE) {
                Ok(said) => self.said = said,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => found.fault(format!("nvidia-smi: {error}")),
            }
        }
        self.askings = self.askings.wrapping_add(1);
        parse_nvidia(&self.said, found);
    }
}

/// A card's time at rest, in milliseconds, and when that was read.
type Idle = (String, u64, Duration);

fn read(ask: &Ask<'_>, idle: &mut Vec<Idle>) -> Found {
    let (mut found, mut names) = (Found::default(), Vec::new());
    let mut next = Vec::new();
    if ask.host.list("/sys/class/drm", &mut names).is_ok() {
        names.sort_unstable();
        // `card0`, not its connectors `card0-DP-1`.
        let cards = names.iter().filter(|name| name.strip_prefix("card").is_some_and(|n| number(n.as_bytes()).is_some()));
        for card in cards {
            Card { host: ask.host, name: label(card.as_bytes()), folder: format!("/sys/class/drm/{card}") }.read(
                ask.now,
                (idle, &mut next),
                &mut found,
            );
        }
    }
    *idle = next;
    found
}

struct Card<'a> {
    host: &'a dyn Host,
    name: String,
    folder: String,
}

impl Card<'_> {
    fn number(&self, file: &str) -> Option<u64> {
        let mut text = Vec::new();
        self.host.read(&format!("{}/{file}", self.folder), &mut text).ok()?;
        single(&text)
    }

    fn read(&self, now: Option<Duration>, (idle, next): (&[Idle], &mut Vec<Idle>), found: &mut Found) {
        let name = [self.name.as_str()];
        // amdgpu: Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst.
        found.maybe(USAGE, &name, self.number("device/gpu_busy_percent").filter(|p| *p <= 100).map(|p| p as f64 / 100.0));
        found.maybe(MEMORY_USED, &name, self.number("device/mem_info_vram_used").map(|bytes| bytes as f64));
        found.maybe(MEMORY_TOTAL, &name, self.number("device/mem_info_vram_total").map(|bytes| bytes as f64));
        // i915 and xe: time at rest (RC6) and the frequency asked for.
        let at_rest = ["gt/gt0/rc6_residency_ms", "power/rc6_residency_ms"].iter().find_map(|file| self.number(file));
        if let (Some(millis), Some(now)) = (at_rest, now) {
            let before = idle.iter().find(|(card, ..)| *card == self.name);
            found.maybe(USAGE, &name, before.and_then(|(_, then, at)| busy(millis.checked_sub(*then)?, now.checked_sub(*at)?)));
            next.push((self.name.clone(), millis, now));
        }
        let files = ["gt/gt0/rps_act_freq_mhz", "gt_act_freq_mhz", "device/tile0/gt0/freq0/act_freq"];
        let mhz = files.iter().find_map(|file| self.number(file));
        found.maybe(FREQUENCY, &name, mhz.map(|mhz| mhz as f64 * 1e6));
    }
}

/// The rest of the span is work.
fn busy(rested_millis: u64, span: Duration) -> Option<f64> {
    let seconds = span.as_secs_f64();
    (seconds > 0.0).then(|| (1.0 - rested_millis as f64 / 1000.0 / seconds).clamp(0.0, 1.0))
}

/// `0, NVIDIA A100, 35, 1024, 40960, 1410, 62.31, 45`; `[N/A]` where the card does not say.
fn parse_nvidia(text: &[u8], found: &mut Found) {
    for line in lines(text) {
        let fields: Vec<&[u8]> = line.split(|b| *b == b',').map(<[u8]>::trim_ascii).collect();
        let [index, name, values @ ..] = fields.as_slice() else { continue };
        let gpu = format!("{} {}", label(index), label(name));
        // Percent, MiB, MiB, MHz, watts, degrees.
        let scales = [(USAGE, 0.01), (MEMORY_USED, MIB), (MEMORY_TOTAL, MIB), (FREQUENCY, 1e6), (POWER, 1.0), (TEMPERATURE, 1.0)];
        for ((metric, scale), value) in scales.into_iter().zip(values) {
            found.maybe(metric, &[&gpu], super::parse::decimal(value).map(|v| v * scale).filter(|v| *v >= 0.0));
        }
    }
}

const MIB: f64 = 1_048_576.0;

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, value};
    use super::*;
    use proptest::prelude::*;

    const SMI: &str = "0, NVIDIA A100, 35, 1024, 40960, 1410, 62.31, 45\n1, Quadro, [N/A], 1, 2, [N/A], [N/A], 30\n";

    #[test]
    fn cards_of_all_makers_have_their_values() {
        let mut script = Script::new(make);
        for (path, text) in [
            ("/sys/class/drm/card0/device/gpu_busy_percent", "25\n"),
            ("/sys/class/drm/card0/device/mem_info_vram_used", "1048576\n"),
            ("/sys/class/drm/card0/device/mem_info_vram_total", "2097152\n"),
            ("/sys/class/drm/card0-DP-1/status", "connected\n"),
            ("/sys/class/drm/card1/gt/gt0/rc6_residency_ms", "1000\n"),
            ("/sys/class/drm/card1/gt/gt0/rps_act_freq_mhz", "350\n"),
            (NVIDIA, "NVRM version\n"),
        ] {
            script.file(path, text);
        }
        script.edit(|files| _ = files.programs.insert("nvidia-smi".to_owned(), SMI.as_bytes().to_vec()));
        let round = script.round_until(|r| !r.readings.is_empty());
        let of = |round: &crate::model::Round, metric: &str, gpu: &str| value(round, &format!("gpu_{metric}{{gpu=\"{gpu}\"}}"));
        assert_eq!(
            (of(&round, "usage_ratio", "card0"), of(&round, "memory_used_bytes", "card0")),
            (Some(0.25), Some(1_048_576.0))
        );
        assert_eq!((of(&round, "usage_ratio", "card1"), of(&round, "frequency_hertz", "card1")), (None, Some(3.5e8)));
        assert_eq!(
            (of(&round, "usage_ratio", "0 NVIDIA A100"), of(&round, "power_watts", "0 NVIDIA A100")),
            (Some(35.0 * 0.01), Some(62.31))
        );
        assert_eq!((of(&round, "usage_ratio", "1 Quadro"), of(&round, "temperature_celsius", "1 Quadro")), (None, Some(30.0)));
        // The first asking was before the first round and has no date.
        let path = "/sys/class/drm/card1/gt/gt0/rc6_residency_ms";
        script.asked_again(5, path);
        script.file(path, "2250\n");
        let round = script.asked_again(5, path);
        assert_eq!(of(&round, "usage_ratio", "card1"), Some(0.75));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(SMI)) {
            parse_nvidia(&text, &mut Found::default());
        }
    }
}
