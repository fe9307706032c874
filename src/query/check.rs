//! What a query says about itself without any data: its metrics, their existence, its windows, its unit.

use std::time::Duration;

use super::ast::{AggregateOperator, Binary, Expr, Node, Operator, Selector, Type, WindowFunction};
use super::{NAME_LABEL, QueryError, QueryErrorKind};
use crate::base::Unit;
use crate::model::{Catalog, Matcher};

impl Expr {
    /// Metric and matchers, where the whole query is one selector with a metric's name.
    pub fn selector(&self) -> Option<(&str, &[Matcher])> {
        match &self.root {
            Node::Selector(selector) => Some((selector.metric.as_deref()?, &selector.matchers)),
            _ => None,
        }
    }

    /// Whether some part of it looks at another moment than the one asked for.
    pub fn is_shifted(&self) -> bool {
        self.selectors().iter().any(|selector| selector.offset != 0)
    }

    /// Metric and matchers of the one selector the whole query is, by itself or over a window.
    pub fn subject(&self) -> Option<(&str, &[Matcher])> {
        match &self.root {
            Node::Window(window) => Some((window.selector.metric.as_deref()?, &window.selector.matchers)),
            _ => self.selector(),
        }
    }

    /// Names of the metrics it reads, each once, in the order of the text; a metric given by a pattern is not among them.
    pub fn metrics(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.selectors().into_iter().filter_map(|s| s.metric.as_deref()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Whether every metric it names is known, and every pattern of a name finds a known one.
    ///
    /// # Errors
    /// An unknown metric, with the nearest known one or those that share a word with it.
    pub fn check(&self, catalog: &Catalog) -> Result<(), QueryError> {
        for selector in self.selectors() {
            let problem = match &selector.metric {
                Some(name) if catalog.get(name).is_some() => continue,
                Some(name) => match catalog.nearest(name) {
                    Some(near) => format!("there is no metric \"{name}\"; did you mean \"{near}\"?"),
                    None => format!("there is no metric \"{name}\"; {}", catalog.hint(name)),
                },
                None => {
                    let names: Vec<&Matcher> = selector.matchers.iter().filter(|m| m.name() == NAME_LABEL).collect();
                    if catalog.iter().any(|def| names.iter().all(|m| m.matches(Some(def.name)))) {
                        continue;
                    }
                    format!("no metric matches {selector}")
                }
            };
            return Err(self.error(QueryErrorKind::Invalid, selector.position, problem));
        }
        Ok(())
    }

    /// The longest time it looks back over (`[5m]`, `offset 1h`); zero where it has none. Two intervals of a series come on top.
    pub fn max_window(&self) -> Duration {
        let mut longest = Duration::ZERO;
        self.root.visit(&mut |node| {
            let (length, offset) = match node {
                Node::Window(window) => (window.length, window.selector.offset),
                Node::Selector(selector) => (Duration::ZERO, selector.offset),
                _ => return,
            };
            longest = longest.max(length + Duration::from_millis(u64::try_from(offset).unwrap_or(0)));
        });
        longest
    }

    /// The unit of its values: that of its metric where functions and operators keep it, a plain number otherwise.
    pub fn unit(&self, catalog: &Catalog) -> Unit {
        unit(&self.root, catalog)
    }

    pub(super) fn error(&self, kind: QueryErrorKind, position: usize, message: impl Into<String>) -> QueryError {
        QueryError { kind, position, message: message.into(), text: self.text.clone() }
    }

    /// Metric, where it is named, and matchers of every selector, in the order of the text.
    pub fn reads(&self) -> Vec<(Option<&str>, &[Matcher])> {
        self.selectors().into_iter().map(|s| (s.metric.as_deref(), s.matchers.as_slice())).collect()
    }

    fn selectors(&self) -> Vec<&Selector> {
        let mut all = Vec::new();
        self.root.visit(&mut |node| match node {
            Node::Selector(selector) => all.push(selector),
            Node::Window(window) => all.push(&window.selector),
            _ => {}
        });
        all
    }
}

impl Node {
    /// Shows every part, left to right.
    fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match self {
            Self::Number(_) | Self::Selector(_) | Self::Window(_) => {}
            Self::Aggregate(aggregate) => aggregate.inner.visit(see),
            Self::Negate(inner) => inner.visit(see),
            Self::Call(call) => call.inner.visit(see),
            Self::Binary(b) => {
                b.left.visit(see);
                b.right.visit(see);
            }
        }
    }
}

fn unit(node: &Node, catalog: &Catalog) -> Unit {
    let of = |selector: &Selector| selector.metric.as_deref().map_or(Unit::Count, |name| catalog.unit(name));
    match node {
        Node::Number(_) => Unit::Count,
        Node::Selector(selector) => of(selector),
        Node::Window(window) if matches!(window.function, WindowFunction::Count | WindowFunction::Deriv) => Unit::Count,
        Node::Window(window) => of(&window.selector),
        Node::Aggregate(aggregate) if aggregate.operator == AggregateOperator::Count => Unit::Count,
        Node::Aggregate(aggregate) => unit(&aggregate.inner, catalog),
        Node::Negate(inner) => unit(inner, catalog),
        Node::Call(call) if call.function.keeps_unit => unit(&call.inner, catalog),
        Node::Call(_) => Unit::Count,
        Node::Binary(b) => binary_unit(b, catalog),
    }
}

/// Sums and comparisons keep a unit; a quotient of two equal units is a ratio; a product has none that is known.
fn binary_unit(b: &Binary, catalog: &Catalog) -> Unit {
    let (left, right) = (unit(&b.left, catalog), unit(&b.right, catalog));
    if b.as_number {
        return Unit::Count;
    }
    match (b.operator, b.left.kind(), b.right.kind()) {
        (Operator::Divide, Type::Vector, Type::Vector) if left == right => Unit::Ratio,
        (Operator::Multiply | Operator::Divide | Operator::Power, _, _) => Unit::Count,
        (_, Type::Number, _) => right,
        _ => left,
    }
}
