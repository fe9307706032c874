//! The channel `slack`: an incoming webhook, or a bot that answers in a thread and changes its own message.
//!
//! Invariant: text of alerts is never read as mark-up or as a mention.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Reason, Receipt, Secret, Secrets, post};
use crate::base::escape_markup;
use crate::model::Severity;
use crate::net::Client;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "slack",
    about: "Slack: an incoming webhook (`url_file`), or a bot (`token_file`, scope `chat:write`, and `to`) that edits its message",
    secrets: &["url", "token"],
    example: "url_file = \"/etc/farol/slack-url\"\napi = \"https://slack.com/api\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest header, section and fallback text, most facts shown (a section has at most 10 fields of 2,000).
const HEADER: usize = 150;
const SECTION: usize = 2_900;
const FALLBACK: usize = 3_000;
const FIELD: usize = 400;
const FIELDS: usize = 10;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlackConfig {
    /// Channel of the bot, by id or `#name`.
    to: Option<String>,
    /// Where the bot's methods are.
    #[serde(default = "default_api")]
    api: String,
}

fn default_api() -> String {
    "https://slack.com/api".to_owned()
}

enum Way {
    Webhook(Secret),
    Bot { token: Secret, to: String },
}

struct Slack {
    api: String,
    way: Way,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: SlackConfig = settings(map)?;
    post::check_url("api", &config.api)?;
    let way = match (secrets.get("url"), secrets.get("token"), config.to) {
        (Some(url), None, None) => Way::Webhook(url),
        (None, Some(token), Some(to)) if !to.is_empty() => Way::Bot { token, to },
        (None, Some(_), _) => return Err("a bot needs to = \"#channel\" beside its token".to_owned()),
        (None, None, _) => return Err("missing url_file (a webhook), or token_file and to (a bot)".to_owned()),
        _ => return Err("write either the url of a webhook or the token of a bot with to".to_owned()),
    };
    Ok(Arc::new(Slack { api: config.api, way, client: context.client.clone() }))
}

impl Channel for Slack {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            match &self.way {
                Way::Webhook(url) => {
                    let url = url.read().await?;
                    let response = post::send(&self.client, post::json(&url, &content(&delivery.message)), &[&url]).await?;
                    Ok(Receipt::new(post::answer(&response, &[&url])))
                }
                Way::Bot { token, to } => self.by_bot(&token.read().await?, to, delivery).await,
            }
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            match &self.way {
                Way::Webhook(url) => url
                    .read()
                    .await
                    .and_then(|url| post::check_url("url", &url).map_err(|_| bad_url()))
                    .map(|()| Receipt::default()),
                Way::Bot { token, .. } => {
                    let token = token.read().await?;
                    let answer = self.call(&token, "auth.test", &json!({})).await?;
                    Ok(Receipt::new(format!("bot {}", text::line(answer["user"].as_str().unwrap_or("?")))))
                }
            }
        })
    }
}

fn bad_url() -> DeliveryError {
    DeliveryError::permanent("the secret url is no http or https URL")
}

impl Slack {
    /// The first message is posted; later ones change it to how things stand and answer in its thread.
    async fn by_bot(&self, token: &str, to: &str, delivery: &Delivery) -> Result<Receipt, DeliveryError> {
        let message = &delivery.message;
        let earlier = delivery.earlier.as_deref().and_then(|h| h.split_once(' '));
        let mut body = content(message);
        body["channel"] = json!(to);
        if let Some((channel, ts)) = earlier {
            let mut update = content(message);
            update["channel"] = json!(channel);
            update["ts"] = json!(ts);
            match self.call(token, "chat.update", &update).await {
                Ok(_) => {
                    body["channel"] = json!(channel);
                    body["thread_ts"] = json!(ts);
                    body["reply_broadcast"] = json!(message.reason.is_alarm());
                }
                // Somebody removed it: said anew.
                Err(e) if e.fault == super::DeliveryFault::Permanent => {}
                Err(e) => return Err(e),
            }
        }
        let answer = self.call(token, "chat.postMessage", &body).await?;
        let text_of = |key: &str| answer[key].as_str().map(text::line);
        let posted = text_of("channel").zip(text_of("ts")).map(|(channel, ts)| format!("{channel} {ts}"));
        let handle = delivery.earlier.clone().filter(|_| body.get("thread_ts").is_some()).or(posted);
        Ok(Receipt { answer: "200 ok".to_owned(), handle })
    }

    /// Calls a method; Slack answers 200 to mistakes as well.
    async fn call(&self, token: &str, method: &str, body: &Value) -> Result<Value, DeliveryError> {
        let request = post::json(&format!("{}/{method}", self.api), body).header("authorization", format!("Bearer {token}"));
        let response = post::send(&self.client, request, &[token]).await?;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if answer["ok"] == true {
            return Ok(answer);
        }
        let error = text::line(answer["error"].as_str().unwrap_or("no answer of Slack"));
        let passes = ["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];
        let text = format!("{method}: {error}");
        if passes.contains(&error.as_str()) { Err(DeliveryError::transient(text)) } else { Err(DeliveryError::permanent(text)) }
    }
}

/// Blocks of plain text, which Slack does not search for mark-up, and an escaped fallback.
fn content(message: &Message) -> Value {
    let plain =
        |value: &str, most: usize| json!({"type": "plain_text", "emoji": false, "text": text::cut(value, most, Count::Chars)});
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&message.subject, HEADER)}),
        json!({"type": "section", "text": plain(&message.lead, SECTION)}),
    ];
    if !message.facts.is_empty() {
        let fields: Vec<Value> =
            message.facts.iter().take(FIELDS).map(|(name, value)| plain(&format!("{name}: {value}"), FIELD)).collect();
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    if !message.hint.is_empty() {
        blocks.push(json!({"type": "context", "elements": [plain(&message.hint, FIELD)]}));
    }
    let fallback = escape_markup(&message.subject);
    let color = match (message.reason, message.severity) {
        (Reason::Resolved, _) => "#2eb67d",
        (_, Severity::Critical) => "#e01e5a",
        (_, Severity::Warning) => "#ecb22e",
        (_, Severity::Info) => "#36c5f0",
    };
    // A bar of color exists only on attachments, which hold blocks.
    json!({"text": text::cut(&fallback, FALLBACK, Count::Chars), "mrkdwn": false, "attachments": [{"color": color, "blocks": blocks}]})
}
