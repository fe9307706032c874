//! One process looked at in full: what was asked of it and what came.
//!
//! Invariant: what is shown belongs to the process that was opened, by number and start.

use std::sync::Arc;
use std::time::Duration;

use super::charts::{Bin, Window};
use crate::base::Timestamp;
use crate::model::{ProcessDetails, ProcessId, ProcessPoint};

/// A process that is looked at.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Which one.
    pub id: ProcessId,
    /// Its name.
    pub name: String,
    /// What was read of it; `None` until it came.
    pub details: Option<Arc<ProcessDetails>>,
    /// What it used over the span of the charts, oldest first.
    pub points: Vec<ProcessPoint>,
    /// Why nothing came.
    pub refused: Option<String>,
    /// When it was asked for.
    pub asked: Option<Timestamp>,
    /// End and span of the history that was asked for.
    pub asked_history: Option<(Timestamp, Duration)>,
    /// First line shown.
    pub scroll: usize,
}

impl Inside {
    /// Nothing known yet.
    pub fn new(id: ProcessId, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            details: None,
            points: Vec::new(),
            refused: None,
            asked: None,
            asked_history: None,
            scroll: 0,
        }
    }

    /// One figure of the history over a window; a point holds until the next one or for `step`, whichever is shorter.
    pub fn bins(&self, window: Window, step: Duration, figure: impl Fn(&ProcessPoint) -> Option<f64>) -> Vec<Option<Bin>> {
        let mut bins: Vec<Option<Bin>> = vec![None; window.n];
        for (i, point) in self.points.iter().enumerate() {
            let Some(value) = figure(point) else { continue };
            let end = self.points.get(i + 1).map_or(point.at + step, |next| next.at.min(point.at + step));
            let first = bins.iter().enumerate().position(|(b, _)| window.start(b + 1) > point.at).unwrap_or(window.n);
            for (b, bin) in bins.iter_mut().enumerate().skip(first) {
                if window.start(b) >= end {
                    break;
                }
                let old = bin.unwrap_or(Bin { min: value, mean: value, max: value });
                *bin = Some(Bin { min: old.min.min(value), mean: (old.mean + value) / 2.0, max: old.max.max(value) });
            }
        }
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_holds_for_its_step_and_a_gap_stays_one() {
        let at = |s| Timestamp::from_seconds(s);
        let point =
            |s, cpu| ProcessPoint { at: at(s), cpu, memory_bytes: 1, read_bytes_per_second: None, write_bytes_per_second: None };
        let mut inside = Inside::new(ProcessId { pid: 1, started: 1 }, "init");
        inside.points = vec![point(100, 1.0), point(110, 3.0), point(150, 2.0)];
        let window = Window { from: at(100), bin: Duration::from_secs(5), n: 14 };
        let bins = inside.bins(window, Duration::from_secs(10), |p| Some(p.cpu));
        let shown: String = bins.iter().map(|b| b.map_or('.', |b| (b'0' + b.mean as u8) as char)).collect();
        assert_eq!(shown, "1133......22..");
        assert!(inside.bins(window, Duration::from_secs(10), |p| p.read_bytes_per_second).iter().all(Option::is_none));
    }
}
