//! Temperatures, fans, power and batteries.
//!
//! From `/sys/class/hwmon`, `thermal` and `power_supply`, every five seconds on the slow thread: a sensor is
//! asked over a slow bus, some take milliseconds. A value stands until the next answer. Invariant:
//! machines without sensors have no series and no fault, and each sensor keeps its name.

use std::time::Duration;

use super::gauges::{Found, Gauges, Plan, SELDOM};
use super::parse::{label, signed};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("temperature_celsius", Unit::Celsius, "Temperature at a sensor.")
        .by(&["sensor"])
        .within(Some(-273.15), None),
    MetricDef::gauge("fan_rpm", Unit::Rpm, "Speed of a fan.").by(&["sensor"]).good(GoodDirection::Neither),
    MetricDef::gauge("power_watts", Unit::Watts, "Power drawn at a sensor.").by(&["sensor"]),
    MetricDef::gauge("battery_charge_ratio", Unit::Ratio, "Charge of a battery.").by(&["battery"]).good(GoodDirection::Up),
];

const PLAN: Plan = Plan {
    name: "sensor",
    metrics: METRICS,
    what: "sensors",
    // Temperatures take longer than this to matter.
    period: Duration::from_secs(5),
    retry: SELDOM,
};

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Gauges::boxed(start, &start.lane, PLAN, |ask| read(ask.host))
}

/// What a file of hwmon says: the beginning of its name, the endings that hold a value, best first, and the size of its unit.
const KINDS: [(&str, &[&str], &MetricDef, f64); 3] = [
    ("temp", &["input"], &METRICS[0], 1e-3),
    ("fan", &["input"], &METRICS[1], 1.0),
    ("power", &["average", "input"], &METRICS[2], 1e-6),
];

/// All sensors that answer.
fn read(host: &dyn Host) -> Found {
    let mut found = Found::default();
    let mut folders = Vec::new();
    if host.list("/sys/class/hwmon", &mut folders).is_ok() {
        folders.sort_unstable();
        for folder in &folders {
            read_chip(host, &format!("/sys/class/hwmon/{folder}"), &mut found);
        }
    }
    if !found.has(&METRICS[0]) {
        read_zones(host, &mut found);
    }
    read_batteries(host, &mut found);
    found
}

fn read_chip(host: &dyn Host, folder: &str, found: &mut Found) {
    let (mut files, mut text) = (Vec::new(), Vec::new());
    if host.list(folder, &mut files).is_err() {
        return;
    }
    files.sort_unstable();
    let chip = read_label(host, &format!("{folder}/name"), &mut text).unwrap_or_else(|| "hwmon".to_owned());
    for (prefix, endings, metric, scale) in KINDS {
        let mut last = None;
        for file in &files {
            let Some((stem, ending)) = file.rsplit_once('_') else { continue };
            let numbered = stem.strip_prefix(prefix).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
            if !numbered || !endings.contains(&ending) || last == Some(stem) {
                continue;
            }
            // A sensor that is not wired answers with an error: it is left out.
            let Some(value) = read_signed(host, &format!("{folder}/{file}"), &mut text) else { continue };
            last = Some(stem);
            let part = read_label(host, &format!("{folder}/{stem}_label"), &mut text).unwrap_or_else(|| stem.to_owned());
            found.gauge(metric, &[&format!("{chip}/{part}")], value as f64 * scale);
        }
    }
}

/// Thermal zones, for small boards without hwmon.
fn read_zones(host: &dyn Host, found: &mut Found) {
    let (mut folders, mut text) = (Vec::new(), Vec::new());
    if host.list("/sys/class/thermal", &mut folders).is_err() {
        return;
    }
    folders.sort_unstable();
    for folder in folders.iter().filter(|f| f.starts_with("thermal_zone")) {
        let path = |file| format!("/sys/class/thermal/{folder}/{file}");
        let Some(value) = read_signed(host, &path("temp"), &mut text) else { continue };
        let name = read_label(host, &path("type"), &mut text).unwrap_or_else(|| folder.clone());
        found.gauge(&METRICS[0], &[&name], value as f64 * 1e-3);
    }
}

fn read_batteries(host: &dyn Host, found: &mut Found) {
    let (mut folders, mut text) = (Vec::new(), Vec::new());
    if host.list("/sys/class/power_supply", &mut folders).is_err() {
        return;
    }
    folders.sort_unstable();
    for folder in &folders {
        let path = |file| format!("/sys/class/power_supply/{folder}/{file}");
        if read_label(host, &path("type"), &mut text).as_deref() != Some("Battery") {
            continue;
        }
        let name = label(folder.as_bytes());
        if let Some(percent) = read_signed(host, &path("capacity"), &mut text).filter(|p| (0..=100).contains(p)) {
            found.gauge(&METRICS[3], &[&name], percent as f64 / 100.0);
        }
        // Some drivers give what flows out a negative sign.
        if let Some(micro) = read_signed(host, &path("power_now"), &mut text) {
            found.gauge(&METRICS[2], &[&name], micro.unsigned_abs() as f64 * 1e-6);
        }
    }
}

fn read_label(host: &dyn Host, path: &str, text: &mut Vec<u8>) -> Option<String> {
    host.read(path, text).ok().map(|()| label(text.trim_ascii())).filter(|name| !name.is_empty())
}

fn read_signed(host: &dyn Host, path: &str, text: &mut Vec<u8>) -> Option<i64> {
    host.read(path, text).ok().and_then(|()| signed(text.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, value};
    use super::*;

    fn script() -> Script {
        let mut script = Script::new(make);
        for (path, text) in [
            ("hwmon/hwmon0/name", "coretemp\n"),
            ("hwmon/hwmon0/temp1_input", "45500\n"),
            ("hwmon/hwmon0/temp1_label", "Package id 0\n"),
            ("hwmon/hwmon0/temp2_input", "-5000\n"),
            ("hwmon/hwmon0/fan1_input", "1200\n"),
            ("hwmon/hwmon0/power1_average", "15000000\n"),
            ("hwmon/hwmon0/power1_input", "99000000\n"),
            ("hwmon/hwmon0/temp3_input", "garbage"),
            ("hwmon/hwmon1/name", "coretemp\n"),
            ("hwmon/hwmon1/temp2_input", "30000\n"),
            ("power_supply/BAT0/type", "Battery\n"),
            ("power_supply/BAT0/capacity", "87\n"),
            ("power_supply/AC/type", "Mains\n"),
        ] {
            script.file(&format!("/sys/class/{path}"), text);
        }
        script
    }

    #[test]
    fn sensors_have_their_own_names_and_units() {
        let round = script().round_until(|r| !r.readings.is_empty());
        for (key, expected) in [
            (r#"temperature_celsius{sensor="coretemp/Package id 0"}"#, 45.5),
            (r#"temperature_celsius{sensor="coretemp/temp2"}"#, -5.0),
            (r#"temperature_celsius{sensor="coretemp/temp2 #2"}"#, 30.0),
            (r#"fan_rpm{sensor="coretemp/fan1"}"#, 1200.0),
            (r#"power_watts{sensor="coretemp/power1"}"#, 15.0),
            (r#"battery_charge_ratio{battery="BAT0"}"#, 0.87),
        ] {
            assert_eq!(value(&round, key), Some(expected), "{key}");
        }
        assert_eq!((round.readings.len(), round.faults.len()), (6, 0));
    }

    #[test]
    fn a_board_without_hwmon_shows_its_zones() {
        let mut script = Script::new(make);
        script.file("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        script.file("/sys/class/thermal/thermal_zone0/temp", "50000\n");
        let round = script.round_until(|r| !r.readings.is_empty());
        assert_eq!(value(&round, r#"temperature_celsius{sensor="cpu-thermal"}"#), Some(50.0));
    }
}
