//! What is known of one channel: whether it works, and how much it was told in the last hour.
//!
//! Invariant: a channel that fails again and again is asked once in a while, not once for each message.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::notify::{DeliveryError, DeliveryFault};

/// Failures in a row after which a channel is left alone for a while: one is an accident, two may be.
const OPENS_AFTER: u32 = 3;
/// First pause after a failed attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause: a network that comes back is used within that time.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Longest pause the other side may ask for.
pub(super) const LONGEST_WISH: Duration = Duration::from_secs(3600);
/// The budget's hour (A5).
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// One channel.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// It cannot work here: left alone until the next start or reload.
    pub(super) unavailable: bool,
    /// Since when it fails; `None` while it works.
    pub(super) failing_since: Option<Timestamp>,
    /// Why it failed last.
    pub(super) error: Option<String>,
    failures: u32,
    closed_until: Option<Timestamp>,
    /// When counted messages were made, and of which rule, oldest first.
    sent: VecDeque<(Timestamp, String)>,
}

/// How many messages an hour may bring (A5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// To one channel.
    pub all: u32,
    /// To one channel from one rule.
    pub rule: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { all: 10, rule: 10 }
    }
}

impl Line {
    /// Whether nothing is to be sent now; a time too far ahead is a clock that went back.
    pub(super) fn is_closed(&self, now: Timestamp) -> bool {
        self.closed_until.is_some_and(|until| until > now && until <= now + LONGEST_WISH)
    }

    /// When it may be tried again.
    pub(super) fn opens_at(&self) -> Timestamp {
        self.closed_until.unwrap_or_default()
    }

    /// Whether it is being tried out: one message at a time.
    pub(super) fn is_on_trial(&self) -> bool {
        self.failures >= OPENS_AFTER
    }

    /// A message was taken.
    pub(super) fn worked(&mut self) {
        (self.failures, self.closed_until, self.failing_since, self.error) = (0, None, None, None);
    }

    /// A message was not taken after that many attempts; when to try it again.
    pub(super) fn failed(&mut self, error: &DeliveryError, (row, attempts): (u64, u32), now: Timestamp) -> Timestamp {
        self.failing_since.get_or_insert(now);
        self.error = Some(error.text.clone());
        let doublings = attempts.saturating_sub(1).min(16);
        let pause = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
        let wished = error.retry_after.unwrap_or_default();
        let due = now + jittered(pause, row, attempts).max(wished).min(LONGEST_WISH);
        if error.fault == DeliveryFault::Transient {
            self.failures += 1;
            // Too many requests are too many of all messages.
            if self.failures >= OPENS_AFTER || !wished.is_zero() {
                self.closed_until = Some(due);
            }
        }
        due
    }

    /// Counts a message.
    pub(super) fn count(&mut self, rule: &str, at: Timestamp) {
        self.sent.push_back((at, rule.to_owned()));
    }

    /// `None` where the hour has room for one more of that rule, else when it will.
    pub(super) fn full_until(&mut self, rule: &str, budget: Budget, now: Timestamp) -> Option<Timestamp> {
        // A time ahead of now is a clock that went back.
        self.sent.retain(|(at, _)| *at <= now && now.since(*at) < HOUR);
        let frees = |most: u32, of: &mut dyn Iterator<Item = Timestamp>| {
            let times: Vec<Timestamp> = of.collect();
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let first = times.len().checked_sub(most).and_then(|at| times.get(at));
            first.map(|at| *at + HOUR).or((most == 0).then_some(now + HOUR))
        };
        let all = frees(budget.all, &mut self.sent.iter().map(|(at, _)| *at));
        let of_rule = frees(budget.rule, &mut self.sent.iter().filter(|(_, r)| r == rule).map(|(at, _)| *at));
        all.max(of_rule)
    }
}

/// The pause within a tenth, so that many machines do not come back at once; the same for the same row and attempt.
fn jittered(pause: Duration, row: u64, attempts: u32) -> Duration {
    let mixed = (row.wrapping_mul(31) ^ u64::from(attempts)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let share = u32::try_from(mixed % 201).unwrap_or(100);
    pause * (900 + share) / 1000
}
