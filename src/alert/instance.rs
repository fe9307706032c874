//! One rule over one series: pending, firing, over.
//!
//! Invariant: an instance exists only while something is remembered of it: an alert, or wrong values that `times` counts.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, Unit, format_duration};
use crate::model::{Alert, AlertState, CRITICAL_LEVEL, Flaps, Limit, RuleSpec, SeriesKey, Severity, Transition};

use super::flap::Flap;
use super::watch::alert_labels;
use super::{Cause, Step, title};

/// How long a series may be absent before its alert is over: the staleness of Prometheus and the resolve timeout of
/// Alertmanager, both 5 min.
pub(super) const NO_DATA_AFTER: Duration = Duration::from_secs(300);

/// A series among those of one rule: by its labels, because functions drop the metric's name.
#[derive(Debug, Clone)]
pub(super) struct Labels(pub(super) SeriesKey);

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (name, value) in self.0.labels() {
            name.hash(state);
            value.hash(state);
        }
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.0.metric(), other.0.metric());
        (a == b || a.is_empty() || b.is_empty()) && self.0.labels().eq(other.0.labels())
    }
}

impl Eq for Labels {}

/// What lies between this tick and the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// Observed time.
    Observed(Duration),
    /// Time nobody watched: what was counted starts again.
    Gap,
}

impl Passed {
    fn added(self, to: Duration) -> Duration {
        match self {
            Self::Observed(d) => to + d,
            Self::Gap => Duration::ZERO,
        }
    }
}

/// What is remembered of one series.
#[derive(Debug, Default)]
pub(super) struct Instance {
    /// Pending or firing; `None` while only wrong values are counted.
    pub(super) alert: Option<Arc<Alert>>,
    /// Tick in which it last had a value.
    pub(super) seen: u64,
    /// Nobody is told, as of the last tick.
    pub(super) quiet: bool,
    /// Observed time since firing in which people could be told.
    pub(super) firing_for: Duration,
    /// Value when it was snoozed until a change.
    pub(super) snoozed_at: f64,
    /// Value and severity when somebody took care of it.
    pub(super) acknowledged_at: Option<(f64, Severity)>,
    /// How it came and went lately.
    pub(super) flap: Flap,
    wrong_for: Duration,
    /// While it flaps and was right: how long it has been wrong again.
    wrong_again_for: Option<Duration>,
    right_for: Option<Duration>,
    missing_for: Duration,
    history: u64,
    /// How long each step of the rule's ladder was broken; `None`: it is not.
    worse_for: Vec<Option<Duration>>,
    /// Observed time since it fired.
    lasted: Duration,
    /// It was over because it had lasted the longest allowed: it waits to be right.
    spent: bool,
}

/// What a tick's value makes of an instance.
pub(super) enum Judged {
    /// Nothing to tell; whether the instance may be forgotten.
    Same {
        /// Nothing is remembered any more.
        idle: bool,
    },
    /// It is wrong and has no alert yet.
    Began,
    /// It changed its state.
    Changed(Cause, String),
}

impl Instance {
    /// An instance whose alert came from before a restart; a pending one has held since its alert says.
    pub(super) fn restored(alert: Arc<Alert>, last_tick: Option<Timestamp>) -> Self {
        let wrong_for = last_tick.map_or(Duration::ZERO, |at| at.since(alert.since));
        let quiet = alert.is_quiet();
        let acknowledged_at = alert.acknowledged.as_ref().map(|_| (alert.value, alert.severity));
        let flap = Flap::restored(alert.flaps, last_tick);
        let lasted = last_tick.zip(alert.fired_at).map_or(Duration::ZERO, |(at, fired)| at.since(fired));
        Self { quiet, snoozed_at: alert.value, acknowledged_at, wrong_for, lasted, flap, alert: Some(alert), ..Self::default() }
    }

    /// An instance whose last alert is over, and of which it is remembered how it came and went; `None`: nothing is.
    pub(super) fn remembered(flaps: Flaps, last_tick: Option<Timestamp>) -> Option<Self> {
        let flap = Flap::restored(flaps, last_tick);
        (!flap.is_idle()).then(|| Self { flap, ..Self::default() })
    }

    /// Judges a value.
    pub(super) fn judge(&mut self, rule: &RuleSpec, value: f64, passed: Passed) -> Judged {
        let wrong = self.is_wrong(rule, value, passed);
        self.missing_for = Duration::ZERO;
        self.climb(rule, value, passed);
        let Some(state) = self.alert.as_ref().map(|a| a.state) else {
            self.spent &= wrong;
            return if wrong && !self.spent { Judged::Began } else { Judged::Same { idle: self.is_idle() } };
        };
        if state == AlertState::Firing {
            self.lasted = passed.added(self.lasted);
            if let Some(most) = rule.at_most.filter(|most| self.lasted >= *most) {
                self.spent = wrong;
                self.flap.ends();
                return Judged::Changed(Cause::Resolved, format!("lasted {}, the longest it may", format_duration(most)));
            }
        }
        match (state, wrong) {
            (AlertState::Pending, true) => {
                self.wrong_for = passed.added(self.wrong_for);
                self.fire_if_held(rule)
            }
            (AlertState::Pending, false) => {
                Judged::Changed(Cause::Withdrawn, format!("right again before {} had passed", format_duration(rule.hold)))
            }
            _ if self.flap.is_calm() && wrong => self.wrong_again(rule, passed),
            _ if !self.flap.is_calm() && (wrong || rule.clear.is_some_and(|c| c.is_broken_by(value))) => {
                self.right_for = None;
                Judged::Same { idle: false }
            }
            _ => {
                let right_for = self.right_for.map_or(Duration::ZERO, |d| passed.added(d));
                (self.right_for, self.wrong_again_for) = (Some(right_for), None);
                if right_for >= rule.clear_hold && self.lasted >= rule.at_least {
                    return self.right(|| resolved_reason(rule));
                }
                Judged::Same { idle: false }
            }
        }
    }

    /// Its condition is right: it is over, or, where it flaps, perhaps for the moment.
    pub(super) fn right(&mut self, reason: impl FnOnce() -> String) -> Judged {
        if self.flap.is_calm() {
            return Judged::Same { idle: false };
        }
        let cause = if self.flap.is_flapping() { Cause::Wavered } else { Cause::Resolved };
        if cause == Cause::Wavered {
            self.flap.turns()
        } else {
            self.flap.ends()
        }
        Judged::Changed(cause, reason())
    }

    /// It flaps, was right, and is wrong: for as long as it takes to fire, it counts.
    fn wrong_again(&mut self, rule: &RuleSpec, passed: Passed) -> Judged {
        let held = self.wrong_again_for.map_or(Duration::ZERO, |d| passed.added(d));
        self.wrong_again_for = Some(held);
        if held < rule.hold {
            return Judged::Same { idle: false };
        }
        (self.wrong_again_for, self.right_for) = (None, None);
        self.flap.turns();
        Judged::Changed(Cause::Wavered, fired_reason(rule))
    }

    /// Goes on under a rule of the same name that judges the same values.
    pub(super) fn adopt(&mut self, rule: &RuleSpec) {
        let Some(alert) = self.alert.as_mut() else { return };
        let kept = rule.ladder.iter().any(|(severity, _)| *severity == alert.severity);
        let severity = match alert.severity {
            _ if alert.level >= CRITICAL_LEVEL => Severity::Critical,
            reached if kept => reached,
            _ => rule.severity,
        };
        let labels = alert_labels(rule, &alert.key, severity);
        let (title, limit) = (title(rule, &alert.key, alert.value), rule.limit.shown(alert.value));
        if (&alert.labels, &alert.title, alert.kind) == (&labels, &title, rule.kind) && alert.limit.to_bits() == limit.to_bits() {
            return;
        }
        let changed = Arc::make_mut(alert);
        (changed.severity, changed.kind, changed.unit) = (severity, rule.kind, rule.unit);
        (changed.labels, changed.title, changed.limit) = (labels, title, limit);
    }

    /// Takes its alert, which is over; what `times` counts stays.
    pub(super) fn end(&mut self) -> Option<Arc<Alert>> {
        let alert = self.alert.take();
        *self = Self { history: self.history, seen: self.seen, spent: self.spent, flap: self.flap, ..Self::default() };
        alert
    }

    /// Counts how long the steps of the rule's ladder are broken.
    fn climb(&mut self, rule: &RuleSpec, value: f64, passed: Passed) {
        if rule.ladder.is_empty() {
            return;
        }
        self.worse_for.resize(rule.ladder.len(), None);
        for (held, (_, limit)) in self.worse_for.iter_mut().zip(&rule.ladder) {
            *held = limit.is_broken_by(value).then(|| held.map_or(Duration::ZERO, |d| passed.added(d)));
        }
    }

    /// The worst severity whose limit was broken for as long as the rule asks.
    pub(super) fn severity(&self, rule: &RuleSpec) -> Severity {
        let held = |held: &Option<Duration>| held.is_some_and(|d| d >= rule.hold);
        let reached = rule.ladder.iter().zip(&self.worse_for).filter(|(_, d)| held(d)).map(|((severity, _), _)| *severity);
        reached.max().unwrap_or(rule.severity).max(rule.severity)
    }

    /// Whether nothing is remembered.
    pub(super) fn is_idle(&self) -> bool {
        self.alert.is_none() && self.history == 0 && !self.spent && self.flap.is_idle()
    }

    fn fire_if_held(&mut self, rule: &RuleSpec) -> Judged {
        if self.wrong_for < rule.hold {
            return Judged::Same { idle: false };
        }
        self.flap.fires(rule.flap);
        Judged::Changed(Cause::Fired, fired_reason(rule))
    }

    /// Whether the newest value, or enough of the last ones, are wrong.
    fn is_wrong(&mut self, rule: &RuleSpec, value: f64, passed: Passed) -> bool {
        let wrong = rule.limit.is_broken_by(value);
        let Some((needed, of)) = rule.times else { return wrong };
        if passed == Passed::Gap {
            self.history = 0;
        }
        let mask = u64::MAX >> (64 - of.clamp(1, 64));
        self.history = ((self.history << 1) | u64::from(wrong)) & mask;
        self.history.count_ones() >= needed
    }

    /// Counts a tick without value; the alert is over once that lasts [`NO_DATA_AFTER`].
    pub(super) fn missed(&mut self, passed: Passed) -> Judged {
        self.missing_for = passed.added(self.missing_for);
        if self.missing_for < NO_DATA_AFTER {
            return Judged::Same { idle: false };
        }
        self.spent = false;
        match self.alert.as_ref().map(|a| a.state) {
            None => Judged::Same { idle: true },
            Some(AlertState::Pending) => Judged::Changed(Cause::Withdrawn, no_data_reason()),
            Some(_) => {
                self.flap.ends();
                Judged::Changed(Cause::Resolved, no_data_reason())
            }
        }
    }

    /// Shows the newest value; true where that is visible to people.
    pub(super) fn show(&mut self, rule: &RuleSpec, value: f64) -> bool {
        let Some(alert) = self.alert.as_mut() else { return false };
        if alert.value.to_bits() == value.to_bits() || reads_the_same(rule, alert.value, value) {
            return false;
        }
        let new = title(rule, &alert.key, value);
        // A limit of another side (outside) shows in the title as well.
        if new == alert.title {
            return false;
        }
        let alert = Arc::make_mut(alert);
        alert.title = new;
        alert.value = value;
        alert.limit = rule.limit.shown(value);
        true
    }

    /// A pending alert's time starts again after a gap.
    pub(super) fn restart_hold(&mut self, at: Timestamp) -> bool {
        self.wrong_for = Duration::ZERO;
        (self.right_for, self.wrong_again_for) = (None, None);
        self.worse_for.fill(None);
        let pending = self.alert.as_mut().filter(|a| a.state == AlertState::Pending);
        pending.map(|alert| Arc::make_mut(alert).since = at).is_some()
    }
}

/// Whether two shares are the same for people, where that is known without writing a title: a firing alert is asked each tick.
fn reads_the_same(rule: &RuleSpec, known: f64, value: f64) -> bool {
    let percent = |share: f64| (share * 100.0).round_ties_even();
    rule.unit == Unit::Ratio
        && percent(known) == percent(value)
        && rule.limit.is_broken_by(known) == rule.limit.is_broken_by(value)
        && !matches!(rule.limit, Limit::Outside(..))
}

fn fired_reason(rule: &RuleSpec) -> String {
    match rule.times {
        Some((n, m)) => format!("{n} of {m} values wrong"),
        None if rule.hold.is_zero() => "value wrong".to_owned(),
        None => format!("wrong for {}", format_duration(rule.hold)),
    }
}

fn resolved_reason(rule: &RuleSpec) -> String {
    if rule.clear_hold.is_zero() {
        "right again".to_owned()
    } else {
        format!("right again for {}", format_duration(rule.clear_hold))
    }
}

fn no_data_reason() -> String {
    format!("no data for {}", format_duration(NO_DATA_AFTER))
}

/// Changes an alert's state and says so.
pub(super) fn change(alert: &mut Arc<Alert>, cause: Cause, at: Timestamp, reason: String) -> (Transition, Arc<Alert>) {
    let from = alert.state;
    let changed = Arc::make_mut(alert);
    match cause {
        Cause::Fired => {
            changed.state = AlertState::Firing;
            changed.fired_at = Some(at);
        }
        Cause::Resolved | Cause::Withdrawn => {
            changed.state = AlertState::Resolved;
            changed.resolved_at = Some(at);
            changed.snoozed = None;
        }
        Cause::Worsened => {
            // Where nobody took care of it, it goes on at its level.
            if changed.acknowledged.take().is_some() {
                changed.level = 0;
                changed.worsened_at = Some(at);
            }
        }
        Cause::Pending | Cause::Escalated | Cause::Audible | Cause::Wavered | Cause::Settled => {}
    }
    let transition = Transition {
        alert: changed.id.clone(),
        rule: changed.rule.clone(),
        from: Some(from),
        to: changed.state,
        at,
        reason,
        author: None,
    };
    (transition, Arc::clone(alert))
}

/// The step that a change makes.
pub(super) fn step(alert: &mut Arc<Alert>, cause: Cause, at: Timestamp, reason: String, channels: &Arc<[String]>) -> Step {
    let (transition, alert) = change(alert, cause, at, reason);
    Step { cause, transition, alert, channels: Arc::clone(channels) }
}

/// Reason of an alert that fires in the tick in which its condition began.
pub(super) fn begin_reason(rule: &RuleSpec) -> (Cause, String) {
    if rule.hold.is_zero() {
        (Cause::Fired, fired_reason(rule))
    } else {
        (Cause::Pending, format!("wrong; fires after {}", format_duration(rule.hold)))
    }
}
