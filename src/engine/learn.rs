//! What the rules could learn: the ledger, and for each rule it speaks for a limit that replay shows to be better.
//!
//! Nothing is changed here. Invariant: a looser limit is proposed only where it would have told less, and all
//! that somebody acted on; a tighter one only where it would have told of what was missed.

use std::time::{Duration, Instant};

use super::answer::{Context, unread};
use super::replay::{PATIENCE, run};
use crate::alert::{RuleConfig, ledger, moved, verdict};
use crate::base::TimeRange;
use crate::model::{Alert, Evidence, JournalEvent, Ledger, Proposal, RuleKeys, RuleRecord, RuleSpec, SeriesKey};
use crate::monitor::{Answer, Learned, Refusal, Replayed};

/// Answers what could be learned from a span.
///
/// # Errors
/// A history that cannot be read.
pub fn learn(range: TimeRange, context: &Context<'_>) -> Result<Answer, Refusal> {
    let entries = context.view()?.journal(range).map_err(unread)?;
    let ledger = ledger(&entries, range);
    let (mut proposals, mut left_out) = (Vec::new(), Vec::new());
    let until = Instant::now() + PATIENCE;
    for record in &ledger.rules {
        let Some(rule) = context.judging.rules.iter().find(|r| r.name == record.rule) else { continue };
        match proposal(rule, record, &ledger, (context, until)) {
            Ok(one) => proposals.extend(one),
            Err(_) if Instant::now() > until => left_out.push(rule.name.clone()),
            Err(refusal) => return Err(refusal),
        }
    }
    let lessons = entries.into_iter().filter_map(|entry| match entry.event {
        JournalEvent::Learned { lesson, author } => Some((entry.at, author, lesson)),
        _ => None,
    });
    Ok(Answer::Learned(Box::new(Learned { lessons: lessons.collect(), ledger, proposals, left_out })))
}

fn proposal(
    rule: &RuleSpec,
    record: &RuleRecord,
    ledger: &Ledger,
    (context, until): (&Context<'_>, Instant),
) -> Result<Option<Proposal>, Refusal> {
    let Some((factors, reason)) = verdict(record) else { return Ok(None) };
    let interval = Duration::from_secs_f64(context.now.recorder.interval_seconds.clamp(0.1, 3600.0));
    let range = TimeRange { from: record.since, to: ledger.range.to };
    let replayed = |spec: RuleSpec| run(vec![spec], range, (interval, context.judging, until), &context.source());
    let mut before = None;
    for factor in factors {
        let Some(draft) = moved(rule, *factor) else { return Ok(None) };
        let before = match &before {
            Some(known) => known,
            None => before.insert(replayed(rule.clone())?),
        };
        let after = replayed(draft.clone())?;
        let evidence = evidence([before, &after], record, ledger);
        let [told, would_tell] = evidence.alerts;
        let is_better = match *factor > 1.0 {
            true => evidence.real[1] >= evidence.real[0] && would_tell < told,
            false => evidence.incidents[1] > evidence.incidents[0],
        };
        if !is_better {
            continue;
        }
        let (from, to) = (keys(rule), keys(&draft));
        return Ok(Some(Proposal { rule: rule.name.clone(), from, to, reason, evidence }));
    }
    Ok(None)
}

/// The keys that learning moves, as people write them.
fn keys(rule: &RuleSpec) -> RuleKeys {
    let mut all = crate::config::texts(&RuleConfig::of(rule));
    all.retain(|key, _| ["above", "below", "clear"].contains(&key.as_str()));
    all
}

fn evidence(replayed: [&Replayed; 2], record: &RuleRecord, ledger: &Ledger) -> Evidence {
    let n = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let tells = |replayed: &Replayed, key: Option<&SeriesKey>, span: &TimeRange| {
        let meets = |a: &Alert| {
            let fired = a.fired_at.is_some_and(|fired| fired <= span.to);
            let labels = key.is_none_or(|key| key.labels().eq(a.key.labels()));
            fired && labels && a.resolved_at.is_none_or(|over| over >= span.from)
        };
        replayed.alerts.iter().any(|a| meets(a))
    };
    let missed = ledger.incidents.iter().filter(|i| i.missed && i.incident.rule.as_ref() == Some(&record.rule));
    let missed: Vec<TimeRange> = missed.map(|i| i.incident.span).collect();
    Evidence {
        alerts: replayed.map(|r| n(r.alerts.len())),
        messages: replayed.map(|r| r.messages.values().sum()),
        real: replayed.map(|r| n(record.real.iter().filter(|(key, span)| tells(r, Some(key), span)).count())),
        incidents: replayed.map(|r| n(missed.iter().filter(|span| tells(r, None, span)).count())),
        approximate: replayed.iter().any(|r| r.approximate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::engine::scenarios::Scene;
    use crate::model::Incident;
    use crate::monitor::Request;
    use crate::notify::Sending;

    const RULE: &str = "[notify.file]\npath = \"a.jsonl\"\n[[rule]]\nname = \"tight\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\n\
                        clear = \"80%\"\nflap_start = \"100%\"\n";

    /// Six peaks nobody cares for, and two of `real` that somebody does something about.
    fn scene(real: f64) -> Scene {
        let mut scene = Scene::with(RULE, Timestamp::from_seconds(1_780_000_000), Sending::Real);
        for n in 0..8 {
            let peak = if n % 4 == 3 { real } else { 0.86 };
            (0..3).for_each(|_| scene.tick(peak));
            if n % 4 == 3 {
                let alert = scene.alert().expect("it fires").id.clone();
                scene.decide(Request::Acknowledge { alert, author: "ana".to_owned(), comment: String::new() });
            }
            (0..10).for_each(|_| scene.tick(0.5));
        }
        scene.restart("well");
        scene
    }

    fn learned(scene: &Scene) -> Learned {
        let range = TimeRange { from: scene.at - Duration::from_secs(3600), to: scene.at };
        match scene.ask(&Request::Learn { range }) {
            Answer::Learned(learned) => *learned,
            other => panic!("{other:?}"),
        }
    }

    fn keys(keys: &[(&str, &str)]) -> RuleKeys {
        keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_looser_limit_is_proposed_with_what_it_would_have_told() {
        let found = learned(&scene(0.95));
        let [one] = &found.proposals[..] else { panic!("{:?}", found.proposals) };
        assert_eq!(
            (&one.from, &one.to),
            (&keys(&[("above", "85%"), ("clear", "80%")]), &keys(&[("above", "93.5%"), ("clear", "88%")]))
        );
        assert_eq!(one.reason, "75% of 8 alerts were false (0 said so, 6 over by themselves)");
        assert_eq!((one.evidence.alerts, one.evidence.real, one.evidence.approximate), ([8, 2], [2, 2], false));
        assert!(one.evidence.messages[1] < one.evidence.messages[0], "{:?}", one.evidence);
    }

    #[test]
    fn it_goes_only_as_far_as_every_real_alert_is_told_and_not_at_all_where_that_tells_no_less() {
        assert_eq!(learned(&scene(0.9)).proposals[0].to["above"], "89.25%");
        assert_eq!(learned(&scene(0.865)).proposals, [], "a real alert among the false ones");
    }

    #[test]
    fn missed_incidents_ask_for_a_tighter_limit_and_a_lesson_begins_a_new_page() {
        let mut scene = Scene::with(RULE, Timestamp::from_seconds(1_780_000_000), Sending::Real);
        for _ in 0..5 {
            let from = scene.at;
            (0..5).for_each(|_| scene.tick(0.8));
            (0..5).for_each(|_| scene.tick(0.5));
            let (span, rule) = (TimeRange { from, to: scene.at }, Some("tight".to_owned()));
            let incident = Incident { span, comment: "slow".to_owned(), rule };
            scene.decide(Request::AddIncident { incident, author: "ana".to_owned() });
        }
        scene.restart("well");
        let found = learned(&scene);
        let row = found.ledger.rules.iter().find(|r| r.rule == "tight").expect("a row");
        assert_eq!((row.missed, found.ledger.incidents.len()), (5, 5));
        let one = &found.proposals[0];
        assert_eq!((one.to["above"].as_str(), one.evidence.alerts, one.evidence.incidents), ("76.5%", [0, 5], [0, 5]));
        let (rule, reason) = ("tight".to_owned(), one.reason.clone());
        let lesson = crate::model::Lesson { id: String::new(), rule, before: None, after: None, reason, undoes: None };
        // The first id went to a rule that comes with farol.
        let (output, message) = scene.core.learn(scene.at, lesson, "ana".to_owned());
        assert_eq!(message, "rule \"tight\" changed; farol rules learn --undo 2 takes it back");
        scene.write(output);
        let after = learned(&scene);
        assert_eq!((after.proposals.len(), after.lessons.len(), after.lessons[0].2.id.as_str()), (0, 1, "2"));
        // As the page of settings takes it back, which does not know its id.
        let (rule, undoes) = ("tight".to_owned(), Some(String::new()));
        let back = crate::model::Lesson { id: String::new(), rule, before: None, after: None, reason: String::new(), undoes };
        let (output, message) = scene.core.learn(scene.at, back, "ana".to_owned());
        assert_eq!(message, "rule \"tight\" is as before 2");
        scene.write(output);
        assert_eq!(learned(&scene).lessons[1].2.undoes.as_deref(), Some("2"));
    }

    #[test]
    fn an_incident_that_cannot_be_is_refused() {
        let mut scene = Scene::with(RULE, Timestamp::from_seconds(1_780_000_000), Sending::Real);
        let now = scene.at;
        for (from, to, rule, says) in [
            (now - Duration::from_secs(60), now - Duration::from_secs(60), None, "must last"),
            (now + Duration::from_secs(60), now + Duration::from_secs(90), None, "lies in the past"),
            (now - Duration::from_secs(60), now, Some("tigth"), "did you mean \"tight\"?"),
        ] {
            let incident = Incident { span: TimeRange { from, to }, comment: String::new(), rule: rule.map(str::to_owned) };
            let wish = Request::AddIncident { incident, author: "ana".to_owned() };
            let refused = scene.core.decide(wish, now).err().expect("a refusal");
            assert!(refused.message.contains(says), "{}", refused.message);
        }
    }
}
