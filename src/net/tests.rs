//! The client against real servers on loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

use super::proxy::Proxies;
use super::*;
use crate::base::Timestamp;

/// What a server does after it read a request.
#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    Endless(&'static str),
    Stall(&'static str),
}

fn text(bytes: impl Into<String>) -> Answer {
    Answer::Bytes(bytes.into().into_bytes())
}

fn ok(body: &str) -> Answer {
    text(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

fn redirect(status: u16, to: &str) -> Answer {
    text(format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"))
}

type Seen = Arc<Mutex<Vec<String>>>;

/// Reads a head and its body, then does as the script says for its first line.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: impl Fn(&str) -> Answer, seen: Seen) {
    let mut request = Vec::new();
    let wanted = loop {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
        if request.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request).to_lowercase();
            break head.lines().find_map(|l| l.strip_prefix("content-length: ").and_then(|n| n.parse().ok())).unwrap_or(0_usize);
        }
    };
    let mut body = vec![0; wanted];
    let _ = stream.read_exact(&mut body).await;
    request.extend(body);
    let request = String::from_utf8_lossy(&request).into_owned();
    let answer = script(request.lines().next().unwrap_or_default());
    seen.lock().unwrap().push(request);
    match answer {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::Endless(head) => {
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        }
        Answer::Stall(head) => {
            let _ = stream.write_all(head.as_bytes()).await;
            std::future::pending().await
        }
    }
}

/// A server on loopback; gives its port and what it was asked.
async fn server(script: impl Fn(&str) -> Answer + Clone + Send + 'static) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let own = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script.clone(), Arc::clone(&own)));
        }
    });
    (port, seen)
}

async fn get(url: String) -> Result<Response, NetError> {
    Client::with_proxies(&NetConfig::default(), Proxies::default()).send(&Request::get(url)).await
}

#[tokio::test]
async fn an_answer_comes_with_status_headers_body_and_phases() {
    let (port, seen) = server(|_| text("HTTP/1.1 404 Not Found\r\nX-A: b\r\nContent-Length: 2\r\n\r\nno")).await;
    let response = get(format!("http://127.0.0.1:{port}/a?b")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.truncated), (404, &b"no"[..], false));
    assert_eq!(response.headers["x-a"], "b");
    assert_eq!((response.phases.dns, response.phases.tls, response.certificate_ends_at), (None, None, None));
    assert!(response.phases.total >= response.phases.connect + response.phases.first_byte);
    let request = seen.lock().unwrap().remove(0).to_lowercase();
    assert!(request.starts_with("get /a?b http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nhost: 127.0.0.1:{port}\r\n")) && request.contains("\r\nuser-agent: farol/"));
}

#[tokio::test]
async fn a_post_carries_its_body_and_headers() {
    let (port, seen) = server(|_| ok("")).await;
    let request =
        Request::post(format!("http://me:pass@127.0.0.1:{port}/hook"), "{\"a\":1}").header("Content-Type", "application/json");
    assert_eq!(Client::default().send(&request).await.unwrap().status, 200);
    let request = seen.lock().unwrap().remove(0);
    assert!(request.starts_with("POST /hook ") && request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
    for header in ["content-length: 7", "content-type: application/json", "authorization: Basic bWU6cGFzcw=="] {
        assert!(request.contains(header), "{header} in {request}");
    }
}

#[tokio::test]
async fn a_header_that_would_break_the_request_is_refused_without_being_shown() {
    let request = Request::get("http://127.0.0.1:1/").header("X-Token", "secret\r\nX: y");
    let error = Client::default().send(&request).await.unwrap_err();
    assert!(matches!(&error, NetError::Invalid(text) if text.contains("X-Token") && !text.contains("secret")), "{error}");
}

#[tokio::test]
async fn a_unix_socket_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move { serve(listener.accept().await.unwrap().0, |_| ok("hello"), Seen::default()).await });
    let client = Client::default();
    let request = Request { socket: Some(path.clone()), ..Request::get("http://localhost/x") };
    assert_eq!(client.send(&request).await.unwrap().body, b"hello");
    let gone = Request { socket: Some(path.with_extension("gone")), ..Request::get("http://localhost/x") };
    assert!(matches!(client.send(&gone).await, Err(NetError::Connect { reason, .. }) if reason == "no such file"));
}

#[tokio::test]
async fn nobody_there_is_said_plainly() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = get(format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to 127.0.0.1:{port}: connection refused"));
}

#[tokio::test]
async fn garbage_is_no_answer() {
    for (bytes, says) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "no HTTP/1"),
        ("", "closed the connection"),
        ("HTTP/1.1 200 OK\r\nContent-Le", "closed the connection"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "closed the connection"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "bad answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "bad answer"),
    ] {
        let (port, _) = server(move |_| text(bytes)).await;
        let error = get(format!("http://127.0.0.1:{port}/")).await.unwrap_err();
        assert!(matches!(error, NetError::Protocol(_)) && error.to_string().contains(says), "{bytes:?}: {error}");
    }
}

#[tokio::test]
async fn an_endless_head_is_given_up() {
    let (port, _) = server(|_| Answer::Endless("HTTP/1.1 200 OK\r\nX: ")).await;
    let error = get(format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert_eq!(error, NetError::Protocol("the head of the answer is too long".to_owned()));
}

#[tokio::test]
async fn an_endless_body_is_cut_at_its_bound() {
    let (port, _) = server(|_| Answer::Endless("HTTP/1.1 200 OK\r\n\r\n")).await;
    let request = Request { max_body: 10_000, ..Request::get(format!("http://127.0.0.1:{port}/")) };
    let response = Client::default().send(&request).await.unwrap();
    assert_eq!((response.body.len(), response.truncated), (10_000, true));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_go_on_is_left_at_the_deadline() {
    for (head, phase) in [("", "waiting for the answer"), ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "reading the body")]
    {
        let (port, _) = server(move |_| Answer::Stall(head)).await;
        let start = tokio::time::Instant::now();
        let error = get(format!("http://127.0.0.1:{port}/")).await.unwrap_err();
        assert_eq!(error.to_string(), format!("no answer within 10 s while {phase}"));
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_shakes_hands_is_left_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = trusting(&ends_in(30)).send(&Request::get(format!("https://localhost:{port}/"))).await.unwrap_err();
    assert_eq!(error, NetError::Timeout { limit: Duration::from_secs(10), phase: "shaking hands" });
}

#[tokio::test]
async fn redirects_are_followed_as_browsers_do() {
    let (port, seen) = server(|line| match line.split(' ').nth(1) {
        Some("/302") => redirect(302, "/end"),
        Some("/307") => redirect(307, "end"),
        _ => ok("end"),
    })
    .await;
    for (from, method) in [("302", "GET"), ("307", "POST")] {
        let request = Request::post(format!("http://127.0.0.1:{port}/{from}"), "body");
        let response = Client::default().send(&request).await.unwrap();
        assert_eq!((response.status, response.url), (200, format!("http://127.0.0.1:{port}/end")));
        let last = seen.lock().unwrap().pop().unwrap();
        assert!(last.starts_with(&format!("{method} /end")), "{last}");
        assert_eq!(last.ends_with("body"), method == "POST");
    }
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let (port, seen) = server(|_| redirect(301, "/again")).await;
    assert_eq!(get(format!("http://127.0.0.1:{port}/")).await.unwrap_err(), NetError::Redirects(5));
    assert_eq!(seen.lock().unwrap().len(), 6);
    let request = Request { max_redirects: 0, ..Request::get(format!("http://127.0.0.1:{port}/")) };
    assert_eq!(Client::default().send(&request).await.unwrap().status, 301);
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let (other, seen) = server(|_| ok("")).await;
    let (port, _) = server(move |_| redirect(302, &format!("http://127.0.0.1:{other}/"))).await;
    let request =
        Request::get(format!("http://127.0.0.1:{port}/")).header("Authorization", "Bearer secret").header("X-Kept", "yes");
    Client::default().send(&request).await.unwrap();
    let request = seen.lock().unwrap().remove(0);
    assert!(request.contains("x-kept: yes") && !request.contains("secret"), "{request}");
}

fn proxied(port: u16, config: &NetConfig) -> Client {
    let proxy = format!("http://user:pw@127.0.0.1:{port}");
    Client::with_proxies(config, Proxies::from(|n| (n == "all_proxy").then(|| proxy.clone())))
}

#[tokio::test]
async fn a_proxy_fetches_plain_http() {
    let (port, seen) = server(|_| ok("from the proxy")).await;
    let response = proxied(port, &NetConfig::default()).send(&Request::get("http://example.test/x")).await.unwrap();
    assert_eq!(response.body, b"from the proxy");
    let request = seen.lock().unwrap().remove(0);
    assert!(request.starts_with("GET http://example.test/x HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("host: example.test\r\n") && request.contains("proxy-authorization: Basic dXNlcjpwdw==\r\n"));
}

#[tokio::test]
async fn a_proxy_that_refuses_a_tunnel_is_named() {
    for (answer, says) in
        [("HTTP/1.1 407 Who are you\r\n\r\n", "407 Who are you"), ("garbage\r\n\r\n", "garbage"), ("", "connection closed")]
    {
        let (port, seen) = server(move |_| text(answer)).await;
        let error = proxied(port, &NetConfig::default()).send(&Request::get("https://example.test/")).await.unwrap_err();
        assert!(matches!(&error, NetError::Connect { address, .. } if address == "example.test:443"), "{error}");
        assert!(error.to_string().contains(says) && !error.to_string().contains("pw"), "{error}");
        assert!(seen.lock().unwrap().remove(0).starts_with("CONNECT example.test:443 HTTP/1.1\r\n"));
    }
}

/// A certificate for localhost and the authority that signed it.
pub(super) struct Issued {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    ca_file: tempfile::NamedTempFile,
    pub(super) ends_at: Timestamp,
}

impl Issued {
    /// What a server shows, and what it signs with.
    pub(super) fn shown(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain.clone(), self.key.clone_key())
    }
}

pub(super) fn ends_in(days: i64) -> Issued {
    issued("localhost", days)
}

fn issued(name: &str, days: i64) -> Issued {
    let mut authority = CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, format!("authority of {name} for {days} days"));
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let start = std::time::SystemTime::now() - Duration::from_secs(86_400 * 1000);
    params.not_before = start.into();
    params.not_after = (start + Duration::from_secs(86_400 * u64::try_from(1000 + days).unwrap())).into();
    let ends_at = Timestamp::from_seconds(params.not_after.unix_timestamp());
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &authority).unwrap();
    let ca_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca_file.path(), pem(authority.der())).unwrap();
    Issued { chain: vec![leaf.der().clone()], key: PrivateKeyDer::Pkcs8(key.serialize_der().into()), ca_file, ends_at }
}

fn pem(der: &CertificateDer<'_>) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", super::url::base64(der))
}

pub(super) fn trusting(issued: &Issued) -> Client {
    let config = NetConfig { ca_file: Some(issued.ca_file.path().to_owned()) };
    Client::with_proxies(&config, Proxies::default())
}

async fn tls_server(issued: &Issued, answer: Answer) -> u16 {
    let served = move |stream| {
        serve(
            stream,
            {
                let answer = answer.clone();
                move |_: &str| answer.clone()
            },
            Seen::default(),
        )
    };
    serve_tls(issued.shown(), &[], served).await
}

#[tokio::test]
async fn https_tells_when_the_certificate_ends() {
    let issued = ends_in(30);
    let port = tls_server(&issued, ok("safe")).await;
    let response = trusting(&issued).send(&Request::get(format!("https://localhost:{port}/"))).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"safe"[..]));
    assert_eq!(response.certificate_ends_at, Some(issued.ends_at));
    assert!(response.phases.tls.is_some() && response.phases.dns.is_some());
}

#[tokio::test]
async fn bad_certificates_are_refused_each_with_its_reason() {
    let (expired, foreign, misnamed) = (ends_in(-1), ends_in(30), issued("elsewhere.test", 30));
    let port = tls_server(&expired, ok("")).await;
    let url = format!("https://localhost:{port}/");
    let error = trusting(&expired).send(&Request::get(&url)).await.unwrap_err();
    let NetError::Tls { reason, certificate_ends_at } = error else { panic!("{error}") };
    assert_eq!((reason, certificate_ends_at), (format!("the certificate expired at {}", expired.ends_at), Some(expired.ends_at)));
    let port = tls_server(&foreign, ok("")).await;
    let error = trusting(&expired).send(&Request::get(format!("https://localhost:{port}/"))).await.unwrap_err();
    assert!(error.to_string().contains("unknown authority"), "{error}");
    let port = tls_server(&misnamed, ok("")).await;
    let error = trusting(&misnamed).send(&Request::get(format!("https://localhost:{port}/"))).await.unwrap_err();
    assert!(error.to_string().contains("not for localhost"), "{error}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_where_the_file_names_it() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).unwrap();
    let mut issued = ends_in(30);
    (issued.chain, issued.key) = (vec![own.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()));
    let port = tls_server(&issued, ok("")).await;
    let request = Request::get(format!("https://localhost:{port}/"));
    assert!(trusting(&issued).send(&request).await.is_err());
    std::fs::write(issued.ca_file.path(), pem(own.der())).unwrap();
    assert_eq!(trusting(&issued).send(&request).await.map(|r| r.status), Ok(200));
    let by_address = Request::get(format!("https://127.0.0.1:{port}/"));
    assert!(trusting(&issued).send(&by_address).await.is_err_and(|e| e.to_string().contains("not for 127.0.0.1")));
}

#[tokio::test]
async fn a_plain_server_is_no_tls_server() {
    let (port, _) = server(|_| ok("plain")).await;
    // The server waits for a blank line, which no handshake holds: it is cut off by the deadline or refuses.
    let request = Request { timeout: Duration::from_millis(200), ..Request::get(format!("https://localhost:{port}/")) };
    assert!(trusting(&ends_in(30)).send(&request).await.is_err());
}

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    let issued = issued("example.test", 30);
    let port = tls_server(&issued, ok("through")).await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = proxy.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = proxy.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    let config = NetConfig { ca_file: Some(issued.ca_file.path().to_owned()) };
    // The name resolves nowhere: only the proxy is asked.
    let response = proxied(at, &config).send(&Request::get("https://example.test/")).await.unwrap();
    assert_eq!(response.body, b"through");
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for (path, says) in
        [(file.path().to_owned(), "holds no PEM certificate"), (file.path().with_extension("gone"), "No such file")]
    {
        let client = Client::with_proxies(&NetConfig { ca_file: Some(path.clone()) }, Proxies::default());
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", port.local_addr().unwrap().port());
        let error = client.send(&Request::get(url)).await.unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()) && error.contains(says), "{error}");
    }
}
