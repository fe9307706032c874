//! What `sms` and `phone` share: the form API of Twilio, which other providers speak as well.
//!
//! Invariant: of several numbers each is told once, also where a later one fails.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::channel::settings;
use super::{ChannelContext, Delivery, DeliveryError, Receipt, Secret, Secrets, post, text};
use crate::net::{Client, Request};

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TwilioConfig {
    /// Account, as the provider names it.
    account: String,
    /// Number or sender; `MG…` is a messaging service.
    from: String,
    /// Numbers with their country (`+351912345678`).
    to: Vec<String>,
    #[serde(default = "default_api")]
    api: String,
}

fn default_api() -> String {
    "https://api.twilio.com".to_owned()
}

/// An account that sends.
pub(super) struct Twilio {
    config: TwilioConfig,
    token: Secret,
    client: Client,
}

impl Twilio {
    /// Reads its settings.
    ///
    /// # Errors
    /// A key that is wrong, or a number that is none.
    pub(super) fn open(
        map: &serde_json::Map<String, Value>,
        secrets: Secrets,
        context: &ChannelContext,
    ) -> Result<Arc<Self>, String> {
        let config: TwilioConfig = settings(map)?;
        post::check_url("api", &config.api)?;
        let is_number = |n: &&String| {
            n.len() <= 16 && n.strip_prefix('+').is_some_and(|d| d.len() >= 6 && d.bytes().all(|b| b.is_ascii_digit()))
        };
        if config.to.is_empty() {
            return Err("to must name at least one number".to_owned());
        }
        if let Some(wrong) = config.to.iter().find(|n| !is_number(n)) {
            return Err(format!("to: \"{wrong}\" is no number with its country, such as +351912345678"));
        }
        Ok(Arc::new(Self { config, token: secrets.need("token")?, client: context.client.clone() }))
    }

    fn base(&self) -> String {
        format!("{}/2010-04-01/Accounts/{}", self.config.api.trim_end_matches('/'), text::percent(&self.config.account))
    }

    fn authorized(&self, request: Request, token: &str) -> Request {
        let pair = format!("{}:{token}", self.config.account);
        request.header("authorization", format!("Basic {}", crate::net::base64(pair.as_bytes())))
    }

    /// Asks for one message or call a number.
    pub(super) async fn send(
        &self,
        delivery: &Delivery,
        resource: &str,
        fields: &[(&str, &str)],
    ) -> Result<Receipt, DeliveryError> {
        let token = self.token.read().await?;
        let url = format!("{}/{resource}.json", self.base());
        let mut told = delivery.told.clone();
        let mut answers = Vec::new();
        let mut failed: Option<DeliveryError> = None;
        for to in &self.config.to {
            if told.contains(to) {
                continue;
            }
            let service = resource == "Messages" && self.config.from.starts_with("MG");
            let from = if service { "MessagingServiceSid" } else { "From" };
            let all: Vec<(&str, &str)> =
                [("To", to.as_str()), (from, &self.config.from)].into_iter().chain(fields.iter().copied()).collect();
            let request = self.authorized(post::form(&url, &all), &token);
            match post::send(&self.client, request, &[&token]).await {
                Ok(response) => {
                    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                    let word = |key: &str| text::line(answer[key].as_str().unwrap_or("?"));
                    answers.push(format!("{to}: {} {}", word("status"), word("sid")));
                    told.push(to.clone());
                }
                // One wrong number must not keep the others from being told.
                Err(error) => {
                    let error = DeliveryError { text: format!("{to}: {}", error.text), ..error };
                    failed = Some(match failed {
                        Some(first) if first.fault == super::DeliveryFault::Transient => first,
                        _ => error,
                    });
                }
            }
        }
        match failed {
            Some(error) => Err(DeliveryError { told, ..error }),
            None => Ok(Receipt::new(answers.join(", "))),
        }
    }

    /// Asks for the account itself.
    pub(super) async fn verify(&self) -> Result<Receipt, DeliveryError> {
        let token = self.token.read().await?;
        let request = self.authorized(Request::get(format!("{}.json", self.base())), &token);
        post::send(&self.client, request, &[&token]).await?;
        Ok(Receipt::new("the account is known"))
    }
}
