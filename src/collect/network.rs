//! Network interfaces: bytes, packets, errors, drops, and the speed of the link.
//!
//! From `/proc/net/dev` and `/sys/class/net`. Sockets are in `socket`. Invariant: the totals count each
//! byte once: only what passes hardware, or, where no hardware is to be seen, what is no bridge or loop.

use std::sync::Arc;
use std::time::Duration;

use super::counter::{Counter, Devices, note_refused};
use super::parse::{label, lines, number, single, split_once, words};
use super::slow::{Lane, Reach, Slot};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Round, SeriesKey, Source};

const fn rate(name: &'static str, unit: Unit, help: &'static str) -> MetricDef {
    MetricDef::counter(name, unit, help).by(&["interface"])
}

pub(super) const METRICS: &[MetricDef] = &[
    rate("network_receive_bytes_per_second", Unit::BytesPerSecond, "Bytes received; without label by all physical interfaces."),
    rate("network_receive_packets_per_second", Unit::PerSecond, "Packets received."),
    rate("network_receive_errors_per_second", Unit::PerSecond, "Packets received damaged.").good(GoodDirection::Down),
    rate("network_receive_drops_per_second", Unit::PerSecond, "Packets received and thrown away.").good(GoodDirection::Down),
    rate("network_transmit_bytes_per_second", Unit::BytesPerSecond, "Bytes sent; without label by all physical interfaces."),
    rate("network_transmit_packets_per_second", Unit::PerSecond, "Packets sent."),
    rate("network_transmit_errors_per_second", Unit::PerSecond, "Packets that could not be sent.").good(GoodDirection::Down),
    rate("network_transmit_drops_per_second", Unit::PerSecond, "Packets thrown away before they were sent.")
        .good(GoodDirection::Down),
    MetricDef::gauge("network_link_bits_per_second", Unit::BitsPerSecond, "Speed of the link, where the driver knows it.")
        .by(&["interface"])
        .good(GoodDirection::Up),
];

/// Fields of a line of `/proc/net/dev`, in the order of the first eight of [`METRICS`].
const FIELDS: [usize; 8] = [0, 1, 2, 3, 8, 9, 10, 11];
const RECEIVED_BYTES: usize = 0;
const SENT_BYTES: usize = 4;

/// Link speeds change with a cable; asking a driver can take milliseconds.
const SPEED_PERIOD: Duration = Duration::from_secs(60);

/// What loops back or hands on what another interface counts, by the beginning of its name.
const INNER: [&str; 9] = ["lo", "veth", "docker", "br-", "virbr", "ifb", "dummy", "cni", "flannel"];

/// Reads `/proc/net/dev`.
pub(super) struct Network {
    text: Vec<u8>,
    tick: u64,
    most: usize,
    ignored: Vec<String>,
    host: Arc<dyn Host>,
    lane: Lane,
    interfaces: Devices<Option<Interface>>,
    speeds: Slot<Vec<(Box<str>, f64)>>,
    link: Vec<(Box<str>, SeriesKey, f64)>,
    totals: [SeriesKey; 2],
}

struct Interface {
    name: Box<str>,
    kind: Kind,
    /// Has carried a packet: tunnels a kernel module made and nobody uses have no series.
    used: bool,
    counters: [Counter; 8],
}

/// What an interface's bytes mean for the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Passes hardware.
    Physical,
    /// The only way out of a container, perhaps; counts where nothing physical is to be seen.
    Virtual,
    /// Never counts.
    Inner,
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Box::new(Network {
        text: Vec::new(),
        tick: 0,
        most: start.config.max_instances,
        ignored: start.config.ignore_interfaces.clone(),
        host: Arc::clone(&start.host),
        lane: start.lane.clone(),
        interfaces: Devices::new(start.config.max_instances),
        speeds: Slot::default(),
        link: Vec::new(),
        totals: [METRICS[RECEIVED_BYTES].name, METRICS[SENT_BYTES].name].map(SeriesKey::total),
    })
}

impl Source for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        self.tick += 1;
        let mut text = std::mem::take(&mut self.text);
        match host.read("/proc/net/dev", &mut text) {
            Ok(()) => self.read(&text, host, round),
            Err(error) => round.fault("network", format!("/proc/net/dev: {error}")),
        }
        self.text = text;
    }
}

/// Rate and raw count of received and of sent bytes.
type Totals = [(Option<f64>, f64); 2];

impl Network {
    fn read(&mut self, text: &[u8], host: &dyn Host, round: &mut Round) {
        let (mut physical, mut other): (Option<Totals>, Option<Totals>) = (None, None);
        let (mut place, mut shown) = (0, Vec::new());
        // Two lines of headings.
        for line in lines(text).skip(2) {
            let Some((name, values)) = parse(line) else {
                round.fault("network", "/proc/net/dev: a line is not understood");
                continue;
            };
            let ignored = &self.ignored;
            let Some(interface) = self.interfaces.get(self.tick, place, name, || Interface::new(host, name, ignored)) else {
                continue;
            };
            place += 1;
            let Some(interface) = interface else { continue };
            let rates = interface.read(self.tick, &values, round);
            if interface.used && interface.kind == Kind::Physical {
                shown.push(interface.name.clone());
            }
            let totals = match interface.kind {
                Kind::Physical => physical.get_or_insert_default(),
                Kind::Virtual => other.get_or_insert_default(),
                Kind::Inner => continue,
            };
            for (total, field) in totals.iter_mut().zip([RECEIVED_BYTES, SENT_BYTES]) {
                total.0 = rates[field].map(|rate| rate + total.0.unwrap_or(0.0)).or(total.0);
                total.1 += values[field] as f64;
            }
        }
        for (key, (rate, sum)) in self.totals.iter().zip(physical.or(other).into_iter().flatten()) {
            if let Some(rate) = rate {
                round.counter(key, rate, sum);
            }
        }
        self.speeds(shown, round);
        let refused = self.interfaces.sweep(self.tick);
        note_refused(round, "network", "interfaces", refused, self.most);
    }

    /// Gives the known speeds of the interfaces shown, and asks again when it is time.
    fn speeds(&mut self, shown: Vec<Box<str>>, round: &mut Round) {
        if let Some(speeds) = self.speeds.take() {
            let key = |name: &str| SeriesKey::new("network_link_bits_per_second", [("interface", name)]);
            self.link = speeds.into_iter().map(|(name, speed)| (name.clone(), key(&name), speed)).collect();
        }
        for (name, key, speed) in &self.link {
            if shown.contains(name) {
                round.gauge(key, *speed);
            }
        }
        let now = self.lane.now();
        if !shown.is_empty() && self.speeds.due(now, SPEED_PERIOD) {
            let host = Arc::clone(&self.host);
            self.lane.ask(Reach::Near, &mut self.speeds, move || {
                let speed = |name: Box<str>| link_speed(host.as_ref(), &name).map(|speed| (name, speed));
                shown.into_iter().filter_map(speed).collect()
            });
        }
    }
}

impl Interface {
    /// `None` for an interface the configuration leaves out.
    fn new(host: &dyn Host, name: &[u8], ignored: &[String]) -> Option<Self> {
        let label = label(name);
        if super::config::any_matches(ignored, &label) {
            return None;
        }
        let counters = [0, 1, 2, 3, 4, 5, 6, 7];
        Some(Self {
            kind: kind(host, &label),
            used: false,
            counters: counters.map(|at| Counter::new(SeriesKey::new(METRICS[at].name, [("interface", label.as_str())]))),
            name: label.into(),
        })
    }

    fn read(&mut self, tick: u64, values: &[u64; 8], round: &mut Round) -> [Option<f64>; 8] {
        self.used |= values.iter().any(|v| *v > 0);
        let mut rates = [None; 8];
        if self.used {
            for ((rate, counter), value) in rates.iter_mut().zip(&mut self.counters).zip(values) {
                *rate = counter.read(round, tick, *value, 1.0);
            }
        }
        rates
    }
}

/// The link of a hardware interface leads to its device, that of a virtual one into `devices/virtual`.
fn kind(host: &dyn Host, name: &str) -> Kind {
    if INNER.iter().any(|inner| name.starts_with(inner)) {
        return Kind::Inner;
    }
    match host.read_link(&format!("/sys/class/net/{name}")) {
        Ok(target) if !target.contains("/virtual/") => Kind::Physical,
        _ => Kind::Virtual,
    }
}

/// Bits per second; the file says megabits, or -1 or nothing where the driver does not know.
fn link_speed(host: &dyn Host, name: &str) -> Option<f64> {
    let mut text = Vec::new();
    host.read(&format!("/sys/class/net/{name}/speed"), &mut text).ok()?;
    // Drivers that do not know may also say 2^32 - 1.
    single(&text).filter(|mbit| (1..u64::from(u32::MAX)).contains(mbit)).map(|mbit| mbit as f64 * 1e6)
}

/// Speed of the fastest hardware interface, in bits per second; `None` where no driver knows.
pub fn fastest_link(host: &dyn Host) -> Option<f64> {
    let mut names = Vec::new();
    host.list("/sys/class/net", &mut names).ok()?;
    let speeds = names.iter().filter(|n| kind(host, n) == Kind::Physical).filter_map(|n| link_speed(host, n));
    speeds.max_by(f64::total_cmp)
}

fn parse(line: &[u8]) -> Option<(&[u8], [u64; 8])> {
    let (name, rest) = split_once(line, b':')?;
    let mut raw = [0; 12];
    let mut fields = words(rest);
    for value in &mut raw {
        *value = number(fields.next()?)?;
    }
    let name = name.trim_ascii();
    (!name.is_empty()).then(|| (name, FIELDS.map(|at| raw[at])))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, total, value};
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";
    const FIRST: &str = "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n  ifb0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n  eth0: 1000 10 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n docker0:7 7 0 0 0 0 0 0 7 7 0 0 0 0 0 0\n";
    const SECOND: &str = "    lo: 200 2 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n  ifb0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n  eth0: 3000 30 1 2 0 0 0 0 600 6 3 4 0 0 0 0\n docker0:9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n";

    fn script() -> Script {
        let mut script = Script::new(make);
        script.edit(|files| {
            files.links.insert("/sys/class/net/eth0".to_owned(), "../../devices/pci0000:00/net/eth0".to_owned());
        });
        script.file("/sys/class/net/eth0/speed", "1000\n");
        script.file("/proc/net/dev", &format!("{HEAD}{FIRST}"));
        script
    }

    #[test]
    fn interfaces_have_rates_and_the_total_is_what_passed_hardware() {
        let mut script = script();
        script.round();
        script.file("/proc/net/dev", &format!("{HEAD}{SECOND}"));
        let round = script.round();
        let eth0 = |metric: &str| value(&round, &format!("network_{metric}_per_second{{interface=\"eth0\"}}"));
        assert_eq!(
            ["receive_bytes", "receive_packets", "receive_errors", "receive_drops"].map(eth0),
            [Some(2000.0), Some(20.0), Some(1.0), Some(2.0)]
        );
        assert_eq!(
            ["transmit_bytes", "transmit_packets", "transmit_errors", "transmit_drops"].map(eth0),
            [Some(100.0), Some(1.0), Some(3.0), Some(4.0)]
        );
        assert_eq!(value(&round, r#"network_receive_bytes_per_second{interface="lo"}"#), Some(100.0));
        assert_eq!(total(&round, "network_receive_bytes_per_second"), Some(2000.0));
        assert_eq!(total(&round, "network_transmit_bytes_per_second"), Some(100.0));
        assert!(round.readings.iter().all(|r| r.key.label("interface") != Some("ifb0")), "never used");
    }

    #[test]
    fn the_speed_of_a_link_comes_from_the_slow_thread() {
        let mut script = script();
        let round = script.round_until(|r| value(r, r#"network_link_bits_per_second{interface="eth0"}"#).is_some());
        assert_eq!(value(&round, r#"network_link_bits_per_second{interface="eth0"}"#), Some(1e9));
    }

    #[test]
    fn a_container_without_hardware_has_a_total_too() {
        let mut script = script();
        script.edit(|files| files.links.clear());
        script.round();
        script.file("/proc/net/dev", &format!("{HEAD}{SECOND}"));
        assert_eq!(total(&script.round(), "network_receive_bytes_per_second"), Some(2000.0));
    }

    #[test]
    fn a_flood_of_interfaces_is_capped_and_told() {
        let mut script = script();
        let many =
            |n: u64| (0..300).fold(HEAD.to_owned(), |text, i| format!("{text}tap{i}: {n} 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"));
        script.file("/proc/net/dev", &many(1));
        script.round();
        script.file("/proc/net/dev", &many(2));
        let round = script.round();
        assert_eq!(round.readings.len(), 256 * 8 + 2);
        assert!(round.faults[0].message.starts_with("44 interfaces left out"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(SECOND)) {
            let mut script = script();
            for text in [FIRST.as_bytes(), &text, SECOND.as_bytes()] {
                script.bytes("/proc/net/dev", &[HEAD.as_bytes(), text].concat());
                prop_assert!(script.round().readings.iter().all(|r| r.value.is_finite() && r.value >= 0.0));
            }
        }
    }
}
