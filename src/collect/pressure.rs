//! Pressure: the share of time in which work stood still for lack of a resource.
//!
//! From `/proc/pressure` (kernel 4.20 and later). Invariant: a share is made from the kernel's total of
//! stalled time over the own interval, not from its averages, which lag by ten seconds.

use super::counter::{Step, per_second};
use super::parse::{lines, number, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{Host, MetricDef, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("pressure_some_ratio", Unit::Ratio, "Share of time in which at least one task waited for the resource.")
        .by(&["resource"]),
    MetricDef::gauge("pressure_full_ratio", Unit::Ratio, "Share of time in which all tasks waited for the resource.")
        .by(&["resource"]),
];

const RESOURCES: [(&str, &str); 3] =
    [("cpu", "/proc/pressure/cpu"), ("io", "/proc/pressure/io"), ("memory", "/proc/pressure/memory")];

/// Reads `/proc/pressure/*`.
pub(super) struct Pressure {
    text: Vec<u8>,
    tick: u64,
    resources: [Resource; 3],
}

struct Resource {
    path: &'static str,
    some: (SeriesKey, Step),
    full: (SeriesKey, Step),
}

pub(super) fn make(_: &Start<'_>) -> Box<dyn Source> {
    let resources = RESOURCES.map(|(name, path)| {
        let part = |metric| (SeriesKey::new(metric, [("resource", name)]), Step::default());
        Resource { path, some: part("pressure_some_ratio"), full: part("pressure_full_ratio") }
    });
    Box::new(Pressure { text: Vec::new(), tick: 0, resources })
}

impl Source for Pressure {
    fn name(&self) -> &'static str {
        "pressure"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        self.tick += 1;
        for resource in &mut self.resources {
            // Absent on older kernels and where it is switched off (psi=0): nothing is wrong then.
            if host.read(resource.path, &mut self.text).is_err() {
                continue;
            }
            for line in lines(&self.text) {
                let mut fields = words(line);
                let (key, step) = match fields.next() {
                    Some(b"some") => &mut resource.some,
                    Some(b"full") => &mut resource.full,
                    _ => continue,
                };
                let Some(total) = fields.find_map(|f| f.strip_prefix(b"total=")).and_then(number) else {
                    round.fault("pressure", format!("{}: no total", resource.path));
                    continue;
                };
                if let Some(micros) = step.delta(self.tick, total).and_then(|d| per_second(d, round.since_previous)) {
                    round.gauge(key, (micros / 1e6).min(1.0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, value};
    use super::*;
    use proptest::prelude::*;

    const IO: &str = "some avg10=1.63 avg60=1.50 avg300=2.10 total=1000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";

    #[test]
    fn pressure_is_stalled_time_over_the_interval() {
        let mut script = Script::new(make);
        script.file("/proc/pressure/io", IO);
        assert!(script.round().readings.is_empty());
        script.file("/proc/pressure/io", &IO.replace("total=1000000", "total=1250000"));
        let round = script.round();
        assert_eq!(value(&round, r#"pressure_some_ratio{resource="io"}"#), Some(0.25));
        assert_eq!(value(&round, r#"pressure_full_ratio{resource="io"}"#), Some(0.0));
        assert!(round.faults.is_empty(), "kernels without pressure are no fault");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(IO)) {
            let mut script = Script::new(make);
            for text in [IO.as_bytes(), &text, IO.as_bytes()] {
                script.bytes("/proc/pressure/io", text);
                prop_assert!(script.round().readings.iter().all(|r| (0.0..=1.0).contains(&r.value)));
            }
        }
    }
}
