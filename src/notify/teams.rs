//! The channel `teams`: an Adaptive Card for a Workflow of Microsoft Teams.
//!
//! Any https address is taken, because Microsoft moved it twice. Invariant: a card stays below the 28 KB Teams takes.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Reason, Receipt, Secret, Secrets, post};
use crate::model::Severity;
use crate::net::Client;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "teams",
    about: "Microsoft Teams: the address of a Workflow \"Post to a channel when a webhook request is received\" (`url_file`)",
    secrets: &["url"],
    example: "url_file = \"/etc/farol/teams-url\"",
    open,
    ..ChannelKind::PLAIN
};

/// Largest card sent: the limit is 28 KB, and people saw failures from 21 KB on.
const MOST_BYTES: usize = 20 * 1024;
/// Longest title and fact.
const TITLE: usize = 500;
const FACT: usize = 1_000;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamsConfig {}

struct Teams {
    url: Secret,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let TeamsConfig {} = settings(map)?;
    Ok(Arc::new(Teams { url: secrets.need("url")?, client: context.client.clone() }))
}

impl Channel for Teams {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let url = self.url.read().await?;
            let secrets = [url.as_str()];
            let sent = post::send(&self.client, post::json(&url, &fitting(&delivery.message, MOST_BYTES)), &secrets).await;
            let response = match sent {
                // Too large all the same: a quarter of it.
                Err(error) if error.text.starts_with("413") => {
                    post::send(&self.client, post::json(&url, &fitting(&delivery.message, MOST_BYTES / 4)), &secrets).await?
                }
                sent => sent?,
            };
            Ok(Receipt::new(format!("{} (accepted by the flow)", post::answer(&response, &secrets))))
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let url = self.url.read().await?;
            post::check_url("url", &url).map_err(|_| DeliveryError::permanent("the secret url is no http or https URL"))?;
            Ok(Receipt::default())
        })
    }
}

/// The card, its text cut until it fits.
fn fitting(message: &Message, most: usize) -> Value {
    let mut room = most / 2;
    loop {
        let card = card(message, room);
        if card.to_string().len() <= most || room < 64 {
            return card;
        }
        room /= 2;
    }
}

fn card(message: &Message, room: usize) -> Value {
    let color = match (message.reason, message.severity) {
        (Reason::Resolved, _) => "Good",
        (_, Severity::Critical) => "Attention",
        (_, Severity::Warning) => "Warning",
        (_, Severity::Info) => "Accent",
    };
    let safe = |value: &str, most: usize| text::markdown(&text::cut(value, most, Count::Bytes));
    // One line ends a paragraph only where it is doubled.
    let block = |value: &str, most: usize| safe(value, most).replace('\n', "\n\n");
    let title = json!({"type": "TextBlock", "text": block(&message.subject, TITLE.min(room)), "weight": "Bolder", "size": "Medium", "wrap": true,
        "style": "heading", "color": color});
    let mut body = vec![title, json!({"type": "TextBlock", "text": block(&message.lead, room), "wrap": true})];
    if !message.facts.is_empty() {
        let most = FACT.min(room / message.facts.len().max(1));
        let facts = message.facts.iter().map(|(name, value)| json!({"title": safe(name, most), "value": safe(value, most)}));
        body.push(json!({"type": "FactSet", "facts": facts.collect::<Vec<_>>()}));
    }
    if !message.hint.is_empty() {
        body.push(json!({"type": "TextBlock", "text": block(&message.hint, FACT.min(room)), "wrap": true, "isSubtle": true, "size": "Small"}));
    }
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.2",
            "msteams": {"width": "full"},
            "body": body,
        },
    }]})
}
