//! Rules over the stored history, by the very same judge, state machine and outbox.
//!
//! Nothing is written or sent. Invariant: over raw samples the transitions are those of the engine that recorded them; over
//! anything coarser the answer says that it is approximate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::{Context, source_failed};
use super::courses::Courses;
use super::exchange::Judging;
use super::future::Forecasts;
use super::judge::{Evidence, Judge};
use super::live::Head;
use super::telling::reason;
use crate::alert::{Alerter, FED, Step, Tick, settles};
use crate::base::{TimeRange, Timestamp};
use crate::model::catalog::nearest;
use crate::model::{Alert, Condition, Resolution, RuleSpec, SeriesKey, SeriesSource};
use crate::monitor::{Answer, Refusal, RefusalKind, ReplayRequest, Replayed};
use crate::notify::{Outbox, OutboxEvent, OutboxStep, Receipt, Sending, Telling};
use crate::query;

/// Every round of the engine has it: what happened in rounds in which a rule had no value.
const PULSE: &str = "farol_round_seconds";

/// Rounds that are farther apart were recorded by two runs, or by one that slept: what lay between was not observed.
const GAP: u32 = 5;

/// Longest time a replay may take: others wait for the same thread.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// After so many rounds it is looked at the clock: every few milliseconds.
const ROUNDS_A_LOOK: u32 = 4096;

/// Most transitions told.
const MOST_TOLD: usize = 10_000;

/// Answers a wish for a replay.
///
/// # Errors
/// An unknown rule; a history that cannot be read.
pub fn replay(request: &ReplayRequest, context: &Context<'_>) -> Result<Answer, Refusal> {
    let rules = wanted(request, context)?;
    let mut left_out = Vec::new();
    let mut kept: Vec<RuleSpec> = Vec::new();
    for rule in rules {
        match not_kept(&rule.expr, &rule.condition) {
            Some(why) => left_out.push((rule.name, why.to_owned())),
            None => kept.push(rule),
        }
    }
    let interval = Duration::from_secs_f64(context.now.recorder.interval_seconds.clamp(0.1, 3600.0));
    let until = Instant::now() + PATIENCE;
    let mut replayed = run(kept, request.range, (interval, context.judging, until), &context.source())?;
    replayed.left_out = left_out;
    Ok(Answer::Replayed(Box::new(replayed)))
}

/// The draft, the rule of that name, or all in force.
fn wanted(request: &ReplayRequest, context: &Context<'_>) -> Result<Vec<RuleSpec>, Refusal> {
    if let Some(draft) = &request.draft {
        return Ok(vec![(**draft).clone()]);
    }
    let all = &context.judging.rules;
    let Some(name) = &request.rule else { return Ok(all.clone()) };
    let found = all.iter().find(|r| r.name == *name).cloned();
    found.map(|rule| vec![rule]).ok_or_else(|| {
        let near = nearest(name, all.iter().map(|r| r.name.as_str()));
        let hint = near.map_or_else(|| "; see farol rules list".to_owned(), |near| format!("; did you mean \"{near}\"?"));
        Refusal::new(RefusalKind::Invalid, format!("there is no rule \"{name}\"{hint}"))
    })
}

/// Why the past of a condition is not known.
fn not_kept(expr: &str, condition: &Condition) -> Option<&'static str> {
    match condition {
        Condition::Forecast { .. } => Some("forecasts are not kept"),
        Condition::Anomaly => Some("scores of single series are not kept"),
        Condition::Several { parts, .. } => parts.iter().find_map(|p| not_kept(&p.expr, &p.condition)),
        _ => FED.iter().any(|def| def.name == expr).then_some("it is kept as events, not as it stood each second"),
    }
}

/// The series the rules read, and the one that tells when rounds were.
fn series(rules: &[RuleSpec], source: &dyn SeriesSource) -> Result<Vec<SeriesKey>, Refusal> {
    fn expressions<'a>(expr: &'a str, condition: &'a Condition, all: &mut Vec<&'a str>) {
        match condition {
            Condition::Several { parts, .. } => parts.iter().for_each(|p| expressions(&p.expr, &p.condition, all)),
            _ => all.push(expr),
        }
    }
    let mut all = Vec::new();
    rules.iter().for_each(|rule| expressions(&rule.expr, &rule.condition, &mut all));
    let mut keys = source.select(Some(PULSE), &[]).map_err(source_failed)?;
    for expr in all {
        let parsed = query::parse(expr).map_err(|e| Refusal::new(RefusalKind::Invalid, e.to_string()))?;
        for (metric, matchers) in parsed.reads() {
            keys.extend(source.select(metric, matchers).map_err(source_failed)?);
        }
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

/// Runs rules over a span.
///
/// # Errors
/// A rule that is none; a history that cannot be read; more to do than can be done `until` then.
pub(super) fn run(
    rules: Vec<RuleSpec>,
    range: TimeRange,
    (interval, judging, until): (Duration, &Judging, Instant),
    source: &dyn SeriesSource,
) -> Result<Replayed, Refusal> {
    let keys = series(&rules, source)?;
    let mut judge =
        Judge::new(&rules).map_err(|(rule, e)| Refusal::new(RefusalKind::Invalid, format!("rule \"{rule}\": {e}")))?;
    judge.recall(source, range.from).map_err(source_failed)?;
    let mut alerter = Alerter::new(rules);
    alerter.set_escalation(judging.escalation.clone());
    alerter.set_mutes(judging.mutes.clone());
    let outbox = Outbox::new("", judging.routing.clone(), Sending::Real);
    let mut told = Told { outbox, due: None, messages: BTreeMap::new() };
    let mut head = Head::new(interval);
    let forecasts = Forecasts::new();
    let mut replayed = Replayed { range, ..Replayed::default() };
    let mut alerts: BTreeMap<String, Arc<Alert>> = BTreeMap::new();
    let mut courses = Courses::new(source, &keys, range);
    let (mut readings, mut before) = (Vec::new(), None);
    let mut rounds = 0_u32;
    while let Some(at) = courses.next(&mut readings).map_err(source_failed)? {
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(ROUNDS_A_LOOK) && Instant::now() > until {
            let message = "the replay takes too long; ask for a shorter span or for one rule";
            return Err(Refusal::new(RefusalKind::Unavailable, message));
        }
        let interval = interval.max(courses.resolution().step());
        head.set_interval(interval);
        head.push(at, &readings);
        let elapsed = before.map(|before| at.since(before)).filter(|d| *d <= interval * GAP);
        before = Some(at);
        let evidence = Evidence { head: &head, at, readings: &readings, fed: &[], scores: &[], forecasts: &forecasts };
        let steps = judge.evaluate(evidence, |values| alerter.step(Tick { at, elapsed, interval }, values));
        told.tell(&steps, alerter.rules(), at);
        for step in steps {
            replayed.n_transitions += 1;
            if replayed.transitions.len() < MOST_TOLD {
                replayed.transitions.push(step.transition);
            }
            alerts.insert(step.alert.id.clone(), step.alert);
        }
    }
    told.end(range.to);
    replayed.approximate = courses.resolution() > Resolution::Raw;
    replayed.messages = told.messages;
    replayed.alerts = alerts.into_values().filter(|a| a.fired_at.is_some()).collect();
    replayed.alerts.sort_by_key(|a| (a.fired_at, a.id.len(), a.id.clone()));
    Ok(replayed)
}

/// What would have been told: every channel works at once.
struct Told {
    outbox: Outbox,
    /// When the outbox has something to do: asked after each of its steps, not each round.
    due: Option<Timestamp>,
    messages: BTreeMap<String, u64>,
}

impl Told {
    fn tell(&mut self, steps: &[Step], rules: &[RuleSpec], at: Timestamp) {
        let telling = |step: &Step| Telling {
            alert: Arc::clone(&step.alert),
            reason: reason(step.cause, &step.alert),
            channels: Arc::clone(&step.channels),
            settles: settles(step, rules),
        };
        // What waited for a time before this one went out then.
        self.until(at);
        let tellings: Vec<Telling> = steps.iter().filter(|s| s.cause.is_told()).map(telling).collect();
        if !tellings.is_empty() {
            let step = self.outbox.step(OutboxEvent::Told(&tellings), at);
            self.deliver(step, at);
            self.due = self.outbox.next_due();
        }
    }

    fn until(&mut self, at: Timestamp) {
        while let Some(due) = self.due.filter(|due| *due <= at) {
            let step = self.outbox.step(OutboxEvent::Due, due);
            if step.deliveries.is_empty() && step.writes.is_empty() {
                return;
            }
            self.deliver(step, due);
            self.due = self.outbox.next_due();
        }
    }

    /// What still waits at the end of the span is told after it.
    fn end(&mut self, at: Timestamp) {
        self.until(at + Duration::from_secs(3600));
    }

    fn deliver(&mut self, step: OutboxStep, at: Timestamp) {
        let mut deliveries = step.deliveries;
        while let Some(delivery) = deliveries.pop() {
            *self.messages.entry(delivery.channel).or_default() += 1;
            let done = OutboxEvent::Done { row: delivery.row, result: Ok(Receipt::default()) };
            deliveries.extend(self.outbox.step(done, at).deliveries);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, load};
    use crate::engine::core::Core;
    use crate::engine::exchange::{CoreSettings, Past, Timing};
    use crate::engine::{Surroundings, catalog, settings};
    use crate::model::{Bucket, HostFacts, JournalEvent, Matcher, Points, Reading, Sample, SourceError, Transition};
    use crate::store::{Reader, Store, StoreConfig, Writer};

    const RULES: &str = r#"
[notify.file]
path = "alerts.jsonl"
[[rule]]
name = "tight"
metric = "memory_used_ratio"
above = "85%"
for = "3s"
clear = "84%"
[[rule]]
name = "jumps"
metric = "memory_used_ratio"
above = { warning = "85%", critical = "85.5%" }
times = "2 of 3"
min_duration = "5s"
[[rule]]
name = "mean"
metric = "memory_used_ratio"
aggregate = "p90"
window = "30s"
above = "84%"
[[rule]]
name = "parts"
metric = "filesystem_used_ratio"
aggregate = "change"
window = "1m"
windows = "tumbling"
above = "1%"
mutes = ["gone"]
[[rule]]
name = "gone"
metric = "filesystem_used_ratio"
no_data = "20s"
"#;

    const SECONDS: u64 = 3600;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_seconds(1_780_012_800) + Duration::from_secs(second)
    }

    /// Values that cross limits often, and by less than the history keeps.
    fn readings(second: u64) -> Vec<Reading> {
        let noise = |n: u64| (second.wrapping_mul(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1u64 << 24) as f64;
        let wave = (second as f64 / 40.0).sin() * 0.006;
        let reading = |key: SeriesKey, value| Reading { key, value, cumulative: None };
        let mut all = vec![reading(SeriesKey::total("memory_used_ratio"), 0.8497 + wave + noise(3) * 0.0006)];
        for mount in ["/", "/var"] {
            if mount == "/" || second % 300 < 240 {
                let value = 0.5 + noise(7 + mount.len() as u64) * 0.02;
                all.push(reading(SeriesKey::new("filesystem_used_ratio", [("mount", mount)]), value));
            }
        }
        all
    }

    struct Live {
        _dir: tempfile::TempDir,
        settings: CoreSettings,
        writer: Writer,
        reader: Reader,
        transitions: Vec<Transition>,
    }

    fn live(store: &StoreConfig) -> Live {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("config.toml");
        std::fs::write(&file, RULES).expect("written");
        let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("a good configuration").config;
        let host = Arc::new(HostFacts { name: "web-1".to_owned(), cores: 4, ..HostFacts::default() });
        let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending: Sending::Dry };
        let settings = settings(&config, &Arc::new(catalog()), &around).expect("good settings");
        let (mut writer, reader) = Store::open(&dir.path().join("farol.redb"), store).expect("a history");
        let mut core = Core::new(settings.clone(), Past::default(), at(0)).expect("good rules");
        let mut transitions = Vec::new();
        for second in 0..SECONDS {
            let since_previous = (second > 0).then(|| Duration::from_secs(1));
            let sample = Sample { seq: second, at: at(second), since_previous, readings: readings(second), ..Sample::default() };
            let output = core.tick(sample, Timing::default());
            for entry in output.pulse.iter().flat_map(|p| &p.journal) {
                if let JournalEvent::Transition { transition, .. } = &entry.event {
                    transitions.push(transition.clone());
                }
            }
            for (at, readings) in output.rounds.iter().flatten() {
                writer.push(*at, readings);
            }
            writer.queue(output.now);
        }
        for (at, readings) in core.finish(at(SECONDS)).rounds.iter().flatten() {
            writer.push(*at, readings);
        }
        writer.flush(at(SECONDS)).expect("room");
        Live { _dir: dir, settings, writer, reader, transitions }
    }

    fn replayed(live: &Live) -> Replayed {
        let kept = |rule: &&RuleSpec| not_kept(&rule.expr, &rule.condition).is_none();
        let rules = live.settings.rules.iter().filter(kept).cloned().collect();
        let range = TimeRange { from: at(0), to: at(SECONDS) };
        let view = live.reader.view().expect("readable");
        run(rules, range, (Duration::from_secs(1), &live.settings.judging(), Instant::now() + PATIENCE), &view).expect("readable")
    }

    /// What happened, without the ids that depend on rules that cannot be replayed.
    fn told(transitions: &[Transition]) -> Vec<String> {
        let of = |t: &Transition| format!("{:?} {} {:?} {}", t.at, t.rule, t.to, t.reason);
        let mut told: Vec<String> = transitions.iter().map(of).collect();
        told.sort();
        told
    }

    #[test]
    fn over_raw_samples_a_replay_is_the_engine_transition_for_transition() {
        let mut live = live(&StoreConfig::default());
        while live.writer.maintain(at(SECONDS)).expect("room") {}
        let found = replayed(&live);
        let expected: Vec<Transition> = live.transitions.iter().filter(|t| t.rule != "prediction").cloned().collect();
        assert!(!found.approximate && found.n_transitions > 100, "{} transitions", found.n_transitions);
        for rule in ["tight", "jumps", "mean", "parts", "gone"] {
            assert!(found.transitions.iter().any(|t| t.rule == rule), "{rule} never changed");
        }
        assert_eq!(told(&found.transitions), told(&expected));
        assert!(found.messages["file"] > 10, "{:?}", found.messages);
    }

    /// A history whose samples are gone.
    struct Rolled;

    impl SeriesSource for Rolled {
        fn select(&self, metric: Option<&str>, _: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError> {
            Ok(vec![SeriesKey::total(metric.unwrap_or_default())])
        }

        fn points(&self, key: &SeriesKey, range: TimeRange, _: Resolution) -> Result<Points, SourceError> {
            let starts = (0..60).map(|n| range.from + Duration::from_secs(n * 10));
            let buckets = starts.map(|at| Bucket { count: 10, ..Bucket::raw(at, 0.9) }).collect();
            Ok(Points { key: key.clone(), resolution: Resolution::TenSeconds, buckets })
        }

        fn interval(&self, _: &SeriesKey) -> Duration {
            Duration::from_secs(1)
        }
    }

    #[test]
    fn what_is_not_known_any_more_is_said() {
        let rule = RuleSpec::of("tight", "memory_used_ratio", crate::model::Limit::Above(0.85));
        let range = TimeRange { from: at(0), to: at(600) };
        let judging = Judging::default();
        let judged = |until| run(vec![rule.clone()], range, (Duration::from_secs(1), &judging, until), &Rolled);
        let found = judged(Instant::now() + PATIENCE).expect("readable");
        assert!(found.approximate && found.alerts.len() == 1, "{found:?}");
        let host = HostFacts::default();
        let predicted = crate::alert::default_rules(&host, None).into_iter().find(|r| r.name == "prediction");
        let predicted = predicted.expect("it comes along");
        assert!(not_kept(&predicted.expr, &predicted.condition).is_some());
    }
}
