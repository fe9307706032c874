//! Stored samples of some series, round by round, as the engine saw them.
//!
//! Invariant: read in slices, so that no long read keeps the writer from using old pages again; rounds are in the order of time.

use std::time::Duration;

use crate::base::{TimeRange, Timestamp};
use crate::model::{Points, Reading, Resolution, SeriesKey, SeriesSource, SourceError};

/// Length of a slice: two hours of samples a second apart are 350 KB a series.
const SLICE: Duration = Duration::from_secs(7200);

/// The rounds of a span.
pub struct Courses<'a> {
    source: &'a dyn SeriesSource,
    keys: &'a [SeriesKey],
    range: TimeRange,
    /// Where the next slice begins.
    next: Timestamp,
    /// Of each series what is left of the slice: points and how many of them are done with.
    slice: Vec<(Points, usize)>,
    /// The coarsest resolution met.
    coarsest: Resolution,
}

impl<'a> Courses<'a> {
    /// The rounds of `range`, both ends included.
    pub fn new(source: &'a dyn SeriesSource, keys: &'a [SeriesKey], range: TimeRange) -> Self {
        Self { source, keys, range, next: range.from, slice: Vec::new(), coarsest: Resolution::Raw }
    }

    /// The coarsest resolution met so far: anything but raw makes what is judged by it approximate.
    pub fn resolution(&self) -> Resolution {
        self.coarsest
    }

    /// The next round's time; its readings take the place of what is in `readings`. `None` at the end.
    ///
    /// # Errors
    /// What keeps it from reading.
    pub fn next(&mut self, readings: &mut Vec<Reading>) -> Result<Option<Timestamp>, SourceError> {
        readings.clear();
        loop {
            let first = self.slice.iter().filter_map(|(points, done)| time(points, *done)).min();
            let Some(at) = first else {
                if self.next > self.range.to || self.keys.is_empty() {
                    return Ok(None);
                }
                self.read()?;
                continue;
            };
            for ((points, done), key) in self.slice.iter_mut().zip(self.keys) {
                if time(points, *done) == Some(at) {
                    let value = points.buckets.get(*done).map_or(0.0, |b| if b.count > 1 { b.mean } else { b.last });
                    readings.push(Reading { key: key.clone(), value, cumulative: None });
                    *done += 1;
                }
            }
            return Ok(Some(at));
        }
    }

    fn read(&mut self) -> Result<(), SourceError> {
        let to = (self.next + SLICE).min(self.range.to);
        let range = TimeRange { from: self.next, to };
        self.slice.clear();
        for key in self.keys {
            let points = self.source.points(key, range, Resolution::Raw)?;
            if !points.buckets.is_empty() {
                self.coarsest = self.coarsest.max(points.resolution);
            }
            self.slice.push((points, 0));
        }
        self.next = Timestamp(to.0.saturating_add(1));
        Ok(())
    }
}

/// When a point was known: a rolled-up one at its end.
fn time(points: &Points, place: usize) -> Option<Timestamp> {
    points.buckets.get(place).map(|b| if b.count > 1 { b.at + points.resolution.step() } else { b.at })
}
