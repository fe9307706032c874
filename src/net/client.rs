//! The HTTP client: one request over one own connection, each phase timed.
//!
//! No pool and no cookies: a check must see what a new visitor sees. Invariant: credentials never
//! follow a redirect to another origin.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, StatusCode, Version};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::connect::{self, Deadline, Opened, Stream};
use super::proxy::{Proxies, Proxy};
use super::tls::{Offer, Trust};
use super::url::{Target, basic};
use super::wire::{Wire, protocol, wants_http1};
use super::{NetError, Phases, Request, Response};

/// What a user may set for all HTTP; proxies come from the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetConfig {
    /// PEM file of authorities trusted beside the system's; a server's own certificate in it is trusted as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// The HTTP client; clones share settings and certificates.
#[derive(Debug, Clone)]
pub struct Client(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    config: NetConfig,
    proxies: Proxies,
    trust: OnceLock<Result<Arc<Trust>, NetError>>,
}

/// Names this program to servers.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("farol/", env!("CARGO_PKG_VERSION")));

impl Client {
    /// A client with the environment's proxies; no file is read before the first HTTPS request.
    pub fn new(config: &NetConfig) -> Self {
        Self::with_proxies(config, Proxies::from_env())
    }

    /// A client with given proxies.
    pub(super) fn with_proxies(config: &NetConfig, proxies: Proxies) -> Self {
        Self(Arc::new(Settings { config: config.clone(), proxies, trust: OnceLock::new() }))
    }

    /// Sends a request, follows its redirects and reads the answer.
    ///
    /// # Errors
    /// Whatever kept it from an answer; any status code is an answer.
    pub async fn send(&self, request: &Request) -> Result<Response, NetError> {
        let start = Instant::now();
        let deadline = Deadline::after(request.timeout);
        let mut hop = Hop::first(request)?;
        for _ in 0..=request.max_redirects {
            let mut response = self.exchange(&hop, request, &deadline).await?;
            response.phases.total = start.elapsed();
            match hop.next(&response)? {
                Some(next) if request.max_redirects > 0 => hop = next,
                _ => return Ok(response),
            }
        }
        Err(NetError::Redirects(request.max_redirects))
    }

    /// Opens a connection to a URL's host, with TLS for `https`: for protocols that begin as HTTP.
    ///
    /// # Errors
    /// No such host, nobody there, no trust, or the time was over.
    pub async fn open(&self, url: &str, timeout: Duration) -> Result<Opened, NetError> {
        let target = Target::parse(url)?;
        // Plain HTTP through a proxy is asked of the proxy, not of the server: no connection to hand out.
        let proxy = if target.https { self.0.proxies.pick(&target)? } else { None };
        self.connect(&target, proxy.as_ref(), Offer::Nothing, &Deadline::after(timeout)).await
    }

    /// Speaks TLS over a stream that is open already, with `host` as the server's name.
    ///
    /// # Errors
    /// No trust, no TLS, or the time was over.
    pub async fn secure(&self, stream: Stream, host: &str, deadline: &Deadline) -> Result<Opened, NetError> {
        let trust = self.trust()?;
        let start = Instant::now();
        let (stream, shown) = deadline.hold("shaking hands", trust.handshake(stream, host, Offer::Nothing)).await?;
        let phases = Phases { tls: Some(start.elapsed()), ..Phases::default() };
        Ok(Opened { stream: Box::new(stream), phases, shown: Some(shown) })
    }

    async fn connect(
        &self,
        target: &Target,
        proxy: Option<&Proxy>,
        offer: Offer,
        deadline: &Deadline,
    ) -> Result<Opened, NetError> {
        let trust = target.https.then(|| self.trust()).transpose()?;
        connect::open(target, proxy, trust.as_ref().map(|trust| (trust, offer)), deadline).await
    }

    fn trust(&self) -> Result<Arc<Trust>, NetError> {
        self.0.trust.get_or_init(|| Trust::load(self.0.config.ca_file.as_deref()).map(Arc::new)).clone()
    }

    /// One request and one answer; asked once more where the server agrees to HTTP/2 and then wants HTTP/1.1.
    async fn exchange(&self, hop: &Hop, request: &Request, deadline: &Deadline) -> Result<Response, NetError> {
        match self.ask(hop, request, Offer::Http, deadline).await {
            Err(error) if wants_http1(&error) => self.ask(hop, request, Offer::Http1, deadline).await,
            answered => answered,
        }
    }

    /// One request over one connection.
    async fn ask(&self, hop: &Hop, request: &Request, offer: Offer, deadline: &Deadline) -> Result<Response, NetError> {
        let (opened, proxy) = match &request.socket {
            Some(path) => (connect::unix(path, deadline).await?, None),
            None => {
                let proxy = self.0.proxies.pick(&hop.target)?;
                (self.connect(&hop.target, proxy.as_ref(), offer, deadline).await?, proxy)
            }
        };
        let Opened { stream, mut phases, shown } = opened;
        let version = if shown.is_some_and(|s| s.http2) { Version::HTTP_2 } else { Version::HTTP_11 };
        let message = match proxy.filter(|_| !hop.target.https) {
            _ if version == Version::HTTP_2 => hop.message(Form::Two)?,
            Some(proxy) => hop.message(Form::Proxied(&proxy))?,
            None => hop.message(Form::One)?,
        };
        let start = Instant::now();
        let (mut wire, moving) = deadline.hold("waiting for the answer", Wire::open(stream, version)).await?;
        let talk = async {
            let answer = deadline.hold("waiting for the answer", wire.send(message)).await?;
            phases.first_byte = start.elapsed();
            let (parts, body) = answer.into_parts();
            let (body, truncated) = deadline.hold("reading the body", bounded(body, request.max_body)).await?;
            Ok((parts, body, truncated))
        };
        // The connection moves the bytes; when it ends first, the answer is already in hand.
        let talked = match select(pin!(talk), moving).await {
            Either::Left((talked, _)) => talked,
            Either::Right((_, talk)) => talk.await,
        };
        let (parts, body, truncated): (hyper::http::response::Parts, Vec<u8>, bool) = talked?;
        Ok(Response {
            status: parts.status.as_u16(),
            http2: version == Version::HTTP_2,
            headers: parts.headers,
            body,
            truncated,
            phases,
            url: hop.target.url(),
            certificate_ends_at: shown.and_then(|s| s.ends_at),
            chain_ends_at: shown.and_then(|s| s.chain_ends_at),
        })
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new(&NetConfig::default())
    }
}

/// How a request is written.
enum Form<'a> {
    /// As HTTP/1.1.
    One,
    /// As HTTP/1.1, to a proxy that fetches for us.
    Proxied(&'a Proxy),
    /// As HTTP/2.
    Two,
}

/// One request of a chain of redirects.
#[derive(Debug, Clone)]
struct Hop {
    target: Target,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Hop {
    fn first(request: &Request) -> Result<Self, NetError> {
        let target = Target::parse(&request.url)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        if let Some(credentials) = &target.credentials {
            headers.insert(header::AUTHORIZATION, header_value("authorization", &basic(credentials))?);
        }
        let mut own = HeaderMap::new();
        for (name, value) in &request.headers {
            let bad = |_| NetError::Invalid(format!("\"{name}\" is no header name"));
            own.append(HeaderName::from_bytes(name.as_bytes()).map_err(bad)?, header_value(name, value)?);
        }
        headers.extend(own);
        Ok(Self { target, method: request.method.clone(), headers, body: Bytes::from(request.body.clone()) })
    }

    /// Where a redirect leads and how it is asked there (RFC 9110 §15.4); `None` for other answers.
    fn next(&self, response: &Response) -> Result<Option<Self>, NetError> {
        let get = match StatusCode::from_u16(response.status) {
            Ok(StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND) => self.method == Method::POST,
            Ok(StatusCode::SEE_OTHER) => self.method != Method::HEAD,
            Ok(StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) => false,
            _ => return Ok(None),
        };
        let Some(location) = response.headers.get(header::LOCATION).and_then(|l| l.to_str().ok()) else { return Ok(None) };
        let mut next = Self { target: self.target.join(location)?, ..self.clone() };
        if get {
            next.method = Method::GET;
            next.body = Bytes::new();
            next.headers.remove(header::CONTENT_TYPE);
        }
        if !next.target.same_origin(&self.target) {
            for secret in [header::AUTHORIZATION, header::COOKIE, header::HOST] {
                next.headers.remove(secret);
            }
        }
        Ok(Some(next))
    }

    /// The request as it is written.
    fn message(&self, form: Form<'_>) -> Result<hyper::Request<Full<Bytes>>, NetError> {
        let uri = match form {
            Form::One => self.target.path.clone(),
            Form::Proxied(_) => self.target.url(),
            Form::Two => {
                // Whom one means is part of the address (RFC 9113 §8.3.1), also where a header names another one.
                let named = self.headers.get(header::HOST).and_then(|host| host.to_str().ok());
                format!("https://{}{}", named.unwrap_or(&self.target.host_header()), self.target.path)
            }
        };
        let built = hyper::Request::builder().method(self.method.clone()).uri(uri).body(Full::new(self.body.clone()));
        let mut message = built.map_err(|e| NetError::Invalid(e.to_string()))?;
        let headers = message.headers_mut();
        if let Form::Two = form {
            headers.extend(self.headers.clone());
            headers.remove(header::HOST);
            return Ok(message);
        }
        headers.insert(header::HOST, header_value("host", &self.target.host_header())?);
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if let Form::Proxied(Proxy { authorization: Some(value), .. }) = form {
            headers.insert(header::PROXY_AUTHORIZATION, header_value("proxy-authorization", value)?);
        }
        headers.extend(self.headers.clone());
        Ok(message)
    }
}

/// A header's value; the text is not repeated in the error, it may be a secret.
fn header_value(name: &str, text: &str) -> Result<HeaderValue, NetError> {
    HeaderValue::from_str(text)
        .map_err(|_| NetError::Invalid(format!("the value of header \"{name}\" holds a control character")))
}

/// At most `max` bytes of a body, and whether there were more.
async fn bounded(mut body: Incoming, max: usize) -> Result<(Vec<u8>, bool), NetError> {
    let mut out = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(protocol)?.into_data() else { continue };
        let room = max - out.len();
        out.extend(chunk.iter().take(room));
        if chunk.len() > room {
            return Ok((out, true));
        }
    }
    Ok((out, false))
}
