//! The channel `matrix`: a user who writes into a room.
//!
//! Invariant: a message has one transaction id, so that the server itself drops a double.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Receipt, Secret, Secrets, post};
use crate::base::escape_attribute;
use crate::net::{Client, Request};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "matrix",
    about: "Matrix: the homeserver's `url`, a `room` the user is in, and the user's access token (`token_file`)",
    secrets: &["token"],
    example: "url = \"https://matrix.example.org\"\nroom = \"!abc123:example.org\"\ntoken_file = \"/etc/farol/matrix-token\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest text: an event has at most 65,536 bytes, and the text is in it twice, once escaped.
const TEXT: usize = 6_000;
const SUBJECT: usize = 500;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MatrixConfig {
    url: String,
    room: String,
}

struct Matrix {
    api: String,
    room: String,
    token: Secret,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: MatrixConfig = settings(map)?;
    post::check_url("url", &config.url)?;
    if !config.room.starts_with('!') {
        return Err(format!("room: \"{}\" is no room's id; it begins with ! (room settings, advanced)", config.room));
    }
    let api = format!("{}/_matrix/client/v3", config.url.trim_end_matches('/'));
    Ok(Arc::new(Matrix { api, room: config.room, token: secrets.need("token")?, client: context.client.clone() }))
}

impl Channel for Matrix {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let token = self.token.read().await?;
            let (room, transaction) = (text::percent(&self.room), text::percent(&delivery.key));
            let url = format!("{}/rooms/{room}/send/m.room.message/{transaction}", self.api);
            let mut request = post::json(&url, &content(&delivery.message)).header("authorization", format!("Bearer {token}"));
            request.method = "PUT".parse().expect("a method");
            let response = post::send(&self.client, request, &[&token]).await?;
            Ok(Receipt::new(post::answer(&response, &[&token])))
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let token = self.token.read().await?;
            let request = Request::get(format!("{}/account/whoami", self.api)).header("authorization", format!("Bearer {token}"));
            let response = post::send(&self.client, request, &[&token]).await?;
            Ok(Receipt::new(post::answer(&response, &[&token])))
        })
    }
}

fn content(message: &Message) -> Value {
    let body = message.body();
    let body = text::cut(&body, TEXT, Count::Bytes);
    let subject = text::cut(&message.subject, SUBJECT, Count::Bytes);
    let rich = format!("<strong>{}</strong><br>{}", escape_attribute(&subject), escape_attribute(&body).replace('\n', "<br>"));
    json!({
        "msgtype": "m.text",
        "body": format!("{subject}\n{body}"),
        "format": "org.matrix.custom.html",
        "formatted_body": rich,
        // Nobody is mentioned, whatever the text says.
        "m.mentions": {},
    })
}
