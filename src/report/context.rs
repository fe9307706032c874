//! What sections ask of the facts.
//!
//! Orders and selects, never computes figures that the engine should have filled. Invariant: every list it
//! gives is in an order that does not depend on the order of the facts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::{Facts, SeriesFacts, ServiceFacts};
use super::text;
use crate::base::{TimeRange, Timestamp};
use crate::model::{Alert, AlertState, AnomalyInterval, JournalEntry, JournalEvent, Prediction, ReportSpec, Verdict};

/// A report in the making.
pub(super) struct Context<'a> {
    pub spec: &'a ReportSpec,
    pub facts: &'a Facts,
    stories: BTreeMap<&'a str, Vec<&'a JournalEntry>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(spec: &'a ReportSpec, facts: &'a Facts) -> Self {
        let mut stories: BTreeMap<&str, Vec<&JournalEntry>> = BTreeMap::new();
        for entry in &facts.journal {
            let alert = match &entry.event {
                JournalEvent::Transition { transition, .. } => &transition.alert,
                JournalEvent::Acknowledged { alert, .. }
                | JournalEvent::Snoozed { alert, .. }
                | JournalEvent::Feedback { alert, .. }
                | JournalEvent::Delivered { alert, .. } => alert,
                _ => continue,
            };
            stories.entry(alert).or_default().push(entry);
        }
        Self { spec, facts, stories }
    }

    /// What the journal says of an alert, by time.
    pub(super) fn story(&self, alert: &str) -> &[&'a JournalEntry] {
        self.stories.get(alert).map_or(&[], Vec::as_slice)
    }

    pub(super) fn range(&self) -> TimeRange {
        self.spec.range
    }

    /// Series read for `id`, by key.
    pub(super) fn series(&self, id: &str) -> Vec<&'a SeriesFacts> {
        let mut found: Vec<_> = self.facts.series.iter().filter(|s| s.id == id).collect();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found
    }

    /// All series in the order of the wanted ones, each group by key.
    pub(super) fn all_series(&self) -> Vec<&'a SeriesFacts> {
        let wanted = super::facts_wanted(self.spec.kind, self.spec.depth).series;
        wanted.iter().flat_map(|w| self.series(w.id)).collect()
    }

    /// Series with a limit, soonest exhausted first, then fullest.
    pub(super) fn bounded(&self) -> Vec<&'a SeriesFacts> {
        let mut bounded: Vec<_> = self.all_series().into_iter().filter(|s| s.limit.is_some()).collect();
        let probability = |s: &SeriesFacts| s.crossing().map_or(0.0, |c| c.probability);
        let used = |s: &SeriesFacts| s.used_share().unwrap_or(0.0);
        bounded.sort_by(|a, b| {
            probability(b).total_cmp(&probability(a)).then(used(b).total_cmp(&used(a))).then_with(|| a.key.cmp(&b.key))
        });
        bounded
    }

    /// Alerts that fired before the end and were not over before the beginning, newest first.
    pub(super) fn alerts(&self) -> Vec<&'a Alert> {
        let range = self.range();
        let inside = |a: &&Alert| a.fired_at.is_some_and(|t| t <= range.to) && a.resolved_at.is_none_or(|t| t >= range.from);
        let mut alerts: Vec<_> = self.facts.alerts.iter().filter(inside).collect();
        alerts.sort_by(|a, b| (b.fired_at, &b.id).cmp(&(a.fired_at, &a.id)));
        alerts
    }

    /// Alerts that are firing at the end of the span, worst first, then oldest.
    pub(super) fn open_alerts(&self) -> Vec<&'a Alert> {
        let mut open: Vec<_> = self.alerts().into_iter().filter(|a| self.is_open(a)).collect();
        open.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (a.fired_at, &a.id).cmp(&(b.fired_at, &b.id))));
        open
    }

    /// Whether an alert is firing at the end of the span.
    pub(super) fn is_open(&self, alert: &Alert) -> bool {
        let over = alert.resolved_at.is_some_and(|t| t <= self.range().to);
        !over && (alert.state == AlertState::Firing || alert.resolved_at.is_some())
    }

    /// How long an alert was firing within the span.
    pub(super) fn firing(&self, alert: &Alert) -> Duration {
        let range = self.range();
        let Some(fired) = alert.fired_at else { return Duration::ZERO };
        alert.resolved_at.unwrap_or(range.to).min(range.to).since(fired.max(range.from))
    }

    /// Anomalies that were marked, strongest first.
    pub(super) fn anomalies(&self) -> Vec<&'a AnomalyInterval> {
        let mut marked: Vec<_> = self.facts.anomalies.iter().filter(|a| a.verdict >= Verdict::Warning).collect();
        marked.sort_by(|a, b| {
            b.verdict
                .cmp(&a.verdict)
                .then(b.strength.total_cmp(&a.strength))
                .then_with(|| (a.from, &a.key).cmp(&(b.from, &b.key)))
        });
        marked
    }

    /// Services, least up first, then by name.
    pub(super) fn services(&self) -> Vec<&'a ServiceFacts> {
        let up = |s: &ServiceFacts| s.share.map_or(f64::INFINITY, |share| share.up);
        let mut services: Vec<_> = self.facts.services.iter().collect();
        services.sort_by(|a, b| up(a).total_cmp(&up(b)).then_with(|| a.status.name.cmp(&b.status.name)));
        services
    }

    /// Predictions without an outcome, soonest first.
    pub(super) fn open_predictions(&self) -> Vec<&'a Prediction> {
        let mut open: Vec<_> = self.facts.predictions.iter().filter(|p| p.outcome.is_none()).collect();
        open.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        open
    }

    /// Whether nothing at all is known of the span: no sentence about it can be a good one.
    pub(super) fn saw_nothing(&self) -> bool {
        let facts = self.facts;
        facts.coverage <= 0.0 && facts.series.is_empty() && self.alerts().is_empty()
    }

    /// An instant for people in sentences.
    pub(super) fn when(&self, at: Timestamp) -> String {
        text::local(at, &self.facts.zone, "%b %-d %H:%M")
    }
}
