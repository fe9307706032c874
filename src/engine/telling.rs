//! The core's way to people: from alerts to the outbox, and from the outbox to what is written and sent.
//!
//! Invariant: what the outbox wants on disk goes into the same commit as the alert it is about.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::exchange::Output;
use super::periodic::Due;
use crate::alert::Cause;
use crate::analyze::Learning;
use crate::base::Timestamp;
use crate::model::{Alert, AlertState, Pulse, SourceFault, TerminalNotice, WaitingMessage};
use crate::notify::{DeliveryReport, Failing, OutboxEvent, OutboxRow, OutboxStep, OutboxWrite, Reason, Telling};
use crate::store::Write;

/// Time between two looks at what could be learned: a limit that moves more often is no limit.
const LEARN_EVERY: Duration = Duration::from_secs(86_400);

impl Core {
    pub(super) fn tell(&mut self, at: Timestamp, tellings: &[Telling], output: &mut Output, pulse: &mut Pulse) {
        if !tellings.is_empty() {
            let told = self.outbox.step(OutboxEvent::Told(tellings), at);
            self.take_outbox(at, told, output, pulse);
        }
    }

    /// What is due by time alone: waiting messages, repetitions, the sign of life.
    pub(super) fn tell_again(&mut self, at: Timestamp, output: &mut Output, pulse: &mut Pulse) {
        let ids = self.outbox.repeats_due(at);
        if !ids.is_empty() {
            let open = |a: &&Arc<Alert>| {
                let is_told = !a.is_quiet() && !a.is_flapping() && a.acknowledged.is_none();
                a.state == AlertState::Firing && is_told
            };
            let alerts = self.alerter.alerts();
            let again = alerts.iter().filter(|a| ids.contains(&a.id)).filter(open);
            let channels =
                |a: &Alert| self.settings.rules.iter().find(|r| r.name == a.rule).map_or_else(Vec::new, |r| r.channels.clone());
            let telling = |a: &Arc<Alert>| Telling {
                alert: Arc::clone(a),
                reason: Reason::Repeat(0),
                channels: channels(a).into(),
                settles: Duration::ZERO,
            };
            let tellings: Vec<Telling> = again.map(telling).collect();
            self.tell(at, &tellings, output, pulse);
        }
        if let Some(channel) = self.settings.heartbeat.channel.clone()
            && Due::take(&mut self.due.heartbeat, at, self.settings.heartbeat.every)
        {
            let firing = self.alerter.alerts().iter().filter(|a| a.state == AlertState::Firing).count();
            let store = if self.recorder.store.ok { "written" } else { "not written" };
            let how = format!("{firing} alerts fire, {} messages wait, history is {store}", self.outbox.depth());
            let step = self.outbox.step(OutboxEvent::Beat { channel: &channel, how: &how }, at);
            self.take_outbox(at, step, output, pulse);
        }
        if self.settings.analyze.learn == Learning::Apply {
            output.learn = Due::take(&mut self.due.learn, at, LEARN_EVERY);
        }
        if self.outbox.next_due().is_some_and(|due| due <= at) {
            let step = self.outbox.step(OutboxEvent::Due, at);
            self.take_outbox(at, step, output, pulse);
        }
    }

    /// When [`Core::due`] has something to do; `None`: with the next sample is soon enough.
    pub fn next_due(&self) -> Option<Timestamp> {
        [self.outbox.next_due(), self.reports.due_at()].into_iter().flatten().min()
    }

    /// Sends what waited for this moment.
    pub fn due(&mut self, at: Timestamp) -> Output {
        let mut output = Output::default();
        let mut pulse = self.next_pulse(at);
        let step = self.outbox.step(OutboxEvent::Due, at);
        self.take_outbox(at, step, &mut output, &mut pulse);
        self.begin_reports(at, &mut output);
        output.pulse = Some(pulse);
        output
    }

    /// Shows a notification in the terminals that look on.
    pub fn show(&mut self, notice: TerminalNotice, at: Timestamp) -> Output {
        let mut pulse = self.next_pulse(at);
        pulse.notices.push(notice);
        Output { pulse: Some(pulse), ..Output::default() }
    }

    /// Messages about an alert that wait, for people.
    pub fn waiting(&self, alert: &str) -> Vec<WaitingMessage> {
        self.outbox.of_alert(alert).filter_map(OutboxRow::waiting).collect()
    }

    /// Takes what became of a delivery.
    pub fn delivered(&mut self, report: DeliveryReport, at: Timestamp) -> Output {
        let mut output = Output::default();
        let mut pulse = self.next_pulse(at);
        let step = self.outbox.step(OutboxEvent::Done { row: report.row, result: report.result }, at);
        self.take_outbox(at, step, &mut output, &mut pulse);
        output.pulse = Some(pulse);
        output
    }

    pub(super) fn take_outbox(&mut self, at: Timestamp, step: OutboxStep, output: &mut Output, pulse: &mut Pulse) {
        output.now.extend(step.writes.into_iter().map(|write| match write {
            OutboxWrite::Put(row) => {
                Write::Outbox { id: row.id, row: Some(serde_json::to_vec(&row).expect("an outbox row is plain data")) }
            }
            OutboxWrite::Delete(id) => Write::Outbox { id, row: None },
        }));
        for event in step.journal {
            let write = self.journal(at, event, pulse);
            output.now.push(write);
        }
        for outcome in step.reports {
            self.report_sent(outcome, at, output);
        }
        output.deliveries.extend(step.deliveries);
    }
}

/// Why people are told of a step.
pub(super) fn reason(cause: Cause, alert: &Alert) -> Reason {
    match cause {
        Cause::Escalated => Reason::Reminder(alert.level),
        Cause::Resolved => Reason::Resolved,
        Cause::Worsened => Reason::Worse(0),
        // It goes on firing, and they believe that it flaps.
        Cause::Settled => Reason::Repeat(0),
        _ => Reason::Fired,
    }
}

/// A channel that fails, as it is shown beside sources that do.
pub(super) fn channel_fault(failing: Failing) -> SourceFault {
    let Failing { channel, since, error, waiting } = failing;
    SourceFault {
        source: format!("channel {channel}"),
        message: format!("{error} (since {}, {waiting} messages wait)", since.rfc3339()),
    }
}
