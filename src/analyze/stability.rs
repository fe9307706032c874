//! Stability of services: the share of the last day in which each behaved as forecast.
//!
//! A service that is down, or answers farther from what was expected of it than allowed, does not. Never judges whether that
//! is bad. Invariant: only what was observed counts; maintenance and time nobody knows of do not.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Analyzer;
use crate::base::Timestamp;
use crate::model::{Reading, SeriesKey, ServiceState, ServiceStatus};

/// The metric it gives.
pub const SERVICE_STABILITY: &str = "service_stability_ratio";
/// Errors of the time to an answer are shares of the time the service may take; this is the default of that time.
const ALLOWED_SECONDS: f64 = 2.0;
/// The span it is about.
const HOURS: usize = 24;
const HOUR_MS: i64 = 3_600_000;
/// Nothing is said before so much was observed: a restart at the first minute is no habit.
const LEAST_SECONDS: f64 = 3600.0;
/// Longer steps than this are gaps, whatever the interval.
const LONGEST_STEP: Duration = Duration::from_secs(2 * 3600);

/// Seconds of one hour.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Hour {
    number: i64,
    observed: f64,
    steady: f64,
}

/// One service.
#[derive(Debug, Clone)]
struct Course {
    hours: [Hour; HOURS],
    /// What its answers are recorded as, and its share.
    response: SeriesKey,
    share: SeriesKey,
    allowed: f64,
    seen: bool,
}

impl Course {
    fn of(service: &str, allowed: f64, hours: [Hour; HOURS]) -> Self {
        let key = |metric| SeriesKey::new(metric, [("service", service)]);
        Self { hours, response: key("service_check_seconds"), share: key(SERVICE_STABILITY), allowed, seen: true }
    }

    fn add(&mut self, now: Timestamp, seconds: f64, is_steady: bool) {
        let number = now.0.div_euclid(HOUR_MS);
        let hour = &mut self.hours[number.rem_euclid(HOURS as i64) as usize];
        if hour.number != number {
            *hour = Hour { number, ..Hour::default() };
        }
        hour.observed += seconds;
        hour.steady += if is_steady { seconds } else { 0.0 };
    }

    fn ratio(&self, now: Timestamp) -> Option<f64> {
        let first = now.0.div_euclid(HOUR_MS) - HOURS as i64 + 1;
        let known = self.hours.iter().filter(|h| h.number >= first);
        let (observed, steady) = known.fold((0.0, 0.0), |(o, s), h| (o + h.observed, s + h.steady));
        (observed >= LEAST_SECONDS).then(|| (steady / observed).clamp(0.0, 1.0))
    }
}

/// The stability of all services.
#[derive(Debug, Clone, Default)]
pub struct Stability {
    error: f64,
    /// Seconds an answer may take, by service.
    allowed: BTreeMap<String, f64>,
    courses: BTreeMap<String, Course>,
}

impl Stability {
    /// Without a past; `error` is the largest normalized error that is as forecast, `allowed` the seconds an answer may take.
    pub fn new(error: f64, allowed: BTreeMap<String, f64>) -> Self {
        Self { error, allowed, courses: BTreeMap::new() }
    }

    /// Other settings; what was observed stays.
    pub fn configure(&mut self, error: f64, allowed: BTreeMap<String, f64>) {
        (self.error, self.allowed) = (error, allowed);
        for (name, course) in &mut self.courses {
            course.allowed = self.allowed.get(name).copied().unwrap_or(ALLOWED_SECONDS);
        }
    }

    /// Takes in how services are, `elapsed` after the round before; `learned` has not seen this round.
    pub fn observe(&mut self, now: Timestamp, elapsed: Option<Duration>, services: &[ServiceStatus], learned: &Analyzer) {
        self.courses.values_mut().for_each(|c| c.seen = false);
        for service in services {
            let allowed = &self.allowed;
            if !self.courses.contains_key(&service.name) {
                let allowed = allowed.get(&service.name).copied().unwrap_or(ALLOWED_SECONDS);
                let course = Course::of(&service.name, allowed, [Hour::default(); HOURS]);
                self.courses.insert(service.name.clone(), course);
            }
            let Some(course) = self.courses.get_mut(&service.name) else { continue };
            course.seen = true;
            let Some(elapsed) = elapsed.filter(|e| *e <= LONGEST_STEP) else { continue };
            let usual = || learned.usual(&course.response, now);
            if let Some(is_steady) = as_forecast(service, &usual, (course.allowed, self.error)) {
                course.add(now, elapsed.as_secs_f64(), is_steady);
            }
        }
        self.courses.retain(|_, c| c.seen);
    }

    /// Adds the share of each service of which enough was observed.
    pub fn readings(&self, now: Timestamp, readings: &mut Vec<Reading>) {
        let known = self.courses.values().filter_map(|c| Some((&c.share, c.ratio(now)?)));
        readings.extend(known.map(|(key, value)| Reading { key: key.clone(), value, cumulative: None }));
    }

    /// What was observed, for the `model` table; about 1 kB a service.
    pub fn save(&self) -> Vec<u8> {
        let rows: BTreeMap<&str, &[Hour]> = self.courses.iter().map(|(name, c)| (name.as_str(), &c.hours[..])).collect();
        serde_json::to_vec(&rows).expect("rows are numbers and names")
    }

    /// Takes what [`Stability::save`] wrote; anything else is left out: it is observed anew within a day.
    pub fn restore(&mut self, bytes: &[u8]) {
        let rows: BTreeMap<String, [Hour; HOURS]> = serde_json::from_slice(bytes).unwrap_or_default();
        for (name, hours) in rows {
            let allowed = self.allowed.get(&name).copied().unwrap_or(ALLOWED_SECONDS);
            self.courses.insert(name.clone(), Course::of(&name, allowed, hours));
        }
    }
}

/// Whether a service behaves as forecast; `None` where that is not known.
fn as_forecast(service: &ServiceStatus, usual: &dyn Fn() -> Option<f64>, (allowed, most): (f64, f64)) -> Option<bool> {
    if service.maintenance {
        return None;
    }
    match (service.state, service.response_seconds) {
        (ServiceState::Unknown, _) => None,
        (ServiceState::Offline, _) => Some(false),
        (_, Some(seconds)) => Some((seconds - usual()?).abs() / allowed <= most),
        (state, None) => Some(state == ServiceState::Online),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analyze::AnalyzeConfig;
    use crate::model::Catalog;

    fn status(state: ServiceState, seconds: Option<f64>) -> ServiceStatus {
        ServiceStatus { name: "shop".to_owned(), state, response_seconds: seconds, ..ServiceStatus::default() }
    }

    fn check(state: ServiceState, seconds: Option<f64>, expected: Option<bool>) {
        let found = as_forecast(&status(state, seconds), &|| Some(0.2), (2.0, 0.05));
        assert_eq!(found, expected, "{state:?} {seconds:?}");
    }

    #[test]
    fn an_answer_close_to_the_expected_one_is_as_forecast() {
        check(ServiceState::Online, Some(0.25), Some(true));
        check(ServiceState::Online, Some(0.31), Some(false));
        check(ServiceState::Online, None, Some(true));
        check(ServiceState::Degraded, None, Some(false));
        check(ServiceState::Offline, Some(0.2), Some(false));
        check(ServiceState::Unknown, Some(0.2), None);
        let worked_on = ServiceStatus { maintenance: true, ..status(ServiceState::Offline, None) };
        assert_eq!(as_forecast(&worked_on, &|| None, (2.0, 0.05)), None);
        assert_eq!(as_forecast(&status(ServiceState::Online, Some(0.2)), &|| None, (2.0, 0.05)), None, "still learning");
    }

    #[test]
    fn the_share_is_of_the_last_day_and_survives_a_restart() {
        let learned = Analyzer::new(&AnalyzeConfig::default(), Arc::new(Catalog::default()));
        let mut stability = Stability::new(0.05, BTreeMap::new());
        let shares = |stability: &Stability, at| {
            let mut readings = Vec::new();
            stability.readings(at, &mut readings);
            readings.iter().map(|r| r.value).collect::<Vec<f64>>()
        };
        let at = |minute: i64| Timestamp::from_seconds(1_000_000_000 + minute * 60);
        let minute = Some(Duration::from_secs(60));
        for m in 0..120 {
            let state = if m < 90 { ServiceState::Online } else { ServiceState::Offline };
            stability.observe(at(m), minute, &[status(state, None)], &learned);
            assert_eq!(shares(&stability, at(m)).len(), usize::from(m >= 59), "minute {m}");
        }
        assert_eq!(shares(&stability, at(120)), [0.75]);
        let mut restored = Stability::new(0.05, BTreeMap::new());
        restored.restore(&stability.save());
        restored.restore(b"garbage");
        assert_eq!(shares(&restored, at(120)), [0.75]);
        assert!(shares(&restored, at(3 * 1440)).is_empty(), "what is older than a day is forgotten");
        restored.observe(at(121), minute, &[], &learned);
        assert!(shares(&restored, at(121)).is_empty(), "a service that is gone is gone");
    }
}
