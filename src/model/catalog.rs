//! What a metric is, and the list of all that this program knows.
//!
//! A metric's definition stands beside the source that reads it; the catalog is put together from
//! those tables. Invariant: names are unique.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize};

use crate::base::Unit;

/// Whether a value stands for itself or is made from a growing count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// The value at that moment.
    Gauge,
    /// A rate made from a counter, which is exported raw as `…_total`.
    Counter,
}

/// Which way is better, where one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoodDirection {
    /// Less is better (use, latency, errors).
    Down,
    /// More is better (free space, uptime).
    Up,
    /// Neither (traffic, operations).
    Neither,
}

/// One metric: its name, unit and meaning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MetricDef {
    /// Prometheus style: base unit as suffix, ratio 0–1.
    pub name: &'static str,
    /// Unit of every value.
    pub unit: Unit,
    /// Gauge or counter.
    pub kind: MetricKind,
    /// One sentence for people.
    pub help: &'static str,
    /// Names of its labels; empty for a total. A metric may have a total and parts.
    pub labels: &'static [&'static str],
    /// Which way is better.
    pub good: GoodDirection,
    /// Values outside are impossible: forecasts are clamped to it.
    pub range: (Option<f64>, Option<f64>),
}

impl MetricDef {
    /// A gauge without labels whose values start at 0 and for which less is better.
    pub const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Self {
        let range = (Some(0.0), if matches!(unit, Unit::Ratio) { Some(1.0) } else { None });
        Self { name, unit, kind: MetricKind::Gauge, help, labels: &[], good: GoodDirection::Down, range }
    }

    /// A counter kept as a rate, without labels.
    pub const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self { kind: MetricKind::Counter, good: GoodDirection::Neither, ..Self::gauge(name, unit, help) }
    }

    /// The same with labels.
    pub const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    /// The same with another good direction.
    pub const fn good(self, good: GoodDirection) -> Self {
        Self { good, ..self }
    }

    /// The same with another possible range.
    pub const fn within(self, low: Option<f64>, high: Option<f64>) -> Self {
        Self { range: (low, high), ..self }
    }
}

/// One copy of each text for the life of the program: a definition from elsewhere names the metrics
/// this program has, or a few more.
fn intern(text: &str) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let new: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(new);
    new
}

/// A definition as it comes over the wire.
#[derive(Deserialize)]
struct ReceivedDef {
    name: String,
    unit: Unit,
    kind: MetricKind,
    help: String,
    labels: Vec<String>,
    good: GoodDirection,
    range: (Option<f64>, Option<f64>),
}

// Derived, it would borrow its texts from the message.
impl<'de> Deserialize<'de> for MetricDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let def = ReceivedDef::deserialize(deserializer)?;
        let ReceivedDef { unit, kind, good, range, .. } = def;
        Ok(Self { name: intern(&def.name), unit, kind, help: intern(&def.help), labels: intern_list(&def.labels), good, range })
    }
}

fn intern_list(texts: &[String]) -> &'static [&'static str] {
    static LISTS: Mutex<BTreeSet<&'static [&'static str]>> = Mutex::new(BTreeSet::new());
    let list: Vec<&'static str> = texts.iter().map(|t| intern(t)).collect();
    let mut lists = LISTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lists.get(list.as_slice()) {
        return known;
    }
    let new: &'static [&'static str] = Box::leak(list.into_boxed_slice());
    lists.insert(new);
    new
}

/// All metrics, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Catalog(BTreeMap<String, MetricDef>);

impl Catalog {
    /// Puts tables together; of two definitions with one name the first stays (a test forbids two).
    pub fn new<'a>(tables: impl IntoIterator<Item = &'a [MetricDef]>) -> Self {
        let mut all = BTreeMap::new();
        for def in tables.into_iter().flatten() {
            all.entry(def.name.to_string()).or_insert(*def);
        }
        Self(all)
    }

    /// The metric of that name.
    pub fn get(&self, name: &str) -> Option<&MetricDef> {
        self.0.get(name)
    }

    /// Its unit; a plain number where the metric is unknown.
    pub fn unit(&self, name: &str) -> Unit {
        self.get(name).map_or(Unit::Count, |d| d.unit)
    }

    /// All metrics by name.
    pub fn iter(&self) -> impl Iterator<Item = &MetricDef> {
        self.0.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The known name nearest to `name`, for "did you mean"; `None` where nothing is near.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.0.keys().map(String::as_str))
    }

    /// Where to look for what `name` may have meant, where nothing is near: the names that share most words with it, else how to
    /// list all.
    pub fn hint(&self, name: &str) -> String {
        let words: Vec<&str> = telling_words(name).collect();
        let shared = |known: &str| telling_words(known).filter(|w| words.contains(w)).count();
        let mut named: Vec<(usize, &str)> = self.0.keys().map(|known| (shared(known), known.as_str())).collect();
        let most = named.iter().map(|(n, _)| *n).max().unwrap_or(0);
        named.retain(|(n, _)| *n == most);
        let names: Vec<&str> = named.iter().map(|(_, known)| *known).take(HINTS).collect();
        if most > 0 { format!("there are {}", names.join(", ")) } else { format!("farol query '{ALL}' shows all there are") }
    }
}

/// Names in one hint: a line of a terminal.
const HINTS: usize = 6;

/// The query that finds every series.
const ALL: &str = "{__name__=~\".+\"}";

/// The words of a metric's name that say what it is about: not its unit, which many share.
fn telling_words(name: &str) -> impl Iterator<Item = &str> {
    const UNITS: &[&str] = &["ratio", "bytes", "per", "second", "seconds", "total", "count", "used", "usage"];
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2 && !UNITS.contains(word))
}

/// The candidate with the fewest edits from `name`, where at most a third of its letters differ or one
/// holds the other.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.into_iter().map(|c| (edit_distance(name, c), c));
    let (distance, best) = scored.min_by_key(|(d, c)| (*d, *c))?;
    let near = distance <= (name.chars().count() / 3).max(1);
    (near || (name.len() >= 3 && (best.contains(name) || name.contains(best)))).then_some(best)
}

/// Edits from `a` to `b` in characters: one put in, left out, replaced, or swapped with its neighbor (optimal string
/// alignment distance).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(ca != cb);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_metric() {
        let catalog = Catalog::new([&[
            MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "x"),
            MetricDef::gauge("memory_used_ratio", Unit::Ratio, "y"),
        ][..]]);
        assert_eq!(catalog.nearest("cpu_usge_ratio"), Some("cpu_usage_ratio"));
        assert_eq!(catalog.nearest("disk"), None);
        assert_eq!(catalog.hint("free_memory"), "there are memory_used_ratio");
        assert_eq!(catalog.hint("disk_ratio"), "farol query '{__name__=~\".+\"}' shows all there are");
    }
}
