//! The event loop: waits for an event, updates, does what is to be done, draws what changed.
//!
//! It sleeps in one place and never ticks: a frame is sent when a pulse, a key, an answer or another
//! size changed a cell. Invariant: only this loop talks to the monitor and to the terminal.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::Timestamp;
use crate::monitor::{Answer, Monitor, Refusal, Ticket};

use super::color::Terminal;
use super::draw::{view, view_noting};
use super::event::{Changed, Effect, Purpose, UiEvent};
use super::format::Clock;
use super::input::{EventSource, stop_process};
use super::keymap::Keymap;
use super::layout::Layout;
use super::memory::{Asked, Remembered};
use super::overlay::{Toast, Tone};
use super::paint::{Link, Painter};
use super::pane::{Seen, Target};
use super::state::{Look, UiState, View};
use super::terminal::{Guard, clipboard, notification, send};
use super::theme::Theme;
use super::update::{start, update};
use super::widgets::units::Units;
use super::widgets::{Graph, Ink};
use super::wish::Deed;

/// Frames that pulses alone cause are at least this far apart (at most six wake-ups a second).
const PAUSE: Duration = Duration::from_millis(170);
/// A slow line gets a frame at least this often.
const SLOWEST: Duration = Duration::from_secs(10);
/// The first frame waits this long for the charts' history, so that they are full at once.
const PATIENCE: Duration = Duration::from_millis(40);

/// Makes the keymap of a name, and says what is wrong in it.
pub type Keymaps = Box<dyn Fn(&str) -> (Keymap, Vec<String>)>;

/// Writes a report's text under a name; gives the path, or why it could not.
pub type Export = Box<dyn FnMut(&str, &[u8]) -> Result<PathBuf, String>>;

/// What the screen is told by whoever starts it.
pub struct UiOptions {
    /// Colors.
    pub theme: Theme,
    /// What the terminal can show.
    pub terminal: Terminal,
    /// What graphs are made of; ASCII where the terminal has nothing else.
    pub graph: Graph,
    /// Zone of all times shown, and how hours are counted.
    pub zone: Clock,
    /// How sizes and temperatures are written.
    pub units: Units,
    /// Who decides here.
    pub author: String,
    /// Which keys do what.
    pub keymap: Keymap,
    /// A keymap by its name, and what is wrong with it.
    pub keymaps: Keymaps,
    /// Writes reports.
    pub export: Export,
    /// The user's folder of themes.
    pub themes: Option<PathBuf>,
    /// The user's folder of layouts.
    pub layouts: Option<PathBuf>,
    /// Name of the layout to begin with.
    pub layout: String,
    /// What of these somebody asked for, whatever is remembered.
    pub asked: Asked,
    /// The file in which it is remembered how the screen was arranged.
    pub memory: Option<PathBuf>,
    /// What is wrong with the user's own files, for a word at the start.
    pub faults: Vec<String>,
    /// A screen or lines.
    pub manner: Manner,
    /// The file to be written once the tour was seen; `None` where it was.
    pub tour: Option<PathBuf>,
    /// Does something to processes; `None` where they are not of this machine.
    pub deed: Option<Deed>,
}

impl std::fmt::Debug for UiOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UiOptions").field("theme", &self.theme.name()).field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

impl UiOptions {
    /// Styles for this terminal.
    pub fn ink(&self) -> Ink {
        let graph = if self.terminal.ascii { Graph::Ascii } else { self.graph };
        self.theme.ink(self.terminal.depth, graph)
    }
}

/// How the machine is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// A full screen.
    Screen,
    /// Lines, one after the other.
    Lines,
}

/// Why the screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Somebody quit.
    Quit,
    /// A signal asked to end.
    Stopped,
    /// The terminal is gone.
    Closed,
}

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// The terminal cannot move its cursor.
    #[error(
        "this terminal (TERM is empty or \"dumb\") cannot show a screen; use `farol --plain`, `farol status` or `farol alerts`"
    )]
    Dumb,
    /// The terminal refuses.
    #[error("the terminal cannot be used: {0}; use `farol status` or `farol alerts`")]
    Terminal(#[from] io::Error),
}

/// Shows the machine until somebody quits. The waker of `events` must be what the monitor calls.
///
/// # Errors
/// A terminal that cannot show a screen.
pub fn run(monitor: Box<dyn Monitor>, options: UiOptions, events: EventSource) -> Result<Exit, UiError> {
    if options.manner == Manner::Lines {
        return Ok(super::plain::run(monitor, &options.zone, &events)?);
    }
    if options.terminal.dumb {
        return Err(UiError::Dumb);
    }
    let size = crossterm::terminal::size()?;
    let mut session = Session::new(monitor, options, size);
    session.begin(&events);
    let guard = Guard::take(&format!("farol {}", session.state.live.host.name))?;
    events.listen()?;
    // A terminal that is gone is a normal end: somebody closed the window.
    let exit = session.go_on(&events, &guard).unwrap_or(Exit::Closed);
    session.remember();
    Ok(exit)
}

/// What came of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    GoOn,
    Suspend,
    End(Exit),
}

/// One screen on one monitor.
pub(super) struct Session {
    monitor: Box<dyn Monitor>,
    options: UiOptions,
    ink: Ink,
    pub(super) state: UiState,
    painter: Painter,
    canvas: Buffer,
    /// Bytes for the terminal that are not cells, sent with the next frame.
    extra: Vec<u8>,
    /// Questions without an answer; `None`: it is not needed any more.
    asked: Vec<(Option<Purpose>, Ticket)>,
}

impl Session {
    pub(super) fn new(monitor: Box<dyn Monitor>, options: UiOptions, size: (u16, u16)) -> Self {
        let area = Rect::new(0, 0, size.0, size.1);
        let mut state = UiState::new(size, options.zone.clone());
        state.units = options.units;
        state.author.clone_from(&options.author);
        state.keymap = Arc::new(options.keymap.clone());
        state.reaches_processes = options.deed.is_some();
        state.tour = options.tour.as_ref().map(|_| 0);
        let ink = options.ink();
        let (layouts, of_layouts) = Layout::all(options.layouts.as_deref(), &super::panes::unknown_pane);
        let faults: Vec<String> = options.faults.iter().cloned().chain(of_layouts.iter().map(ToString::to_string)).collect();
        state.layout_at = layouts.iter().position(|l| l.name == options.layout).unwrap_or(0);
        state.layouts = layouts.into();
        state.themes = Theme::names(options.themes.as_deref()).into();
        state.look = Look { theme: options.theme.name().to_owned(), graph: ink.graph };
        let remembered = options.memory.as_deref().map(Remembered::read).unwrap_or_default().without(options.asked);
        remembered.apply(&mut state);
        let mut ink = ink;
        if remembered.theme.is_some()
            && let Ok(theme) = Theme::load(&state.look.theme, options.themes.as_deref())
        {
            ink = theme.ink(options.terminal.depth, ink.graph);
        }
        if let Some(fault) = faults.first() {
            let more = faults.len() - 1;
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            state.toast = Some(Toast { text: format!("{fault}{more}"), tone: Tone::Warning, at: Timestamp::default(), seen: 0 });
        }
        Self {
            monitor,
            options,
            ink,
            state,
            painter: Painter::new(area),
            canvas: Buffer::empty(area),
            asked: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// Takes the present, asks for history, and waits a moment for it.
    pub(super) fn begin(&mut self, events: &EventSource) {
        self.fetch();
        let effects = start(&self.state);
        self.perform(effects);
        let deadline = Instant::now() + PATIENCE;
        let waits = |s: &Self| s.asked.iter().any(|(p, _)| *p == Some(Purpose::Charts));
        self.answers();
        while waits(self) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            match events.next(Some(left)) {
                Some(UiEvent::Wake) => {
                    self.fetch();
                    self.answers();
                }
                // Anything else comes first in the loop.
                Some(other) => {
                    let _ = events.sender().send(other);
                    return;
                }
                None => return,
            }
        }
    }

    /// Keeps how the screen is arranged; where that cannot be written it is arranged anew the next time.
    fn remember(&self) {
        if let Some(path) = &self.options.memory {
            let now = Remembered::of(&self.state, self.options.theme.name());
            if now != Remembered::read(path) {
                let _ = now.write(path);
            }
        }
    }

    fn go_on(&mut self, events: &EventSource, guard: &Guard) -> io::Result<Exit> {
        let mut drawn = Instant::now();
        let mut pause = PAUSE;
        self.draw(&mut |bytes| send(bytes))?;
        loop {
            let mut event = events.next(None);
            if matches!(event, Some(UiEvent::Wake)) && self.asked.is_empty() {
                event = self.gather(events, pause.saturating_sub(drawn.elapsed()));
            }
            while let Some(next) = event {
                if matches!(next, UiEvent::Resumed) {
                    guard.enter()?;
                }
                match self.handle(next) {
                    Step::GoOn => {}
                    Step::Suspend => {
                        guard.lend(stop_process)?;
                        self.painter.forget();
                        let (columns, rows) = crossterm::terminal::size()?;
                        self.handle(UiEvent::Resize(columns, rows));
                    }
                    Step::End(exit) => return Ok(exit),
                }
                event = events.next(Some(Duration::ZERO));
            }
            let begun = Instant::now();
            self.draw(&mut |bytes| send(bytes))?;
            drawn = Instant::now();
            // A line that takes long for a frame gets fewer: a quarter of its time at most, and one in ten seconds at least.
            pause = (begun.elapsed() * 4).clamp(PAUSE, SLOWEST);
        }
    }

    /// Waits until pulses may be drawn again; a key in between is not kept waiting.
    fn gather(&mut self, events: &EventSource, pause: Duration) -> Option<UiEvent> {
        let deadline = Instant::now() + pause;
        while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
            match events.next(Some(left)) {
                Some(UiEvent::Wake) => {}
                Some(other) => {
                    self.handle(UiEvent::Wake);
                    return Some(other);
                }
                None => break,
            }
        }
        Some(UiEvent::Wake)
    }

    /// Updates by one event and does what follows from it.
    pub(super) fn handle(&mut self, event: UiEvent) -> Step {
        match event {
            UiEvent::Wake => {
                self.fetch();
                self.answers();
                Step::GoOn
            }
            UiEvent::Stop => Step::End(Exit::Stopped),
            UiEvent::Closed => Step::End(Exit::Closed),
            other => {
                let effects = update(&mut self.state, other);
                let step = self.perform(effects);
                // Some monitors answer at once.
                self.answers();
                step
            }
        }
    }

    /// Takes what the monitor has that is new.
    fn fetch(&mut self) {
        let changes = self.monitor.changed();
        for notice in changes.pulses.iter().flat_map(|p| &p.notices) {
            self.extra.extend(notification(&notice.title, &notice.text));
        }
        let changed = Changed {
            snapshot: self.monitor.snapshot(),
            pulses: changes.pulses,
            lagged: changes.lagged,
            link: self.monitor.link(),
            scope: self.monitor.scope(),
        };
        let effects = update(&mut self.state, UiEvent::Changed(changed));
        self.perform(effects);
    }

    /// Takes the answers that are there.
    fn answers(&mut self) {
        let mut came: Vec<(Purpose, Result<Answer, Refusal>)> = Vec::new();
        let monitor = &mut self.monitor;
        self.asked.retain(|(purpose, ticket)| match monitor.poll(*ticket) {
            Some(answer) => {
                came.extend(purpose.clone().map(|p| (p, answer)));
                false
            }
            None => true,
        });
        for (purpose, answer) in came {
            let effects = update(&mut self.state, UiEvent::Answered(purpose, answer));
            self.perform(effects);
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Step {
        let mut step = Step::GoOn;
        for effect in effects {
            match effect {
                Effect::Ask(purpose, request) => {
                    for (old, _) in &mut self.asked {
                        if old.as_ref().is_some_and(|o| o.is_replaced_by(&purpose)) {
                            *old = None;
                        }
                    }
                    let ticket = self.monitor.ask(request);
                    self.asked.push((Some(purpose), ticket));
                }
                Effect::Export(name, bytes) => {
                    let result = (self.options.export)(&name, &bytes).map(|path| path.display().to_string());
                    let more = update(&mut self.state, UiEvent::Exported(result));
                    self.perform(more);
                }
                Effect::Picture(kind, name) => {
                    let text = self.picture(kind);
                    let result = (self.options.export)(&name, text.as_bytes()).map(|path| path.display().to_string());
                    let more = update(&mut self.state, UiEvent::Exported(result));
                    self.perform(more);
                }
                Effect::TourSeen => {
                    if let Some(path) = self.options.tour.take() {
                        // Where it cannot be kept the tour comes again; nothing else depends on it.
                        let _ = path.parent().map(std::fs::create_dir_all);
                        let _ = std::fs::write(path, b"");
                    }
                }
                Effect::Wish(target, wish) => {
                    let result = match &mut self.options.deed {
                        Some(deed) => deed(&target, wish),
                        None => Err("it is not a process of this machine".to_owned()),
                    };
                    let more = update(&mut self.state, UiEvent::Wished(target, wish, result));
                    self.perform(more);
                }
                Effect::Repaint => self.painter.forget(),
                Effect::Look(look) => self.look(look),
                Effect::Keymap(name) => self.keymap(&name),
                Effect::Copy(text) => self.extra.extend(clipboard(&text)),
                Effect::Suspend => step = Step::Suspend,
                Effect::Quit => return Step::End(Exit::Quit),
            }
        }
        step
    }

    /// Draws into a buffer; gives the links in it, where the terminal knows them and nothing lies over them.
    fn paint(&self, next: &mut Buffer) -> Vec<Link> {
        if !self.options.terminal.links || self.state.view != View::Services || !self.state.overlays.is_empty() {
            view(&self.state, &self.ink, next);
            return Vec::new();
        }
        let seen = Seen::default();
        view_noting(&self.state, &self.ink, next, Some(&seen));
        let links = seen.into_inner().into_iter().filter_map(|(area, target)| match target {
            Target::Link(address) => Some((area, address)),
            _ => None,
        });
        links.collect()
    }

    /// Draws, and sends what changed; nothing where nothing did.
    pub(super) fn draw(&mut self, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let area = Rect::new(0, 0, self.state.size.0, self.state.size.1);
        let mut next = std::mem::take(&mut self.canvas);
        next.resize(area);
        next.reset();
        let links = self.paint(&mut next);
        let bytes = self.painter.frame(&next, links);
        self.canvas = next;
        let mut extra = std::mem::take(&mut self.extra);
        extra.extend(bytes);
        if extra.is_empty() { Ok(()) } else { out(&extra) }
    }
}

#[path = "run_looks.rs"]
mod looks;

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
