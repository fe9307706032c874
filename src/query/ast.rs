//! What a query is once it is understood: its tree, and how the tree is written.
//!
//! Invariant: a tree is typed — operands of functions are selectors with a window, sides of operators are
//! vectors or numbers — and what `Display` writes is parsed to an equal tree.

use std::fmt;
use std::time::Duration;

use super::parser;
use super::{QueryError, QueryErrorKind, Series, Value, eval};
use crate::base::{TimeRange, Timestamp, time};
use crate::model::{Matcher, SeriesSource};

/// A query that was understood; cheap to evaluate again and again.
#[derive(Debug, Clone)]
pub struct Expr {
    pub(super) text: String,
    pub(super) root: Node,
}

/// A part of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A number; finite.
    Number(f64),
    /// The newest sample of each series.
    Selector(Selector),
    /// A function over a window of each series.
    Window(Window),
    /// Many series to few.
    Aggregate(Aggregate),
    /// Both sides, value by value.
    Binary(Box<Binary>),
    /// The value with the other sign.
    Negate(Box<Node>),
}

/// Which series; `position` is its first character.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    pub metric: Option<String>,
    /// Without the metric's name, unless that is given by a pattern.
    pub matchers: Vec<Matcher>,
    pub position: usize,
}

/// `function(selector[window])`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    pub function: WindowFunction,
    pub selector: Selector,
    pub length: Duration,
}

/// What becomes of the samples of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum WindowFunction {
    Avg,
    Min,
    Max,
    Sum,
    Count,
    Last,
    Quantile(f64),
}

/// `operator by (labels) (inner)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    pub operator: AggregateOperator,
    pub grouping: Grouping,
    pub inner: Box<Node>,
}

/// What becomes of the series of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AggregateOperator {
    Sum,
    Avg,
    Min,
    Max,
    Count,
}

/// Which series make a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grouping {
    /// Those with the same values of these labels.
    By(Vec<String>),
    /// Those with the same values of all other labels.
    Without(Vec<String>),
}

/// `left operator right`; `position` is the operator's.
#[derive(Debug, Clone)]
pub(super) struct Binary {
    pub operator: Operator,
    pub left: Node,
    pub right: Node,
    pub position: usize,
}

/// An operator between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Equal,
    NotEqual,
}

/// What a part of a query gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Vector,
}

// Where a part stands does not change what it means.
impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.metric == other.metric && self.matchers == other.matchers
    }
}

impl PartialEq for Binary {
    fn eq(&self, other: &Self) -> bool {
        self.operator == other.operator && self.left == other.left && self.right == other.right
    }
}

impl PartialEq for Expr {
    /// Whether both mean the same, however they were written.
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl Expr {
    pub(super) fn read(text: &str) -> Result<Self, QueryError> {
        match parser::parse(text) {
            Ok(root) => Ok(Self { text: text.to_owned(), root }),
            Err(fault) => Err(QueryError {
                kind: QueryErrorKind::Invalid,
                position: fault.position,
                message: fault.message,
                text: text.to_owned(),
            }),
        }
    }

    /// The query as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its values at one moment, by labels. A series shows its newest sample at most two of its own intervals old, else nothing.
    ///
    /// # Errors
    /// The source cannot be read, or the two sides of an operator do not match one to one.
    pub fn instant(&self, source: &dyn SeriesSource, at: Timestamp) -> Result<Vec<Value>, QueryError> {
        eval::instant(self, source, at)
    }

    /// Its values at `range.from`, then every `step` up to `range.to`, by labels. The resolution read is the coarsest that serves the
    /// step and the windows; a rolled-up bucket counts as a sample at its end.
    ///
    /// # Errors
    /// As for [`Expr::instant`]; also a step of zero and more than 11,000 steps.
    pub fn range(&self, source: &dyn SeriesSource, range: TimeRange, step: Duration) -> Result<Vec<Series>, QueryError> {
        eval::range(self, source, range, step)
    }
}

impl Node {
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Number(_) => Type::Number,
            Self::Selector(_) | Self::Window(_) | Self::Aggregate(_) => Type::Vector,
            Self::Binary(b) => match (b.left.kind(), b.right.kind()) {
                (Type::Number, Type::Number) => Type::Number,
                _ => Type::Vector,
            },
            Self::Negate(inner) => inner.kind(),
        }
    }

    /// How tightly it binds when written; an atom most.
    fn precedence(&self) -> u8 {
        match self {
            Self::Binary(b) => b.operator.precedence(),
            Self::Number(n) if n.is_sign_negative() => Operator::UNARY,
            Self::Negate(_) => Operator::UNARY,
            _ => u8::MAX,
        }
    }
}

impl Operator {
    /// Above every operator with two sides.
    pub(super) const UNARY: u8 = 4;

    /// PromQL's order: comparison, then sum, then product.
    pub(super) fn precedence(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 2,
            Self::Multiply | Self::Divide => 3,
            _ => 1,
        }
    }

    /// Whether it keeps or drops values instead of computing new ones.
    pub(super) fn is_comparison(self) -> bool {
        self.precedence() == 1
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterEqual => ">=",
            Self::LessEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl WindowFunction {
    /// Names as they are written; `quantile_over_time` takes its quantile first.
    pub(super) const NAMES: [(&'static str, Self); 7] = [
        ("avg_over_time", Self::Avg),
        ("min_over_time", Self::Min),
        ("max_over_time", Self::Max),
        ("sum_over_time", Self::Sum),
        ("count_over_time", Self::Count),
        ("last_over_time", Self::Last),
        ("quantile_over_time", Self::Quantile(0.5)),
    ];

    fn name(self) -> &'static str {
        let kind = std::mem::discriminant(&self);
        Self::NAMES.iter().find(|(_, f)| std::mem::discriminant(f) == kind).map_or("", |(name, _)| name)
    }
}

impl AggregateOperator {
    /// Names as they are written.
    pub(super) const NAMES: [(&'static str, Self); 5] =
        [("sum", Self::Sum), ("avg", Self::Avg), ("min", Self::Min), ("max", Self::Max), ("count", Self::Count)];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, o)| *o == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Selector(selector) => selector.fmt(f),
            Self::Window(window) => {
                write!(f, "{}(", window.function.name())?;
                if let WindowFunction::Quantile(q) = window.function {
                    write!(f, "{q}, ")?;
                }
                write!(f, "{}[{}])", window.selector, time::exact(window.length))
            }
            Self::Aggregate(aggregate) => aggregate.fmt(f),
            Self::Binary(b) => {
                let own = b.operator.precedence();
                parenthesized(f, &b.left, own)?;
                write!(f, " {} ", b.operator.symbol())?;
                // Operators of one precedence group to the left.
                parenthesized(f, &b.right, own + 1)
            }
            Self::Negate(inner) => {
                f.write_str("-")?;
                parenthesized(f, inner, u8::MAX)
            }
        }
    }
}

fn parenthesized(f: &mut fmt::Formatter<'_>, node: &Node, least: u8) -> fmt::Result {
    if node.precedence() < least { write!(f, "({node})") } else { write!(f, "{node}") }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, labels) = match &self.grouping {
            Grouping::By(labels) => ("by", labels),
            Grouping::Without(labels) => ("without", labels),
        };
        f.write_str(self.operator.name())?;
        if word == "without" || !labels.is_empty() {
            write!(f, " {word} ({}) ", labels.join(", "))?;
        }
        write!(f, "({})", self.inner)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric.as_deref().unwrap_or(""))?;
        for (i, matcher) in self.matchers.iter().enumerate() {
            write!(f, "{}{matcher}", if i == 0 { "{" } else { ", " })?;
        }
        if self.matchers.is_empty() { Ok(()) } else { f.write_str("}") }
    }
}
