//! From what a person wrote to a rule that can be judged: units, limits, query text.

use crate::model::{Catalog, RuleSpec};

use super::{RuleConfig, RuleError};

impl RuleConfig {
    /// The rule ready to be judged.
    ///
    /// # Errors
    /// No name; no or several limits; a value whose unit does not fit the metric; an unknown metric, with the nearest
    /// known one; keys that exclude each other.
    pub fn ready(&self, _catalog: &Catalog) -> Result<RuleSpec, RuleError> {
        Err(RuleError { rule: self.name.clone(), key: "name", message: String::new() })
    }
}
