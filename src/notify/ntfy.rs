//! The channel `ntfy`: push messages by ntfy.sh or a server of one's own.
//!
//! Invariant: a message stays below the size from which ntfy makes it an attachment.

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
    name: "ntfy",
    about: "ntfy push messages: a `topic`, a `url` of one's own server, a `token_file` where it asks for one",
    secrets: &["token"],
    example: "topic = \"farol-alerts\"\nurl = \"https://ntfy.sh\"\ntoken_file = \"/etc/farol/ntfy-token\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest message (4,096 bytes, then it becomes an attachment) and title.
const MESSAGE: usize = 4_000;
const TITLE: usize = 250;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NtfyConfig {
    topic: String,
    #[serde(default = "default_url")]
    url: String,
}

fn default_url() -> String {
    "https://ntfy.sh".to_owned()
}

struct Ntfy {
    config: NtfyConfig,
    token: Option<Secret>,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: NtfyConfig = settings(map)?;
    post::check_url("url", &config.url)?;
    if config.topic.is_empty() || !config.topic.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(format!("topic: \"{}\" must be letters, digits, - and _", config.topic));
    }
    Ok(Arc::new(Ntfy { config, token: secrets.get("token"), client: context.client.clone() }))
}

impl Channel for Ntfy {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let (request, token) = self.authorized(post::json(&self.config.url, &self.content(&delivery.message))).await?;
            let response = post::send(&self.client, request, &[&token]).await?;
            let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            Ok(Receipt::new(format!("{} {}", response.status, text::line(answer["id"].as_str().unwrap_or("")))))
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let url = format!("{}/{}/auth", self.config.url.trim_end_matches('/'), self.config.topic);
            let (request, token) = self.authorized(Request::get(url)).await?;
            post::send(&self.client, request, &[&token]).await?;
            Ok(Receipt::new("the topic may be used"))
        })
    }
}

impl Ntfy {
    async fn authorized(&self, request: Request) -> Result<(Request, String), DeliveryError> {
        let Some(token) = &self.token else { return Ok((request, String::new())) };
        let token = token.read().await?;
        Ok((request.header("authorization", format!("Bearer {token}")), token))
    }

    fn content(&self, message: &Message) -> Value {
        let (priority, tag) = match (message.reason, message.severity) {
            (Reason::Resolved, _) => (3, "white_check_mark"),
            (Reason::Heartbeat | Reason::Test, _) => (2, "information_source"),
            (_, Severity::Critical) => (5, "rotating_light"),
            (_, Severity::Warning) => (4, "warning"),
            (_, Severity::Info) => (3, "information_source"),
        };
        json!({
            "topic": self.config.topic,
            "title": text::cut(&message.subject, TITLE, Count::Bytes),
            "message": text::cut(&message.body(), MESSAGE, Count::Bytes),
            "priority": priority,
            "tags": [tag],
        })
    }
}
