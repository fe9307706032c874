//! The channel `discord`: a webhook of a Discord channel.
//!
//! Invariant: no mention is ever resolved, and all text is escaped Markdown.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Reason, Receipt, Secret, Secrets, post};
use crate::model::Severity;
use crate::net::{Client, Request};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "discord",
    about: "Discord: the address of a channel's webhook (`url_file`)",
    secrets: &["url"],
    example: "url_file = \"/etc/farol/discord-url\"",
    open,
    ..ChannelKind::PLAIN
};

/// Limits of an embed: title 256, description 4,096, 25 fields of 256 and 1,024, 6,000 in all; counted after escaping.
const TITLE: usize = 256;
const DESCRIPTION: usize = 3_000;
const NAME: usize = 100;
const VALUE: usize = 250;
const FIELDS: usize = 7;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiscordConfig {}

struct Discord {
    url: Secret,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let DiscordConfig {} = settings(map)?;
    Ok(Arc::new(Discord { url: secrets.need("url")?, client: context.client.clone() }))
}

impl Channel for Discord {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let url = self.url.read().await?;
            let response = post::send(&self.client, post::json(&url, &content(&delivery.message)), &[&url]).await?;
            Ok(Receipt::new(post::answer(&response, &[&url])))
        })
    }

    /// A webhook's address tells its name to whoever asks by GET.
    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let url = self.url.read().await?;
            post::send(&self.client, Request::get(&url), &[&url]).await?;
            Ok(Receipt::new("the webhook is known"))
        })
    }
}

fn content(message: &Message) -> Value {
    // Escaping makes longer: what is escaped is cut, a backslash at the end with its mark.
    let safe = |value: &str, most: usize| {
        let escaped = text::markdown(value);
        let cut = text::cut(&escaped, most, Count::Utf16).into_owned();
        cut.replace("\\…", "…")
    };
    let color = match (message.reason, message.severity) {
        (Reason::Resolved, _) => 0x002e_b67d,
        (_, Severity::Critical) => 0x00e0_1e5a,
        (_, Severity::Warning) => 0x00ec_b22e,
        (_, Severity::Info) => 0x0036_c5f0,
    };
    let fields = message.facts.iter().filter(|(_, value)| !value.is_empty()).take(FIELDS);
    let fields =
        fields.map(|(name, value)| json!({"name": safe(name, NAME), "value": safe(value, VALUE), "inline": value.len() < 24}));
    let mut embed = json!({
        "title": safe(&message.subject, TITLE),
        "description": safe(&message.lead, DESCRIPTION),
        "color": color,
        "timestamp": message.at.rfc3339(),
        "fields": fields.collect::<Vec<_>>(),
    });
    if !message.hint.is_empty() {
        embed["footer"] = json!({"text": text::cut(&message.hint, VALUE, Count::Utf16)});
    }
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}
