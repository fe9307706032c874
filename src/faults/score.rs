//! What the alarms of a run were worth.
//!
//! Counts by the protocol of labeled series, an alarm once, when it opens; never raises one. Invariant: chance and silence stand beside every figure.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Happened, Told};
use crate::analyze::Noise;
use crate::eval::{Counts, Label, Scored, by_chance};

/// Seconds after its end in which an alarm still belongs to a fault: the protocol's tolerance at one second.
const TOLERANCE: i64 = 30;
/// The seed of the alarms by chance.
const CHANCE: u64 = 1;

/// How a run went.
#[derive(Debug)]
pub struct Verdict {
    rows: Vec<(&'static str, Counts)>,
    faults: Vec<Row>,
    /// Alarms people were told of that belong to no fault: seconds after the start, and what they said.
    others: Vec<(i64, String)>,
    quiet_alarms: usize,
    quiet_seconds: i64,
}

/// One fault and what was said of it.
#[derive(Debug)]
struct Row {
    fault: Happened,
    /// The first alarm people were told of.
    first: Option<Told>,
    /// Whether the first alarm that names a cause names the right one.
    cause: Option<bool>,
    /// Whether an alarm that names the right cause came before it hurt; `None` where it cannot be foreseen.
    foreseen: Option<bool>,
}

/// Judges the alarms of the seconds `from` (the end of the quiet start; `began` is its start) to `to`.
pub fn judge((began, from, to): (i64, i64, i64), faults: &[Happened], told: &[Told]) -> Verdict {
    let windows = faults.iter().map(|f| (f.start, f.end)).collect();
    let label = Label { interval_s: 1, score_from: Some(from), windows, ..Label::default() };
    let seconds: Vec<i64> = (from..=to.max(from)).collect();
    let scored = Scored::new("bench/run", &label, &seconds).expect("it has a second at least");
    // Their openings: at a second the protocol would count what stays open anew each minute, and so as noticing whatever comes.
    let spans =
        |want: &dyn Fn(&&Told) -> bool| -> Vec<(i64, i64)> { told.iter().filter(want).map(|t| (t.opened, t.opened)).collect() };
    let alerts = spans(&|t| !t.mark);
    let rows = vec![
        ("alerts", scored.score(&alerts)),
        ("critical", scored.score(&spans(&|t| !t.mark && t.critical))),
        ("with marks", scored.score(&spans(&|_| true))),
        ("random", by_chance(&scored, &alerts, &mut Noise::new(CHANCE))),
        ("never", scored.score(&[])),
    ];
    let quiet = told.iter().filter(|t| !t.mark && (began..from).contains(&t.opened)).count();
    let belongs = |t: &Told| faults.iter().any(|f| (f.start..=f.end + TOLERANCE).contains(&t.opened));
    let others = told.iter().filter(|t| !t.mark && !belongs(t)).map(|t| (t.opened - began, t.text.clone())).collect();
    let faults = faults.iter().map(|fault| row(*fault, told)).collect();
    Verdict { rows, faults, others, quiet_alarms: quiet, quiet_seconds: from - began }
}

fn row(fault: Happened, told: &[Told]) -> Row {
    let within = |t: &&Told| !t.mark && t.opened >= fault.start && t.opened <= fault.end + TOLERANCE;
    let mut alarms: Vec<&Told> = told.iter().filter(within).collect();
    alarms.sort_by_key(|t| t.opened);
    let foreseen = fault.hurts.map(|hurts| alarms.iter().any(|t| t.opened < hurts && t.cause == Some(true)));
    Row { fault, first: alarms.first().map(|t| (*t).clone()), cause: alarms.iter().find_map(|t| t.cause), foreseen }
}

/// The value below which that share of the values is; `None` without values.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1).min(sorted.len().checked_sub(1)?)).copied()
}

fn ratio(n: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| n / of)
}

impl Verdict {
    /// Of those faults that were told of and whose alarm names somebody, how many names are right: right, of.
    pub fn causes(&self) -> (usize, usize) {
        let named = |row: &&Row| row.cause.is_some();
        (self.faults.iter().filter(|r| r.cause == Some(true)).count(), self.faults.iter().filter(named).count())
    }

    /// Faults foreseen, of those that could be.
    pub fn foreseen(&self) -> (usize, usize) {
        let could = |row: &&Row| row.foreseen.is_some();
        (self.faults.iter().filter(|r| r.foreseen == Some(true)).count(), self.faults.iter().filter(could).count())
    }

    /// Share of faults that people were told of; `None` without faults.
    pub fn recall(&self) -> Option<f64> {
        let counts = &self.rows.first()?.1;
        ratio(counts.detected, counts.detected + counts.missed)
    }

    /// Alarms people were told of in the quiet start.
    pub fn quiet_alarms(&self) -> usize {
        self.quiet_alarms
    }

    /// For people.
    pub fn text(&self) -> String {
        let share = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.2}"));
        let seconds = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.0} s"));
        let mut text =
            format!("{:<12} {:>8} {:>9} {:>5}  {:<8} first alarm\n", "fault", "severity", "delay", "cause", "foreseen");
        let yes = |value: Option<bool>| match value {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        for row in &self.faults {
            let delay = row.first.as_ref().map_or("missed".to_owned(), |t| format!("{} s", t.opened - row.fault.start));
            let said = row.first.as_ref().map_or("", |t| t.text.as_str());
            let (kind, severity) = (row.fault.kind.name(), row.fault.severity);
            let (cause, foreseen) = (yes(row.cause), yes(row.foreseen));
            // A string has no other way to fail but memory.
            let _ = writeln!(text, "{kind:<12} {severity:>8} {delay:>9} {cause:>5}  {foreseen:<8} {said}");
        }
        text.push_str("\n             recall precision    F1  false  delay 50 %  90 %\n");
        for (name, c) in &self.rows {
            let (recall, precision) = (ratio(c.detected, c.detected + c.missed), ratio(c.detected, c.detected + c.false_alarms));
            let f1 = ratio(2.0 * c.detected, 2.0 * c.detected + c.missed + c.false_alarms);
            let (median, late) = (seconds(quantile(&c.delays, 0.5)), seconds(quantile(&c.delays, 0.9)));
            let (recall, precision, f1) = (share(recall), share(precision), share(f1));
            let false_alarms = c.false_alarms;
            let _ = writeln!(text, "{name:<12} {recall:>6} {precision:>9} {f1:>5} {false_alarms:>6.1} {median:>11} {late:>5}");
        }
        let (right, named) = self.causes();
        let (foreseen, could) = self.foreseen();
        let minutes = self.quiet_seconds as f64 / 60.0;
        let _ = writeln!(text, "\ncause named right       {right} of {named}");
        let _ = writeln!(text, "foreseen before it hurt {foreseen} of {could}");
        let _ = writeln!(text, "alarms while quiet      {} in {minutes:.0} min", self.quiet_alarms);
        if !self.others.is_empty() {
            text.push_str("\nalarms that belong to no fault, by minutes from the start\n");
        }
        for (after, said) in &self.others {
            let _ = writeln!(text, "{:>7.1}  {said}", *after as f64 / 60.0);
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let table = |(name, c): &(&str, Counts)| {
            json!({
                "alarms": name, "detected": c.detected, "missed": c.missed, "false_alarms": c.false_alarms,
                "recall": ratio(c.detected, c.detected + c.missed), "precision": ratio(c.detected, c.detected + c.false_alarms),
                "delay_median_seconds": quantile(&c.delays, 0.5), "delay_p90_seconds": quantile(&c.delays, 0.9),
            })
        };
        let fault = |row: &Row| {
            json!({
                "name": row.fault.kind, "severity": row.fault.severity, "start": row.fault.start, "end": row.fault.end,
                "delay_seconds": row.first.as_ref().map(|t| t.opened - row.fault.start),
                "alarm": row.first.as_ref().map(|t| &t.text), "cause_right": row.cause, "foreseen": row.foreseen,
            })
        };
        let (causes, foreseen) = (self.causes(), self.foreseen());
        json!({
            "faults": self.faults.iter().map(fault).collect::<Vec<_>>(),
            "figures": self.rows.iter().map(table).collect::<Vec<_>>(),
            "causes": {"right": causes.0, "named": causes.1},
            "foreseen": {"right": foreseen.0, "of": foreseen.1},
            "others": self.others.iter().map(|(after, said)| json!({"after_seconds": after, "alarm": said})).collect::<Vec<_>>(),
            "quiet": {"alarms": self.quiet_alarms, "seconds": self.quiet_seconds},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FaultKind;

    #[test]
    fn a_run_is_counted_as_labeled_series_are() {
        let fault = |kind, start: i64, hurts| Happened { kind, severity: 1.0, start, end: start + 99, hurts, pid: None };
        let faults = [fault(FaultKind::MemLeak, 1000, Some(1099)), fault(FaultKind::CpuHog, 2000, None)];
        let told =
            |opened, mark, cause| Told { opened, closed: Some(opened + 20), critical: false, mark, text: String::new(), cause };
        let alarms = [
            told(500, false, None),
            told(1020, false, None),
            told(1040, false, Some(true)),
            told(1500, false, None),
            told(2005, true, None),
        ];
        let verdict = judge((0, 900, 3000), &faults, &alarms);
        assert_eq!(verdict.recall(), Some(0.5));
        assert_eq!((verdict.causes(), verdict.foreseen(), verdict.quiet_alarms()), ((1, 1), (1, 1), 1));
        let json = verdict.json();
        assert_eq!(json["figures"][0]["precision"], 0.5);
        assert_eq!(json["figures"][0]["delay_median_seconds"], 20.0);
        assert_eq!(json["figures"][2]["recall"], 1.0, "a mark counts where marks are counted");
        assert_eq!(json["figures"][4]["recall"], 0.0);
        assert!(verdict.text().contains("missed"), "{}", verdict.text());
        let open_long = Told { closed: None, ..told(910, false, None) };
        assert_eq!(judge((0, 900, 3000), &faults, &[open_long]).recall(), Some(0.0), "what was open before notices nothing");
    }
}
