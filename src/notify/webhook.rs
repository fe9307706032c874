//! The channel `webhook`: the message as JSON to any address, signed as Standard Webhooks has it.
//!
//! Invariant: all attempts of one message have one `webhook-id`, by which the receiver can drop a double.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::settings;
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Receipt, Secret, Secrets, post};
use crate::base::Timestamp;
use crate::net::{Client, Request};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "webhook",
    about: "Any `url` (`url_file` where it is a secret) gets `farol.message/1` as JSON, signed with HMAC-SHA256 where \
            `secret_file` says with what",
    secrets: &["url", "secret", "token"],
    plain_too: &["url"],
    example: "url = \"https://ops.example.org/farol\"\nheaders = {}\nsecret_file = \"/etc/farol/webhook-secret\"",
    open,
    ..ChannelKind::PLAIN
};

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookConfig {
    /// Address, where it is no secret.
    url: Option<String>,
    /// Further headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Address and secrets of one webhook.
pub(super) struct Webhook {
    url: Option<String>,
    secret_url: Option<Secret>,
    headers: BTreeMap<String, String>,
    signed_with: Option<Secret>,
    token: Option<Secret>,
    client: Client,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: WebhookConfig = settings(map)?;
    let secret_url = secrets.get("url");
    match (&config.url, &secret_url) {
        (Some(url), None) => post::check_url("url", url)?,
        (None, Some(_)) => {}
        _ => return Err("write url = \"https://…\", or url_file where the address is a secret".to_owned()),
    }
    for (name, value) in &config.headers {
        if ["authorization", "cookie", "proxy-authorization"].contains(&name.to_lowercase().as_str()) {
            return Err(format!("headers: \"{name}\" is a secret: write token_file, token_command or token_env"));
        }
        let fine = |text: &str| !text.chars().any(char::is_control);
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !is_name || !fine(value) {
            return Err(format!("headers: \"{name}\" is no header with a value of one line"));
        }
    }
    Ok(Arc::new(Webhook {
        url: config.url,
        secret_url,
        headers: config.headers,
        signed_with: secrets.get("secret"),
        token: secrets.get("token"),
        client: context.client.clone(),
    }))
}

impl Channel for Webhook {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let url = self.url().await?;
            let token = match &self.token {
                Some(token) => token.read().await?,
                None => String::new(),
            };
            let mut json = delivery.message.json.clone();
            if let Some(enclosure) = &delivery.message.enclosure {
                json["report"]["content_base64"] = Value::String(crate::net::base64(&enclosure.read().await?));
            }
            let body = json.to_string();
            let mut request = Request::post(&url, body.clone()).header("content-type", "application/json");
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            if !token.is_empty() {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let at = format!("{:.0}", Timestamp::now().seconds());
            if let Some(secret) = &self.signed_with {
                let secret = secret.read().await?;
                request = request.header("webhook-signature", signature(&secret, (&delivery.key, &at), &body)?);
            }
            let request = request.header("webhook-id", &delivery.key).header("webhook-timestamp", &at);
            let secrets: Vec<&str> =
                [self.secret_url.as_ref().map(|_| url.as_str()), Some(token.as_str())].into_iter().flatten().collect();
            let response = post::send(&self.client, request, &secrets).await?;
            Ok(Receipt::new(post::answer(&response, &secrets)))
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let url = self.url().await?;
            post::check_url("url", &url).map_err(|_| DeliveryError::permanent("the secret url is no http or https URL"))?;
            for secret in self.signed_with.iter().chain(&self.token) {
                secret.read().await?;
            }
            Ok(Receipt::default())
        })
    }
}

impl Webhook {
    async fn url(&self) -> Result<String, DeliveryError> {
        match (&self.url, &self.secret_url) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(url)) => url.read().await,
            (None, None) => Err(DeliveryError::permanent("there is no address")),
        }
    }
}

/// `v1,` and the HMAC-SHA256 over `id.timestamp.body`; the key is `whsec_` and base64, or the text itself.
fn signature(secret: &str, (id, at): (&str, &str), body: &str) -> Result<String, DeliveryError> {
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => decoded(encoded).ok_or_else(|| DeliveryError::permanent("secret: what follows whsec_ is no base64"))?,
        None => secret.as_bytes().to_vec(),
    };
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let tag = ring::hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    Ok(format!("v1,{}", crate::net::base64(tag.as_ref())))
}

/// Base64 with or without padding (RFC 4648 §4); `None` where it is none.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes().map(|b| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    });
    let digits: Vec<u8> = digits.collect::<Option<_>>()?;
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let bits = group.iter().fold(0_u32, |sum, d| (sum << 6) | u32::from(*d)) << (6 * (4 - group.len()));
        out.extend(bits.to_be_bytes().into_iter().skip(1).take(group.len() - 1));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standards_example() {
        let signed = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"),
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.as_deref(), Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert!(signature("whsec_?", ("a", "1"), "").is_err());
    }

    proptest! {
        #[test]
        fn base64_is_read_as_it_was_written(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(decoded(&crate::net::base64(&bytes)), Some(bytes));
        }
    }
}
