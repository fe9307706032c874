//! What a query is once it is understood: its tree.
//!
//! Invariant: a tree is typed — operands of functions are selectors with a window, sides of operators are
//! vectors or numbers.

use std::time::Duration;

use super::functions::Function;
use super::parser;
use super::{QueryError, QueryErrorKind, Series, Value, eval};
use crate::base::{TimeRange, Timestamp};
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
    /// A function of each value.
    Call(Box<Call>),
}

/// `function(inner, arguments)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub function: &'static Function,
    pub inner: Node,
    pub arguments: Vec<f64>,
}

/// Which series, and how many milliseconds before the moment asked for; `position` is its first character.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    pub metric: Option<String>,
    /// Without the metric's name, unless that is given by a pattern.
    pub matchers: Vec<Matcher>,
    pub offset: i64,
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
    Stddev,
    Delta,
    Deriv,
    Quantile(f64),
    /// That many seconds after the moment.
    PredictLinear(f64),
}

/// `operator by (labels) (inner)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    pub operator: AggregateOperator,
    pub grouping: Grouping,
    pub inner: Box<Node>,
}

/// What becomes of the series of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AggregateOperator {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Stddev,
    Quantile(f64),
    /// The largest so many, with their labels.
    Topk(f64),
    /// The smallest so many.
    Bottomk(f64),
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
    /// A comparison gives 0 or 1 instead of dropping values.
    pub as_number: bool,
    /// Labels by which series of both sides belong together: `on` is by, `ignoring` is without; else all.
    pub matching: Option<Grouping>,
    pub position: usize,
}

/// An operator between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    And,
    Or,
    Unless,
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
        self.metric == other.metric && self.matchers == other.matchers && self.offset == other.offset
    }
}

impl PartialEq for Binary {
    fn eq(&self, other: &Self) -> bool {
        let how = |b: &Self| (b.operator, b.as_number, b.matching.clone());
        how(self) == how(other) && self.left == other.left && self.right == other.right
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
            Self::Selector(_) | Self::Window(_) | Self::Aggregate(_) | Self::Call(_) => Type::Vector,
            Self::Binary(b) => match (b.left.kind(), b.right.kind()) {
                (Type::Number, Type::Number) => Type::Number,
                _ => Type::Vector,
            },
            Self::Negate(inner) => inner.kind(),
        }
    }

    /// How tightly it binds when written; an atom most.
    pub(super) fn precedence(&self) -> u8 {
        match self {
            Self::Binary(b) => b.operator.precedence(),
            Self::Number(n) if n.is_sign_negative() => Operator::UNARY,
            Self::Negate(_) => Operator::UNARY,
            _ => u8::MAX,
        }
    }
}

impl Operator {
    /// A sign binds more than a product and less than a power.
    pub(super) const UNARY: u8 = 6;

    /// PromQL's order: or, and, comparison, sum, product, power.
    pub(super) fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Modulo => 5,
            Self::Power => 7,
            _ => 3,
        }
    }

    /// Whether it is about which series there are, not about their values.
    pub(super) fn is_set(self) -> bool {
        self.precedence() <= 2
    }

    /// Whether it keeps or drops values instead of computing new ones.
    pub(super) fn is_comparison(self) -> bool {
        self.precedence() == 3
    }

    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
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
    /// Names as they are written; `quantile_over_time` takes its quantile first, `predict_linear` its seconds last.
    pub(super) const NAMES: [(&'static str, Self); 11] = [
        ("avg_over_time", Self::Avg),
        ("min_over_time", Self::Min),
        ("max_over_time", Self::Max),
        ("sum_over_time", Self::Sum),
        ("count_over_time", Self::Count),
        ("last_over_time", Self::Last),
        ("stddev_over_time", Self::Stddev),
        ("delta", Self::Delta),
        ("deriv", Self::Deriv),
        ("quantile_over_time", Self::Quantile(0.5)),
        ("predict_linear", Self::PredictLinear(0.0)),
    ];

    pub(super) fn name(self) -> &'static str {
        let kind = std::mem::discriminant(&self);
        Self::NAMES.iter().find(|(_, f)| std::mem::discriminant(f) == kind).map_or("", |(name, _)| name)
    }
}

impl AggregateOperator {
    /// Names as they are written; the last three take a number first.
    pub(super) const NAMES: [(&'static str, Self); 9] = [
        ("sum", Self::Sum),
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("count", Self::Count),
        ("stddev", Self::Stddev),
        ("quantile", Self::Quantile(0.5)),
        ("topk", Self::Topk(1.0)),
        ("bottomk", Self::Bottomk(1.0)),
    ];

    /// The number it takes.
    pub(super) fn parameter(self) -> Option<f64> {
        match self {
            Self::Quantile(n) | Self::Topk(n) | Self::Bottomk(n) => Some(n),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        let kind = std::mem::discriminant(&self);
        Self::NAMES.iter().find(|(_, o)| std::mem::discriminant(o) == kind).map_or("", |(name, _)| name)
    }
}
