//! The fold of events into pulses: owns all live state, knows no thread, file or clock.
//!
//! Every method takes the time it needs and gives an [`Output`]: what changed, what must be written,
//! what must be sent. Invariant: the same events give the same outputs, so replay is the same code.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::anomalies::RecentAnomalies;
use super::blame::Blame;
use super::changes::Changes;
use super::exchange::{CoreSettings, LAST_ID, Output, Past, Rounds, Timing, notice};
use super::future::{Forecasts, tells};
use super::heard::Ears;
use super::judge::{Evidence, Judge};
use super::live::Head;
use super::own::OwnKeys;
use super::patterns::Noticed;
use super::periodic::Due;
use super::plan;
use super::schedule::Reports;
use super::security::Watch;
use super::steady;
use super::telling::channel_fault;
use super::telling::reason;
use crate::alert::{Alerter, Cause, Program, Step, Tick, settles};
use crate::analyze::{Analyzer, Predictor, Stability};
use crate::base::{TimeRange, Timestamp};
use crate::check::ServiceBoard;
use crate::model::{
    Band, Forecast, JournalEntry, JournalEvent, Lesson, Listener, Process, Pulse, Reading, RecorderHealth, Sample, Score,
    SeriesKey, ServiceStatus, SourceFault, StoreHealth,
};
use crate::notify::{Outbox, Telling};
use crate::store::{Write, kept};

/// Most values of a learned band in one answer: more than a screen has columns.
const MAX_BANDS: u32 = 500;

/// How unusual a series is.
const SCORE: &str = "anomaly_score";

/// All live state.
pub struct Core {
    pub(super) settings: CoreSettings,
    pub(super) head: Arc<RwLock<Head>>,
    pub(super) analyzer: Analyzer,
    pub(super) predictor: Predictor,
    pub(super) alerter: Alerter,
    pub(super) judge: Judge,
    pub(super) board: ServiceBoard,
    pub(super) outbox: Outbox,
    pub(super) reports: Reports,
    pub(super) stability: Stability,
    pub(super) noticed: Noticed,
    anomalies: RecentAnomalies,
    pub(super) blame: Blame,
    pub(super) changes: Changes,
    pub(super) watch: Watch,
    pub(super) ears: Ears,
    own: OwnKeys,
    /// This tick's readings as the history keeps them.
    pub(super) kept: Vec<Reading>,
    scores: Arc<[Score]>,
    // Of each score the series it is recorded as.
    score_keys: Vec<SeriesKey>,
    machine_score: SeriesKey,
    pub(super) processes: Arc<[Arc<Process>]>,
    pub(super) services: Arc<[ServiceStatus]>,
    pub(super) listeners: Arc<[Listener]>,
    pub(super) listeners_changed: bool,
    pub(super) forecasts: Forecasts,
    pub(super) faults: Arc<[SourceFault]>,
    pub(super) recorder: RecorderHealth,
    pub(super) seq: u64,
    pub(super) rounds: Rounds,
    pub(super) later: Vec<Write>,
    pub(super) due: Due,
    // The highest id written at once, and with a flush.
    saved_id: u64,
    noted_id: u64,
    // What was learned since the start, oldest first.
    pub(super) lessons: Vec<Lesson>,
}

impl Core {
    /// A core that goes on where the history ends. Saved state that cannot be read is learned anew; said in the journal.
    ///
    /// # Errors
    /// A rule whose expression cannot be read.
    pub fn new(settings: CoreSettings, past: Past, now: Timestamp) -> Result<Self, String> {
        let judge = Judge::new(&settings.rules).map_err(|(rule, e)| format!("rule \"{rule}\": {e}"))?;
        let mut analyzer = Analyzer::new(&settings.analyze, Arc::clone(&settings.catalog));
        let mut later = Vec::new();
        if let Some(bytes) = &past.learned
            && let Err(error) = analyzer.restore(now, bytes)
        {
            later.push(Write::Journal(notice(now, format!("{error}; learning starts anew"))));
        }
        let mut alerter = Alerter::new(settings.rules.clone());
        alerter.set_escalation(settings.escalation.clone());
        alerter.set_mutes(settings.mutes.clone());
        let noticed = Noticed::restore(&past, now);
        let saved_id = past.alerts.last_id;
        alerter.restore(past.alerts);
        let mut board = ServiceBoard::new(&settings.services);
        board.restore(&past.services);
        let mut outbox = Outbox::new(&settings.host.name, settings.routing.clone(), settings.sending);
        outbox.restore(past.outbox);
        let reports = Reports::restore(settings.reports.clone(), &past.reports);
        let mut stability = steady::measure(&settings);
        stability.restore(past.stability.as_deref().unwrap_or_default());
        Ok(Self {
            head: Arc::new(RwLock::new(Head::new(settings.interval))),
            analyzer,
            predictor: Predictor::restore(past.predictions),
            alerter,
            judge,
            board,
            outbox,
            reports,
            stability,
            noticed,
            anomalies: RecentAnomalies::new(past.anomalies, now),
            blame: Blame::default(),
            changes: Changes::default(),
            watch: Watch::default(),
            ears: Ears::default(),
            own: OwnKeys::default(),
            kept: Vec::new(),
            scores: Arc::new([]),
            score_keys: Vec::new(),
            machine_score: SeriesKey::total("anomaly_machine_score"),
            processes: Arc::new([]),
            services: Arc::new([]),
            listeners: Arc::new([]),
            listeners_changed: false,
            forecasts: BTreeMap::new(),
            faults: Arc::new([]),
            recorder: RecorderHealth::default(),
            seq: 0,
            rounds: Vec::new(),
            later,
            due: Due::default(),
            saved_id,
            noted_id: saved_id,
            lessons: Vec::new(),
            settings,
        })
    }

    /// What it was made from.
    pub fn settings(&self) -> &CoreSettings {
        &self.settings
    }

    /// The head, shared with readers.
    pub fn head(&self) -> Arc<RwLock<Head>> {
        Arc::clone(&self.head)
    }

    /// Facts, silences, predictions and alerts as they stand: the first pulse after a start.
    pub fn first_pulse(&mut self, at: Timestamp) -> Pulse {
        let mut pulse = self.next_pulse(at);
        pulse.host = Some(Arc::clone(&self.settings.host));
        pulse.alerts = Some(self.alerter.alerts());
        pulse.silences = Some(self.alerter.silences());
        pulse.rules = Some(plan::watched(&self.settings.rules));
        pulse.next_steps = Some(self.next_steps());
        pulse.health = Some(self.alerter.health());
        pulse.predictions = Some(self.predictor.shown());
        pulse.record = Some(self.predictor.record());
        pulse.anomalies = Some(self.anomalies.list());
        pulse.patterns = Some(self.noticed.patterns());
        pulse.services = Some(Arc::clone(&self.services)).filter(|s| !s.is_empty()).or_else(|| self.board.statuses());
        pulse.processes.changed = self.processes.to_vec();
        pulse.readings = self.rounds.last().map(|(_, readings)| Arc::clone(readings));
        pulse.recorder = Some(Arc::new(self.recorder.clone()));
        pulse
    }

    /// Folds one sample.
    pub fn tick(&mut self, mut sample: Sample, timing: Timing) -> Output {
        let at = sample.at;
        if let Some(interval) = timing.interval.filter(|i| *i != self.settings.interval) {
            self.set_interval(interval);
        }
        if timing.anew {
            let named = |p: &&Arc<Process>| sample.processes.changed.iter().any(|c| c.id == p.id);
            let gone: Vec<_> = self.processes.iter().filter(|p| !named(p)).map(|p| p.id).collect();
            sample.processes.gone.extend(gone);
        }
        let mut output = Output::default();
        let mut pulse = self.next_pulse(at);
        pulse.since_previous = sample.since_previous;
        if !sample.processes.is_empty() {
            self.changes.processes(at, &self.processes, &sample.processes);
            self.blame.follow(&self.processes, &sample.processes);
            self.processes = sample.processes.apply(&self.processes);
        }
        pulse.processes = sample.processes;
        pulse.listeners = std::mem::take(&mut self.listeners_changed).then(|| Arc::clone(&self.listeners));
        let mut faults = sample.faults;
        faults.extend(self.outbox.failing().into_iter().map(channel_fault));
        faults.extend(self.report_faults());
        if *self.faults != *faults {
            self.faults = faults.into();
            pulse.faults = Some(Arc::clone(&self.faults));
        }
        let readings = self.readings(at, sample.readings, timing, &mut pulse);
        self.look_for_symptoms(at, &readings, &pulse);
        self.tell_security(at, &mut pulse);
        self.write_head(at, &readings);
        self.predict(at, &readings, &mut pulse);
        self.look_at_answers(at, &mut pulse);
        let tick = Tick { at, elapsed: sample.since_previous, interval: self.settings.interval };
        let steps = self.judge_rules(tick);
        self.take_steps(at, steps, &mut output, &mut pulse);
        self.tell_again(at, &mut output, &mut pulse);
        self.begin_reports(at, &mut output);
        self.add_alerts(&mut pulse);
        self.periodic(at, timing, &mut pulse);
        self.rounds.push((at, Arc::clone(&readings)));
        pulse.readings = Some(readings);
        if Due::take(&mut self.due.flush, at, self.settings.flush) {
            output.rounds = Some(std::mem::take(&mut self.rounds));
            output.later = std::mem::take(&mut self.later);
        }
        output.pulse = Some(pulse);
        output
    }

    /// All readings of the tick, sorted by key: sources, services, farol itself, anomaly scores.
    fn readings(&mut self, at: Timestamp, mut readings: Vec<Reading>, timing: Timing, pulse: &mut Pulse) -> Arc<[Reading]> {
        self.board.tick(at);
        self.keep_maintenance(at);
        self.add_services(pulse);
        self.board.readings(&mut readings);
        self.stability.observe(at, pulse.since_previous, &self.services, &self.analyzer);
        self.stability.readings(at, &mut readings);
        self.noticed.readings(&self.services, &mut readings);
        self.ears.readings(&mut readings);
        let own = [
            self.alerter.health().score,
            timing.round.as_secs_f64(),
            timing.lateness.as_secs_f64(),
            timing.skipped as f64,
            timing.dropped as f64,
            readings.len() as f64,
            self.recorder.store.file_bytes as f64,
            self.outbox.depth() as f64,
            f64::from(u8::from(self.recorder.store.ok)),
        ];
        self.own.add(own, &mut readings);
        readings.sort_by(|a, b| a.key.cmp(&b.key));
        self.changes.readings(at, &readings);
        let analysis = self.analyzer.observe(at, &readings);
        if !analysis.anomalies.is_empty() {
            self.later.extend(self.anomalies.apply(&analysis.anomalies, at));
            pulse.anomalies = Some(self.anomalies.list());
        }
        let mut scored = vec![Reading { key: self.machine_score.clone(), value: analysis.machine_score, cumulative: None }];
        if let Some(scores) = analysis.scores {
            self.scores = scores.into();
            self.score_keys = self.scores.iter().map(|score| score_key(&score.key)).collect();
            pulse.scores = Some(Arc::clone(&self.scores));
        }
        let unusual = self.score_keys.iter().zip(self.scores.iter());
        scored.extend(unusual.map(|(key, score)| Reading { key: key.clone(), value: score.strength, cumulative: None }));
        scored.append(&mut readings);
        // A few values in front of a sorted list: insertion is all this sort does.
        scored.sort_by(|a, b| a.key.cmp(&b.key));
        scored.into()
    }

    /// The head holds what the history will hold, so that rules judge now as they would over the past.
    fn write_head(&mut self, at: Timestamp, readings: &[Reading]) {
        self.kept.clear();
        self.kept.extend(readings.iter().map(|r| Reading { value: kept(r), ..r.clone() }));
        self.head.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(at, &self.kept);
    }

    fn predict(&mut self, at: Timestamp, readings: &[Reading], pulse: &mut Pulse) {
        let value = |key: &SeriesKey| readings.binary_search_by(|r| r.key.cmp(key)).ok().map(|i| readings[i].value);
        let scored = self.predictor.observe(at, &value);
        if !scored.is_empty() {
            self.later.extend(scored.into_iter().map(Write::Prediction));
            pulse.predictions = Some(self.predictor.shown());
            pulse.record = Some(self.predictor.record());
        }
    }

    fn judge_rules(&mut self, tick: Tick) -> Vec<Step> {
        let fed = self.fed();
        let head = self.head.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let processes = &self.processes;
        self.alerter.look(|program| match program {
            Program::Process(name) => processes.iter().any(|p| *p.name == **name),
            Program::Unit(unit) => processes.iter().any(|p| p.unit.as_deref() == Some(unit)),
        });
        let alerter = &mut self.alerter;
        let evidence = Evidence {
            head: &head,
            at: tick.at,
            readings: &self.kept,
            fed: &fed,
            scores: &self.scores,
            forecasts: &self.forecasts,
        };
        self.judge.evaluate(evidence, |values| alerter.step(tick, values))
    }

    /// Journals steps, explains what fired, and hands to the outbox what people are told.
    pub(super) fn take_steps(&mut self, at: Timestamp, steps: Vec<Step>, output: &mut Output, pulse: &mut Pulse) {
        let mut tellings = Vec::new();
        for step in steps {
            let settles = settles(&step, self.alerter.rules());
            let mut alert = step.alert;
            if step.cause == Cause::Fired {
                output.scan = true;
                let explanation = self.explain(&alert, at);
                alert = self.alerter.explain(&alert.id, explanation).unwrap_or(alert);
            }
            let event = JournalEvent::Transition { transition: step.transition, alert: Box::new((*alert).clone()) };
            let write = self.journal(at, event, pulse);
            if !step.cause.is_told() {
                // Nobody decided and nobody is told: the next flush is soon enough, and what came and went before it is not written.
                if step.cause != Cause::Withdrawn || !self.forget_pending(&alert.id) {
                    self.later.push(write);
                }
                continue;
            }
            output.now.push(write);
            let reason = reason(step.cause, &alert);
            tellings.push(Telling { alert, reason, channels: step.channels, settles });
        }
        self.tell(at, &tellings, output, pulse);
        self.save_id(&mut output.now);
    }

    /// Writes down the highest id given, so that none is given twice: with the decisions in `now`, where there are any, else with
    /// the next flush.
    pub(super) fn save_id(&mut self, now: &mut Vec<Write>) {
        let id = self.alerter.last_id();
        let write = || Write::Meta { name: LAST_ID.to_owned(), row: Some(id.to_le_bytes().to_vec()) };
        if id != self.saved_id && !now.is_empty() {
            (self.saved_id, self.noted_id) = (id, id);
            now.push(write());
        } else if id != self.noted_id {
            self.noted_id = id;
            self.later.push(write());
        }
    }

    /// Removes the line that an alert is pending, where it is not written yet.
    fn forget_pending(&mut self, id: &str) -> bool {
        let is_line = |write: &Write| match write {
            Write::Journal(JournalEntry { event: JournalEvent::Transition { transition, .. }, .. }) => transition.alert == id,
            _ => false,
        };
        let found = self.later.iter().rposition(is_line);
        found.map(|at| self.later.remove(at)).is_some()
    }

    /// Puts an event into the pulse's journal and gives the write for it.
    pub(super) fn journal(&self, at: Timestamp, event: JournalEvent, pulse: &mut Pulse) -> Write {
        let entry = JournalEntry { at, event };
        pulse.journal.push(entry.clone());
        Write::Journal(entry)
    }

    /// Sections on alerts, where they changed.
    pub(super) fn add_alerts(&mut self, pulse: &mut Pulse) {
        if self.alerter.take_changed() {
            pulse.alerts = Some(self.alerter.alerts());
            pulse.silences = Some(self.alerter.silences());
            pulse.next_steps = Some(self.next_steps());
            pulse.health = Some(self.alerter.health());
        }
    }

    /// Takes new forecasts.
    pub fn fitted(&mut self, forecasts: Vec<Arc<Forecast>>, at: Timestamp) -> Output {
        let mut pulse = self.next_pulse(at);
        let telling: Vec<Arc<Forecast>> = forecasts.iter().filter(|f| tells(f, &self.forecasts)).cloned().collect();
        let changed = self.predictor.update(at, &telling);
        if !changed.is_empty() {
            pulse.predictions = Some(self.predictor.shown());
            pulse.record = Some(self.predictor.record());
            self.later.extend(changed.into_iter().map(Write::Prediction));
        }
        self.forecasts.extend(forecasts.into_iter().map(|f| ((f.key.clone(), f.step), f)));
        // A series that is gone has no future.
        let fresh = at - Duration::from_secs(2 * 3600);
        self.forecasts.retain(|_, f| f.made_at >= fresh);
        pulse.forecasts = Some(self.forecasts.values().cloned().collect());
        Output { pulse: Some(pulse), ..Output::default() }
    }

    /// Takes how the history file is.
    pub fn stored(&mut self, health: StoreHealth, at: Timestamp) -> Output {
        let told = health.ok != self.recorder.store.ok;
        self.recorder.store = health;
        if !told {
            return Output::default();
        }
        let mut pulse = self.next_pulse(at);
        pulse.recorder = Some(Arc::new(self.recorder.clone()));
        Output { pulse: Some(pulse), ..Output::default() }
    }

    /// farol's own health, to be told with the next section.
    pub fn recorder_mut(&mut self) -> &mut RecorderHealth {
        &mut self.recorder
    }

    /// The learned band of a series, one a step; empty while learning.
    pub fn band(&self, key: &SeriesKey, range: TimeRange, step: Duration) -> Vec<(Timestamp, Band)> {
        let step = step.max(Duration::from_secs(1)).max(range.length() / MAX_BANDS);
        let starts = std::iter::successors(Some(range.from), |at| Some(*at + step)).take_while(|at| *at <= range.to);
        starts.filter_map(|at| self.analyzer.band(key, at).map(|band| (at, band))).collect()
    }

    pub(super) fn next_pulse(&mut self, at: Timestamp) -> Pulse {
        self.seq += 1;
        Pulse { seq: self.seq, at, ..Pulse::default() }
    }
}

/// The series a series' score is recorded as: its labels and its metric.
fn score_key(key: &SeriesKey) -> SeriesKey {
    SeriesKey::new(SCORE, std::iter::once(("metric", key.metric())).chain(key.labels()))
}
