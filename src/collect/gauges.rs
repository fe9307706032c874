//! A source whose values are asked for on a slow thread and stand until the next answer.
//!
//! What is asked is the business of the files that use it: each gives a function from host to values.
//! Invariant: where nothing is found there is no series and no fault, and it is looked for again later; each
//! key comes once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::counter::note_refused;
use super::slow::{Lane, Standing};
use super::table::Start;
use crate::model::{Host, MetricDef, Round, SeriesKey, Source};

/// Where there is no such device it is looked for again after this: a driver may be loaded, a disk put in.
pub(super) const SELDOM: Duration = Duration::from_secs(600);

/// What a source is called and how often it is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) name: &'static str,
    pub(super) metrics: &'static [MetricDef],
    /// What its instances are, for people.
    pub(super) what: &'static str,
    pub(super) period: Duration,
    /// Time to the next asking where nothing was found.
    pub(super) retry: Duration,
}

/// What one asking found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) values: Vec<(SeriesKey, f64)>,
    faults: Vec<String>,
}

impl Found {
    /// Adds a value; `labels` are the values of the metric's labels in their order. One that is not finite or not possible
    /// is dropped: drivers say odd things.
    pub(super) fn gauge(&mut self, metric: &MetricDef, labels: &[&str], value: f64) {
        let (low, high) = metric.range;
        if value.is_finite() && low.is_none_or(|low| value >= low) && high.is_none_or(|high| value <= high) {
            let pairs = metric.labels.iter().copied().zip(labels.iter().copied());
            self.values.push((SeriesKey::new(metric.name, pairs), value));
        }
    }

    /// Adds a value that may be missing.
    pub(super) fn maybe(&mut self, metric: &MetricDef, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.gauge(metric, labels, value);
        }
    }

    /// Notes what could not be read.
    pub(super) fn fault(&mut self, message: impl Into<String>) {
        self.faults.push(message.into());
    }

    /// Whether a value of this metric was found.
    pub(super) fn has(&self, metric: &MetricDef) -> bool {
        self.values.iter().any(|(key, _)| key.metric() == metric.name)
    }

    /// Of two with one key the second becomes `name #2`: two chips of one kind have equal names.
    fn number_doubles(&mut self) {
        let mut seen: HashMap<SeriesKey, u32> = HashMap::new();
        for (key, _) in &mut self.values {
            let n = seen.entry(key.clone()).and_modify(|n| *n += 1).or_insert(1);
            if *n > 1 {
                let renamed: Vec<(String, String)> = key.labels().map(|(l, v)| (l.to_owned(), format!("{v} #{n}"))).collect();
                *key = SeriesKey::new(key.metric(), renamed.iter().map(|(l, v)| (l.as_str(), v.as_str())));
            }
        }
    }
}

/// What one asking is told.
pub(super) struct Ask<'a> {
    pub(super) host: &'a dyn Host,
    /// When it was asked, by a clock that never goes back; for rates. `None` before the first round.
    pub(super) now: Option<Duration>,
}

type Read = dyn FnMut(&Ask<'_>) -> Found + Send;

/// See the file's head.
pub(super) struct Gauges {
    plan: Plan,
    host: Arc<dyn Host>,
    lane: Lane,
    most: usize,
    answer: Standing<Found>,
    read: Arc<Mutex<Read>>,
}

impl Gauges {
    /// A source that asks by `read` on `lane`; asks at once, so that the first round may have values.
    pub(super) fn boxed(
        start: &Start<'_>,
        lane: &Lane,
        plan: Plan,
        read: impl FnMut(&Ask<'_>) -> Found + Send + 'static,
    ) -> Box<dyn Source> {
        let mut source = Self {
            plan,
            host: Arc::clone(&start.host),
            lane: lane.clone(),
            most: start.config.max_instances,
            answer: Standing::new(lane, plan.period),
            read: Arc::new(Mutex::new(read)),
        };
        source.ask();
        Box::new(source)
    }

    fn ask(&mut self) {
        let (host, read, now) =
            (Arc::clone(&self.host), Arc::clone(&self.read), Some(self.lane.now()).filter(|now| !now.is_zero()));
        let found = self.answer.value().is_some_and(|found| !found.values.is_empty() || !found.faults.is_empty());
        let factor = if found { 1.0 } else { (self.plan.retry.as_secs_f64() / self.plan.period.as_secs_f64()).max(1.0) };
        self.answer.ask(factor as u32, move || {
            let mut found = read.lock().unwrap_or_else(PoisonError::into_inner)(&Ask { host: host.as_ref(), now });
            found.number_doubles();
            found
        });
    }
}

impl Source for Gauges {
    fn name(&self) -> &'static str {
        self.plan.name
    }

    fn metrics(&self) -> &'static [MetricDef] {
        self.plan.metrics
    }

    fn collect(&mut self, _: &dyn Host, round: &mut Round) {
        self.answer.refresh();
        if let Some(found) = self.answer.value() {
            // One instance has at most one value of each metric.
            let most = self.most.saturating_mul(self.plan.metrics.len());
            for (key, value) in found.values.iter().take(most) {
                round.gauge(key, *value);
            }
            for message in &found.faults {
                round.fault(self.plan.name, message.as_str());
            }
            note_refused(round, self.plan.name, self.plan.what, found.values.len().saturating_sub(most), most);
        }
        self.ask();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, value};
    use super::*;
    use crate::base::Unit;

    const METRICS: &[MetricDef] = &[MetricDef::gauge("things", Unit::Count, "Things.").by(&["kind"])];
    const PLAN: Plan = Plan { name: "things", metrics: METRICS, what: "things", period: Duration::from_secs(5), retry: SELDOM };

    fn make(start: &Start<'_>) -> Box<dyn Source> {
        Gauges::boxed(start, &start.lane, PLAN, |ask| {
            let mut found = Found::default();
            let mut text = Vec::new();
            if ask.host.read("/things", &mut text).is_ok() {
                for kind in String::from_utf8_lossy(&text).split_whitespace() {
                    found.gauge(&METRICS[0], &[kind], 1.0);
                }
                found.gauge(&METRICS[0], &["odd"], f64::NAN);
            }
            found
        })
    }

    #[test]
    fn values_stand_and_doubles_have_numbers() {
        let mut script = Script::new(make);
        script.file("/things", "a b a a");
        let round = script.round_until(|r| !r.readings.is_empty());
        for key in ["a", "a #2", "a #3", "b"] {
            assert_eq!(value(&round, &format!("things{{kind=\"{key}\"}}")), Some(1.0), "{key}");
        }
        assert_eq!((round.readings.len(), script.round().readings.len()), (4, 4));
    }

    #[test]
    fn a_flood_is_capped_and_told() {
        let mut script = Script::new(make);
        script.file("/things", &(0..300).map(|n| format!("n{n} ")).collect::<String>());
        let round = script.round_until(|r| !r.readings.is_empty());
        assert_eq!(round.readings.len(), 256);
        assert!(round.faults[0].message.starts_with("44 things left out"), "{:?}", round.faults);
    }
}
