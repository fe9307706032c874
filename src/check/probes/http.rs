//! Whether a URL answers as it should: status, headers, body, certificate.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::tls::{CERTIFICATE_WARNING, certified, refused};
use crate::base::Timestamp;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::json::JsonCondition;
use crate::check::pattern::Pattern;
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::check::status_set::StatusSet;
use crate::net::{Client, NetConfig, NetError, Request, Response, Shown};

/// `type = "http"`.
pub const KIND: ProbeKind = ProbeKind {
    name: "http",
    keys: &[
        "url",
        "method",
        "headers",
        "body",
        "token_file",
        "max_redirects",
        "expect_status",
        "expect_body",
        "expect_json",
        "expect_headers",
        "ca_file",
        "certificate_warning",
    ],
    make,
};

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let url = config.required("url", &config.url)?;
    let status = config.expect_status.clone().unwrap_or_default();
    let body = config.pattern("expect_body", &config.expect_body)?;
    let json = config.expect_json.as_deref().map(JsonCondition::parse).transpose().map_err(|e| config.error("expect_json", e))?;
    let headers = config.expect_headers.iter().map(|(name, text)| Ok((name.clone(), Pattern::parse(text)?)));
    let headers = headers.collect::<Result<_, String>>().map_err(|e| config.error("expect_headers", e))?;
    let plain = Request::get(url);
    let max_redirects = if status.only_redirects() { 0 } else { config.max_redirects.unwrap_or(plain.max_redirects) };
    // A body nobody looks at is not worth its traffic; an empty bound still reads the head.
    let max_body = if body.is_some() || json.is_some() { plain.max_body } else { 0 };
    let sent = config.body.clone().unwrap_or_default().into_bytes();
    let own = config.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let request = Request { body: sent, headers: own, max_redirects, max_body, ..plain };
    let method = config.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
    let request = request.with_method(&method).map_err(|e| config.error("method", e.to_string()))?;
    request.validate().map_err(|e| config.error("url", e.to_string()))?;
    request.validate_headers().map_err(|e| config.error("headers", e.to_string()))?;
    Ok(Arc::new(Http {
        request,
        token_file: config.token_file.clone(),
        status,
        body,
        json,
        headers,
        certificate_warning: config.certificate_warning.unwrap_or(CERTIFICATE_WARNING),
        client: Client::new(&NetConfig { ca_file: config.ca_file.clone() }),
    }))
}

struct Http {
    request: Request,
    token_file: Option<PathBuf>,
    status: StatusSet,
    body: Option<Pattern>,
    json: Option<JsonCondition>,
    headers: Vec<(String, Pattern)>,
    certificate_warning: Duration,
    client: Client,
}

impl Http {
    fn request(&self, timeout: Duration) -> Result<Request, NetError> {
        let request = Request { timeout, ..self.request.clone() };
        let Some(file) = &self.token_file else { return Ok(request) };
        let bad =
            |e: std::io::Error| NetError::Invalid(format!("token_file {}: {}", file.display(), crate::net::plain_error(&e)));
        let token = std::fs::read_to_string(file).map_err(bad)?;
        Ok(request.header("Authorization", format!("Bearer {}", token.trim())))
    }

    /// What is wrong with an answer.
    fn fault(&self, response: &Response) -> Option<String> {
        let status = response.status;
        if !self.status.contains(status) {
            return Some(format!("{status}, expected {}", self.status));
        }
        let wrong = self.headers.iter().find(|(name, expected)| {
            !response.headers.get_all(name.as_str()).iter().any(|v| expected.is_in(&String::from_utf8_lossy(v.as_bytes())))
        });
        if let Some((name, _)) = wrong {
            return Some(format!("{status}, but the header {name} does not hold what is expected"));
        }
        if self.body.as_ref().is_some_and(|b| !b.is_in(&String::from_utf8_lossy(&response.body))) {
            return Some(format!("{status}, but the body does not hold what is expected"));
        }
        self.json.as_ref().and_then(|j| j.check(&response.body).err()).map(|why| format!("{status}, but {why}"))
    }

    fn judge(&self, response: &Response, now: Timestamp) -> Finding {
        let took = response.phases.total;
        let finding = match self.fault(response) {
            Some(fault) => Finding { response: Some(took), ..Finding::failed(fault) },
            None => Finding::ok(took, format!("{} in {} ms", response.status, took.as_millis())),
        };
        let shown = Shown { ends_at: response.certificate_ends_at, chain_ends_at: response.chain_ends_at, ..Shown::default() };
        certified(finding.timed(&response.phases), shown, self.certificate_warning, now)
    }

    async fn run(&self, timeout: Duration) -> Result<Finding, NetError> {
        let response = self.client.send(&self.request(timeout)?).await?;
        Ok(self.judge(&response, Timestamp::now()))
    }
}

impl Probe for Http {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.run(context.timeout).await.unwrap_or_else(|e| refused(&e, Timestamp::now())) })
    }

    fn target(&self) -> String {
        // A password in a URL is not shown.
        let url = &self.request.url;
        match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
            _ => url.clone(),
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
            request: Request::get("https://example.org/"),
            token_file: None,
            status: StatusSet::default(),
            body: None,
            json: None,
            headers: Vec::new(),
            certificate_warning: CERTIFICATE_WARNING,
            client: Client::default(),
        };
        let now = Timestamp::from_seconds(1_000_000);
        for (hours, chain, outcome, says) in [
            (100, 500, CheckOutcome::Ok, "200 in 40 ms"),
            (50, 40, CheckOutcome::Warning, "200 in 40 ms; the certificate ends in 2 d 2 h"),
            (100, 50, CheckOutcome::Warning, "200 in 40 ms; the certificate of its issuer ends in 2 d 2 h"),
            (100, -50, CheckOutcome::Ok, "200 in 40 ms"),
        ] {
            let response = Response {
                status: 200,
                http2: false,
                headers: Default::default(),
                body: Vec::new(),
                truncated: false,
                phases: Phases { total: Duration::from_millis(40), ..Phases::default() },
                url: http.request.url.clone(),
                certificate_ends_at: Some(now + Duration::from_secs(hours * 3600)),
                chain_ends_at: Some(Timestamp(now.millis() + chain * 3_600_000)),
            };
            let finding = http.judge(&response, now);
            assert_eq!((finding.outcome, finding.message.as_str()), (outcome, says));
            assert_eq!(finding.certificate_expires_in_seconds, Some(hours as f64 * 3600.0));
        }
    }
}
