//! Lists to choose from: how they are filled, their keys, and what a choice does.
//!
//! Invariant: the process table is held still as long as a list about processes is open.

use std::collections::BTreeMap;

use crossterm::event::KeyCode;

use crate::ui::columns::{COLUMNS, SortColumn, usual};
use crate::ui::event::Effect;
use crate::ui::keymap::Chord;
use crate::ui::overlay::Overlay;
use crate::ui::pane::Density;
use crate::ui::pick::{Pick, PickKind, PickRow};
use crate::ui::state::UiState;

use super::{forms, keys, learn, process, reports, settings};

/// The orders; the present one is pointed at.
pub fn sort(state: &UiState) -> Pick {
    let rows = COLUMNS.iter().filter(|r| r.column != SortColumn::Graph).map(|r| PickRow::new(r.id, r.id, r.help)).collect();
    Pick::new(PickKind::Sort, "Sort by; again: inverted", rows, state.sort.column.row().id)
}

/// The columns: those chosen in their order, then the others.
pub fn columns(state: &UiState) -> Pick {
    let own = state.processes.columns.clone().unwrap_or_else(|| usual(Density::of(state.size.0)).to_vec());
    let others = COLUMNS.iter().map(|r| r.column).filter(|c| !own.contains(c));
    let row = |column: SortColumn| {
        let row = column.row();
        PickRow { mark: Some(own.contains(&column)), ..PickRow::new(row.id, row.id, row.help) }
    };
    let rows = own.iter().copied().chain(others).filter(|c| *c != SortColumn::Name).map(row).collect();
    Pick::new(PickKind::Columns, "Columns", rows, "")
}

/// Users with what they use, the busiest first.
pub fn users(state: &UiState) -> Pick {
    let mut users: BTreeMap<&str, (u32, f64)> = BTreeMap::new();
    for process in state.shown().processes.iter() {
        let entry = users.entry(&process.user).or_default();
        *entry = (entry.0 + 1, entry.1 + process.cpu);
    }
    let mut users: Vec<_> = users.into_iter().collect();
    users.sort_by(|a, b| b.1.1.total_cmp(&a.1.1).then_with(|| a.0.cmp(b.0)));
    let row = |(name, (count, cpu)): &(&str, (u32, f64))| {
        PickRow::new(*name, *name, format!("{count} processes, CPU {:.1}%", cpu * 100.0))
    };
    let all = PickRow::new("", "all", format!("{} users", users.len()));
    let rows = std::iter::once(all).chain(users.iter().map(row)).collect();
    Pick::new(PickKind::User, "Processes of", rows, "")
}

/// One key in a list: letters narrow it, arrows move, Enter chooses, Esc leaves it.
pub fn key(state: &mut UiState, mut pick: Pick, chord: Chord) -> Vec<Effect> {
    let is = |text: &str| Chord::parse(text).is_ok_and(|c| c == chord);
    let is_list = pick.rows.iter().any(|r| r.mark.is_some());
    match chord.code() {
        KeyCode::Esc => return close(state),
        KeyCode::Enter => {
            let Some(id) = pick.chosen().map(|r| r.id.clone()) else {
                state.overlays.push(Overlay::Pick(pick));
                return Vec::new();
            };
            return choose(state, pick, &id);
        }
        _ if is("shift-up") => pick.shift(-1),
        _ if is("shift-down") => pick.shift(1),
        KeyCode::Down | KeyCode::Tab => pick.step(1),
        KeyCode::Up => pick.step(-1),
        KeyCode::PageDown => pick.step(10),
        KeyCode::PageUp => pick.step(-10),
        KeyCode::Home => pick.step(isize::MIN),
        KeyCode::End => pick.step(isize::MAX),
        KeyCode::Char(' ') if is_list => pick.toggle(),
        _ => forms::edit(&mut pick.input, chord),
    }
    state.overlays.push(Overlay::Pick(pick));
    Vec::new()
}

/// Lets the process table go again.
fn close(state: &mut UiState) -> Vec<Effect> {
    state.processes.held = None;
    Vec::new()
}

fn choose(state: &mut UiState, pick: Pick, id: &str) -> Vec<Effect> {
    match pick.kind {
        PickKind::Sort => {
            if let Some(column) = SortColumn::named(id) {
                keys::sort(state, column);
            }
            close(state)
        }
        PickKind::Columns => {
            let chosen = pick.rows.iter().filter(|r| r.mark == Some(true)).filter_map(|r| SortColumn::named(&r.id));
            state.processes.columns = Some(chosen.chain([SortColumn::Name]).collect());
            close(state)
        }
        PickKind::User => {
            of_user(state, id);
            close(state)
        }
        PickKind::Setting(goal) => settings::change(state, &goal, Some(id.to_owned())),
        PickKind::Signal(targets) => process::confirm_signal(state, targets, id),
        PickKind::Learn(learned) => learn::chosen(state, *learned, id),
        PickKind::Reports(kept) => reports::chosen(state, kept, id),
        PickKind::Report(kept) => reports::carry_out(state, *kept, id),
    }
}

/// Puts `user=NAME` into the filter in place of another user; an empty name takes it out.
fn of_user(state: &mut UiState, name: &str) {
    let words = &mut state.filter[state.view.index()];
    let kept: Vec<&str> = words.split_whitespace().filter(|w| !w.starts_with("user=")).collect();
    let quoted =
        if name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) { name.to_owned() } else { format!("\"{name}\"") };
    let own = (!name.is_empty()).then(|| format!("user={quoted}"));
    *words = kept.into_iter().map(str::to_owned).chain(own).collect::<Vec<_>>().join(" ");
}
