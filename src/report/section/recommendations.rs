//! What to do, with the figure it rests on.
//!
//! Invariant: nothing is recommended without a figure of this report beside it.

use std::collections::BTreeMap;

use crate::base::Unit;
use crate::model::SeriesKey;
use crate::report::context::Context;
use crate::report::document::{FactsLook, Level, Section, Table};
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
}

/// Limits are those of the rules out of the box.
const SHORTAGES: &[Shortage] = &[
    Shortage {
        id: "filesystem",
        figure: "at the end",
        take: |s| s.last,
        limit: 0.9,
        advice: "Free space or extend the file system",
    },
    Shortage {
        id: "memory",
        figure: "95th percentile",
        take: |s| s.p95,
        limit: 0.85,
        advice: "Find the largest processes or add memory",
    },
    Shortage {
        id: "swap",
        figure: "mean",
        take: |s| s.mean,
        limit: 0.3,
        advice: "Reduce what must be in memory: pages are being swapped",
    },
    Shortage {
        id: "cpu",
        figure: "95th percentile",
        take: |s| s.p95,
        limit: 0.8,
        advice: "Spread the load over time or add cores",
    },
    Shortage {
        id: "cpu_iowait",
        figure: "mean",
        take: |s| s.mean,
        limit: 0.2,
        advice: "Move work off the busiest disk: cores wait for it",
    },
];

/// An alert that fires so often in one report is read by nobody.
const TOO_OFTEN: usize = 5;
/// Uptime below three nines is worth a look: the objective of the example configuration.
const LEAST_UP: f64 = 0.999;
/// A recorder that misses more than an hour of a day misses incidents.
const LEAST_COVERAGE: f64 = 0.95;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let mut advice =
        Table::statements("recommendations").or("Nothing to do: no resource is short, no service suffered, nothing is about to.");
    for prediction in context.open_predictions().into_iter().filter(|p| !p.advice.is_empty()) {
        let because =
            format!("{}, about {} (probability {:.2}).", prediction.title, context.when(prediction.at), prediction.probability);
        advice.say(Level::Predicted, prediction.advice.clone(), because);
    }
    for shortage in SHORTAGES {
        context.series(shortage.id).into_iter().for_each(|s| advise(shortage, s, &mut advice));
    }
    for service in context.services() {
        if let Some(share) = service.share.filter(|s| s.up < LEAST_UP) {
            let because = format!("It was up {} of the observed time.", text::share(share.up));
            advice.say(Level::Warning, format!("Look into {}.", service.status.name), because);
        }
    }
    advise_on_noise(context, &mut advice);
    if context.facts.coverage < LEAST_COVERAGE {
        let because = format!("{} of the span was observed.", text::number(context.facts.coverage, Unit::Ratio));
        advice.say(Level::Warning, "Keep the recorder running, for example as a system service.", because);
    }
    section.count("recommendations.count", "Recommendations", advice.rows.len());
    section.facts_look = FactsLook::InTables;
    section.tables.push(advice);
}

fn advise(shortage: &Shortage, series: &SeriesFacts, advice: &mut Table) {
    let Some(value) = (shortage.take)(&series.stats).filter(|v| *v > shortage.limit) else { return };
    let instance = series.key.instance();
    let what = if instance.is_empty() || series.id == "cpu_iowait" {
        format!("{}.", shortage.advice)
    } else {
        format!("{} {instance}.", shortage.advice)
    };
    let (value, limit) = (text::number(value, series.def.unit), text::number(shortage.limit, series.def.unit));
    advice.say(Level::Warning, what, format!("{}: {} {value}, limit {limit}.", series.key, shortage.figure));
}

fn advise_on_noise(context: &Context<'_>, advice: &mut Table) {
    let mut fired: BTreeMap<(&str, &SeriesKey), usize> = BTreeMap::new();
    for alert in context.alerts() {
        *fired.entry((&alert.rule, &alert.key)).or_default() += 1;
    }
    for ((rule, key), n) in fired.into_iter().filter(|(_, n)| *n >= TOO_OFTEN) {
        let what = format!("Give the rule \"{rule}\" a higher limit, a longer time or a clear value.");
        advice.say(Level::Info, what, format!("It fired {n} times for {key}."));
    }
}
