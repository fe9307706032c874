//! The table of sections: which there are, in which order, and in which reports.
//!
//! To add one: a file here and a row in [`SECTIONS`]. Invariant: a section is a function of the context.

mod alerts;
mod coverage;
mod issues;
mod performance;
mod predictions;
mod recommendations;
mod services;
mod summary;
mod trends;

use super::context::Context;
use super::document::Section;
use crate::model::ReportDepth::{self, Daily, Hourly, Monthly, Weekly};

/// One section of a report.
pub(super) struct SectionDef {
    /// Its id in files: the name of its file.
    pub id: &'static str,
    pub title: &'static str,
    /// Depths that have it.
    pub depths: &'static [ReportDepth],
    fill: fn(&Context<'_>, &mut Section),
}

const EVERY: &[ReportDepth] = &[Hourly, Daily, Weekly, Monthly];
const LONG: &[ReportDepth] = &[Daily, Weekly, Monthly];

/// In the order of the report.
pub(super) const SECTIONS: &[SectionDef] = &[
    SectionDef { id: "summary", title: "Summary", depths: EVERY, fill: summary::fill },
    SectionDef { id: "issues", title: "Top issues", depths: EVERY, fill: issues::fill },
    SectionDef { id: "recommendations", title: "Recommendations", depths: LONG, fill: recommendations::fill },
    SectionDef { id: "performance", title: "Performance", depths: EVERY, fill: performance::fill },
    SectionDef { id: "trends", title: "Trends", depths: LONG, fill: trends::fill },
    SectionDef { id: "services", title: "Services", depths: EVERY, fill: services::fill },
    SectionDef { id: "predictions", title: "Predictions", depths: LONG, fill: predictions::fill },
    // A month's list is for nobody; its issues are grouped above.
    SectionDef { id: "alerts", title: "Alerts", depths: &[Hourly, Daily, Weekly], fill: alerts::fill },
    SectionDef { id: "coverage", title: "Coverage", depths: EVERY, fill: coverage::fill },
];

/// All sections of a report.
pub(super) fn build(context: &Context<'_>) -> Vec<Section> {
    let wanted = SECTIONS.iter().filter(|s| s.depths.contains(&context.spec.depth));
    let build = |def: &SectionDef| {
        let mut section = Section::new(def.id, def.title);
        (def.fill)(context, &mut section);
        section
    };
    wanted.map(build).collect()
}
