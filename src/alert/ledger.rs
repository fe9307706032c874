//! The rules' ledger from the journal, and the limits it speaks for.
//!
//! Pure. Invariant: the same journal gives the same ledger; nothing is proposed for a rule that has not fired often enough to know.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{TimeRange, Timestamp, Unit};
use crate::model::{
    Alert, AlertState, Condition, Incident, IncidentRecord, JournalEntry, JournalEvent, Ledger, Limit, Outcome, RuleRecord,
    RuleSpec,
};

/// An alert that is over this soon and that nobody acted on healed itself (A6's outcome).
const SELF_HEALED: Duration = Duration::from_secs(300);

/// A marked incident counts as told where an alert fired no longer than this before it.
const AHEAD: Duration = Duration::from_secs(300);

/// An outage counts as announced where another alert fired no longer than this before it.
const ANNOUNCED: Duration = Duration::from_secs(900);

/// Share of false alerts from which a limit is loosened (A6).
const MOST_FALSE: f64 = 0.3;

/// Share of missed incidents from which a limit is tightened (A6).
const MOST_MISSED: f64 = 0.2;

/// Alerts, or alerts and incidents, a rule needs before its shares mean anything: with fewer a single one is more than a fifth.
const FEWEST: u32 = 5;

/// How far a limit is loosened (A6: ×1.1), or less where that would lose a real alert.
const LOOSER: [f64; 3] = [1.1, 1.05, 1.025];

/// How far a limit is tightened (A6).
const TIGHTER: f64 = 0.9;

/// The metric whose alerts are outages of services.
const OUTAGE: &str = "service_up";

/// One alert's course.
struct Course {
    alert: Alert,
    fired_at: Timestamp,
    acknowledged: bool,
    feedback: Option<Outcome>,
}

impl Course {
    fn is_outage(&self) -> bool {
        self.alert.key.metric() == OUTAGE
    }

    fn is_acted_on(&self) -> bool {
        self.feedback != Some(Outcome::Wrong) && (self.acknowledged || self.feedback == Some(Outcome::Right))
    }

    fn healed_itself(&self) -> bool {
        let quick = self.alert.resolved_at.is_some_and(|over| over.since(self.fired_at) <= SELF_HEALED);
        quick && !self.acknowledged && self.feedback.is_none() && !self.is_outage()
    }

    fn span(&self, end: Timestamp) -> TimeRange {
        TimeRange { from: self.fired_at, to: self.alert.resolved_at.unwrap_or(end) }
    }
}

/// The ledger of a span, from the journal of that span, oldest first. A rule is counted from its last lesson on.
pub fn ledger(entries: &[JournalEntry], range: TimeRange) -> Ledger {
    let mut taught: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for entry in entries {
        if let JournalEvent::Learned { lesson, .. } = &entry.event {
            taught.insert(&lesson.rule, entry.at);
        }
    }
    let since = |rule: &str| taught.get(rule).copied().unwrap_or(range.from);
    let courses = courses(entries, range);
    let mut rules: BTreeMap<String, RuleRecord> = BTreeMap::new();
    let mut row = |rule: &str, count: &dyn Fn(&mut RuleRecord)| {
        let new = || RuleRecord { rule: rule.to_owned(), since: since(rule), ..RuleRecord::default() };
        count(rules.entry(rule.to_owned()).or_insert_with(new));
    };
    for course in courses.values().filter(|c| c.fired_at >= since(&c.alert.rule)) {
        row(&course.alert.rule, &|row| {
            row.fired += 1;
            row.said_real += u32::from(course.feedback == Some(Outcome::Right));
            row.said_false += u32::from(course.feedback == Some(Outcome::Wrong));
            row.self_healed += u32::from(course.healed_itself());
            if course.is_acted_on() {
                row.acted_on += 1;
                row.real.push((course.alert.key.clone(), course.span(range.to)));
            }
        });
    }
    let incidents = incidents(entries, &courses, range);
    for missed in incidents.iter().filter(|i| i.missed) {
        if let Some(rule) = missed.incident.rule.as_ref().filter(|rule| missed.incident.span.from >= since(rule)) {
            row(rule, &|row| row.missed += 1);
        }
    }
    Ledger { range, rules: rules.into_values().collect(), incidents }
}

/// Alerts that fired in the span, by id.
fn courses(entries: &[JournalEntry], range: TimeRange) -> BTreeMap<String, Course> {
    let mut courses: BTreeMap<String, Course> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            JournalEvent::Transition { transition, alert } => match courses.get_mut(&transition.alert) {
                Some(course) => course.alert = (**alert).clone(),
                None => {
                    let fired = alert.fired_at.filter(|at| *at >= range.from && *at <= range.to);
                    if let (Some(fired_at), AlertState::Firing) = (fired, transition.to) {
                        let alert = (**alert).clone();
                        let (acknowledged, feedback) = (alert.acknowledged.is_some(), alert.feedback);
                        courses.insert(transition.alert.clone(), Course { alert, fired_at, acknowledged, feedback });
                    }
                }
            },
            JournalEvent::Acknowledged { alert, active: true, .. } => {
                if let Some(course) = courses.get_mut(alert) {
                    course.acknowledged = true;
                }
            }
            JournalEvent::Feedback { alert, outcome, .. } => {
                if let Some(course) = courses.get_mut(alert) {
                    course.feedback = Some(*outcome);
                }
            }
            _ => {}
        }
    }
    courses
}

fn incidents(entries: &[JournalEntry], courses: &BTreeMap<String, Course>, range: TimeRange) -> Vec<IncidentRecord> {
    let within = |at: Timestamp| at >= range.from && at <= range.to;
    let marked = entries.iter().filter_map(|entry| match &entry.event {
        JournalEvent::Incident { incident, author } if within(incident.span.from) => {
            let told = |c: &Course| {
                let rule = incident.rule.as_ref().is_none_or(|rule| *rule == c.alert.rule);
                let still = c.alert.resolved_at.is_none_or(|over| over >= incident.span.from);
                rule && c.fired_at <= incident.span.to && (still || c.fired_at >= incident.span.from - AHEAD)
            };
            let missed = !courses.values().any(told);
            Some(IncidentRecord { incident: incident.clone(), author: Some(author.clone()), missed })
        }
        _ => None,
    });
    let outages = courses.values().filter(|c| c.is_outage()).map(|outage| {
        let from = outage.alert.since;
        let announced = |c: &Course| !c.is_outage() && c.fired_at >= from - ANNOUNCED && c.fired_at <= from;
        let span = TimeRange { from, ..outage.span(range.to) };
        let incident = Incident { span, comment: outage.alert.title.clone(), rule: None };
        IncidentRecord { incident, author: None, missed: !courses.values().any(announced) }
    });
    let mut all: Vec<IncidentRecord> = marked.chain(outages).collect();
    all.sort_by_key(|i| (i.incident.span.from, i.incident.span.to));
    all
}

/// What a rule's record speaks for: factors for its limit, the best first, and why; `None`: it serves well or too little is known.
pub fn verdict(record: &RuleRecord) -> Option<(&'static [f64], String)> {
    let (false_share, missed_share) = (record.false_share().unwrap_or(0.0), record.missed_share().unwrap_or(0.0));
    let percent = |share: f64| format!("{:.0}%", 100.0 * share);
    if record.fired >= FEWEST && false_share > MOST_FALSE {
        let parts = format!("{} said so, {} over by themselves", record.said_false, record.self_healed);
        return Some((&LOOSER, format!("{} of {} alerts were false ({parts})", percent(false_share), record.fired)));
    }
    if record.fired + record.missed >= FEWEST && missed_share > MOST_MISSED {
        let all = record.fired.saturating_sub(record.n_false()) + record.missed;
        return Some((&[TIGHTER], format!("{} of {all} incidents were missed", percent(missed_share))));
    }
    None
}

/// The rule with its limit, and with it its `clear`, moved by a factor, greater being looser; `None` where that is not to be done.
pub fn moved(rule: &RuleSpec, factor: f64) -> Option<RuleSpec> {
    let is_plain = rule.ladder.is_empty() && matches!(rule.condition, Condition::Values | Condition::Tumbling(_));
    if !rule.learns || !is_plain {
        return None;
    }
    let (Limit::Above(limit) | Limit::Below(limit)) = rule.limit else { return None };
    let raise = if matches!(rule.limit, Limit::Above(_)) { factor } else { factor.recip() };
    let highest = match rule.clear {
        Some(Limit::Above(clear) | Limit::Below(clear)) => clear.max(limit),
        _ => limit,
    };
    // A ratio stays below 1: where the largest step would leave it, all steps, and `clear`, go a part of the way to 1.
    let nears_one = rule.unit == Unit::Ratio && highest < 1.0 && raise > 1.0 && highest * raise.max(LOOSER[0]) >= 1.0;
    let value = |v: f64| rounded(if nears_one { v + (raise - 1.0) * (1.0 - v) } else { v * raise });
    let shift = |limit: Limit| match limit {
        Limit::Above(limit) if limit > 0.0 => Some(Limit::Above(value(limit))),
        Limit::Below(limit) if limit > 0.0 => Some(Limit::Below(value(limit))),
        Limit::Above(_) | Limit::Below(_) | Limit::Outside(..) => None,
    };
    Some(RuleSpec { limit: shift(rule.limit)?, clear: rule.clear.map(|c| shift(c).unwrap_or(c)), ..rule.clone() })
}

/// Four digits: what people can read.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{alert, at, rule};
    use crate::model::{Lesson, SeriesKey, Transition};

    /// A journal of alerts: rule, when it fired, how long it lasted, whether somebody acted, what was said.
    fn journal(alerts: &[(&str, u64, u64, bool, Option<Outcome>)]) -> Vec<JournalEntry> {
        let mut entries = Vec::new();
        for (n, (rule, fired, lasted, acted, said)) in alerts.iter().enumerate() {
            let id = n.to_string();
            let mut alert = alert(&id, rule);
            (alert.since, alert.fired_at) = (at(*fired), Some(at(*fired)));
            if *rule == "service down" {
                alert.key = SeriesKey::total(OUTAGE);
            }
            let step = |to, second, alert: &Alert| {
                let (alert, transition) = (Box::new(alert.clone()), transition(&id, rule, to, second));
                JournalEntry { at: at(second), event: JournalEvent::Transition { transition, alert } }
            };
            entries.push(step(AlertState::Firing, *fired, &alert));
            if *acted {
                let (author, comment) = ("ana".to_owned(), String::new());
                let event = JournalEvent::Acknowledged { alert: id.clone(), author, comment, active: true };
                entries.push(JournalEntry { at: at(fired + 60), event });
            }
            alert.resolved_at = Some(at(fired + lasted));
            entries.push(step(AlertState::Resolved, fired + lasted, &alert));
            if let Some(outcome) = said {
                let event = JournalEvent::Feedback { alert: id.clone(), author: "ana".to_owned(), outcome: *outcome };
                entries.push(JournalEntry { at: at(fired + lasted + 5), event });
            }
        }
        entries
    }

    fn transition(id: &str, rule: &str, to: AlertState, second: u64) -> Transition {
        let (alert, rule, reason) = (id.to_owned(), rule.to_owned(), String::new());
        Transition { alert, rule, from: None, to, at: at(second), reason, author: None }
    }

    fn whole() -> TimeRange {
        TimeRange { from: at(0), to: at(100_000) }
    }

    const FIVE: [(&str, u64, u64, bool, Option<Outcome>); 5] = [
        ("cpu", 1000, 3000, true, None),
        ("cpu", 6000, 120, false, None),
        ("cpu", 9000, 120, false, Some(Outcome::Right)),
        ("cpu", 12_000, 4000, true, Some(Outcome::Wrong)),
        ("disk", 15_000, 4000, false, None),
    ];

    #[test]
    fn the_ledger_tells_acted_on_from_false_and_from_what_healed_itself() {
        let ledger = ledger(&journal(&FIVE), whole());
        let cpu = &ledger.rules[0];
        let counts = (cpu.fired, cpu.acted_on, cpu.said_real, cpu.said_false, cpu.self_healed, cpu.missed);
        assert_eq!((cpu.rule.as_str(), counts), ("cpu", (4, 2, 1, 1, 1, 0)));
        let spans = [(1000, 4000), (9000, 9120)].map(|(from, to)| TimeRange { from: at(from), to: at(to) });
        assert_eq!(cpu.real.iter().map(|(_, span)| *span).collect::<Vec<_>>(), spans);
        assert_eq!(cpu.false_share(), Some(0.5));
        assert_eq!((ledger.rules[1].fired, ledger.rules[1].false_share()), (1, Some(0.0)));
    }

    #[test]
    fn a_rule_is_counted_from_its_last_lesson_on() {
        let mut entries = journal(&FIVE);
        let (rule, reason) = ("cpu".to_owned(), String::new());
        let lesson = Lesson { id: "1".to_owned(), rule, before: None, after: None, reason, undoes: None };
        entries.push(JournalEntry { at: at(8000), event: JournalEvent::Learned { lesson, author: "ana".to_owned() } });
        let ledger = ledger(&entries, whole());
        assert_eq!((ledger.rules[0].fired, ledger.rules[0].since), (2, at(8000)));
        assert_eq!((ledger.rules[1].fired, ledger.rules[1].since), (1, at(0)));
    }

    #[test]
    fn incidents_nobody_was_told_of_are_missed_and_so_are_outages_without_a_sign_before() {
        let mut entries = journal(&[
            ("cpu", 1000, 3000, true, None),
            ("service down", 1300, 600, true, None),
            ("service down", 50_000, 600, true, None),
        ]);
        for (from, rule) in [(1100, None), (1100, Some("disk")), (30_000, None)] {
            let span = TimeRange { from: at(from), to: at(from + 600) };
            let incident = Incident { span, comment: "slow".to_owned(), rule: rule.map(str::to_owned) };
            let event = JournalEvent::Incident { incident, author: "ana".to_owned() };
            entries.push(JournalEntry { at: at(60_000), event });
        }
        let ledger = ledger(&entries, whole());
        let missed: Vec<(Timestamp, bool)> = ledger.incidents.iter().map(|i| (i.incident.span.from, i.missed)).collect();
        let expected = [(1100, false), (1100, true), (1300, false), (30_000, true), (50_000, true)];
        assert_eq!(missed, expected.map(|(second, missed)| (at(second), missed)));
        let rules: Vec<(&str, u32)> = ledger.rules.iter().map(|r| (r.rule.as_str(), r.missed)).collect();
        assert_eq!(rules, [("cpu", 0), ("disk", 1), ("service down", 0)]);
    }

    #[test]
    fn many_false_alerts_loosen_missed_incidents_tighten_and_a_few_say_nothing() {
        let check = |fired, said_false, missed, expected: Option<f64>| {
            let record = RuleRecord { fired, said_false, missed, ..RuleRecord::default() };
            assert_eq!(verdict(&record).map(|(factors, _)| factors[0]), expected, "{record:?}");
        };
        check(10, 4, 0, Some(1.1));
        check(10, 3, 0, None);
        check(4, 4, 0, None);
        check(8, 0, 4, Some(0.9));
        check(8, 0, 2, None);
        check(0, 0, 5, Some(0.9));
    }

    #[test]
    fn a_limit_moves_with_its_clear_and_a_ratio_never_reaches_one() {
        let check = |limit, unit, factor, expected: Option<Limit>| {
            let spec = RuleSpec { unit, ..rule("r", limit) };
            assert_eq!(moved(&spec, factor).map(|r| r.limit), expected);
        };
        check(Limit::Above(100.0), Unit::Count, 1.1, Some(Limit::Above(110.0)));
        check(Limit::Above(100.0), Unit::Count, 0.9, Some(Limit::Above(90.0)));
        check(Limit::Below(110.0), Unit::Count, 1.1, Some(Limit::Below(100.0)));
        check(Limit::Above(0.95), Unit::Ratio, 1.1, Some(Limit::Above(0.955)));
        check(Limit::Outside(1.0, 2.0), Unit::Count, 1.1, None);
        let spec = RuleSpec { clear: Some(Limit::Above(0.8)), unit: Unit::Ratio, ..rule("r", Limit::Above(0.85)) };
        let new = moved(&spec, 1.1).expect("a limit");
        assert_eq!((new.limit, new.clear), (Limit::Above(0.935), Some(Limit::Above(0.88))));
        assert_eq!(moved(&RuleSpec { learns: false, ..spec }, 1.1), None, "frozen");
        let busy = RuleSpec { clear: Some(Limit::Above(0.9)), unit: Unit::Ratio, ..rule("r", Limit::Above(0.95)) };
        let steps = LOOSER.map(|factor| {
            let new = moved(&busy, factor).expect("a limit");
            let (Limit::Above(limit), Some(Limit::Above(clear))) = (new.limit, new.clear) else { panic!("{new:?}") };
            assert!(0.9 < clear && clear < limit && limit < 1.0, "{clear} {limit}");
            limit
        });
        assert!(steps.is_sorted_by(|a, b| a > b), "the largest step first: {steps:?}");
        check(Limit::Below(0.95), Unit::Ratio, TIGHTER, Some(Limit::Below(0.9556)));
    }
}
