//! Failing drives: what their own counts said before the end.
//!
//! Rows are intervals of a drive in which its counts did not change. Invariant: the interval in which a drive failed says
//! nothing; an alarm must have come before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{quantile, ratio};
use crate::model::DriveCounts;

/// Figures of one way to tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriveFigures {
    /// `farol`, `always` or `never`.
    pub who: &'static str,
    /// Drives.
    pub drives: usize,
    /// Of which failed.
    pub failed: usize,
    /// Mean of recall and specificity.
    pub balanced_accuracy: Option<f64>,
    /// Failed among those told of.
    pub precision: Option<f64>,
    /// Told of among those that failed.
    pub recall: Option<f64>,
    /// From the first alarm to the failure, the middle, in hours of running.
    pub lead_median_h: Option<f64>,
}

/// One drive.
#[derive(Debug, Default)]
struct Drive {
    fails: bool,
    /// Begin and end of each interval in hours, and the signs in it.
    rows: Vec<(f64, f64, u32)>,
}

impl Drive {
    /// Hours at which it was told of; `None` for never before its end.
    fn told(&self) -> Option<f64> {
        let before = self.rows.len().saturating_sub(1);
        self.rows.iter().take(before).find(|(_, _, signs)| *signs > 0).map(|(from, _, _)| *from)
    }
}

/// The figures of a table with `drive`, `tstart`, `tstop`, `fails` and `smart_5` … columns; `None` where it is none.
pub fn drives(text: &str) -> Option<Vec<DriveFigures>> {
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next()?.split(',').map(str::trim).collect();
    let place = |name: &str| heads.iter().position(|h| *h == name);
    let (drive, from, to, fails) = (place("drive")?, place("tstart")?, place("tstop")?, place("fails")?);
    let counts = [5, 187, 188, 197, 198].map(|id| place(&format!("smart_{id}")));
    let mut all: BTreeMap<&str, Drive> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let number = |at: usize| cells.get(at).and_then(|c| c.parse::<f64>().ok()).filter(|v| v.is_finite());
        let (Some(name), Some(from), Some(to)) = (cells.get(drive), number(from), number(to)) else { continue };
        let [reallocated, reported, timeouts, pending, uncorrectable] = counts.map(|at| at.and_then(number));
        let counts = DriveCounts { reallocated, reported, timeouts, pending, uncorrectable };
        let entry = all.entry(name).or_default();
        entry.fails |= number(fails) == Some(1.0);
        entry.rows.push((from, to, counts.signs()));
    }
    let mut all: Vec<Drive> = all.into_values().collect();
    all.iter_mut().for_each(|d| d.rows.sort_by(|a, b| a.0.total_cmp(&b.0)));
    let farol = figures("farol", &all, &|d| d.told().is_some());
    let lead = |d: &Drive| Some(d.rows.last()?.1 - d.told().filter(|_| d.fails)?);
    let leads: Vec<f64> = all.iter().filter_map(lead).collect();
    let farol = DriveFigures { lead_median_h: quantile(&leads, 0.5), ..farol };
    Some(vec![farol, figures("always", &all, &|_| true), figures("never", &all, &|_| false)])
}

fn figures(who: &'static str, all: &[Drive], told: &dyn Fn(&Drive) -> bool) -> DriveFigures {
    let count = |said: bool, failed: bool| all.iter().filter(|d| told(d) == said && d.fails == failed).count() as f64;
    let (hit, alarm, miss, quiet) = (count(true, true), count(true, false), count(false, true), count(false, false));
    let (recall, specificity) = (ratio(hit, hit + miss), ratio(quiet, quiet + alarm));
    DriveFigures {
        who,
        drives: all.len(),
        failed: (hit + miss) as usize,
        balanced_accuracy: recall.zip(specificity).map(|(r, s)| (r + s) / 2.0),
        precision: ratio(hit, hit + alarm),
        recall,
        lead_median_h: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_told_of_only_in_the_interval_of_its_end_was_not_foreseen() {
        let text = "drive,tstart,tstop,fails,smart_5,smart_197\n\
            1,0,100,0,0,0\n1,100,180,0,8,0\n1,180,200,1,9,1\n\
            2,0,50,0,0,0\n2,50,60,1,4,0\n\
            3,0,500,0,0,0\n3,500,900,0,0,0\n\
            4,0,10,0,0,\n4,10,20,0,0,3\n4,20,30,0,0,3\nodd\n";
        let found = drives(text).expect("a table of drives");
        let farol = &found[0];
        assert_eq!((farol.drives, farol.failed, farol.recall, farol.precision), (4, 2, Some(0.5), Some(0.5)));
        assert_eq!((farol.balanced_accuracy, farol.lead_median_h), (Some(0.5), Some(100.0)));
        assert_eq!((found[1].recall, found[2].recall), (Some(1.0), Some(0.0)));
        assert!(drives("time,value\n0,1\n").is_none() && drives("").is_none());
    }
}
