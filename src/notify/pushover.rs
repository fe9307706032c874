//! The channel `pushover`: push messages by Pushover.
//!
//! Invariant: a critical alert repeats on the telephone until somebody confirms it or an hour has passed.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Reason, Receipt, Secret, Secrets, post};
use crate::model::Severity;
use crate::net::Client;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "pushover",
    about: "Pushover push messages: an application's token (`token_file`) and the key of a user or group (`user_file`)",
    secrets: &["token", "user"],
    example: "token_file = \"/etc/farol/pushover-token\"\nuser_file = \"/etc/farol/pushover-user\"\napi = \"https://api.pushover.net/1\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest message (1,024 characters) and title (250).
const MESSAGE: usize = 1_024;
const TITLE: usize = 250;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PushoverConfig {
    #[serde(default = "default_api")]
    api: String,
}

fn default_api() -> String {
    "https://api.pushover.net/1".to_owned()
}

struct Pushover {
    api: String,
    token: Secret,
    user: Secret,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: PushoverConfig = settings(map)?;
    post::check_url("api", &config.api)?;
    let (token, user) = (secrets.need("token")?, secrets.need("user")?);
    Ok(Arc::new(Pushover { api: config.api, token, user, client: context.client.clone() }))
}

impl Channel for Pushover {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let (token, user) = (self.token.read().await?, self.user.read().await?);
            let message = &delivery.message;
            let body = message.body();
            let title = text::cut(&message.subject, TITLE, Count::Chars);
            let body = text::cut(&body, MESSAGE, Count::Chars);
            let mut fields = vec![("token", token.as_str()), ("user", &user), ("title", &title), ("message", &body)];
            fields.extend(urgency(message));
            let response =
                post::send(&self.client, post::form(&format!("{}/messages.json", self.api), &fields), &[&token, &user]).await?;
            Ok(Receipt::new(post::answer(&response, &[&token, &user])))
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let (token, user) = (self.token.read().await?, self.user.read().await?);
            let fields = [("token", token.as_str()), ("user", user.as_str())];
            let request = post::form(&format!("{}/users/validate.json", self.api), &fields);
            post::send(&self.client, request, &[&token, &user]).await?;
            Ok(Receipt::new("token and user are known"))
        })
    }
}

/// Priority; 2 needs the time between repeats (at least 30 s) and their end (at most 10,800 s).
fn urgency(message: &Message) -> Vec<(&'static str, &'static str)> {
    match (message.reason, message.severity) {
        (Reason::Resolved, _) => vec![("priority", "0")],
        (Reason::Heartbeat | Reason::Test, _) | (_, Severity::Info) => vec![("priority", "-1")],
        (_, Severity::Critical) => vec![("priority", "2"), ("retry", "60"), ("expire", "3600")],
        (_, Severity::Warning) => vec![("priority", "1")],
    }
}
