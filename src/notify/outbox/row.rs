//! One message for one channel, as it is kept over restarts.
//!
//! Invariant: a row that is settled holds only who was told of what.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::WaitingMessage;
use crate::notify::{Enclosure, Message, Part, Reason, ReportOutcome};

/// One message for one channel. Of several alerts that are told together it is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Rises; never reused while rows exist.
    pub id: u64,
    /// Name of the channel.
    pub channel: String,
    /// Alerts of one group are told together.
    pub group: String,
    /// The same for all messages about the same trouble.
    pub thread: String,
    /// Why it is sent.
    pub reason: Reason,
    /// Who is in it, in the order of the parts.
    pub told_of: Vec<ToldOf>,
    /// What is told; empty once it is settled.
    pub parts: Vec<Part>,
    /// A message about no alert.
    pub bare: Option<Message>,
    /// Said first.
    pub note: String,
    /// When it was made.
    pub at: Timestamp,
    /// It counts in the hour's budget.
    pub counts: bool,
    /// It is remembered at least until then: what an action must not repeat before.
    pub keep_until: Timestamp,
    /// Told again after that many seconds while it fires.
    pub repeat_seconds: Option<u64>,
    /// How often it was tried.
    pub attempts: u32,
    /// An attempt has begun whose end is not known.
    pub sending: bool,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// It waits for its group to be over, however long that takes.
    pub until_over: bool,
    /// Until then what is over may come back without anybody hearing of it.
    #[serde(default)]
    pub settles_at: Timestamp,
    /// When it was taken.
    pub delivered_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// The message went out once and the answer was lost.
    pub in_doubt: bool,
    /// Of several recipients those who have it.
    pub told: Vec<String>,
    /// Names the message on the other side.
    pub handle: Option<String>,
}

/// An alert in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToldOf {
    /// Its id.
    pub alert: String,
    /// The same for the same rule and instance.
    pub fingerprint: u64,
    /// Its rule.
    pub rule: String,
    /// What is told of it.
    pub reason: Reason,
    /// It is over.
    pub over: bool,
}

impl OutboxRow {
    /// A row that is due now, without anything in it.
    pub(super) fn new(id: u64, channel: &str, reason: Reason, now: Timestamp) -> Self {
        Self {
            id,
            channel: channel.to_owned(),
            group: String::new(),
            thread: String::new(),
            reason,
            told_of: Vec::new(),
            parts: Vec::new(),
            bare: None,
            note: String::new(),
            at: now,
            counts: false,
            keep_until: Timestamp::default(),
            repeat_seconds: None,
            attempts: 0,
            sending: false,
            due_at: now,
            until_over: false,
            settles_at: Timestamp::default(),
            delivered_at: None,
            failed_at: None,
            error: None,
            in_doubt: false,
            told: Vec::new(),
            handle: None,
        }
    }

    /// Adds what is told of one alert.
    pub(super) fn add(&mut self, part: Part) {
        let alert = &part.alert;
        self.told_of.push(ToldOf {
            alert: alert.id.clone(),
            fingerprint: alert.fingerprint,
            rule: alert.rule.clone(),
            reason: part.reason,
            over: part.reason == Reason::Resolved,
        });
        self.parts.push(part);
    }

    /// Neither taken nor given up.
    pub fn is_waiting(&self) -> bool {
        self.delivered_at.is_none() && self.failed_at.is_none()
    }

    /// Whether nobody can have seen it and it may still change.
    pub(super) fn is_open(&self) -> bool {
        self.is_waiting() && !self.sending && self.attempts == 0
    }

    /// Whether it waits for what is over to stay so.
    pub(super) fn is_settling(&self, now: Timestamp) -> bool {
        self.reason == Reason::Resolved && self.is_open() && self.settles_at > now
    }

    /// Whether it told, or is about to tell, that something is wrong.
    pub(super) fn alarms(&self, alert: &str) -> bool {
        let of_it = |t: &ToldOf| t.alert == alert && t.reason.is_alarm();
        let reached = self.reason != Reason::Digest || self.delivered_at.is_some() || self.sending;
        self.failed_at.is_none() && reached && self.told_of.iter().any(of_it)
    }

    /// Whether it was given up without having told of this alert.
    pub(super) fn is_about(&self, alert: &str) -> bool {
        self.told_of.iter().any(|t| t.alert == alert)
    }

    /// All it tells of is over.
    pub(super) fn is_over(&self) -> bool {
        self.told_of.iter().all(|t| t.over)
    }

    /// The report it brings.
    pub(super) fn enclosure(&self) -> Option<&Enclosure> {
        self.bare.as_ref()?.enclosure.as_ref()
    }

    /// How the report it brings ended: taken, or given up and why.
    pub(super) fn report_outcome(&self) -> Option<ReportOutcome> {
        let report = self.enclosure()?.id.clone();
        let why = || self.error.clone().unwrap_or_else(|| "this channel cannot work here".to_owned());
        let error = self.delivered_at.is_none().then(why);
        Some(ReportOutcome { report, channel: self.channel.clone(), error })
    }

    /// How it waits, where it does.
    pub fn waiting(&self) -> Option<WaitingMessage> {
        self.is_waiting().then(|| WaitingMessage {
            channel: self.channel.clone(),
            message: if self.reason == Reason::Digest { "in a digest".to_owned() } else { self.reason.phrase() },
            attempts: self.attempts,
            due_at: (!self.sending && !self.until_over).then_some(self.due_at),
            error: self.error.clone(),
        })
    }

    /// Nothing is sent any more: only who was told of what is kept.
    pub(super) fn settle(&mut self) {
        self.parts = Vec::new();
        self.bare = None;
        self.sending = false;
    }

    /// The message; the same for the same row.
    pub(super) fn message(&self, host: &str) -> Message {
        let message = match &self.bare {
            Some(message) => message.clone(),
            None => Message::about(&self.parts, self.reason, (host, &self.thread), self.at, &self.note),
        };
        if self.in_doubt { message.marked_doubtful() } else { message }
    }
}
