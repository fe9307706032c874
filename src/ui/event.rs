//! What reaches the screen, and what the screen wants done.
//!
//! Closed enums: `update` answers every event, the loop performs every effect. Invariant: `update` and
//! drawing do nothing else to the world.

use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};

use super::picture::PictureKind;
use super::state::{Look, Subject};
use super::wish::{ProcessWish, Target};
use crate::base::Timestamp;
use crate::model::{ProcessId, Pulse, SeriesKey, Snapshot};
use crate::monitor::{Answer, Link, Refusal, Request, Scope};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum UiEvent {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// Columns and rows of the terminal are different now.
    Resize(u16, u16),
    /// Text was pasted.
    Paste(String),
    /// The monitor has something new; the loop fetches it.
    Wake,
    /// What the loop fetched.
    Changed(Changed),
    /// An answer came.
    Answered(Purpose, Result<Answer, Refusal>),
    /// Something was done to a process, or was not.
    Wished(Target, ProcessWish, Result<(), String>),
    /// A report's file was written at that path, or was not.
    Exported(Result<String, String>),
    /// The process is asked to stop until it is told to go on.
    Suspend,
    /// The process was stopped and goes on.
    Resumed,
    /// Another process asks this one to end.
    Stop,
    /// The terminal is gone.
    Closed,
}

/// What the monitor has that is new.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The present.
    pub snapshot: Arc<Snapshot>,
    /// Pulses since the last time, oldest first.
    pub pulses: Vec<Arc<Pulse>>,
    /// Pulses that were lost.
    pub lagged: u64,
    /// Where it comes from.
    pub link: Link,
    /// What may be asked.
    pub scope: Scope,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The live charts.
    Charts,
    /// Graphs of the cores.
    Cores,
    /// Series only this page has.
    Extra,
    /// The charted series at another time.
    Ghost,
    /// Learned band of the charted series.
    ExploreBand(SeriesKey),
    /// Learned band of a series of the page.
    Band(SeriesKey),
    /// What comes next for it.
    ExploreForecast(SeriesKey),
    /// What happened in the span of its chart.
    Events,
    /// The charts of another moment.
    PastCharts,
    /// The machine at another moment.
    Past(Timestamp),
    /// Series of what is shown in detail.
    FocusCharts(Subject),
    /// Its learned band.
    FocusBand(Subject, SeriesKey),
    /// What is looked at over a month.
    FocusLong(Subject),
    /// Its journal.
    FocusJournal(Subject),
    /// The last checks of a service.
    FocusChecks(Subject),
    /// The time line's health.
    TimelineCharts,
    /// The time line's alerts.
    TimelineAlerts,
    /// The time line's journal.
    TimelineJournal,
    /// Response times of the services listed.
    Responses,
    /// Alerts that are over.
    Older,
    /// Who was told of what.
    Told,
    /// A process in full.
    Inside(ProcessId),
    /// What it used.
    InsideHistory(ProcessId),
    /// What is set.
    Settings,
    /// A change of what is set.
    Changed,
    /// A decision.
    Decision,
    /// What a rule would have done.
    Replay,
    /// What rules could learn.
    Learn,
    /// A report.
    Report,
    /// Reports made by the clock.
    Reports,
}

impl Purpose {
    /// Whether a newer question of the same kind makes this one useless.
    pub fn is_replaced_by(&self, newer: &Self) -> bool {
        if let (Self::Band(own), Self::Band(other)) = (self, newer) {
            return own == other;
        }
        !matches!(self, Self::Decision | Self::Changed | Self::Report | Self::Extra)
            && std::mem::discriminant(self) == std::mem::discriminant(newer)
    }
}

/// Something the loop does.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the monitor.
    Ask(Purpose, Request),
    /// Give a report's name and text to whoever writes files.
    Export(String, Vec<u8>),
    /// Draw the page into a file of that name.
    Picture(PictureKind, String),
    /// Remember that the tour was seen.
    TourSeen,
    /// Do something to a process of this machine.
    Wish(Target, ProcessWish),
    /// Draw every cell again.
    Repaint,
    /// Draw with this look from now on.
    Look(Look),
    /// Take the keys of the keymap of that name from now on.
    Keymap(String),
    /// Give a text to the terminal's clipboard.
    Copy(String),
    /// Stop the process until it is told to go on.
    Suspend,
    /// End.
    Quit,
}
