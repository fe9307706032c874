//! How much slower than ever a service answers: its newest answer over what 99 of 100 took.
//!
//! Never judges whether that is bad. Invariant: an answer is counted once, and one that is far too slow hardly teaches.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::model::{Reading, SeriesKey, ServiceState, ServiceStatus};

/// The metric it gives.
pub const SERVICE_SLOWNESS: &str = "service_slowness";
/// Share of answers that are faster than what an answer is compared with.
const RARE: f64 = 0.99;
/// Answers that are learned from before anything is said: the slowest of a hundred.
const WARM_UP: u32 = 100;
/// Answers after which it learns no more slowly: three hours at ten seconds.
const SETTLED: u32 = 1000;
/// What answers faster is never called slow, in seconds: nobody waits for it.
const FAST: f64 = 0.02;
/// An answer teaches as if it were at most so many times as slow.
const MOST_TAUGHT: f64 = 3.0;

#[derive(Debug, Clone)]
struct Course {
    key: SeriesKey,
    checked: Option<Timestamp>,
    answers: u32,
    /// Seconds that [`RARE`] of all answers are below, and their mean.
    high: f64,
    mean: f64,
    ratio: Option<f64>,
}

impl Course {
    fn observe(&mut self, seconds: f64) {
        self.ratio = (self.answers >= WARM_UP).then(|| seconds / self.high.max(FAST));
        self.answers = (self.answers + 1).min(SETTLED);
        let taught = if self.answers > WARM_UP { seconds.min(MOST_TAUGHT * self.high) } else { seconds };
        self.mean += (taught - self.mean) / f64::from(self.answers);
        if self.answers <= WARM_UP {
            self.high = self.high.max(seconds);
        } else {
            // Robbins-Monro: up on each answer beyond, down otherwise, in balance where RARE are below.
            self.high += 0.1 * self.mean * if taught > self.high { RARE } else { RARE - 1.0 };
        }
    }
}

/// How slow all services are. Learned anew after a restart, within a hundred answers.
#[derive(Debug, Clone, Default)]
pub struct Slowness(BTreeMap<String, Course>);

impl Slowness {
    /// Takes in how services are.
    pub fn observe(&mut self, services: &[ServiceStatus]) {
        let is_known = |name: &str| services.iter().any(|s| s.name == name);
        self.0.retain(|name, _| is_known(name));
        for service in services {
            let Some(seconds) = service.response_seconds else { continue };
            let key = || SeriesKey::new(SERVICE_SLOWNESS, [("service", service.name.as_str())]);
            let fresh = || Course { key: key(), checked: None, answers: 0, high: 0.0, mean: 0.0, ratio: None };
            let course = self.0.entry(service.name.clone()).or_insert_with(fresh);
            if matches!(service.state, ServiceState::Offline | ServiceState::Unknown) || service.maintenance {
                course.ratio = None;
            } else if service.last_check != course.checked {
                course.checked = service.last_check;
                course.observe(seconds);
            }
        }
    }

    /// Adds the ratio of each service that is known well enough and answers.
    pub fn readings(&self, readings: &mut Vec<Reading>) {
        let known = self.0.values().filter_map(|c| Some((&c.key, c.ratio?)));
        readings.extend(known.map(|(key, value)| Reading { key: key.clone(), value, cumulative: None }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::noise::Noise;

    /// Ratios after each answer, every one of them ten seconds after the one before.
    fn ratios(answers: impl Iterator<Item = f64>) -> Vec<Option<f64>> {
        let mut slowness = Slowness::default();
        let mut found = Vec::new();
        for (i, seconds) in (0..).zip(answers) {
            let status = ServiceStatus {
                name: "shop".to_owned(),
                state: ServiceState::Online,
                last_check: Some(Timestamp::from_seconds(i * 10)),
                response_seconds: Some(seconds),
                ..ServiceStatus::default()
            };
            // Ten rounds a check: it is the same answer.
            (0..10).for_each(|_| slowness.observe(std::slice::from_ref(&status)));
            let mut readings = Vec::new();
            slowness.readings(&mut readings);
            found.push(readings.first().map(|r| r.value));
        }
        found
    }

    #[test]
    fn an_answer_slower_than_ever_stands_out_and_usual_ones_do_not() {
        let mut noise = Noise::new(4);
        let usual: Vec<f64> = (0..2000).map(|_| 0.1 * (0.2 * noise.normal()).exp()).collect();
        let found = ratios(usual.into_iter().chain([0.9, 0.9, 0.9]));
        assert!(found[..100].iter().all(Option::is_none), "it learns first");
        assert!(found[100..2000].iter().flatten().all(|r| *r < 2.0));
        assert!(found[2000..].iter().flatten().filter(|r| **r > 3.0).count() == 3, "{:?}", &found[2000..]);
    }

    #[test]
    fn what_nobody_waits_for_is_not_slow_and_a_new_pace_is_learned() {
        assert!(ratios((0..300).map(|i| if i < 200 { 0.001 } else { 0.01 })).iter().flatten().all(|r| *r < 1.0));
        let found = ratios((0..1500).map(|i| if i < 200 { 0.1 } else { 0.6 }));
        assert!(found[201].is_some_and(|r| r > 3.0) && found[1499].is_some_and(|r| r < 2.0), "{:?}", found[1499]);
    }
}
