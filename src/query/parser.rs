//! Tokens to a tree: precedence climbing, with types checked on the way.
//!
//! What PromQL has and this language has not is recognized by name, so that the refusal says what it is.
//! Invariant: no text makes it panic or overflow the stack; every fault has a place.

use std::time::Duration;

use super::NAME_LABEL;
use super::ast::{Aggregate, AggregateOperator, Binary, Grouping, Node, Operator, Selector, Type, Window, WindowFunction};
use super::lexer::{Fault, Placed, Token, tokens};
use super::refused::{is_grouping, is_refused, is_reserved, unknown_function};
use crate::model::{MatchOp, Matcher};

/// Parts a query may have: ten times what a person writes, and a tree that recursion walks in a few hundred KiB.
const MAX_PARTS: usize = 250;

type Parsed<T> = Result<T, Fault>;

pub(super) fn parse(text: &str) -> Parsed<Node> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, parts: 0 };
    if parser.peek() == &Token::End {
        return Err(Fault::new(0, "the query is empty; write for example cpu_usage_ratio or avg_over_time(load_average[5m])"));
    }
    let root = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(root),
        token => Err(parser.fault(format!("{} is not expected here", token.describe()))),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    parts: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |p| &p.token)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |p| p.position)
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.position(), message)
    }

    fn take(&mut self, symbol: &'static str) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Parsed<()> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.fault(format!("expected \"{symbol}\", found {}", self.peek().describe())))
        }
    }

    fn take_word(&mut self) -> Option<String> {
        let Token::Word(word) = self.peek() else { return None };
        let word = word.clone();
        self.at += 1;
        Some(word)
    }

    /// Counts a part; a query with very many is refused before it becomes a deep tree.
    fn part(&mut self) -> Parsed<()> {
        self.parts += 1;
        if self.parts > MAX_PARTS { Err(self.fault(format!("the query has more than {MAX_PARTS} parts"))) } else { Ok(()) }
    }

    fn expression(&mut self, least: u8) -> Parsed<Node> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator()? {
            if operator.precedence() < least {
                break;
            }
            let position = self.position();
            self.at += 1;
            self.part()?;
            self.refuse_word()?;
            let right = self.expression(operator.precedence() + 1)?;
            if operator.is_comparison() && left.kind() == Type::Number && right.kind() == Type::Number {
                return Err(Fault::new(position, "two numbers are compared; one side must be series"));
            }
            left = Node::Binary(Box::new(Binary { operator, left, right, position }));
        }
        Ok(left)
    }

    /// The operator that comes next, not taken; `None` where no operator comes.
    fn operator(&self) -> Parsed<Option<Operator>> {
        Ok(Some(match self.peek() {
            Token::Symbol("+") => Operator::Add,
            Token::Symbol("-") => Operator::Subtract,
            Token::Symbol("*") => Operator::Multiply,
            Token::Symbol("/") => Operator::Divide,
            Token::Symbol(">") => Operator::Greater,
            Token::Symbol("<") => Operator::Less,
            Token::Symbol(">=") => Operator::GreaterEqual,
            Token::Symbol("<=") => Operator::LessEqual,
            Token::Symbol("==") => Operator::Equal,
            Token::Symbol("!=") => Operator::NotEqual,
            Token::Symbol(symbol @ ("%" | "^" | "@")) => return Err(self.fault(format!("{symbol} is not supported yet"))),
            Token::Symbol("=") => return Err(self.fault("a comparison is written ==")),
            Token::Symbol("[") => {
                return Err(self.fault("a window stands behind a selector inside a function: avg_over_time(load_average[5m])"));
            }
            _ => {
                self.refuse_word()?;
                return Ok(None);
            }
        }))
    }

    /// Refuses a word that PromQL knows at this place.
    fn refuse_word(&self) -> Parsed<()> {
        match self.peek() {
            Token::Word(word) if is_refused(word) => Err(self.fault(format!("{word} is not supported yet"))),
            _ => Ok(()),
        }
    }

    fn unary(&mut self) -> Parsed<Node> {
        self.part()?;
        if self.take("+") {
            return self.unary();
        }
        if self.take("-") {
            return Ok(match self.unary()? {
                Node::Number(number) => Node::Number(-number),
                inner => Node::Negate(Box::new(inner)),
            });
        }
        self.atom()
    }

    fn atom(&mut self) -> Parsed<Node> {
        let position = self.position();
        match self.peek().clone() {
            Token::Number(number) => {
                self.at += 1;
                Ok(Node::Number(number))
            }
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("{") => Ok(Node::Selector(self.selector(None, position)?)),
            Token::Word(word) => {
                self.at += 1;
                self.named(word, position)
            }
            Token::Duration(_) => Err(self.fault("a duration stands in brackets behind a selector: load_average[5m]")),
            Token::Text(_) => Err(self.fault("a text has no value; texts stand behind labels: {mount=\"/\"}")),
            token => Err(self.fault(format!("expected a metric, a number or \"(\", found {}", token.describe()))),
        }
    }

    /// What begins with a word: an aggregation, a function or a metric.
    fn named(&mut self, word: String, position: usize) -> Parsed<Node> {
        let grouped = matches!(self.peek(), Token::Word(next) if is_grouping(next));
        if *self.peek() != Token::Symbol("(") && !grouped {
            return Ok(Node::Selector(self.selector(Some(word), position)?));
        }
        if let Some((_, operator)) = AggregateOperator::NAMES.iter().find(|(name, _)| *name == word) {
            return self.aggregate(*operator);
        }
        match WindowFunction::NAMES.iter().find(|(name, _)| *name == word) {
            Some((_, function)) if !grouped => self.window(*function, &word),
            _ => Err(Fault::new(position, unknown_function(&word))),
        }
    }

    fn aggregate(&mut self, operator: AggregateOperator) -> Parsed<Node> {
        let before = self.grouping()?;
        self.expect("(")?;
        let start = self.position();
        let inner = self.expression(0)?;
        if inner.kind() == Type::Number {
            return Err(Fault::new(start, "an aggregation needs series, this is a number"));
        }
        if *self.peek() == Token::Symbol(",") {
            return Err(self.fault("this aggregation has one argument"));
        }
        self.expect(")")?;
        let after = if before.is_none() { self.grouping()? } else { None };
        let grouping = before.or(after).unwrap_or(Grouping::By(Vec::new()));
        Ok(Node::Aggregate(Aggregate { operator, grouping, inner: Box::new(inner) }))
    }

    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let by = match self.peek() {
            Token::Word(word) if is_grouping(word) => word.eq_ignore_ascii_case("by"),
            _ => return Ok(None),
        };
        self.at += 1;
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
        Ok(Some(if by { Grouping::By(labels) } else { Grouping::Without(labels) }))
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
        let selector = self.selector(metric, position)?;
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
        self.refuse_word()?;
        self.expect(")")?;
        Ok(Node::Window(Window { function, selector, length }))
    }

    /// The first argument of `quantile_over_time`.
    fn quantile(&mut self) -> Parsed<f64> {
        let position = self.position();
        match self.unary()? {
            Node::Number(q) if (0.0..=1.0).contains(&q) => {
                self.expect(",")?;
                Ok(q)
            }
            _ => Err(Fault::new(position, "the quantile is a number from 0 to 1: quantile_over_time(0.95, load_average[5m])")),
        }
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

    fn selector(&mut self, metric: Option<String>, position: usize) -> Parsed<Selector> {
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
            _ => Ok(Selector { metric, matchers, position }),
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

/// Names as the lexer reads them.
fn is_name(text: &str) -> bool {
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
    letters && !text.starts_with(|c: char| c.is_ascii_digit() || c == ':')
}
