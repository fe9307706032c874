//! `farol rules learn`: what each rule's alerts were worth, and the limits that would have served better.
//!
//! Invariant: nothing changes without `--apply` or `--undo`; every proposal stands beside a replay of the same span with the limit in
//! force and with the one proposed.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{decide, out};
use crate::app::cli::{Format, Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::app::{Failure, place};
use crate::base::{TimeRange, Timestamp};
use crate::model::{Evidence, IncidentRecord, JournalEvent, Proposal, RuleKeys, RuleRecord};
use crate::monitor::{Answer, Learned, Request};

/// Arguments.
#[derive(Debug, Args)]
pub struct Learn {
    /// The span that ends now.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30d")]
    last: Duration,
    /// One rule; by default all.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Change the rules as proposed; each change can be undone.
    #[arg(long)]
    apply: bool,
    /// Take a change back.
    #[arg(long, value_name = "ID", conflicts_with_all = ["apply", "rule"])]
    undo: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value = "text", conflicts_with_all = ["apply", "undo"])]
    format: Format,
}

impl Learn {
    /// Does it.
    ///
    /// # Errors
    /// No engine and no history; an unknown lesson, a rule that was changed since.
    pub fn run(&self, global: &Global) -> Result<(), Failure> {
        let mut reach = Reach::find(global)?;
        if let Some(id) = &self.undo {
            return undo(id, &mut reach, global);
        }
        let range = TimeRange::last(self.last, Timestamp::now());
        let mut learned = match reach.ask(Request::Learn { range })? {
            Answer::Learned(learned) => learned,
            other => return Err(unexpected(&other).into()),
        };
        if let Some(rule) = &self.rule {
            learned.ledger.rules.retain(|r| r.rule == *rule);
            learned.proposals.retain(|p| p.rule == *rule);
            learned.lessons.retain(|(.., lesson)| lesson.rule == *rule);
        }
        if !self.apply {
            out::print(&match self.format {
                Format::Json => as_json(&learned),
                Format::Text => as_text(&learned, global),
            })?;
            return Ok(());
        }
        if learned.proposals.is_empty() {
            out::print("nothing to change\n")?;
        }
        for Proposal { rule, to, reason, .. } in learned.proposals {
            decide::decide(global, Request::ApplyProposal { rule, keys: to, reason, author: place::author() })?;
        }
        Ok(())
    }
}

/// Takes a lesson back, however long ago it was learned.
fn undo(id: &str, reach: &mut Reach, global: &Global) -> Result<(), Failure> {
    let range = TimeRange { from: Timestamp(0), to: Timestamp::now() };
    let entries = match reach.ask(Request::Journal { range })? {
        Answer::Journal { entries } => entries,
        other => return Err(unexpected(&other).into()),
    };
    let lesson = entries.into_iter().rev().find_map(|entry| match entry.event {
        JournalEvent::Learned { lesson, .. } if lesson.id == id => Some(lesson),
        _ => None,
    });
    let unknown = || Failure::usage(anyhow::anyhow!("nothing was learned as \"{id}\"; see farol rules learn"));
    let lesson = Box::new(lesson.ok_or_else(unknown)?);
    decide::decide(global, Request::UndoLesson { lesson, author: place::author() }).map(drop)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0))
}

fn written(keys: &RuleKeys) -> String {
    keys.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
}

fn as_text(learned: &Learned, global: &Global) -> String {
    let zone = out::zone(global);
    let head = ["rule", "fired", "acted on", "said false", "by itself", "missed", "false share"].map(str::to_owned).to_vec();
    let row = |r: &RuleRecord| {
        let mut row = vec![r.rule.clone()];
        row.extend([r.fired, r.acted_on, r.said_false, r.self_healed, r.missed].map(|n| n.to_string()));
        row.push(percent(r.false_share()));
        row
    };
    let rules = &learned.ledger.rules;
    let mut text = match rules.is_empty() {
        true => "no rule fired in this span\n".to_owned(),
        false => out::table(&std::iter::once(head).chain(rules.iter().map(row)).collect::<Vec<_>>()),
    };
    for IncidentRecord { incident, .. } in learned.ledger.incidents.iter().filter(|i| i.missed) {
        text.push_str(&format!("missed: {} {}\n", out::local(incident.span.from, &zone), incident.comment));
    }
    for (at, author, lesson) in &learned.lessons {
        let became = lesson.after.as_ref().map_or_else(|| "as before".to_owned(), written);
        let at = out::local(*at, &zone);
        text.push_str(&format!("learned {}: {at} {}: {became} ({}, by {author})\n", lesson.id, lesson.rule, lesson.reason));
    }
    for one in &learned.proposals {
        let Evidence { alerts, messages, real, incidents, approximate } = one.evidence;
        let (from, to) = (written(&one.from), written(&one.to));
        text.push_str(&format!("proposed: {}: {to} instead of {from}, because {}\n", one.rule, one.reason));
        let of = |what: &str, [before, after]: [u64; 2]| format!("{what} {before} -> {after}");
        let mut parts = vec![of("alerts", alerts), of("messages", messages), of("of them real", real)];
        parts.extend((incidents != [0, 0]).then(|| of("incidents told", incidents)));
        let exact = if approximate { "; approximate: not every sample is kept" } else { "" };
        text.push_str(&format!("  by replay: {}{exact}\n", parts.join(", ")));
    }
    for rule in &learned.left_out {
        text.push_str(&format!(
            "not judged: {rule}: its replay takes too long; ask for it alone (--rule), or for a shorter span\n"
        ));
    }
    text.push_str(match learned.proposals.is_empty() {
        true => "nothing to propose\n",
        false => "farol rules learn --apply changes them; --undo ID takes a change back\n",
    });
    text
}

fn as_json(learned: &Learned) -> String {
    let ledger = &learned.ledger;
    let rule = |r: &RuleRecord| {
        json!({
            "rule": r.rule, "since": r.since.rfc3339(), "fired": r.fired, "acted_on": r.acted_on, "said_real": r.said_real,
            "said_false": r.said_false, "self_healed": r.self_healed, "missed": r.missed,
            "false_share": r.false_share(), "missed_share": r.missed_share(),
        })
    };
    let incident = |i: &IncidentRecord| {
        let span = i.incident.span;
        json!({
            "from": span.from.rfc3339(), "to": span.to.rfc3339(), "comment": i.incident.comment, "rule": i.incident.rule,
            "author": i.author, "missed": i.missed,
        })
    };
    let proposal = |p: &Proposal| {
        let both = |[before, after]: [u64; 2]| json!({"before": before, "after": after});
        let e = &p.evidence;
        json!({
            "rule": p.rule, "from": p.from, "to": p.to, "reason": p.reason, "alerts": both(e.alerts), "messages": both(e.messages),
            "real": both(e.real), "incidents": both(e.incidents), "approximate": e.approximate,
        })
    };
    let lessons = learned.lessons.iter().map(|(at, author, lesson)| {
        json!({
            "id": lesson.id, "at": at.rfc3339(), "author": author, "rule": lesson.rule, "before": lesson.before,
            "after": lesson.after, "reason": lesson.reason, "undoes": lesson.undoes,
        })
    });
    let fields = json!({
        "from": ledger.range.from.rfc3339(),
        "to": ledger.range.to.rfc3339(),
        "rules": ledger.rules.iter().map(rule).collect::<Vec<Value>>(),
        "incidents": ledger.incidents.iter().map(incident).collect::<Vec<Value>>(),
        "proposals": learned.proposals.iter().map(proposal).collect::<Vec<Value>>(),
        "lessons": lessons.collect::<Vec<Value>>(),
        "left_out": learned.left_out,
    });
    out::object("learn", ledger.range.to, fields)
}
