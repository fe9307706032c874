//! One rule over all its series.
//!
//! Invariant: quiet series are not in the map; every change of an alert leaves as a step.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::base::{Timestamp, fnv, format_duration};
use crate::model::{Alert, AlertState, CRITICAL_LEVEL, Escalations, Explanation, RuleSpec, SeriesKey, Severity, Silence};

use super::flap::Settled;
use super::instance::{self, Instance, Judged, Labels, Passed};
use super::mute::Mutes;
use super::silence::{silenced_by, worse_since_snooze};
use super::{Cause, FED, Step, title};

/// What a tick knows beside the values.
pub(super) struct Moment<'a> {
    pub(super) at: Timestamp,
    pub(super) passed: Passed,
    /// Number of the tick.
    pub(super) round: u64,
    pub(super) silences: &'a [Silence],
    pub(super) mutes: &'a Mutes,
    pub(super) silences_changed: bool,
    pub(super) escalation: &'a Escalations,
}

impl Moment<'_> {
    /// What keeps an alert with these labels quiet: silences, then mutes.
    fn quiet(&self, labels: &BTreeMap<String, String>) -> Vec<String> {
        let mut ids = silenced_by(labels, self.silences, self.at);
        ids.extend(self.mutes.of(labels));
        ids
    }
}

/// What a tick gives.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) steps: Vec<Step>,
    /// Alerts that are over.
    pub(super) over: Vec<Arc<Alert>>,
    /// Something people see changed, steps aside.
    pub(super) changed: bool,
    /// The highest number given to an id.
    pub(super) last_id: u64,
}

impl Outcome {
    fn next_id(&mut self) -> String {
        self.last_id += 1;
        id_text(self.last_id)
    }
}

/// One rule's series of which something is remembered.
#[derive(Debug)]
pub(super) struct Watch {
    channels: Arc<[String]>,
    pub(super) active: HashMap<Labels, Instance>,
}

impl Watch {
    pub(super) fn new(rule: &RuleSpec) -> Self {
        Self { channels: rule.channels.clone().into(), active: HashMap::new() }
    }

    /// Judges a tick's values.
    pub(super) fn judge(&mut self, rule: &RuleSpec, values: &[(SeriesKey, f64)], moment: &Moment<'_>, out: &mut Outcome) {
        let only_total = rule.prefer_total && values.iter().any(|(key, _)| key.is_total());
        for (key, value) in values {
            if (only_total && !key.is_total()) || !value.is_finite() {
                continue;
            }
            if self.active.is_empty() && !rule.limit.is_broken_by(*value) {
                continue;
            }
            self.judge_one(rule, (key, *value), moment, out);
        }
    }

    fn judge_one(&mut self, rule: &RuleSpec, (key, value): (&SeriesKey, f64), moment: &Moment<'_>, out: &mut Outcome) {
        let labels = Labels(key.clone());
        let Some(instance) = self.active.get_mut(&labels) else {
            if !rule.limit.is_broken_by(value) {
                return;
            }
            let mut instance = Instance::default();
            if matches!(instance.judge(rule, value, moment.passed), Judged::Began) {
                begin(&mut instance, rule, (key, value), moment, &self.channels, out);
            }
            instance.seen = moment.round;
            self.active.insert(labels, instance);
            return;
        };
        instance.seen = moment.round;
        let judged = instance.judge(rule, value, moment.passed);
        out.changed |= instance.show(rule, value);
        match judged {
            Judged::Same { idle: false } => raise(instance, rule, moment, &self.channels, out),
            Judged::Same { idle: true } => {
                self.active.remove(&labels);
            }
            Judged::Began => begin(instance, rule, (key, value), moment, &self.channels, out),
            Judged::Changed(cause, reason) => {
                if cause == Cause::Fired {
                    reach(instance, rule, moment);
                }
                if apply(instance, cause, (moment.at, reason), &self.channels, out) {
                    self.active.remove(&labels);
                }
            }
        }
    }

    /// What the passing of time does: absent series, silences, snoozes, escalation.
    pub(super) fn pass(&mut self, rule: &RuleSpec, moment: &Moment<'_>, out: &mut Outcome) {
        if self.active.is_empty() {
            return;
        }
        let joined =
            out.steps.iter().filter(|s| s.cause == Cause::Fired && s.alert.rule == rule.name).map(|s| s.alert.id.clone());
        let joined: Vec<String> = joined.collect();
        let channels = &self.channels;
        // What the engine feeds is complete: absent there means over, not unknown.
        let complete = FED.iter().any(|def| def.name == rule.expr);
        self.active.retain(|_, instance| {
            if instance.seen != moment.round {
                let judged = if complete { absent_is_over(instance) } else { instance.missed(moment.passed) };
                match judged {
                    Judged::Same { idle } if idle => return false,
                    Judged::Changed(cause, reason) => {
                        if apply(instance, cause, (moment.at, reason), channels, out) {
                            return false;
                        }
                    }
                    Judged::Same { .. } | Judged::Began => {}
                }
            }
            if let Some(settled) = instance.flap.passed(moment.passed, rule.flap)
                && settle(instance, settled, moment, channels, out)
            {
                return false;
            }
            quiet_and_level(instance, rule, &joined, moment, channels, out);
            true
        });
    }

    /// Ends all its alerts.
    pub(super) fn close(&mut self, at: Timestamp, reason: &str) -> Vec<Step> {
        let alerts = self.active.drain().filter_map(|(_, instance)| instance.alert);
        let close = |mut alert: Arc<Alert>| {
            let cause = if alert.state == AlertState::Firing { Cause::Resolved } else { Cause::Withdrawn };
            instance::step(&mut alert, cause, at, reason.to_owned(), &self.channels)
        };
        alerts.map(close).collect()
    }

    /// The pending or firing alert of that id.
    pub(super) fn find(&mut self, id: &str) -> Option<&mut Instance> {
        self.active.values_mut().find(|i| i.alert.as_ref().is_some_and(|a| a.id == id))
    }
}

/// Writes a number as an id.
pub(super) fn id_text(number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = Vec::new();
    let mut rest = number;
    loop {
        text.push(char::from(DIGITS[usize::try_from(rest % 36).unwrap_or(0)]));
        rest /= 36;
        if rest == 0 {
            return text.iter().rev().collect();
        }
    }
}

/// The number of an id; `None` where it was not made here.
pub(super) fn id_number(id: &str) -> Option<u64> {
    u64::from_str_radix(id, 36).ok()
}

/// Gives the alert the severity its values have reached; what it reached it keeps until it is over. True where it rose.
fn reach(instance: &mut Instance, rule: &RuleSpec, moment: &Moment<'_>) -> bool {
    if rule.ladder.is_empty() {
        return false;
    }
    let severity = instance.severity(rule);
    let Some(alert) = instance.alert.as_mut().filter(|a| a.severity < severity) else { return false };
    let changed = Arc::make_mut(alert);
    changed.severity = severity;
    changed.labels = alert_labels(rule, &changed.key, severity);
    changed.silenced_by = moment.quiet(&changed.labels);
    true
}

/// Tells where a firing alert has become worse by the rule's ladder: whoever took care of less or put it off is told, too.
fn raise(instance: &mut Instance, rule: &RuleSpec, moment: &Moment<'_>, channels: &Arc<[String]>, out: &mut Outcome) {
    let is_firing = instance.alert.as_ref().is_some_and(|a| a.state == AlertState::Firing);
    if !is_firing || !reach(instance, rule, moment) {
        return;
    }
    let Some(alert) = instance.alert.as_mut() else { return };
    if alert.snoozed.as_ref().is_some_and(|s| s.condition.is_some()) {
        Arc::make_mut(alert).snoozed = None;
    }
    if alert.acknowledged.is_some() {
        instance.firing_for = std::time::Duration::ZERO;
    }
    let reason = format!("{} now", text_of(&alert.severity));
    out.steps.push(instance::step(alert, Cause::Worsened, moment.at, reason, channels));
}

fn absent_is_over(instance: &mut Instance) -> Judged {
    let reason = || "no longer expected".to_owned();
    match instance.alert.as_ref().map(|a| a.state) {
        None => Judged::Same { idle: instance.flap.is_idle() },
        Some(AlertState::Pending) => Judged::Changed(Cause::Withdrawn, reason()),
        Some(_) => instance.right(reason),
    }
}

/// Tells that an alert flaps no longer; true where it is over and nothing is remembered.
fn settle(instance: &mut Instance, settled: Settled, moment: &Moment<'_>, channels: &Arc<[String]>, out: &mut Outcome) -> bool {
    let Some(alert) = &instance.alert else { return instance.is_idle() };
    let last = alert.flaps.changed_at.unwrap_or(alert.since);
    let (cause, how) = match settled {
        Settled::Right => (Cause::Resolved, "right"),
        Settled::Wrong => (Cause::Settled, "wrong"),
    };
    let reason = format!("settled: {how} for {}", format_duration(moment.at.since(last)));
    apply(instance, cause, (moment.at, reason), channels, out)
}

/// Applies a change of state; true where the alert is over.
fn apply(
    instance: &mut Instance,
    cause: Cause,
    (at, reason): (Timestamp, String),
    channels: &Arc<[String]>,
    out: &mut Outcome,
) -> bool {
    let Some(alert) = instance.alert.as_mut() else { return true };
    if matches!(cause, Cause::Fired | Cause::Wavered | Cause::Settled | Cause::Resolved) {
        Arc::make_mut(alert).flaps = instance.flap.note(at);
    }
    out.steps.push(instance::step(alert, cause, at, reason, channels));
    if matches!(cause, Cause::Resolved | Cause::Withdrawn) {
        let over = instance.end();
        out.over.extend(over.filter(|_| cause == Cause::Resolved));
        return instance.is_idle();
    }
    false
}

/// A new alert.
fn begin(
    instance: &mut Instance,
    rule: &RuleSpec,
    (key, value): (&SeriesKey, f64),
    moment: &Moment<'_>,
    channels: &Arc<[String]>,
    out: &mut Outcome,
) {
    let (cause, reason) = instance::begin_reason(rule);
    let mut alert = new_alert(rule, key, value, moment, out.next_id());
    if cause == Cause::Fired && !rule.ladder.is_empty() {
        alert.severity = instance.severity(rule);
        alert.labels = alert_labels(rule, &alert.key, alert.severity);
        alert.silenced_by = moment.quiet(&alert.labels);
    }
    if cause == Cause::Fired {
        instance.flap.fires(rule.flap);
        instance.flap.note(moment.at);
    }
    alert.flaps = instance.flap.kept();
    let mut alert = Arc::new(alert);
    let mut step = instance::step(&mut alert, cause, moment.at, reason, channels);
    step.transition.from = None;
    out.steps.push(step);
    instance.quiet = alert.is_quiet();
    instance.alert = Some(alert);
}

fn new_alert(rule: &RuleSpec, key: &SeriesKey, value: f64, moment: &Moment<'_>, id: String) -> Alert {
    let key = match key.metric() {
        "" if !rule.metric.is_empty() => SeriesKey::new(&rule.metric, key.labels()),
        _ => key.clone(),
    };
    let mut alert = Alert {
        id,
        fingerprint: fingerprint(&rule.name, &key),
        rule: rule.name.clone(),
        labels: alert_labels(rule, &key, rule.severity),
        kind: rule.kind,
        severity: rule.severity,
        state: AlertState::Pending,
        title: title(rule, &key, value),
        since: moment.at,
        fired_at: None,
        resolved_at: None,
        value,
        limit: rule.limit.shown(value),
        unit: rule.unit,
        level: 0,
        acknowledged: None,
        snoozed: None,
        silenced_by: Vec::new(),
        worsened_at: None,
        flaps: crate::model::Flaps::default(),
        feedback: None,
        explanation: Explanation { query: rule.expr.clone(), ..Explanation::default() },
        key,
    };
    alert.silenced_by = moment.quiet(&alert.labels);
    alert
}

/// The series' labels, the rule's, and what matchers rely on; later ones win.
pub(super) fn alert_labels(rule: &RuleSpec, key: &SeriesKey, severity: Severity) -> std::collections::BTreeMap<String, String> {
    let mut labels: std::collections::BTreeMap<String, String> =
        key.labels().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    labels.extend(rule.labels.clone());
    labels.insert("rule".to_owned(), rule.name.clone());
    labels.insert("severity".to_owned(), text_of(&severity));
    labels.insert("kind".to_owned(), text_of(&rule.kind));
    labels
}

/// A unit variant as it is serialized.
fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// FNV-1a over rule and key: the same in every run and on every machine.
fn fingerprint(rule: &str, key: &SeriesKey) -> u64 {
    let text = format!("{rule}\u{0}{key}");
    fnv(text.as_bytes())
}

/// Silences and snoozes of a firing alert, then its level.
fn quiet_and_level(
    instance: &mut Instance,
    rule: &RuleSpec,
    joined: &[String],
    moment: &Moment<'_>,
    channels: &Arc<[String]>,
    out: &mut Outcome,
) {
    let Some(alert) = instance.alert.as_mut() else { return };
    if moment.silences_changed {
        let now = moment.quiet(&alert.labels);
        if now != alert.silenced_by {
            Arc::make_mut(alert).silenced_by = now;
            out.changed = true;
        }
    }
    if alert.state != AlertState::Firing {
        instance.quiet = alert.is_quiet();
        return;
    }
    let other_joined = joined.iter().any(|id| *id != alert.id);
    if let Some(snooze) = &alert.snoozed {
        let ended = snooze.until.is_some_and(|until| until <= moment.at)
            || (snooze.condition.is_some() && (other_joined || worse_since_snooze(rule.limit, instance.snoozed_at, alert.value)));
        if ended {
            Arc::make_mut(alert).snoozed = None;
            out.changed = true;
        }
    }
    let quiet = alert.is_quiet();
    if let Some((value, severity)) = instance.acknowledged_at.filter(|_| alert.acknowledged.is_some() && !quiet)
        && (alert.severity > severity || worse_since_snooze(rule.limit, value, alert.value))
    {
        let reason = "clearly worse than when somebody took care of it".to_owned();
        (instance.firing_for, instance.quiet) = (std::time::Duration::ZERO, quiet);
        out.steps.push(instance::step(alert, Cause::Worsened, moment.at, reason, channels));
        return;
    }
    let levels = moment.escalation.of(&alert.labels);
    let fired_at = alert.fired_at.unwrap_or(moment.at);
    // Nobody takes care of what comes and goes by itself: its levels wait until it has settled.
    let held = instance.quiet || instance.flap.is_flapping();
    if let (false, Passed::Observed(d)) = (held, moment.passed) {
        instance.firing_for = if fired_at == moment.at { std::time::Duration::ZERO } else { instance.firing_for + d };
    } else if !held {
        // Downtime counts: one step to the level that is due.
        instance.firing_for = instance.firing_for.max(moment.at.since(alert.counts_from().unwrap_or(fired_at)));
    } else {
        instance.firing_for = instance.firing_for.max(levels.after(alert.level));
    }
    if instance.quiet && !quiet {
        let reason = "silence or snooze ended".to_owned();
        out.steps.push(instance::step(alert, Cause::Audible, moment.at, reason, channels));
    }
    instance.quiet = quiet;
    let due = levels.due(instance.firing_for);
    if !quiet && !alert.is_flapping() && alert.acknowledged.is_none() && due > alert.level {
        let changed = Arc::make_mut(alert);
        changed.level = due;
        if due >= CRITICAL_LEVEL {
            changed.severity = Severity::Critical;
            changed.labels = alert_labels(rule, &changed.key, Severity::Critical);
            changed.silenced_by = moment.quiet(&changed.labels);
        }
        let reason = format!("nobody took care of it for {}", format_duration(instance.firing_for));
        out.steps.push(instance::step(alert, Cause::Escalated, moment.at, reason, channels));
    }
}
