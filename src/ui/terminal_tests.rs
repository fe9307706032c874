//! The screen on a real pseudo-terminal: it is taken and given back on every way out.
//!
//! The child is this test program itself, told by a variable to be the screen.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::fixture::monitor::FakeMonitor;
use super::fixture::snapshot;
use super::input::EventSource;
use super::run::{UiOptions, run};
use super::screen_tests::{Wished, options};
use crate::monitor::Scope;

const ROLE: &str = "FAROL_TEST_SCREEN";

#[test]
fn a_notification_cannot_be_left_by_its_own_text() {
    let bytes = super::terminal::notification("a\x1b]0;own\x07", "b;c\r\n\u{9c}");
    assert_eq!(bytes, b"\x1b]9;a ]0 own \x07\x1b]777;notify;a ]0 own ;b c   \x07\x07");
}

/// Not a test of its own: the screen the others look at.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let options = UiOptions {
        deed: None,
        export: Box::new(move |_, _| {
            assert!(role != "panic", "the screen's own thread panics");
            Err("no disk".to_owned())
        }),
        ..options(&Arc::default(), &Wished::default())
    };
    let (monitor, _) = FakeMonitor::new(Arc::new(snapshot()), Scope::Admin);
    let exit = run(Box::new(monitor), options, EventSource::default());
    println!("ended: {exit:?}");
}

struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    bytes: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    all: Vec<u8>,
}

impl Pty {
    fn open(role: &str) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "ui::terminal_tests::child", "--nocapture", "--test-threads=1"]);
        command.env(ROLE, role);
        command.env("TERM", "xterm-256color");
        command.env("RUST_BACKTRACE", "0");
        let child = pair.slave.spawn_command(command).expect("a child");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let keys = pair.master.take_writer().expect("its input");
        let (sender, bytes) = channel();
        std::thread::spawn(move || {
            let mut block = [0; 65_536];
            while let Ok(n @ 1..) = reader.read(&mut block) {
                if sender.send(block[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, master: pair.master, keys, bytes, screen: vt100::Parser::new(24, 80, 0), all: Vec::new() }
    }

    /// Reads until the screen satisfies `is_there`.
    fn wait(&mut self, what: &str, is_there: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_there(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let block = self.bytes.recv_timeout(left);
            let Ok(block) = block else { panic!("{what}: {}", self.screen.screen().contents()) };
            self.screen.process(&block);
            self.all.extend(block);
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait(text, |s| s.contents().contains(text));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    #[cfg(target_os = "linux")]
    fn wait_until_stopped(&self) {
        let stat = format!("/proc/{}/stat", self.child.process_id().expect("a child"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while !std::fs::read_to_string(&stat).expect("its state").contains(") T ") {
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::yield_now();
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.child.process_id().and_then(|p| i32::try_from(p).ok()).and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a child"), signal).expect("a signal");
    }
}

fn is_given_back(screen: &vt100::Screen) -> bool {
    let has_mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
    !screen.alternate_screen() && !screen.hide_cursor() && !has_mouse && !screen.bracketed_paste()
}

#[test]
fn keys_work_and_quitting_gives_the_terminal_back() {
    let mut pty = Pty::open("run");
    pty.wait_for("postgres -D");
    assert!(pty.screen.screen().alternate_screen() && pty.screen.screen().hide_cursor());
    pty.press("6");
    pty.wait_for("6 Processes");
    pty.master.resize(PtySize { rows: 10, cols: 30, pixel_width: 0, pixel_height: 0 }).expect("another size");
    pty.wait_for("farol needs 40x12");
    pty.press("q");
    pty.wait("the end", is_given_back);
    pty.wait_for("ended: Ok(Quit)");
    assert!(pty.child.wait().expect("an end").success());
}

#[test]
fn a_signal_ends_the_screen_and_gives_the_terminal_back() {
    let mut pty = Pty::open("run");
    pty.wait_for("postgres -D");
    pty.signal(rustix::process::Signal::TERM);
    pty.wait_for("ended: Ok(Stopped)");
    assert!(is_given_back(pty.screen.screen()));
}

#[cfg(target_os = "linux")]
#[test]
fn suspended_the_terminal_is_lent_and_taken_again() {
    let mut pty = Pty::open("run");
    pty.wait_for("postgres -D");
    pty.press("\x1a");
    pty.wait("the terminal is lent", is_given_back);
    pty.wait_until_stopped();
    pty.signal(rustix::process::Signal::CONT);
    pty.wait("it is taken again", |s| s.alternate_screen() && s.contents().contains("postgres -D"));
    pty.press("q");
    pty.wait_for("ended: Ok(Quit)");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let mut pty = Pty::open("panic");
    pty.wait_for("postgres -D");
    pty.press("e\r");
    pty.wait_for("the screen's own thread panics");
    assert!(is_given_back(pty.screen.screen()));
    let text = String::from_utf8_lossy(&pty.all).into_owned();
    let (left, told) = (text.find("\x1b[?1049l"), text.find("thread panics"));
    assert!(left.is_some() && left < told, "{left:?} {told:?}");
    assert!(!pty.child.wait().expect("an end").success());
}

#[test]
fn a_closed_terminal_ends_the_screen() {
    let mut pty = Pty::open("run");
    pty.wait_for("postgres -D");
    // What it still writes ends the thread that reads, which holds the terminal open too.
    pty.press("6");
    let Pty { mut child, master, keys, bytes, .. } = pty;
    drop(bytes);
    drop(keys);
    drop(master);
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().expect("a state").is_none() {
        assert!(Instant::now() < deadline, "it goes on without a terminal");
        std::thread::yield_now();
    }
}
