//! The screen in a pseudo-terminal: own engine, handover, several at once, a recorder that dies.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use portable_pty::{Child, CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};

use super::kit::{LIMIT, Place, reloads, until, within};

const SIZE: (u16, u16) = (40, 120);

/// A screen in a terminal of its own.
struct Screen {
    child: Box<dyn Child + Send + Sync>,
    terminal: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    shown: Arc<Mutex<vt100::Parser>>,
}

/// The program in a new terminal, and that terminal.
fn spawn(place: &Place, args: &[&str]) -> (Box<dyn Child + Send + Sync>, PtyPair) {
    let (rows, cols) = SIZE;
    let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_farol"));
    command.env_clear();
    for (name, value) in place.environment() {
        command.env(name, value);
    }
    command.args(args);
    command.arg("--data-dir");
    command.arg(place.data());
    (pair.slave.spawn_command(command).expect("the program starts"), pair)
}

impl Screen {
    fn open(place: &Place, args: &[&str]) -> Self {
        let (rows, cols) = SIZE;
        let (child, pair) = spawn(place, args);
        let shown = Arc::new(Mutex::new(vt100::Parser::new(rows, cols, 0)));
        let mut output = pair.master.try_clone_reader().expect("a terminal");
        let parser = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                parser.lock().expect("no panic").process(&bytes[..n]);
            }
        });
        let keys = pair.master.take_writer().expect("a terminal");
        Self { child, terminal: pair.master, keys, shown }
    }

    fn text(&self) -> String {
        self.shown.lock().expect("no panic").screen().contents()
    }

    #[track_caller]
    fn until(&mut self, what: &str) {
        let seen = within(LIMIT, || self.text().contains(what).then_some(()));
        assert!(seen.is_some(), "no \"{what}\" (ended: {:?}):\n{}", self.child.try_wait(), self.text());
    }

    #[track_caller]
    fn until_not(&mut self, what: &str) {
        let gone = within(LIMIT, || (!self.text().contains(what)).then_some(()));
        assert!(gone.is_some(), "still \"{what}\":\n{}", self.text());
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
        self.keys.flush().expect("a terminal");
    }

    /// Whether keys arrive one by one: the line discipline's ICANON (bit 2) is off.
    fn is_raw(&self) -> bool {
        self.terminal.get_termios().expect("a terminal").local_flags.bits() & 2 == 0
    }

    /// Ends by key and looks at the terminal that is left.
    #[track_caller]
    fn quit(mut self) {
        self.press("q");
        let ended = within(LIMIT, || self.child.try_wait().expect("a child"));
        let ended = ended.unwrap_or_else(|| panic!("it does not end:\n{}", self.text()));
        assert_eq!(ended.exit_code(), 0);
        let restored = within(LIMIT, || {
            let parser = self.shown.lock().expect("no panic");
            (!parser.screen().alternate_screen() && !parser.screen().hide_cursor()).then_some(())
        });
        assert!(restored.is_some() && !self.is_raw(), "the terminal is given back");
        assert_eq!(self.shown.lock().expect("no panic").screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_screen_hands_over_to_a_recorder_and_goes_on_attached() {
    let place = Place::new();
    let mut screen = Screen::open(&place, &["--interval", "200ms"]);
    screen.until("LIVE");
    assert!(screen.shown.lock().expect("no panic").screen().alternate_screen());
    let mut second = Screen::open(&place, &[]);
    second.until("ATTACHED");
    let recorder = place.record(&["--interval", "200ms"]);
    screen.until("ATTACHED");
    // Its questions are answered by the new one.
    second.until("ATTACHED");
    second.quit();
    screen.quit();
    recorder.stop();
    assert!(place.run(&["query", "cpu_usage_ratio", "--last", "2m", "--format", "csv"]).expect(0).out.lines().count() > 1);
}

#[test]
fn a_screen_that_handed_over_takes_over_again_when_the_recorder_dies() {
    let place = Place::new();
    let mut screen = Screen::open(&place, &["--interval", "200ms"]);
    screen.until("LIVE");
    let mut second = Screen::open(&place, &["--interval", "200ms"]);
    second.until("ATTACHED");
    let recorder = place.record(&["--interval", "200ms"]);
    screen.until("ATTACHED");
    second.until_not("LOST");
    recorder.kill();
    screen.until("LOST");
    second.until("LOST");
    screen.press("T");
    screen.until("LIVE");
    second.until("ATTACHED");
    second.until_not("LOST");
    second.quit();
    screen.quit();
    assert_eq!(farol::engine::owner(&place.data()), None);
}

#[test]
fn a_screen_finds_a_recorder_that_listens_elsewhere() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    let first = recorder.wait_ready();
    let mut screen = Screen::open(&place, &[]);
    screen.until("ATTACHED");
    recorder.kill();
    screen.until("LOST");
    let elsewhere = place.path("elsewhere");
    std::fs::create_dir(&elsewhere).expect("made");
    let recorder = place.start_in(&elsewhere, &["--interval", "200ms"]);
    assert_ne!(recorder.wait_ready(), first);
    screen.until("ATTACHED");
    screen.until_not("LOST");
    screen.quit();
    recorder.stop();
}

#[test]
fn a_screen_survives_its_recorder_and_finds_the_next() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    let mut screen = Screen::open(&place, &[]);
    screen.until("ATTACHED");
    recorder.kill();
    screen.until("LOST");
    let recorder = place.record(&["--interval", "200ms"]);
    screen.until("ATTACHED");
    screen.until_not("LOST");
    screen.quit();
    recorder.stop();
}

#[test]
fn a_screen_of_its_own_gives_the_terminal_back() {
    let place = Place::new();
    let mut screen = Screen::open(&place, &["--interval", "200ms"]);
    screen.until("LIVE");
    let raw = within(LIMIT, || screen.is_raw().then_some(()));
    assert!(raw.is_some(), "keys arrive at once");
    screen.quit();
    assert_eq!(farol::engine::owner(&place.data()), None);
}

#[test]
fn a_replay_shows_a_copy_and_leaves_the_file_alone() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    recorder.stop();
    let tape = place.path("tape.redb");
    std::fs::copy(place.data().join("farol.redb"), &tape).expect("copied");
    let before = std::fs::read(&tape).expect("there");
    let mut screen = Screen::open(&place, &["--replay", tape.to_str().expect("plain")]);
    screen.until("REPLAY");
    screen.quit();
    assert_eq!(std::fs::read(&tape).expect("there"), before);
    assert!(
        !place
            .path("home")
            .read_dir()
            .expect("a folder")
            .any(|e| e.is_ok_and(|e| e.file_name().to_string_lossy().starts_with("farol-")))
    );
}

#[test]
fn a_recorder_whose_terminal_is_closed_goes_on() {
    let place = Place::new();
    let (mut child, terminal) = spawn(&place, &["--record", "--interval", "200ms"]);
    let socket = within(LIMIT, || farol::engine::owner(&place.data())?.socket).expect("it records");
    // The hang-up comes with the closing; it reads its configuration again and has nowhere to say so.
    drop(terminal);
    until("the configuration is read again", || reloads(&socket) == 1);
    until("it answers", || place.run(&["status"]).code != Some(3));
    assert!(child.try_wait().expect("a child").is_none());
    farol::remote::ask_once(&farol::remote::Address(socket), farol::monitor::Request::Stop).expect("same user");
    assert_eq!(child.wait().expect("a child").exit_code(), 0);
}
