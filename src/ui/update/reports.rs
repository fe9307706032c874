//! Reports made by the clock: what is kept, what comes next, and what becomes of one.
//!
//! Invariant: nothing is deleted without being chosen twice.

use crate::base::{Unit, format_value};
use crate::model::{KeptReport, NextReport, ReportFormat, ReportSpec, SentReport};
use crate::monitor::Request;
use crate::ui::event::{Effect, Purpose};
use crate::ui::format::time_or_date;
use crate::ui::overlay::{Overlay, Tone};
use crate::ui::pick::{Pick, PickKind, PickRow};
use crate::ui::state::UiState;

use super::say;

/// Ids of what can be done with one.
const WRITE: &str = "write";
const DELETE: &str = "delete";

/// Opens the list: what comes next, then what is kept, newest first.
pub fn list(state: &mut UiState, kept: Vec<KeptReport>, next: &[NextReport]) {
    let when = |at| time_or_date(at, state.live.at, &state.zone);
    let coming = next.iter().map(|n| {
        let at = n.at.map_or_else(|| "never again".to_owned(), when);
        let note = match &n.problem {
            Some(problem) => format!("next {at}; the last one could not be made: {problem}"),
            None => format!("next {at}{}", if n.to.is_empty() { String::new() } else { format!(", to {}", n.to.join(", ")) }),
        };
        PickRow::new(String::new(), n.schedule.clone(), note)
    });
    let rows = kept.iter().map(|k| {
        let sent: Vec<String> = k.sent.iter().map(sent).collect();
        let size = format_value(k.bytes as f64, Unit::Bytes);
        PickRow::new(k.id.clone(), when(k.spec.range.to), format!("{}, {} {size} {}", k.schedule, k.spec.format, sent.join("; ")))
    });
    let rows: Vec<PickRow> = coming.chain(rows).collect();
    if rows.is_empty() {
        say(state, Tone::Warning, "no report is planned or kept; see [[report]] in farol config example");
        return;
    }
    let at = kept.first().map_or_else(String::new, |k| k.id.clone());
    state.overlays.push(Overlay::Pick(Pick::new(PickKind::Reports(kept), "Reports by the clock", rows, &at)));
}

/// Where it went, in few words.
fn sent(sent: &SentReport) -> String {
    match (sent.at.is_some(), sent.over, &sent.error) {
        (true, ..) => format!("● {}", sent.to),
        (false, true, _) => format!("✘ {}: {}", sent.to, sent.error.as_deref().unwrap_or("given up")),
        (false, false, Some(error)) => format!("▲ {} waits: {error}", sent.to),
        (false, false, None) => format!("{} on its way", sent.to),
    }
}

/// One was chosen: what is to become of it.
pub fn chosen(state: &mut UiState, kept: Vec<KeptReport>, id: &str) -> Vec<Effect> {
    let Some(kept) = kept.into_iter().find(|k| k.id == id) else { return Vec::new() };
    let mut rows = vec![PickRow::new(WRITE, "write it here", format!("{}, as it was sent", kept.name))];
    let others = ReportFormat::ALL.iter().filter(|f| **f != kept.spec.format);
    rows.extend(others.map(|f| PickRow::new(f.name(), format!("write it as {f}"), "made anew from the history")));
    rows.push(PickRow::new(DELETE, "delete it", "it is kept no longer"));
    let title = format!("{} of {}", kept.schedule, time_or_date(kept.spec.range.to, state.live.at, &state.zone));
    state.overlays.push(Overlay::Pick(Pick::new(PickKind::Report(Box::new(kept)), title, rows, WRITE)));
    Vec::new()
}

/// What was chosen is done.
pub fn carry_out(state: &mut UiState, kept: KeptReport, what: &str) -> Vec<Effect> {
    let request = match what {
        DELETE => {
            let author = state.author.clone();
            return vec![Effect::Ask(Purpose::Decision, Request::DeleteReport { report: kept.id, author })];
        }
        WRITE => Request::KeptReport { report: kept.id },
        format => match format.parse() {
            Ok(format) => Request::Report(ReportSpec { format, ..kept.spec }),
            Err(_) => return Vec::new(),
        },
    };
    state.export_name = None;
    vec![Effect::Ask(Purpose::Report, request)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture::reports;
    use crate::ui::keymap::Chord;

    fn press(state: &mut UiState, keys: &[&str]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in keys {
            let Some(Overlay::Pick(pick)) = state.overlays.pop() else { panic!("no list for {key}") };
            effects = super::super::pick::key(state, pick, Chord::parse(key).expect("a key"));
        }
        effects
    }

    #[test]
    fn a_report_is_written_again_in_any_format_and_deleted() {
        let asked = |keys: &[&str]| {
            let mut state = UiState::new((120, 40), jiff::tz::TimeZone::UTC);
            let (kept, next) = reports();
            list(&mut state, kept, &next);
            press(&mut state, keys)
        };
        let first = |effects: Vec<Effect>| match effects.into_iter().next() {
            Some(Effect::Ask(_, request)) => request,
            other => panic!("{other:?}"),
        };
        let id = "morning-20261121T060000Z".to_owned();
        assert_eq!(first(asked(&["enter", "enter"])), Request::KeptReport { report: id.clone() });
        assert!(matches!(first(asked(&["enter", "down", "enter"])), Request::Report(spec) if spec.format == ReportFormat::Html));
        assert!(matches!(first(asked(&["enter", "end", "enter"])), Request::DeleteReport { report, .. } if report == id));
        assert!(asked(&["up", "enter"]).is_empty(), "what comes next is only told");
    }

    #[test]
    fn without_any_it_says_how_to_have_one() {
        let mut state = UiState::new((120, 40), jiff::tz::TimeZone::UTC);
        list(&mut state, Vec::new(), &[]);
        assert!(state.overlays.is_empty() && state.toast.is_some_and(|t| t.text.contains("[[report]]")));
    }
}
