//! The figures as tables for people.
//!
//! Never computes a figure. Invariant: what cannot be told is a dash, and every table holds its references.

use std::fmt::Write as _;

use super::alarms::Severity;
use super::bars::Bar;
use super::courses::CourseFigures;
use super::drives::DriveFigures;
use super::figures::{Figures, Groups};
use super::firm::Firm;
use super::limits::LimitFigures;
use super::summary::{CurvePoint, Detection, Tier};
use super::variant::{VARIANTS, Variant};

const DAY: f64 = 86_400.0;

/// A number or a dash.
fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.digits$}"))
}

fn figures_row(text: &mut String, name: &str, f: &Figures) {
    let found = f.found.map_or_else(String::new, |[found, missed, wrong]| {
        let short = |v: f64| format!("{}", (v * 10.0).round() / 10.0);
        format!("{} / {} / {}", short(found), short(missed), short(wrong))
    });
    let _ = writeln!(
        text,
        "{name:<24} {:>5} {:>5} {:>5}  {:>6} {:>8}  {:>8} {:>8} {:>6} {:>6}  {found}",
        number(f.precision, 2),
        number(f.recall, 2),
        number(Some(f.f1), 2),
        number(Some(100.0 * f.fpr), 2),
        number(Some(f.false_per_day), 3),
        number(f.delay_median_s, 0),
        number(f.delay_p90_s, 0),
        number(f.delay_median_steps, 1),
        number(f.delay_p90_steps, 1),
    );
}

fn groups_rows(groups: &Groups) -> Vec<(String, &Figures)> {
    let mut rows: Vec<(String, &Figures)> = groups.tracks.iter().map(|(t, f)| (t.clone(), f)).collect();
    let sums =
        [("MACRO hosts", &groups.macro_hosts), ("POOLED hosts", &groups.pooled_hosts), ("MACRO all tracks", &groups.macro_all)];
    rows.extend(sums.into_iter().filter_map(|(name, f)| Some((name.to_owned(), f.as_ref()?))));
    rows
}

fn tier(text: &mut String, title: &str, tier: &Tier) {
    let _ = writeln!(
        text,
        "\n{title}\n{:<24} {:>5} {:>5} {:>5}  {:>6} {:>8}  {:>8} {:>8} {:>6} {:>6}  found / missed / false",
        "", "P", "R", "F1", "FPR %", "false/d", "delay s", "p90 s", "steps", "p90"
    );
    let (farol, random, never) = (groups_rows(&tier.farol), groups_rows(&tier.random), groups_rows(&tier.never));
    for (((name, own), (_, random)), (_, never)) in farol.iter().zip(&random).zip(&never) {
        figures_row(text, name, own);
        figures_row(text, "   random", random);
        figures_row(text, "   never", never);
    }
    if let Some(score) = tier.nab_standard {
        let _ = writeln!(text, "NAB standard score of these files, alarms as they are: {score:.1} (never: 0, perfect: 100)");
    }
}

/// The detection of a folder.
pub fn detection(found: &Detection) -> String {
    let mut text = format!("{} files, {} labeled incidents, protocol farol-eval/1\n", found.files, found.windows);
    tier(&mut text, "All alarms, with the marks nobody is told of", &found.all);
    tier(&mut text, "Told: without what comes daily and before days are known", &found.told);
    tier(&mut text, "Critical only", &found.critical);
    text
}

/// One line per detector: what it is worth alone.
pub fn detectors(rows: &[(String, Detection)]) -> String {
    let mut text = format!("\nDetectors alone, all alarms: precision / recall / F1\n{:<14}", "");
    let Some((_, first)) = rows.first() else { return text };
    let tracks: Vec<&String> = first.all.farol.tracks.iter().map(|(t, _)| t).collect();
    tracks.iter().for_each(|t| text.push_str(&format!(" {t:>16}")));
    text.push_str("  hosts F1  false/host-day\n");
    for (name, found) in rows {
        let _ = write!(text, "{name:<14}");
        for (_, f) in &found.all.farol.tracks {
            let cell = format!("{}/{}/{}", number(f.precision, 2), number(f.recall, 2), number(Some(f.f1), 2));
            let _ = write!(text, " {cell:>16}");
        }
        let hosts = found.all.farol.macro_hosts.as_ref().map(|f| f.f1);
        let pooled = found.all.farol.pooled_hosts.as_ref().map(|f| f.false_per_day);
        let _ = writeln!(text, "  {:>8}  {:>14}", number(hosts, 2), number(pooled, 3));
    }
    text
}

/// Detectors that are measured and not listened to, with the reasons.
pub fn inactive(reasons: &[(&str, &str)]) -> String {
    let lines = reasons.iter().map(|(name, because)| format!("  {name:<12} {because}\n"));
    format!("Not listened to by default:\n{}", lines.collect::<String>())
}

/// How firm the event F1 of each track is.
pub fn firmness(rows: &[Firm]) -> String {
    let names = VARIANTS.map(Variant::name);
    let mut text = format!(
        "\nEvent F1 of all alarms: 90 % of draws of files; from the score that is best on the other tracks; the series a little different\n{:<16} {:>5}  {:>12} {:>9}  {}\n",
        "",
        "F1",
        "interval",
        "left out",
        names.map(|n| format!("{n:>15}")).join(" ")
    );
    for row in rows {
        let [low, high] = row.interval;
        let variants: Vec<String> = row.variants.iter().map(|f1| format!("{f1:>15.2}")).collect();
        let interval = format!("{low:.2}-{high:.2}");
        let left_out = number(row.left_out, 2);
        let _ = writeln!(text, "{:<16} {:>5.2}  {interval:>12} {left_out:>9}  {}", row.track, row.f1, variants.join(" "));
    }
    text
}

/// Precision and recall over the score.
pub fn curve(points: &[CurvePoint]) -> String {
    let mut text = "\nAlarms with at least this score: macro P / R / F1, false alarms a day; F1 by track\n".to_owned();
    for point in points {
        let all = point.all.clone().unwrap_or_default();
        let tracks: Vec<String> = point.tracks.iter().map(|(t, f)| format!("{t} {:.2}", f.f1)).collect();
        let _ = writeln!(
            text,
            "{:>8.4}  {} / {} / {:.2}  {:.3}   {}",
            point.threshold,
            number(all.precision, 2),
            number(all.recall, 2),
            all.f1,
            all.false_per_day,
            tracks.join("  ")
        );
    }
    text
}

/// The forecasts of a folder.
pub fn forecasts(rows: &[CourseFigures], [scored, missing]: [usize; 2]) -> String {
    let mut text = format!(
        "\nForecasts and crossings: {scored} questions scored, {missing} of them not answered (counted as the last value)\n\
         {:<10} {:<10} {:>6} {:>7}  {:>9} {:>7}  {:>8} {:>6}  {:>6} {:>6} {:>6}  {:>7} {:>9}\n",
        "forecast",
        "track",
        "series",
        "origins",
        "MASE mean",
        "median",
        "rel. MAE",
        "beats",
        "sMAPE",
        "80 %",
        "95 %",
        "naive",
        "seasonal"
    );
    for f in rows {
        let _ = writeln!(
            text,
            "{:<10} {:<10} {:>6} {:>7}  {:>9.2} {:>7.2}  {:>8.2} {:>5.0}%  {:>6.1} {:>6} {:>6}  {:>7.2} {:>9.2}",
            f.task,
            f.track,
            f.series,
            f.origins,
            f.mase_mean,
            f.mase_median,
            f.rel_mae_vs_naive,
            100.0 * f.beats_naive,
            f.smape,
            number(f.coverage80, 2),
            number(f.coverage95, 2),
            f.naive_mase,
            f.seasonal_naive_mase
        );
    }
    text
}

/// The crossings of a folder.
pub fn crossings(rows: &[LimitFigures]) -> String {
    let mut text = format!(
        "\n{:<14} {:>7} {:>6}  {:>8} {:>5} {:>5} {:>6}  {:>6} {:>6}  {:>6} {:>5}  median lead\n",
        "crossing", "asked", "yes %", "balanced", "P", "R", "acc", "Brier", "skill", "events", "seen"
    );
    for f in rows {
        let is_own = f.who == "farol";
        let lead = |s: f64| if s >= 2.0 * DAY { format!("{:.1} d", s / DAY) } else { format!("{:.0} min", s / 60.0) };
        let tail = if is_own {
            let lead = f.lead_median_s.map_or_else(|| "-".to_owned(), lead);
            format!("{:>6} {:>5}  {lead}", f.events, number(f.events_foreseen, 2))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "{:<14} {:>7} {:>6.1}  {:>8} {:>5} {:>5} {:>6.3}  {:>6.3} {:>6}  {tail}",
            if is_own { f.task.clone() } else { format!("   {}", f.who) },
            f.n,
            100.0 * f.base_rate,
            number(f.balanced_accuracy, 3),
            number(f.precision, 2),
            number(f.recall, 2),
            f.accuracy,
            f.brier,
            number(f.brier_skill, 2)
        );
    }
    text
}

/// Failing drives beside those who always and never say so.
pub fn drives(rows: &[DriveFigures]) -> String {
    let (all, failed) = rows.first().map_or((0, 0), |f| (f.drives, f.failed));
    let mut text = format!(
        "\nDrives told of before the interval they failed in: {all}, of which {failed} failed\n{:<24} {:>8} {:>5} {:>5} {:>9}\n",
        "", "balanced", "P", "R", "lead h"
    );
    for f in rows {
        let _ = writeln!(
            text,
            "{:<24} {:>8} {:>5} {:>5} {:>9}",
            f.who,
            number(f.balanced_accuracy, 3),
            number(f.precision, 2),
            number(f.recall, 2),
            number(f.lead_median_h, 0),
        );
    }
    text
}

/// What must be reached, and what is.
pub fn bars(bars: &[Bar]) -> String {
    if bars.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{:<48} {:>8} {:>9} {:>9}\n", "", "figure", "floor", "goal");
    for bar in bars {
        let sign = if bar.at_least { ">=" } else { "<=" };
        let state = match (bar.reaches_goal(), bar.reaches_floor()) {
            (true, _) => "goal",
            (_, true) => "floor",
            _ => "BELOW",
        };
        let [floor, goal] = [bar.floor, bar.goal].map(|b| format!("{sign} {b}"));
        let _ = writeln!(text, "{:<48} {:>8} {floor:>9} {goal:>9}   {state}", bar.what, number(bar.value, 3));
    }
    let kept = bars.iter().filter(|b| b.reaches_floor()).count();
    let _ = writeln!(text, "{kept} of {} figures reach the floor", bars.len());
    text
}

/// The name of a severity.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Mark => "mark",
        Severity::Warn => "warn",
        Severity::Critical => "critical",
    }
}
