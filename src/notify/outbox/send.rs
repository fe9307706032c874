//! What goes out now, in which order, and when something is due next.
//!
//! Invariant: of each alert and thread a channel gets one message at a time, the oldest first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::line::{LONGEST_WISH, Line};
use super::{Delivery, Outbox, OutboxRow, OutboxStep, Sending};
use crate::base::Timestamp;
use crate::notify::Message;

/// Most messages of one channel on their way at once; below the deliverer's queue.
const MOST_IN_FLIGHT: usize = 16;

impl Outbox {
    /// Hands out what is due: of each thread and channel one at a time, in order.
    pub(super) fn send(&mut self, now: Timestamp, out: &mut OutboxStep) {
        let mut busy: BTreeMap<String, usize> = BTreeMap::new();
        for row in self.in_flight.iter().filter_map(|id| self.rows.get(id)) {
            *busy.entry(row.channel.clone()).or_default() += 1;
        }
        for id in self.ready(now) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            let line = self.lines.entry(row.channel.clone()).or_default();
            let load = busy.entry(row.channel.clone()).or_default();
            let most = if line.is_on_trial() { 1 } else { self.routing.at_most(&row.channel).unwrap_or(MOST_IN_FLIGHT) };
            if line.is_closed(now) || *load >= most {
                continue;
            }
            *load += 1;
            if row.is_waiting() {
                row.sending = true;
                self.dirty.insert(id);
            } else {
                self.refreshed.insert(id, now);
            }
            self.in_flight.insert(id);
            let delivery = self.delivery(&self.rows[&id]);
            out.deliveries.push(delivery);
        }
    }

    /// Rows whose time has come: the first that waits of each thread and alert, and what is sent again.
    fn ready(&self, now: Timestamp) -> Vec<u64> {
        // After a clock that went back a row would wait for the old time.
        let due = |at: Timestamp| at <= now || at > now + LONGEST_WISH;
        let fresh = self.first_waiting().into_iter().filter(|r| !r.until_over && due(r.due_at)).map(|r| r.id);
        let again = self.refreshes().filter(|(at, _)| *at <= now).map(|(_, id)| id);
        fresh.chain(again).filter(|id| !self.in_flight.contains(id)).collect()
    }

    /// The first row that waits of each channel and thread, and of each channel and alert.
    fn first_waiting(&self) -> Vec<&OutboxRow> {
        let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut first = Vec::new();
        for row in self.rows.values().filter(|r| r.is_waiting()) {
            let own = row.told_of.iter().map(|t| t.alert.as_str()).chain([row.thread.as_str()]);
            let own: BTreeSet<(&str, &str)> = own.filter(|key| !key.is_empty()).map(|key| (row.channel.as_str(), key)).collect();
            let free = own.is_disjoint(&seen);
            seen.extend(own);
            if free {
                first.push(row);
            }
        }
        first
    }

    /// Rows of services that forget, with the time they are sent again.
    fn refreshes(&self) -> impl Iterator<Item = (Timestamp, u64)> + '_ {
        let firing = self.rows.values().filter(|r| r.reason.is_alarm() && !r.is_over() && self.has_news(r));
        firing.filter_map(|r| {
            let every = self.routing.refresh(&r.channel)?;
            let last = self.refreshed.get(&r.id).copied().or(r.delivered_at)?;
            Some((last + every, r.id))
        })
    }

    /// Whether it holds the newest that was told of some alert that still fires.
    fn has_news(&self, row: &OutboxRow) -> bool {
        row.told_of.iter().any(|t| !t.over && self.is_newest(row, &t.alert))
    }

    fn is_newest(&self, row: &OutboxRow, alert: &str) -> bool {
        let later = |r: &OutboxRow| r.id > row.id && r.channel == row.channel && r.delivered_at.is_some();
        !self.of_alert(alert).any(|r| later(r) && r.reason.is_alarm())
    }

    fn delivery(&self, row: &OutboxRow) -> Delivery {
        let of_thread = |r: &&OutboxRow| r.channel == row.channel && r.thread == row.thread && r.handle.is_some();
        let earlier = self.rows.values().filter(|r| r.id < row.id).find(of_thread);
        let message = if row.is_waiting() { row.message(&self.host) } else { self.still_firing(row) };
        Delivery {
            row: row.id,
            channel: row.channel.clone(),
            key: format!("farol-{}-{}-{}", self.host, row.id, row.at.millis()),
            earlier: earlier.and_then(|r| r.handle.clone()),
            told: row.told.clone(),
            message: Arc::new(message),
        }
    }

    /// The message of a row without what is over or was told anew by now.
    fn still_firing(&self, row: &OutboxRow) -> Message {
        let over = |id: &str| row.told_of.iter().any(|t| t.alert == id && t.over);
        let parts = row.parts.iter().filter(|p| !over(&p.alert.id) && self.is_newest(row, &p.alert.id)).cloned().collect();
        OutboxRow { parts, ..row.clone() }.message(&self.host)
    }

    /// When to step with [`super::OutboxEvent::Due`]; `None` while nothing waits for time to pass.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.sending == Sending::Dry {
            return None;
        }
        let opens = |row: &OutboxRow| self.lines.get(&row.channel).map_or(Timestamp::default(), Line::opens_at);
        let waiting = self.first_waiting().into_iter().filter(|r| !r.until_over && !self.in_flight.contains(&r.id));
        let waiting = waiting.map(|r| r.due_at.max(opens(r)));
        let again = self.refreshes().filter(|(_, id)| !self.in_flight.contains(id)).map(|(at, _)| at);
        waiting.chain(again).min()
    }
}
