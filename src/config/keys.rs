//! Names and meanings of keys, from where they are defined: the structs that read them and the example file.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::{Table, Value};

/// Keys of a table, in the order its struct has them.
pub fn keys_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let names = Cell::new(&[][..]);
    // It ends as soon as it was said which keys there are.
    let _ = T::deserialize(Asked(&names));
    names.get()
}

/// Whoever reads from this is asked for the names of its keys, and gets nothing.
struct Asked<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no table"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.set(fields);
        Err(Error::custom("only the names are asked for"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Keys and values of a table as people write them; texts without their quotes.
pub fn texts(table: &impl Serialize) -> BTreeMap<String, String> {
    let table = Table::try_from(table).unwrap_or_default();
    table.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// A value as people write it; a text without its quotes.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Secrets come from files or commands; one that is written down all the same is not repeated.
pub fn is_secret(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    let secret = ["password", "secret", "token"].iter().any(|word| last.contains(word));
    secret && !last.ends_with("_file") && !last.ends_with("_command")
}

/// What each key means, by section and name, in the order of the example file. A comment stands for all keys that
/// follow it at once.
pub fn meanings(example: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let (mut section, mut comment, mut is_open) = (String::new(), String::new(), false);
    for line in example.lines() {
        let text = line.trim_start_matches('#');
        if line.is_empty() {
            comment.clear();
        } else if let Some(words) = line.strip_prefix("# ") {
            if !is_open {
                comment.clear();
            }
            is_open = true;
            comment = format!("{comment} {}", words.trim()).trim().to_owned();
        } else if let Some(name) = text.strip_prefix('[') {
            section = name.trim_matches(|c| c == '[' || c == ']').to_owned();
            comment.clear();
            is_open = false;
        } else if let Some((key, _)) = text.split_once('=') {
            let key = format!("{section}.{}", key.trim());
            if !found.iter().any(|(known, _)| *known == key) {
                found.push((key, comment.clone()));
            }
            is_open = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_rule_is_named() {
        let keys = keys_of::<crate::alert::RuleConfig>();
        assert_eq!(keys.first(), Some(&"name"));
        assert!(["where", "above", "for", "clear_for", "expr", "enabled"].iter().all(|k| keys.contains(k)), "{keys:?}");
        assert_eq!(keys_of::<bool>(), &[] as &[&str]);
    }

    #[test]
    fn meanings_are_those_of_the_example() {
        let found: std::collections::BTreeMap<_, _> = meanings(crate::config::EXAMPLE).into_iter().collect();
        assert_eq!(found["general.interval"], "Time between two rounds of readings: 100ms to 1h.");
        assert_eq!(found["store.minute"], found["store.ten_seconds"]);
        assert!(found["collect.without"].ends_with("unit, wireless."), "{}", found["collect.without"]);
    }
}
