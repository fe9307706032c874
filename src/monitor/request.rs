//! What can be wished and what is answered.
//!
//! Closed enums: whoever adds a request is led by the compiler to all who must know it. Invariant: an
//! answer to a decision is given after it is on disk, or says that it is not.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Incident, Lesson, Matcher, ProcessDepth, ProcessId, ReportSpec, RuleKeys, RuleSpec, SeriesKey, SettingChange, SettingsPlace,
};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look.
    Read,
    /// Also acknowledge, silence, snooze, give feedback, check now, set maintenance.
    Operate,
    /// Also change settings, reload, stop, hand over, and look into a process's environment and files.
    Admin,
}

/// Who decided.
pub type Author = String;

/// How long an alert is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnoozeUntil {
    /// Until then.
    Time(Timestamp),
    /// Until it gets worse, another instance joins or it is over.
    Change,
    /// No longer: end a snooze.
    Now,
}

/// Points of several series for charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRequest {
    /// Which series.
    pub keys: Vec<SeriesKey>,
    /// Which span.
    pub range: TimeRange,
    /// Width of a bucket; zero: every sample.
    pub step: Duration,
}

/// A query in the query language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryRequest {
    /// The expression.
    pub expr: String,
    /// Which span; `from == to` asks for one moment.
    pub range: TimeRange,
    /// Time between two values; zero: chosen by the span.
    pub step: Duration,
}

/// Rules over the stored history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayRequest {
    /// A rule in force by name; without it and without a draft all of them.
    pub rule: Option<String>,
    /// A rule that is not in force.
    pub draft: Option<Box<RuleSpec>>,
    /// Which span.
    pub range: TimeRange,
}

/// A wish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// The present.
    Snapshot,
    /// The present as it was then: one keyframe and the journal up to it.
    At {
        /// Then.
        at: Timestamp,
    },
    /// Points for charts.
    History(HistoryRequest),
    /// A query.
    Query(QueryRequest),
    /// Forecasts of a metric's series, made now.
    Forecast {
        /// A selector (`filesystem_used_ratio{mount="/"}`).
        selector: String,
        /// How far.
        horizon: Duration,
    },
    /// The learned band of a series.
    Band {
        /// Which series.
        key: SeriesKey,
        /// Which span.
        range: TimeRange,
        /// Width of a bucket.
        step: Duration,
    },
    /// One process in full, read now.
    ProcessDetails {
        /// Which one.
        process: ProcessId,
        /// How deep.
        depth: ProcessDepth,
    },
    /// What one process used, as far as it was among those that used most.
    ProcessHistory {
        /// Which one.
        process: ProcessId,
        /// Which span.
        range: TimeRange,
        /// Width of a point; at least the ten seconds between two rows, zero for those.
        step: Duration,
    },
    /// Journal of a span, oldest first.
    Journal {
        /// Which span.
        range: TimeRange,
    },
    /// Alerts of a span, resolved ones included, newest first.
    Alerts {
        /// Which span.
        range: TimeRange,
    },
    /// A report; the caller writes the file.
    Report(ReportSpec),
    /// Reports made by the clock: those kept, and what comes next.
    Reports,
    /// The file of a report that is kept.
    KeptReport {
        /// The report.
        report: String,
    },
    /// A report is kept no longer.
    DeleteReport {
        /// The report.
        report: String,
        /// Who.
        author: Author,
    },
    /// When rules would have fired, and who would have been told.
    Replay(ReplayRequest),
    /// What the rules' alerts of a span were worth, and limits that would have served better.
    Learn {
        /// Which span.
        range: TimeRange,
    },
    /// Series with at least one sample in a span.
    Series {
        /// Which span.
        range: TimeRange,
    },
    /// Read every row of the history and name what is damaged.
    CheckStore,
    /// Somebody takes care of an alert.
    Acknowledge {
        /// The alert.
        alert: String,
        /// Who.
        author: Author,
        /// What they say.
        comment: String,
    },
    /// An acknowledgment taken back.
    Unacknowledge {
        /// The alert.
        alert: String,
        /// Who.
        author: Author,
    },
    /// An alert is put off.
    Snooze {
        /// The alert.
        alert: String,
        /// Who.
        author: Author,
        /// Until when.
        until: SnoozeUntil,
    },
    /// Matching alerts are not told.
    AddSilence {
        /// All must match.
        matchers: Vec<Matcher>,
        /// How long from now.
        length: Duration,
        /// Who.
        author: Author,
        /// Why.
        comment: String,
        /// Services concerned do not count.
        maintenance: bool,
    },
    /// A silence ends now.
    ExpireSilence {
        /// The silence.
        id: String,
        /// Who.
        author: Author,
    },
    /// Whether an alert was real.
    Feedback {
        /// The alert.
        alert: String,
        /// Who.
        author: Author,
        /// It was.
        real: bool,
    },
    /// Something happened: what rules are measured against.
    AddIncident {
        /// What.
        incident: Incident,
        /// Who.
        author: Author,
    },
    /// A note at a moment.
    Annotate {
        /// When.
        at: Timestamp,
        /// Who.
        author: Author,
        /// What.
        text: String,
    },
    /// The last checks of a service.
    Checks {
        /// Its name.
        service: String,
    },
    /// Check a service at once.
    CheckNow {
        /// Its name.
        service: String,
    },
    /// A service goes into maintenance: a silence on it that is kept as any other; or it leaves it.
    Maintenance {
        /// Its name.
        service: String,
        /// How long from now, in place of one that is set already; `None` ends it.
        length: Option<Duration>,
        /// Who.
        author: Author,
        /// Why.
        comment: String,
    },
    /// Messages about an alert that are not delivered yet.
    Waiting {
        /// The alert.
        alert: String,
    },
    /// Send a test through a channel.
    TestChannel {
        /// Its name.
        channel: String,
    },
    /// Everything that is set; no secret is in the answer.
    Settings,
    /// Other settings, from now on: checked whole, written, then taken as by a reload.
    ChangeSettings {
        /// What changes; all of it or nothing.
        changes: Vec<SettingChange>,
        /// Where it is written.
        place: SettingsPlace,
        /// Who.
        author: Author,
    },
    /// The settings before the last change that was made this way since the start.
    UndoSettings {
        /// Who.
        author: Author,
    },
    /// A limit that was proposed holds from now on: kept in `overrides.toml`.
    ApplyProposal {
        /// The rule.
        rule: String,
        /// Its keys that change.
        keys: RuleKeys,
        /// Why.
        reason: String,
        /// Who.
        author: Author,
    },
    /// What was learned is taken back.
    UndoLesson {
        /// The lesson.
        lesson: Box<Lesson>,
        /// Who.
        author: Author,
    },
    /// Read the configuration again.
    Reload,
    /// Release the store to another engine: the asker starts one.
    HandOver,
    /// Write everything and end.
    Stop,
    /// The asking screen runs an engine of its own, because the one it was attached to is gone.
    TakeOver,
}

/// Longest name a client gives itself.
const MAX_NAME: usize = 64;

/// Who decided: `user`, and in brackets who is `said` to be behind it (`root (ana)`).
pub fn signed(user: &str, said: &str) -> Author {
    let said: String = said.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    match said.trim() {
        "" => user.to_owned(),
        said if said == user || said.starts_with(&format!("{user} (")) => said.to_owned(),
        said => format!("{user} ({said})"),
    }
}

impl Request {
    /// The same, decided by `user`; who the client says it is stands behind it in brackets (`root (ana)`).
    #[must_use]
    pub fn by(mut self, user: &str) -> Self {
        if let Some(author) = self.author_mut() {
            *author = signed(user, author);
        }
        self
    }

    fn author_mut(&mut self) -> Option<&mut Author> {
        match self {
            Self::Acknowledge { author, .. }
            | Self::Unacknowledge { author, .. }
            | Self::Snooze { author, .. }
            | Self::AddSilence { author, .. }
            | Self::ExpireSilence { author, .. }
            | Self::Feedback { author, .. }
            | Self::DeleteReport { author, .. }
            | Self::Annotate { author, .. }
            | Self::ChangeSettings { author, .. }
            | Self::UndoSettings { author }
            | Self::AddIncident { author, .. }
            | Self::ApplyProposal { author, .. }
            | Self::UndoLesson { author, .. }
            | Self::Maintenance { author, .. } => Some(author),
            _ => None,
        }
    }

    /// The least scope that may ask this.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Snapshot
            | Self::At { .. }
            | Self::History(_)
            | Self::Query(_)
            | Self::Forecast { .. }
            | Self::Band { .. }
            | Self::ProcessHistory { .. }
            | Self::ProcessDetails { depth: ProcessDepth::Public, .. }
            | Self::Journal { .. }
            | Self::Alerts { .. }
            | Self::Waiting { .. }
            | Self::Checks { .. }
            | Self::Report(_)
            | Self::Reports
            | Self::KeptReport { .. }
            | Self::Replay(_)
            | Self::Learn { .. }
            | Self::Series { .. }
            | Self::Settings
            | Self::CheckStore => Scope::Read,
            Self::Acknowledge { .. }
            | Self::Unacknowledge { .. }
            | Self::Snooze { .. }
            | Self::AddSilence { .. }
            | Self::ExpireSilence { .. }
            | Self::Feedback { .. }
            | Self::DeleteReport { .. }
            | Self::AddIncident { .. }
            | Self::Annotate { .. }
            | Self::CheckNow { .. }
            | Self::Maintenance { .. }
            | Self::TestChannel { .. } => Scope::Operate,
            Self::ProcessDetails { depth: ProcessDepth::Private, .. }
            | Self::ChangeSettings { .. }
            | Self::UndoSettings { .. }
            | Self::ApplyProposal { .. }
            | Self::UndoLesson { .. }
            | Self::Reload
            | Self::HandOver
            | Self::Stop
            | Self::TakeOver => Scope::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decides_is_who_the_system_says() {
        let author = |said: &str| {
            let request = Request::ExpireSilence { id: "s1".to_owned(), author: said.to_owned() };
            match request.by("root") {
                Request::ExpireSilence { author, .. } => author,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(author(""), "root");
        assert_eq!(author("root"), "root");
        assert_eq!(author("ana"), "root (ana)");
        assert_eq!(author("root (ana)"), "root (ana)", "said twice");
        assert_eq!(author(&format!("\x1b[2J{}", "x".repeat(500))).len(), "root ([2J)".len() + 61);
        assert_eq!(Request::Stop.by("root"), Request::Stop);
    }
}
