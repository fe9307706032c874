//! Text that is safe to show and fits: control characters made inert, cuts at character borders, marks escaped.
//!
//! Knows no channel. Invariant: a cut text says how much was cut and is never longer than its limit.

use std::borrow::Cow;

/// Characters that would move a cursor, end a header or turn the reading direction: shown as U+FFFD.
fn is_active(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One line without active characters.
pub(super) fn line(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(tame).collect()
}

fn tame(c: char) -> char {
    match c {
        '\n' | '\t' => ' ',
        c if is_active(c) => '\u{fffd}',
        c => c,
    }
}

/// How a service counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// Characters.
    Chars,
    /// Bytes of UTF-8.
    Bytes,
    /// Units of UTF-16.
    Utf16,
}

impl Count {
    fn one(self, c: char) -> usize {
        match self {
            Self::Chars => 1,
            Self::Bytes => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }

    /// The length of a text.
    pub(super) fn of(self, text: &str) -> usize {
        text.chars().map(|c| self.one(c)).sum()
    }
}

/// At most `most` characters, as `count` has it; what was cut is said at the end where there is room for it.
pub(super) fn cut(text: &str, most: usize, count: Count) -> Cow<'_, str> {
    if count.of(text) <= most {
        return Cow::Borrowed(text);
    }
    let all = text.chars().count();
    let head = |room: usize| -> String {
        let fits = |used: &mut usize, c: char| {
            *used += count.one(c);
            (*used <= room).then_some(c)
        };
        text.chars().scan(0, fits).collect()
    };
    // Its own length depends on the number in it: room for the largest.
    let longest = format!("… ({all} characters more)");
    let Some(room) = most.checked_sub(count.of(&longest)).filter(|room| *room >= count.of(&longest)) else {
        let ellipsis = count.of("…");
        let kept = head(most.saturating_sub(ellipsis));
        return Cow::Owned(if most >= ellipsis { kept + "…" } else { kept });
    };
    let kept = head(room);
    let left = all - kept.chars().count();
    Cow::Owned(format!("{kept}… ({left} characters more)"))
}

/// Puts a backslash before every mark of Markdown, and breaks `@` mentions.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '~' | '`' | '>' | '<' | '|' | '#' | '[' | ']' | '(' | ')' | '!') {
            out.push('\\');
        }
        out.push(c);
        if c == '@' {
            out.push('\u{200b}');
        }
    }
    out
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_moves_a_cursor_or_ends_a_header_is_inert() {
        assert_eq!(line("a\r\nBcc: x\x1b]0;t\x07\u{202e}b"), "a Bcc: x\u{fffd}]0;t\u{fffd}\u{fffd}b");
        assert_eq!(markdown("*@everyone* [x](y)"), "\\*@\u{200b}everyone\\* \\[x\\]\\(y\\)");
        assert_eq!(percent("a b/ü+"), "a%20b%2F%C3%BC%2B");
    }

    #[test]
    fn a_cut_says_what_was_cut() {
        let text = "é".repeat(100);
        assert_eq!(cut(&text, 100, Count::Chars), text);
        let short = cut(&text, 60, Count::Chars);
        assert!(short.ends_with("… (63 characters more)"), "{short}");
        assert_eq!(cut("abcdef", 3, Count::Chars), "ab…");
    }

    proptest! {
        #[test]
        fn no_text_is_longer_than_its_limit(text in "\\PC{0,200}", most in 0..150_usize) {
            for count in [Count::Chars, Count::Bytes, Count::Utf16] {
                let short = cut(&text, most, count);
                prop_assert!(count.of(&short) <= most);
                if count.of(&text) <= most {
                    prop_assert_eq!(short, text.as_str());
                }
            }
            prop_assert!(!line(&text).chars().any(is_active));
        }
    }
}
