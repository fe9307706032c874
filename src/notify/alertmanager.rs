//! The channel `alertmanager`: alerts posted to Prometheus Alertmanager, and again while they fire.
//!
//! An alert's identity there is its labels: one that becomes critical is another alert, and the warning it was ends by itself.
//! Invariant: what fires ends there some minutes after farol is gone, and at once when it is over.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::settings;
use super::{
    Audience, Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Receipt, Secret, Secrets, post, text,
};
use crate::base::Timestamp;
use crate::net::{Client, Request};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "alertmanager",
    about: "Prometheus Alertmanager: its `url`; alerts are posted again every minute while they fire",
    audience: Audience::Feed,
    refresh: Some(Duration::from_secs(60)),
    secrets: &["token"],
    example: "url = \"http://127.0.0.1:9093\"",
    open,
    ..ChannelKind::PLAIN
};

/// How long an alert lasts there without being posted again: four posts may be lost, as with Prometheus.
const LASTS: Duration = Duration::from_secs(300);

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertmanagerConfig {
    url: String,
}

struct Alertmanager {
    url: String,
    token: Option<Secret>,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: AlertmanagerConfig = settings(map)?;
    post::check_url("url", &config.url)?;
    let url = format!("{}/api/v2", config.url.trim_end_matches('/'));
    Ok(Arc::new(Alertmanager { url, token: secrets.get("token"), client: context.client.clone() }))
}

impl Channel for Alertmanager {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let body = Value::Array(alerts(&delivery.message, Timestamp::now()));
            self.ask(post::json(&format!("{}/alerts", self.url), &body)).await
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move { self.ask(Request::get(format!("{}/status", self.url))).await.map(|_| Receipt::new("it answers")) })
    }
}

impl Alertmanager {
    async fn ask(&self, request: Request) -> Result<Receipt, DeliveryError> {
        let token = match &self.token {
            Some(token) => token.read().await?,
            None => String::new(),
        };
        let request = if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) };
        let response = post::send(&self.client, request, &[&token]).await?;
        Ok(Receipt::new(post::answer(&response, &[&token])))
    }
}

/// Each alert of the message as Alertmanager has it; a message without any is an alert of its own that ends in a minute.
fn alerts(message: &Message, now: Timestamp) -> Vec<Value> {
    let list = message.json["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        let labels = json!({"alertname": "farol", "reason": message.reason.word(), "instance": message.host, "severity": "info"});
        let end = now + Duration::from_secs(60);
        return vec![json!({"labels": labels, "annotations": {"summary": message.subject}, "startsAt": message.at.rfc3339(),
            "endsAt": end.rfc3339()})];
    }
    list.iter().map(|alert| one(alert, message, now)).collect()
}

fn one(alert: &Value, message: &Message, now: Timestamp) -> Value {
    let mut labels: Map<String, Value> = Map::new();
    for (name, value) in alert["labels"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if !value.is_empty() {
            labels.insert(label_name(name), json!(text::line(value)));
        }
    }
    labels.insert("alertname".to_owned(), alert["rule"].clone());
    labels.insert("instance".to_owned(), json!(message.host));
    let ends = match alert["resolved_at"].as_str() {
        Some(at) => at.to_owned(),
        None => (now + LASTS).rfc3339(),
    };
    let starts = alert["fired_at"].as_str().or(alert["since"].as_str()).unwrap_or_default();
    let why = &alert["explanation"];
    let line = |value: &Value| text::line(value.as_str().unwrap_or_default());
    let lines = |of: &Value| of.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().join("; ");
    let named =
        |of: &Value, name: &str| of.as_array().into_iter().flatten().map(|one| line(&one[name])).collect::<Vec<_>>().join("; ");
    let mut annotations =
        json!({"summary": line(&alert["title"]), "description": line(&why["summary"]), "farol_id": alert["id"]});
    let more = [
        ("normal", line(&why["normal"])),
        ("processes", named(&why["processes"], "name")),
        ("moved_with_it", named(&why["correlated"], "key")),
        ("changes", lines(&why["changes"])),
        ("query", line(&why["query"])),
    ];
    for (name, value) in more.into_iter().filter(|(_, value)| !value.is_empty()) {
        annotations[name] = json!(value);
    }
    json!({"labels": labels, "annotations": annotations, "startsAt": starts, "endsAt": ends})
}

/// A name Prometheus takes: letters, digits and `_`, no digit first.
fn label_name(name: &str) -> String {
    let clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if clean.starts_with(|c: char| c.is_ascii_digit()) { format!("_{clean}") } else { clean }
}
