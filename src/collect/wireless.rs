//! Wi-Fi: how well each interface hears its station.
//!
//! From `/proc/net/wireless`, every five seconds: the driver asks the device. Bytes are in `network`.
//! Invariant: an interface that is not connected has no values.

use std::time::Duration;

use super::gauges::{Found, Gauges, Plan};
use super::parse::{decimal, label, lines, split_once, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("wireless_signal_dbm", Unit::Count, "Strength of the station's signal, in decibels of a milliwatt.")
        .by(&["interface"])
        .good(GoodDirection::Up)
        .within(Some(-200.0), Some(50.0)),
    MetricDef::gauge("wireless_quality_ratio", Unit::Ratio, "Quality of the link by the driver's own measure.")
        .by(&["interface"])
        .good(GoodDirection::Up),
];

const PLAN: Plan = Plan {
    name: "wireless",
    metrics: METRICS,
    what: "wireless interfaces",
    period: Duration::from_secs(5),
    retry: Duration::from_secs(60),
};

/// Drivers count quality up to this (cfg80211, wext-compat.c).
const BEST_QUALITY: f64 = 70.0;

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Gauges::boxed(start, &start.lane, PLAN, |ask| {
        let (mut found, mut text) = (Found::default(), Vec::new());
        if ask.host.read("/proc/net/wireless", &mut text).is_ok() {
            parse(&text, &mut found);
        }
        found
    })
}

/// Two lines of headings, then `wlan0: 0000   54.  -56.  -256 …`: status, quality, signal.
fn parse(text: &[u8], found: &mut Found) {
    for line in lines(text).skip(2) {
        let Some((name, rest)) = split_once(line, b':') else { continue };
        let name = label(name.trim_ascii());
        let mut fields = words(rest).skip(1).map(|word| decimal(word.strip_suffix(b".").unwrap_or(word)));
        let (quality, signal) = (fields.next().flatten(), fields.next().flatten());
        // 0 and -256 stand for unknown.
        found.maybe(&METRICS[1], &[&name], quality.map(|q| q / BEST_QUALITY).filter(|q| *q > 0.0 && *q <= 1.0));
        found.maybe(&METRICS[0], &[&name], signal.filter(|dbm| (-200.0..0.0).contains(dbm)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, value};
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "Inter-| sta-|   Quality        |   Discarded packets\n face | tus | link level noise |  nwid\n\
        wlan0: 0000   35.  -56.  -256        0      0      0      0    149        0\nwlan1: 0000    0.  -256.  -256 0 0 0 0 0 0\n";

    #[test]
    fn only_a_connected_interface_has_a_signal() {
        let mut script = Script::new(make);
        script.file("/proc/net/wireless", TEXT);
        let round = script.round_until(|r| !r.readings.is_empty());
        assert_eq!(value(&round, r#"wireless_signal_dbm{interface="wlan0"}"#), Some(-56.0));
        assert_eq!(value(&round, r#"wireless_quality_ratio{interface="wlan0"}"#), Some(0.5));
        assert_eq!(round.readings.len(), 2);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(TEXT)) {
            parse(&text, &mut Found::default());
        }
    }
}
