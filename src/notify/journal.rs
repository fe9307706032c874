//! The channel `journal`: a record in systemd's journal by its native protocol.
//!
//! Invariant: a value with line ends is written with its length, so that it cannot begin a field of its own.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, DeliveryFault, Message, Receipt, Secrets, syslog};
use crate::net::{plain_error, send_local};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "journal",
    about: "systemd's journal: nothing to set; `journalctl -t farol` shows it, with FAROL_ALERT, FAROL_RULE and FAROL_REASON",
    example: "socket = \"/run/systemd/journal/socket\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest text, below what fits into one datagram everywhere.
const TEXT: usize = 32_000;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalConfig {
    #[serde(default = "default_socket")]
    socket: PathBuf,
}

fn default_socket() -> PathBuf {
    "/run/systemd/journal/socket".into()
}

struct Journal(PathBuf);

fn open(map: &Map<String, Value>, _: Secrets, _: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    Ok(Arc::new(Journal(settings::<JournalConfig>(map)?.socket)))
}

impl Channel for Journal {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            send_local(&self.0, &record(&delivery.message)).await.map_err(|e| {
                let missing = matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unsupported);
                let fault = if missing { DeliveryFault::Unavailable } else { DeliveryFault::Transient };
                DeliveryError::new(fault, format!("journal: {}: {}", self.0.display(), plain_error(&e)))
            })?;
            Ok(Receipt::new("written"))
        })
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// `NAME=value` lines; a value of several lines as name, its length in 8 bytes little endian, value.
fn record(message: &Message) -> Vec<u8> {
    let said = format!("{}\n{}", message.subject, message.body());
    let said = text::cut(&said, TEXT, Count::Bytes);
    let priority = syslog::priority(message).to_string();
    let rule = message.json["alert"]["rule"].as_str().map(text::line).unwrap_or_default();
    let fields = [
        ("MESSAGE", said.as_ref()),
        ("PRIORITY", &priority),
        ("SYSLOG_IDENTIFIER", "farol"),
        ("FAROL_REASON", message.reason.word()),
        ("FAROL_ALERT", &message.alert),
        ("FAROL_RULE", &rule),
    ];
    let mut out = Vec::new();
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        out.extend(name.as_bytes());
        out.push(b'\n');
        out.extend(u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
        out.extend(value.as_bytes());
        out.push(b'\n');
    }
    out
}
