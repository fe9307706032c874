//! Sockets: TCP connections by state, what TCP and UDP lose, sockets in all, tracked connections.
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
use crate::model::{GoodDirection, Host, MetricDef, Round, SeriesKey, Source};

const fn plain(name: &'static str, help: &'static str) -> MetricDef {
    MetricDef::counter(name, Unit::PerSecond, help)
}

const fn worse(name: &'static str, help: &'static str) -> MetricDef {
    plain(name, help).good(GoodDirection::Down)
}

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("tcp_connections", Unit::Count, "TCP sockets in a state.").by(&["state"]),
    worse("tcp_retransmits_per_second", "TCP segments sent again."),
    plain("tcp_segments_per_second", "TCP segments sent."),
    plain("tcp_opens_per_second", "TCP connections this machine opened."),
    plain("tcp_accepts_per_second", "TCP connections opened to this machine."),
    worse("tcp_failed_opens_per_second", "Attempts to connect that failed, either way."),
    worse("tcp_resets_per_second", "Established TCP connections that were cut off."),
    worse("tcp_listen_overflows_per_second", "Connections refused because a program did not accept them fast enough."),
    worse("tcp_listen_drops_per_second", "Requests to connect thrown away, overflows among them."),
    plain("udp_received_per_second", "UDP datagrams received."),
    plain("udp_sent_per_second", "UDP datagrams sent."),
    worse("udp_errors_per_second", "UDP datagrams that came and could not be delivered."),
    worse("udp_full_buffers_per_second", "UDP datagrams thrown away because a program did not read them fast enough."),
    worse("udp_no_port_per_second", "UDP datagrams to ports nobody listens on."),
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

/// A counter of a file of pairs of lines, one of names and one of values: the beginning of both lines, the name, the metric.
type Row = (&'static [u8], &'static [u8], &'static str);

/// Of `/proc/net/snmp`.
const SNMP: [Row; 10] = [
    (b"Tcp:", b"ActiveOpens", "tcp_opens_per_second"),
    (b"Tcp:", b"PassiveOpens", "tcp_accepts_per_second"),
    (b"Tcp:", b"AttemptFails", "tcp_failed_opens_per_second"),
    (b"Tcp:", b"EstabResets", "tcp_resets_per_second"),
    (b"Tcp:", b"OutSegs", "tcp_segments_per_second"),
    (b"Tcp:", b"RetransSegs", "tcp_retransmits_per_second"),
    (b"Udp:", b"InDatagrams", "udp_received_per_second"),
    (b"Udp:", b"NoPorts", "udp_no_port_per_second"),
    (b"Udp:", b"InErrors", "udp_errors_per_second"),
    (b"Udp:", b"OutDatagrams", "udp_sent_per_second"),
];

/// Also of `/proc/net/snmp`; of old kernels absent.
const SNMP_LATE: [Row; 1] = [(b"Udp:", b"RcvbufErrors", "udp_full_buffers_per_second")];

/// Of `/proc/net/netstat`.
const NETSTAT: [Row; 2] = [
    (b"TcpExt:", b"ListenOverflows", "tcp_listen_overflows_per_second"),
    (b"TcpExt:", b"ListenDrops", "tcp_listen_drops_per_second"),
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
    snmp: Table,
    netstat: Table,
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
        snmp: Table::new(SNMP.iter().chain(&SNMP_LATE)),
        netstat: Table::new(NETSTAT.iter()),
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
            Ok(()) if self.snmp.read(&self.text, self.tick, round) => {}
            Ok(()) => round.fault("socket", "/proc/net/snmp: no Tcp RetransSegs"),
            Err(error) => round.fault("socket", format!("/proc/net/snmp: {error}")),
        }
        // Some sandboxes have no such file.
        if host.read("/proc/net/netstat", &mut self.text).is_ok() {
            self.netstat.read(&self.text, self.tick, round);
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

/// Counters of a file of pairs of lines.
struct Table {
    rows: Vec<(&'static Row, Counter)>,
    /// Line and word of each row last time: they never move while a kernel runs.
    places: Vec<Option<(usize, usize)>>,
}

impl Table {
    fn new<'a>(rows: impl Iterator<Item = &'a Row>) -> Self
    where
        'a: 'static,
    {
        let rows: Vec<_> = rows.map(|row| (row, Counter::new(SeriesKey::total(row.2)))).collect();
        Self { places: vec![None; rows.len()], rows }
    }

    /// Reads all rows; false where the file has none of them.
    fn read(&mut self, text: &[u8], tick: u64, round: &mut Round) -> bool {
        let all: Vec<&[u8]> = lines(text).collect();
        let mut any = false;
        for ((row, counter), place) in self.rows.iter_mut().zip(&mut self.places) {
            if place.is_none_or(|place| !stands(&all, place, row)) {
                *place = locate(&all, row);
            }
            let value = place.and_then(|(line, word)| words(all.get(line + 1)?).nth(word)).and_then(number);
            if let Some(value) = value {
                any = true;
                counter.read(round, tick, value, 1.0);
            }
        }
        any
    }
}

/// Whether the name of a row stands at a place.
fn stands(all: &[&[u8]], (line, word): (usize, usize), (head, name, _): &Row) -> bool {
    all.get(line).is_some_and(|line| line.starts_with(head) && words(line).nth(word) == Some(name))
}

/// Line and word of a row's name: the first line of the pair that begins with its head.
fn locate(all: &[&[u8]], (head, name, _): &Row) -> Option<(usize, usize)> {
    let line = all.iter().position(|line| line.starts_with(head))?;
    let word = words(all.get(line)?).position(|word| word == *name)?;
    Some((line, word))
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

    const SNMP: &str = "Ip: Forwarding\nIp: 2\nTcp: RtoAlgorithm MaxConn ActiveOpens OutSegs RetransSegs\nTcp: 1 -1 7 2880 4\n\
                        Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 10 0 1 20 1\nUdpLite: InErrors\nUdpLite: 9\n";
    const NETSTAT: &str = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 5 6\nIpExt: X\nIpExt: 1\n";
    const SOCKSTAT: &str = "sockets: used 17\nTCP: inuse 1 orphan 0\n";

    fn script() -> Script {
        let mut script = Script::new(make);
        script.file("/proc/net/snmp", SNMP);
        script.file("/proc/net/netstat", NETSTAT);
        script.file("/proc/net/sockstat", SOCKSTAT);
        script
    }

    #[test]
    fn retransmissions_sockets_and_conntrack_are_read() {
        let mut script = script();
        script.file("/proc/sys/net/netfilter/nf_conntrack_max", "100\n");
        script.file("/proc/sys/net/netfilter/nf_conntrack_count", "25\n");
        script.round();
        script.file("/proc/net/snmp", &SNMP.replace("7 2880 4", "9 2990 7").replace("10 0 1 20 1", "14 2 2 25 2"));
        script.file("/proc/net/netstat", &NETSTAT.replace("0 5 6", "0 8 10"));
        let round = script.round();
        for (metric, rate) in [
            ("tcp_opens", 2.0),
            ("tcp_segments", 110.0),
            ("tcp_listen_overflows", 3.0),
            ("tcp_listen_drops", 4.0),
            ("udp_received", 4.0),
            ("udp_no_port", 2.0),
            ("udp_errors", 1.0),
            ("udp_sent", 5.0),
            ("udp_full_buffers", 1.0),
        ] {
            assert_eq!(total(&round, &format!("{metric}_per_second")), Some(rate), "{metric}");
        }
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
            let _ = parse_used(&sockstat);
            let mut script = script();
            for text in [SNMP.as_bytes(), &snmp, SNMP.as_bytes()] {
                script.bytes("/proc/net/snmp", text);
                script.bytes("/proc/net/netstat", text);
                prop_assert!(script.round().readings.iter().all(|r| r.value.is_finite() && r.value >= 0.0));
            }
        }
    }
}
