//! HTTP/2 against real servers on loopback.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::tests::{Issued, ends_in, trusting};
use super::*;

/// A server on loopback that agrees to nothing but HTTP/2.
async fn server<F>(issued: &Issued, serve: impl Fn(TlsStream<TcpStream>) -> F + Copy + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    serve_tls(issued.shown(), &[b"h2"], serve).await
}

/// Says what it was asked.
async fn echo(request: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let host = parts.headers.contains_key("host") || parts.headers.contains_key("connection");
    let said = format!("{} {} {:?} {host} {}", parts.method, parts.uri, parts.version, String::from_utf8_lossy(&body));
    let location = if parts.uri.path() == "/old" { "/new" } else { "" };
    let mut answer = Response::new(Full::from(said));
    if !location.is_empty() {
        *answer.status_mut() = hyper::StatusCode::FOUND;
        answer.headers_mut().insert("location", location.parse().unwrap());
    }
    Ok(answer)
}

async fn echoing(stream: TlsStream<TcpStream>) {
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(stream), service_fn(echo)).await;
}

#[tokio::test]
async fn a_server_that_speaks_http2_alone_is_understood() {
    let issued = ends_in(30);
    let port = server(&issued, echoing).await;
    let url = |path: &str| format!("https://localhost:{port}{path}");
    let client = trusting(&issued);
    for (request, said) in [
        (Request::get(url("/a?b=c")), format!("GET https://localhost:{port}/a?b=c HTTP/2.0 false ")),
        (Request::get(url("/old")), format!("GET https://localhost:{port}/new HTTP/2.0 false ")),
        (Request::post(url("/"), "twelve"), format!("POST https://localhost:{port}/ HTTP/2.0 false twelve")),
        (Request::get(url("/")).header("Host", "shop.test"), "GET https://shop.test/ HTTP/2.0 false ".to_owned()),
    ] {
        let response = client.send(&request).await.unwrap();
        assert_eq!((response.status, response.http2), (200, true));
        assert_eq!(String::from_utf8_lossy(&response.body), said);
        assert_eq!(response.certificate_ends_at, Some(issued.ends_at));
        assert!(response.phases.tls.is_some() && response.phases.first_byte > Duration::ZERO);
    }
    let response = client.send(&Request { max_body: 3, ..Request::get(url("/")) }).await.unwrap();
    assert_eq!((response.body.as_slice(), response.truncated), (b"GET".as_slice(), true));
}

#[tokio::test]
async fn garbage_after_http2_was_agreed_is_no_answer() {
    async fn garbage(mut stream: TlsStream<TcpStream>) {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nnothing of the kind").await;
        let _ = stream.shutdown().await;
    }
    let issued = ends_in(30);
    let port = server(&issued, garbage).await;
    let error = trusting(&issued).send(&Request::get(format!("https://localhost:{port}/"))).await.unwrap_err();
    assert!(matches!(error, NetError::Protocol(_)), "{error}");
}

/// Speaks HTTP/1.1; resets each stream of HTTP/2 with HTTP_1_1_REQUIRED, by frames of RFC 9113 §4.1.
async fn old_fashioned(mut stream: TlsStream<TcpStream>) {
    async fn reset(stream: &mut TlsStream<TcpStream>) -> std::io::Result<()> {
        stream.write_all(b"\0\0\0\x04\0\0\0\0\0").await?;
        stream.read_exact(&mut [0; b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()]).await?;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            stream.read_exact(&mut vec![0; length as usize]).await?;
            if head[3] == 1 {
                stream.write_all(b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x0d").await?;
                stream.flush().await?;
            }
        }
    }
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        let _ = reset(&mut stream).await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(echo)).await;
    }
}

#[tokio::test]
async fn a_server_that_agrees_to_http2_and_wants_http1_is_asked_again() {
    let issued = ends_in(30);
    let port = serve_tls(issued.shown(), &[b"h2", b"http/1.1"], old_fashioned).await;
    let url = format!("https://localhost:{port}/");
    for (request, said) in
        [(Request::get(&url), "GET / HTTP/1.1 true "), (Request::post(&url, "twelve"), "POST / HTTP/1.1 true twelve")]
    {
        let response = trusting(&issued).send(&request).await.unwrap();
        assert_eq!((response.status, response.http2), (200, false));
        assert_eq!(String::from_utf8_lossy(&response.body), said);
    }
    // Where it speaks nothing else there is no third time.
    let port = server(&issued, old_fashioned).await;
    let error = trusting(&issued).send(&Request::get(format!("https://localhost:{port}/"))).await.unwrap_err();
    assert!(matches!(error, NetError::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_agrees_to_http2_and_is_silent_is_left_at_the_deadline() {
    async fn silent(mut stream: TlsStream<TcpStream>) {
        let mut seen = [0; 256];
        // What comes first comes after the handshake: from here on no time passes but that of the deadline.
        if stream.read(&mut seen).await.is_ok_and(|n| n > 0) {
            tokio::time::pause();
        }
        while stream.read(&mut seen).await.is_ok_and(|n| n > 0) {}
    }
    let issued = ends_in(30);
    let port = server(&issued, silent).await;
    // More than a busy machine needs for the handshake, which takes real time.
    let timeout = Duration::from_secs(600);
    let request = Request { timeout, ..Request::get(format!("https://localhost:{port}/")) };
    let error = trusting(&issued).send(&request).await.unwrap_err();
    assert_eq!(error, NetError::Timeout { limit: timeout, phase: "waiting for the answer" });
}
