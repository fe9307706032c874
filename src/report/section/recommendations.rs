//! What to do, with the figure it rests on and the command or setting that does it.
//!
//! Ranked by the minutes of trouble it may end. Invariant: nothing is recommended without a figure of this report beside it.

use std::cmp::Reverse;
use std::time::Duration;

use super::noise;
use crate::base::{Unit, format_duration};
use crate::model::SeriesKey;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};
use crate::report::facts::{SeriesFacts, SeriesStats};
use crate::report::text;

/// A resource that is short when a figure of it passes a limit.
struct Shortage {
    /// Wanted id.
    id: &'static str,
    figure: &'static str,
    take: fn(&SeriesStats) -> Option<f64>,
    /// The limit of the rule out of the box.
    limit: f64,
    advice: &'static str,
    /// What shows or does it; `{}` is the instance.
    how: &'static str,
}

/// Limits are those of the rules out of the box.
const SHORTAGES: &[Shortage] = &[
    Shortage {
        id: "filesystem",
        figure: "at the end",
        take: |s| s.last,
        limit: 0.9,
        advice: "Free space or extend the file system",
        how: "du -xh -d 2 {} | sort -h | tail; farol forecast filesystem_used_ratio --horizon 7d",
    },
    Shortage {
        id: "memory",
        figure: "95th percentile",
        take: |s| s.p95,
        limit: 0.85,
        advice: "Find the largest processes or add memory",
        how: "farol, page Processes, m; systemctl set-property UNIT MemoryHigh=…",
    },
    Shortage {
        id: "swap",
        figure: "mean",
        take: |s| s.mean,
        limit: 0.3,
        advice: "Reduce what must be in memory: pages are being swapped",
        how: "sysctl vm.swappiness=10; farol query 'swap_in_bytes_per_second' --last 24h",
    },
    Shortage {
        id: "cpu",
        figure: "95th percentile",
        take: |s| s.p95,
        limit: 0.8,
        advice: "Spread the load over time or add cores",
        how: "farol, page Processes, c; farol report capacity --growth 20",
    },
    Shortage {
        id: "cpu_iowait",
        figure: "mean",
        take: |s| s.mean,
        limit: 0.2,
        advice: "Move work off the busiest disk: cores wait for it",
        how: "farol query 'topk(3, disk_busy_ratio)' --last 24h",
    },
];

/// An alert that fires so often in one report is read by nobody.
const TOO_OFTEN: usize = 5;
/// Uptime below three nines is worth a look: the objective of the example configuration.
const LEAST_UP: f64 = 0.999;
/// A recorder that misses more than an hour of a day misses incidents.
const LEAST_COVERAGE: f64 = 0.95;

/// One recommendation.
struct Advice {
    level: Level,
    what: String,
    because: String,
    how: String,
    /// Minutes of alerts, of downtime or of nobody looking that it may end.
    effect: Duration,
}

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let mut all = Vec::new();
    for prediction in context.open_predictions().into_iter().filter(|p| !p.advice.is_empty()) {
        all.push(Advice {
            level: Level::Predicted,
            what: prediction.advice.clone(),
            because: format!(
                "{}, about {} (probability {:.2}).",
                prediction.title,
                context.when(prediction.at),
                prediction.probability
            ),
            how: format!("farol forecast '{}'", prediction.key),
            effect: firing(context, &prediction.key),
        });
    }
    for shortage in SHORTAGES {
        all.extend(context.series(shortage.id).into_iter().filter_map(|s| short(context, shortage, s)));
    }
    for service in context.services() {
        if let Some(share) = service.share.filter(|s| s.up < LEAST_UP) {
            all.push(Advice {
                level: Level::Warning,
                what: format!("Look into {}.", service.status.name),
                because: format!("It was up {} of the observed time.", text::share(share.up)),
                how: "farol services; farol alerts why ID".to_owned(),
                effect: Duration::from_secs_f64(service.times.down.max(0.0)),
            });
        }
    }
    noisy(context, &mut all);
    if context.facts.coverage < LEAST_COVERAGE {
        let missing = context.range().length().as_secs_f64() * (1.0 - context.facts.coverage.clamp(0.0, 1.0));
        all.push(Advice {
            level: Level::Warning,
            what: "Keep the recorder running, for example as a system service.".to_owned(),
            because: format!("{} of the span was observed.", text::number(context.facts.coverage, Unit::Ratio)),
            how: "systemctl enable --now farol".to_owned(),
            effect: Duration::from_secs_f64(missing),
        });
    }
    all.sort_by(|a, b| {
        (Reverse(a.level), Reverse(a.effect), &a.what, &a.because).cmp(&(
            Reverse(b.level),
            Reverse(b.effect),
            &b.what,
            &b.because,
        ))
    });
    let mut table =
        Table::advice("recommendations").or("Nothing to do: no resource is short, no service suffered, nothing is about to.");
    table.rows = all.into_iter().map(row).collect();
    section.count("recommendations.count", "Recommendations", table.rows.len());
    section.facts_look = FactsLook::InTables;
    section.tables.push(table);
}

fn row(advice: Advice) -> Vec<Cell> {
    let effect = if advice.effect.is_zero() { String::new() } else { format!(" It cost {}.", format_duration(advice.effect)) };
    vec![Cell::Level(advice.level), Cell::Text(advice.what), Cell::Text(advice.because + &effect), Cell::Text(advice.how)]
}

/// How long alerts on a series were firing within the span.
fn firing(context: &Context<'_>, key: &SeriesKey) -> Duration {
    context.alerts().into_iter().filter(|a| a.key == *key).map(|a| context.firing(a)).sum()
}

fn short(context: &Context<'_>, shortage: &Shortage, series: &SeriesFacts) -> Option<Advice> {
    let value = (shortage.take)(&series.stats).filter(|v| *v > shortage.limit)?;
    let instance = series.key.instance();
    let what = if instance.is_empty() || series.id == "cpu_iowait" {
        format!("{}.", shortage.advice)
    } else {
        format!("{} {instance}.", shortage.advice)
    };
    let (value, limit) = (text::number(value, series.def.unit), text::number(shortage.limit, series.def.unit));
    Some(Advice {
        level: Level::Warning,
        what,
        because: format!("{}: {} {value}, limit {limit}.", series.key, shortage.figure),
        how: shortage.how.replace("{}", &instance),
        effect: firing(context, &series.key),
    })
}

fn noisy(context: &Context<'_>, all: &mut Vec<Advice>) {
    for (rule, tally) in noise::tallies(context).into_iter().filter(|(_, t)| t.fired >= TOO_OFTEN) {
        all.push(Advice {
            level: Level::Info,
            what: format!("Give the rule \"{rule}\" a higher limit, a longer time or a clear value."),
            because: format!("It fired {} times, {} of them over within 2 min by themselves.", tally.fired, tally.short),
            how: format!("[[rule]] name = \"{rule}\", for = \"5m\""),
            effect: Duration::ZERO,
        });
    }
}
