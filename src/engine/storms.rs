//! Alerts that come and go, as people hear of them: by a replay, which tells what an engine would have told.
//!
//! Invariant: however long its phases, what flaps is two messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::exchange::Judging;
use super::replay::{PATIENCE, run};
use super::{Surroundings, catalog, settings};
use crate::base::{TimeRange, Timestamp};
use crate::config::{Inputs, load};
use crate::model::{Bucket, HostFacts, Matcher, Points, Resolution, SeriesKey, SeriesSource, SourceError};
use crate::notify::Sending;

const START: Timestamp = Timestamp(1_780_012_800_000);
const INTERVAL: u64 = 10;

/// A value that is wrong for the first of these spans, right for the second, and so on, and right behind the last.
struct Storm {
    /// Where each span ends, in rounds since the start.
    ends: Vec<u64>,
}

impl Storm {
    fn new(phases: impl IntoIterator<Item = u64>) -> Self {
        let mut end = 0;
        Self {
            ends: phases
                .into_iter()
                .map(|rounds| {
                    end += rounds;
                    end
                })
                .collect(),
        }
    }

    fn is_wrong(&self, round: u64) -> bool {
        let phase = self.ends.partition_point(|end| *end <= round);
        phase < self.ends.len() && phase.is_multiple_of(2)
    }

    fn end(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Messages up to three quarters of an hour behind its end, by channel.
    fn told(&self, judging: &Judging) -> BTreeMap<String, u64> {
        let to = START + Duration::from_secs(self.end() * INTERVAL + 2700);
        let rules = judging.rules.iter().filter(|r| r.name == "tight").cloned().collect();
        let range = TimeRange { from: START, to };
        let patience = Instant::now() + PATIENCE;
        run(rules, range, (Duration::from_secs(INTERVAL), judging, patience), self).expect("readable").messages
    }
}

impl SeriesSource for Storm {
    fn select(&self, metric: Option<&str>, _: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError> {
        Ok(vec![SeriesKey::total(metric.unwrap_or_default())])
    }

    fn points(&self, key: &SeriesKey, range: TimeRange, resolution: Resolution) -> Result<Points, SourceError> {
        let round = |at: Timestamp| at.since(START).as_secs().div_ceil(INTERVAL);
        let at = |round: u64| START + Duration::from_secs(round * INTERVAL);
        let value = |round| if self.is_wrong(round) { 0.95 } else { 0.5 };
        let rounds = (round(range.from)..).take_while(|n| at(*n) <= range.to);
        let buckets = rounds.map(|n| Bucket::raw(at(n), value(n))).collect();
        Ok(Points { key: key.clone(), resolution, buckets })
    }

    fn interval(&self, _: &SeriesKey) -> Duration {
        Duration::from_secs(INTERVAL)
    }
}

fn judging(more: &str) -> Arc<Judging> {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("config.toml");
    let rule = "[notify.file]\npath = \"a.jsonl\"\n[[rule]]\nname = \"tight\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\n";
    std::fs::write(&file, format!("{rule}{more}")).expect("written");
    let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("a good configuration").config;
    let host = Arc::new(HostFacts::default());
    let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending: Sending::Dry };
    settings(&config, &Arc::new(catalog()), &around).expect("good settings").judging()
}

fn two() -> BTreeMap<String, u64> {
    BTreeMap::from([("file".to_owned(), 2)])
}

#[test]
fn a_thousand_changes_are_two_messages_however_long_they_lie_apart() {
    let judging = judging("");
    for [wrong, right] in [[1, 1], [6, 6], [9, 9], [12, 12], [24, 24], [29, 29], [2, 23], [23, 2]] {
        let storm = Storm::new((0..1000).map(|n| if n % 2 == 0 { wrong } else { right }));
        assert_eq!(storm.told(&judging), two(), "{wrong} and {right} rounds of 10 s");
    }
}

#[test]
fn what_lies_too_far_apart_to_be_a_storm_is_told_each_time() {
    let judging = judging("");
    let slow = Storm::new([60; 19]);
    assert_eq!(slow.told(&judging)["file"], 30, "ten times that it fires, a reminder after five minutes, and that it is over");
    let asked_each_time = self::judging("flap_start = \"100%\"\n");
    assert_eq!(Storm::new([9; 19]).told(&asked_each_time)["file"], 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_storm_is_two_messages(phases in prop::collection::vec(1..30u64, 1..200)) {
        prop_assert_eq!(Storm::new(phases).told(&judging("")), two());
    }
}
