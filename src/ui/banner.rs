//! The second line: what is wrong, since when, by whom, what comes next, who was told.
//!
//! Worst first; parts go from the least needed until it fits. Invariant: the cause stays as long as
//! anything but the alert itself stays, and a moment that is not the present says so.

use crate::base::{Unit, format_duration};
use crate::model::{Alert, AlertState, Culprit, Severity};
use crate::monitor::{Link, Scope};

use super::actions::{ACTIONS, Act};
use super::format;
use super::state::{UiState, View};
use super::widgets::units::Units;
use super::widgets::{Ground, Phrase, Role};

/// The second line, ready to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// Its ground.
    pub ground: Ground,
    /// The sentence, from the longest to the shortest form.
    pub forms: Vec<Phrase>,
    /// Columns of its first word, which is reversed where there are no grounds.
    pub first_word: u16,
    /// Keys that lead on, and on another moment what is wrong now.
    pub right: Phrase,
}

/// Actions whose keys the second line shows; the last line does not repeat them.
pub fn acts(state: &UiState) -> Vec<Act> {
    if state.past.is_some() {
        return vec![Act::Live];
    }
    let Some(alert) = worst(state) else { return Vec::new() };
    let can = state.scope >= Scope::Operate;
    let ack = (can && alert.acknowledged.is_none()).then_some(Act::Acknowledge);
    match state.view {
        View::Overview | View::Alerts => ack.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The alert the line is about: the worst that fires and is not quiet, those nobody takes care of first.
pub fn worst(state: &UiState) -> Option<&Alert> {
    let firing = state.live.firing().filter(|a| !a.is_quiet());
    firing.max_by_key(|a| (a.severity, a.acknowledged.is_none(), std::cmp::Reverse(a.fired_at))).map(|a| &**a)
}

/// Role and glyph of a severity.
pub fn mark(severity: Severity) -> (Role, &'static str) {
    match severity {
        Severity::Critical => (Role::Crit, "✘"),
        Severity::Warning => (Role::Warn, "▲"),
        Severity::Info => (Role::Ok, "●"),
    }
}

/// Makes the line.
pub fn banner(state: &UiState) -> Banner {
    if let Link::Lost { address, since, reason } = &state.link {
        let since = format::time_seconds(*since, &state.zone);
        // The reason names the address as well.
        let reason = reason.replace(&format!("{address}: "), "").replace(&format!(" at {address}"), "");
        let word = || Phrase::new().bold(Role::Crit, "✘ LOST ");
        let head = word().strong(address).text(&format!(" since {since} · {reason}"));
        let forms = vec![
            head.clone().text(" · what is shown is the last that came; trying again"),
            head,
            word().text(&format!("since {since} · {reason}")),
            word().text(&format!("since {since}")),
        ];
        let right = key(state, "take-over").map_or_else(Phrase::new, |k| Phrase::new().strong(&k).text(" record here"));
        return Banner { ground: Ground::BarCrit, forms, first_word: 6, right };
    }
    if state.past.is_some() {
        return past(state);
    }
    if state.live.seq == 0 && state.live.readings.is_empty() {
        let forms = vec![Phrase::new().dim("○ waiting for the first readings")];
        return Banner { ground: Ground::Screen, forms, first_word: 0, right: Phrase::new() };
    }
    match worst(state) {
        Some(alert) => wrong(state, alert),
        None => quiet(state),
    }
}

fn past(state: &UiState) -> Banner {
    let Some(past) = &state.past else { return quiet(state) };
    let at = format::moment(past.at, state.live.at, &state.zone);
    let ago = format_duration(state.live.at.since(past.at));
    let (word, rest) = if past.frozen { ("FROZEN", "held still") } else { ("PAST", "every pane shows that moment") };
    let head = Phrase::new().bold(Role::Past, &format!("◄ {word} ")).strong(&format!("{at}, {ago} ago"));
    let forms = vec![head.clone().text(&format!(" · {rest}")), head];
    let mut right = Phrase::new();
    if let Some(alert) = worst(state) {
        let (role, glyph) = mark(alert.severity);
        right = right.text("live now ").bold(role, &format!("{glyph} {}", subject(alert))).text("   ");
    }
    let (id, word) = if past.frozen { ("freeze", " go on") } else { ("live", " live") };
    let right = key(state, id).map_or(right.clone(), |k| right.strong(&k).text(word));
    Banner { ground: Ground::BarPast, forms, first_word: 2 + word_width(past.frozen), right }
}

fn word_width(frozen: bool) -> u16 {
    if frozen { 6 } else { 4 }
}

fn quiet(state: &UiState) -> Banner {
    let over = state.live.alerts.iter().filter(|a| a.state == AlertState::Resolved).filter_map(|a| a.resolved_at).max();
    let began = Some(state.live.recorder.since).filter(|t| t.0 > 0);
    let mut text = Phrase::new().bold(Role::Ok, "● ").strong("all quiet");
    if let Some(since) = over.or(began) {
        text = text.text(&format!(" since {}", format::time_or_date(since, state.live.at, &state.zone)));
    }
    let silenced = state.live.firing().filter(|a| a.is_quiet()).count();
    let mut forms = vec![text.clone()];
    if silenced > 0 {
        forms.insert(0, text.clone().text(&format!(" · {silenced} silenced")));
    }
    let next = state.live.predictions.iter().find(|p| p.outcome.is_none());
    if let Some(next) = next {
        let at = format::time_or_date(next.at, state.live.at, &state.zone);
        let longest =
            forms[0].clone().text(" · ").role(Role::Strong, &next.title).text(&format!(" about {at}, p {:.2}", next.probability));
        forms.insert(0, longest);
    }
    Banner { ground: Ground::BarOk, forms, first_word: 1, right: Phrase::new() }
}

fn wrong(state: &UiState, alert: &Alert) -> Banner {
    let (role, glyph) = mark(alert.severity);
    let (long, short) = match alert.severity {
        Severity::Critical => ("CRITICAL", "CRIT"),
        Severity::Warning => ("WARNING", "WARN"),
        Severity::Info => ("INFO", "INFO"),
    };
    let lasted = format_duration(state.live.at.since(alert.fired_at.unwrap_or(alert.since)));
    let head =
        |word: &str, length: &str| Phrase::new().bold(role, &format!("{glyph} {word} ")).strong(&alert.title).strong(length);
    let full = head(long, &format!(" for {lasted}"));
    let brief = head(short, "").text(&format!(" {lasted}"));
    let least = Phrase::new().bold(role, &format!("{glyph} {short} ")).strong(subject(alert)).text(&format!(" {lasted}"));
    let causes = causes(state, alert);
    let long_cause = causes.first().cloned().unwrap_or_default();
    let short_cause = causes.last().cloned().unwrap_or_default();
    let (next, soon) = next(state, alert).unwrap_or_default();
    let told = told(state, alert);
    let forms = vec![
        join(&full, &[&long_cause, &next, &told]),
        join(&full, &[&short_cause, &next, &told]),
        join(&full, &[&short_cause, &next]),
        join(&brief, &[&short_cause, &soon]),
        join(&least, &[&short_cause, &soon]),
        join(&least, &[&short_cause]),
        least,
    ];
    let mut right = Phrase::new();
    // Below 100 columns the sentence needs the room more.
    if state.view != View::Alerts && state.size.0 >= 100 {
        right = key(state, "alerts").map_or(right.clone(), |k| right.strong(&k).text(" why"));
    }
    for act in acts(state) {
        if let Some((k, action)) = ACTIONS.iter().find(|a| a.act == act).and_then(|a| Some((key(state, a.id)?, a))) {
            right = if right.is_empty() { right } else { right.text("  ") };
            right = right.strong(&k).text(&format!(" {}", action.hint));
        }
    }
    let ground = match alert.severity {
        Severity::Critical => Ground::BarCrit,
        Severity::Warning => Ground::BarWarn,
        Severity::Info => Ground::BarOk,
    };
    Banner { ground, forms, first_word: 2 + long.len() as u16, right }
}

fn join(head: &Phrase, parts: &[&String]) -> Phrase {
    parts.iter().filter(|p| !p.is_empty()).fold(head.clone(), |line, part| line.text(" · ").text(part))
}

fn key(state: &UiState, id: &str) -> Option<String> {
    state.keymap.key(id)
}

/// What an alert is about, without its limit.
fn subject(alert: &Alert) -> &str {
    alert.title.split(" > ").next().unwrap_or(&alert.title)
}

/// Who or what caused it, from the longest to the shortest form.
fn causes(state: &UiState, alert: &Alert) -> Vec<String> {
    let why = &alert.explanation;
    let Some(culprit) = why.processes.first() else {
        return why.beyond(&alert.title).map(|w| w.trim_end_matches('.').to_owned()).into_iter().collect();
    };
    let amount = amount(state.units, alert, culprit);
    let long = format!("{} {amount}", culprit.name);
    // A title that a program gave itself ends its name with a colon.
    let short = format!("{} {amount}", culprit.name.split(": ").next().unwrap_or(&culprit.name));
    match &culprit.unit {
        Some(unit) if *unit != culprit.name => vec![format!("{long} ({unit})"), short],
        _ => vec![long, short],
    }
}

/// What a culprit used: its change where that is known, with a sign.
fn amount(units: Units, alert: &Alert, culprit: &Culprit) -> String {
    let metric = alert.key.metric();
    let starts = |names: &[&str]| names.iter().any(|n| metric.starts_with(n));
    let unit = if starts(&["memory", "swap", "oom"]) {
        Unit::Bytes
    } else if starts(&["disk", "network"]) {
        Unit::BytesPerSecond
    } else {
        Unit::Ratio
    };
    match culprit.change {
        Some(change) if change > 0.0 => format!("+{}", units.text(change, unit)),
        _ => units.text(culprit.value, unit),
    }
}

/// What comes next, long and short: the prediction about the same series, else the most urgent likely one.
fn next(state: &UiState, alert: &Alert) -> Option<(String, String)> {
    let open = || state.live.predictions.iter().filter(|p| p.outcome.is_none());
    // The threshold above which a prediction is shown as a warning (contracts, §5).
    let prediction = open().find(|p| p.key == alert.key).or_else(|| open().find(|p| p.probability > 0.7))?;
    let at = format::time_or_date(prediction.at, state.live.at, &state.zone);
    let title = &prediction.title;
    // "memory full" after "memory 91%" is only "full".
    let first = alert.title.split(' ').next().unwrap_or("");
    let brief = title.strip_prefix(first).map_or(title.as_str(), str::trim_start);
    Some((format!("{brief} about {at}"), format!("{brief} {at}")))
}

fn told(state: &UiState, alert: &Alert) -> String {
    if let Some(ack) = &alert.acknowledged {
        return format!("acknowledged by {}", ack.by);
    }
    let level = if alert.level > 0 { format!("level {} of 4", alert.level) } else { String::new() };
    let step = state.shown().next_steps.iter().find(|n| n.alert == alert.id).filter(|_| state.past.is_none());
    let next = step.filter(|n| !n.joining.is_empty());
    let next = next.map(|n| format!("; {} at {}", n.joining.join(", "), crate::ui::format::time(n.at, &state.zone)));
    match state.told.get(&alert.id) {
        Some(channels) if next.is_some() => format!("told {}{}", channels.join(", "), next.unwrap_or_default()),
        Some(channels) if level.is_empty() => format!("told {}", channels.join(", ")),
        Some(channels) => format!("told {}; {level}", channels.join(", ")),
        None => level,
    }
}
