//! The table of sections: which there are, in which order, and in which reports.
//!
//! To add one: a file here and a row in [`SECTIONS`]. Invariant: a section is a function of the context.

mod activity;
mod alerts;
mod capacity;
mod comparison;
mod cost;
mod coverage;
mod events;
mod executive;
mod health;
mod incidents;
mod issues;
mod noise;
mod performance;
mod periods;
mod posture;
mod predictions;
mod recommendations;
mod rightsizing;
mod security;
mod services;
mod summary;
mod threats;
mod trends;
mod vulnerabilities;
mod what_if;

use super::context::Context;
use super::document::Section;
use crate::model::ReportDepth::{self, Daily, Hourly, Monthly, Weekly};
use crate::model::ReportKind::{self, Capacity, Performance, Security};

/// One section of a report.
pub(super) struct SectionDef {
    /// Its id in files: the name of its file.
    pub id: &'static str,
    pub title: &'static str,
    /// Kinds of reports that have it.
    pub kinds: &'static [ReportKind],
    /// Depths that have it.
    pub depths: &'static [ReportDepth],
    fill: fn(&Context<'_>, &mut Section),
}

const EVERY: &[ReportDepth] = &[Hourly, Daily, Weekly, Monthly];
const LONG: &[ReportDepth] = &[Daily, Weekly, Monthly];

/// In the order of the report.
pub(super) const SECTIONS: &[SectionDef] = &[
    SectionDef { id: "summary", title: "Summary", kinds: &[Performance], depths: EVERY, fill: summary::fill },
    SectionDef { id: "security", title: "Summary", kinds: &[Security], depths: EVERY, fill: security::fill },
    SectionDef { id: "capacity", title: "Capacity", kinds: &[Capacity], depths: EVERY, fill: capacity::fill },
    SectionDef {
        id: "executive",
        title: "The month",
        kinds: &[Performance, Capacity],
        depths: &[Monthly],
        fill: executive::fill,
    },
    SectionDef { id: "issues", title: "Top issues", kinds: &[Performance], depths: EVERY, fill: issues::fill },
    SectionDef {
        id: "recommendations",
        title: "Recommendations",
        kinds: &[Performance, Capacity],
        depths: LONG,
        fill: recommendations::fill,
    },
    SectionDef { id: "health", title: "Health", kinds: &[Performance], depths: EVERY, fill: health::fill },
    SectionDef {
        id: "comparison",
        title: "Against the span before",
        kinds: &[Performance, Security],
        depths: EVERY,
        fill: comparison::fill,
    },
    SectionDef { id: "periods", title: "Part by part", kinds: &[Performance], depths: &[Weekly, Monthly], fill: periods::fill },
    SectionDef { id: "rightsizing", title: "Right size", kinds: &[Capacity], depths: EVERY, fill: rightsizing::fill },
    SectionDef { id: "cost", title: "Cost", kinds: &[Capacity], depths: EVERY, fill: cost::fill },
    SectionDef { id: "what_if", title: "What if", kinds: &[Capacity], depths: EVERY, fill: what_if::fill },
    SectionDef { id: "performance", title: "Performance", kinds: &[Performance], depths: EVERY, fill: performance::fill },
    SectionDef { id: "trends", title: "Trends", kinds: &[Performance], depths: LONG, fill: trends::fill },
    SectionDef { id: "services", title: "Services", kinds: &[Performance], depths: EVERY, fill: services::fill },
    SectionDef { id: "incidents", title: "Incidents", kinds: &[Performance], depths: EVERY, fill: incidents::fill },
    SectionDef { id: "noise", title: "What the alerts were worth", kinds: &[Performance], depths: LONG, fill: noise::fill },
    SectionDef {
        id: "predictions",
        title: "Predictions",
        kinds: &[Performance, Capacity],
        depths: LONG,
        fill: predictions::fill,
    },
    SectionDef { id: "threats", title: "Threats, most likely first", kinds: &[Security], depths: EVERY, fill: threats::fill },
    SectionDef { id: "activity", title: "Activity", kinds: &[Security], depths: EVERY, fill: activity::fill },
    SectionDef { id: "posture", title: "Posture", kinds: &[Security], depths: EVERY, fill: posture::fill },
    SectionDef {
        id: "vulnerabilities",
        title: "Vulnerabilities",
        kinds: &[Security],
        depths: EVERY,
        fill: vulnerabilities::fill,
    },
    SectionDef { id: "events", title: "Events and access", kinds: &[Security], depths: EVERY, fill: events::fill },
    // A month's list is for nobody; its issues are grouped above.
    SectionDef {
        id: "alerts",
        title: "Alerts",
        kinds: &[Performance, Security],
        depths: &[Hourly, Daily, Weekly],
        fill: alerts::fill,
    },
    SectionDef {
        id: "coverage",
        title: "Coverage",
        kinds: &[Performance, Security, Capacity],
        depths: EVERY,
        fill: coverage::fill,
    },
];

/// Rows of a table that somebody reads who has five minutes.
const BRIEF: usize = 8;

/// What stands behind in a month's report: details for those who ask why.
const BEHIND: [&str; 6] = ["comparison", "performance", "trends", "noise", "predictions", "coverage"];

/// All sections of a report.
pub(super) fn build(context: &Context<'_>) -> Vec<Section> {
    let spec = context.spec;
    let wanted = SECTIONS.iter().filter(|s| s.kinds.contains(&spec.kind) && s.depths.contains(&spec.depth));
    let build = |def: &SectionDef| {
        let mut section = Section::new(def.id, def.title);
        (def.fill)(context, &mut section);
        section
    };
    let mut sections: Vec<Section> = wanted.map(build).collect();
    if spec.depth == Monthly {
        // Stable: within the two parts the order stays.
        sections.sort_by_key(|s| BEHIND.contains(&s.id));
        for table in sections.iter_mut().filter(|s| s.id != "executive").flat_map(|s| &mut s.tables) {
            table.brief = Some(BRIEF);
        }
    }
    sections
}
