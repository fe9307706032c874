//! What was measured that concerns security: sessions, failed units, half-open connections, kills for memory.
//!
//! Invariant: each figure is one of a series that `farol query` gives.

use super::performance;
use crate::report::context::Context;
use crate::report::document::Section;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    performance::fill(context, section);
    section.charts = performance::charts_of(context, &["Sessions", "Failed units", "Half-open connections"]);
}
