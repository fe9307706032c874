//! Whole screens from key scripts: what is drawn, whatever is typed and whatever names there are.
//!
//! Invariant: a screen here is made by the same session as one in a terminal.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::color::{Depth, Terminal};
use super::draw::view;
use super::event::UiEvent;
use super::fixture::monitor::{FakeMonitor, Shared, pulse};
use super::fixture::snapshot;
use super::golden::{check_screen, row_text};
use super::input::EventSource;
use super::keymap::Keymap;
use super::memory::Asked;
use super::run::{Manner, Session, Step, UiOptions};
use super::theme::Theme;
use super::widgets::{Graph, Ink};
use super::wish::{ProcessWish, Target};
use crate::model::Snapshot;
use crate::monitor::Scope;

/// A screen on the made-up machine.
pub(crate) struct Screen {
    pub session: Session,
    pub shared: Arc<Mutex<Shared>>,
    pub exported: Arc<Mutex<Vec<(String, String)>>>,
    pub wished: Wished,
    pub last: Step,
}

/// What was done to processes.
pub(crate) type Wished = Arc<Mutex<Vec<(Target, ProcessWish)>>>;

pub(super) fn options(exported: &Arc<Mutex<Vec<(String, String)>>>, wished: &Wished) -> UiOptions {
    let (files, wished) = (Arc::clone(exported), Arc::clone(wished));
    UiOptions {
        theme: Theme::load("dark", None).expect("a theme"),
        terminal: Terminal { depth: Depth::True, ascii: false, dumb: false, links: true },
        graph: Graph::Braille,
        zone: crate::ui::format::Clock::UTC,
        units: Default::default(),
        author: "tom".to_owned(),
        keymap: Keymap::default(),
        keymaps: Box::new(|_| (Keymap::default(), Vec::new())),
        manner: Manner::Screen,
        tour: None,
        deed: Some(Box::new(move |target, wish| {
            wished.lock().expect("one thread").push((target.clone(), wish));
            if target.id.pid == 1 { Err("not permitted".to_owned()) } else { Ok(()) }
        })),
        export: Box::new(move |name, text| {
            files.lock().expect("one thread").push((name.to_owned(), String::from_utf8_lossy(text).into_owned()));
            Ok(PathBuf::from("/tmp").join(name))
        }),
        themes: None,
        layouts: None,
        layout: "default".to_owned(),
        asked: Asked::default(),
        memory: None,
        faults: Vec::new(),
    }
}

impl Screen {
    pub(crate) fn new(size: (u16, u16)) -> Self {
        Self::on(snapshot(), size, Scope::Admin)
    }

    pub(crate) fn on(snapshot: Snapshot, size: (u16, u16), scope: Scope) -> Self {
        let (exported, wished) = (Arc::default(), Wished::default());
        let (monitor, shared) = FakeMonitor::new(Arc::new(snapshot), scope);
        let mut session = Session::new(Box::new(monitor), options(&exported, &wished), size);
        session.begin(&EventSource::default());
        for tick in 0..60 {
            session.state.cpu.observe(&super::fixture::parts::processes_at(tick));
        }
        Self { session, shared, exported, wished, last: Step::GoOn }
    }

    /// Types keys separated by blanks (`2 j enter "some words"`).
    pub(crate) fn keys(mut self, script: &str) -> Self {
        for word in script.split(' ').filter(|w| !w.is_empty()) {
            match word.strip_prefix('"') {
                Some(text) => {
                    for c in text.trim_end_matches('"').replace('_', " ").chars() {
                        self.key(KeyEvent::from(KeyCode::Char(c)));
                    }
                }
                None => {
                    let chord = super::keymap::Chord::parse(word).expect("a key of the script");
                    let held = [("ctrl-", KeyModifiers::CONTROL), ("shift-", KeyModifiers::SHIFT), ("alt-", KeyModifiers::ALT)];
                    let modifiers =
                        held.iter().filter(|(n, _)| word.contains(n)).fold(KeyModifiers::NONE, |all, (_, m)| all | *m);
                    self.key(KeyEvent::new(chord.code(), modifiers));
                }
            }
        }
        self
    }

    fn key(&mut self, key: KeyEvent) {
        self.last = self.session.handle(UiEvent::Key(key));
    }

    pub(crate) fn tick(mut self, numbers: impl IntoIterator<Item = u64>) -> Self {
        self.shared.lock().expect("one thread").pulses.extend(numbers.into_iter().map(pulse));
        self.session.handle(UiEvent::Wake);
        self
    }

    pub(crate) fn buffer(&self, ink: &Ink) -> Buffer {
        let (columns, rows) = self.session.state.size;
        let mut buf = Buffer::empty(Rect::new(0, 0, columns, rows));
        view(&self.session.state, ink, &mut buf);
        buf
    }

    /// The text of all cells, a line a row.
    pub(crate) fn text(&self) -> String {
        let buf = self.buffer(&dark());
        (0..buf.area.height).map(|y| row_text(&buf, y).trim_end().to_owned() + "\n").collect()
    }
}

pub(crate) fn dark() -> Ink {
    Theme::load("dark", None).expect("a theme").ink(Depth::True, Graph::Braille)
}

#[test]
fn below_the_least_size_one_line_says_so() {
    check_screen("", (39, 12), "too-small");
}

#[test]
fn overlays_lie_over_the_page() {
    check_screen("?", (120, 40), "help-120x40");
    check_screen(": \"sil", (80, 24), "palette-80x24");
    check_screen("3 s", (80, 24), "silence-80x24");
    check_screen("left left left", (120, 40), "past-120x40");
}

/// Terminal text for a look at it: `LOOK=folder cargo test look`.
#[test]
fn look() {
    let Some(folder) = std::env::var_os("LOOK").map(PathBuf::from) else { return };
    for (keys, size, name) in [
        ("", (200, 50), "overview-200x50"),
        ("", (120, 40), "overview-120x40"),
        ("", (80, 24), "overview-80x24"),
        ("2 j", (200, 50), "services-200x50"),
        ("3", (200, 50), "alerts-200x50"),
        ("3 enter", (200, 50), "alert-200x50"),
        ("3 enter", (80, 24), "alert-80x24"),
        ("4 j j", (200, 50), "predictions-200x50"),
        ("4", (120, 40), "predictions-120x40"),
        ("4", (80, 24), "predictions-80x24"),
        ("2 j", (120, 40), "services-120x40"),
        ("2 j", (80, 24), "services-80x24"),
        ("2 v j", (200, 50), "grid-200x50"),
        ("3", (120, 40), "alerts-120x40"),
        ("3", (80, 24), "alerts-80x24"),
        ("5 left left", (200, 50), "history-200x50"),
        ("6 enter", (200, 50), "processes-200x50"),
        ("6 t", (120, 40), "tree-120x40"),
        ("6 t j j x j j - j", (200, 50), "tree-200x50"),
        ("6 d d", (120, 40), "signal-120x40"),
        ("6 F2 down down", (80, 24), "columns-80x24"),
        ("?", (200, 50), "help-200x50"),
        (": \"sil", (120, 40), "palette-120x40"),
        ("3 s", (120, 40), "silence-120x40"),
        ("left left left", (120, 40), "past-120x40"),
        ("6 / \"post", (80, 24), "filter-80x24"),
        ("", (100, 30), "overview-100x30"),
        ("", (160, 45), "overview-160x45"),
        ("3 enter", (120, 40), "alert-120x40"),
        ("5 left", (80, 24), "history-80x24"),
        ("", (40, 12), "overview-40x12"),
        ("7", (200, 50), "cpu-200x50"),
        ("8", (200, 50), "memory-200x50"),
        ("9", (200, 50), "disks-200x50"),
        ("0", (200, 50), "network-200x50"),
        ("alt-1", (120, 40), "sensors-120x40"),
        ("alt-2", (120, 40), "units-120x40"),
        ("alt-3", (120, 40), "farol-120x40"),
        ("M", (200, 50), "metrics-200x50"),
        ("M / \"disk_read_bytes\" enter enter o", (200, 50), "metric-200x50"),
        ("7", (80, 24), "cpu-80x24"),
        ("9", (80, 24), "disks-80x24"),
        ("V V V esc", (200, 50), "duty-200x50"),
        ("ctrl-t", (120, 40), "themes-120x40"),
    ] {
        let screen = Screen::new(size).keys(keys);
        for theme in ["dark", "light"] {
            let ink = Theme::load(theme, None).expect("a theme").ink(Depth::True, Graph::Braille);
            let mut painter = super::paint::Painter::new(Rect::new(0, 0, size.0, size.1));
            let bytes = painter.frame(&screen.buffer(&ink), Vec::new());
            std::fs::write(folder.join(format!("{name}-{theme}.ansi")), bytes).expect("a file");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_size_and_no_keys_make_it_panic(columns in 1u16..400, rows in 1u16..120, script in "([0-9jkgGsaftSew?:/@mtIcnp+=zHVBbPMlox.,'*FKuUdJ-] |F9 |F2 |F7 |enter |esc |left |right |home |end |space |tab |down |up |> ){0,14}") {
        let screen = Screen::new((columns, rows)).keys(&script).tick([1]);
        let ink = dark();
        let buf = screen.buffer(&ink);
        prop_assert_eq!(buf.content.len(), usize::from(columns) * usize::from(rows));
    }

    #[test]
    fn hostile_names_shift_nothing(name in "(\\PC|[\u{0}-\u{1f}]|[\u{300}-\u{30f}]|\u{202e}|\u{200d}|日|א|🦀){1,40}") {
        let mut hostile = snapshot();
        let mut host = (*hostile.host).clone();
        host.name.clone_from(&name);
        hostile.host = Arc::new(host);
        hostile.processes = hostile.processes.iter().map(|p| {
            let mut p = (**p).clone();
            p.command = name.as_str().into();
            p.name = name.as_str().into();
            p.user = name.as_str().into();
            Arc::new(p)
        }).collect();
        hostile.services = hostile.services.iter().map(|s| crate::model::ServiceStatus { name: name.clone(), message: name.clone(), ..s.clone() }).collect();
        hostile.alerts = hostile.alerts.iter().map(|a| Arc::new(crate::model::Alert { title: name.clone(), ..(**a).clone() })).collect();
        for size in [(200, 50), (80, 24)] {
            let screen = Screen::on(hostile.clone(), size, Scope::Admin);
            let ink = dark();
            let buf = screen.buffer(&ink);
            for y in 0..size.1 {
                let row = row_text(&buf, y);
                prop_assert!(!row.chars().any(|c| c.is_control() || c == '\u{202e}'), "{row:?}");
                prop_assert_eq!(usize::from(size.0), UnicodeWidthStr::width(row.as_str()), "{:?}", row);
            }
        }
    }
}
