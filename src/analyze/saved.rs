//! The learned state as bytes and back.
//!
//! Layout: magic, format, time, names of the detectors, the machine, open anomalies, series, checksum.
//! Invariant: restored, an analyzer goes on as if it had never stopped; damaged bytes change nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::AnalyzeConfig;
use super::analyzer::Analyzer;
use super::archive::Archive;
use super::detect::DETECTORS;
use super::machine::Machine;
use super::scale::Scale;
use super::series::Series;
use crate::base::{Timestamp, fnv};
use crate::model::{AnomalyInterval, SeriesKey, Verdict};

/// Changes when the learned state means something else; another detector does not change it.
const FORMAT: u32 = 3;
const MAGIC: [u8; 4] = *b"FLRN";
/// After a week without observation habits may have changed.
const STALE: Duration = Duration::from_secs(7 * 86_400);
/// More than any machine has; keeps a damaged length from asking for memory.
const MOST_SERIES: usize = 1_000_000;

/// Why saved state was not taken over; the analyzer then learns anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Not written by [`Analyzer::save`], or damaged.
    #[error("the learned state is damaged; it is learned anew")]
    Damaged,
    /// Written by a version that learns in another way.
    #[error("the learned state has format {0}, this version reads {FORMAT}; it is learned anew")]
    Format(u32),
}

impl Analyzer {
    /// All that was learned until `at`, for the `model` table; about 3 kB per series. Writing it every half hour and
    /// at the end is enough: what is lost in between is learned again in that time.
    pub fn save(&mut self, at: Timestamp) -> Vec<u8> {
        let mut archive = Archive::writer();
        let mut saved_at = at.0;
        archive.i64(&mut saved_at);
        let mut names: Vec<String> = DETECTORS.iter().map(|d| d.name.to_owned()).collect();
        archive_names(&mut archive, &mut names);
        let places = places(&names);
        self.machine.archive(&mut archive);
        archive.len(self.open.len(), MOST_SERIES);
        for anomaly in &mut self.open {
            archive_anomaly(&mut archive, anomaly);
        }
        archive.len(self.series.len(), MOST_SERIES);
        for series in &mut self.series {
            archive.text(&mut series.key.to_string());
            series.archive(&mut archive, &places);
        }
        let body = archive.into_bytes();
        let mut bytes = Vec::with_capacity(body.len() + 16);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&fnv(&bytes).to_le_bytes());
        bytes
    }

    /// Takes over what was saved; left alone without an error where it is more than 7 days old at `now`.
    ///
    /// # Errors
    /// Bytes that were not written by [`Self::save`] of this format; nothing is taken over then.
    pub fn restore(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), RestoreError> {
        let (sealed, sum) = bytes.split_last_chunk::<8>().ok_or(RestoreError::Damaged)?;
        let head = sealed.split_first_chunk::<4>().filter(|(magic, _)| **magic == MAGIC);
        let (format, body) = head.and_then(|(_, rest)| rest.split_first_chunk::<4>()).ok_or(RestoreError::Damaged)?;
        if fnv(sealed) != u64::from_le_bytes(*sum) {
            return Err(RestoreError::Damaged);
        }
        let format = u32::from_le_bytes(*format);
        if format != FORMAT {
            return Err(RestoreError::Format(format));
        }
        let mut fresh = Self::new(&AnalyzeConfig::default(), Arc::clone(&self.catalog));
        let mut archive = Archive::reader(body);
        let saved_at = fresh.read(&mut archive);
        if !archive.is_sound() {
            return Err(RestoreError::Damaged);
        }
        if now.since(saved_at) <= STALE {
            (self.machine, self.open, self.series, self.index) = (fresh.machine, fresh.open, fresh.series, fresh.index);
            self.forget_order();
        }
        Ok(())
    }

    fn read(&mut self, archive: &mut Archive<'_>) -> Timestamp {
        let mut saved_at = 0;
        archive.i64(&mut saved_at);
        let mut names = Vec::new();
        archive_names(archive, &mut names);
        let places = places(&names);
        self.machine.archive(archive);
        for _ in 0..archive.len(0, MOST_SERIES) {
            let mut anomaly = blank_anomaly();
            archive_anomaly(archive, &mut anomaly);
            if archive.is_damaged() {
                return Timestamp(saved_at);
            }
            self.open.push(anomaly);
        }
        for _ in 0..archive.len(0, MOST_SERIES) {
            let key = archive_key(archive, None);
            let mut series = Series::new(key, Scale::of(None));
            series.archive(archive, &places);
            if archive.is_damaged() {
                return Timestamp(saved_at);
            }
            series.scale = Scale::of(self.catalog.get(series.key.metric()));
            self.series.push(series);
        }
        self.index = self.series.iter().enumerate().map(|(place, s)| (s.key.clone(), place)).collect::<HashMap<_, _>>();
        if self.index.len() != self.series.len() {
            archive.refuse();
        }
        Timestamp(saved_at)
    }
}

impl Machine {
    fn archive(&mut self, archive: &mut Archive<'_>) {
        self.watch.archive(archive);
        archive.i64(&mut self.last_at);
        archive.f64(&mut self.step);
        archive.f64(&mut self.age);
        archive.i64(&mut self.swept_at);
        self.routine.archive(archive);
    }
}

/// Where each saved detector stands in today's table.
fn places(names: &[String]) -> Vec<Option<usize>> {
    names.iter().map(|name| DETECTORS.iter().position(|d| d.name == name)).collect()
}

fn archive_names(archive: &mut Archive<'_>, names: &mut Vec<String>) {
    let n = archive.len(names.len(), 64);
    names.resize(n, String::new());
    for name in names {
        archive.text(name);
    }
}

fn archive_key(archive: &mut Archive<'_>, own: Option<&SeriesKey>) -> SeriesKey {
    let mut text = own.map(SeriesKey::to_string).unwrap_or_default();
    archive.text(&mut text);
    text.parse().unwrap_or_else(|_| {
        archive.refuse();
        SeriesKey::total("damaged")
    })
}

fn blank_anomaly() -> AnomalyInterval {
    AnomalyInterval {
        key: SeriesKey::total("blank"),
        from: Timestamp(0),
        to: None,
        peak: 0.0,
        peak_at: Timestamp(0),
        strength: 0.0,
        verdict: Verdict::Warning,
        reason: String::new(),
    }
}

fn archive_anomaly(archive: &mut Archive<'_>, anomaly: &mut AnomalyInterval) {
    anomaly.key = archive_key(archive, Some(&anomaly.key));
    archive.i64(&mut anomaly.from.0);
    archive.f64(&mut anomaly.peak);
    archive.i64(&mut anomaly.peak_at.0);
    archive.f64(&mut anomaly.strength);
    const VERDICTS: [Verdict; 3] = [Verdict::Normal, Verdict::Warning, Verdict::Critical];
    let mut verdict = VERDICTS.iter().position(|v| *v == anomaly.verdict).unwrap_or(1) as u8;
    archive.u8(&mut verdict);
    anomaly.verdict = VERDICTS.get(usize::from(verdict)).copied().unwrap_or_else(|| {
        archive.refuse();
        Verdict::Warning
    });
    archive.text(&mut anomaly.reason);
}
