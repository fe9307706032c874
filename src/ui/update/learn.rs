//! What a rule would have done, what rules could learn, and what they have learned.
//!
//! Invariant: a limit changes only when its row was chosen, and stands in the list until it is taken back.

use std::time::Duration;

use crate::base::{TimeRange, format_duration};
use crate::model::{Proposal, RuleKeys};
use crate::monitor::{Learned, ReplayRequest, Replayed, Request, Scope};
use crate::ui::event::{Effect, Purpose};
use crate::ui::format::time_or_date;
use crate::ui::overlay::{Overlay, Tone};
use crate::ui::pick::{Pick, PickKind, PickRow};
use crate::ui::state::UiState;

use super::say;

/// What a rule is tried over, as `farol rules replay` does.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// What is learned from, as `farol rules learn` does.
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Asks what the rule of the chosen alert would have done.
pub fn replay(state: &mut UiState) -> Vec<Effect> {
    let Some(alert) = state.chosen_alert() else { return Vec::new() };
    let (rule, range) = (Some(alert.rule.clone()), TimeRange::last(WEEK, state.live.at));
    say(state, Tone::Good, "the last week is judged again …");
    vec![Effect::Ask(Purpose::Replay, Request::Replay(ReplayRequest { rule, draft: None, range }))]
}

/// Says it.
pub fn replayed(state: &mut UiState, replayed: &Replayed) {
    if let Some((rule, why)) = replayed.left_out.first() {
        return say(state, Tone::Warning, format!("{rule} cannot be run over the past: {why}"));
    }
    let end = replayed.range.to;
    let lasted = replayed.alerts.iter().filter_map(|a| Some(a.resolved_at.unwrap_or(end).since(a.fired_at?)));
    let lasted: Duration = lasted.sum();
    let messages: Vec<String> = replayed.messages.iter().map(|(channel, n)| format!("{n} to {channel}")).collect();
    let messages = if messages.is_empty() { "no messages".to_owned() } else { format!("messages: {}", messages.join(", ")) };
    let exact = if replayed.approximate { " (approximate)" } else { "" };
    let text = format!("last 7 d{exact}: {} alerts, {} in all; {messages}", replayed.alerts.len(), format_duration(lasted));
    say(state, Tone::Good, text);
}

/// Asks what could be learned.
pub fn ask(state: &mut UiState) -> Vec<Effect> {
    let range = TimeRange::last(MONTH, state.live.at);
    say(state, Tone::Good, "the last month is judged again …");
    vec![Effect::Ask(Purpose::Learn, Request::Learn { range })]
}

fn written(keys: &RuleKeys) -> String {
    keys.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
}

/// Opens the list: what is proposed, then what was learned and can be taken back, newest first.
pub fn list(state: &mut UiState, learned: Learned) {
    let proposed = learned.proposals.iter().map(|p| {
        let [before, after] = p.evidence.alerts;
        let note = format!("{}, not {}: {before} → {after} alerts; {}", written(&p.to), written(&p.from), p.reason);
        PickRow::new(proposed_id(p), p.rule.clone(), note)
    });
    let taken: Vec<&String> = learned.lessons.iter().filter_map(|(.., l)| l.undoes.as_ref()).collect();
    let standing = learned.lessons.iter().rev().filter(|(.., l)| l.undoes.is_none() && !taken.contains(&&l.id));
    let standing = standing.map(|(at, author, lesson)| {
        let became = lesson.after.as_ref().map_or_else(String::new, written);
        let at = time_or_date(*at, state.live.at, &state.zone);
        PickRow::new(
            lesson.id.clone(),
            format!("take back {}", lesson.rule),
            format!("{became}; {at} by {author}: {}", lesson.reason),
        )
    });
    let rows: Vec<PickRow> = proposed.chain(standing).collect();
    let Some(first) = rows.first().map(|r| r.id.clone()) else {
        return say(state, Tone::Good, "nothing to learn: say of alerts whether they were real (t) or false (f)");
    };
    state.overlays.push(Overlay::Pick(Pick::new(PickKind::Learn(Box::new(learned)), "Enter lets a rule learn", rows, &first)));
}

/// No id of a lesson has a space.
fn proposed_id(proposal: &Proposal) -> String {
    format!("rule {}", proposal.rule)
}

/// One was chosen: it holds from now on, or no longer.
pub fn chosen(state: &mut UiState, learned: Learned, id: &str) -> Vec<Effect> {
    if state.scope < Scope::Admin {
        say(state, Tone::Bad, "only who administers this recorder changes its rules");
        return Vec::new();
    }
    let author = state.author.clone();
    let proposal = learned.proposals.into_iter().find(|p| proposed_id(p) == id);
    let lesson = learned.lessons.into_iter().map(|(.., lesson)| lesson).find(|l| l.id == id);
    let request = match (proposal, lesson) {
        (Some(Proposal { rule, to, reason, .. }), _) => Request::ApplyProposal { rule, keys: to, reason, author },
        (None, Some(lesson)) => Request::UndoLesson { lesson: Box::new(lesson), author },
        (None, None) => return Vec::new(),
    };
    vec![Effect::Ask(Purpose::Changed, request)]
}
