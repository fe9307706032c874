//! What a core is made from, and what it gives for each event.
//!
//! Plain values between the core and the threads around it. Invariant: `now` is on disk before a
//! delivery of the same output is tried.

use std::sync::Arc;
use std::time::Duration;

use super::outward::Channels;
use super::schedule::ReportJob;
use crate::alert::{Mute, Restored};
use crate::analyze::AnalyzeConfig;
use crate::base::Timestamp;
use crate::check::Service;
use crate::config::Config;
use crate::model::{
    Catalog, Escalations, HostFacts, JournalEntry, JournalEvent, Lesson, Prediction, Prices, Pulse, Reading, RuleSpec,
};
use crate::notify::{Delivery, HeartbeatConfig, OutboxRow, Routing, Sending};
use crate::report::Schedule;
use crate::store::Write;

/// What a core is made from.
#[derive(Clone)]
pub struct CoreSettings {
    /// Nominal time between two ticks.
    pub interval: Duration,
    /// Time between two writes of samples.
    pub flush: Duration,
    /// All metrics.
    pub catalog: Arc<Catalog>,
    /// Facts about the machine.
    pub host: Arc<HostFacts>,
    /// `[analyze]`.
    pub analyze: AnalyzeConfig,
    /// Rules, built-in and own.
    pub rules: Vec<RuleSpec>,
    /// What is not told by plan.
    pub mutes: Vec<Mute>,
    /// Those that come with farol, as nobody changed them.
    pub built_in: Arc<[RuleSpec]>,
    /// Escalation, for all and by route.
    pub escalation: Escalations,
    /// `[heartbeat]`.
    pub heartbeat: HeartbeatConfig,
    /// `[prices]`.
    pub prices: Prices,
    /// What is made by the clock.
    pub reports: Vec<Schedule>,
    /// Services to check.
    pub services: Vec<Service>,
    /// Who is told of what.
    pub routing: Routing,
    /// Whether anything is really sent.
    pub sending: Sending,
    /// Channels, ready to deliver.
    pub channels: Channels,
}

/// What a replay judges and tells by.
#[derive(Debug, Clone, Default)]
pub struct Judging {
    /// Rules in force.
    pub rules: Vec<RuleSpec>,
    /// What is not told by plan.
    pub mutes: Vec<Mute>,
    /// Escalation, for all and by route.
    pub escalation: Escalations,
    /// Who is told of what.
    pub routing: Routing,
}

impl CoreSettings {
    /// What a replay judges and tells by; actions do not run.
    pub fn judging(&self) -> Arc<Judging> {
        let routing = Routing { actions: Vec::new(), ..self.routing.clone() };
        let (rules, mutes, escalation) = (self.rules.clone(), self.mutes.clone(), self.escalation.clone());
        Arc::new(Judging { rules, mutes, escalation, routing })
    }
}

/// A configuration that was read again.
pub struct Reread {
    /// All of it.
    pub config: Config,
    /// What a core is made from it.
    pub settings: CoreSettings,
    /// Why.
    pub occasion: Occasion,
}

/// Why a configuration was read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody asked for it.
    Asked,
    /// It was changed from a screen; what and by whom.
    Changed(String),
    /// A rule was changed by what was learned of it; who let it. The lesson has no id yet, and one that
    /// takes back the last of its rule names none.
    Learned(Lesson, String),
}

/// Rows of the history under their names.
pub type NamedRows = Vec<(String, Vec<u8>)>;

/// What the history knows at a start.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Alerts, silences and ids.
    pub alerts: Restored,
    /// Rows of services.
    pub services: NamedRows,
    /// What the analyzer learned.
    pub learned: Option<Vec<u8>>,
    /// How steady services were.
    pub stability: Option<Vec<u8>>,
    /// Changes of the last week.
    pub shifts: Option<Vec<u8>>,
    /// How many connections were usual.
    pub connections: Option<Vec<u8>>,
    /// What surges reached on the last days.
    pub symptoms: Option<Vec<u8>>,
    /// Predictions kept.
    pub predictions: Vec<Prediction>,
    /// Messages not done with.
    pub outbox: Vec<OutboxRow>,
    /// Rows of reports by the clock.
    pub reports: NamedRows,
    /// Anomalies of the last hours.
    pub anomalies: Vec<crate::model::AnomalyInterval>,
}

/// How the sampling thread did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timing {
    /// Time the round took.
    pub round: Duration,
    /// How late it began.
    pub lateness: Duration,
    /// Rounds left out so far.
    pub skipped: u64,
    /// Events dropped by full queues so far.
    pub dropped: u64,
    /// Nominal time since the round before; `None`: as the settings say.
    pub interval: Option<Duration>,
    /// The sources were made anew for this round: processes it does not name are gone.
    pub anew: bool,
}

/// Rounds on their way to the store.
pub type Rounds = Vec<(Timestamp, Arc<[Reading]>)>;

/// What an event leads to. Order: commit `now`, then deliver; `later` goes with the next flush.
#[derive(Default)]
pub struct Output {
    /// What readers are told; `None`: nothing changed.
    pub pulse: Option<Pulse>,
    /// To be on disk at once.
    pub now: Vec<Write>,
    /// To be sent once `now` is on disk.
    pub deliveries: Vec<Delivery>,
    /// To be on disk with the next flush; given with `rounds`.
    pub later: Vec<Write>,
    /// Samples to be flushed; `Some` when a flush is due.
    pub rounds: Option<Rounds>,
    /// A rule fired: all processes are worth reading now.
    pub scan: bool,
    /// It is time to apply what could be learned.
    pub learn: bool,
    /// Reports to be made.
    pub reports: Vec<ReportJob>,
    /// Files of reports that are kept no longer, to go once `now` is on disk.
    pub removed: Vec<String>,
}

/// Name of the learned state in the `model` table.
pub const LEARNED: &str = "analyzer";

/// Name of the highest id ever given in the `meta` table.
pub const LAST_ID: &str = "last_id";

/// A journal entry about farol or the machine.
pub fn notice(at: Timestamp, text: impl Into<String>) -> JournalEntry {
    JournalEntry { at, event: JournalEvent::Notice { text: text.into() } }
}
