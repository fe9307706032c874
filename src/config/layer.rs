//! One source of settings over another, and where each value came from.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// farol's own.
    Default,
    /// A file, by its path.
    File(String),
    /// An environment variable, by its name.
    Environment(String),
    /// A flag, as written.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => f.write_str(path),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// Settings put over each other.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) merged: Table,
    pub(super) origins: BTreeMap<String, Origin>,
}

impl Layers {
    /// Puts a layer on top: tables are merged, everything else (lists included) is replaced.
    pub(super) fn add(&mut self, layer: Table, origin: &Origin) {
        merge(&mut self.merged, layer, "", origin, &mut self.origins);
    }

    /// The same, but the tables of the list `list` replace only those below that have their `name`; the others are kept, and each
    /// one's origin is that of `list.name`.
    pub(super) fn add_by_name(&mut self, mut layer: Table, list: &str, origin: &Origin) {
        let below_origin = self.origins.get(list).cloned();
        if let (Some(Value::Array(above)), Some(Value::Array(below))) = (layer.get_mut(list), self.merged.get(list)) {
            let name = |table: &Value| table.get("name").and_then(Value::as_str).map(str::to_owned);
            let own = std::mem::take(above);
            let mut all = below.clone();
            for table in &all {
                self.origins.extend(name(table).zip(below_origin.clone()).map(|(n, origin)| (format!("{list}.{n}"), origin)));
            }
            for table in own {
                let named = name(&table);
                self.origins.extend(named.clone().map(|n| (format!("{list}.{n}"), origin.clone())));
                match all.iter_mut().find(|t| named.is_some() && name(t) == named) {
                    Some(same) => *same = table,
                    None => all.push(table),
                }
            }
            *above = all;
        }
        self.add(layer, origin);
    }

    /// Sets one value; missing tables are made. False where a part of the path is no table.
    pub(super) fn set(&mut self, path: &[String], value: Value, origin: &Origin) {
        let layer = path.iter().rev().fold(value, |value, part| Value::Table(Table::from_iter([(part.clone(), value)])));
        if let Value::Table(layer) = layer {
            self.add(layer, origin);
        }
    }
}

fn merge(into: &mut Table, layer: Table, path: &str, origin: &Origin, origins: &mut BTreeMap<String, Origin>) {
    for (key, value) in layer {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (into.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above, &path, origin, origins),
            (_, Value::Table(above)) if !above.is_empty() => {
                let mut below = Table::new();
                merge(&mut below, above, &path, origin, origins);
                into.insert(key, Value::Table(below));
            }
            (_, value) => {
                into.insert(key, value);
                origins.insert(path, origin.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_layer_wins_and_is_named() {
        let mut layers = Layers::default();
        layers.add("[a]\nx = 1\ny = 2\n".parse().expect("toml"), &Origin::Default);
        layers.add("[a]\ny = 3\n".parse().expect("toml"), &Origin::File("f".into()));
        layers.set(&["a".into(), "z".into()], Value::Integer(4), &Origin::Environment("E".into()));
        assert_eq!(layers.merged.to_string(), "[a]\nx = 1\ny = 3\nz = 4\n");
        let origins: Vec<String> = layers.origins.iter().map(|(k, o)| format!("{k} {o}")).collect();
        assert_eq!(origins, ["a.x default", "a.y f", "a.z $E"]);
    }
}
