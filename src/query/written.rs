//! How a tree is written.
//!
//! Invariant: what is written is parsed to an equal tree.

use std::fmt;
use std::time::Duration;

use super::ast::{Aggregate, Binary, Expr, Grouping, Node, Operator, Selector, WindowFunction};
use crate::base::time;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Selector(selector) => write!(f, "{selector}{}", Offset(selector.offset)),
            Self::Window(window) => {
                write!(f, "{}(", window.function.name())?;
                if let WindowFunction::Quantile(q) = window.function {
                    write!(f, "{q}, ")?;
                }
                write!(f, "{}[{}]{}", window.selector, time::exact(window.length), Offset(window.selector.offset))?;
                match window.function {
                    WindowFunction::PredictLinear(seconds) => write!(f, ", {seconds})"),
                    _ => f.write_str(")"),
                }
            }
            Self::Aggregate(aggregate) => aggregate.fmt(f),
            Self::Binary(b) => b.fmt(f),
            Self::Negate(inner) => {
                f.write_str("-")?;
                parenthesized(f, inner, u8::MAX)
            }
            Self::Call(call) => {
                write!(f, "{}({}", call.function.name, call.inner)?;
                call.arguments.iter().try_for_each(|n| write!(f, ", {n}"))?;
                f.write_str(")")
            }
        }
    }
}

fn parenthesized(f: &mut fmt::Formatter<'_>, node: &Node, least: u8) -> fmt::Result {
    if node.precedence() < least { write!(f, "({node})") } else { write!(f, "{node}") }
}

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.operator.precedence();
        // Operators of one precedence group to the left, but powers to the right.
        let (left, right) = if self.operator == Operator::Power { (own + 1, own) } else { (own, own + 1) };
        parenthesized(f, &self.left, left)?;
        write!(f, " {} ", self.operator.symbol())?;
        if self.as_number {
            f.write_str("bool ")?;
        }
        match &self.matching {
            Some(Grouping::By(labels)) => write!(f, "on ({}) ", labels.join(", "))?,
            Some(Grouping::Without(labels)) => write!(f, "ignoring ({}) ", labels.join(", "))?,
            None => {}
        }
        parenthesized(f, &self.right, right)
    }
}

/// ` offset 5m`, or nothing.
struct Offset(i64);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = time::exact(Duration::from_millis(self.0.unsigned_abs()));
        match self.0 {
            0 => Ok(()),
            ..0 => write!(f, " offset -{length}"),
            _ => write!(f, " offset {length}"),
        }
    }
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
        match self.operator.parameter() {
            Some(number) => write!(f, "({number}, {})", self.inner),
            None => write!(f, "({})", self.inner),
        }
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
