//! The machine's health over the span.
//!
//! Invariant: a moment without farol has no health, good or bad.

use super::performance::charts_of;
use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::Section;

/// Below this people would have looked: one critical alert of performance costs forty points.
const POOR: f64 = 60.0;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let series = context.series("health").into_iter().next();
    let stats = series.map(|s| s.stats).unwrap_or_default();
    section.fact("health.mean", "Mean", stats.mean, Unit::Count);
    section.fact("health.min", "Lowest", stats.min, Unit::Count);
    section.fact("health.last", "At the end", stats.last, Unit::Count);
    // Of the points there are: a chart's worth, whatever the span.
    let poor = series.filter(|s| !s.points.is_empty()).map(|s| {
        let n = s.points.iter().filter(|b| b.mean < POOR).count();
        n as f64 / s.points.len() as f64
    });
    section.fact("health.poor", "Share of it below 60", poor, Unit::Ratio);
    section.charts = charts_of(context, &["Health"]);
}
