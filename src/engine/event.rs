//! What happens to the core, one at a time.

use std::sync::Arc;

use super::exchange::{Reread, Timing};
use super::hub::{Reply, Wish};
use super::patterns;
use super::schedule::{MadeReport, ReportJob};
use super::thread::core::Exit;
use super::thread::fit::What;
use crate::check::Found;
use crate::model::{CheckResult, Forecast, Process, Sample, StoreHealth, TerminalNotice};
use crate::notify::DeliveryReport;

/// Everything that can happen.
pub enum Event {
    /// A round of reading.
    Sample(Box<Sample>, Timing),
    /// A check ended.
    Check(CheckResult),
    /// What listens and runs here.
    Found(Found),
    /// All processes, read because a rule fired.
    Scanned(Vec<Arc<Process>>),
    /// Somebody wishes something.
    Wish(Wish),
    /// New forecasts.
    Fitted(Vec<Arc<Forecast>>),
    /// Forecasts that were not all made, for want of time.
    Unfitted(What),
    /// What stands out over days and among programs.
    Patterned(patterns::Found),
    /// A delivery ended.
    Delivered(DeliveryReport),
    /// A message is to be shown in terminals that look on.
    Shown(TerminalNotice),
    /// A message's time has come.
    Due,
    /// A report was made and kept, or not.
    Reported(ReportJob, Result<MadeReport, String>),
    /// The history file was written, or not.
    Stored(StoreHealth),
    /// The configuration was read again, or not.
    Reread(Result<Box<Reread>, String>, Reply),
    /// Write everything and end that way.
    Stop(Exit),
}
