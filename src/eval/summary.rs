//! All figures of a run, with their references beside them.
//!
//! Invariant: farol, `random` and `never` are counted by the same code over the same files.

use serde::Serialize;

use super::alarms::Severity;
use super::chance::by_chance;
use super::courses::{CourseFigures, SeriesScores};
use super::figures::{Figures, Groups, quantile};
use super::folder::{Folder, Labels};
use super::limits::{LimitFigures, Outcome};
use super::nab::{NabFile, nab_score};
use super::protocol::{Counts, Scored, Span};
use super::work::FileResult;
use crate::analyze::Noise;

/// Seed of the alarms by chance.
const SEED: u64 = 1;
/// Thresholds of the curve.
const CURVE: usize = 20;

/// Figures of one tier of alarms.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tier {
    /// Farol's.
    pub farol: Groups,
    /// As many by chance.
    pub random: Groups,
    /// No alarm.
    pub never: Groups,
    /// The benchmark's own score of the files at hand.
    pub nab_standard: Option<f64>,
}

/// A point of the curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Alarms from this score on are counted.
    pub threshold: f64,
    /// Mean over all tracks.
    pub all: Option<Figures>,
    /// By track.
    pub tracks: Vec<(String, Figures)>,
}

/// Figures of the detection.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Detection {
    /// Scored files.
    pub files: usize,
    /// Labeled incidents.
    pub windows: usize,
    /// All alarms, with the marks nobody is told of.
    pub all: Tier,
    /// What somebody is told of.
    pub told: Tier,
    /// Critical ones only.
    pub critical: Tier,
}

/// Figures of forecasts and crossings.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Foresight {
    /// Courses.
    pub forecasts: Vec<CourseFigures>,
    /// Limits.
    pub crossings: Vec<LimitFigures>,
    /// Questions scored, and of these not answered.
    pub questions: [usize; 2],
}

/// Files with a part to score and their alarms.
pub struct Detected<'a> {
    files: Vec<Scored>,
    results: Vec<&'a FileResult>,
}

impl<'a> Detected<'a> {
    /// Of a run; `None` where no file has a part to score.
    pub fn of(results: &'a [FileResult]) -> Option<Self> {
        let scored: Vec<(Scored, &FileResult)> = results.iter().filter_map(|r| Some((r.scored.clone()?, r))).collect();
        let (files, results): (Vec<Scored>, Vec<&FileResult>) = scored.into_iter().unzip();
        (!files.is_empty()).then_some(Self { files, results })
    }

    /// All figures.
    pub fn figures(&self, labels: &Labels) -> Detection {
        Detection {
            files: self.files.len(),
            windows: self.files.iter().map(|f| f.windows.len()).sum(),
            all: self.tier(labels, |_| true),
            told: self.tier(labels, |severity| severity >= Severity::Warn),
            critical: self.tier(labels, |severity| severity == Severity::Critical),
        }
    }

    fn spans(&self, keep: impl Fn(Severity, f64) -> bool) -> Vec<Vec<Span>> {
        let of = |(file, result): (&Scored, &&FileResult)| {
            let end = file.span().1;
            result.alarms.iter().filter(|a| keep(a.severity, a.score)).map(|a| a.span(end)).collect()
        };
        self.files.iter().zip(&self.results).map(of).collect()
    }

    fn groups(&self, spans: &[Vec<Span>]) -> Groups {
        let counts: Vec<Counts> = self.files.iter().zip(spans).map(|(file, spans)| file.score(spans)).collect();
        Groups::of(&self.files, &counts)
    }

    fn tier(&self, labels: &Labels, keep: impl Fn(Severity) -> bool) -> Tier {
        let spans = self.spans(|severity, _| keep(severity));
        let mut noise = Noise::new(SEED);
        let chance: Vec<Counts> = self.files.iter().zip(&spans).map(|(f, s)| by_chance(f, s, &mut noise)).collect();
        let nab: Vec<NabFile<'_>> = self
            .files
            .iter()
            .zip(&self.results)
            .zip(&spans)
            .filter(|((file, _), _)| file.name.starts_with("nab/"))
            .filter_map(|((file, result), spans)| {
                let label = labels.get(&file.name)?;
                let opened = file.alarms(spans).iter().map(|(a, _)| *a).collect();
                Some(NabFile { from: label.score_from?, windows: &label.windows, times: &result.times, opened })
            })
            .collect();
        Tier {
            farol: self.groups(&spans),
            random: Groups::of(&self.files, &chance),
            never: self.groups(&vec![Vec::new(); self.files.len()]),
            nab_standard: nab_score(&nab),
        }
    }

    /// Files and the counts of all alarms in them.
    pub(super) fn counts(&self) -> (&[Scored], Vec<Counts>) {
        let spans = self.spans(|_, _| true);
        (&self.files, self.files.iter().zip(&spans).map(|(file, spans)| file.score(spans)).collect())
    }

    /// Figures of alarms with at least that score.
    pub(super) fn groups_from(&self, threshold: f64) -> Groups {
        self.groups(&self.spans(|_, score| score >= threshold))
    }

    /// Scores at equal shares of all alarms, lowest first.
    pub(super) fn thresholds(&self) -> Vec<f64> {
        let scores: Vec<f64> = self.results.iter().flat_map(|r| r.alarms.iter().map(|a| a.score)).collect();
        let share = |i: usize| 0.99 * i as f64 / (CURVE - 1) as f64;
        let mut thresholds: Vec<f64> = (0..CURVE).filter_map(|i| quantile(&scores, share(i))).collect();
        thresholds.dedup();
        thresholds
    }

    /// Precision and recall over the score.
    pub fn curve(&self) -> Vec<CurvePoint> {
        let point = |threshold: f64| {
            let groups = self.groups_from(threshold);
            CurvePoint { threshold, all: groups.macro_all, tracks: groups.tracks }
        };
        self.thresholds().into_iter().map(point).collect()
    }
}

/// Figures of forecasts and crossings; `None` where the folder asks for none.
pub fn foresight(folder: &Folder, results: &[FileResult]) -> Option<Foresight> {
    let questions = folder.questions.as_ref()?;
    let mut foresight = Foresight::default();
    let courses = || results.iter().flat_map(|r| r.courses.iter());
    let limits = || results.iter().flat_map(|r| r.limits.iter());
    foresight.questions = [
        courses().count() + limits().map(|(_, l)| l.len()).sum::<usize>(),
        courses().filter(|(_, line, _)| line.is_none()).count(),
    ];
    for task in tasks(questions.forecasts.iter().map(|q| q.task.as_str())) {
        let of = |(i, question): (usize, &super::folder::CourseQuestion)| {
            let scores = courses().filter(|(n, _, _)| *n == i).map(|(_, _, score)| *score).collect::<Vec<_>>();
            let track = question.file.split('/').next().unwrap_or_default().to_owned();
            (question.task == task && !scores.is_empty()).then_some((track, scores))
        };
        let series: Vec<SeriesScores> = questions.forecasts.iter().enumerate().filter_map(of).collect();
        foresight.forecasts.extend(CourseFigures::of(task, &series));
    }
    for task in tasks(questions.crossings.iter().map(|q| q.task.as_str())) {
        let mine = limits().filter(|(i, _)| questions.crossings[*i].task == task);
        let series: Vec<Vec<Outcome>> = mine.map(|(_, lines)| lines.iter().map(|(_, o)| *o).collect()).collect();
        if series.iter().any(|s| !s.is_empty()) {
            foresight.crossings.extend(LimitFigures::of(task, &series));
        }
    }
    Some(foresight)
}

/// Kinds of questions in the order in which they are first asked.
fn tasks<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kinds = Vec::new();
    for task in all {
        if !kinds.contains(&task) {
            kinds.push(task);
        }
    }
    kinds
}
