//! HTTP of channels: sends a request and says of the answer whether to try again.
//!
//! Invariant: no secret is in an error; an answer that was lost is said to be in doubt.

use std::time::Duration;

use serde_json::Value;

use super::secret::without;
use super::text::{self, Count};
use super::{DeliveryError, DeliveryFault};
use crate::base::Timestamp;
use crate::net::{Client, NetError, Request, Response};

/// Longest time for one request.
const LIMIT: Duration = Duration::from_secs(15);

/// Longest part of an answer that is shown.
const SHOWN: usize = 200;

/// A JSON body for a URL.
pub(super) fn json(url: &str, body: &Value) -> Request {
    Request::post(url, body.to_string()).header("content-type", "application/json")
}

/// A form for a URL.
pub(super) fn form(url: &str, fields: &[(&str, &str)]) -> Request {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", text::percent(name), text::percent(value))).collect();
    Request::post(url, pairs.join("&")).header("content-type", "application/x-www-form-urlencoded")
}

/// Sends it; gives answers of 2xx.
///
/// # Errors
/// Whatever kept it from one. 408, 425, 429 and 5xx may pass, other answers stay.
pub(super) async fn send(client: &Client, mut request: Request, secrets: &[&str]) -> Result<Response, DeliveryError> {
    request.timeout = LIMIT;
    // A redirect of a POST with a secret leads where nobody meant it to go.
    request.max_redirects = 0;
    request.max_body = 64 * 1024;
    let response = client.send(&request).await.map_err(|error| unanswered(&error, secrets))?;
    if (200..300).contains(&response.status) { Ok(response) } else { Err(refused(&response, secrets)) }
}

/// Why there was no answer.
fn unanswered(error: &NetError, secrets: &[&str]) -> DeliveryError {
    let text = without(&text::line(&error.to_string()), secrets);
    let fault = if matches!(error, NetError::Invalid(_)) { DeliveryFault::Permanent } else { DeliveryFault::Transient };
    let sent = match error {
        NetError::Timeout { phase, .. } => matches!(*phase, "waiting for the answer" | "reading the body"),
        NetError::Protocol(_) => true,
        _ => false,
    };
    DeliveryError { in_doubt: sent, ..DeliveryError::new(fault, text) }
}

/// What an answer that is no 2xx means.
pub(super) fn refused(response: &Response, secrets: &[&str]) -> DeliveryError {
    let transient = matches!(response.status, 408 | 425 | 429 | 500..);
    let fault = if transient { DeliveryFault::Transient } else { DeliveryFault::Permanent };
    let hint = match response.status {
        401 | 403 => "; is the secret right?",
        404 | 410 => "; is the address right?",
        300..=399 => "; it leads elsewhere: write where it leads",
        _ => "",
    };
    let text = format!("{}{hint}", answer(response, secrets));
    DeliveryError { retry_after: retry_after(response), ..DeliveryError::new(fault, text) }
}

/// Status and the beginning of the body, for people.
pub(super) fn answer(response: &Response, secrets: &[&str]) -> String {
    let body = text::line(String::from_utf8_lossy(&response.body).trim());
    let body = without(&body, secrets);
    let body = text::cut(&body, SHOWN, Count::Chars);
    if body.is_empty() { response.status.to_string() } else { format!("{} {body}", response.status) }
}

/// The header in seconds or as a date (RFC 9110 §10.2.3), or what JSON bodies say instead.
fn retry_after(response: &Response) -> Option<Duration> {
    let header = response.headers.get("retry-after").and_then(|v| v.to_str().ok()).and_then(|text| {
        let seconds = text.trim().parse::<f64>().ok();
        let date = || {
            let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
            Some(at.as_second() as f64 - Timestamp::now().seconds())
        };
        seconds.or_else(date)
    });
    let body = || {
        let json: Value = serde_json::from_slice(&response.body).ok()?;
        let seconds = json["retry_after"].as_f64().or_else(|| json["parameters"]["retry_after"].as_f64());
        seconds.or_else(|| json["retry_after_ms"].as_f64().map(|ms| ms / 1000.0))
    };
    header.or_else(body).and_then(|s| Duration::try_from_secs_f64(s.max(0.0)).ok())
}

/// Whether a URL can be asked.
///
/// # Errors
/// What is wrong with it, with its key.
pub(super) fn check_url(key: &str, url: &str) -> Result<(), String> {
    Request::get(url).validate().map_err(|e| format!("{key}: {e}"))
}
