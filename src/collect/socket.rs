//! Sockets: TCP connections by state, retransmissions, sockets in all, tracked connections.
//!
//! Interfaces are in `network`. TCP states are asked for every [`STATES_PERIOD`] on the slow thread and
//! stand until the next answer: the kernel walks its whole table of connections for each answer (0.4 ms
//! with one socket, 3.5 ms with 4,000). Invariant: a state without sockets is 0, not absent.

use std::sync::Arc;
use std::time::Duration;

use super::counter::Counter;
use super::parse::{lines, number, single, words};
use super::slow::Standing;
use super::table::Start;
use crate::base::Unit;
use crate::model::{Host, MetricDef, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("tcp_connections", Unit::Count, "TCP sockets in a state.").by(&["state"]),
    MetricDef::counter("tcp_retransmits_per_second", Unit::PerSecond, "TCP segments sent again.")
        .good(crate::model::GoodDirection::Down),
    MetricDef::gauge("sockets_used", Unit::Count, "Sockets of all kinds."),
    MetricDef::gauge("conntrack_used_ratio", Unit::Ratio, "Share of the firewall's table of connections that is taken."),
];

/// In the kernel's order (net/tcp_states.h), from index 1.
const STATES: [&str; 11] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
];

/// 0.4 ms a second would be a quarter of the whole round; a flood of connections still shows within this.
const STATES_PERIOD: Duration = Duration::from_secs(5);

/// Reads `/proc/net/snmp`, `/proc/net/sockstat`, conntrack's numbers, and the table of TCP sockets.
pub(super) struct Socket {
    text: Vec<u8>,
    tick: u64,
    host: Arc<dyn Host>,
    counts: Standing<std::io::Result<[u32; 13]>>,
    states: [SeriesKey; 11],
    retransmits: Counter,
    used: SeriesKey,
    conntrack: SeriesKey,
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let mut source = Socket {
        text: Vec::new(),
        tick: 0,
        host: Arc::clone(&start.host),
        counts: Standing::new(&start.lane, STATES_PERIOD),
        states: STATES.map(|state| SeriesKey::new("tcp_connections", [("state", state)])),
        retransmits: Counter::new(SeriesKey::total("tcp_retransmits_per_second")),
        used: SeriesKey::total("sockets_used"),
        conntrack: SeriesKey::total("conntrack_used_ratio"),
    };
    source.ask();
    Box::new(source)
}

impl Source for Socket {
    fn name(&self) -> &'static str {
        "socket"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        self.tick += 1;
        self.states(round);
        match host.read("/proc/net/snmp", &mut self.text) {
            Ok(()) => match parse_retransmits(&self.text) {
                Some(segments) => _ = self.retransmits.read(round, self.tick, segments, 1.0),
                None => round.fault("socket", "/proc/net/snmp: no Tcp RetransSegs"),
            },
            Err(error) => round.fault("socket", format!("/proc/net/snmp: {error}")),
        }
        match host.read("/proc/net/sockstat", &mut self.text).ok().and_then(|()| parse_used(&self.text)) {
            Some(used) => round.gauge(&self.used, used as f64),
            None => round.fault("socket", "/proc/net/sockstat: not readable"),
        }
        // Absent without a firewall that tracks connections.
        let mut number = |path| host.read(path, &mut self.text).ok().and_then(|()| single(&self.text));
        if let Some(most) = number("/proc/sys/net/netfilter/nf_conntrack_max").filter(|most| *most > 0)
            && let Some(count) = number("/proc/sys/net/netfilter/nf_conntrack_count")
        {
            round.gauge(&self.conntrack, (count as f64 / most as f64).min(1.0));
        }
    }
}

impl Socket {
    fn ask(&mut self) {
        let host = Arc::clone(&self.host);
        self.counts.ask(1, move || host.tcp_states());
    }

    fn states(&mut self, round: &mut Round) {
        self.counts.refresh();
        match self.counts.value() {
            Some(Ok(counts)) => {
                for (key, count) in self.states.iter().zip(counts.iter().skip(1)) {
                    round.gauge(key, f64::from(*count));
                }
            }
            // A host that is only files has no such table.
            Some(Err(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
            Some(Err(error)) => round.fault("socket", format!("TCP states: {error}")),
            None => {}
        }
        self.ask();
    }
}

/// `RetransSegs` of the two lines that begin with `Tcp:`: one of names, one of values.
fn parse_retransmits(text: &[u8]) -> Option<u64> {
    let mut tcp = lines(text).filter(|line| line.starts_with(b"Tcp: "));
    let (names, values) = (words(tcp.next()?), words(tcp.next()?));
    names.zip(values).find(|(name, _)| *name == b"RetransSegs").and_then(|(_, value)| number(value))
}

/// `sockets: used 17`.
fn parse_used(text: &[u8]) -> Option<u64> {
    let line = lines(text).find_map(|line| line.strip_prefix(b"sockets:"))?;
    words(line).nth(1).and_then(number)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, total, value};
    use super::*;
    use proptest::prelude::*;

    const SNMP: &str = "Ip: Forwarding\nIp: 2\nTcp: RtoAlgorithm MaxConn OutSegs RetransSegs\nTcp: 1 -1 2880 4\n";
    const SOCKSTAT: &str = "sockets: used 17\nTCP: inuse 1 orphan 0\n";

    fn script() -> Script {
        let mut script = Script::new(make);
        script.file("/proc/net/snmp", SNMP);
        script.file("/proc/net/sockstat", SOCKSTAT);
        script
    }

    #[test]
    fn retransmissions_sockets_and_conntrack_are_read() {
        let mut script = script();
        script.file("/proc/sys/net/netfilter/nf_conntrack_max", "100\n");
        script.file("/proc/sys/net/netfilter/nf_conntrack_count", "25\n");
        script.round();
        script.file("/proc/net/snmp", &SNMP.replace("2880 4", "2990 7"));
        let round = script.round();
        let totals = ["tcp_retransmits_per_second", "sockets_used", "conntrack_used_ratio"].map(|m| total(&round, m));
        assert_eq!(totals, [Some(3.0), Some(17.0), Some(0.25)]);
        assert!(round.faults.is_empty(), "{:?}", round.faults);
    }

    #[test]
    fn tcp_states_stand_until_the_next_answer() {
        let mut script = script();
        script.edit(|files| files.tcp = Some([0, 5, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0]));
        let known = |round: &Round| value(round, r#"tcp_connections{state="established"}"#).is_some();
        // The first question may have been asked before the states were set.
        script.round_until(|_| true);
        for _ in 0..6 {
            script.round();
        }
        let round = script.round_until(known);
        assert_eq!(value(&round, r#"tcp_connections{state="established"}"#), Some(5.0));
        assert_eq!(value(&round, r#"tcp_connections{state="closing"}"#), Some(0.0));
        assert!(known(&script.round()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(snmp in mutated(SNMP), sockstat in mutated(SOCKSTAT)) {
            let _ = (parse_retransmits(&snmp), parse_used(&sockstat));
        }
    }
}
