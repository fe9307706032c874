//! Parts that are alike and one that is not: a core, a disk, an interface, a container of several.
//!
//! Looks at one moment across siblings, never along time. Source: Hampel's identifier (median and median absolute deviation).
//! Invariant: what a part always did is its nature and not told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Analyzer;
use super::series::Series;
use super::trend::median;
use crate::base::{Timestamp, Unit, format_value};
use crate::model::{Outlier, Reading, SeriesKey};

/// The metric it gives.
pub const PEER_DISTANCE: &str = "peer_distance_spreads";
/// Labels that tell apart what is made alike.
const ALIKE: [&str; 6] = ["core", "device", "gpu", "interface", "name", "node"];
/// Fewer have no middle.
const FEWEST: usize = 3;
/// Slots of ten seconds that are looked at: five minutes.
const SLOTS: usize = 30;
/// Share of them in which a part must be unlike: a burst is none.
const STEADY: f64 = 0.9;
/// Spreads from which a part is unlike (three are usual for one look; here many parts are looked at every minute).
const FAR: f64 = 6.0;
/// The spread of a normal distribution over its median absolute deviation.
const SPREAD_PER_MAD: f64 = 1.4826;
/// More than this share of unlike parts are two kinds of parts.
const FEW: f64 = 0.34;
/// A part that was unlike in more than this share of the time it was looked at is of another kind.
const HABIT: f64 = 0.25;
/// Looks before anything is told, and after which the habit moves no more slowly: an hour and twelve hours of minutes.
const LOOKS: (u32, u32) = (60, 720);

/// How often a part was unlike its siblings.
#[derive(Debug, Clone, Copy, Default)]
struct Habit {
    share: f64,
    looks: u32,
    seen: bool,
}

impl Habit {
    fn add(&mut self, unlike: bool) {
        self.looks = (self.looks + 1).min(LOOKS.1);
        self.share += (f64::from(u8::from(unlike)) - self.share) / f64::from(self.looks);
        self.seen = true;
    }

    fn is_news(&self) -> bool {
        self.looks > LOOKS.0 && self.share <= HABIT
    }
}

/// Watches siblings.
#[derive(Debug, Default)]
pub struct Peers {
    habits: HashMap<SeriesKey, Habit>,
    /// Those that are unlike, and what each is recorded as.
    open: Vec<(SeriesKey, Outlier)>,
}

impl Peers {
    /// Looks at all series; once a minute. Gives those that are unlike, where that changed.
    pub fn look(&mut self, now: Timestamp, learned: &Analyzer) -> Option<Arc<[Outlier]>> {
        let before = std::mem::take(&mut self.open);
        self.habits.values_mut().for_each(|h| h.seen = false);
        for siblings in groups(&learned.series).into_values().filter(|s| s.len() >= FEWEST) {
            let distances = distances(&siblings);
            let is_unlike = |d: &Option<f64>| d.is_some_and(|d| d.abs() >= FAR);
            let few = distances.iter().filter(|d| is_unlike(d)).count() as f64 <= FEW * siblings.len() as f64;
            for (place, distance) in distances.iter().enumerate() {
                let key = &siblings[place].key;
                let habit = self.habits.entry(key.clone()).or_default();
                habit.add(is_unlike(distance));
                let Some(distance) = distance.filter(|d| few && d.abs() >= FAR && habit.is_news()) else { continue };
                let since = before.iter().find(|(_, o)| o.key == *key).map_or(now, |(_, o)| o.since);
                let outlier = describe(&siblings, place, (distance, since), learned.catalog.unit(key.metric()));
                self.open.push((recorded_as(key), outlier));
            }
        }
        self.habits.retain(|_, h| h.seen);
        let names = |list: &[(SeriesKey, Outlier)]| list.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        let is_news = !self.open.is_empty() || names(&before) != names(&self.open);
        is_news.then(|| self.open.iter().map(|(_, o)| o.clone()).collect())
    }

    /// Adds how far each unlike part is from its siblings.
    pub fn readings(&self, readings: &mut Vec<Reading>) {
        let of =
            |(key, outlier): &(SeriesKey, Outlier)| Reading { key: key.clone(), value: outlier.distance.abs(), cumulative: None };
        readings.extend(self.open.iter().map(of));
    }
}

fn recorded_as(key: &SeriesKey) -> SeriesKey {
    SeriesKey::new(PEER_DISTANCE, std::iter::once(("metric", key.metric())).chain(key.labels()))
}

/// Series by metric and kind of part.
fn groups(series: &[Series]) -> BTreeMap<(&str, &str, &str), Vec<&Series>> {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&Series>> = BTreeMap::new();
    for one in series {
        let mut labels = one.key.labels();
        let (Some((label, value)), 1) = (labels.next(), one.key.labels().len()) else { continue };
        if ALIKE.contains(&label) && !one.is_learning() {
            groups.entry((one.key.metric(), label, kind_of(label, value))).or_default().push(one);
        }
    }
    groups
}

/// What a part's name says of its kind: `sda` and `sdb`, `web-1` and `web-2`, `eth0` and `eth1` are of one.
fn kind_of<'a>(label: &str, name: &'a str) -> &'a str {
    if matches!(label, "core" | "gpu" | "node") {
        return "";
    }
    let stem = name.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    let is_lettered = label == "device" && stem.len() == name.len();
    if is_lettered { stem.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(stem) } else { stem }
}

/// Of each part the median of its distances from the middle, in spreads; `None` where it is not steadily on one side of it.
fn distances(siblings: &[&Series]) -> Vec<Option<f64>> {
    let end = siblings.iter().map(|s| s.recent.end()).max().unwrap_or_default();
    let newest = |s: &&Series| -> Vec<f64> {
        let values: Vec<f64> = s.recent.values().map(|v| s.scale.inside(v)).collect();
        if s.recent.end() == end {
            values.get(values.len().saturating_sub(SLOTS)..).unwrap_or_default().to_vec()
        } else {
            Vec::new()
        }
    };
    let values: Vec<Vec<f64>> = siblings.iter().map(newest).collect();
    if values.iter().any(|v| v.len() < SLOTS) {
        return vec![None; siblings.len()];
    }
    let mut far: Vec<Vec<f64>> = vec![Vec::with_capacity(SLOTS); siblings.len()];
    for slot in 0..SLOTS {
        let mut now: Vec<f64> = values.iter().map(|v| v[slot]).collect();
        let middle = median(&mut now);
        let mut deviations: Vec<f64> = now.iter().map(|v| (v - middle).abs()).collect();
        let spread = SPREAD_PER_MAD * median(&mut deviations);
        let floor = siblings.first().map_or(0.0, |s| s.scale.floor(spread, middle));
        far.iter_mut().zip(&values).for_each(|(far, v)| far.push((v[slot] - middle) / spread.max(floor)));
    }
    let steady = |mut far: Vec<f64>| {
        let side = median(&mut far);
        let same = far.iter().filter(|d| d.signum() == side.signum() && d.abs() >= FAR).count();
        (same as f64 >= STEADY * SLOTS as f64).then_some(side)
    };
    far.into_iter().map(steady).collect()
}

fn describe(siblings: &[&Series], place: usize, (distance, since): (f64, Timestamp), unit: Unit) -> Outlier {
    let mean = |s: &Series| {
        let values: Vec<f64> = s.recent.values().collect();
        let newest = values.get(values.len().saturating_sub(SLOTS)..).unwrap_or_default();
        newest.iter().sum::<f64>() / newest.len().max(1) as f64
    };
    let others = || siblings.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, s)| mean(s));
    let (low, high) = others().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let (value, n) = (mean(siblings[place]), siblings.len() - 1);
    let shown = |v| format_value(v, unit);
    Outlier {
        key: siblings[place].key.clone(),
        value,
        siblings: (low, high),
        n_siblings: u32::try_from(n).unwrap_or(u32::MAX),
        distance,
        since,
        reason: format!("{} where its {n} siblings have {} to {}", shown(value), shown(low), shown(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::AnalyzeConfig;
    use crate::analyze::noise::Noise;
    use crate::model::{Catalog, MetricDef};

    /// Eight cores for `minutes`; `usage` says what each does in a minute.
    fn told(minutes: i64, usage: impl Fn(i64, usize) -> f64) -> Vec<(i64, Vec<String>)> {
        let defs = [MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "x").by(&["core"])];
        let mut learned = Analyzer::new(&AnalyzeConfig::default(), Arc::new(Catalog::new([&defs[..]])));
        let (mut peers, mut noise, mut told) = (Peers::default(), Noise::new(3), Vec::new());
        let keys: Vec<SeriesKey> = (0..8).map(|c| SeriesKey::new("cpu_usage_ratio", [("core", &*c.to_string())])).collect();
        for minute in 0..minutes {
            for second in (0..60).step_by(10) {
                let value = |c: usize| (usage(minute, c) + 0.01 * noise.normal()).clamp(0.0, 1.0);
                let mut value = value;
                let reading = |(c, key): (usize, &SeriesKey)| Reading { key: key.clone(), value: value(c), cumulative: None };
                let readings: Vec<Reading> = keys.iter().enumerate().map(reading).collect();
                learned.observe(Timestamp::from_seconds(1_000_000 + minute * 60 + second), &readings);
            }
            if let Some(list) = peers.look(Timestamp::from_seconds(1_000_060 + minute * 60), &learned) {
                told.push((minute, list.iter().map(|o| format!("{} {}", o.key.instance(), o.reason)).collect()));
            }
        }
        told
    }

    #[test]
    fn a_core_unlike_the_others_is_told_and_when_it_is_like_them_again() {
        let told = told(140, |minute, core| if core == 3 && (100..120).contains(&minute) { 0.97 } else { 0.05 });
        let minutes: Vec<i64> = told.iter().map(|(minute, _)| *minute).collect();
        assert!(minutes.windows(2).all(|w| w[1] == w[0] + 1), "its figures are renewed each minute: {minutes:?}");
        assert!(
            (103..108).contains(&told[0].0)
                && told[0].1[0].starts_with("3 9")
                && told[0].1[0].contains("% where its 7 siblings have 5% to 5%"),
            "{told:?}"
        );
        assert!(told.iter().rev().skip(1).all(|(_, list)| list.len() == 1), "{told:?}");
        assert!(told.last().is_some_and(|(minute, list)| *minute >= 120 && list.is_empty()), "{told:?}");
    }

    #[test]
    fn what_is_always_so_and_two_kinds_of_parts_are_not_told() {
        assert_eq!(told(140, |_, core| if core == 3 { 0.97 } else { 0.05 }), []);
        assert_eq!(told(140, |minute, core| if core < 4 && minute > 100 { 0.97 } else { 0.05 }), []);
    }

    #[test]
    fn names_say_what_is_alike() {
        for (label, name, kind) in [
            ("core", "17", ""),
            ("device", "sda", "sd"),
            ("device", "nvme0n1", "nvme"),
            ("interface", "eth0", "eth"),
            ("name", "web-1", "web-"),
        ] {
            assert_eq!(kind_of(label, name), kind, "{name}");
        }
    }
}
