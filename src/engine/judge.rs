//! Each rule's condition over the live head: labeled values for the alert room.
//!
//! Invariant: expressions are parsed once; a rule whose expression cannot be read never gets here; the same
//! rounds give the same values, so a replay judges as the engine did.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::courses::Courses;
use super::future::Forecasts;
use super::live::{HEAD_SPAN, Head};
use super::values::Values;
use crate::alert::RuleValues;
use crate::base::{TimeRange, Timestamp};
use crate::model::{Condition, Reading, RuleSpec, Score, SeriesKey, SeriesSource, SourceError};
use crate::query::QueryError;

/// Longest window a rule may look back over: a day of one series is 700 KB of samples a second apart.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(86_400);

/// What rules are judged by in one tick.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The newest samples, this tick's among them.
    pub head: &'a Head,
    /// Now.
    pub at: Timestamp,
    /// This tick's readings.
    pub readings: &'a [Reading],
    /// Values no source reads.
    pub fed: &'a [(SeriesKey, f64)],
    /// Series that are unusual, by key.
    pub scores: &'a [Score],
    /// What is expected.
    pub forecasts: &'a Forecasts,
}

/// The rules' conditions, ready.
#[derive(Default)]
pub struct Judge {
    rules: Vec<Compiled>,
    // The key an instance has when the expression dropped the metric's name; made once an instance.
    named: HashMap<(usize, SeriesKey), SeriesKey>,
    /// Samples of the metrics whose windows are longer than the head.
    long: Option<Long>,
}

struct Compiled {
    name: String,
    metric: String,
    condition: Condition,
    expr: String,
    values: Values,
}

struct Long {
    head: Head,
    metrics: BTreeSet<String>,
}

impl Judge {
    /// Compiles the rules' conditions.
    ///
    /// # Errors
    /// The first expression that is none, with the rule's name.
    pub fn new(rules: &[RuleSpec]) -> Result<Self, (String, QueryError)> {
        let compiled = rules.iter().map(|rule| {
            let values = Values::new(&rule.expr, &rule.condition).map_err(|e| (rule.name.clone(), e))?;
            let (name, metric) = (rule.name.clone(), rule.metric.clone());
            Ok(Compiled { name, metric, condition: rule.condition.clone(), expr: rule.expr.clone(), values })
        });
        let rules = compiled.collect::<Result<Vec<Compiled>, _>>()?;
        let mut metrics = BTreeSet::new();
        let span = rules.iter().filter_map(|rule| rule.values.long(&mut metrics)).max();
        let long = span.map(|span| Long { head: Head::spanning(span, Duration::from_secs(1)), metrics });
        Ok(Self { rules, named: HashMap::new(), long })
    }

    /// Takes over what another judge remembers of the rules that are the same in both, and its samples.
    #[must_use]
    pub fn after(mut self, mut before: Self) -> Self {
        for rule in &mut self.rules {
            let same = |old: &&mut Compiled| (&old.name, &old.expr, &old.condition) == (&rule.name, &rule.expr, &rule.condition);
            if let Some(old) = before.rules.iter_mut().find(same) {
                std::mem::swap(&mut rule.values, &mut old.values);
            }
        }
        if let (Some(long), Some(old)) = (&mut self.long, before.long)
            && long.metrics.is_subset(&old.metrics)
        {
            let span = long.head.span();
            long.head = old.head;
            long.head.set_span(span);
        }
        self
    }

    /// Takes what long windows look back over from the history; before the first tick.
    ///
    /// # Errors
    /// What keeps it from reading: those windows fill with time.
    pub fn recall(&mut self, history: &dyn SeriesSource, now: Timestamp) -> Result<(), SourceError> {
        let Some(long) = &mut self.long else { return Ok(()) };
        let mut keys = Vec::new();
        for metric in &long.metrics {
            keys.extend(history.select(Some(metric), &[])?);
        }
        let mut courses = Courses::new(history, &keys, TimeRange::last(long.head.span(), now));
        let mut readings = Vec::new();
        while let Some(at) = courses.next(&mut readings)? {
            long.head.push(at, &readings);
        }
        Ok(())
    }

    /// How far back the values of a rule reach.
    pub fn window(&self, rule: &str) -> Duration {
        self.rules.iter().find(|r| r.name == rule).map_or(Duration::ZERO, |r| r.values.window())
    }

    /// Evaluates all rules and hands the values to `judge`.
    pub fn evaluate<R>(&mut self, evidence: Evidence<'_>, judge: impl FnOnce(&[RuleValues<'_>]) -> R) -> R {
        if let Some(long) = &mut self.long {
            let kept = evidence.readings.iter().filter(|r| long.metrics.contains(r.key.metric()));
            let kept: Vec<Reading> = kept.cloned().collect();
            long.head.set_interval(evidence.head.interval());
            long.head.push(evidence.at, &kept);
        }
        let long = self.long.as_ref().map_or(evidence.head, |l| &l.head);
        let named = &mut self.named;
        let instances: Vec<Vec<(SeriesKey, f64)>> = self
            .rules
            .iter_mut()
            .enumerate()
            .map(|(index, rule)| {
                let mut values = rule.values.at(evidence, long);
                for (key, _) in values.iter_mut().filter(|(key, _)| key.metric().is_empty() && !rule.metric.is_empty()) {
                    let known = named.entry((index, key.clone()));
                    *key = known.or_insert_with_key(|(_, labels)| SeriesKey::new(&rule.metric, labels.labels())).clone();
                }
                values
            })
            .collect();
        let values: Vec<RuleValues<'_>> =
            self.rules.iter().zip(&instances).map(|(rule, instances)| RuleValues { rule: &rule.name, instances }).collect();
        judge(&values)
    }
}

/// Whether a window fits in the head, also where its end lies up to `late` before now.
pub(super) fn fits_in_head(window: Duration, late: Duration) -> bool {
    window + late <= HEAD_SPAN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::RuleConfig;
    use crate::engine::catalog;
    use crate::model::{Backtest, Band, Forecast, Verdict};
    use std::sync::Arc;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_seconds(1_780_012_800) + Duration::from_secs(second)
    }

    fn rule(text: &str) -> RuleSpec {
        let config: RuleConfig = toml::from_str(&format!("name='x'\n{text}")).expect(text);
        config.ready(&catalog()).expect(text)
    }

    struct Run {
        judge: Judge,
        head: Head,
        scores: Vec<Score>,
        forecasts: Forecasts,
    }

    impl Run {
        fn new(text: &str) -> Self {
            let judge = Judge::new(&[rule(text)]).expect(text);
            let head = Head::new(Duration::from_secs(1));
            Self { judge, head, scores: Vec::new(), forecasts: Forecasts::new() }
        }

        fn tick(&mut self, second: u64, readings: &[(&str, f64)]) -> Vec<(String, f64)> {
            let reading =
                |(key, value): &(&str, f64)| Reading { key: key.parse().expect("a key"), value: *value, cumulative: None };
            let readings: Vec<Reading> = readings.iter().map(reading).collect();
            self.head.push(at(second), &readings);
            let Self { judge, head, scores, forecasts } = self;
            let evidence = Evidence { head, at: at(second), readings: &readings, fed: &[], scores, forecasts };
            judge.evaluate(evidence, |values| values[0].instances.iter().map(|(k, v)| (k.to_string(), *v)).collect())
        }

        fn value(&mut self, second: u64, used: f64) -> Option<f64> {
            self.tick(second, &[("memory_used_ratio", used)]).first().map(|v| v.1)
        }
    }

    #[test]
    fn tumbling_windows_follow_the_clock_and_long_ones_outlast_the_head() {
        let mut run = Run::new("metric='memory_used_ratio'\nabove='90%'\nwindow='1m'\naggregate='max'\nwindows='tumbling'");
        let values: Vec<Option<f64>> = (0..180).map(|s| run.value(s, s as f64 / 1000.0)).collect();
        assert_eq!((values[59], values[60], values[119], values[120]), (None, Some(0.06), Some(0.06), Some(0.12)));
        let mut run = Run::new("metric='memory_used_ratio'\nabove='90%'\nwindow='1h'\naggregate='max'");
        let values: Vec<Option<f64>> = (0..7400).map(|s| run.value(s, if s == 5 { 0.9 } else { 0.1 })).collect();
        assert_eq!((values[3500], values[3600], values[3610], values[7300]), (None, Some(0.9), Some(0.1), Some(0.1)));
        let again = Judge::new(&[rule("metric='memory_used_ratio'\nabove='95%'\nwindow='1h'\naggregate='max'")]).expect("a rule");
        run.judge = again.after(std::mem::take(&mut run.judge));
        assert_eq!(run.value(7400, 0.2), Some(0.2), "another limit does not empty the window");
    }

    #[test]
    fn silence_of_a_series_has_an_age_even_where_it_never_spoke() {
        let mut run = Run::new("metric='filesystem_used_ratio'\nno_data='5m'");
        let both = [("filesystem_used_ratio{mount=\"/\"}", 0.1), ("filesystem_used_ratio{mount=\"/var\"}", 0.1)];
        run.tick(0, &both);
        run.tick(1, &both);
        let ages = run.tick(60, &both[..1]);
        assert_eq!(ages.iter().map(|a| a.1).collect::<Vec<_>>(), [0.0, 59.0]);
        let mut run = Run::new("metric='filesystem_used_ratio'\nwhere={mount='/gone'}\nno_data='5m'");
        run.tick(0, &both);
        assert_eq!(run.tick(300, &both), [("filesystem_used_ratio{mount=\"/gone\"}".to_owned(), 300.0)]);
    }

    #[test]
    fn scores_and_forecasts_are_values_of_their_series() {
        let mut run = Run::new("metric='memory_used_ratio'\nanomaly='80%'");
        assert_eq!(run.value(0, 0.5), Some(0.0));
        let key = SeriesKey::total("memory_used_ratio");
        let detector = String::new();
        run.scores = vec![Score {
            key: key.clone(),
            detector,
            strength: 0.9,
            band: None,
            verdict: Verdict::Critical,
            reason: String::new(),
        }];
        assert_eq!(run.value(1, 0.5), Some(0.9));
        let mut run = Run::new("metric='memory_used_ratio'\nabove='90%'\nwithin='2h'");
        assert_eq!(run.value(0, 0.5), None, "nothing is expected yet");
        let mut forecast = |step: u64, mean: f64| {
            let step = Duration::from_secs(step);
            let band: Arc<[Band]> = vec![Band { low: mean - 1e-6, high: mean + 1e-6 }; 10].into();
            let forecast = Forecast {
                key: key.clone(),
                made_at: at(0),
                step,
                mean: vec![mean; 10].into(),
                band80: band.clone(),
                band95: band,
                method: String::new(),
                backtest: Backtest::default(),
                crossing: None,
                none_because: None,
            };
            run.forecasts.insert((key.clone(), step), Arc::new(forecast));
            run.value(1, 0.5)
        };
        assert_eq!(forecast(60, 0.5), Some(0.0), "the farthest there is");
        assert_eq!(forecast(3600, 0.95), Some(1.0), "the finest that reaches far enough");
        assert_eq!(forecast(720, 0.5), Some(0.0));
    }

    #[test]
    fn several_conditions_are_joined_by_their_labels_or_for_the_machine() {
        let parts = "[{metric='cpu_usage_ratio', where={core='*'}, above='90%'}, {metric='memory_used_ratio', above='80%'}]";
        let mut run = Run::new(&format!("by=['core']\nall={parts}"));
        let readings =
            |memory| [("cpu_usage_ratio{core=\"0\"}", 0.95), ("cpu_usage_ratio{core=\"1\"}", 0.1), ("memory_used_ratio", memory)];
        let core = |n: u32, held| (format!("{{core=\"{n}\"}}"), held);
        assert_eq!(run.tick(0, &readings(0.5)), [core(0, 1.0), core(1, 0.0)]);
        assert_eq!(run.tick(1, &readings(0.9)), [core(0, 2.0), core(1, 1.0)]);
        let mut run = Run::new(&format!("any={parts}"));
        assert_eq!(run.tick(0, &readings(0.5)).first().map(|v| v.1), Some(1.0));
        assert_eq!(run.tick(1, &readings(0.9)).first().map(|v| v.1), Some(2.0));
    }
}
