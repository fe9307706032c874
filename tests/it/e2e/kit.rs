//! What all end-to-end tests need: a folder of their own, the built program in it, and waiting for conditions.
//!
//! Nothing here asserts anything about farol but that it starts. Invariant: no test sees the user's own
//! configuration, history or runtime folder.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for anything: two busy cores are slow, not wrong.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A folder with everything one test may touch; removed at the end.
pub struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("farol-e2e-").tempdir().expect("a temporary folder");
        for name in ["data", "run", "home"] {
            std::fs::create_dir(root.path().join(name)).expect("made");
        }
        Self { root }
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// The program with an environment of its own and no data folder named.
    pub fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
        self.surround(&mut command);
        command.args(args).stdin(Stdio::null());
        command
    }

    fn surround(&self, command: &mut Command) {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in self.environment() {
            command.env(name, value);
        }
    }

    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |p: PathBuf| p.display().to_string();
        vec![
            ("HOME", text(self.path("home"))),
            ("XDG_RUNTIME_DIR", text(self.path("run"))),
            ("TMPDIR", text(self.path("home"))),
            ("TZ", "UTC".to_owned()),
            ("USER", "tester".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("COLORTERM", "truecolor".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
        ]
    }

    /// The program on this place's data folder.
    pub fn farol(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command.arg("--data-dir").arg(self.data());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.farol(args))
    }

    /// Starts a recorder and waits until it is ready.
    pub fn record(&self, args: &[&str]) -> Recorder {
        let recorder = self.start(args);
        recorder.wait_ready();
        recorder
    }

    /// Starts a recorder.
    pub fn start(&self, args: &[&str]) -> Recorder {
        self.start_in(&self.path("run"), args)
    }

    /// Starts a recorder whose runtime folder is another one.
    pub fn start_in(&self, runtime: &Path, args: &[&str]) -> Recorder {
        let mut command = self.farol(&["--record"]);
        command.args(args).env("XDG_RUNTIME_DIR", runtime);
        self.spawn(&mut command, self.path("log"))
    }

    /// Starts what is a recorder, with a log of its own.
    pub fn spawn(&self, command: &mut Command, log: PathBuf) -> Recorder {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log file");
        let child = command.stdout(Stdio::null()).stderr(file).spawn().expect("the program starts");
        Recorder { child, data: self.data(), log }
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Asserts the exit code and gives the output.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Asserts one clear message: a single line that begins with the program's name and holds all `parts`.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        let lines: Vec<&str> = self.err.lines().filter(|l| !l.trim().is_empty()).collect();
        assert_eq!(lines.len(), 1, "one message: {}", self.err);
        assert!(lines[0].starts_with("farol: "), "{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "\"{part}\" is not in: {}", self.err);
        }
        self
    }
}

pub fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// A recorder of this test; killed when dropped.
pub struct Recorder {
    pub child: Child,
    data: PathBuf,
    log: PathBuf,
}

impl Recorder {
    /// Where it listens, once it does.
    pub fn socket(&self) -> Option<PathBuf> {
        let owner = farol::engine::owner(&self.data)?;
        (owner.pid == self.child.id()).then_some(owner.socket).flatten()
    }

    #[track_caller]
    pub fn wait_ready(&self) -> PathBuf {
        let mut seen = String::new();
        let ready = || {
            let socket = self.socket()?;
            seen = http(&socket, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            seen.starts_with("HTTP/1.1 200").then_some(socket)
        };
        match within(LIMIT, ready) {
            Some(socket) => socket,
            None => panic!("the recorder is not ready: {seen}\n{}", self.log()),
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it lives");
    }

    /// Waits for the end; gives the exit code, `None` for a signal.
    #[track_caller]
    pub fn wait(&mut self) -> Option<i32> {
        let ended = within(LIMIT, || self.child.try_wait().expect("a child"));
        ended.unwrap_or_else(|| panic!("the recorder does not end\n{}", self.log())).code()
    }

    /// Ends it well.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal(rustix::process::Signal::TERM);
        assert_eq!(self.wait(), Some(0), "{}", self.log());
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("it lives");
        let _ = self.child.wait();
    }

    #[track_caller]
    pub fn assert_lives(&mut self) {
        assert_eq!(self.child.try_wait().expect("a child"), None, "the recorder ended\n{}", self.log());
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something or the time is over.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Waits for a condition.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    assert!(within(LIMIT, || condition().then_some(())).is_some(), "gave up waiting: {what}");
}

/// Sends raw bytes to a socket and gives all that comes back.
pub fn http(socket: &Path, request: &str) -> String {
    exchange(socket, request.as_bytes())
}

pub fn exchange(socket: &Path, bytes: &[u8]) -> String {
    let Ok(mut stream) = UnixStream::connect(socket) else { return String::new() };
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    stream.set_write_timeout(Some(Duration::from_secs(20))).expect("a socket");
    // The other side may hang up in the middle.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub fn get(socket: &Path, path: &str) -> String {
    http(socket, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

/// How often an engine read its configuration again, as its journal has it.
pub fn reloads(socket: &Path) -> usize {
    let (from, to) = (farol::base::Timestamp(0), farol::base::Timestamp(i64::MAX));
    let request = farol::monitor::Request::Journal { range: farol::base::TimeRange { from, to } };
    let Ok(farol::monitor::Answer::Journal { entries }) =
        farol::remote::ask_once(&farol::remote::Address(socket.to_owned()), request)
    else {
        return 0;
    };
    let read = |e: &&farol::model::JournalEntry| matches!(&e.event, farol::model::JournalEvent::Notice { text } if text.starts_with("configuration read again"));
    entries.iter().filter(read).count()
}

/// Whether this process may mount and change users.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
