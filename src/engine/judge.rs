//! Each rule's expression over the live head: labeled values for the alert room.
//!
//! Invariant: expressions are parsed once; a rule whose expression cannot be read never gets here.

use std::collections::HashMap;

use super::live::Head;
use crate::alert::{FED, RuleValues};
use crate::base::Timestamp;
use crate::model::{RuleSpec, SeriesKey};
use crate::query::{self, Expr, QueryError};

/// The rules' expressions, ready.
#[derive(Default)]
pub struct Judge {
    rules: Vec<Compiled>,
    // The key an instance has when the expression dropped the metric's name; made once an instance.
    named: HashMap<(usize, SeriesKey), SeriesKey>,
}

struct Compiled {
    name: String,
    metric: String,
    values: Values,
}

enum Values {
    /// Handed in by the engine under this metric.
    Fed(String),
    /// From the expression.
    Expr(Box<Expr>),
}

impl Judge {
    /// Compiles the rules' expressions.
    ///
    /// # Errors
    /// The first expression that is none, with the rule's name.
    pub fn new(rules: &[RuleSpec]) -> Result<Self, (String, QueryError)> {
        let compiled = rules.iter().map(|rule| {
            let values = if FED.iter().any(|def| def.name == rule.expr) {
                Values::Fed(rule.expr.clone())
            } else {
                Values::Expr(Box::new(query::parse(&rule.expr).map_err(|e| (rule.name.clone(), e))?))
            };
            Ok(Compiled { name: rule.name.clone(), metric: rule.metric.clone(), values })
        });
        Ok(Self { rules: compiled.collect::<Result<_, _>>()?, named: HashMap::new() })
    }

    /// Evaluates all rules at `at` and hands the values to `judge`. `fed` are values no source reads.
    pub fn evaluate<R>(
        &mut self,
        source: &Head,
        at: Timestamp,
        fed: &[(SeriesKey, f64)],
        judge: impl FnOnce(&[RuleValues<'_>]) -> R,
    ) -> R {
        let instances: Vec<Vec<(SeriesKey, f64)>> =
            (0..self.rules.len()).map(|index| self.instances(index, source, at, fed)).collect();
        let values: Vec<RuleValues<'_>> =
            self.rules.iter().zip(&instances).map(|(rule, instances)| RuleValues { rule: &rule.name, instances }).collect();
        judge(&values)
    }

    fn instances(&mut self, index: usize, source: &Head, at: Timestamp, fed: &[(SeriesKey, f64)]) -> Vec<(SeriesKey, f64)> {
        let rule = &self.rules[index];
        match &rule.values {
            Values::Fed(metric) => fed.iter().filter(|(key, _)| key.metric() == metric).cloned().collect(),
            // The mean of a minute is not known after a second.
            Values::Expr(expr) if source.oldest().is_none_or(|oldest| oldest + expr.max_window() > at + source.interval()) => {
                Vec::new()
            }
            // The head cannot fail; two sides that do not match have no value.
            Values::Expr(expr) => expr
                .instant(source, at)
                .unwrap_or_default()
                .into_iter()
                .map(|v| {
                    let key = if v.labels.metric().is_empty() && !rule.metric.is_empty() {
                        let named = self.named.entry((index, v.labels));
                        let metric = &rule.metric;
                        named.or_insert_with_key(|(_, labels)| SeriesKey::new(metric, labels.labels())).clone()
                    } else {
                        v.labels
                    };
                    (key, v.value)
                })
                .collect(),
        }
    }
}
