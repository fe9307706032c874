//! Connections: name lookup, TCP, Unix sockets, a proxy's tunnel, TLS on top.
//!
//! Each step is timed and ends at the deadline. Invariant: a stream that is dropped closes its socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::proxy::Proxy;
use super::tls::{Offer, Shown, Trust};
use super::url::Target;
use super::{NetError, Phases};

/// What bytes go in and out of.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection, whatever it runs over.
pub type Stream = Box<dyn Duplex>;

/// An open connection.
pub struct Opened {
    /// The connection.
    pub stream: Stream,
    /// How long it took; nothing was sent yet, so `first_byte` and `total` are zero.
    pub phases: Phases,
    /// What the server showed of its certificates; `None` without TLS.
    pub shown: Option<Shown>,
}

/// When everything must be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    limit: Duration,
    at: Instant,
}

impl Deadline {
    /// From now on.
    pub fn after(limit: Duration) -> Self {
        Self { limit, at: Instant::now() + limit }
    }

    /// Runs one step, or says in which the time was over.
    ///
    /// # Errors
    /// The step's own, or `Timeout`.
    pub async fn hold<T>(&self, phase: &'static str, step: impl Future<Output = Result<T, NetError>>) -> Result<T, NetError> {
        timeout_at(self.at, step).await.unwrap_or(Err(NetError::Timeout { limit: self.limit, phase }))
    }
}

/// Connects to `host:port`, trying each of the name's addresses in turn.
///
/// # Errors
/// No such name, nobody there, or the time was over.
pub async fn connect_tcp(host: &str, port: u16, timeout: Duration) -> Result<(TcpStream, Phases), NetError> {
    tcp(host, port, &Deadline::after(timeout)).await
}

/// [`connect_tcp`] with the time that is left.
pub async fn tcp(host: &str, port: u16, deadline: &Deadline) -> Result<(TcpStream, Phases), NetError> {
    let mut phases = Phases::default();
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => {
            let start = Instant::now();
            let found = deadline.hold("looking up the name", lookup(host, port)).await?;
            phases.dns = Some(start.elapsed());
            found
        }
    };
    let start = Instant::now();
    let stream = deadline.hold("connecting", first_of(&addresses, deadline, host, port)).await?;
    phases.connect = start.elapsed();
    Ok((stream, phases))
}

/// The addresses of a name, with a port; those of an address are itself.
///
/// # Errors
/// The system knows no such name.
pub async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, NetError> {
    let failed = |reason: String| NetError::Resolve { host: host.to_owned(), reason };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(|e| failed(plain(&e)))?.collect();
    if found.is_empty() { Err(failed("it has no address".to_owned())) } else { Ok(found) }
}

/// The first address that answers; each gets an equal share of the time that is left.
async fn first_of(addresses: &[SocketAddr], deadline: &Deadline, host: &str, port: u16) -> Result<TcpStream, NetError> {
    let failed = |reason: String| NetError::Connect { address: format!("{host}:{port}"), reason };
    let mut last = failed("it has no address".to_owned());
    for (at, address) in addresses.iter().enumerate() {
        let left = deadline.at.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        // The last one waits for the deadline itself, which names the step.
        let until = if others == 1 { deadline.at + Duration::from_secs(1) } else { Instant::now() + left / others };
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Small requests must not wait for an acknowledgment; the option fails only on a dead socket.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = failed(plain(&error)),
            Err(_) => last = failed("no answer".to_owned()),
        }
    }
    Err(last)
}

/// Connects to a Unix socket.
pub async fn unix(path: &Path, deadline: &Deadline) -> Result<Opened, NetError> {
    let start = Instant::now();
    let connect = async {
        let connected = super::connect_local(path).await;
        connected.map_err(|e| NetError::Connect { address: path.display().to_string(), reason: plain(&e) })
    };
    let stream = deadline.hold("connecting", connect).await?;
    let phases = Phases { connect: start.elapsed(), ..Phases::default() };
    Ok(Opened { stream: Box::new(stream), phases, shown: None })
}

/// Connects to a target, through the proxy's tunnel where there is one and TLS is spoken.
pub async fn open(
    target: &Target,
    proxy: Option<&Proxy>,
    trust: Option<(&Arc<Trust>, Offer)>,
    deadline: &Deadline,
) -> Result<Opened, NetError> {
    let hop = proxy.map_or(target, |p| &p.target);
    let (mut stream, mut phases) = tcp(&hop.host, hop.port, deadline).await?;
    let Some((trust, offer)) = trust else {
        return Ok(Opened { stream: Box::new(stream), phases, shown: None });
    };
    if let Some(proxy) = proxy {
        let start = Instant::now();
        deadline.hold("waiting for the proxy", tunnel(&mut stream, target, proxy)).await?;
        phases.connect += start.elapsed();
    }
    let start = Instant::now();
    let (stream, shown) = deadline.hold("shaking hands", trust.handshake(stream, &target.host, offer)).await?;
    phases.tls = Some(start.elapsed());
    Ok(Opened { stream: Box::new(stream), phases, shown: Some(shown) })
}

/// Longest answer of a proxy to CONNECT that is read; the usual ones have a hundred bytes.
const MAX_TUNNEL_HEAD: usize = 8 * 1024;

/// Asks a proxy for a tunnel (RFC 9110 §9.3.6).
async fn tunnel(stream: &mut TcpStream, target: &Target, proxy: &Proxy) -> Result<(), NetError> {
    let refused = |reason: String| NetError::Connect {
        address: target.address(),
        reason: format!("proxy {}: {reason}", proxy.target.address()),
    };
    let mut head = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target.address());
    if let Some(value) = &proxy.authorization {
        head.push_str(&format!("Proxy-Authorization: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.map_err(|e| refused(plain(&e)))?;
    let mut answer = Vec::new();
    // Byte by byte: what follows the head is the server's.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_TUNNEL_HEAD {
            return Err(refused("its answer does not end".to_owned()));
        }
        match stream.read_u8().await {
            Ok(byte) => answer.push(byte),
            Err(error) => return Err(refused(plain(&error))),
        }
    }
    let line = String::from_utf8_lossy(&answer);
    let line = line.lines().next().unwrap_or_default();
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split_whitespace().nth(1));
    if status.is_some_and(|s| s.len() == 3 && s.starts_with('2')) { Ok(()) } else { Err(refused(line.trim().to_owned())) }
}

/// An error of the system without its number.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "connection closed".to_owned(),
        io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}
