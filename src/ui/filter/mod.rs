//! The language of `/`: words, comparisons of fields, `and`, `or`, `not` and parentheses.
//!
//! `cpu>5 user=www unit=nginx* name~"java"`: terms beside each other must all hold. What has which
//! fields is said in `fields`. Invariant: a filter with a mistake says where; it never matches by guess.

mod parse;

use std::cmp::Ordering;
use std::fmt;

use regex_lite::Regex;

/// What a field of a thing holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Words.
    Text(&'a str),
    /// A figure, in the unit the field is written in.
    Number(f64),
    /// Not known or not permitted: compares with nothing.
    Unknown,
}

/// How the figures of a field are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words: `=` with `*` and `?`, `~` with a regular expression.
    Words,
    /// A plain number, with `%` allowed.
    Number,
    /// Bytes: `100M`, `1.5g`; powers of 1,024.
    Size,
    /// Seconds: `90`, `5m`, `2h`.
    Span,
}

/// One field of a thing.
pub struct Field<T> {
    /// Its names, the first is the one shown.
    pub names: &'static [&'static str],
    /// How it is written.
    pub kind: Kind,
    /// What a thing has.
    pub of: fn(&T) -> Value<'_>,
}

/// A thing that can be filtered.
pub trait Filtered: Sized + 'static {
    /// Its fields.
    const FIELDS: &'static [Field<Self>];
    /// Whether one of the texts a plain word is looked for in is accepted.
    fn any_text(&self, accept: &mut dyn FnMut(&str) -> bool) -> bool;
}

/// Why a filter was not understood, and at which character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Character, from 0.
    pub at: usize,
    /// What is wrong, and what to write.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.at + 1, self.message)
    }
}

/// Something that has a few texts and no fields; see [`Filter::matches`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {}

impl Filtered for Texts {
    const FIELDS: &'static [Field<Self>] = &[];

    fn any_text(&self, _: &mut dyn FnMut(&str) -> bool) -> bool {
        match *self {}
    }
}

impl Filter<Texts> {
    /// Whether a thing with these texts is kept.
    pub fn matches(&self, texts: &[&str]) -> bool {
        self.expr.as_ref().is_none_or(|expr| expr.holds_in(texts))
    }
}

impl Expr<Texts> {
    fn holds_in(&self, texts: &[&str]) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|p| p.holds_in(texts)),
            Self::Any(parts) => parts.iter().any(|p| p.holds_in(texts)),
            Self::Not(part) => !part.holds_in(texts),
            Self::Word(word) => texts.iter().any(|text| contains(text, word)),
            // There are no fields to compare.
            Self::Figure(..) | Self::Words(..) => false,
        }
    }
}

/// A filter as it was typed; while it has a mistake the last one without goes on.
#[derive(Clone)]
pub struct Filter<T: Filtered> {
    text: String,
    expr: Option<Expr<T>>,
    problem: Option<Problem>,
}

#[derive(Clone)]
enum Expr<T: Filtered> {
    All(Vec<Expr<T>>),
    Any(Vec<Expr<T>>),
    Not(Box<Expr<T>>),
    /// A lower-case word in one of the texts.
    Word(String),
    /// A field's figure stands so to a number.
    Figure(&'static Field<T>, Test, f64),
    /// A field's words are, or are not, like a pattern.
    Words(&'static Field<T>, Pattern, Wanted),
}

/// Which orders pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equal,
    Other,
    Greater,
    Less,
    AtLeast,
    AtMost,
}

impl Test {
    fn passes(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Other => order.is_ne(),
            Self::Greater => order.is_gt(),
            Self::Less => order.is_lt(),
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Match,
    NoMatch,
}

#[derive(Clone)]
enum Pattern {
    /// Lower-case, with `*` and `?`.
    Glob(String),
    Regex(Regex),
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => glob_matches(glob, text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Whether a text, case ignored, is as a lower-case pattern with `*` (anything) and `?` (one character) says.
fn glob_matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.to_lowercase().chars().collect());
    let (mut g, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (g, t) = (g + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (g, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

impl<T: Filtered> Default for Filter<T> {
    fn default() -> Self {
        Self { text: String::new(), expr: None, problem: None }
    }
}

impl<T: Filtered> fmt::Debug for Filter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("text", &self.text).field("problem", &self.problem).finish_non_exhaustive()
    }
}

impl<T: Filtered> Filter<T> {
    /// From what was typed; empty keeps everything.
    pub fn new(text: &str) -> Self {
        let mut filter = Self::default();
        filter.set(text);
        filter
    }

    /// Takes what is typed now; nothing is done where it is the same.
    pub fn set(&mut self, text: &str) {
        if self.text == text {
            return;
        }
        text.clone_into(&mut self.text);
        match parse::parse(text) {
            Ok(expr) => (self.expr, self.problem) = (expr, None),
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// What is wrong with what was typed.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Whether everything is kept.
    pub fn is_empty(&self) -> bool {
        self.expr.is_none()
    }

    /// Whether a thing is kept.
    pub fn keeps(&self, thing: &T) -> bool {
        self.expr.as_ref().is_none_or(|expr| expr.holds(thing))
    }

    /// The number that is the whole filter.
    pub fn number(&self) -> Option<u32> {
        match &self.expr {
            Some(Expr::Word(word)) => word.parse().ok(),
            _ => None,
        }
    }
}

impl<T: Filtered> Expr<T> {
    fn holds(&self, thing: &T) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|p| p.holds(thing)),
            Self::Any(parts) => parts.iter().any(|p| p.holds(thing)),
            Self::Not(part) => !part.holds(thing),
            Self::Word(word) => thing.any_text(&mut |text| contains(text, word)),
            Self::Figure(field, test, limit) => match (field.of)(thing) {
                Value::Number(value) => test.passes(value.total_cmp(limit)),
                Value::Text(_) | Value::Unknown => false,
            },
            Self::Words(field, pattern, wanted) => match (field.of)(thing) {
                Value::Text(text) => pattern.matches(text) == (*wanted == Wanted::Match),
                Value::Number(_) => false,
                Value::Unknown => *wanted == Wanted::NoMatch,
            },
        }
    }
}

/// Whether a text holds a lower-case word, case ignored.
fn contains(text: &str, word: &str) -> bool {
    if text.is_ascii() && word.is_ascii() {
        let length = word.len().max(1);
        return word.is_empty() || text.as_bytes().windows(length).any(|w| w.eq_ignore_ascii_case(word.as_bytes()));
    }
    text.to_lowercase().contains(word)
}

#[cfg(test)]
mod tests;
