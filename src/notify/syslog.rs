//! The channel `syslog`: a line for the system's log or a central one, as RFC 5424 has it.
//!
//! Invariant: a message is one record; line ends in it are blanks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt;

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Reason, Receipt, Secrets};
use crate::model::Severity;
use crate::net::{connect_tcp, plain_error, send_local};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "syslog",
    about: "Syslog (RFC 5424): the local `/dev/log`, or a central log at `udp://host:514` or `tcp://host:601`",
    example: "address = \"/dev/log\"\nfacility = \"daemon\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest record: what every receiver must take (RFC 5424 §6.1 says 2,048 should).
const RECORD: usize = 2_000;

/// Facilities a program may use (RFC 5424 table 1).
const FACILITIES: &[(&str, u8)] = &[
    ("user", 1),
    ("daemon", 3),
    ("auth", 4),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SyslogConfig {
    #[serde(default = "default_address")]
    address: String,
    #[serde(default = "default_facility")]
    facility: String,
}

fn default_address() -> String {
    "/dev/log".to_owned()
}

fn default_facility() -> String {
    "daemon".to_owned()
}

enum To {
    Socket(PathBuf),
    Udp(String, u16),
    Tcp(String, u16),
}

struct Syslog {
    to: To,
    facility: u8,
}

fn open(map: &Map<String, Value>, _: Secrets, _: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: SyslogConfig = settings(map)?;
    let facility = FACILITIES.iter().find(|(name, _)| *name == config.facility).map(|(_, number)| *number);
    let names: Vec<&str> = FACILITIES.iter().map(|(name, _)| *name).collect();
    let facility = facility.ok_or_else(|| format!("facility: \"{}\" is none of {}", config.facility, names.join(", ")))?;
    let host = |rest: &str, default: u16| {
        let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let port = if port.is_empty() { Some(default) } else { port.parse().ok() };
        port.filter(|_| !host.is_empty()).map(|port| (host.trim_matches(['[', ']']).to_owned(), port))
    };
    let wrong = || format!("address: \"{}\" is no path, udp://host:port or tcp://host:port", config.address);
    let to = match (config.address.strip_prefix("udp://"), config.address.strip_prefix("tcp://")) {
        (Some(rest), _) => host(rest, 514).map(|(host, port)| To::Udp(host, port)).ok_or_else(wrong)?,
        (_, Some(rest)) => host(rest, 601).map(|(host, port)| To::Tcp(host, port)).ok_or_else(wrong)?,
        _ if config.address.starts_with('/') => To::Socket(config.address.into()),
        _ => return Err(wrong()),
    };
    Ok(Arc::new(Syslog { to, facility }))
}

impl Channel for Syslog {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let record = self.record(&delivery.message);
            self.write(&record).await.map_err(|e| DeliveryError::transient(format!("syslog: {e}")))?;
            Ok(Receipt::new("written"))
        })
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// Severity of syslog: 2 critical, 4 warning, 5 notice, 6 informational.
pub(super) fn priority(message: &Message) -> u8 {
    match (message.reason, message.severity) {
        (Reason::Resolved | Reason::Test | Reason::Heartbeat, _) | (_, Severity::Info) => 6,
        (_, Severity::Critical) => 2,
        (_, Severity::Warning) => 4,
    }
}

impl Syslog {
    fn record(&self, message: &Message) -> String {
        let word = |text: &str| {
            let clean: String = text.chars().filter(char::is_ascii_graphic).take(48).collect();
            if clean.is_empty() { "-".to_owned() } else { clean }
        };
        let (host, id) = (word(&message.host), word(message.reason.word()));
        let pri = u16::from(self.facility) * 8 + u16::from(priority(message));
        let quoted: String = message.alert.chars().filter(char::is_ascii_alphanumeric).collect();
        let data = if quoted.is_empty() { "-".to_owned() } else { format!("[farol@32473 alert=\"{quoted}\"]") };
        let said = text::line(&format!("{} {}", message.subject, message.body()));
        let head = format!("<{pri}>1 {} {host} farol {} {id} {data} ", message.at.rfc3339(), std::process::id());
        let room = RECORD.saturating_sub(head.len());
        format!("{head}{}", text::cut(&said, room, Count::Bytes))
    }

    async fn write(&self, record: &str) -> Result<(), String> {
        let plain = |e: std::io::Error| plain_error(&e);
        match &self.to {
            To::Socket(path) => {
                let sent = send_local(path, record.as_bytes()).await;
                sent.map_err(|e| format!("{}: {}", path.display(), plain_error(&e)))?;
            }
            To::Udp(host, port) => {
                let addresses = tokio::net::lookup_host((host.as_str(), *port)).await.map_err(plain)?;
                let address = addresses.into_iter().next().ok_or("the host has no address")?;
                let own = if address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
                let socket = tokio::net::UdpSocket::bind(own).await.map_err(plain)?;
                socket.send_to(record.as_bytes(), address).await.map_err(plain)?;
            }
            To::Tcp(host, port) => {
                let (mut stream, _) = connect_tcp(host, *port, Duration::from_secs(8)).await.map_err(|e| e.to_string())?;
                // Counted octets (RFC 6587 §3.4.1).
                let framed = format!("{} {record}", record.len());
                stream.write_all(framed.as_bytes()).await.map_err(plain)?;
                stream.shutdown().await.map_err(plain)?;
            }
        }
        Ok(())
    }
}
