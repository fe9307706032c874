//! The channel `gotify`: push messages by a Gotify server.
//!
//! Invariant: the token goes in a header, never in the address.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Reason, Receipt, Secret, Secrets, post};
use crate::model::Severity;
use crate::net::Client;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "gotify",
    about: "Gotify push messages: the server's `url` and an application's token (`token_file`)",
    secrets: &["token"],
    example: "url = \"https://gotify.example.org\"\ntoken_file = \"/etc/farol/gotify-token\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest text: the server has no limit, a telephone has.
const MESSAGE: usize = 8_000;
const TITLE: usize = 250;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct GotifyConfig {
    url: String,
}

struct Gotify {
    url: String,
    token: Secret,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: GotifyConfig = settings(map)?;
    post::check_url("url", &config.url)?;
    let url = format!("{}/message", config.url.trim_end_matches('/'));
    Ok(Arc::new(Gotify { url, token: secrets.need("token")?, client: context.client.clone() }))
}

impl Channel for Gotify {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let message = &delivery.message;
            let priority = match (message.reason, message.severity) {
                (Reason::Resolved | Reason::Heartbeat | Reason::Test, _) | (_, Severity::Info) => 4,
                (_, Severity::Critical) => 9,
                (_, Severity::Warning) => 6,
            };
            let body = json!({
                "title": text::cut(&message.subject, TITLE, Count::Chars),
                "message": text::cut(&message.body(), MESSAGE, Count::Chars),
                "priority": priority,
                "extras": {"client::display": {"contentType": "text/plain"}},
            });
            let token = self.token.read().await?;
            let request = post::json(&self.url, &body).header("x-gotify-key", &token);
            let response = post::send(&self.client, request, &[&token]).await?;
            let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            Ok(Receipt::new(format!("{} message {}", response.status, answer["id"])))
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move { self.token.read().await.map(|_| Receipt::default()) })
    }
}
