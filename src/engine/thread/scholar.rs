//! Limits changed without being asked, where the user lets it: what was learned is applied by the wishes a person would make.
//!
//! Invariant: a rule changes at most once a day, and not by itself in the 30 days after somebody took a change of it back.

use std::time::Duration;

use super::core::refuse_if_full;
use crate::base::{Queue, TimeRange, Timestamp};
use crate::engine::hub::{Reply, Wish};
use crate::model::Proposal;
use crate::monitor::{Answer, Learned, Request};

/// How much of the past is learned from; the span that `farol rules learn` shows by default.
const SPAN: Duration = Duration::from_secs(30 * 86_400);

/// Least time between two changes of a rule.
const DAY: Duration = Duration::from_secs(86_400);

/// Who lets it.
const AUTHOR: &str = "farol";

/// Asks what could be learned, and for what may be applied.
pub(super) fn begin(batch: &Queue<Wish>, at: Timestamp) {
    let wishes = batch.clone();
    let reply: Reply = Box::new(move |answer| match answer {
        Ok(Answer::Learned(learned)) => ready(*learned, at).into_iter().for_each(|one| apply(&wishes, one)),
        Ok(_) => {}
        Err(refusal) => tracing::warn!(reason = refusal.message, "what the rules could learn is not known"),
    });
    refuse_if_full(batch.push(Wish { request: Request::Learn { range: TimeRange::last(SPAN, at) }, reply }));
}

/// The proposals for rules that were not changed lately and whose last change nobody took back.
fn ready(learned: Learned, at: Timestamp) -> Vec<Proposal> {
    let lessons = learned.lessons;
    let may_change = |proposal: &Proposal| {
        let last = lessons.iter().rev().find(|(.., lesson)| lesson.rule == proposal.rule);
        last.is_none_or(|(when, _, lesson)| lesson.undoes.is_none() && at.since(*when) >= DAY)
    };
    learned.proposals.into_iter().filter(may_change).collect()
}

fn apply(batch: &Queue<Wish>, Proposal { rule, to, reason, .. }: Proposal) {
    let name = rule.clone();
    let reply: Reply = Box::new(move |answer| {
        if let Err(refusal) = answer {
            tracing::warn!(rule = name, reason = refusal.message, "what was learned could not be applied");
        }
    });
    let request = Request::ApplyProposal { rule, keys: to, reason, author: AUTHOR.to_owned() };
    refuse_if_full(batch.push(Wish { request, reply }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Lesson, RuleKeys};

    fn proposal(rule: &str) -> Proposal {
        let (from, to) = (RuleKeys::new(), RuleKeys::new());
        Proposal { rule: rule.to_owned(), from, to, reason: "too many".to_owned(), evidence: Evidence::default() }
    }

    #[test]
    fn a_rule_changes_once_a_day_and_never_after_a_change_was_taken_back() {
        let now = Timestamp::from_seconds(1_780_000_000);
        let lesson = |rule: &str, hours: u64, undoes: Option<&str>| {
            let (id, reason) = (format!("{rule}{hours}"), String::new());
            let lesson =
                Lesson { id, rule: rule.to_owned(), before: None, after: None, reason, undoes: undoes.map(str::to_owned) };
            (now - Duration::from_secs(hours * 3600), "ana".to_owned(), lesson)
        };
        let lessons =
            vec![lesson("back", 90, None), lesson("back", 80, Some("back90")), lesson("old", 30, None), lesson("new", 20, None)];
        let proposals = ["first", "back", "old", "new"].map(proposal).to_vec();
        let found = ready(Learned { proposals, lessons, ..Learned::default() }, now);
        assert_eq!(found.iter().map(|p| p.rule.as_str()).collect::<Vec<_>>(), ["first", "old"]);
    }
}
