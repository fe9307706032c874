//! What is done to processes: signals, nice values, marks, folds, following.
//!
//! Invariant: nothing reaches a process before a person saw its name and said yes.

use crate::model::{Process, ProcessId};
use crate::ui::actions::Fold;
use crate::ui::event::Effect;
use crate::ui::overlay::{Field, Form, FormKind, Overlay, Tone};
use crate::ui::pick::{Pick, PickKind, PickRow};
use crate::ui::process_list::Branch;
use crate::ui::state::UiState;
use crate::ui::wish::{ProcessWish, SIGNALS, Target};

use super::say;

/// The chosen process.
pub fn chosen(state: &UiState) -> Option<&std::sync::Arc<Process>> {
    let row = state.lists.process_row(state.shown(), &state.selected);
    state.lists.processes.get(row).and_then(|i| state.shown().processes.get(*i))
}

/// Those that are meant: the marked ones, else the chosen one.
fn targets(state: &UiState) -> Vec<Target> {
    let target = |p: &std::sync::Arc<Process>| Target { id: p.id, name: p.name.to_string() };
    let marked = state.live.processes.iter().filter(|p| state.processes.marked.contains(&p.id));
    let marked: Vec<Target> = marked.map(target).collect();
    if marked.is_empty() { chosen(state).map(target).into_iter().collect() } else { marked }
}

/// `postgres (2817)`, `3 processes: postgres (2817), nginx (985), …`.
fn named(targets: &[Target]) -> String {
    let one = |t: &Target| format!("{} ({})", t.name, t.id.pid);
    match targets {
        [only] => one(only),
        many => {
            let some: Vec<String> = many.iter().take(3).map(one).collect();
            let more = if many.len() > 3 { ", …" } else { "" };
            format!("{} processes: {}{more}", many.len(), some.join(", "))
        }
    }
}

/// Why nothing can be done to processes here; says it.
fn is_refused(state: &mut UiState) -> bool {
    let why = if !state.reaches_processes {
        "only processes of the machine this screen runs on can be sent signals"
    } else if state.past.as_ref().is_some_and(|p| !p.frozen) {
        "this is the past; End returns to the processes there are now"
    } else {
        return false;
    };
    say(state, Tone::Warning, why);
    true
}

/// Holds the rows still until the overlay is left.
fn hold(state: &mut UiState) {
    let ids = state.lists.processes.iter().filter_map(|i| state.shown().processes.get(*i)).map(|p| p.id);
    state.processes.held = Some(ids.collect());
    state.selected.process = chosen(state).map(|p| p.id);
}

/// The list of signals for the chosen or marked processes.
pub fn signal(state: &mut UiState) {
    let targets = targets(state);
    if targets.is_empty() || is_refused(state) {
        return;
    }
    hold(state);
    let rows = SIGNALS.iter().map(|s| PickRow::new(s.name, s.name, s.help)).collect();
    let title = format!("Signal to {}", named(&targets));
    state.overlays.push(Overlay::Pick(Pick::new(PickKind::Signal(targets), title, rows, "TERM")));
}

/// Asks once more before a signal is sent.
pub fn confirm_signal(state: &mut UiState, targets: Vec<Target>, name: &str) -> Vec<Effect> {
    let Some(signal) = SIGNALS.iter().find(|s| s.name == name) else { return Vec::new() };
    let title = format!("Send {name} to {}?", named(&targets));
    let fields = vec![Field::choice("send it", &["no", "yes"], 1)];
    let kind = FormKind::Wish(targets, ProcessWish::Signal(signal));
    state.overlays.push(Overlay::Form(Form { kind, title, fields, focus: 0, problem: None }));
    Vec::new()
}

/// Asks for a nice value, with one step proposed.
pub fn nice(state: &mut UiState, by: i8) {
    let targets = targets(state);
    let now = chosen(state).map_or(0, |p| p.nice);
    if targets.is_empty() || is_refused(state) {
        return;
    }
    hold(state);
    let title = format!("Nice value of {}, now {now}", named(&targets));
    let value = now.saturating_add(by).clamp(-20, 19);
    let fields = vec![Field::text("nice", &value.to_string())];
    let form = Form { kind: FormKind::Wish(targets, ProcessWish::Nice(value)), title, fields, focus: 0, problem: None };
    state.overlays.push(Overlay::Form(form));
}

/// What a form about processes says to do.
///
/// # Errors
/// No nice value was typed.
pub fn submit(state: &mut UiState, targets: &[Target], wish: ProcessWish, form: &Form) -> Result<Vec<Effect>, String> {
    let wish = match wish {
        ProcessWish::Signal(_) if form.get("send it") != "yes" => {
            state.processes.held = None;
            return Ok(Vec::new());
        }
        ProcessWish::Signal(signal) => ProcessWish::Signal(signal),
        ProcessWish::Nice(_) => {
            let value = form.get("nice").trim().parse::<i8>().ok().filter(|n| (-20..=19).contains(n));
            ProcessWish::Nice(value.ok_or("a nice value is -20 (first) to 19 (last)")?)
        }
    };
    state.processes.held = None;
    Ok(targets.iter().map(|t| Effect::Wish(t.clone(), wish)).collect())
}

/// What came of a wish.
pub fn done(state: &mut UiState, target: &Target, wish: ProcessWish, result: Result<(), String>) {
    let who = format!("{} ({})", target.name, target.id.pid);
    match (result, wish) {
        (Ok(()), ProcessWish::Signal(signal)) => say(state, Tone::Good, format!("{} was sent to {who}", signal.name)),
        (Ok(()), ProcessWish::Nice(value)) => say(state, Tone::Good, format!("the nice value of {who} is {value} now")),
        (Err(why), _) => say(state, Tone::Bad, format!("{who}: {why}")),
    }
    if state.processes.marked.remove(&target.id) && state.processes.marked.is_empty() {
        state.processes.marked.clear();
    }
}

/// Marks the chosen process, or takes its mark away; the next one is chosen.
pub fn mark(state: &mut UiState) {
    let Some(id) = chosen(state).map(|p| p.id) else { return };
    if !state.processes.marked.remove(&id) {
        state.processes.marked.insert(id);
    }
    super::keys::step(state, 1);
}

/// Follows the chosen process, or lets it go.
pub fn follow(state: &mut UiState) {
    let id = chosen(state).map(|p| p.id);
    state.processes.followed = if state.processes.followed.is_some() && state.processes.followed == id { None } else { id };
    state.selected.process = id;
}

/// Folds and unfolds branches of the tree.
pub fn fold(state: &mut UiState, fold: Fold) {
    let row = state.lists.process_row(state.shown(), &state.selected);
    let (Some(process), Some(place)) = (chosen(state), state.lists.tree.get(row)) else { return };
    let (id, branch) = (process.id, place.branch);
    match (fold, branch) {
        (Fold::Open, _) => {
            state.processes.folded.remove(&id);
        }
        (Fold::Close, Branch::Open) => {
            state.processes.folded.insert(id);
        }
        // A leaf closes the branch it is on.
        (Fold::Close, _) => {
            if let Some(parent) = parent_row(state, row) {
                state.processes.folded.insert(parent);
                state.selected.process = Some(parent);
            }
        }
        (Fold::All, _) if state.processes.folded.is_empty() => fold_all(state),
        (Fold::All, _) => state.processes.folded.clear(),
    }
}

/// The process a row of the tree is below of.
fn parent_row(state: &UiState, row: usize) -> Option<ProcessId> {
    let depth = state.lists.tree.get(row)?.depth;
    let above = state.lists.tree.iter().take(row).rposition(|r| r.depth < depth)?;
    state.lists.processes.get(above).and_then(|i| state.shown().processes.get(*i)).map(|p| p.id)
}

/// Folds every branch but the roots.
fn fold_all(state: &mut UiState) {
    let rows = state.lists.tree.iter().zip(&state.lists.processes);
    let open = rows.filter(|(place, _)| place.depth > 0 && place.branch == Branch::Open);
    let ids: Vec<ProcessId> = open.filter_map(|(_, i)| state.shown().processes.get(*i)).map(|p| p.id).collect();
    state.processes.folded.extend(ids);
}
