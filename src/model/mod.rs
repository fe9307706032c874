//! What the rooms talk about: metrics, series, samples, services, scores, forecasts, predictions,
//! alerts, health, the pulse of one tick and the snapshot it is folded into.
//!
//! Types and their invariants only: no I/O, no clock, no thread. Invariant: missing is absent, never
//! NaN and never 0; only [`Snapshot::apply`] changes a snapshot.

pub mod alert;
mod alert_json;
pub mod calendar;
pub mod catalog;
pub mod drive;
pub mod escalation;
pub mod explanation;
pub mod flaps;
pub mod forecast;
pub mod health;
pub mod host;
pub mod journal;
pub mod kept;
pub mod ledger;
pub mod listener;
pub mod matcher;
pub mod pattern;
pub mod perfdata;
pub mod prediction;
pub mod process;
pub mod process_details;
pub mod pulse;
pub mod report;
pub mod rule;
pub mod sample;
pub mod score;
pub mod security;
pub mod series;
pub mod service;
pub mod settings;
pub mod snapshot;
pub mod source;
pub mod waiting;
pub mod watch;

pub use alert::{Acknowledgment, Alert, AlertKind, AlertState, Severity, Silence, Snooze, Transition};
pub use catalog::{Catalog, GoodDirection, MetricDef, MetricKind};
pub use drive::DriveCounts;
pub use escalation::{CRITICAL_LEVEL, EscalationConfig, Escalations, LevelConfig};
pub use explanation::{Correlate, Culprit, Explanation, Resource};
pub use flaps::{FlapLimits, Flaps};
pub use forecast::{Backtest, Crossing, Forecast, Tried};
pub use health::{HealthScore, LostPoints, QueueHealth, RecorderHealth, StoreHealth, ThreadHealth};
pub use host::{FileSystemStat, Host, HostFacts, ListeningSocket, ProcessFile};
pub use journal::{JournalEntry, JournalEvent};
pub use kept::{KeptReport, NextReport, SentReport};
pub use ledger::{Evidence, Incident, IncidentRecord, Ledger, Lesson, Proposal, RuleKeys, RuleRecord};
pub use listener::{Listener, Protocol};
pub use matcher::{MatchOp, Matcher, MatcherError, matches_key};
pub use pattern::{Cluster, Outlier, Patterns, Shift, ShiftKind};
pub use perfdata::{PerfValue, perfdata};
pub use prediction::{Calibration, Outcome, Prediction, TrackRecord};
pub use process::{
    EndedProcess, MOST_ENDED, MOST_SHORT_LIVED, Process, ProcessChange, ProcessId, ProcessPoint, ProcessState, Scheduler,
    ShortLived, ShortLivedBy,
};
pub use process_details::{
    Capabilities, ControlGroup, MemoryUse, OpenFile, Private, ProcessDepth, ProcessDetails, ProcessSocket, ResourceLimit,
    ThreadDetails,
};
pub use pulse::{Pulse, TerminalNotice};
pub use report::{Fact, Prices, ReportDepth, ReportFormat, ReportKind, ReportSpec};
pub use rule::{Condition, Limit, Part, RuleSpec};
pub use sample::{Reading, Round, Sample, Source, SourceFault};
pub use score::{AnomalyInterval, Band, Score, Trend, TrendDirection, Verdict};
pub use security::{LogTopic, Posture, PostureCheck, SecurityEvent, SecurityFacts, Vulnerability};
pub use series::{SeriesKey, SeriesKeyError};
pub use service::{
    CheckOutcome, CheckResult, MaintenanceWindow, Measure, MeasureKind, PastCheck, ServiceState, ServiceStatus, SloStanding,
    UptimeShare,
};
pub use settings::{ChannelSetting, OwnFile, RuleSetting, Setting, SettingChange, Settings, SettingsPlace};
pub use snapshot::Snapshot;
pub use source::{Bucket, Detail, Points, Resolution, STALE_AFTER_INTERVALS, SeriesSource, SourceError, Values};
pub use waiting::WaitingMessage;
pub use watch::{NextStep, WatchedRule};
