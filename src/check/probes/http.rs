//! Whether a URL answers as it should: status, body, certificate.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, format_duration};
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::pattern::Pattern;
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::check::status_set::StatusSet;
use crate::net::{Client, NetConfig, NetError, Request, Response};

/// `type = "http"`.
pub const KIND: ProbeKind =
    ProbeKind { name: "http", keys: &["url", "expect_status", "expect_body", "ca_file", "certificate_warning"], make };

/// Short-lived certificates last six days and are renewed at half of that.
const CERTIFICATE_WARNING: Duration = Duration::from_secs(3 * 86_400);

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let url = config.required("url", &config.url)?;
    Request::get(url).validate().map_err(|e| config.error("url", e.to_string()))?;
    let body = config.expect_body.as_deref().map(Pattern::parse).transpose().map_err(|e| config.error("expect_body", e))?;
    Ok(Arc::new(Http {
        url: url.to_owned(),
        status: config.expect_status.clone().unwrap_or_default(),
        body,
        certificate_warning: config.certificate_warning.unwrap_or(CERTIFICATE_WARNING),
        client: Client::new(&NetConfig { ca_file: config.ca_file.clone() }),
    }))
}

struct Http {
    url: String,
    status: StatusSet,
    body: Option<Pattern>,
    certificate_warning: Duration,
    client: Client,
}

impl Http {
    fn request(&self, timeout: Duration) -> Request {
        let request = Request { timeout, ..Request::get(&self.url) };
        let max_redirects = if self.status.only_redirects() { 0 } else { request.max_redirects };
        // A body nobody looks at is not worth its traffic; an empty bound still reads the head.
        let max_body = if self.body.is_some() { request.max_body } else { 0 };
        Request { max_redirects, max_body, ..request }
    }

    fn judge(&self, response: &Response, now: Timestamp) -> Finding {
        let left = response.certificate_ends_at.map(|end| end.seconds() - now.seconds());
        let took = response.phases.total;
        let mut finding = Finding::ok(took, format!("{} in {} ms", response.status, took.as_millis()));
        if !self.status.contains(response.status) {
            finding =
                Finding { response: Some(took), ..Finding::failed(format!("{}, expected {}", response.status, self.status)) };
        } else if self.body.as_ref().is_some_and(|b| !b.is_in(&String::from_utf8_lossy(&response.body))) {
            let message = format!("{}, but the body does not hold what is expected", response.status);
            finding = Finding { response: Some(took), ..Finding::failed(message) };
        } else if let Some(left) = left.filter(|l| *l < self.certificate_warning.as_secs_f64()) {
            let left = format_duration(Duration::try_from_secs_f64(left).unwrap_or_default());
            finding.message.push_str(&format!("; the certificate ends in {left}"));
            finding = finding.warning();
        }
        Finding { certificate_expires_in_seconds: left, ..finding }
    }
}

impl Probe for Http {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move {
            let answer = self.client.send(&self.request(context.timeout)).await;
            let now = Timestamp::now();
            match answer {
                Ok(response) => self.judge(&response, now),
                Err(error) => {
                    let end = if let NetError::Tls { certificate_ends_at, .. } = &error { *certificate_ends_at } else { None };
                    let left = end.map(|end| end.seconds() - now.seconds());
                    Finding { certificate_expires_in_seconds: left, ..Finding::failed(error.to_string()) }
                }
            }
        })
    }

    fn target(&self) -> String {
        // A password in a URL is not shown.
        match (self.url.split_once("://"), self.url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
            _ => self.url.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CheckOutcome;
    use crate::net::Phases;

    #[test]
    fn a_certificate_about_to_end_is_a_warning() {
        let http = Http {
            url: "https://example.org/".to_owned(),
            status: StatusSet::default(),
            body: None,
            certificate_warning: CERTIFICATE_WARNING,
            client: Client::default(),
        };
        let now = Timestamp::from_seconds(1_000_000);
        for (hours, outcome, says) in [
            (100, CheckOutcome::Ok, "200 in 40 ms"),
            (50, CheckOutcome::Warning, "200 in 40 ms; the certificate ends in 2 d 2 h"),
        ] {
            let response = Response {
                status: 200,
                headers: Default::default(),
                body: Vec::new(),
                truncated: false,
                phases: Phases { total: Duration::from_millis(40), ..Phases::default() },
                url: http.url.clone(),
                certificate_ends_at: Some(now + Duration::from_secs(hours * 3600)),
            };
            let finding = http.judge(&response, now);
            assert_eq!((finding.outcome, finding.message.as_str()), (outcome, says));
            assert_eq!(finding.certificate_expires_in_seconds, Some(hours as f64 * 3600.0));
        }
    }
}
