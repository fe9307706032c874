//! What the alerts were worth: how often each rule fired, and what people made of it.
//!
//! Invariant: a share of right ones rests on what people said, and how many that were stands beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::incidents::acknowledged_at;
use crate::base::Unit;
use crate::model::{Alert, JournalEvent, Outcome};
use crate::report::context::Context;
use crate::report::document::{BarRow, Bars, Cell, Chart, Level, Section, Table};

/// An alert over by itself within this time was over before anybody could look: the time of one check of the screen.
const SHORT: Duration = Duration::from_secs(120);

/// Bars one compares at a glance.
const MOST_BARS: usize = 8;

const DAY: f64 = 86_400.0;

/// What is counted of one rule.
#[derive(Default)]
pub(super) struct Tally {
    pub fired: usize,
    real: usize,
    wrong: usize,
    acknowledged: usize,
    silenced: usize,
    pub short: usize,
    firing: Duration,
    messages: usize,
}

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let rules = tallies(context);
    let sum = |take: fn(&Tally) -> usize| rules.values().map(take).sum::<usize>();
    let days = context.range().length().as_secs_f64() / DAY;
    let (fired, judged) = (sum(|t| t.fired), sum(|t| t.real + t.wrong));
    let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
    section.fact("noise.alerts_per_day", "Alerts a day", Some(fired as f64 / days.max(f64::MIN_POSITIVE)), Unit::Count);
    section.fact(
        "noise.messages_per_day",
        "Messages a day",
        Some(sum(|t| t.messages) as f64 / days.max(f64::MIN_POSITIVE)),
        Unit::Count,
    );
    section.fact("noise.real", "Real, of those judged", share(sum(|t| t.real), judged), Unit::Ratio);
    section.count("noise.judged", "Judged by people", judged);
    section.fact("noise.short", "Over within 2 min by themselves", share(sum(|t| t.short), fired), Unit::Ratio);
    section.fact("noise.acknowledged", "Acknowledged", share(sum(|t| t.acknowledged), fired), Unit::Ratio);

    let mut table = Table::grid(
        "rules",
        &[
            ("level", ""),
            ("rule", "Rule"),
            ("fired", "Fired"),
            ("real", "Real"),
            ("false", "False"),
            ("acknowledged", "Taken"),
            ("silenced", "Silenced"),
            ("short", "Over in 2 min"),
            ("mean_seconds", "Mean length"),
            ("messages", "Messages"),
        ],
    )
    .or("No alert fired.");
    let mut rows: Vec<(&str, &Tally)> = rules.iter().map(|(rule, tally)| (*rule, tally)).collect();
    rows.sort_by(|a, b| (b.1.fired, a.0).cmp(&(a.1.fired, b.0)));
    let bar = |(rule, tally): &(&str, &Tally)| BarRow {
        name: (*rule).to_owned(),
        values: vec![tally.fired as f64, tally.messages as f64],
        level: None,
    };
    let bars = rows.iter().take(MOST_BARS).map(bar).collect();
    let names = vec!["fired", "messages"];
    section.charts.extend(Chart::bars("Alerts by rule", context.range(), Bars { unit: Unit::Count, names, rows: bars }));
    table.rows = rows.into_iter().map(|(rule, tally)| row(rule, tally)).collect();
    section.tables.push(table);
}

/// By rule, of alerts that fired within the span.
pub(super) fn tallies<'a>(context: &Context<'a>) -> BTreeMap<&'a str, Tally> {
    let mut rules: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut rule_of: BTreeMap<&str, &str> = BTreeMap::new();
    for alert in context.alerts() {
        rule_of.insert(&alert.id, &alert.rule);
        if alert.fired_at.is_some_and(|t| context.range().contains(t)) {
            count(context, alert, rules.entry(&alert.rule).or_default());
        }
    }
    for entry in &context.facts.journal {
        if let JournalEvent::Delivered { alert, error: None, .. } = &entry.event
            && let Some(&rule) = rule_of.get(alert.as_str())
        {
            rules.entry(rule).or_default().messages += 1;
        }
    }
    rules
}

fn count(context: &Context<'_>, alert: &Alert, tally: &mut Tally) {
    let acknowledged = acknowledged_at(context, alert).is_some();
    let lasted = alert.resolved_at.zip(alert.fired_at).map(|(over, fired)| over.since(fired));
    tally.fired += 1;
    tally.real += usize::from(alert.feedback == Some(Outcome::Right));
    tally.wrong += usize::from(alert.feedback == Some(Outcome::Wrong));
    tally.acknowledged += usize::from(acknowledged);
    tally.silenced += usize::from(!alert.silenced_by.is_empty());
    tally.short += usize::from(!acknowledged && lasted.is_some_and(|l| l <= SHORT));
    tally.firing += context.firing(alert);
}

fn row(rule: &str, tally: &Tally) -> Vec<Cell> {
    let number = |n: usize| Cell::Number(Some(n as f64), Unit::Count);
    let level = match tally {
        Tally { wrong, real, .. } if wrong > real => Level::Warning,
        Tally { short, fired, .. } if short * 2 > *fired => Level::Warning,
        Tally { real: 0, .. } => Level::Info,
        _ => Level::Ok,
    };
    vec![
        Cell::Level(level),
        Cell::Text(rule.to_owned()),
        number(tally.fired),
        number(tally.real),
        number(tally.wrong),
        number(tally.acknowledged),
        number(tally.silenced),
        number(tally.short),
        Cell::Number((tally.fired > 0).then(|| tally.firing.as_secs_f64() / tally.fired as f64), Unit::Seconds),
        number(tally.messages),
    ]
}
