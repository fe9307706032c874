//! Services whose answers take longer and longer.
//!
//! Looks at the fastest of some answers each time, so that a slow one now and then says nothing. Never knows which time is too long.
//! Invariant: an answer counts once.

use std::collections::BTreeMap;

use super::LOOK_SECONDS;
use super::rise::Rise;
use crate::base::Timestamp;
use crate::model::{SeriesKey, ServiceState, ServiceStatus};

/// Answers of a look at least.
const ANSWERS: u32 = 3;

/// A value that moves towards where it hurts.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// Which series.
    pub key: SeriesKey,
    /// Where it is.
    pub value: f64,
    /// How far it came since it began to rise.
    pub gain: f64,
    /// How fast it rises, a second.
    pub per_second: f64,
}

#[derive(Debug)]
struct Course {
    key: SeriesKey,
    rise: Rise,
    checked: Option<Timestamp>,
    /// When the last look was, answers since then, and the fastest of them.
    looked: Timestamp,
    answers: u32,
    fastest: f64,
}

/// Watches the answers of all services.
#[derive(Debug, Default)]
pub struct Slowing(BTreeMap<String, Course>);

impl Slowing {
    /// Takes in how services are; gives those whose answers were looked at and take longer and longer.
    pub fn observe(&mut self, at: Timestamp, services: &[ServiceStatus]) -> Vec<Heading> {
        self.0.retain(|name, _| services.iter().any(|s| s.name == *name));
        services.iter().filter_map(|service| self.one(at, service)).collect()
    }

    fn one(&mut self, at: Timestamp, service: &ServiceStatus) -> Option<Heading> {
        let seconds = service.response_seconds?;
        let is_down = matches!(service.state, ServiceState::Offline | ServiceState::Unknown) || service.maintenance;
        if is_down {
            self.0.remove(&service.name);
            return None;
        }
        let fresh = || Course {
            key: SeriesKey::new("service_check_seconds", [("service", service.name.as_str())]),
            rise: Rise::default(),
            checked: None,
            looked: at,
            answers: 0,
            fastest: f64::INFINITY,
        };
        let course = self.0.entry(service.name.clone()).or_insert_with(fresh);
        if course.checked == service.last_check {
            return None;
        }
        course.checked = service.last_check;
        course.answers += 1;
        course.fastest = course.fastest.min(seconds);
        let since = at.since(course.looked).as_secs_f64();
        if course.answers < ANSWERS || since < LOOK_SECONDS {
            return None;
        }
        let value = std::mem::replace(&mut course.fastest, f64::INFINITY);
        (course.answers, course.looked) = (0, at);
        let pace = course.rise.observe(value, since, 3)?;
        Some(Heading { key: course.key.clone(), value, gain: pace.gain, per_second: pace.per_second })
    }
}
