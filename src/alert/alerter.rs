//! All rules over all instances, tick by tick.
//!
//! Invariant: a quiet instance costs one comparison and no memory; every change comes out as a [`Step`].

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{
    Alert, AlertState, Escalations, Explanation, HealthScore, RuleSpec, SeriesKey, Severity, Silence, Transition,
};

use super::instance::{self, Instance, Labels, Passed};
use super::mute::{Mute, Mutes, Program};
use super::silence::in_force;
use super::watch::{Moment, Outcome, Watch, id_number, id_text};
use super::{Standing, health_score};

/// One tick's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Wall clock.
    pub at: Timestamp,
    /// Monotonic time since the tick before; `None` for the first one and after suspend: what lay between is not observed.
    pub elapsed: Option<Duration>,
    /// Nominal time between two ticks.
    pub interval: Duration,
}

/// Values of one rule in one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleValues<'a> {
    /// Name of the rule; fastest in the order of the rules.
    pub rule: &'a str,
    /// One for each series the rule's expression gives; a series without value is absent.
    pub instances: &'a [(SeriesKey, f64)],
}

/// Why a step was made; what is to be told follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The condition holds, not yet for long enough: nobody is told.
    Pending,
    /// It passed before the rule fired: nobody is told.
    Withdrawn,
    /// The rule fired: level 0.
    Fired,
    /// Nobody took care of it: a higher level, told to all up to it.
    Escalated,
    /// It got clearly worse after somebody took care of it, or reached a worse severity: their care is over, and escalation starts
    /// again.
    Worsened,
    /// It flaps, and its condition changed: nobody is told.
    Wavered,
    /// It flaps no longer, and still fires.
    Settled,
    /// A silence or a snooze ended while it fires: those who were not told are.
    Audible,
    /// Over: told to those who were told that it fired.
    Resolved,
}

impl Cause {
    /// Whether people may be told. The others need no commit of their own: they go with the next flush, and a
    /// [`Cause::Pending`] that is withdrawn before it leaves no trace.
    pub fn is_told(self) -> bool {
        !matches!(self, Self::Pending | Self::Withdrawn | Self::Wavered)
    }
}

/// One change of one alert: journal `transition` with `alert`.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Why.
    pub cause: Cause,
    /// The change; for [`Cause::Escalated`] and [`Cause::Audible`] from firing to firing.
    pub transition: Transition,
    /// The alert after it.
    pub alert: Arc<Alert>,
    /// Channels named by the rule; empty: as routed.
    pub channels: Arc<[String]>,
}

/// What is known of alerts from before a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restored {
    /// Alerts and silences as the journal left them, not pruned: what ended meanwhile is told.
    pub standing: Standing,
    /// The highest number ever given to an alert or silence, where the store knows a higher one than `standing`.
    pub last_id: u64,
    /// Time of the last tick before; `None` where not known.
    pub last_tick: Option<Timestamp>,
}

/// How long an alert that is over stays in the list.
pub(super) const RECENT: Duration = Duration::from_secs(3600);

/// The rules and all that they watch.
#[derive(Debug, Default)]
pub struct Alerter {
    rules: Vec<RuleSpec>,
    /// One for each rule, at the same place.
    pub(super) watches: Vec<Watch>,
    escalation: Escalations,
    mutes: Mutes,
    /// Over for less than [`RECENT`], oldest first.
    pub(super) recent: VecDeque<Arc<Alert>>,
    /// Alerts from before a restart whose rule is gone.
    orphans: Vec<Arc<Alert>>,
    pub(super) silences: Vec<Silence>,
    /// Silences in force at the last tick; `None`: they must be looked at again.
    pub(super) in_force: Option<Vec<String>>,
    pub(super) last_id: u64,
    last_tick: Option<Timestamp>,
    round: u64,
    list: Option<Arc<[Arc<Alert>]>>,
    changed: bool,
}

impl Alerter {
    /// Watches by these rules; of two with one name the last counts.
    pub fn new(rules: Vec<RuleSpec>) -> Self {
        let rules = last_of_each(rules);
        let watches = rules.iter().map(Watch::new).collect();
        let mut mutes = Mutes::default();
        mutes.follow(&rules);
        Self { rules, watches, mutes, ..Self::default() }
    }

    /// What is not told by plan.
    pub fn set_mutes(&mut self, mutes: Vec<Mute>) {
        self.mutes.plan(mutes);
        self.in_force = None;
    }

    /// Notes which programs run, where a mute asks for any; before each tick.
    pub fn look(&mut self, runs: impl Fn(&Program) -> bool) {
        if self.mutes.ask_for_programs() {
            self.mutes.look(runs);
        }
    }

    /// Other levels than those of the mission, for all and by route.
    pub fn set_escalation(&mut self, levels: Escalations) {
        self.escalation = levels;
    }

    /// Takes up alerts and silences from before a restart; call once, before the first tick.
    ///
    /// A firing alert goes on firing. A pending one goes on counting if the first tick comes less than two intervals after
    /// `last_tick`, else its `for` starts again; `clear_for`, `times` and the `for` of one that flaps start again. Escalation counts the downtime: one step
    /// to the level due.
    pub fn restore(&mut self, restored: Restored) {
        let Restored { standing, last_id, last_tick } = restored;
        let ids = standing.alerts.iter().map(|a| &a.id).chain(standing.silences.iter().map(|s| &s.id));
        self.last_id = ids.filter_map(|id| id_number(id)).fold(last_id.max(self.last_id), u64::max);
        self.last_tick = last_tick;
        self.silences = standing.silences;
        for alert in standing.alerts.into_iter().map(Arc::new) {
            if alert.state == AlertState::Resolved {
                if alert.fired_at.is_some() {
                    self.recent.push_back(alert);
                }
                continue;
            }
            match self.rules.iter().position(|r| r.name == alert.rule) {
                Some(at) => {
                    let labels = Labels(alert.key.clone());
                    let mut instance = Instance::restored(alert, last_tick);
                    instance.adopt(&self.rules[at]);
                    self.watches[at].active.insert(labels, instance);
                }
                None => self.orphans.push(alert),
            }
        }
        self.recent.make_contiguous().sort_by_key(|a| a.resolved_at);
        // The last alert of a series says how it came and went.
        for over in self.recent.iter().rev() {
            let Some(at) = self.rules.iter().position(|r| r.name == over.rule) else { continue };
            if let Entry::Vacant(place) = self.watches[at].active.entry(Labels(over.key.clone()))
                && let Some(instance) = Instance::remembered(over.flaps, last_tick)
            {
                place.insert(instance);
            }
        }
        self.touch();
    }

    /// Other rules: alerts of rules that are gone or now watch something else are over, the others go on under the new rule.
    pub fn set_rules(&mut self, rules: Vec<RuleSpec>, at: Timestamp) -> Vec<Step> {
        let rules = last_of_each(rules);
        let mut watches: Vec<Watch> = rules.iter().map(Watch::new).collect();
        let mut steps = Vec::new();
        for (old, mut watch) in std::mem::take(&mut self.rules).into_iter().zip(std::mem::take(&mut self.watches)) {
            let new = rules.iter().position(|r| r.name == old.name);
            match new {
                Some(new) if same_values(&rules[new], &old) => {
                    watches[new].active = watch.active;
                    for instance in watches[new].active.values_mut() {
                        instance.adopt(&rules[new]);
                    }
                }
                _ => {
                    let reason = if new.is_some() { "the rule watches something else now" } else { "the rule is gone" };
                    steps.extend(watch.close(at, reason));
                }
            }
        }
        self.recent.extend(steps.iter().filter(|s| s.cause == Cause::Resolved).map(|s| Arc::clone(&s.alert)));
        self.mutes.follow(&rules);
        (self.rules, self.watches) = (rules, watches);
        self.in_force = None;
        self.touch();
        steps
    }

    /// The rules in use, in the order to hand values in.
    pub fn rules(&self) -> &[RuleSpec] {
        &self.rules
    }

    /// Judges one tick's values. A rule that is not among them has no values; each rule is there once at most.
    pub fn step(&mut self, tick: Tick, values: &[RuleValues<'_>]) -> Vec<Step> {
        let passed = self.passed(tick);
        self.round += 1;
        let mut out = Outcome { last_id: self.last_id, ..Outcome::default() };
        self.close_orphans(tick.at, &mut out);
        let mut silences_changed = self.refresh_silences(tick.at, &mut out);
        silences_changed |= self.mutes.refresh(tick.at, firing(&self.watches));
        if passed == Passed::Gap {
            for instance in self.watches.iter_mut().flat_map(|w| w.active.values_mut()) {
                out.changed |= instance.restart_hold(tick.at);
            }
        }
        let round = self.round;
        let (silences, mutes, escalation) = (&self.silences, &self.mutes, &self.escalation);
        let before = Moment { at: tick.at, passed, round, silences, mutes, silences_changed, escalation };
        for (n, given) in values.iter().enumerate() {
            if let Some(at) = place(&self.rules, n, given.rule) {
                self.watches[at].judge(&self.rules[at], given.instances, &before, &mut out);
            }
        }
        if self.mutes.follow_alerts() && self.mutes.refresh(tick.at, firing(&self.watches)) {
            silences_changed = true;
            keep_quiet(&self.mutes, &mut self.watches, &mut out);
        }
        let (silences, mutes, escalation) = (&self.silences, &self.mutes, &self.escalation);
        let moment = Moment { at: tick.at, passed, round, silences, mutes, silences_changed, escalation };
        for (rule, watch) in self.rules.iter().zip(&mut self.watches) {
            watch.pass(rule, &moment, &mut out);
        }
        self.finish(tick.at, out)
    }

    fn finish(&mut self, at: Timestamp, out: Outcome) -> Vec<Step> {
        self.last_tick = Some(at);
        self.last_id = out.last_id;
        let fresh = self.recent.partition_point(|a| a.resolved_at.is_some_and(|over| at.since(over) > RECENT));
        self.recent.drain(..fresh);
        let any = fresh > 0 || out.changed || !out.steps.is_empty();
        self.recent.extend(out.over);
        if any {
            self.touch();
        }
        out.steps
    }

    /// Time since the last tick, as far as it was observed: without a monotonic span, a wall-clock gap under two intervals.
    fn passed(&self, tick: Tick) -> Passed {
        match (tick.elapsed, self.last_tick) {
            (Some(elapsed), _) => Passed::Observed(elapsed),
            (None, Some(last)) if last <= tick.at && tick.at.since(last) < tick.interval * 2 => {
                Passed::Observed(tick.at.since(last))
            }
            (None, _) => Passed::Gap,
        }
    }

    fn close_orphans(&mut self, at: Timestamp, out: &mut Outcome) {
        for mut alert in self.orphans.drain(..) {
            let cause = if alert.state == AlertState::Firing { Cause::Resolved } else { Cause::Withdrawn };
            out.steps.push(instance::step(&mut alert, cause, at, "the rule is gone".to_owned(), &Arc::default()));
            out.over.extend((cause == Cause::Resolved).then_some(alert));
        }
    }

    /// Drops silences that ended; true where others are in force than at the last tick.
    fn refresh_silences(&mut self, at: Timestamp, out: &mut Outcome) -> bool {
        let before = self.silences.len();
        self.silences.retain(|s| s.until > at);
        out.changed |= self.silences.len() != before;
        let unchanged = self.in_force.as_ref().is_some_and(|ids| {
            let now = self.silences.iter().filter(|s| in_force(s, at)).map(|s| &s.id);
            now.eq(ids.iter())
        });
        if !unchanged {
            self.in_force = Some(self.silences.iter().filter(|s| in_force(s, at)).map(|s| s.id.clone()).collect());
        }
        !unchanged
    }

    pub(super) fn touch(&mut self) {
        self.changed = true;
        self.list = None;
    }

    /// Gives an alert the explanation made when it fired, and the alert with it; `None` where there is no such alert.
    pub fn explain(&mut self, alert: &str, explanation: Explanation) -> Option<Arc<Alert>> {
        let found = self.find(alert)?;
        Arc::make_mut(found).explanation = explanation;
        let explained = Arc::clone(found);
        self.touch();
        Some(explained)
    }

    /// The pending, firing or recently resolved alert of that id.
    pub(super) fn find(&mut self, id: &str) -> Option<&mut Arc<Alert>> {
        let active = self.watches.iter_mut().find_map(|w| w.find(id)).and_then(|i| i.alert.as_mut());
        active.or_else(|| self.recent.iter_mut().find(|a| a.id == id))
    }

    fn active(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.watches.iter().flat_map(|w| w.active.values()).filter_map(|i| i.alert.as_ref())
    }

    /// Pending, firing and for an hour resolved alerts, worst first: firing by severity, then pending, then resolved, the newest
    /// of equals first. The same allocation until something changes.
    pub fn alerts(&mut self) -> Arc<[Arc<Alert>]> {
        if let Some(list) = &self.list {
            return Arc::clone(list);
        }
        let mut list: Vec<Arc<Alert>> = self.active().chain(&self.recent).cloned().collect();
        list.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| b.since.cmp(&a.since)).then_with(|| a.id.cmp(&b.id)));
        let list: Arc<[Arc<Alert>]> = list.into();
        self.list = Some(Arc::clone(&list));
        list
    }

    /// Silences that have not ended, by end.
    pub fn silences(&self) -> Arc<[Silence]> {
        let mut list = self.silences.clone();
        list.sort_by(|a, b| (a.until, &a.id).cmp(&(b.until, &b.id)));
        list.into()
    }

    /// Maintenance silences in force, oldest first.
    pub fn maintenance(&self, at: Timestamp) -> impl Iterator<Item = &Silence> {
        self.silences.iter().filter(move |s| s.maintenance && in_force(s, at))
    }

    /// Whether alerts or silences changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The machine's health by its firing alerts.
    pub fn health(&self) -> HealthScore {
        health_score(self.active())
    }

    /// A new id, of the same kind as those of alerts and silences.
    pub fn take_id(&mut self) -> String {
        self.last_id += 1;
        id_text(self.last_id)
    }

    /// The highest number ever given to an alert or silence: kept by the engine, so that ids are never reused.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }
}

/// Alerts that fire.
fn firing(watches: &[Watch]) -> impl Iterator<Item = &Alert> + Clone {
    let alerts = watches.iter().flat_map(|w| w.active.values()).filter_map(|i| i.alert.as_deref());
    alerts.filter(|a| a.state == AlertState::Firing)
}

/// Alerts that fired together with what mutes them are not told.
fn keep_quiet(mutes: &Mutes, watches: &mut [Watch], out: &mut Outcome) {
    for step in out.steps.iter_mut().filter(|s| s.cause == Cause::Fired) {
        let ids: Vec<String> = mutes.of(&step.alert.labels).filter(|id| !step.alert.silenced_by.contains(id)).collect();
        if ids.is_empty() {
            continue;
        }
        Arc::make_mut(&mut step.alert).silenced_by.extend(ids);
        if let Some(instance) = watches.iter_mut().find_map(|w| w.find(&step.alert.id)) {
            instance.quiet = true;
            instance.alert = Some(Arc::clone(&step.alert));
        }
    }
}

/// Where a list of alerts has it: firing before pending before resolved, then the worst.
fn rank(alert: &Alert) -> (u8, std::cmp::Reverse<Severity>) {
    let state = match alert.state {
        AlertState::Firing => 0,
        AlertState::Pending => 1,
        AlertState::Resolved => 2,
    };
    (state, std::cmp::Reverse(alert.severity))
}

/// The place of a rule, first looked for where it is expected.
fn place(rules: &[RuleSpec], expected: usize, name: &str) -> Option<usize> {
    match rules.get(expected) {
        Some(rule) if rule.name == name => Some(expected),
        _ => rules.iter().position(|r| r.name == name),
    }
}

/// Whether two rules of one name judge the same values.
fn same_values(a: &RuleSpec, b: &RuleSpec) -> bool {
    a.expr == b.expr && a.metric == b.metric && a.condition == b.condition && a.unit == b.unit && a.prefer_total == b.prefer_total
}

/// Each name once: the last rule of that name, at the place of the first.
fn last_of_each(rules: Vec<RuleSpec>) -> Vec<RuleSpec> {
    let mut kept: Vec<RuleSpec> = Vec::with_capacity(rules.len());
    for rule in rules {
        match kept.iter_mut().find(|k| k.name == rule.name) {
            Some(known) => *known = rule,
            None => kept.push(rule),
        }
    }
    kept
}
