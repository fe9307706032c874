//! What went wrong most: alerts grouped by rule and series, then anomalies no alert stands for.
//!
//! Invariant: worst first, by severity and then by time lost.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Timestamp, Unit};
use crate::model::{Alert, AnomalyInterval, ReportDepth, SeriesKey, Verdict};
use crate::report::context::Context;
use crate::report::document::{BarRow, Bars, Cell, Chart, FactsLook, Level, Section, Table};
use crate::report::text;

/// Rows a person reads of a summary, and of a detailed report.
const ROWS_OF_AN_HOUR: usize = 5;
const ROWS: usize = 15;

/// Bars one compares at a glance.
const MOST_BARS: usize = 6;

/// One row: many alerts of one rule on one series, or one anomaly.
struct Issue {
    level: Level,
    what: String,
    series: SeriesKey,
    times: usize,
    lasted: Duration,
    first: Timestamp,
    last: Timestamp,
    cause: String,
}

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let mut issues = from_alerts(context);
    let alerted: Vec<SeriesKey> = issues.iter().map(|i| i.series.clone()).collect();
    let anomalies = context.anomalies().into_iter().filter(|a| !alerted.contains(&a.key));
    issues.extend(anomalies.map(|a| from_anomaly(context, a)));
    issues.sort_by(|a, b| {
        (b.level, b.lasted)
            .cmp(&(a.level, a.lasted))
            .then_with(|| (a.first, &a.series, &a.what).cmp(&(b.first, &b.series, &b.what)))
    });
    section.count("issues.count", "Issues", issues.len());
    issues.truncate(if context.spec.depth == ReportDepth::Hourly { ROWS_OF_AN_HOUR } else { ROWS });

    let mut table = Table::grid(
        "issues",
        &[
            ("level", ""),
            ("issue", "Issue"),
            ("series", "Series"),
            ("times", "Times"),
            ("lasted_seconds", "In all"),
            ("first", "First"),
            ("last", "Last"),
            ("cause", "Cause"),
        ],
    )
    .or("Nothing went wrong.");
    section.charts.extend(cost(context, &issues));
    table.rows = issues.into_iter().map(row).collect();
    section.facts_look = FactsLook::InTables;
    section.tables.push(table);
}

/// What each cost in time, the dearest first.
fn cost(context: &Context<'_>, issues: &[Issue]) -> Option<Chart> {
    let mut dearest: Vec<&Issue> = issues.iter().filter(|i| !i.lasted.is_zero()).collect();
    dearest.sort_by(|a, b| b.lasted.cmp(&a.lasted).then_with(|| (&a.what, &a.series).cmp(&(&b.what, &b.series))));
    let bar = |issue: &&Issue| BarRow {
        name: format!("{}: {}", issue.what, text::series(&issue.series)),
        values: vec![issue.lasted.as_secs_f64()],
        level: Some(issue.level),
    };
    let rows = dearest.iter().take(MOST_BARS).map(bar).collect();
    Chart::bars("What they cost in time", context.range(), Bars { unit: Unit::Seconds, names: Vec::new(), rows })
}

fn from_alerts(context: &Context<'_>) -> Vec<Issue> {
    let mut groups: BTreeMap<(&str, &SeriesKey), Vec<&Alert>> = BTreeMap::new();
    for alert in context.alerts() {
        groups.entry((&alert.rule, &alert.key)).or_default().push(alert);
    }
    let issue = |((rule, key), alerts): ((&str, &SeriesKey), Vec<&Alert>)| {
        let newest = alerts.first()?;
        let worst = alerts.iter().map(|a| a.severity).max()?;
        Some(Issue {
            level: worst.into(),
            what: rule.to_owned(),
            series: key.clone(),
            times: alerts.len(),
            lasted: alerts.iter().map(|a| context.firing(a)).sum(),
            first: alerts.iter().filter_map(|a| a.fired_at).min()?,
            last: alerts.iter().filter_map(|a| a.fired_at).max()?,
            cause: newest.explanation.summary.clone(),
        })
    };
    groups.into_iter().filter_map(issue).collect()
}

fn from_anomaly(context: &Context<'_>, anomaly: &AnomalyInterval) -> Issue {
    let range = context.range();
    Issue {
        level: if anomaly.verdict == Verdict::Critical { Level::Warning } else { Level::Info },
        what: "anomaly".to_owned(),
        series: anomaly.key.clone(),
        times: 1,
        lasted: anomaly.to.unwrap_or(range.to).min(range.to).since(anomaly.from.max(range.from)),
        first: anomaly.from,
        last: anomaly.from,
        cause: anomaly.reason.clone(),
    }
}

fn row(issue: Issue) -> Vec<Cell> {
    vec![
        Cell::Level(issue.level),
        Cell::Text(issue.what),
        Cell::Series(issue.series),
        Cell::Number(Some(issue.times as f64), Unit::Count),
        Cell::Number(Some(issue.lasted.as_secs_f64()), Unit::Seconds),
        Cell::Time(Some(issue.first)),
        Cell::Time(Some(issue.last)),
        Cell::Text(issue.cause),
    ]
}
