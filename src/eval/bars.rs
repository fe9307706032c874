//! What the figures must reach: the least that may ship, and the goal.
//!
//! Invariant: a figure that the data cannot show is not judged; one that cannot be told fails.

use serde::Serialize;

use super::drives::DriveFigures;
use super::summary::{Detection, Foresight};

/// A figure beside what it must reach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// What is measured.
    pub what: &'static str,
    /// The figure; `None` where it cannot be told.
    pub value: Option<f64>,
    /// Whether more is better.
    pub at_least: bool,
    /// Must not ship beyond it.
    pub floor: f64,
    /// What is wanted.
    pub goal: f64,
}

impl Bar {
    fn least(what: &'static str, value: Option<f64>, [floor, goal]: [f64; 2]) -> Self {
        Self { what, value, at_least: true, floor, goal }
    }

    fn most(what: &'static str, value: Option<f64>, [floor, goal]: [f64; 2]) -> Self {
        Self { what, value, at_least: false, floor, goal }
    }

    fn holds(&self, bar: f64) -> bool {
        self.value.is_some_and(|v| if self.at_least { v >= bar } else { v <= bar })
    }

    /// Whether it may ship.
    pub fn reaches_floor(&self) -> bool {
        self.holds(self.floor)
    }

    /// Whether it is as wanted.
    pub fn reaches_goal(&self) -> bool {
        self.holds(self.goal)
    }
}

/// The bars of a detection.
pub fn detection_bars(found: &Detection) -> Vec<Bar> {
    let (all, critical) = (&found.all.farol, &found.critical.farol);
    let mut bars = Vec::new();
    if let (Some(mean), Some(pooled), Some(severe)) = (&all.macro_hosts, &all.pooled_hosts, &critical.pooled_hosts) {
        bars.push(Bar::least("hosts: macro event F1", Some(mean.f1), [0.45, 0.52]));
        bars.push(Bar::most("hosts: false alarms per host-day", Some(pooled.false_per_day), [0.30, 0.15]));
        bars.push(Bar::most("hosts: share of normal time with a false alarm", Some(pooled.fpr), [0.02, 0.01]));
        bars.push(Bar::least("hosts: critical precision", severe.precision, [0.80, 0.90]));
        bars.push(Bar::least("hosts: critical recall", severe.recall, [0.15, 0.25]));
    }
    if let Some(nab) = all.track("nab") {
        let severe = critical.track("nab");
        bars.push(Bar::least("nab: event F1", Some(nab.f1), [0.55, 0.65]));
        bars.push(Bar::least("nab: critical precision", severe.and_then(|f| f.precision), [0.90, 0.90]));
        bars.push(Bar::least("nab: critical recall", severe.and_then(|f| f.recall), [0.25, 0.35]));
    }
    if let Some(cloud) = all.track("mscloud") {
        bars.push(Bar::least("mscloud: event F1", Some(cloud.f1), [0.42, 0.48]));
    }
    bars
}

/// The bars of failing drives.
pub fn drive_bars(found: &[DriveFigures]) -> Vec<Bar> {
    let farol = found.iter().filter(|f| f.who == "farol");
    farol.map(|f| Bar::least("drives: balanced accuracy", f.balanced_accuracy, [0.76, 0.80])).collect()
}

/// The bars of forecasts and crossings.
pub fn foresight_bars(found: &Foresight) -> Vec<Bar> {
    let mut bars = Vec::new();
    let whole = || found.forecasts.iter().filter(|f| f.whole);
    if let Some(hour) = whole().find(|f| f.task == "hour") {
        bars.push(Bar::most("hour: mean MASE", Some(hour.mase_mean), [0.80, 0.67]));
    }
    if let Some(week) = whole().find(|f| f.task == "week") {
        bars.push(Bar::most("week: median MASE", Some(week.mase_median), [1.00, 0.86]));
    }
    let mean = |of: &dyn Fn(&super::courses::CourseFigures) -> Option<f64>| {
        let known: Vec<f64> = whole().filter_map(of).collect();
        super::figures::ratio(known.iter().sum(), known.len() as f64)
    };
    if whole().next().is_some() {
        let (narrow, wide) = (mean(&|f| f.coverage80), mean(&|f| f.coverage95));
        bars.push(Bar::least("coverage of the 80 % band, at least", narrow, [0.74, 0.77]));
        bars.push(Bar::most("coverage of the 80 % band, at most", narrow, [0.88, 0.84]));
        bars.push(Bar::least("coverage of the 95 % band, at least", wide, [0.90, 0.93]));
        bars.push(Bar::most("coverage of the 95 % band, at most", wide, [0.99, 0.97]));
    }
    let crossing = |task: &str| found.crossings.iter().find(|f| f.task == task && f.who == "farol");
    if let Some(fill) = crossing("fill6h") {
        bars.push(Bar::least("fill6h: balanced accuracy", fill.balanced_accuracy, [0.90, 0.94]));
        bars.push(Bar::least("fill6h: precision", fill.precision, [0.75, 0.85]));
    }
    if let Some(disk) = crossing("disk7") {
        bars.push(Bar::least("disk7: balanced accuracy", disk.balanced_accuracy, [0.80, 0.87]));
        bars.push(Bar::least("disk7: Brier skill", disk.brier_skill, [0.0, 0.10]));
    }
    bars
}
