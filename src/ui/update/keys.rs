//! Keys, mouse and pasted text: to the overlay on top, else to the action they stand for.
//!
//! Invariant: no key does anything that is not a row of the table of actions or typing into an overlay.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use crate::monitor::Request;
use crate::ui::actions::{ACTIONS, Act, Action, Set, Verity};
use crate::ui::event::{Effect, Purpose};
use crate::ui::keymap::{self, Chord};
use crate::ui::overlay::{Input, Overlay, Tone};
use crate::ui::palette::{self, Found};
use crate::ui::process_list::Kernel;
use crate::ui::settings::Row;
use crate::ui::state::{SortColumn, UiState, View};

use super::{arrange, explore, forms, inside, learn, pick, process, say, settings, time};

/// One key.
pub fn key(state: &mut UiState, event: &KeyEvent) -> Vec<Effect> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let chord = Chord::of(event);
    state.toast = None;
    if !state.overlays.is_empty() {
        return overlay_key(state, chord);
    }
    let known = std::sync::Arc::clone(&state.keymap);
    state.typed.push(chord);
    match known.find(&state.typed, state) {
        keymap::Found::Action(action) => {
            state.typed.clear();
            return act(state, action);
        }
        keymap::Found::Beginning => {}
        keymap::Found::Nothing => {
            // What was begun is given up; the key may be one of its own.
            let was_begun = state.typed.len() > 1;
            state.typed.clear();
            if was_begun {
                return key(state, event);
            }
        }
    }
    Vec::new()
}

/// Pasted text goes into what is being typed, and nowhere else.
pub fn paste(state: &mut UiState, text: &str) {
    let live = match state.overlays.last_mut() {
        Some(Overlay::Filter(input, _)) => {
            input.insert(text);
            Some(input.text().to_owned())
        }
        Some(Overlay::Palette(input, row)) => {
            input.insert(text);
            *row = 0;
            None
        }
        Some(Overlay::Form(form)) => {
            forms::insert(form, text);
            None
        }
        Some(Overlay::Pick(list)) => {
            list.input.insert(text);
            None
        }
        _ => None,
    };
    if let Some(words) = live {
        state.filter[state.view.index()] = words;
    }
}

fn overlay_key(state: &mut UiState, chord: Chord) -> Vec<Effect> {
    let Some(top) = state.overlays.pop() else { return Vec::new() };
    let (effects, keep) = match top {
        Overlay::Help(line) => help_key(line, chord),
        Overlay::Palette(input, row) => return palette_key(state, input, row, chord),
        Overlay::Filter(input, before) => (Vec::new(), filter_key(state, input, before, chord)),
        Overlay::Form(form) => forms::key(state, form, chord),
        Overlay::Themes(row, before) => arrange::themes_key(state, (row, before), chord),
        Overlay::Panes(row) => (Vec::new(), arrange::panes_key(state, row, chord)),
        Overlay::Pick(list) => return pick::key(state, list, chord),
    };
    state.overlays.extend(keep);
    effects
}

fn help_key(line: usize, chord: Chord) -> (Vec<Effect>, Option<Overlay>) {
    let line = match (chord.code(), chord.character()) {
        (KeyCode::Down, _) | (_, Some('j')) => line + 1,
        (KeyCode::Up, _) | (_, Some('k')) => line.saturating_sub(1),
        (KeyCode::PageDown, _) | (_, Some(' ')) => line + 10,
        (KeyCode::PageUp, _) => line.saturating_sub(10),
        _ => return (Vec::new(), None),
    };
    (Vec::new(), Some(Overlay::Help(line.min(ACTIONS.len()))))
}

fn palette_key(state: &mut UiState, mut input: Input, row: usize, chord: Chord) -> Vec<Effect> {
    let found = palette::find(state, input.text());
    let mut row = row.min(found.len().saturating_sub(1));
    match chord.code() {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Enter => {
            return found.get(row).map(|thing| choose(state, thing)).unwrap_or_default();
        }
        KeyCode::Down | KeyCode::Tab => row = (row + 1).min(found.len().saturating_sub(1)),
        KeyCode::Up => row = row.saturating_sub(1),
        _ => {
            forms::edit(&mut input, chord);
            row = 0;
        }
    }
    state.overlays.push(Overlay::Palette(input, row));
    Vec::new()
}

/// Does what was found, or goes where it is.
fn choose(state: &mut UiState, found: &Found) -> Vec<Effect> {
    match found {
        Found::Action(action) => return act(state, action),
        Found::Theme(name) => return arrange::look(state, name),
        Found::Layout(place, _) => state.layout_at = *place,
        Found::Metric(name) => {
            go(state, View::Metrics);
            state.filter[View::Metrics.index()].clear();
            state.explore.metric = Some(name.clone());
            state.explore.series = None;
            state.open = true;
        }
        Found::Service(name) => {
            go(state, View::Services);
            state.filter[View::Services.index()].clear();
            state.selected.service = Some(name.clone());
        }
        Found::Process(id, _) => {
            go(state, View::Processes);
            state.filter[View::Processes.index()].clear();
            state.selected.process = Some(*id);
            state.open = true;
        }
        Found::Alert(id, _) => {
            go(state, View::Alerts);
            state.filter[View::Alerts.index()].clear();
            state.selected.alert = Some(id.clone());
            state.open = true;
        }
    }
    Vec::new()
}

/// The words apply while they are typed; Esc brings back those before.
fn filter_key(state: &mut UiState, mut input: Input, before: String, chord: Chord) -> Option<Overlay> {
    let place = state.view.index();
    match chord.code() {
        KeyCode::Esc => {
            state.filter[place] = before;
            None
        }
        KeyCode::Enter => None,
        KeyCode::Down => {
            step(state, 1);
            Some(Overlay::Filter(input, before))
        }
        KeyCode::Up => {
            step(state, -1);
            Some(Overlay::Filter(input, before))
        }
        _ => {
            forms::edit(&mut input, chord);
            state.filter[place] = input.text().to_owned();
            Some(Overlay::Filter(input, before))
        }
    }
}

pub(super) fn go(state: &mut UiState, view: View) {
    state.view = view;
    state.open = false;
    state.inside = None;
    state.enlarged = None;
    state.pane = None;
    state.scroll = 0;
}

/// Moves the choice of the page's list by rows.
pub(super) fn step(state: &mut UiState, by: i64) {
    if let Some(inside) = &mut state.inside {
        inside::scroll(inside, by);
        return;
    }
    let snapshot = std::sync::Arc::clone(state.shown());
    let (lists, selected) = (&state.lists, &mut state.selected);
    let to = |row: usize, list: &[usize]| -> Option<usize> {
        let last = i64::try_from(list.len()).ok()?.checked_sub(1).filter(|l| *l >= 0)?;
        let row = i64::try_from(row).ok()?.saturating_add(by).clamp(0, last);
        list.get(usize::try_from(row).ok()?).copied()
    };
    match state.view {
        View::Overview | View::Processes => {
            let next = to(lists.process_row(&snapshot, selected), &lists.processes);
            selected.process = next.and_then(|i| snapshot.processes.get(i)).map(|p| p.id).or(selected.process);
            if by != 0 {
                state.processes.followed = None;
            }
        }
        View::Services => {
            let next = to(lists.service_row(&snapshot, selected), &lists.services);
            selected.service = next.and_then(|i| snapshot.services.get(i)).map(|s| s.name.clone());
        }
        View::Alerts => {
            let next = to(lists.alert_row(&snapshot, selected), &lists.alerts);
            selected.alert = next.and_then(|i| lists.alert(&snapshot, i)).map(|a| a.id.clone());
        }
        View::Predictions => {
            let next = to(lists.prediction_row(&snapshot, selected), &lists.predictions);
            selected.prediction = next.and_then(|i| snapshot.predictions.get(i)).map(|p| p.id.clone());
        }
        View::Metrics => explore::step(state, by),
        View::Settings => settings::step(state, by),
        View::Units => {
            let most = i64::try_from(snapshot.processes.len()).unwrap_or(i64::MAX);
            let row = i64::try_from(state.scroll).unwrap_or(0).saturating_add(by).clamp(0, most);
            state.scroll = usize::try_from(row).unwrap_or(0);
        }
        _ => {}
    }
}

/// Half of the rows a list of this terminal can have.
fn half_page(state: &UiState) -> i64 {
    (i64::from(state.size.1) / 2).max(1)
}

/// Does what an action says.
pub fn act(state: &mut UiState, action: &Action) -> Vec<Effect> {
    match action.act {
        Act::Quit => return vec![Effect::Quit],
        Act::Repaint => return vec![Effect::Repaint],
        Act::Suspend => return vec![Effect::Suspend],
        Act::Help => state.overlays.push(Overlay::Help(0)),
        Act::Palette => state.overlays.push(Overlay::Palette(Input::default(), 0)),
        Act::Filter => {
            let words = state.filter().to_owned();
            state.overlays.push(Overlay::Filter(Input::new(&words), words));
        }
        Act::Open if state.view == View::Settings => return settings::open(state),
        Act::Open => open(state),
        Act::Set(Set::Turn) => return settings::toggle(state),
        Act::Set(Set::New) => settings::new_rule(state),
        Act::Set(Set::Reset) => return settings::reset(state),
        Act::Set(Set::Undo) => return settings::undo(state),
        Act::Set(Set::Test) => return settings::test(state),
        Act::Set(Set::Place) => settings::turn_place(state),
        Act::Back => return back(state),
        Act::Go(view) => go(state, view),
        Act::Turn(by) => {
            let count = View::ALL.len();
            let next = (state.view.index() + count).saturating_add_signed(isize::from(by)) % count;
            go(state, View::ALL[next]);
        }
        Act::Move(by) => step(state, i64::from(by)),
        Act::Page(halves) => {
            let by = half_page(state) * i64::from(halves);
            step(state, by);
        }
        Act::First => step(state, i64::MIN / 2),
        Act::Last => step(state, i64::MAX / 2),
        Act::Time(by) => return time::step_by(state, by),
        Act::Mark(direction) => return time::mark(state, direction),
        Act::Oldest => return time::oldest(state),
        Act::Live => return time::live(state),
        Act::Zoom(direction) => return time::zoom(state, direction),
        Act::ZoomReset => return time::zoom(state, 0),
        Act::Freeze => return time::freeze(state),
        Act::Jump => {
            let at = state.chosen_alert().map(|a| a.fired_at.unwrap_or(a.since));
            return at.map_or_else(Vec::new, |at| time::go(state, at));
        }
        Act::SetMark => {
            let shown = std::sync::Arc::clone(state.shown());
            let at = state.past.as_ref().map_or(shown.at, |p| p.at);
            state.mark = Some((at, shown));
        }
        Act::Enlarge => arrange::enlarge(state),
        Act::Pane(by) => arrange::next_pane(state, by),
        Act::Panes => state.overlays.push(Overlay::Panes(0)),
        Act::Layout => arrange::next_layout(state),
        Act::Themes => state.overlays.push(arrange::themes(state)),
        Act::Graph => return arrange::next_graph(state),
        Act::Replay => return learn::replay(state),
        Act::Learn => return learn::ask(state),
        Act::Reports => return vec![Effect::Ask(Purpose::Reports, Request::Reports)],
        Act::Bookmark => time::bookmark(state),
        Act::NextBookmark => return time::next_bookmark(state),
        Act::Play => time::faster(state),
        Act::Pin => explore::pin(state),
        Act::Log => explore::log(state),
        Act::Stack => explore::stack(state),
        Act::Overlay => return explore::overlay(state),
        Act::Copy => return arrange::copy(state),
        Act::SortBy(column) => sort(state, column),
        Act::SortMenu => state.overlays.push(Overlay::Pick(pick::sort(state))),
        Act::Columns => state.overlays.push(Overlay::Pick(pick::columns(state))),
        Act::User => state.overlays.push(Overlay::Pick(pick::users(state))),
        Act::Signal => process::signal(state),
        Act::Nice(by) => process::nice(state, by),
        Act::Tag => process::mark(state),
        Act::Untag => state.processes.marked.clear(),
        Act::Follow => process::follow(state),
        Act::Fold(fold) => process::fold(state, fold),
        Act::KernelThreads => {
            state.processes.kernel = match state.processes.kernel {
                Kernel::Shown => Kernel::Hidden,
                Kernel::Hidden => Kernel::Shown,
            };
        }
        Act::Invert => state.sort.inverted = !state.sort.inverted,
        Act::Tree => state.tree = !state.tree,
        Act::Grid => state.grid = !state.grid,
        Act::Silence
        | Act::Snooze
        | Act::Acknowledge
        | Act::Note
        | Act::Incident
        | Act::Export
        | Act::GoTo
        | Act::Unsilence
        | Act::Feedback(_)
        | Act::CheckNow
        | Act::Maintenance
        | Act::TakeOver
        | Act::Reload => return decide(state, action.act),
    }
    Vec::new()
}

/// Decisions: some are made at once, some ask first.
fn decide(state: &mut UiState, act: Act) -> Vec<Effect> {
    let author = state.author.clone();
    let wish = |request| vec![Effect::Ask(Purpose::Decision, request)];
    let alert = state.chosen_alert().cloned();
    match (act, alert) {
        (Act::Reload, _) => wish(Request::Reload),
        (Act::TakeOver, _) => wish(Request::TakeOver),
        (Act::CheckNow, _) => match state.chosen_service() {
            Some(service) => wish(Request::CheckNow { service: service.name.clone() }),
            None => Vec::new(),
        },
        (Act::Maintenance, _) => {
            let Some(service) = state.chosen_service() else { return Vec::new() };
            let service = service.clone();
            if service.maintenance {
                return wish(Request::Maintenance { service: service.name, length: None, author, comment: String::new() });
            }
            state.overlays.push(Overlay::Form(forms::maintenance(&service.name)));
            Vec::new()
        }
        (Act::Feedback(verity), Some(alert)) => {
            wish(Request::Feedback { alert: alert.id.clone(), author, real: verity == Verity::Real })
        }
        (Act::Unsilence, Some(alert)) => {
            let expire = |id: &String| Request::ExpireSilence { id: id.clone(), author: author.clone() };
            alert.silenced_by.iter().map(|id| Effect::Ask(Purpose::Decision, expire(id))).collect()
        }
        (Act::Acknowledge, Some(alert)) if alert.acknowledged.is_some() => {
            wish(Request::Unacknowledge { alert: alert.id.clone(), author })
        }
        (act, alert) => {
            match forms::open(state, act, alert.as_deref()) {
                Some(form) => state.overlays.push(Overlay::Form(form)),
                None => say(state, Tone::Warning, "there is nothing here to do that with"),
            }
            Vec::new()
        }
    }
}

pub fn sort(state: &mut UiState, column: SortColumn) {
    if state.sort.column == column {
        state.sort.inverted = !state.sort.inverted;
    } else {
        state.sort.column = column;
        state.sort.inverted = false;
    }
}

fn open(state: &mut UiState) {
    match state.view {
        View::Overview => {
            let snapshot = state.shown();
            let row = state.lists.process_row(snapshot, &state.selected);
            let id = state.lists.processes.get(row).and_then(|i| snapshot.processes.get(*i)).map(|p| p.id);
            state.selected.process = id;
            state.view = View::Processes;
            state.open = true;
        }
        View::Processes if state.open && state.inside.is_none() => inside::open(state),
        View::Processes if state.inside.is_some() => {}
        View::Alerts | View::Processes => {
            bind(state);
            state.open = !state.open;
        }
        View::Metrics => {
            explore::step(state, 0);
            state.open = !state.open;
        }
        _ => arrange::enlarge(state),
    }
}

/// Names the chosen row, so that what is opened stays when the order changes.
fn bind(state: &mut UiState) {
    step(state, 0);
}

/// One step back: the pane that was enlarged, what is open, the time cursor, the filter, the first page.
fn back(state: &mut UiState) -> Vec<Effect> {
    if state.enlarged.take().is_some() || state.inside.take().is_some() {
        return Vec::new();
    }
    if state.view == View::Settings && state.settings.rule.is_some() {
        state.settings.chosen = state.settings.rule.take().map(Row::Rule);
    } else if state.open {
        state.open = false;
    } else if state.past.is_some() {
        return time::live(state);
    } else if !state.filter().is_empty() {
        state.filter[state.view.index()].clear();
    } else {
        go(state, View::Overview);
    }
    Vec::new()
}
