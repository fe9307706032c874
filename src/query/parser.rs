//! Tokens to a tree: precedence climbing, with types checked on the way.
//!
//! What PromQL has and this language has not is recognized by name, so that the refusal says what it is.
//! Invariant: no text makes it panic or overflow the stack; every fault has a place.

use super::ast::{Binary, Grouping, Node, Operator, Type};
use super::lexer::{Fault, Placed, Token, tokens};
use super::refused::is_refused;

/// Parts a query may have: ten times what a person writes, and a tree that recursion walks in a few hundred KiB.
const MAX_PARTS: usize = 250;

pub(super) type Parsed<T> = Result<T, Fault>;

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

pub(super) struct Parser {
    tokens: Vec<Placed>,
    pub(super) at: usize,
    parts: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |p| &p.token)
    }

    pub(super) fn position(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |p| p.position)
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.position(), message)
    }

    pub(super) fn take(&mut self, symbol: &'static str) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, symbol: &'static str) -> Parsed<()> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.fault(format!("expected \"{symbol}\", found {}", self.peek().describe())))
        }
    }

    pub(super) fn take_word(&mut self) -> Option<String> {
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

    /// A word that is part of the language, in any case of letters.
    pub(super) fn is_next(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// The word, taken where it comes next.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_next(keyword);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expression(&mut self, least: u8) -> Parsed<Node> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator()? {
            if operator.precedence() < least {
                break;
            }
            let position = self.position();
            self.at += 1;
            self.part()?;
            let as_number = self.as_number(operator)?;
            let matching = self.matching()?;
            self.refuse_word()?;
            let right = self.expression(operator.precedence() + u8::from(operator != Operator::Power))?;
            let b = Binary { operator, left, right, as_number, matching, position };
            check_sides(&b)?;
            left = Node::Binary(Box::new(b));
        }
        Ok(left)
    }

    /// `bool` behind a comparison.
    fn as_number(&mut self, operator: Operator) -> Parsed<bool> {
        let position = self.position();
        let found = self.take_keyword("bool");
        if found && !operator.is_comparison() {
            return Err(Fault::new(position, format!("bool stands only behind a comparison, not behind {}", operator.symbol())));
        }
        Ok(found)
    }

    /// `on (labels)` or `ignoring (labels)`.
    fn matching(&mut self) -> Parsed<Option<Grouping>> {
        if self.take_keyword("on") {
            return Ok(Some(Grouping::By(self.labels()?)));
        }
        if self.take_keyword("ignoring") { Ok(Some(Grouping::Without(self.labels()?))) } else { Ok(None) }
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
            Token::Symbol("%") => Operator::Modulo,
            Token::Symbol("^") => Operator::Power,
            Token::Symbol("@") => return Err(self.fault("@ is not supported yet")),
            Token::Word(_) if self.is_next("and") => Operator::And,
            Token::Word(_) if self.is_next("or") => Operator::Or,
            Token::Word(_) if self.is_next("unless") => Operator::Unless,
            Token::Word(_) if self.is_next("offset") => return Err(self.fault("offset stands behind a selector or its window")),
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
    pub(super) fn refuse_word(&self) -> Parsed<()> {
        match self.peek() {
            Token::Word(word) if is_refused(word) => Err(self.fault(format!("{word} is not supported yet"))),
            _ => Ok(()),
        }
    }

    fn unary(&mut self) -> Parsed<Node> {
        self.part()?;
        if self.take("+") {
            return self.expression(Operator::Power.precedence());
        }
        if self.take("-") {
            // A power binds more: -2^2 is -4.
            return Ok(match self.expression(Operator::Power.precedence())? {
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
}

/// Refuses sides between which the operator has no meaning.
fn check_sides(b: &Binary) -> Parsed<()> {
    let numbers = [&b.left, &b.right].into_iter().filter(|side| side.kind() == Type::Number).count();
    let symbol = b.operator.symbol();
    let fault = |message: String| Err(Fault::new(b.position, message));
    match numbers {
        2 if b.operator.is_comparison() && !b.as_number => fault("two numbers are compared; one side must be series".to_owned()),
        1.. if b.operator.is_set() => fault(format!("{symbol} needs series on both sides, one side is a number")),
        1.. if b.matching.is_some() => fault("labels are matched between series, one side is a number".to_owned()),
        _ => Ok(()),
    }
}
