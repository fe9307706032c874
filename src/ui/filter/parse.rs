//! From what is typed to a filter: words, signs, parentheses.
//!
//! Invariant: every mistake has the character it begins at.

use regex_lite::Regex;

use super::{Expr, Filtered, Kind, Pattern, Problem, Test, Wanted};
use crate::base::parse_duration;
use crate::model::catalog::nearest;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Compare(&'static str),
    And,
    Or,
    Not,
    Open,
    Close,
}

/// Longest first, so that `>=` is not `>`.
const COMPARISONS: [&str; 9] = [">=", "<=", "!=", "!~", "==", ">", "<", "=", "~"];

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Problem> {
    let letters: Vec<char> = text.chars().collect();
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some(c) = letters.get(at).copied() {
        let start = at;
        let comparison = COMPARISONS.iter().find(|op| op.chars().enumerate().all(|(i, o)| letters.get(at + i) == Some(&o)));
        let token = match c {
            ' ' => {
                at += 1;
                continue;
            }
            '"' | '\'' => {
                let end = (at + 1..letters.len()).find(|i| letters[*i] == c);
                let end = end.ok_or_else(|| Problem { at, message: format!("this {c} has no second one") })?;
                at = end;
                Token::Quoted(letters[start + 1..end].iter().collect())
            }
            '(' => Token::Open,
            ')' => Token::Close,
            '&' => Token::And,
            '|' => Token::Or,
            _ => match comparison {
                Some(op) => {
                    at += op.len() - 1;
                    Token::Compare(op)
                }
                None if c == '!' => Token::Not,
                None => {
                    let ends = |c: &char| " \"'()&|<>=~!".contains(*c);
                    let end = (at..letters.len()).find(|i| ends(&letters[*i])).unwrap_or(letters.len());
                    at = end - 1;
                    let word: String = letters[start..end].iter().collect();
                    match word.as_str() {
                        "and" | "AND" => Token::And,
                        "or" | "OR" => Token::Or,
                        "not" | "NOT" => Token::Not,
                        _ => Token::Word(word),
                    }
                }
            },
        };
        at += 1;
        // `&&` and `||` are what `&` and `|` are.
        let is_second = matches!(token, Token::And | Token::Or)
            && all.last().is_some_and(|(before, last): &(usize, Token)| *last == token && before + 1 == start);
        if !is_second {
            all.push((start, token));
        }
    }
    Ok(all)
}

/// A filter; `None` where nothing was typed.
pub(super) fn parse<T: Filtered>(text: &str) -> Result<Option<Expr<T>>, Problem> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.chars().count() };
    if parser.tokens.is_empty() {
        return Ok(None);
    }
    let expr = parser.any(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(Some(expr)),
        Some((at, _)) => Err(Problem { at: *at, message: "this ) closes nothing".to_owned() }),
    }
}

/// Parentheses and `not` nest at most this deep: more than a person types, less than a stack holds.
const DEEPEST: usize = 50;

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(at, _)| *at)
    }

    fn wrong<R>(&self, message: impl Into<String>) -> Result<R, Problem> {
        Err(Problem { at: self.place(), message: message.into() })
    }

    fn any<T: Filtered>(&mut self, depth: usize) -> Result<Expr<T>, Problem> {
        let mut parts = vec![self.all(depth)?];
        while self.peek() == Some(&Token::Or) {
            self.at += 1;
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Any(parts) })
    }

    fn all<T: Filtered>(&mut self, depth: usize) -> Result<Expr<T>, Problem> {
        let mut parts = vec![self.term(depth)?];
        loop {
            match self.peek() {
                Some(Token::And) => self.at += 1,
                None | Some(Token::Or | Token::Close) => break,
                Some(_) => {}
            }
            parts.push(self.term(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::All(parts) })
    }

    fn term<T: Filtered>(&mut self, depth: usize) -> Result<Expr<T>, Problem> {
        if depth > DEEPEST {
            return self.wrong("too many parentheses");
        }
        let start = self.place();
        let Some(token) = self.peek().cloned() else { return self.wrong("something is missing at the end") };
        self.at += 1;
        match token {
            Token::Not => Ok(Expr::Not(Box::new(self.term(depth + 1)?))),
            Token::Open => {
                let inside = self.any(depth + 1)?;
                if self.peek() != Some(&Token::Close) {
                    return Err(Problem { at: start, message: "this ( is never closed".to_owned() });
                }
                self.at += 1;
                Ok(inside)
            }
            Token::Quoted(text) => Ok(Expr::Word(text.to_lowercase())),
            Token::Word(name) => match self.peek().cloned() {
                Some(Token::Compare(op)) => {
                    self.at += 1;
                    self.comparison(start, &name, op)
                }
                _ => Ok(Expr::Word(name.to_lowercase())),
            },
            Token::Compare(op) => Err(Problem { at: start, message: format!("a field is missing before {op}") }),
            Token::And | Token::Or | Token::Close => {
                Err(Problem { at: start, message: "a word is missing before this".to_owned() })
            }
        }
    }

    fn comparison<T: Filtered>(&mut self, start: usize, name: &str, op: &'static str) -> Result<Expr<T>, Problem> {
        let Some(field) = T::FIELDS.iter().find(|f| f.names.iter().any(|n| n.eq_ignore_ascii_case(name))) else {
            let names = T::FIELDS.iter().flat_map(|f| f.names).copied();
            let near = nearest(&name.to_lowercase(), names).map(|n| format!("; did you mean {n}?"));
            let all = || format!("; there are {}", T::FIELDS.iter().map(|f| f.names[0]).collect::<Vec<_>>().join(", "));
            return Err(Problem { at: start, message: format!("{name} is no field{}", near.unwrap_or_else(all)) });
        };
        let at = self.place();
        let value = match self.peek().cloned() {
            Some(Token::Word(text) | Token::Quoted(text)) => text,
            _ => return self.wrong(format!("a value is missing after {name}{op}")),
        };
        self.at += 1;
        let wrong = |message: String| Err(Problem { at, message });
        let wanted = if op.starts_with('!') { Wanted::NoMatch } else { Wanted::Match };
        if field.kind == Kind::Words {
            return match op {
                "=" | "==" | "!=" => Ok(Expr::Words(field, Pattern::Glob(value.to_lowercase()), wanted)),
                "~" | "!~" => match Regex::new(&format!("(?i){value}")) {
                    Ok(regex) => Ok(Expr::Words(field, Pattern::Regex(regex), wanted)),
                    Err(error) => wrong(format!("no regular expression: {error}")),
                },
                _ => wrong(format!("{name} is words: write {name}={value} or {name}~{value}")),
            };
        }
        let test = match op {
            "=" | "==" => Test::Equal,
            "!=" => Test::Other,
            ">" => Test::Greater,
            "<" => Test::Less,
            ">=" => Test::AtLeast,
            "<=" => Test::AtMost,
            _ => return wrong(format!("{name} is a number: write {name}>{value}")),
        };
        match figure(field.kind, &value) {
            Some(limit) => Ok(Expr::Figure(field, test, limit)),
            None => wrong(format!("\"{value}\" is no {}", written(field.kind))),
        }
    }
}

fn written(kind: Kind) -> &'static str {
    match kind {
        Kind::Words => "word",
        Kind::Number => "number (5, 2.5, 80%)",
        Kind::Size => "size (100M, 1.5g)",
        Kind::Span => "time (90, 5m, 2h)",
    }
}

fn figure(kind: Kind, text: &str) -> Option<f64> {
    let text = text.to_lowercase();
    let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite());
    match kind {
        Kind::Words => None,
        Kind::Number => number(text.trim_end_matches('%')),
        Kind::Span => number(&text).or_else(|| parse_duration(&text).ok().map(|d| d.as_secs_f64())),
        Kind::Size => {
            let bare = text.trim_end_matches("/s");
            let bare = bare.strip_suffix("ib").or_else(|| bare.strip_suffix('b')).unwrap_or(bare);
            let powers = [('k', 1), ('m', 2), ('g', 3), ('t', 4)];
            let with = powers.iter().find_map(|(c, power)| bare.strip_suffix(*c).map(|n| (n, *power)));
            let (digits, power) = with.unwrap_or((bare, 0));
            number(digits).map(|n| n * 1024_f64.powi(power))
        }
    }
}
