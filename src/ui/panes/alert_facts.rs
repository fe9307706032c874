//! What is said beside the chart of an alert: why, who was told, the processes then, what one can do.
//!
//! Invariant: only what the alert or the journal says; nothing is guessed here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_history;
use super::alert_rows::standing;
use super::parts::{Slot, fact, paragraphs, row, series_name};
use crate::model::{Alert, AlertState, JournalEntry, JournalEvent, Outcome, Resource};
use crate::ui::actions::ACTIONS;
use crate::ui::format::{moment, time, time_seconds};
use crate::ui::pane::DrawContext;
use crate::ui::state::Focus;
use crate::ui::widgets::{Phrase, Role};

/// The cause in one sentence, value and limit, what changed, what comes.
pub fn why(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, alert: &Alert) {
    let id = Phrase::new().dim("alert ").text(&alert.id);
    slot.title(ctx.ink, buf, &Phrase::new().strong("Why"), &[Phrase::new().dim("rule ").text(&alert.rule), id]);
    let e = &alert.explanation;
    let mut said = reasons(ctx, alert);
    if !e.changes.is_empty() {
        said.extend([Phrase::new(), Phrase::new().dim("recent changes")]);
        said.extend(e.changes.iter().map(|c| match c.split_once(' ') {
            Some((when, what)) if when.contains(':') => Phrase::new().dim(&format!("{when:>6} ")).text(what),
            _ => Phrase::new().text("       ").text(c),
        }));
    }
    let open = ctx.snapshot.predictions.iter().filter(|p| p.outcome.is_none() && p.key == alert.key);
    let mut ahead = Phrase::new();
    for p in open {
        let gap = if ahead.is_empty() { "" } else { "   " };
        ahead = ahead.text(gap).role(Role::Pred, &format!("◆ {} {}", time(p.at, ctx.zone()), p.title));
        ahead = ahead.dim(" p ").text(&format!("{:.2}", p.probability));
    }
    if !ahead.is_empty() {
        said.extend([Phrase::new(), Phrase::new().dim("if nothing is done"), ahead]);
    }
    paragraphs(ctx.ink, buf, slot.inner(), &said);
}

/// The cause in one sentence, value against limit and normal, how long, who, and how often before.
fn reasons(ctx: &DrawContext, alert: &Alert) -> Vec<Phrase> {
    let e = &alert.explanation;
    let mut said: Vec<Phrase> = Vec::new();
    if !e.summary.is_empty() {
        said.push(Phrase::new().strong(&e.summary));
    }
    let value = Phrase::new().dim("value ").bold(Role::Crit, &ctx.value(alert.value, alert.unit));
    let value = value.dim(", limit ").strong(&ctx.value(alert.limit, alert.unit));
    said.push(match &e.normal {
        Some(normal) => value.dim(", usually ").text(normal),
        None => value.dim(" · still learning what is normal here"),
    });
    let began = Phrase::new().dim("holds since ").text(&moment(alert.since, ctx.snapshot.at, ctx.zone()));
    said.push(began.dim(" · ").join(&standing(ctx, alert)));
    if let Some(outcome) = alert.feedback {
        said.push(Phrase::new().dim(if outcome == Outcome::Right {
            "somebody said: it was real"
        } else {
            "somebody said: false alarm"
        }));
    }
    let before = alert_history::in_short(ctx, alert);
    if !before.is_empty() {
        said.push(before);
    }
    said
}

/// Who used the resource when the rule fired, or what moved with it where no process is to blame.
pub fn culprits(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, alert: &Alert) {
    let e = &alert.explanation;
    if !e.processes.is_empty() {
        processes(ctx, buf, Slot { y1: slot.y1 - moved_rows(slot, alert), ..slot }, alert);
    } else {
        slot.title(ctx.ink, buf, &Phrase::new().strong("Who or what"), &[]);
        if e.correlated.is_empty() {
            return paragraphs(ctx.ink, buf, slot.inner(), &[Phrase::new().dim("no process and no other series stands out")]);
        }
    }
    let rows = moved_rows(slot, alert);
    let inner = slot.inner();
    let area = Rect { y: inner.bottom().saturating_sub(rows), height: rows, ..inner };
    let head = Phrase::new().dim("moved with it, at that time against usual");
    let moved = e.correlated.iter().map(|one| {
        let unit = ctx.snapshot.catalog.unit(one.key.metric());
        let then = ctx.quantity(Role::Text, one.value, unit);
        (Phrase::new().text(&series_name(&one.key)), then.dim(&format!("  usually {}", ctx.value(one.usual, unit))))
    });
    for (i, (name, value)) in (0..rows).zip(std::iter::once((head, Phrase::new())).chain(moved)) {
        fact(ctx.ink, buf, row(area, i), &name, &value);
    }
}

/// Rows of what moved with it, its head included.
fn moved_rows(slot: Slot, alert: &Alert) -> u16 {
    let n = u16::try_from(alert.explanation.correlated.len()).unwrap_or(0);
    if n == 0 { 0 } else { (n + 1).min(slot.inner().height / 2) }
}

/// Why, in as many lines as there are: for the smallest screens.
pub fn in_short(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, alert: &Alert) {
    let open = Phrase::new().strong("Enter").dim(" opens");
    let title = Phrase::new().strong("Why ").dim("rule ").text(&alert.rule);
    slot.title(ctx.ink, buf, &title, &[open]);
    let e = &alert.explanation;
    let mut said = reasons(ctx, alert);
    said.extend(e.changes.iter().map(|change| Phrase::new().dim("before: ").text(change)));
    said.extend(e.processes.iter().take(2).map(|culprit| Phrase::new().dim("process ").text(&culprit.text(e.resource))));
    said.extend(e.correlated.iter().take(1).map(|one| Phrase::new().dim("moved with it ").text(&one.text())));
    paragraphs(ctx.ink, buf, slot.inner(), &said);
}

/// Who used the resource when the rule fired.
pub fn processes(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, alert: &Alert) {
    let at = alert.fired_at.unwrap_or(alert.since);
    let title = Phrase::new().strong(&format!("Processes at {}", time_seconds(at, ctx.zone())));
    slot.title(ctx.ink, buf, &title, &[Phrase::new().dim("most first")]);
    let area = slot.inner();
    let unit = alert.explanation.resource.map(Resource::unit);
    let shown = |value: f64| {
        unit.map_or_else(|| Phrase::new().text(&crate::base::units::plain(value)), |u| ctx.quantity(Role::Text, value, u))
    };
    let cells = |buf: &mut Buffer, line: Rect, texts: [&Phrase; 3]| {
        texts[2].put_right(ctx.ink, buf, (line.x, line.right()), line.y);
        let before = Rect { width: line.width.saturating_sub(13), ..line };
        fact(ctx.ink, buf, before, texts[0], texts[1]);
    };
    let head = [Phrase::new().dim("    PID process"), Phrase::new().dim("then"), Phrase::new().strong("change▼")];
    if area.height > 0 {
        cells(buf, row(area, 0), [&head[0], &head[1], &head[2]]);
    }
    let limit = area.height.saturating_sub(1 + u16::from(!alert.explanation.query.is_empty()));
    for (i, culprit) in (0..limit).zip(&alert.explanation.processes) {
        let role = if i == 0 { Role::Crit } else { Role::Text };
        let name = Phrase::new().dim(&format!("{:>7} ", culprit.pid)).bold(role, &culprit.name);
        let name = culprit.unit.iter().fold(name, |n, unit| n.dim("  ").dim(unit));
        let change = culprit.change.map_or_else(Phrase::new, |c| {
            let text = unit.map_or_else(|| format!("{c:+.1}"), |u| ctx.value(c.abs(), u));
            let sign = if c < 0.0 { "-" } else { "+" };
            Phrase::new().bold(
                if i == 0 { Role::Crit } else { Role::Strong },
                &if unit.is_some() { format!("{sign}{text}") } else { text },
            )
        });
        cells(buf, row(area, i + 1), [&name, &shown(culprit.value), &change]);
    }
    let used = 1 + u16::try_from(alert.explanation.processes.len()).unwrap_or(0);
    if !alert.explanation.query.is_empty() && area.height > used + 1 {
        let query = Phrase::new().dim("query ").text(&alert.explanation.query);
        query.put(ctx.ink, buf, (area.x, area.y + used + 1), area.right());
    }
}

/// The journal of the alert, oldest first.
pub fn told(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, alert: &Alert, focus: Option<&Focus>) {
    let level = Phrase::new().dim("level ").text(&alert.level.to_string()).dim(" of 4");
    slot.title(ctx.ink, buf, &Phrase::new().strong("Who was told"), &[level]);
    let area = slot.inner();
    let Some(focus) = focus else {
        return paragraphs(ctx.ink, buf, area, &[Phrase::new().dim("the journal is on its way")]);
    };
    let mut events: Vec<Phrase> = focus.journal.iter().filter_map(|e| event(ctx, alert, e)).collect();
    if events.is_empty() {
        return paragraphs(
            ctx.ink,
            buf,
            area,
            &[Phrase::new().dim("nothing was sent; channels come from [notify.<name>] in the configuration")],
        );
    }
    let next = ctx.snapshot.next_steps.iter().find(|n| n.alert == alert.id).filter(|_| ctx.cursor().is_none());
    if let Some(next) = next {
        let at = Phrase::new().role(Role::Pred, &format!("{}  ", time_seconds(next.at, ctx.zone())));
        let at = at.role(Role::Pred, &format!("{:<12}", format!("level {}", next.level)));
        let who = if next.channels.is_empty() { "nobody: no channel is configured".to_owned() } else { next.channels.join(", ") };
        events.push(at.dim("unless somebody acknowledges: ").text(&who));
    }
    // The newest lines matter most.
    let skip = events.len().saturating_sub(usize::from(area.height));
    paragraphs(ctx.ink, buf, area, events.get(skip..).unwrap_or(&[]));
}

fn event(ctx: &DrawContext, alert: &Alert, entry: &JournalEntry) -> Option<Phrase> {
    let own = |id: &str| id == alert.id;
    let at = Phrase::new().dim(&format!("{}  ", time_seconds(entry.at, ctx.zone())));
    Some(match &entry.event {
        JournalEvent::Transition { transition, alert: then } if own(&transition.alert) => {
            let word = match (transition.from, transition.to) {
                (_, AlertState::Pending) => "pending".to_owned(),
                (Some(AlertState::Firing), AlertState::Firing) if then.is_flapping() => "flaps".to_owned(),
                // It fired before: it rose to the next level, or its silence ended.
                (Some(AlertState::Firing), AlertState::Firing) if then.level > 0 => format!("level {}", then.level),
                (Some(AlertState::Firing), AlertState::Firing) => "told again".to_owned(),
                (_, AlertState::Firing) => "fired".to_owned(),
                (_, AlertState::Resolved) => "resolved".to_owned(),
            };
            at.strong(&format!("{word:<12}")).dim(&transition.reason)
        }
        JournalEvent::Delivered { alert: id, channel, error, note } if own(id) => match error {
            None if note.is_empty() => at.text(&format!("{channel:<12}")).role(Role::Ok, "✓ ").dim("delivered"),
            None => at.text(&format!("{channel:<12}")).role(Role::Ok, "✓ ").dim(note),
            Some(why) => at.text(&format!("{channel:<12}")).bold(Role::Warn, "▲ ").text(why),
        },
        JournalEvent::Acknowledged { alert: id, author, comment, active } if own(id) => {
            let word = if *active { "acknowledged" } else { "given back" };
            at.role(Role::Ok, "✓ ").text(&format!("{word} by {author}")).dim(&format!("  {comment}"))
        }
        JournalEvent::Snoozed { alert: id, author, snooze } if own(id) => {
            at.text(&format!("{} by {author}", if snooze.is_some() { "snoozed" } else { "no longer snoozed" }))
        }
        JournalEvent::Feedback { alert: id, author, outcome } if own(id) => {
            at.text(&format!("{author} said: {}", if *outcome == Outcome::Right { "it was real" } else { "false alarm" }))
        }
        _ => return None,
    })
}

/// Keys that do something about it, from the one table of keys.
pub fn todo(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, alert: &Alert) {
    const ABOUT_IT: [&str; 7] = ["acknowledge", "silence", "unsilence", "snooze", "true-alarm", "false-alarm", "note"];
    slot.title(ctx.ink, buf, &Phrase::new().strong("What you can do"), &[]);
    let area = slot.inner();
    let mut said: Vec<Phrase> = Vec::new();
    for id in ABOUT_IT {
        if let Some(action) = ACTIONS.iter().find(|a| a.id == id && (a.enabled)(ctx.state)) {
            said.push(Phrase::new().strong(&format!("{:>3} ", action.keys.first().copied().unwrap_or(""))).text(action.help));
        }
    }
    if said.is_empty() {
        said.push(Phrase::new().dim("looking only: this connection may not change anything"));
    }
    let advice = ctx.snapshot.predictions.iter().find(|p| p.outcome.is_none() && p.key == alert.key && !p.advice.is_empty());
    if let Some(p) = advice {
        said.extend([Phrase::new(), Phrase::new().dim("advice  ").text(&p.advice)]);
    }
    paragraphs(ctx.ink, buf, area, &said);
}
