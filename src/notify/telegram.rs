//! The channel `telegram`: a bot that writes into a chat.
//!
//! Invariant: the token, which is a part of the address, is in no error.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::text::{self, Count};
use super::{
    Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, DeliveryFault, Message, Receipt, Secret, Secrets, post,
};
use crate::base::escape_attribute;
use crate::net::Client;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "telegram",
    about: "Telegram: a bot's token (`token_file`) and the number of a chat (`chat`)",
    secrets: &["token"],
    example: "token_file = \"/etc/farol/telegram-token\"\nchat = \"-1001234567890\"\napi = \"https://api.telegram.org\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest text: 4,096 after entities are read; escapes count before, so there is always room.
const TEXT: usize = 3_500;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TelegramConfig {
    /// Number or `@name` of the chat.
    chat: String,
    /// Topic in a group with topics.
    topic: Option<i64>,
    #[serde(default = "default_api")]
    api: String,
}

fn default_api() -> String {
    "https://api.telegram.org".to_owned()
}

struct Telegram {
    config: TelegramConfig,
    token: Secret,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: TelegramConfig = settings(map)?;
    post::check_url("api", &config.api)?;
    Ok(Arc::new(Telegram { config, token: secrets.need("token")?, client: context.client.clone() }))
}

impl Channel for Telegram {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let token = self.token.read().await?;
            match self.send(&token, &self.config.chat, &delivery.message).await {
                // A group that became a supergroup has another number, which the answer names.
                Err((error, Some(chat))) if error.fault == DeliveryFault::Permanent => {
                    let sent = self.send(&token, &chat, &delivery.message).await.map_err(|(error, _)| error)?;
                    Ok(Receipt::new(format!("{}; the chat moved: write chat = \"{chat}\"", sent.answer)))
                }
                sent => sent.map_err(|(error, _)| error),
            }
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let token = self.token.read().await?;
            let url = format!("{}/bot{token}/getMe", self.config.api);
            post::send(&self.client, crate::net::Request::get(url), &[&token]).await?;
            Ok(Receipt::new("the bot is known"))
        })
    }
}

impl Telegram {
    /// The error with the chat's new number, where the answer has one.
    async fn send(&self, token: &str, chat: &str, message: &Message) -> Result<Receipt, (DeliveryError, Option<String>)> {
        let mut body = json!({
            "chat_id": chat,
            "text": html(message),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
            "disable_notification": !message.reason.is_alarm(),
        });
        if let Some(topic) = self.config.topic {
            body["message_thread_id"] = json!(topic);
        }
        let url = format!("{}/bot{token}/sendMessage", self.config.api);
        let response = post::send(&self.client, post::json(&url, &body), &[token]).await.map_err(|error| {
            let new = error
                .text
                .split("\"migrate_to_chat_id\":")
                .nth(1)
                .map(|rest| rest.trim_start().chars().take_while(|c| *c == '-' || c.is_ascii_digit()).collect::<String>());
            (error, new.filter(|n| !n.is_empty()))
        })?;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let id = answer["result"]["message_id"].as_i64();
        let text = id.map_or_else(|| post::answer(&response, &[token]), |id| format!("200 message {id}"));
        Ok(Receipt { answer: text, handle: id.map(|id| id.to_string()) })
    }
}

/// Bold subject and plain text; cut before it is escaped, so that no entity is cut.
fn html(message: &Message) -> String {
    let subject = text::cut(&message.subject, TEXT / 5, Count::Utf16);
    let body = message.body();
    let body = text::cut(&body, TEXT - TEXT / 5, Count::Utf16);
    format!("<b>{}</b>\n{}", escape_attribute(&subject), escape_attribute(&body))
}
