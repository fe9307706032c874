//! What stands out among parts, over days and among programs: found away from the core, kept and told by it.
//!
//! How it is found is the analysis' part. Invariant: a change is told once, restarts included.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::exchange::{Output, Past, notice};
use super::live::Merged;
use crate::analyze::{
    self, Feature, Member, Peers, Slowing, Slowness, Symptoms, USUAL_CONNECTIONS, clusters, has_habits, moment,
};
use crate::base::{TimeRange, Timestamp, Unit};
use crate::model::{
    Bucket, Catalog, Cluster, Patterns, Process, Pulse, Reading, Resolution, SeriesKey, SeriesSource, ServiceStatus, Shift,
    ShiftKind, Snapshot,
};
use crate::query;
use crate::store::{View, Write};

/// Name of the changes in the `model` table.
pub const SHIFTS: &str = "shifts";

/// Name of the usual connections in the `model` table: when they were counted, and how many.
pub const CONNECTIONS_ROW: &str = "usual connections";

/// The past that is looked over, and for how long changes are shown: what is learned from by default.
const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// Steps of it, coarsest first, and how many of them must be known.
const STEPS: [u64; 3] = [3600, 600, 60];
const FEWEST: u32 = 72;
/// The moment of a change is looked for among minutes so far around the step it was found in.
const AROUND: u32 = 2;
/// The same change found again, from another past, is at most so far from where it was.
const AGAIN: Duration = Duration::from_secs(3 * 3600);
/// Changes at one moment have one cause: the largest are told.
const TOGETHER: (Duration, usize) = (Duration::from_secs(1800), 3);
/// Series looked over; a machine has a hundred or two that qualify.
const MOST_SERIES: usize = 400;
/// Programs compared, the largest: a comparison costs the square of their number.
const MOST_PROGRAMS: usize = 300;
/// Shorter lives say nothing of a program's habits, in seconds.
const SETTLED: f64 = 60.0;

/// The connections of [`USUAL_CONNECTIONS`].
const CONNECTIONS: &str = "tcp_connections{state=\"established\"}";
/// Hours of them that must be known.
const FEWEST_HOURS: usize = 24;

/// What was found over days and among programs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Changes of the last week.
    pub shifts: Vec<Shift>,
    /// Groups that behave alike.
    pub clusters: Vec<Cluster>,
    /// The value of [`USUAL_CONNECTIONS`]; `None` where it is not known.
    pub connections: Option<f64>,
}

/// Everything that stands out, and what is needed to see it.
#[derive(Debug, Default)]
pub struct Noticed {
    peers: Peers,
    slowness: Slowness,
    pub(super) symptoms: Symptoms,
    pub(super) slowing: Slowing,
    connections: Option<Reading>,
    patterns: Arc<Patterns>,
}

impl Noticed {
    /// With what was kept; connections of another week are no measure of this one.
    pub fn restore(past: &Past, now: Timestamp) -> Self {
        let shifts = past.shifts.as_deref().and_then(|row| serde_json::from_slice(row).ok()).unwrap_or_default();
        let counted: Option<(Timestamp, f64)> = past.connections.as_deref().and_then(|row| serde_json::from_slice(row).ok());
        let connections = counted.filter(|(at, _)| now.since(*at) <= WEEK).map(|(_, usual)| usual_reading(usual));
        let (patterns, symptoms) =
            (Arc::new(Patterns { shifts, ..Patterns::default() }), Symptoms::restore(past.symptoms.as_deref()));
        Self { patterns, symptoms, connections, ..Self::default() }
    }

    /// For readers.
    pub fn patterns(&self) -> Arc<Patterns> {
        Arc::clone(&self.patterns)
    }

    /// How far unlike parts are from their siblings, how slow services are, and how many connections are usual.
    pub fn readings(&mut self, services: &[ServiceStatus], readings: &mut Vec<Reading>) {
        self.peers.readings(readings);
        self.slowness.observe(services);
        self.slowness.readings(readings);
        readings.extend(self.connections.clone());
    }
}

impl Core {
    /// Looks at siblings; once a minute.
    pub(super) fn look_at_peers(&mut self, at: Timestamp, pulse: &mut Pulse) {
        if let Some(outliers) = self.noticed.peers.look(at, &self.analyzer) {
            self.noticed.patterns = Arc::new(Patterns { outliers, ..(*self.noticed.patterns).clone() });
            pulse.patterns = Some(self.noticed.patterns());
        }
    }

    /// Takes what was found over days and among programs: new changes are told with what happened then.
    pub fn patterned(&mut self, found: Found, at: Timestamp) -> Output {
        let Found { shifts: mut found, clusters, connections } = found;
        if let Some(usual) = connections {
            let row = serde_json::to_vec(&(at, usual)).expect("two numbers");
            self.later.push(Write::Model { name: CONNECTIONS_ROW.to_owned(), row: Some(row) });
        }
        self.noticed.connections = connections.map(usual_reading);
        let mut pulse = self.next_pulse(at);
        let old = self.noticed.patterns();
        let mut shifts: Vec<Shift> = old.shifts.iter().filter(|s| at.since(s.at) <= WEEK).cloned().collect();
        found.sort_by(|a, b| b.size.total_cmp(&a.size).then_with(|| a.key.cmp(&b.key)));
        let near = |a: Timestamp, b: Timestamp, time: Duration| Duration::from_millis(a.0.abs_diff(b.0)) <= time;
        for mut shift in found.into_iter().filter(|s| at.since(s.at) <= WEEK) {
            let is_known = |s: &Shift| s.key == shift.key && near(s.at, shift.at, AGAIN);
            let together = shifts.iter().filter(|s| near(s.at, shift.at, TOGETHER.0)).count();
            if shifts.iter().any(is_known) || together >= TOGETHER.1 {
                continue;
            }
            shift.with = self.changes.around(shift.at);
            if let Some(with) = &shift.with {
                shift.text = format!("{}, when {with}", shift.text);
            }
            let write = self.journal(shift.at, notice(shift.at, shift.text.clone()).event, &mut pulse);
            self.later.push(write);
            shifts.push(shift);
        }
        shifts.sort_by_key(|s| std::cmp::Reverse(s.at));
        if *shifts != *old.shifts {
            let row = serde_json::to_vec(&shifts).expect("changes are numbers and names");
            self.later.push(Write::Model { name: SHIFTS.to_owned(), row: Some(row) });
        }
        self.noticed.patterns =
            Arc::new(Patterns { shifts: shifts.into(), clusters: clusters.into(), outliers: Arc::clone(&old.outliers) });
        pulse.patterns = Some(self.noticed.patterns());
        Output { pulse: Some(pulse), ..Output::default() }
    }
}

fn usual_reading(value: f64) -> Reading {
    Reading { key: SeriesKey::total(USUAL_CONNECTIONS), value, cumulative: None }
}

/// The series whose past is looked over: those with habits, the whole where there is one of it.
pub fn told(snapshot: &Snapshot) -> Vec<SeriesKey> {
    let totals: Vec<&str> = snapshot.readings.iter().filter(|r| r.key.is_total()).map(|r| r.key.metric()).collect();
    let is_told = |key: &&SeriesKey| {
        has_habits(key.metric()) && (key.is_total() || (key.labels().len() == 1 && totals.binary_search(&key.metric()).is_err()))
    };
    snapshot.readings.iter().map(|r| &r.key).filter(is_told).take(MOST_SERIES).cloned().collect()
}

/// The changes of a series in the week before `now`, to the minute.
pub fn shifts(key: &SeriesKey, source: &Merged<'_, View>, catalog: &Catalog, now: Timestamp) -> Vec<Shift> {
    let Some(def) = catalog.get(key.metric()) else { return Vec::new() };
    let points = |range, step| -> Vec<Bucket> {
        source.points(key, range, Resolution::for_step(step)).map(|points| points.buckets).unwrap_or_default()
    };
    let week = TimeRange::last(WEEK, now);
    let hours = points(week, Duration::from_secs(STEPS[0]));
    let Some(known) = hours.first().map(|first| now.since(first.at)) else { return Vec::new() };
    let step = STEPS.into_iter().map(Duration::from_secs).find(|step| known >= *step * FEWEST);
    let Some(step) = step else { return Vec::new() };
    let past = if step.as_secs() == STEPS[0] { hours } else { points(week, step) };
    let mut found = analyze::shifts(key, def, &past, step);
    let minute = Duration::from_secs(60);
    for shift in found.iter_mut().filter(|s| s.kind == ShiftKind::Level && step > minute) {
        let around = TimeRange { from: shift.at - step * AROUND, to: shift.at + step * AROUND };
        shift.at = moment(&points(around, minute)).unwrap_or(shift.at);
    }
    found
}

/// How many established connections the week before `now` had at most for 99 % of the time.
pub fn usual_connections(source: &dyn SeriesSource, now: Timestamp) -> Option<f64> {
    let key: SeriesKey = CONNECTIONS.parse().expect("it is a key");
    let hours = source.points(&key, TimeRange::last(WEEK, now), Resolution::Hour).ok()?.buckets.len();
    let usual = query::parse(&format!("quantile_over_time(0.99, {CONNECTIONS}[7d])")).expect("it is a query");
    (hours >= FEWEST_HOURS).then(|| usual.instant(source, now).ok()?.first().map(|v| v.value)).flatten()
}

/// Groups of programs and of services that behave alike.
pub fn groups(snapshot: &Snapshot) -> Vec<Cluster> {
    let mut found = clusters("programs", &PROGRAM, &programs(snapshot));
    found.extend(clusters("services", &SERVICE, &services(snapshot)));
    found
}

const PROGRAM: [Feature; 5] = [
    Feature { name: "CPU", unit: Unit::Ratio },
    Feature { name: "memory", unit: Unit::Bytes },
    Feature { name: "disk traffic", unit: Unit::BytesPerSecond },
    Feature { name: "threads", unit: Unit::Count },
    Feature { name: "open files", unit: Unit::Count },
];

const SERVICE: [Feature; 3] = [
    Feature { name: "time to answer", unit: Unit::Seconds },
    Feature { name: "downtime", unit: Unit::Ratio },
    Feature { name: "surprises", unit: Unit::Ratio },
];

/// Units and programs by what their processes used, as means over their lives.
fn programs(snapshot: &Snapshot) -> Vec<Member> {
    let mut sums: BTreeMap<&str, [f64; PROGRAM.len()]> = BTreeMap::new();
    for process in snapshot.processes.iter() {
        // A kernel thread has no memory of its own.
        let life = process.started_at.map_or(0.0, |started| snapshot.at.since(started).as_secs_f64());
        if life < SETTLED || process.memory_bytes == 0 {
            continue;
        }
        let name: &str = process.unit.as_deref().unwrap_or(&process.name);
        let sum = sums.entry(name).or_default();
        sum.iter_mut().zip(habits(process, life)).for_each(|(sum, value)| *sum += value);
    }
    let mut members: Vec<Member> =
        sums.into_iter().map(|(name, values)| Member { name: name.to_owned(), values: values.to_vec() }).collect();
    if members.len() > MOST_PROGRAMS {
        members.sort_by(|a, b| b.values[1].total_cmp(&a.values[1]));
        members.truncate(MOST_PROGRAMS);
    }
    members
}

/// In the order of [`PROGRAM`].
fn habits(process: &Process, life: f64) -> [f64; PROGRAM.len()] {
    let traffic = process.read_bytes.unwrap_or(0) as f64 + process.written_bytes.unwrap_or(0) as f64;
    [
        process.cpu_seconds / life,
        process.memory_bytes as f64,
        traffic / life,
        f64::from(process.threads),
        f64::from(process.descriptors.unwrap_or(0)),
    ]
}

/// In the order of [`SERVICE`]; those with nothing but a state are left out.
fn services(snapshot: &Snapshot) -> Vec<Member> {
    let member = |service: &ServiceStatus| {
        let down = service.uptime[0].map_or(0.0, |u| 1.0 - u.up);
        let odd = snapshot.part(analyze::SERVICE_STABILITY, &service.name).map_or(0.0, |s| 1.0 - s);
        Some(Member { name: service.name.clone(), values: vec![service.response_seconds?, down, odd] })
    };
    snapshot.services.iter().filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scenarios::Scene;
    use super::*;
    use crate::model::JournalEvent;
    use crate::notify::Sending;

    fn shift(metric: &str, at: Timestamp, size: f64) -> Shift {
        let (key, text) = (SeriesKey::total(metric), format!("level of {metric} changed from 1 to 2"));
        Shift { key, at, kind: ShiftKind::Level, before: 1.0, after: 2.0, size, with: None, text }
    }

    #[test]
    fn a_change_is_told_once_with_what_led_to_it_and_only_the_largest_of_a_moment() {
        let mut scene = Scene::with("", Timestamp::from_seconds(1_780_000_000), Sending::Dry);
        scene.tick(0.5);
        scene.core.changes.note(scene.at, "postgres".to_owned(), "restarted");
        let told = |output: &Output| -> Vec<String> {
            let journal = output.pulse.iter().flat_map(|p| &p.journal);
            let texts = journal.map(|e| if let JournalEvent::Notice { text } = &e.event { text.clone() } else { String::new() });
            texts.collect()
        };
        let then = scene.at + Duration::from_secs(60);
        let found: Vec<Shift> =
            (0..5).map(|i| shift(&format!("memory_{i}"), then, f64::from(i))).chain([shift("old", Timestamp(0), 9.0)]).collect();
        let output = scene.core.patterned(Found { shifts: found.clone(), ..Found::default() }, scene.at);
        assert_eq!(told(&output).len(), 3, "{:?}", told(&output));
        assert_eq!(told(&output)[0], "level of memory_4 changed from 1 to 2, when postgres restarted");
        scene.write(output);
        let again = scene.core.patterned(Found { shifts: found.clone(), ..Found::default() }, scene.at);
        assert!(told(&again).is_empty());
        scene.restart("well");
        let after = scene.core.patterned(Found { shifts: found, ..Found::default() }, scene.at);
        assert!(told(&after).is_empty(), "{:?}", told(&after));
        assert_eq!(scene.core.noticed.patterns().shifts.len(), 3);
    }

    #[test]
    fn usual_connections_are_known_again_after_a_restart_and_not_those_of_another_week() {
        let mut scene = Scene::with("", Timestamp::from_seconds(1_780_000_000), Sending::Dry);
        let usual = |scene: &mut Scene| {
            scene.tick(0.5);
            scene.core.kept.iter().find(|r| r.key.metric() == USUAL_CONNECTIONS).map(|r| r.value)
        };
        assert_eq!(usual(&mut scene), None);
        let output = scene.core.patterned(Found { connections: Some(4000.0), ..Found::default() }, scene.at);
        scene.write(output);
        scene.restart("well");
        assert_eq!(usual(&mut scene), Some(4000.0), "before anything was looked at");
        scene.restart("in a crash");
        assert_eq!(usual(&mut scene), Some(4000.0));
        scene.at = scene.at + WEEK * 2;
        scene.restart("well");
        assert_eq!(usual(&mut scene), None);
    }

    #[test]
    fn programs_are_compared_by_what_they_used_over_their_lives() {
        let at = Timestamp::from_seconds(1_780_000_000);
        let process = |pid: u32, name: &str, cpu_seconds: f64| {
            std::sync::Arc::new(Process {
                id: crate::model::ProcessId { pid, started: 1 },
                name: name.into(),
                cpu_seconds,
                memory_bytes: 1 << 20,
                threads: 2,
                started_at: Some(at - Duration::from_secs(100)),
                ..Process::default()
            })
        };
        let empty = Snapshot::empty(Arc::new(Catalog::default()));
        let processes = vec![process(1, "nginx", 10.0), process(2, "nginx", 30.0), process(3, "cron", 0.0)].into();
        let found = programs(&Snapshot { at, processes, ..empty });
        assert_eq!(
            found.iter().map(|m| (m.name.as_str(), m.values[0], m.values[3])).collect::<Vec<_>>(),
            [("cron", 0.0, 2.0), ("nginx", 0.4, 4.0)]
        );
    }

    /// Counts that grow by one each minute of a span.
    struct Growing(u64);

    impl SeriesSource for Growing {
        fn select(&self, _: Option<&str>, _: &[crate::model::Matcher]) -> Result<Vec<SeriesKey>, crate::model::SourceError> {
            Ok(vec![CONNECTIONS.parse().expect("a key")])
        }

        fn points(
            &self,
            key: &SeriesKey,
            range: TimeRange,
            resolution: Resolution,
        ) -> Result<crate::model::Points, crate::model::SourceError> {
            let step = resolution.step().max(Duration::from_secs(60));
            let minute = |n: u64| Bucket::raw(Timestamp::from_seconds(1_780_012_800) + Duration::from_secs(n * 60), n as f64);
            let kept = (0..self.0).map(minute).filter(|b| b.at >= range.from && b.at <= range.to);
            let buckets = kept.step_by(step.as_secs() as usize / 60).collect();
            Ok(crate::model::Points { key: key.clone(), resolution, buckets })
        }

        fn interval(&self, _: &SeriesKey) -> Duration {
            Duration::from_secs(60)
        }
    }

    #[test]
    fn usual_connections_are_known_after_a_day_and_those_of_a_week() {
        let usual = |minutes: u64| {
            usual_connections(&Growing(minutes), Timestamp::from_seconds(1_780_012_800) + Duration::from_secs(minutes * 60))
        };
        assert_eq!(usual(23 * 60), None);
        let day = usual(1440).expect("a day is enough");
        assert!((day / 1425.0 - 1.0).abs() < 0.05, "{day}");
    }
}
