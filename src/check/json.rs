//! What a JSON body must say: `status`, `db.up == true`, `queue[0].length < 100`.
//!
//! Invariant: a path that leads nowhere is not met, whatever it is compared with.

use serde_json::Value;

/// A condition on a JSON document.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonCondition {
    text: String,
    path: Vec<Step>,
    test: Option<(Comparison, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    AtMost,
    AtLeast,
    Below,
    Above,
}

/// Longer signs before those they begin with.
const SIGNS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

impl JsonCondition {
    /// Reads a path, or a path, a sign and a JSON value; a bare word is text.
    ///
    /// # Errors
    /// What cannot be read, with an example.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("\"{text}\" is no condition; write for example status == \"up\" or queue[0].length < 100");
        let sign = SIGNS.iter().filter_map(|(sign, comparison)| Some((text.find(sign)?, *sign, *comparison)));
        let first = sign.min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len())));
        let (path, test) = match first {
            None => (text, None),
            Some((_, sign, comparison)) => {
                let (path, value) = text.split_once(sign).ok_or_else(bad)?;
                let value = value.trim();
                if value.is_empty() {
                    return Err(bad());
                }
                let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
                let is_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                if is_order && !value.is_number() {
                    return Err(format!("\"{text}\": {sign} needs a number"));
                }
                (path, Some((comparison, value)))
            }
        };
        Ok(Self { text: text.to_owned(), path: steps(path.trim()).ok_or_else(bad)?, test })
    }

    /// Whether a document satisfies it; without a comparison the value must be there and be neither null nor false.
    ///
    /// # Errors
    /// Why not, for people.
    pub fn check(&self, document: &[u8]) -> Result<(), String> {
        let document: Value = serde_json::from_slice(document).map_err(|_| "the body is no JSON".to_owned())?;
        let found = self.path.iter().try_fold(&document, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.get(index),
        });
        let Some(found) = found else { return Err(format!("the body has nothing at {}", self.text)) };
        let met = match &self.test {
            None => !matches!(found, Value::Null | Value::Bool(false)),
            Some((Comparison::Equal, value)) => equal(found, value),
            Some((Comparison::NotEqual, value)) => !equal(found, value),
            Some((order, value)) => match (found.as_f64(), value.as_f64()) {
                (Some(found), Some(limit)) => match order {
                    Comparison::AtMost => found <= limit,
                    Comparison::AtLeast => found >= limit,
                    Comparison::Below => found < limit,
                    _ => found > limit,
                },
                _ => false,
            },
        };
        if met { Ok(()) } else { Err(format!("{} is not met: it is {}", self.text, short(found))) }
    }
}

/// 1 and 1.0 are the same number.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// `a.b[0]`, with or without a leading `$.`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let path = path.strip_prefix('$').map_or(path, |rest| rest.strip_prefix('.').unwrap_or(rest));
    let mut out = Vec::new();
    for part in path.split('.') {
        let (name, indices) = part.split_once('[').map_or((part, None), |(name, rest)| (name, Some(rest)));
        if !name.is_empty() {
            out.push(Step::Name(name.trim().to_owned()));
        } else if indices.is_none() {
            return None;
        }
        for index in indices.into_iter().flat_map(|rest| rest.split('[')) {
            out.push(Step::Index(index.strip_suffix(']')?.parse().ok()?));
        }
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn conditions_are_met_or_say_why_not() {
        let body = br#"{"status":"up","ok":true,"off":false,"n":5,"list":[{"size":3.5}],"a-b":null}"#;
        for (condition, why) in [
            ("status", ""),
            ("$.status == \"up\"", ""),
            ("status == up", ""),
            ("status != down", ""),
            ("ok == true", ""),
            ("n == 5.0", ""),
            ("n >= 5", ""),
            ("$.list[0].size < 4", ""),
            ("off", "off is not met: it is false"),
            ("a-b", "a-b is not met: it is null"),
            ("status == \"down\"", "status == \"down\" is not met: it is \"up\""),
            ("n > 5", "n > 5 is not met: it is 5"),
            ("status > 5", "status > 5 is not met: it is \"up\""),
            ("list[1]", "the body has nothing at list[1]"),
            ("gone != 1", "the body has nothing at gone != 1"),
        ] {
            let result = JsonCondition::parse(condition).unwrap().check(body);
            assert_eq!(result.err().unwrap_or_default(), why, "{condition}");
        }
        assert_eq!(JsonCondition::parse("a").unwrap().check(b"<html>"), Err("the body is no JSON".to_owned()));
        for bad in ["", "a..b", "a ==", "a[x]", "a < up", "== 1"] {
            assert!(JsonCondition::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(condition in "\\PC*", body in "\\PC*") {
            if let Ok(condition) = JsonCondition::parse(&condition) {
                let _ = condition.check(body.as_bytes());
            }
        }
    }
}
