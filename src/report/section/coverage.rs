//! How much of the span the figures stand for, and which of them are exact.
//!
//! Invariant: what was not observed is said, never filled.

use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::Section;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let length = context.range().length().as_secs_f64();
    let share = context.facts.coverage.clamp(0.0, 1.0);
    section.fact("coverage.share", "Observed share", Some(share), Unit::Ratio);
    section.fact("coverage.observed_seconds", "Observed", Some(length * share), Unit::Seconds);
    section.fact("coverage.missing_seconds", "Not observed", Some(length * (1.0 - share)), Unit::Seconds);
    let series = context.all_series();
    let observed: Vec<_> = series.iter().filter(|s| s.stats.n > 0).collect();
    section.count("coverage.series", "Series with samples", observed.len());
    section.count(
        "coverage.series_sketched",
        "with sketched percentiles",
        observed.iter().filter(|s| !s.stats.quantiles_exact).count(),
    );
    section.fact("coverage.samples", "Samples", Some(observed.iter().map(|s| s.stats.n as f64).sum()), Unit::Count);
}
