//! The channel `sms`: short messages by a Twilio-compatible provider.
//!
//! Invariant: a message takes at most three segments.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::text::{self, Count};
use super::twilio::Twilio;
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Receipt, Secrets};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "sms",
    about: "SMS by Twilio or a provider that speaks its form API (`api`): `account`, `from`, `to`, the account's token (`token_file`)",
    joins_at: 3,
    secrets: &["token"],
    example: "account = \"AC00000000000000000000000000000000\"\nfrom = \"+15005550006\"\nto = [\"+351912345678\"]\n\
              token_file = \"/etc/farol/twilio-token\"\napi = \"https://api.twilio.com\"",
    open,
    ..ChannelKind::PLAIN
};

/// Three segments: 153 characters each of the GSM alphabet, 67 of any other.
const GSM: usize = 3 * 153;
const OTHER: usize = 3 * 67;

struct Sms(Arc<Twilio>);

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    Ok(Arc::new(Sms(Twilio::open(map, secrets, context)?)))
}

impl Channel for Sms {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move { self.0.send(delivery, "Messages", &[("Body", &body(&delivery.message))]).await })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(self.0.verify())
    }
}

/// Subject, why, and how to take care of it; signs the GSM alphabet lacks are replaced where it has something near.
fn body(message: &Message) -> String {
    let why = message.facts.iter().find(|(name, _)| name == "why").map_or(message.lead.as_str(), |(_, value)| value);
    let id = if message.hint.is_empty() { String::new() } else { format!("\nfarol ack {}", message.alert) };
    let whole = simple(&format!("{}\n{why}{id}", message.subject));
    let most = if whole.chars().all(is_gsm) { GSM } else { OTHER };
    // The ellipsis of a cut is no GSM sign: it becomes three dots, for which there must be room.
    text::cut(&whole, most - 2, Count::Utf16).replace('…', "...")
}

fn simple(text: &str) -> String {
    text.replace('…', "...")
        .replace(['–', '—'], "-")
        .replace('·', "-")
        .replace('°', " ")
        .replace('×', "x")
        .replace('≥', ">=")
        .replace('≤', "<=")
}

/// Signs that count once in GSM 03.38; those of its extension (`[`, `]`, `{`, …) are left out, they count twice.
fn is_gsm(c: char) -> bool {
    matches!(c, ' '..='Z' | 'a'..='z' | '\n' | '[' | ']' | '_' | 'é' | 'è' | 'à' | 'ù' | 'ì' | 'ò' | 'ä' | 'ö' | 'ü' | 'ß' | 'Ä' | 'Ö' | 'Ü' | 'ñ' | 'Ñ' | '£' | '¥' | '§')
}
