//! The service that is probed: answers over HTTP on loopback, well, slowly, or not.
//!
//! Writes a line to its log for each request and one a second, as applications do. Invariant: ends with its owner.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::Worker;

/// Connections answered at once; others are closed.
const MOST: u32 = 32;
/// A client that says nothing for so long is left alone.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a hanging answer takes.
const HANG: Duration = Duration::from_secs(3);
/// Seconds a growing delay grows by each second, at severity 1.
pub const GROWTH: f64 = 0.0013;
/// Between two lines of the log.
const BEAT: Duration = Duration::from_secs(1);

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Behavior {
    /// At once.
    Well,
    /// Later and later since then, by 1.3 ms times `severity` each second.
    Slower {
        /// Since when.
        since: Instant,
        /// How hard.
        severity: f64,
    },
    /// After three seconds.
    Hangs,
    /// With status 500.
    Fails,
}

impl Behavior {
    /// How long an answer takes now.
    fn delay(self) -> Duration {
        match self {
            Self::Well | Self::Fails => Duration::ZERO,
            Self::Slower { since, severity } => Duration::from_secs_f64(GROWTH * severity * since.elapsed().as_secs_f64()),
            Self::Hangs => HANG,
        }
    }
}

struct Shared {
    behavior: Mutex<Behavior>,
    ended: AtomicBool,
    open: AtomicU32,
}

/// A running service; ends when dropped.
pub struct Service {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Service {
    /// Starts it on a free port of loopback, with its log there.
    ///
    /// # Errors
    /// No port, no log, no thread.
    pub fn start(log: &Path) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Shared { behavior: Mutex::new(Behavior::Well), ended: AtomicBool::new(false), open: AtomicU32::new(0) };
        let shared = Arc::new(shared);
        let mut log = OpenOptions::new().create(true).append(true).open(log)?;
        let beating = Arc::clone(&shared);
        Worker::spawn("service-log", move |_| {
            while !beating.ended.load(Ordering::Relaxed) && writeln!(log, "info: served").is_ok() {
                std::thread::park_timeout(BEAT);
            }
        })?;
        let serving = Arc::clone(&shared);
        Worker::spawn("service", move |_| {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.ended.load(Ordering::Relaxed) {
                    return;
                }
                if serving.open.fetch_add(1, Ordering::Relaxed) >= MOST {
                    serving.open.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                let shared = Arc::clone(&serving);
                // No thread: the client is not answered.
                let _ = Worker::spawn("service-answer", move |_| {
                    let _ = shared.answer(stream);
                    shared.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        })?;
        Ok(Self { shared, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it answers from now on.
    pub fn behave(&self, behavior: Behavior) {
        *self.shared.behavior.lock().unwrap_or_else(PoisonError::into_inner) = behavior;
    }
}

impl Shared {
    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let behavior = *self.behavior.lock().unwrap_or_else(PoisonError::into_inner);
        let due = Instant::now() + behavior.delay();
        while Instant::now() < due && !self.ended.load(Ordering::Relaxed) {
            std::thread::park_timeout(due.saturating_duration_since(Instant::now()).min(Duration::from_millis(200)));
        }
        let (status, body) = if behavior == Behavior::Fails { ("500 Internal Server Error", "no") } else { ("200 OK", "ok") };
        write!(reader.get_mut(), "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{body}")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes whoever accepts.
        drop(TcpStream::connect(self.address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn asked(service: &Service) -> String {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn it_answers_as_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::start(&folder.path().join("log")).unwrap();
        assert!(asked(&service).starts_with("HTTP/1.1 200"));
        service.behave(Behavior::Fails);
        assert!(asked(&service).starts_with("HTTP/1.1 500"));
        let since = Instant::now().checked_sub(Duration::from_secs(100)).unwrap();
        service.behave(Behavior::Slower { since, severity: 1.0 });
        let before = Instant::now();
        assert!(asked(&service).starts_with("HTTP/1.1 200"));
        assert!(before.elapsed() >= Duration::from_millis(130));
    }
}
