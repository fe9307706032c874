//! Text to tokens with their places.
//!
//! Places are counted in characters, so that a caret stands below what it means. Invariant: no text makes
//! it panic; what is no token is a fault with its place.

use std::time::Duration;

use crate::base::parse_duration;

/// Something wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub position: usize,
    pub message: String,
}

impl Fault {
    pub(super) fn new(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Number(f64),
    Duration(Duration),
    Text(String),
    /// An operator or bracket.
    Symbol(&'static str),
    End,
}

impl Token {
    /// The token as people name it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("\"{word}\""),
            Self::Number(number) => format!("{number}"),
            Self::Duration(d) => crate::base::time::exact(*d),
            Self::Text(_) => "a text".to_owned(),
            Self::Symbol(symbol) => format!("\"{symbol}\""),
            Self::End => "the end of the query".to_owned(),
        }
    }
}

/// A token and the place of its first character.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub token: Token,
    pub position: usize,
}

/// Longest first where one begins another.
const SYMBOLS: [&str; 25] = [
    "=~", "!~", "!=", "==", ">=", "<=", ">", "<", "=", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", "[", "]", ",", ":", "@",
    "!",
];

/// All tokens of a text; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Fault> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
    let mut all = Vec::new();
    loop {
        lexer.skip_blanks();
        let position = lexer.at;
        let token = lexer.next()?;
        let end = token == Token::End;
        all.push(Placed { token, position });
        if end {
            return Ok(all);
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                self.take_while(|c| c != '\n');
            } else if c.is_whitespace() {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> String {
        let from = self.at;
        while self.peek().is_some_and(&accept) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect()
    }

    fn next(&mut self) -> Result<Token, Fault> {
        match self.peek() {
            None => Ok(Token::End),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                // A colon belongs to names of recording rules.
                Ok(Token::Word(self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))))
            }
            Some(c) if c.is_ascii_digit() || (c == '.' && self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit)) => {
                self.number()
            }
            Some(quote @ ('"' | '\'' | '`')) => self.text(quote),
            Some(c) => {
                let rest = &self.chars[self.at..];
                let found = SYMBOLS.iter().find(|s| rest.len() >= s.len() && s.chars().eq(rest[..s.len()].iter().copied()));
                let symbol = found.ok_or_else(|| Fault::new(self.at, format!("{c:?} has no meaning here")))?;
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
        }
    }

    /// `12`, `0.5`, `1e-3`, `0x1f`, or a duration as `1h30m`.
    fn number(&mut self) -> Result<Token, Fault> {
        let position = self.at;
        let mut word = self.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        if word.ends_with(['e', 'E'])
            && !word.starts_with("0x")
            && let Some(sign @ ('-' | '+')) = self.peek()
        {
            self.at += 1;
            word.push(sign);
            word.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        let hexadecimal = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        let number = match hexadecimal {
            Some(digits) => u32::from_str_radix(digits, 16).ok().map(f64::from),
            None => word.parse().ok().filter(|v: &f64| v.is_finite()),
        };
        match (number, parse_duration(&word)) {
            (Some(number), _) => Ok(Token::Number(number)),
            (None, Ok(duration)) => Ok(Token::Duration(duration)),
            _ => Err(Fault::new(position, format!("\"{word}\" is neither a number nor a duration (0.85, 1e9, 5m, 1h30m)"))),
        }
    }

    /// A quoted text; between backticks a backslash is only a backslash.
    fn text(&mut self, quote: char) -> Result<Token, Fault> {
        let position = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                c if c == quote => return Ok(Token::Text(text)),
                '\\' if quote != '`' => text.push(self.escape()?),
                c => text.push(c),
            }
        }
        Err(Fault::new(position, format!("the text that begins here is not closed by {quote}")))
    }

    /// What a backslash stands for: PromQL's are Go's.
    fn escape(&mut self) -> Result<char, Fault> {
        let position = self.at.saturating_sub(1);
        let c = self.peek().ok_or_else(|| Fault::new(position, "a backslash ends the query"))?;
        self.at += 1;
        let digits = match c {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            '\\' | '"' | '\'' => return Ok(c),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return Err(Fault::new(position, format!("\\{c} is no escape; write \\\\ for a backslash"))),
        };
        let end = (self.at + digits).min(self.chars.len());
        let hexadecimal: String = self.chars[self.at..end].iter().collect();
        self.at = end;
        let code = u32::from_str_radix(&hexadecimal, 16).ok().filter(|_| hexadecimal.len() == digits);
        code.and_then(char::from_u32).ok_or_else(|| Fault::new(position, format!("\\{c}{hexadecimal} is no character")))
    }
}
