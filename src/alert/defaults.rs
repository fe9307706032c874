//! The rules every machine has without configuration.
//!
//! Figures are those of the mission (A1); what they add is written beside each. Invariant: a normal machine is quiet.

use crate::base::Unit;
use crate::model::{HostFacts, MetricDef, RuleSpec};

/// Metrics no source reads: the engine hands their values to the rules that name them, without a query.
///
/// `prediction_probability{prediction,kind,series}`: one instance for each open prediction that is shown, its probability, for as
/// long as it is open. A rule over one of these has exactly the metric's name as `expr`.
pub const FED: &[MetricDef] = &[MetricDef::gauge("prediction_probability", Unit::Ratio, "How likely an open prediction is.")
    .by(&["prediction", "kind", "series"])];

/// The rules of A1 that the present metrics can judge.
pub fn default_rules(_facts: &HostFacts, _link_bits_per_second: Option<f64>) -> Vec<RuleSpec> {
    Vec::new()
}
