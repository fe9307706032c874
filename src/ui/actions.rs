//! Everything that can be done on the screen: one row each.
//!
//! Keys, hints, help, palette and the README's table of keys come from [`ACTIONS`] and from nowhere
//! else. Invariant: on one page a key does one thing, the first enabled row that has it.

pub use super::act::{Act, Fold, Set, Verity};
use super::state::{SortColumn, UiState, View};
use crate::monitor::Scope;

/// Pages on which an action can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// All.
    Anywhere,
    /// These.
    On(&'static [View]),
    /// All but these.
    But(&'static [View]),
}

impl Place {
    /// Whether a page is one of them.
    pub fn has(self, view: View) -> bool {
        match self {
            Self::Anywhere => true,
            Self::On(views) => views.contains(&view),
            Self::But(views) => !views.contains(&view),
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Its name in a keymap (`silence`).
    pub id: &'static str,
    /// What is done.
    pub act: Act,
    /// Keys, the first is the one shown (`ctrl-u`).
    pub keys: &'static [&'static str],
    /// Where.
    pub place: Place,
    /// Word beside the key on the last line; empty: only in the help.
    pub hint: &'static str,
    /// One line for the help and the palette.
    pub help: &'static str,
    /// Whether it can be done now.
    pub enabled: fn(&UiState) -> bool,
}

fn always(_: &UiState) -> bool {
    true
}

fn operates(state: &UiState) -> bool {
    state.scope >= Scope::Operate
}

fn on_an_alert(state: &UiState) -> bool {
    operates(state) && state.chosen_alert().is_some()
}

fn has_alert(state: &UiState) -> bool {
    state.chosen_alert().is_some()
}

fn on_a_silenced_alert(state: &UiState) -> bool {
    operates(state) && state.chosen_alert().is_some_and(|a| !a.silenced_by.is_empty())
}

fn on_a_service(state: &UiState) -> bool {
    operates(state) && state.chosen_service().is_some()
}

fn is_past(state: &UiState) -> bool {
    state.past.is_some()
}

fn lost(state: &UiState) -> bool {
    matches!(state.link, crate::monitor::Link::Lost { .. })
}

fn administers(state: &UiState) -> bool {
    state.scope >= Scope::Admin
}

fn has_undo(state: &UiState) -> bool {
    administers(state) && state.settings.known.as_ref().is_some_and(|k| k.undo.is_some())
}

fn on_a_channel(state: &UiState) -> bool {
    operates(state) && matches!(super::settings::chosen(state), Some(super::settings::Row::Channel(_)))
}

fn is_tree(state: &UiState) -> bool {
    state.tree
}

fn has_marks(state: &UiState) -> bool {
    !state.processes.marked.is_empty()
}

use View::{
    Alerts, Cpu, Disks, Farol, History, Memory, Metrics, Network, Overview, Predictions, Processes, Sensors, Services, Settings,
    Units,
};

const LISTS: Place = Place::On(&[Overview, Services, Alerts, Predictions, Processes, Units, Metrics, Settings]);
const LAID_OUT: Place = Place::On(&[Overview, History, Cpu, Memory, Disks, Network, Sensors, Units, Farol]);
const METRICS: Place = Place::On(&[Metrics]);
const SETTINGS: Place = Place::On(&[Settings]);
const ALERTS: Place = Place::On(&[Overview, Alerts]);
const CHARTS: Place = Place::On(&[Overview, Services, History, Cpu, Memory, Disks, Network, Sensors, Units, Farol, Metrics]);
const PROCESSES: Place = Place::On(&[Processes, Overview]);
const ONLY_PROCESSES: Place = Place::On(&[Processes]);
const NOT_PROCESSES: Place = Place::But(&[Processes]);

const fn row(id: &'static str, act: Act, keys: &'static [&'static str], place: Place, help: &'static str) -> Action {
    Action { id, act, keys, place, hint: "", help, enabled: always }
}

impl Action {
    const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    const fn when(self, enabled: fn(&UiState) -> bool) -> Self {
        Self { enabled, ..self }
    }
}

/// All actions; those with a hint in the order of the last line.
pub const ACTIONS: &[Action] = &[
    row("overview", Act::Go(Overview), &["1"], Place::Anywhere, "Overview: everything at a glance"),
    row("services", Act::Go(Services), &["2"], Place::Anywhere, "Services: who is down or slow, since when"),
    row("alerts", Act::Go(Alerts), &["3"], Place::Anywhere, "Alerts: what is wrong, why, who was told"),
    row("predictions", Act::Go(Predictions), &["4"], Place::Anywhere, "Predictions: what comes next, and how sure"),
    row("history", Act::Go(History), &["5"], Place::Anywhere, "History: any moment, and what was different"),
    row("processes", Act::Go(Processes), &["6"], Place::Anywhere, "Processes"),
    row("cpu", Act::Go(Cpu), &["7"], Place::Anywhere, "CPU: cores, modes, load, who uses it"),
    row("memory", Act::Go(Memory), &["8"], Place::Anywhere, "Memory: what it is used for, and by whom"),
    row("disks", Act::Go(Disks), &["9"], Place::Anywhere, "Disks: file systems and devices"),
    row("network", Act::Go(Network), &["0"], Place::Anywhere, "Network: interfaces and connections"),
    row("sensors", Act::Go(Sensors), &["alt-1"], Place::Anywhere, "Sensors: temperatures, fans, power"),
    row("units", Act::Go(Units), &["alt-2"], Place::Anywhere, "Units of systemd and containers, and what they use"),
    row("farol", Act::Go(Farol), &["alt-3"], Place::Anywhere, "farol itself: cost, history file, threads"),
    row("metrics", Act::Go(Metrics), &["M", "alt-4"], Place::Anywhere, "Metrics: every one there is, in a chart"),
    row("settings", Act::Go(Settings), &["O", "alt-5"], Place::Anywhere, "Settings: rules, channels, screen, recorder"),
    row("set", Act::Open, &["enter"], SETTINGS, "change what is chosen; open a rule; test a channel").hint("change"),
    row("turn", Act::Set(Set::Turn), &["space"], SETTINGS, "yes or no; a rule on or off").hint("on/off").when(administers),
    row("new-rule", Act::Set(Set::New), &["n"], SETTINGS, "a new rule").hint("new rule").when(administers),
    row("reset", Act::Set(Set::Reset), &["d"], SETTINGS, "as if nobody had set it; a rule of one's own goes")
        .hint("default")
        .when(administers),
    row("undo", Act::Set(Set::Undo), &["u"], SETTINGS, "take the last change back").hint("undo").when(has_undo),
    row("test-channel", Act::Set(Set::Test), &["t"], SETTINGS, "send a test through the chosen channel")
        .hint("test")
        .when(on_a_channel),
    row("place", Act::Set(Set::Place), &["f"], SETTINGS, "write changes into your own file, or beside it")
        .hint("file")
        .when(administers),
    row("next-page", Act::Turn(1), &["tab"], Place::Anywhere, "next page"),
    row("previous-page", Act::Turn(-1), &["shift-tab"], Place::Anywhere, "previous page"),
    row("open", Act::Open, &["enter"], Place::On(&[Alerts, Processes, Metrics]), "open what is chosen, and deeper").hint("open"),
    row("pin", Act::Pin, &["x"], METRICS, "keep the chosen series in the chart, or let it go").hint("pin"),
    row("log", Act::Log, &["l"], METRICS, "logarithmic scale, or even").hint("log"),
    row("stack", Act::Stack, &["a"], METRICS, "series on each other, or over each other").hint("stack"),
    row("overlay", Act::Overlay, &["o"], METRICS, "yesterday, last week or nothing behind the chart").hint("yesterday"),
    row("open-process", Act::Open, &["enter"], Place::On(&[Overview]), "open the chosen process"),
    row("back", Act::Back, &["esc"], Place::Anywhere, "one step back"),
    row("silence", Act::Silence, &["s"], Place::On(&[Overview, Alerts, Predictions]), "silence, after showing what it hides")
        .hint("silence")
        .when(on_an_alert),
    row("unsilence", Act::Unsilence, &["U"], Place::On(&[Alerts]), "end the silences of this alert").when(on_a_silenced_alert),
    row("snooze", Act::Snooze, &["S"], Place::On(&[Alerts]), "put this alert off, until a time or until it changes")
        .hint("snooze")
        .when(on_an_alert),
    row("acknowledge", Act::Acknowledge, &["a"], ALERTS, "acknowledge; again: give it back").hint("ack").when(on_an_alert),
    row("false-alarm", Act::Feedback(Verity::False), &["f"], Place::On(&[Alerts]), "it was a false alarm; farol learns from it")
        .hint("false alarm")
        .when(on_an_alert),
    row("replay", Act::Replay, &["r"], Place::On(&[Alerts]), "run its rule over the last week").when(has_alert),
    row("learn", Act::Learn, &["L"], Place::On(&[Alerts]), "limits that would have served better; what was learned"),
    row("true-alarm", Act::Feedback(Verity::Real), &["t"], Place::On(&[Alerts]), "it was real").hint("true").when(on_an_alert),
    row("check-now", Act::CheckNow, &["c"], Place::On(&[Services]), "check the chosen service now")
        .hint("check now")
        .when(on_a_service),
    row("maintenance", Act::Maintenance, &["m"], Place::On(&[Services]), "work on it: nothing is told or counted; again: over")
        .hint("maintenance")
        .when(on_a_service),
    row("grid", Act::Grid, &["v"], Place::On(&[Services]), "services as tiles, or as a list").hint("grid"),
    row("time-back", Act::Time(-1), &["left"], Place::Anywhere, "time cursor back; every pane follows").hint("time"),
    row("time-forward", Act::Time(1), &["right"], Place::Anywhere, "time cursor forward").hint("time"),
    row("mark-back", Act::Mark(-1), &["shift-left"], Place::Anywhere, "time cursor to the alert or anomaly before"),
    row("mark-forward", Act::Mark(1), &["shift-right"], Place::Anywhere, "time cursor to the next alert or anomaly"),
    row("live", Act::Live, &["end"], Place::Anywhere, "back to the present").when(is_past),
    row("jump", Act::Jump, &["J"], ALERTS, "time cursor to the moment it fired; every pane follows").hint("jump").when(has_alert),
    row("set-mark", Act::SetMark, &["m"], Place::On(&[History]), "compare the moment shown (A) with others").hint("set A"),
    row("go-to", Act::GoTo, &["@"], Place::Anywhere, "go to a time (10m, yesterday 14:00, monday 9:30, 03:04)"),
    row("filter", Act::Filter, &["/", "F3", "F4"], LISTS, "show only what holds these words or figures (cpu>5 user=www)")
        .hint("filter"),
    row("palette", Act::Palette, &[":"], Place::Anywhere, "find an action by its name").hint("commands"),
    row("signal", Act::Signal, &["d d", "F9"], ONLY_PROCESSES, "send a signal to the chosen or marked processes").hint("signal"),
    row("signal-here", Act::Signal, &["F9"], Place::On(&[Overview]), "send a signal to the chosen process"),
    row("tag", Act::Tag, &["x"], ONLY_PROCESSES, "mark, or take the mark away; totals stand in the border").hint("mark"),
    row("sort-menu", Act::SortMenu, &[">", "F6"], PROCESSES, "choose the column to sort by").hint("sort"),
    row("columns", Act::Columns, &["F2"], ONLY_PROCESSES, "choose the columns and their order").hint("columns"),
    row("tree", Act::Tree, &["t", "F5"], ONLY_PROCESSES, "tree or list").hint("tree"),
    row("unfold", Act::Fold(Fold::Open), &["+"], ONLY_PROCESSES, "open the chosen branch").hint("fold").when(is_tree),
    row("fold", Act::Fold(Fold::Close), &["-"], ONLY_PROCESSES, "close the branch; its sum stays").hint("fold").when(is_tree),
    row("fold-all", Act::Fold(Fold::All), &["*"], ONLY_PROCESSES, "close all branches, or open all").hint("fold").when(is_tree),
    row("follow", Act::Follow, &["F"], ONLY_PROCESSES, "stay with the chosen process until it ends").hint("follow"),
    row("nice-down", Act::Nice(-1), &["F7"], ONLY_PROCESSES, "a lower nice value: it comes sooner").hint("nice"),
    row("nice-up", Act::Nice(1), &["F8"], ONLY_PROCESSES, "a higher nice value: it waits for others").hint("nice"),
    row("user", Act::User, &["u"], ONLY_PROCESSES, "show the processes of one user").hint("user"),
    row("kernel-threads", Act::KernelThreads, &["K"], ONLY_PROCESSES, "list kernel threads, or leave them out"),
    row("untag", Act::Untag, &["U"], ONLY_PROCESSES, "take all marks away").when(has_marks),
    row("zoom-in", Act::Zoom(1), &["+"], NOT_PROCESSES, "shorter span").hint("zoom"),
    row("zoom-out", Act::Zoom(-1), &["-"], NOT_PROCESSES, "longer span").hint("zoom"),
    row("zoom-reset", Act::ZoomReset, &["="], Place::Anywhere, "the span of one hour"),
    row("freeze", Act::Freeze, &["space"], Place::But(&[Settings]), "hold everything still, and go on").hint("freeze"),
    row("export", Act::Export, &["e"], Place::Anywhere, "write a report, the charts or the screen into a file").hint("export"),
    row("reports", Act::Reports, &["E"], Place::Anywhere, "reports made by the clock: write, delete, when the next one comes"),
    row("note", Act::Note, &["w"], Place::On(&[Alerts, History]), "write a note at the moment shown").hint("note").when(operates),
    row(
        "incident",
        Act::Incident,
        &["i"],
        Place::On(&[Alerts, History]),
        "mark an incident, told or not: rules are measured against it",
    )
    .when(operates),
    row("sort-cpu", Act::SortBy(SortColumn::Cpu), &["c"], PROCESSES, "sort by CPU (again: inverted)"),
    row("sort-memory", Act::SortBy(SortColumn::Memory), &["m"], PROCESSES, "sort by memory"),
    row("sort-pid", Act::SortBy(SortColumn::Pid), &["p"], PROCESSES, "sort by process number"),
    row("sort-name", Act::SortBy(SortColumn::Name), &["n"], PROCESSES, "sort by name"),
    row("invert", Act::Invert, &["I"], PROCESSES, "turn the order around"),
    row("enlarge", Act::Enlarge, &["z"], LAID_OUT, "the chosen pane over the whole page, and back").hint("enlarge"),
    row("next-pane", Act::Pane(1), &["."], LAID_OUT, "choose the next pane"),
    row("previous-pane", Act::Pane(-1), &[","], LAID_OUT, "choose the pane before"),
    row("panes", Act::Panes, &["H"], LAID_OUT, "show and hide panes"),
    row("layout", Act::Layout, &["V"], Place::Anywhere, "the next arrangement of panes").hint("layout"),
    row("theme", Act::Themes, &["ctrl-t"], Place::Anywhere, "choose a theme, seeing each"),
    row("graph", Act::Graph, &["B"], Place::Anywhere, "graphs of braille, blocks or ASCII"),
    row("bookmark", Act::Bookmark, &["b"], Place::Anywhere, "keep the moment shown to come back to, or forget it"),
    row("next-bookmark", Act::NextBookmark, &["'"], Place::Anywhere, "time cursor to the bookmark before"),
    row("play", Act::Play, &["P"], Place::Anywhere, "let time go on from the moment shown: 10, 60, 600 times as fast")
        .when(is_past),
    row("copy", Act::Copy, &["y"], Place::Anywhere, "name of what is chosen into the clipboard"),
    row("up", Act::Move(-1), &["k", "up"], LISTS, "one row up"),
    row("down", Act::Move(1), &["j", "down"], LISTS, "one row down"),
    row("half-up", Act::Page(-1), &["ctrl-u"], LISTS, "half a page up"),
    row("half-down", Act::Page(1), &["ctrl-d"], LISTS, "half a page down"),
    row("page-up", Act::Page(-2), &["pageup"], LISTS, "a page up"),
    row("page-down", Act::Page(2), &["pagedown"], LISTS, "a page down"),
    row("first", Act::First, &["g"], LISTS, "first row"),
    row("last", Act::Last, &["G"], LISTS, "last row"),
    row("oldest", Act::Oldest, &["home"], CHARTS, "time cursor to the oldest moment shown"),
    row("reload", Act::Reload, &[], Place::Anywhere, "read the configuration again").when(administers),
    row("take-over", Act::TakeOver, &["T"], Place::Anywhere, "record here, because the recorder is gone")
        .hint("take over")
        .when(lost),
    row("repaint", Act::Repaint, &["ctrl-l"], Place::Anywhere, "draw everything anew"),
    row("suspend", Act::Suspend, &["ctrl-z"], Place::Anywhere, "to the background"),
    row("quit", Act::Quit, &["q", "F10", "ctrl-c"], Place::Anywhere, "quit").hint("quit"),
    row("help", Act::Help, &["?", "F1"], Place::Anywhere, "what works here"),
];

/// The table of keys as Markdown, for the README.
pub fn key_table() -> String {
    let mut text = String::from("| Keys | Where | What |\n|---|---|---|\n");
    for action in ACTIONS.iter().filter(|a| !a.keys.is_empty()) {
        let keys: Vec<String> = action.keys.iter().map(|k| format!("`{k}`")).collect();
        let place = match action.place {
            Place::Anywhere => "anywhere".to_owned(),
            Place::On(views) => views.iter().map(|v| v.name()).collect::<Vec<_>>().join(", "),
            Place::But(views) => format!("anywhere but {}", views.iter().map(|v| v.name()).collect::<Vec<_>>().join(", ")),
        };
        text.push_str(&format!("| {} | {place} | {} |\n", keys.join(" "), action.help));
    }
    text
}
