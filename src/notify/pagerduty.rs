//! The channel `pagerduty`: the Events API v2, which other incident services speak as well.
//!
//! Invariant: all messages about the same have one `dedup_key`, so that an incident is opened once and closed.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::text::{self, Count};
use super::{
    Audience, Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Reason, Receipt, Secret, Secrets, post,
};
use crate::net::Client;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "pagerduty",
    about: "PagerDuty Events v2: the integration key of a service (`key_file`)",
    audience: Audience::Service,
    secrets: &["key"],
    example: "key_file = \"/etc/farol/pagerduty-key\"\nurl = \"https://events.pagerduty.com/v2/enqueue\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest summary and key; an event has at most 512 KB, its details are kept far below.
const SUMMARY: usize = 1_024;
const KEY: usize = 255;
const DETAILS: usize = 100_000;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PagerdutyConfig {
    #[serde(default = "default_url")]
    url: String,
}

fn default_url() -> String {
    "https://events.pagerduty.com/v2/enqueue".to_owned()
}

struct Pagerduty {
    url: String,
    key: Secret,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: PagerdutyConfig = settings(map)?;
    post::check_url("url", &config.url)?;
    Ok(Arc::new(Pagerduty { url: config.url, key: secrets.need("key")?, client: context.client.clone() }))
}

impl Channel for Pagerduty {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let key = self.key.read().await?;
            let response = post::send(&self.client, post::json(&self.url, &event(&delivery.message, &key)), &[&key]).await?;
            Ok(Receipt::new(post::answer(&response, &[&key])))
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move { self.key.read().await.map(|_| Receipt::default()) })
    }
}

fn event(message: &Message, key: &str) -> Value {
    let severity = message.severity.name();
    let action = if matches!(message.reason, Reason::Resolved) { "resolve" } else { "trigger" };
    let class = message.json["alert"]["rule"].as_str().unwrap_or(message.reason.word());
    json!({
        "routing_key": key,
        "event_action": action,
        "dedup_key": dedup_key(message),
        "client": "farol",
        "payload": {
            "summary": text::cut(&message.subject, SUMMARY, Count::Chars),
            "source": message.host,
            "severity": severity,
            "timestamp": message.at.rfc3339(),
            "class": text::line(class),
            "custom_details": details(message),
        },
    })
}

/// Machine and thread; a long one is hashed, so that two long ones never become one.
fn dedup_key(message: &Message) -> String {
    let key = format!("farol {} {}", message.host, message.thread);
    if key.len() <= KEY {
        return key;
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    let hex: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("farol {hex}")
}

/// The facts and the text; the whole alert is too much for a list of two columns.
fn details(message: &Message) -> Value {
    let mut map: Map<String, Value> = message.facts.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    map.insert("text".to_owned(), json!(text::cut(&message.body(), DETAILS, Count::Bytes)));
    Value::Object(map)
}
