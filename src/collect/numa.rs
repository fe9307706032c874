//! Memory by NUMA node, where there are several.
//!
//! From `/sys/devices/system/node`, every ten seconds: nodes fill slowly. Invariant: a machine with one node
//! has no such series, because they would repeat those of `memory`.

use std::time::Duration;

use super::gauges::{Ask, Found, Gauges, Plan, SELDOM};
use super::parse::{lines, number, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("numa_memory_total_bytes", Unit::Bytes, "Memory of the node.").by(&["node"]).good(GoodDirection::Neither),
    MetricDef::gauge("numa_memory_free_bytes", Unit::Bytes, "Memory of the node used for nothing at all.")
        .by(&["node"])
        .good(GoodDirection::Up),
    MetricDef::gauge("numa_miss_per_second", Unit::PerSecond, "Pages a program got from this node that wanted another.")
        .by(&["node"]),
];

const PLAN: Plan = Plan { name: "numa", metrics: METRICS, what: "nodes", period: Duration::from_secs(10), retry: SELDOM };

const FOLDER: &str = "/sys/devices/system/node";

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let mut before: Vec<(u64, u64, Duration)> = Vec::new();
    Gauges::boxed(start, &start.lane, PLAN, move |ask| read(ask, &mut before))
}

/// `before` has each node's misses and when they were read.
fn read(ask: &Ask<'_>, before: &mut Vec<(u64, u64, Duration)>) -> Found {
    let (mut found, mut names, mut text) = (Found::default(), Vec::new(), Vec::new());
    if ask.host.list(FOLDER, &mut names).is_err() {
        return found;
    }
    let mut nodes: Vec<u64> = names.iter().filter_map(|name| number(name.strip_prefix("node")?.as_bytes())).collect();
    nodes.sort_unstable();
    if nodes.len() < 2 {
        return found;
    }
    let mut now = Vec::new();
    for node in nodes {
        let name = node.to_string();
        if ask.host.read(&format!("{FOLDER}/node{node}/meminfo"), &mut text).is_ok() {
            found.maybe(&METRICS[0], &[&name], kib(&text, b"MemTotal:"));
            found.maybe(&METRICS[1], &[&name], kib(&text, b"MemFree:"));
        }
        if ask.host.read(&format!("{FOLDER}/node{node}/numastat"), &mut text).is_ok()
            && let Some(misses) = lines(&text).find_map(|line| line.strip_prefix(b"numa_miss ")).and_then(number)
        {
            let then = before.iter().find(|(known, ..)| *known == node);
            let rate = then.and_then(|(_, then, at)| {
                let seconds = ask.now?.checked_sub(*at)?.as_secs_f64();
                (seconds > 0.0).then(|| misses.checked_sub(*then).map(|d| d as f64 / seconds)).flatten()
            });
            found.maybe(&METRICS[2], &[&name], rate);
            now.extend(ask.now.map(|now| (node, misses, now)));
        }
    }
    *before = now;
    found
}

/// `Node 0 MemTotal: 8048576 kB`.
fn kib(text: &[u8], name: &[u8]) -> Option<f64> {
    let line = lines(text).find(|line| words(line).nth(2) == Some(name))?;
    words(line).nth(3).and_then(number).map(|kib| kib as f64 * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, value};
    use super::*;

    #[test]
    fn several_nodes_have_series_and_one_has_none() {
        let mut script = Script::new(make);
        let node = |script: &mut Script, node: u8| {
            script.file(
                &format!("{FOLDER}/node{node}/meminfo"),
                &format!("Node {node} MemTotal: 8 kB\nNode {node} MemFree: 2 kB\n"),
            );
            script.file(&format!("{FOLDER}/node{node}/numastat"), "numa_hit 9\nnuma_miss 5\n");
        };
        node(&mut script, 0);
        script.round();
        assert!(script.round().readings.is_empty());
        node(&mut script, 1);
        let mut script = {
            let mut other = Script::new(make);
            node(&mut other, 0);
            node(&mut other, 1);
            other
        };
        let round = script.round_until(|r| !r.readings.is_empty());
        assert_eq!(value(&round, r#"numa_memory_total_bytes{node="1"}"#), Some(8192.0));
        assert_eq!(value(&round, r#"numa_memory_free_bytes{node="0"}"#), Some(2048.0));
        // The first asking was before the first round and has no date.
        let path = format!("{FOLDER}/node1/numastat");
        script.asked_again(10, &path);
        script.file(&path, "numa_hit 9\nnuma_miss 105\n");
        let round = script.asked_again(10, &path);
        let key = r#"numa_miss_per_second{node="1"}"#;
        assert_eq!(value(&round, key).map(f64::round), Some(10.0));
    }
}
