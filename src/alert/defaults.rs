//! The rules every machine has without configuration.
//!
//! Limits are those of the mission (A1); `for` and `clear` are set so that a normal machine is quiet and an alert is told
//! within a minute where A1 names no longer time. Invariant: names are unique and stable, because users refer to them.

use std::time::Duration;

use super::symptoms::{self, grows};
use crate::base::Unit;
use crate::model::{AlertKind, GoodDirection, HostFacts, Limit, MetricDef, RuleSpec, Severity};

/// Metrics no source reads: the engine hands their values to the rules that name them, without a query.
///
/// `prediction_probability{prediction,kind,series}`: one instance for each open prediction that is shown, its probability, for as long
/// as it is open; `prediction` is its title, `kind` its kind, `series` its key as text. A rule over one of these has exactly the
/// metric's name as `expr`. Their values are complete: an absent instance is over, not unknown.
///
/// `security_event{event,subject}`: 1 for ten minutes after an event of high severity.
///
/// What grows, fills or surges is there as long as it does.
pub const FED: &[MetricDef] = &[
    MetricDef::gauge("prediction_probability", Unit::Ratio, "How likely an open prediction is.").by(&[
        "prediction",
        "kind",
        "series",
    ]),
    MetricDef::gauge("security_event", Unit::Count, "1 for ten minutes after an event of high severity.")
        .by(&["event", "subject"]),
    grows("process_memory_growth_bytes_per_second", Unit::BytesPerSecond, "Memory a process takes each second, steadily."),
    grows("process_descriptors_growth_per_second", Unit::PerSecond, "Files a process opens and does not close, steadily."),
    grows("process_threads_growth_per_second", Unit::PerSecond, "Threads a process starts that do not end, steadily."),
    grows("process_children_growth_per_second", Unit::PerSecond, "Processes a process starts that do not end, steadily."),
    MetricDef::gauge("filesystem_filling_seconds", Unit::Seconds, "When a file system that fills steadily is full.")
        .by(&["mount"])
        .good(GoodDirection::Up),
    MetricDef::gauge("surge_ratio", Unit::Count, "A rate over what it nearly ever is, while that is far more.")
        .by(&["what", "metric", "device"]),
];

/// Established connections; none while they are at most three times as many as usual. Where that is not known yet, all of them.
const CROWDED: &str = "tcp_connections{state=\"established\"} unless on() \
                       (tcp_connections{state=\"established\"} <= on() (3 * tcp_connections_usual))";

/// Machines with less memory than this would always have less than 500 MB available; there a quarter of it counts.
const SMALL_MEMORY: u64 = 2_000_000_000;

/// Strength from which the machine as a whole is critically unusual; the scale of `anomaly_machine_score`.
const CRITICAL_ANOMALY: f64 = 0.8;

/// A machine swaps when this much comes back from swap each second: a stray page now and then is normal.
const SWAPPING: f64 = 1e6;

/// The rules of A1 that the present metrics can judge. `link_bits_per_second`: speed of the machine's link where known; without
/// it traffic has no limit.
pub fn default_rules(facts: &HostFacts, link_bits_per_second: Option<f64>) -> Vec<RuleSpec> {
    let mut rules = cpu(facts);
    rules.extend(memory(facts));
    rules.extend(disks());
    rules.extend(link_bits_per_second.filter(|bits| *bits > 0.0).into_iter().flat_map(network));
    rules.extend(services());
    rules.extend(symptoms::failures());
    rules.extend(symptoms::rules());
    rules
}

fn cpu(facts: &HostFacts) -> Vec<RuleSpec> {
    let all = |window| format!("avg_over_time(cpu_usage_ratio{{core=\"\"}}[{window}])");
    let cpu = |name: &str, expr: &str, limit| rule(name, expr, Limit::Above(limit)).of("cpu_usage_ratio");
    let iowait = rule("iowait", "avg_over_time(cpu_mode_ratio{mode=\"iowait\"}[60s])", Limit::Above(0.2)).of("cpu_mode_ratio");
    let mut rules = vec![
        // 5 s on top of the mean over a minute: a recorder that has just started does not judge its first seconds.
        cpu("cpu", &all("60s"), 0.8).title("CPU").hold(5).over(0.75, 60),
        // Means of 10 s, so that one second below the limit does not start the time again; they fill most of the missing 10 s.
        cpu("cpu high", &all("10s"), 0.85).title("CPU").hold(110).over(0.8, 60).severity(Severity::Critical),
        iowait.title("waiting for disks").hold(5).over(0.15, 60),
    ];
    if facts.cores != 1 {
        // One core at work is no trouble by itself: good to know.
        let core =
            cpu("core busy", "avg_over_time(cpu_usage_ratio{core!=\"\"}[10s])", 0.95).title("core {core} {value} > {limit}");
        rules.push(core.hold(50).over(0.9, 30).severity(Severity::Info));
    }
    rules.into_iter().map(|r| r.0).collect()
}

fn memory(facts: &HostFacts) -> Vec<RuleSpec> {
    let total = facts.memory_bytes;
    let least = if total == 0 || total >= SMALL_MEMORY { 500e6 } else { total as f64 / 4.0 };
    let rules = [
        rule("memory", "memory_used_ratio", Limit::Above(0.85))
            .title("memory")
            .hold(30)
            .over(0.8, 60)
            .severity(Severity::Critical),
        rule("memory available", "memory_available_bytes", Limit::Below(least))
            .title("memory available")
            .unit(Unit::Bytes)
            .hold(30)
            .over(least * 1.2, 60)
            .severity(Severity::Critical),
        rule("swap", "swap_used_ratio", Limit::Above(0.3)).title("swap").hold(60).over(0.25, 300),
        rule("swapping", "avg_over_time(swap_in_bytes_per_second[60s])", Limit::Above(SWAPPING))
            .of("swap_in_bytes_per_second")
            .title("reads from swap")
            .unit(Unit::BytesPerSecond)
            .hold(30)
            .over(SWAPPING / 2.0, 60),
    ];
    rules.into_iter().map(|r| r.0).collect()
}

fn disks() -> Vec<RuleSpec> {
    // Images and removable media are full by nature.
    let mounts = "{mount!~\"/(snap|var/lib/snapd|media|cdrom|mnt/cdrom)(/.*)?\"}";
    let full = |name: &str, metric: &str, title: &str| {
        rule(name, &format!("{metric}{mounts}"), Limit::Above(0.9)).of(metric).title(title).hold(30).over(0.88, 60).0
    };
    vec![
        full("disk", "filesystem_used_ratio", "disk {mount} {value} > {limit}"),
        full("inodes", "filesystem_inodes_used_ratio", "inodes of {mount} {value} > {limit}"),
    ]
}

fn network(bits: f64) -> Vec<RuleSpec> {
    // A1: 80 % of the link for one minute; the mean is over that minute.
    let limit = 0.8 * bits / 8.0;
    let way = |name: &str, metric: &str, title: &str| {
        let expr = format!("avg_over_time({metric}{{interface!=\"\",interface!=\"lo\"}}[60s])");
        let rule = rule(name, &expr, Limit::Above(limit)).of(metric).title(title).unit(Unit::BytesPerSecond);
        rule.hold(5).over(limit * 0.9, 60).0
    };
    vec![
        way("network in", "network_receive_bytes_per_second", "{interface} receives {value} > {limit}"),
        way("network out", "network_transmit_bytes_per_second", "{interface} sends {value} > {limit}"),
    ]
}

fn services() -> Vec<RuleSpec> {
    let rules = [
        // The larger of the limit and three times what 99 of 100 samples of the last week were below.
        rule("connections", CROWDED, Limit::Above(2000.0))
            .of("tcp_connections")
            .title("TCP connections {value} > {limit}")
            .unit(Unit::Count)
            .hold(30)
            .over(1800.0, 60),
        // A check comes every 10 s by default: 15 s are two slow answers.
        rule("response time", "service_check_seconds", Limit::Above(2.0))
            .title("{service} answers in {value} > {limit}")
            .unit(Unit::Seconds)
            .hold(15)
            .over(1.8, 60),
        // Three times as slow as the slowest of a hundred; 15 s are two such answers.
        rule("slow answers", "service_slowness", Limit::Above(3.0))
            .title("{service} answers {value} times as slowly as nearly ever")
            .unit(Unit::Count)
            .hold(15)
            .over(2.0, 60),
        // The service's own `fail_after` has waited already.
        rule("service down", "service_up", Limit::Below(1.0))
            .title("{service} is down")
            .unit(Unit::Count)
            .severity(Severity::Critical)
            .kind(AlertKind::Error)
            .fixed(),
        // Checks that fail now and then, never often enough in a row to be an outage: more than 3 of 60.
        rule("error rate", "service_error_ratio", Limit::Above(0.05))
            .title("{service} fails {value} of its checks > {limit}")
            .over(0.03, 60)
            .severity(Severity::Critical)
            .kind(AlertKind::Error),
        // More than a hundred in ten minutes: bots that pass by leave a few a minute, who guesses a name tries one a second.
        rule("failed logins", "avg_over_time(login_failures_per_second[10m]) * 600", Limit::Above(100.0))
            .of("login_failures_per_second")
            .title("{value} logins failed in ten minutes")
            .unit(Unit::Count)
            .hold(60)
            .over(50.0, 60)
            .kind(AlertKind::Security),
        rule("security event", "security_event", Limit::Above(0.0))
            .title("{event}: {subject}")
            .unit(Unit::Count)
            .severity(Severity::Critical)
            .kind(AlertKind::Security)
            .fixed(),
        rule("prediction", "prediction_probability", Limit::Above(0.7))
            .title("expected: {prediction}, {value} likely")
            .over(0.6, 60)
            .kind(AlertKind::Predictive),
        rule("anomaly", "anomaly_machine_score", Limit::Above(CRITICAL_ANOMALY))
            .title("the machine behaves unusually, {value}")
            .hold(10)
            .over(0.5, 60),
    ];
    rules.into_iter().map(|r| r.0).collect()
}

/// A rule being written down; a ratio and a warning about performance unless it says otherwise.
pub(super) struct Draft(pub(super) RuleSpec);

pub(super) fn rule(name: &str, expr: &str, limit: Limit) -> Draft {
    let metric = expr.split('{').next().unwrap_or(expr);
    Draft(RuleSpec { metric: metric.to_owned(), unit: Unit::Ratio, built_in: true, ..RuleSpec::of(name, expr, limit) })
}

impl Draft {
    pub(super) fn of(mut self, metric: &str) -> Self {
        self.0.metric = metric.to_owned();
        self
    }

    pub(super) fn title(mut self, title: &str) -> Self {
        self.0.title = title.to_owned();
        self
    }

    pub(super) fn unit(mut self, unit: Unit) -> Self {
        self.0.unit = unit;
        self
    }

    pub(super) fn hold(mut self, seconds: u64) -> Self {
        self.0.hold = Duration::from_secs(seconds);
        self
    }

    /// Over once the value is back to `clear` for that many seconds.
    pub(super) fn over(mut self, clear: f64, seconds: u64) -> Self {
        self.0.clear = match self.0.limit {
            Limit::Below(_) => Some(Limit::Below(clear)),
            Limit::Above(_) | Limit::Outside(..) => Some(Limit::Above(clear)),
        };
        self.0.clear_hold = Duration::from_secs(seconds);
        self
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// Its limit is a state, not a figure.
    pub(super) fn fixed(mut self) -> Self {
        self.0.learns = false;
        self
    }

    pub(super) fn kind(mut self, kind: AlertKind) -> Self {
        self.0.kind = kind;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn facts(cores: u32, memory_bytes: u64) -> HostFacts {
        HostFacts { cores, memory_bytes, ..HostFacts::default() }
    }

    #[test]
    fn every_figure_of_the_mission_is_there() {
        let rules = default_rules(&facts(8, 32_000_000_000), Some(1e9));
        let found = |name: &str| rules.iter().find(|r| r.name == name).map(|r| (r.limit, r.severity));
        for (name, limit, severity) in [
            ("cpu", Limit::Above(0.8), Severity::Warning),
            ("cpu high", Limit::Above(0.85), Severity::Critical),
            ("core busy", Limit::Above(0.95), Severity::Info),
            ("memory", Limit::Above(0.85), Severity::Critical),
            ("memory available", Limit::Below(5e8), Severity::Critical),
            ("swap", Limit::Above(0.3), Severity::Warning),
            ("swapping", Limit::Above(1e6), Severity::Warning),
            ("disk", Limit::Above(0.9), Severity::Warning),
            ("inodes", Limit::Above(0.9), Severity::Warning),
            ("iowait", Limit::Above(0.2), Severity::Warning),
            ("network in", Limit::Above(1e8), Severity::Warning),
            ("network out", Limit::Above(1e8), Severity::Warning),
            ("connections", Limit::Above(2000.0), Severity::Warning),
            ("response time", Limit::Above(2.0), Severity::Warning),
            ("service down", Limit::Below(1.0), Severity::Critical),
            ("error rate", Limit::Above(0.05), Severity::Critical),
            ("failed logins", Limit::Above(100.0), Severity::Warning),
            ("security event", Limit::Above(0.0), Severity::Critical),
            ("prediction", Limit::Above(0.7), Severity::Warning),
            ("anomaly", Limit::Above(0.8), Severity::Warning),
        ] {
            assert_eq!(found(name), Some((limit, severity)), "{name}");
        }
        let names: BTreeSet<&str> = rules.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names.len(), rules.len(), "names are unique");
    }

    #[test]
    fn a_rule_names_its_metric_and_clears_on_the_good_side() {
        for rule in default_rules(&facts(8, 0), Some(1e9)) {
            assert!(rule.expr.contains(&rule.metric) && !rule.metric.contains('('), "{rule:?}");
            match (rule.limit, rule.clear) {
                (Limit::Above(limit), Some(Limit::Above(clear))) => assert!(clear < limit, "{rule:?}"),
                (Limit::Below(limit), Some(Limit::Below(clear))) => assert!(clear > limit, "{rule:?}"),
                (_, clear) => assert_eq!(clear, None, "{rule:?}"),
            }
        }
    }

    #[test]
    fn rules_follow_the_machine() {
        let small = default_rules(&facts(1, 1_000_000_000), None);
        assert!(small.iter().all(|r| !r.name.starts_with("network") && r.name != "core busy"));
        let available = small.iter().find(|r| r.name == "memory available").map(|r| r.limit);
        assert_eq!(available, Some(Limit::Below(2.5e8)));
    }
}
