//! Recordings of a run, and the replay of one through the core.
//!
//! A recording is lines of JSON: the run, then for each second what changed (`k`: new series, `v`: place and value, `g`: places that are
//! gone, and of processes what `roll` says), then the faults and alarms. Invariant: what the engine made itself is made anew.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::ear::{Ear, Guilty, seconds};
use super::roll::{Roll, Turn};
use super::run::SERVICE;
use crate::analyze::{self, SERVICE_SLOWNESS};
use crate::base::Timestamp;
use crate::config::Config;
use crate::engine::{self, Core, Past, Surroundings, Timing};
use crate::faults::{Happened, Told, Verdict, judge};
use crate::model::{HostFacts, Reading, Sample, SeriesKey, Snapshot};
use crate::notify::Sending;

/// Digits kept of a value.
const DIGITS: usize = 5;

/// A line of a recording.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first.
    Run { schema: String, seed: u64, cores: u32, memory_bytes: u64 },
    /// A second, in milliseconds UTC.
    Tick {
        t: i64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        k: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        v: Vec<(usize, f64)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        g: Vec<usize>,
        #[serde(flatten)]
        processes: Turn,
    },
    /// The last.
    End { began: i64, from: i64, to: i64, faults: Vec<Happened>, told: Vec<Told> },
}

const SCHEMA: &str = "farol.faults/1";

/// A recording being written.
pub struct Tape {
    file: Option<BufWriter<File>>,
    places: BTreeMap<SeriesKey, usize>,
    values: BTreeMap<usize, f64>,
    roll: Roll,
    at: Timestamp,
}

impl Tape {
    /// Begins it, where one is wanted.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(path: Option<&Path>, seed: u64, facts: &HostFacts) -> anyhow::Result<Self> {
        let made = path.map(|p| File::create(p).with_context(|| format!("{} cannot be written", p.display()))).transpose()?;
        let (file, places, values) = (made.map(BufWriter::new), BTreeMap::new(), BTreeMap::new());
        let mut tape = Self { file, places, values, roll: Roll::default(), at: Timestamp::default() };
        let (cores, memory_bytes) = (facts.cores, facts.memory_bytes);
        tape.write(&Line::Run { schema: SCHEMA.to_owned(), seed, cores, memory_bytes })?;
        Ok(tape)
    }

    fn write(&mut self, line: &Line) -> anyhow::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        serde_json::to_writer(&mut *file, line)?;
        file.write_all(b"\n").context("the recording cannot be written")
    }

    /// Keeps what changed since the newest tick; a recording that cannot be written any more ends there.
    pub fn keep(&mut self, snapshot: &Snapshot) {
        if self.file.is_none() || snapshot.readings.is_empty() || snapshot.at == self.at {
            return;
        }
        self.at = snapshot.at;
        let (mut k, mut v) = (Vec::new(), Vec::new());
        let mut now: BTreeMap<usize, f64> = BTreeMap::new();
        for reading in snapshot.readings.iter().filter(|r| !is_made(r.key.metric())) {
            let new = self.places.len();
            let place = *self.places.entry(reading.key.clone()).or_insert_with(|| {
                k.push(reading.key.to_string());
                new
            });
            let value = rounded(reading.value);
            if self.values.get(&place) != Some(&value) {
                v.push((place, value));
            }
            now.insert(place, value);
        }
        let g = self.values.keys().filter(|place| !now.contains_key(place)).copied().collect();
        self.values = now;
        let processes = self.roll.turn(snapshot);
        if let Err(error) = self.write(&Line::Tick { t: snapshot.at.0, k, v, g, processes }) {
            tracing::warn!(%error, "the recording ends");
            self.file = None;
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(&mut self, (began, from, to): (i64, i64, i64), faults: &[Happened], told: &[Told]) -> anyhow::Result<()> {
        self.write(&Line::End { began, from, to, faults: faults.to_vec(), told: told.to_vec() })?;
        self.file.as_mut().map_or(Ok(()), Write::flush).context("the recording cannot be written")
    }
}

/// Whether the engine makes a metric itself. How slow a service is belongs to its answers, which are not on record.
fn is_made(metric: &str) -> bool {
    let own = analyze::METRICS.iter().chain(engine::METRICS);
    metric != SERVICE_SLOWNESS && own.into_iter().any(|def| def.name == metric)
}

/// To [`DIGITS`] digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

/// Plays a recording through a new core; gives what its alarms are worth.
///
/// # Errors
/// What cannot be read, with its line.
pub fn replay(path: &Path) -> anyhow::Result<Verdict> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines: Vec<&str> = text.lines().collect();
    let line = |n: usize| -> anyhow::Result<Line> {
        let place = || format!("{}, line {}", path.display(), n + 1);
        serde_json::from_str(lines.get(n).copied().unwrap_or_default()).with_context(place)
    };
    let Line::Run { schema, cores, memory_bytes, .. } = line(0)? else {
        anyhow::bail!("{}, line 1: this is no recording of the fault bench ({SCHEMA})", path.display());
    };
    anyhow::ensure!(schema == SCHEMA, "{}, line 1: {schema} is no recording of the fault bench ({SCHEMA})", path.display());
    // Who is to blame is known from the end.
    let Ok(Line::End { began, from, to, faults, .. }) = line(lines.len().saturating_sub(1)) else {
        anyhow::bail!("{}: ends before its end: the run was broken off", path.display());
    };
    let mut player = Player::new(HostFacts { cores, memory_bytes, ..HostFacts::default() })?;
    for n in 1..lines.len().saturating_sub(1) {
        let place = || format!("{}, line {}", path.display(), n + 1);
        let Line::Tick { t, k, v, g, processes } = line(n)? else {
            anyhow::bail!("{}: is no second of a recording", place());
        };
        player.tick(Timestamp(t), (&k, &v, &g), &processes, &faults).with_context(place)?;
    }
    Ok(judge((began, from, to), &faults, player.ear.told()))
}

/// A core that is told what was recorded.
struct Player {
    core: Core,
    snapshot: Snapshot,
    keys: Vec<SeriesKey>,
    values: BTreeMap<usize, f64>,
    before: Option<Timestamp>,
    ear: Ear,
}

impl Player {
    fn new(facts: HostFacts) -> anyhow::Result<Self> {
        let catalog = Arc::new(engine::catalog());
        let folder = std::env::temp_dir();
        let around = Surroundings { host: Arc::new(facts), link_bits_per_second: None, data_dir: &folder, sending: Sending::Dry };
        let settings = engine::settings(&Config::default(), &catalog, &around).map_err(|e| anyhow::anyhow!("{e}"))?;
        let mut core = Core::new(settings, Past::default(), Timestamp::default()).map_err(anyhow::Error::msg)?;
        // There is no history that could not be written.
        core.recorder_mut().store.ok = true;
        let snapshot = Snapshot::empty(catalog);
        let (keys, values) = (Vec::new(), BTreeMap::new());
        Ok(Self { core, snapshot, keys, values, before: None, ear: Ear::default() })
    }

    fn tick(
        &mut self,
        at: Timestamp,
        (new, values, gone): (&[String], &[(usize, f64)], &[usize]),
        processes: &Turn,
        faults: &[Happened],
    ) -> anyhow::Result<()> {
        for key in new {
            self.keys.push(key.parse().map_err(|e| anyhow::anyhow!("{key}: {e}"))?);
        }
        self.values.extend(values.iter().copied());
        for place in gone {
            self.values.remove(place);
        }
        let known = self.values.iter().filter_map(|(place, value)| Some((self.keys.get(*place)?, value)));
        let readings = known.map(|(key, value)| Reading { key: key.clone(), value: *value, cumulative: None }).collect();
        let since_previous = self.before.replace(at).map(|before| at.since(before));
        let sample = Sample { at, since_previous, readings, processes: processes.change(at), ..Sample::default() };
        if let Some(pulse) = self.core.tick(sample, Timing::default()).pulse {
            self.snapshot = self.snapshot.apply(&pulse);
        }
        self.ear.hear(&self.snapshot, guilty(seconds(at), faults));
        Ok(())
    }
}

/// Who makes a fault in that second.
fn guilty(second: i64, faults: &[Happened]) -> Guilty {
    match faults.iter().find(|f| (f.start..=f.end).contains(&second)) {
        Some(Happened { pid: Some(pid), .. }) => Guilty::Process(*pid),
        Some(fault) if fault.kind.is_of_service() => Guilty::Service(SERVICE),
        _ => Guilty::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_is_played() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let mut tape =
            Tape::begin(Some(&path), 1, &HostFacts { cores: 2, memory_bytes: 8 << 30, ..HostFacts::default() }).unwrap();
        let mut snapshot = Snapshot::empty(Arc::new(engine::catalog()));
        for second in 0..120 {
            snapshot.at = Timestamp::from_seconds(1_780_000_000 + second);
            let up = f64::from(u8::from(second < 60));
            let reading = |key: &str, value| Reading { key: key.parse().unwrap(), value, cumulative: None };
            snapshot.readings =
                [reading("farol_round_seconds", 0.1), reading(&format!("service_up{{service=\"{SERVICE}\"}}"), up)].into();
            tape.keep(&snapshot);
        }
        let fault = Happened {
            kind: crate::faults::FaultKind::SvcErr,
            severity: 1.0,
            start: 1_780_000_058,
            end: 1_780_000_119,
            hurts: None,
            pid: None,
        };
        tape.end((1_780_000_000, 1_780_000_030, 1_780_000_119), &[fault], &[]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("farol_round"), "what the engine makes is not on record");
        let verdict = replay(&path).unwrap();
        assert_eq!((verdict.recall(), verdict.causes(), verdict.quiet_alarms()), (Some(1.0), (1, 1), 0), "{}", verdict.text());
        std::fs::write(&path, "{\"tick\":{\"t\":1}}\n").unwrap();
        assert!(replay(&path).unwrap_err().to_string().contains("line 1: this is no recording"));
    }
}
