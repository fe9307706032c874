//! A text to look for, or a regular expression between slashes.

use regex_lite::Regex;

/// What must be found in a text.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The text itself.
    Text(String),
    /// `/…/`.
    Regex(Regex),
}

impl Pattern {
    /// Reads `text` or `/regex/`.
    ///
    /// # Errors
    /// An empty text, a bad expression; the message says where it is bad.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(regex) => Regex::new(regex).map(Self::Regex).map_err(|e| format!("{text} is no regular expression: {e}")),
            None if text.is_empty() => Err("must not be empty".to_owned()),
            None => Ok(Self::Text(text.to_owned())),
        }
    }

    /// Whether a text holds it.
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(part) => text.contains(part.as_str()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_as_it_is_and_an_expression_matches() {
        for (pattern, text, found) in [
            ("ok", "all ok", true),
            ("a.c", "abc", false),
            ("/a.c/", "abc", true),
            ("/^ok$/", "all ok", false),
            ("/etc", "/etc/x", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().is_in(text), found, "{pattern}");
        }
        assert!(Pattern::parse("").is_err() && Pattern::parse("/(/").unwrap_err().contains("regular expression"));
    }
}
