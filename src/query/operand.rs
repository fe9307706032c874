//! Operands: selectors, windows, functions and aggregations, from tokens.
//!
//! Invariant: what is not understood is refused where it stands, with what could stand there.

use std::time::Duration;

use super::NAME_LABEL;
use super::ast::{Aggregate, AggregateOperator, Call, Grouping, Node, Selector, Type, Window, WindowFunction};
use super::functions::{Function, function};
use super::lexer::{Fault, Token};
use super::matching::value;
use super::parser::{Parsed, Parser};
use super::refused::{is_grouping, is_reserved, unknown_function};
use crate::model::{MatchOp, Matcher};

/// A thousand years in milliseconds: no moment overflows.
const LONGEST_OFFSET: i64 = 1000 * 365 * 86_400_000;

impl Parser {
    /// What begins with a word: an aggregation, a function or a metric.
    pub(super) fn named(&mut self, word: String, position: usize) -> Parsed<Node> {
        let grouped = matches!(self.peek(), Token::Word(next) if is_grouping(next));
        if *self.peek() != Token::Symbol("(") && !grouped {
            return Ok(Node::Selector(self.selector(Some(word), position)?));
        }
        if let Some((_, operator)) = AggregateOperator::NAMES.iter().find(|(name, _)| *name == word) {
            return self.aggregate(*operator);
        }
        match (WindowFunction::NAMES.iter().find(|(name, _)| *name == word), function(&word)) {
            (Some((_, function)), _) if !grouped => self.window(*function, &word),
            (_, Some(function)) if !grouped => self.call(function, position),
            _ => Err(Fault::new(position, unknown_function(&word))),
        }
    }

    fn aggregate(&mut self, operator: AggregateOperator) -> Parsed<Node> {
        let before = self.grouping()?;
        self.expect("(")?;
        let operator = self.parameter(operator)?;
        let start = self.position();
        let inner = self.expression(0)?;
        if inner.kind() == Type::Number {
            return Err(Fault::new(start, "an aggregation needs series, this is a number"));
        }
        if *self.peek() == Token::Symbol(",") {
            return Err(self.fault("this aggregation takes no more arguments"));
        }
        self.expect(")")?;
        let after = if before.is_none() { self.grouping()? } else { None };
        let grouping = before.or(after).unwrap_or(Grouping::By(Vec::new()));
        Ok(Node::Aggregate(Aggregate { operator, grouping, inner: Box::new(inner) }))
    }

    /// The number an aggregation takes first.
    fn parameter(&mut self, operator: AggregateOperator) -> Parsed<AggregateOperator> {
        if operator.parameter().is_none() {
            return Ok(operator);
        }
        let name = operator.name();
        let position = self.position();
        let wanted = match operator {
            AggregateOperator::Quantile(_) => "a quantile from 0 to 1: quantile(0.95, load_average)".to_owned(),
            _ => format!("how many series: {name}(3, cpu_usage_ratio)"),
        };
        let number = self.number(&format!("{name} takes first {wanted}"))?;
        self.expect(",")?;
        match operator {
            AggregateOperator::Quantile(_) if (0.0..=1.0).contains(&number) => Ok(AggregateOperator::Quantile(number)),
            AggregateOperator::Topk(_) if number >= 0.0 => Ok(AggregateOperator::Topk(number)),
            AggregateOperator::Bottomk(_) if number >= 0.0 => Ok(AggregateOperator::Bottomk(number)),
            _ => Err(Fault::new(position, format!("{name} takes first {wanted}"))),
        }
    }

    /// A number, or what numbers make.
    fn number(&mut self, wanted: &str) -> Parsed<f64> {
        let position = self.position();
        let node = self.expression(0)?;
        constant(&node).ok_or_else(|| Fault::new(position, wanted))
    }

    /// `function(vector, numbers)`, from the bracket on.
    fn call(&mut self, function: &'static Function, position: usize) -> Parsed<Node> {
        self.expect("(")?;
        let start = self.position();
        let inner = self.expression(0)?;
        if inner.kind() == Type::Number {
            return Err(Fault::new(start, format!("{} needs series, this is a number", function.name)));
        }
        let mut arguments = Vec::new();
        while self.take(",") {
            arguments.push(self.number(&format!("a number is needed here: {}", function.usage))?);
        }
        self.expect(")")?;
        let (fewest, most) = function.arguments;
        if !(fewest..=most).contains(&arguments.len()) {
            return Err(Fault::new(position, format!("{} is written {}", function.name, function.usage)));
        }
        Ok(Node::Call(Box::new(Call { function, inner, arguments })))
    }

    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let by = match self.peek() {
            Token::Word(word) if is_grouping(word) => word.eq_ignore_ascii_case("by"),
            _ => return Ok(None),
        };
        self.at += 1;
        let labels = self.labels()?;
        Ok(Some(if by { Grouping::By(labels) } else { Grouping::Without(labels) }))
    }

    /// Labels in brackets.
    pub(super) fn labels(&mut self) -> Parsed<Vec<String>> {
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            let position = self.position();
            let label =
                self.take_word().ok_or_else(|| self.fault(format!("expected a label, found {}", self.peek().describe())))?;
            if !labels.contains(&label) {
                labels.push(label);
            }
            if !self.take(",") && *self.peek() != Token::Symbol(")") {
                return Err(Fault::new(position, "labels are separated by commas and closed by \")\""));
            }
        }
        Ok(labels)
    }

    fn window(&mut self, function: WindowFunction, name: &str) -> Parsed<Node> {
        self.expect("(")?;
        let function = match function {
            WindowFunction::Quantile(_) => WindowFunction::Quantile(self.quantile()?),
            other => other,
        };
        let position = self.position();
        let metric = self.take_word();
        if metric.is_none() && *self.peek() != Token::Symbol("{") || *self.peek() == Token::Symbol("(") {
            return Err(Fault::new(position, format!("{name} needs a selector with a window here: {name}(load_average[5m])")));
        }
        let mut selector = self.series(metric, position)?;
        if *self.peek() != Token::Symbol("[") {
            return Err(self.fault(format!("{name} needs a window behind the selector, for example [5m]")));
        }
        self.at += 1;
        let length = self.length()?;
        if *self.peek() == Token::Symbol(":") {
            return Err(self.fault("a subquery is not supported yet"));
        }
        self.expect("]")?;
        if *self.peek() == Token::Symbol("@") {
            return Err(self.fault("@ is not supported yet"));
        }
        selector.offset = self.offset()?;
        self.refuse_word()?;
        let function = match function {
            WindowFunction::PredictLinear(_) => {
                self.expect(",")?;
                WindowFunction::PredictLinear(
                    self.number("a number of seconds is needed here: predict_linear(metric[1h], 4 * 3600)")?,
                )
            }
            other => other,
        };
        self.expect(")")?;
        Ok(Node::Window(Window { function, selector, length }))
    }

    /// The first argument of `quantile_over_time`.
    fn quantile(&mut self) -> Parsed<f64> {
        let position = self.position();
        let wanted = "the quantile is a number from 0 to 1: quantile_over_time(0.95, load_average[5m])";
        let q = self.number(wanted)?;
        if !(0.0..=1.0).contains(&q) {
            return Err(Fault::new(position, wanted));
        }
        self.expect(",")?;
        Ok(q)
    }

    /// The length of a window, whole milliseconds.
    fn length(&mut self) -> Parsed<Duration> {
        let position = self.position();
        let Token::Duration(length) = *self.peek() else {
            return Err(self.fault(format!("expected a duration as 5m or 1h30m, found {}", self.peek().describe())));
        };
        self.at += 1;
        let length = Duration::from_millis((length.as_secs_f64() * 1000.0).round() as u64);
        if length.is_zero() { Err(Fault::new(position, "a window is at least 1ms long")) } else { Ok(length) }
    }

    /// `offset 5m`, `offset -5m` or nothing, in milliseconds.
    fn offset(&mut self) -> Parsed<i64> {
        if !self.take_keyword("offset") {
            return Ok(0);
        }
        let sign = if self.take("-") { -1 } else { 1 };
        let length = i64::try_from(self.length()?.as_millis()).unwrap_or(i64::MAX);
        Ok(sign * length.min(LONGEST_OFFSET))
    }

    /// A selector with its offset.
    pub(super) fn selector(&mut self, metric: Option<String>, position: usize) -> Parsed<Selector> {
        let selector = self.series(metric, position)?;
        Ok(Selector { offset: self.offset()?, ..selector })
    }

    fn series(&mut self, metric: Option<String>, position: usize) -> Parsed<Selector> {
        let mut metric = metric;
        let mut matchers = Vec::new();
        if self.take("{") {
            while !self.take("}") {
                let start = self.position();
                let matcher = self.matcher()?;
                match (matcher.name() == NAME_LABEL, matcher.op(), &metric) {
                    (true, _, Some(name)) => return Err(Fault::new(start, format!("the metric is already named: {name}"))),
                    (true, MatchOp::Equal, None) if !matcher.value().is_empty() => metric = Some(matcher.value().to_owned()),
                    _ => matchers.push(matcher),
                }
                if !self.take(",") && *self.peek() != Token::Symbol("}") {
                    return Err(self.fault(format!("expected \",\" or \"}}\", found {}", self.peek().describe())));
                }
            }
        }
        match &metric {
            None if matchers.iter().all(|m| m.matches(None)) => Err(Fault::new(
                position,
                "this selects everything; name a metric or give a matcher that the empty text does not match",
            )),
            Some(_) if matchers.iter().any(|m| m.name() == NAME_LABEL) => {
                Err(Fault::new(position, "the metric is named twice, by a name and by a pattern"))
            }
            Some(name) if is_reserved(name) => {
                Err(Fault::new(position, format!("{name} is not supported yet as the name of a metric")))
            }
            Some(name) if !is_name(name) => Err(Fault::new(position, format!("{name:?} is no name of a metric"))),
            _ => Ok(Selector { metric, matchers, offset: 0, position }),
        }
    }

    fn matcher(&mut self) -> Parsed<Matcher> {
        let label = self.take_word().ok_or_else(|| self.fault(format!("expected a label, found {}", self.peek().describe())))?;
        let op = match self.peek() {
            Token::Symbol("=") => MatchOp::Equal,
            Token::Symbol("!=") => MatchOp::NotEqual,
            Token::Symbol("=~") => MatchOp::Regex,
            Token::Symbol("!~") => MatchOp::NotRegex,
            token => return Err(self.fault(format!("expected =, !=, =~ or !~ behind the label, found {}", token.describe()))),
        };
        self.at += 1;
        let Token::Text(value) = self.peek().clone() else {
            return Err(self.fault(format!("expected a quoted text, found {}; write {label}=\"…\"", self.peek().describe())));
        };
        let matcher = Matcher::new(&label, op, &value).map_err(|e| self.fault(e.0))?;
        self.at += 1;
        Ok(matcher)
    }
}

/// What a tree of numbers gives.
fn constant(node: &Node) -> Option<f64> {
    match node {
        Node::Number(number) => Some(*number),
        Node::Negate(inner) => Some(-constant(inner)?),
        Node::Binary(b) => value(b, constant(&b.left)?, constant(&b.right)?),
        _ => None,
    }
}

/// Names as the lexer reads them.
fn is_name(text: &str) -> bool {
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
    letters && !text.starts_with(|c: char| c.is_ascii_digit() || c == ':')
}
