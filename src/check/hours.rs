//! How long a service was in which state, by the hour, for thirty days.
//!
//! Invariant: the times of an hour never add up to more than the hour.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::{ServiceState, UptimeShare};

const HOUR_MS: i64 = 3_600_000;

/// The longest span an uptime share is asked for.
const KEPT_HOURS: i64 = 30 * 24;

/// What an hour's time counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// In that state.
    In(ServiceState),
    /// In maintenance: not counted, and not missed.
    Maintenance,
}

/// Milliseconds of one hour by state; what is missing was not observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Tally {
    online: u32,
    degraded: u32,
    offline: u32,
    maintenance: u32,
}

impl Tally {
    fn add(&mut self, spent: Spent, ms: u32) {
        let used = self.observed() + u64::from(self.maintenance);
        // A clock that was set back offers the same time twice.
        let room = u32::try_from(HOUR_MS.unsigned_abs().saturating_sub(used)).unwrap_or(0);
        *match spent {
            Spent::In(ServiceState::Online) => &mut self.online,
            Spent::In(ServiceState::Degraded) => &mut self.degraded,
            Spent::In(ServiceState::Offline) => &mut self.offline,
            Spent::In(ServiceState::Unknown) => return,
            Spent::Maintenance => &mut self.maintenance,
        } += ms.min(room);
    }

    fn observed(&self) -> u64 {
        u64::from(self.online) + u64::from(self.degraded) + u64::from(self.offline)
    }

    fn worst(&self) -> Option<ServiceState> {
        let states =
            [(self.offline, ServiceState::Offline), (self.degraded, ServiceState::Degraded), (self.online, ServiceState::Online)];
        states.into_iter().find(|(ms, _)| *ms > 0).map(|(_, state)| state)
    }
}

/// Hours of a service, oldest first; those without any time are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours(VecDeque<(i64, Tally)>);

/// Hours in a row that are equal, as they are kept: first hour since 1970, number, times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run(i64, i64, Tally);

impl Hours {
    /// Adds the time between two instants.
    pub fn add(&mut self, from: Timestamp, to: Timestamp, spent: Spent) {
        // Older time would be dropped at once.
        let mut at = from.millis().max(to.millis().saturating_sub(KEPT_HOURS * HOUR_MS));
        while at < to.millis() {
            let hour = at.div_euclid(HOUR_MS);
            let end = to.millis().min((hour + 1) * HOUR_MS);
            let ms = u32::try_from(end - at).unwrap_or(0);
            let place = self.0.partition_point(|(h, _)| *h < hour);
            if self.0.get(place).is_none_or(|(h, _)| *h != hour) {
                self.0.insert(place, (hour, Tally::default()));
            }
            if let Some((_, tally)) = self.0.get_mut(place) {
                tally.add(spent, ms);
            }
            at = end;
        }
        let oldest = to.millis().div_euclid(HOUR_MS) - KEPT_HOURS;
        while self.0.front().is_some_and(|(hour, _)| *hour <= oldest) {
            self.0.pop_front();
        }
    }

    /// Uptime over the last `hours`, the running one included; `None` where nothing was observed.
    pub fn share(&self, hours: i64, now: Timestamp) -> Option<UptimeShare> {
        let first = now.millis().div_euclid(HOUR_MS) - hours + 1;
        let (mut up, mut observed, mut maintenance) = (0, 0, 0);
        for (_, tally) in self.0.iter().rev().take_while(|(hour, _)| *hour >= first) {
            up += u64::from(tally.online) + u64::from(tally.degraded);
            observed += tally.observed();
            maintenance += u64::from(tally.maintenance);
        }
        let span = (now.millis() - first * HOUR_MS).unsigned_abs().saturating_sub(maintenance).max(1);
        (observed > 0)
            .then(|| UptimeShare { up: up as f64 / observed as f64, observed: (observed as f64 / span as f64).min(1.0) })
    }

    /// The worst state of each of the last 24 hours, oldest first, the running one last.
    pub fn strip(&self, now: Timestamp) -> Vec<Option<ServiceState>> {
        let last = now.millis().div_euclid(HOUR_MS);
        let worst = |hour| self.0.iter().rev().take_while(|(h, _)| *h >= hour).find(|(h, _)| *h == hour);
        (last - 23..=last).map(|hour| worst(hour).and_then(|(_, tally)| tally.worst())).collect()
    }

    /// As they are kept: equal hours in a row as one.
    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (hour, tally) in &self.0 {
            match runs.last_mut() {
                Some(Run(first, n, same)) if *first + *n == *hour && same == tally => *n += 1,
                _ => runs.push(Run(*hour, 1, *tally)),
            }
        }
        runs
    }

    /// From what was kept; hours that cannot be are left out.
    pub fn from_runs(runs: &[Run]) -> Self {
        let mut hours = Self::default();
        for Run(first, n, tally) in runs {
            let possible =
                tally.observed() + u64::from(tally.maintenance) <= HOUR_MS.unsigned_abs() && (1..=KEPT_HOURS).contains(n);
            let later = hours.0.back().is_none_or(|(last, _)| first > last);
            if possible && later && first.checked_add(*n).is_some() {
                hours.0.extend((0..*n).map(|i| (first + i, *tally)));
            }
        }
        while hours.0.len() > usize::try_from(KEPT_HOURS).unwrap_or(0) {
            hours.0.pop_front();
        }
        hours
    }
}

/// The spans of `ServiceStatus::uptime`, in hours.
pub const SPANS: [i64; 3] = [24, 7 * 24, KEPT_HOURS];

/// How long a state may be assumed after the last result.
pub fn stale_after(interval: Duration, timeout: Duration) -> Duration {
    interval * 3 + timeout
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONLINE: Spent = Spent::In(ServiceState::Online);
    const OFFLINE: Spent = Spent::In(ServiceState::Offline);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 / 3600 * 3600 + minutes * 60)
    }

    #[test]
    fn uptime_is_the_share_of_what_was_observed() {
        let mut hours = Hours::default();
        hours.add(at(0), at(90), ONLINE);
        hours.add(at(90), at(120), OFFLINE);
        let share = hours.share(24, at(120)).unwrap();
        assert!((share.up - 0.75).abs() < 1e-9 && (share.observed - 120.0 / (23.0 * 60.0)).abs() < 1e-9, "{share:?}");
        assert_eq!(hours.share(1, at(120)), None);
        assert_eq!(hours.strip(at(120)).split_off(21), [Some(ServiceState::Online), Some(ServiceState::Offline), None]);
    }

    #[test]
    fn maintenance_is_neither_counted_nor_missed() {
        let mut hours = Hours::default();
        hours.add(at(0), at(12 * 60), ONLINE);
        hours.add(at(12 * 60), at(23 * 60), Spent::Maintenance);
        hours.add(at(23 * 60), at(24 * 60 - 1), OFFLINE);
        let share = hours.share(24, at(24 * 60 - 1)).unwrap();
        assert!((share.up - 720.0 / 779.0).abs() < 1e-9 && (share.observed - 1.0).abs() < 1e-9, "{share:?}");
    }

    #[test]
    fn thirty_days_are_kept_and_no_more() {
        let mut hours = Hours::default();
        hours.add(at(0), at(60), OFFLINE);
        for hour in 1..800 {
            hours.add(at(hour * 60), at(hour * 60 + 60), ONLINE);
        }
        hours.add(at(800 * 60), at(800 * 60 + 1), ONLINE);
        assert_eq!(hours.0.len(), 720);
        assert_eq!(hours.share(720, at(800 * 60 + 1)), Some(UptimeShare { up: 1.0, observed: 1.0 }));
        assert_eq!(hours.runs().len(), 2);
    }

    proptest! {
        #[test]
        fn hours_are_read_back_and_never_overfull(spans in prop::collection::vec((0_i64..3000, 0_i64..200, 0_usize..4), 0..30)) {
            let kinds = [ONLINE, OFFLINE, Spent::In(ServiceState::Degraded), Spent::Maintenance];
            let mut hours = Hours::default();
            for (from, length, kind) in spans {
                hours.add(at(from), at(from + length), kinds[kind]);
            }
            for (_, tally) in &hours.0 {
                prop_assert!(tally.observed() + u64::from(tally.maintenance) <= 3_600_000);
            }
            prop_assert_eq!(Hours::from_runs(&hours.runs()), hours);
        }
    }
}
