//! Reports by the clock: what is due, what is kept, and where each went.
//!
//! Part of the core's state; what is made and written happens on other threads. Invariant: that a report was made, that it is
//! kept and who gets it are one commit, so that none is made or sent twice, whenever farol ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::core::Core;
use super::exchange::{NamedRows, Output, notice};
use crate::alert::Decided;
use crate::base::Timestamp;
use crate::model::{KeptReport, NextReport, Pulse, ReportSpec, SentReport, SourceFault};
use crate::monitor::{Answer, Refusal};
use crate::notify::{Enclosure, OutboxEvent, ReportOutcome};
use crate::report::{Schedule, is_path, path};
use crate::store::Write;

/// Time until a report that could not be made or kept is tried again: a full disk or a busy reader passes in minutes.
const AGAIN: Duration = Duration::from_secs(300);

/// A last run further ahead than that is of a clock that was wrong.
const WRONG_CLOCK: Duration = Duration::from_secs(86_400);

/// Prefixes of the rows of the table.
const RUN: &str = "run/";
const KEPT: &str = "kept/";

/// A report to be made now.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportJob {
    /// Names it.
    pub id: String,
    /// Name of the schedule.
    pub schedule: String,
    /// When it was due.
    pub due: Timestamp,
    /// What to make.
    pub spec: ReportSpec,
}

/// A report that was made and lies in its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeReport {
    /// Name proposed for its file.
    pub name: String,
    /// Where it lies.
    pub path: std::path::PathBuf,
    /// Size of its file.
    pub bytes: u64,
    /// What it says in short.
    pub summary: Vec<String>,
}

/// The last run of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Run {
    /// Everything due up to then is made, or was due before the schedule was known.
    until: Timestamp,
}

/// Schedules, their last runs and what is kept.
#[derive(Default)]
pub(super) struct Reports {
    plans: Vec<Schedule>,
    runs: BTreeMap<String, Run>,
    kept: BTreeMap<String, KeptReport>,
    /// Schedules whose report is being made.
    making: BTreeSet<String>,
    /// Why a schedule's last report could not be made, since when, and when it is tried again.
    failed: BTreeMap<String, (String, Timestamp, Timestamp)>,
    /// When that was looked at, and when something is due next; `None` where nothing is planned.
    planned_at: Timestamp,
    due_at: Option<Timestamp>,
}

impl Reports {
    /// With the rows of the history; those that cannot be read are as if they were not there.
    pub(super) fn restore(plans: Vec<Schedule>, rows: &NamedRows) -> Self {
        let mut reports = Self { plans, due_at: Some(Timestamp::default()), ..Self::default() };
        for (name, row) in rows {
            if let (Some(name), Ok(run)) = (name.strip_prefix(RUN), serde_json::from_slice(row)) {
                reports.runs.insert(name.to_owned(), run);
            } else if let Some(kept) = kept_row(name, row) {
                reports.kept.insert(kept.id.clone(), kept);
            }
        }
        reports
    }

    /// Other schedules, after a reload; those of the same name go on from their last run.
    pub(super) fn set_plans(&mut self, plans: Vec<Schedule>) {
        self.plans = plans;
        self.failed.retain(|name, _| self.plans.iter().any(|p| p.name == *name));
        self.due_at = Some(Timestamp::default());
    }

    pub(super) fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }

    /// What is to be made now: of each schedule the newest that was missed, and no other.
    fn due(&mut self, now: Timestamp, writes: &mut Vec<Write>) -> Vec<ReportJob> {
        // After a clock that went back, what was planned is of another time.
        if self.due_at.is_none_or(|due| due > now && now >= self.planned_at) {
            return Vec::new();
        }
        let mut jobs = Vec::new();
        for plan in &self.plans {
            let known = self.runs.get(&plan.name).filter(|run| run.until <= now + WRONG_CLOCK);
            let Some(run) = known else {
                // What was due before anybody asked for it is not made up for.
                let run = Run { until: now };
                writes.push(run_row(&plan.name, &run));
                self.runs.insert(plan.name.clone(), run);
                continue;
            };
            let waits = self.failed.get(&plan.name).is_some_and(|(_, _, again)| *again > now && *again <= now + AGAIN);
            if waits || self.making.contains(&plan.name) {
                continue;
            }
            if let Some(due) = plan.last_until(now).filter(|due| *due > run.until) {
                self.making.insert(plan.name.clone());
                jobs.push(ReportJob { id: plan.id(due), schedule: plan.name.clone(), due, spec: plan.spec(due) });
            }
        }
        self.plan_next(now);
        jobs
    }

    fn plan_next(&mut self, now: Timestamp) {
        let next = |plan: &Schedule| match self.failed.get(&plan.name) {
            Some((_, _, again)) if !self.making.contains(&plan.name) => Some(*again),
            _ => plan.next_after(now),
        };
        (self.planned_at, self.due_at) = (now, self.plans.iter().filter_map(next).min());
    }

    fn faults(&self) -> impl Iterator<Item = SourceFault> + '_ {
        self.failed.iter().map(|(name, (error, since, _))| SourceFault {
            source: format!("report {name}"),
            message: format!("{error} (since {}; tried again every 5 min)", since.rfc3339()),
        })
    }

    /// Removes what is kept no longer; ids and rows.
    fn expired(&self, now: Timestamp) -> Vec<String> {
        self.kept.values().filter(|k| k.keep_until <= now).map(|k| k.id.clone()).collect()
    }
}

/// A report kept, from its row.
pub(super) fn kept_row(name: &str, row: &[u8]) -> Option<KeptReport> {
    name.strip_prefix(KEPT).and_then(|_| serde_json::from_slice(row).ok())
}

fn run_row(name: &str, run: &Run) -> Write {
    Write::Schedule { name: format!("{RUN}{name}"), row: Some(json(run)) }
}

fn kept_write(kept: &KeptReport) -> Write {
    Write::Schedule { name: format!("{KEPT}{}", kept.id), row: Some(json(kept)) }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data has text keys")
}

impl Core {
    /// Begins what is due, and forgets what is kept no longer.
    pub(super) fn begin_reports(&mut self, at: Timestamp, output: &mut Output) {
        let jobs = self.reports.due(at, &mut output.now);
        if !jobs.is_empty() {
            for id in self.reports.expired(at) {
                self.forget_report(&id, output);
            }
        }
        output.reports.extend(jobs);
    }

    /// Takes what became of a report: it is kept, counts as made and goes out, all in one commit; or it is tried again.
    pub fn reported(&mut self, job: ReportJob, made: Result<MadeReport, String>, at: Timestamp) -> Output {
        let mut output = Output::default();
        let mut pulse = self.next_pulse(at);
        self.reports.making.remove(&job.schedule);
        match made {
            Ok(made) => self.keep_report(job, made, at, (&mut output, &mut pulse)),
            Err(error) => {
                let failed = self.reports.failed.entry(job.schedule.clone()).or_insert((String::new(), at, at));
                if failed.0 != error {
                    let text = format!("the report \"{}\" could not be made: {error}", job.schedule);
                    output.now.push(Write::Journal(notice(at, text)));
                }
                (failed.0, failed.2) = (error, at + AGAIN);
            }
        }
        self.reports.plan_next(at);
        output.pulse = Some(pulse);
        output
    }

    fn keep_report(&mut self, job: ReportJob, made: MadeReport, at: Timestamp, (output, pulse): (&mut Output, &mut Pulse)) {
        self.reports.failed.remove(&job.schedule);
        let run = Run { until: job.due };
        output.now.push(run_row(&job.schedule, &run));
        self.reports.runs.insert(job.schedule.clone(), run);
        let plan = self.reports.plans.iter().find(|p| p.name == job.schedule);
        // A schedule taken away meanwhile: it is kept as others are and goes to nobody.
        let (to, keep) = plan.map_or_else(|| (Vec::new(), Duration::from_secs(86_400)), |p| (p.to.clone(), p.keep));
        let kept = KeptReport {
            id: job.id,
            schedule: job.schedule,
            spec: job.spec,
            made_at: at,
            name: made.name,
            bytes: made.bytes,
            keep_until: at + keep,
            sent: to.iter().map(|to| SentReport::on_its_way(to)).collect(),
        };
        output.now.push(kept_write(&kept));
        let enclosure = Enclosure {
            id: kept.id.clone(),
            name: kept.name.clone(),
            path: made.path,
            media_type: kept.spec.format.media_type().to_owned(),
            schedule: kept.schedule.clone(),
            title: format!("{} {} report", kept.spec.depth, kept.spec.kind),
            summary: made.summary,
            target: String::new(),
        };
        let zone = plan.map_or(jiff::tz::TimeZone::UTC, |p| p.zone().clone());
        let host = self.settings.host.name.clone();
        let targets: Vec<(String, Enclosure)> = to
            .into_iter()
            .map(|to| {
                let target = if is_path(&to) { path(&to, &kept.spec, &host, &zone).unwrap_or_default() } else { String::new() };
                (to, Enclosure { target, ..enclosure.clone() })
            })
            .collect();
        self.reports.kept.insert(kept.id.clone(), kept);
        let step = self.outbox.step(OutboxEvent::Report(&targets), at);
        self.take_outbox(at, step, output, pulse);
    }

    /// Notes how a delivery of a report ended.
    pub(super) fn report_sent(&mut self, outcome: ReportOutcome, at: Timestamp, output: &mut Output) {
        let Some(kept) = self.reports.kept.get_mut(&outcome.report) else { return };
        if let Some(sent) = kept.sent.iter_mut().find(|s| s.to == outcome.channel) {
            sent.over = true;
            sent.at = outcome.error.is_none().then_some(at);
            sent.error = outcome.error;
            output.now.push(kept_write(kept));
        }
    }

    fn forget_report(&mut self, id: &str, output: &mut Output) {
        if let Some(kept) = self.reports.kept.remove(id) {
            output.now.push(Write::Schedule { name: format!("{KEPT}{id}"), row: None });
            output.removed.push(super::kept::file_name(id, kept.spec.format));
        }
    }

    /// Reports kept, newest first, and what comes next, soonest first.
    pub fn reports(&self, at: Timestamp) -> Answer {
        let waiting = |kept: &KeptReport, sent: &SentReport| {
            let row = self.outbox.of_report(&kept.id).find(|row| row.channel == sent.to).and_then(|row| row.waiting());
            row.map_or_else(|| sent.clone(), |row| SentReport { error: row.error, due_at: row.due_at, ..sent.clone() })
        };
        let mut kept: Vec<KeptReport> = self.reports.kept.values().cloned().collect();
        for one in &mut kept {
            one.sent = one.sent.iter().map(|sent| waiting(one, sent)).collect();
        }
        kept.sort_by(|a, b| (b.spec.range.to, &a.id).cmp(&(a.spec.range.to, &b.id)));
        let next = |plan: &Schedule| NextReport {
            schedule: plan.name.clone(),
            at: plan.next_after(at),
            to: plan.to.clone(),
            problem: self.reports.failed.get(&plan.name).map(|(error, ..)| error.clone()),
        };
        let mut next: Vec<NextReport> = self.reports.plans.iter().map(next).collect();
        next.sort_by(|a, b| (a.at.is_none(), a.at, &a.schedule).cmp(&(b.at.is_none(), b.at, &b.schedule)));
        Answer::Reports { kept, next }
    }

    /// Forgets a report at somebody's wish.
    ///
    /// # Errors
    /// There is none of that id.
    pub(super) fn delete_report(&mut self, id: &str, author: &str, at: Timestamp) -> Result<(Output, Decided), Refusal> {
        if !self.reports.kept.contains_key(id) {
            return Err(super::kept::unknown(id, self.reports.kept.keys().map(String::as_str)));
        }
        let mut output = self.note(at, format!("the report {id} was deleted by {author}"));
        self.forget_report(id, &mut output);
        Ok((output, Decided { message: format!("{id} is deleted"), ..Decided::default() }))
    }

    /// Reports that cannot be made, as they are shown beside sources that fail.
    pub(super) fn report_faults(&self) -> impl Iterator<Item = SourceFault> + '_ {
        self.reports.faults()
    }
}
