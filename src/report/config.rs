//! `[[report]]`: what is made by the clock, and who gets it.
//!
//! Invariant: a table that was read is a schedule that can be kept.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::Schedule;
use crate::base::time::duration_text;
use crate::model::{ReportDepth, ReportFormat, ReportKind};

/// One `[[report]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportConfig {
    /// What it is called; by default depth and kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What about.
    pub kind: ReportKind,
    /// How deep, and with that how often.
    pub depth: ReportDepth,
    /// Time on the clock; of an hourly one only the minute counts.
    pub at: String,
    /// Days of the week, or the day of the month; by default every day, Monday, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<On>,
    /// `Europe/Lisbon`; by default the machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// In which format.
    pub format: ReportFormat,
    /// Capacity: growth that is played through, in percent.
    pub growth: u16,
    /// Channels by name; and paths, which have a `/`.
    pub to: Vec<String>,
    /// How long it is kept in the data folder.
    #[serde(with = "duration_text")]
    pub keep: Duration,
}

/// Days on which a report is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum On {
    /// The day of the month; where a month has fewer, its last.
    Day(u8),
    /// A day of the week.
    Weekday(String),
    /// Days of the week.
    Weekdays(Vec<String>),
}

/// The keys as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    kind: String,
    #[serde(default = "daily")]
    depth: String,
    #[serde(default = "morning")]
    at: String,
    on: Option<On>,
    time_zone: Option<String>,
    #[serde(default = "pdf")]
    format: String,
    #[serde(default)]
    growth: u16,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default = "a_quarter", with = "duration_text")]
    keep: Duration,
}

fn daily() -> String {
    ReportDepth::Daily.name().to_owned()
}

/// Before people come to work.
fn morning() -> String {
    "07:00".to_owned()
}

fn pdf() -> String {
    ReportFormat::Pdf.name().to_owned()
}

/// Somebody who asks for the last quarter still has it.
fn a_quarter() -> Duration {
    Duration::from_secs(90 * 86_400)
}

impl<'de> Deserialize<'de> for ReportConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let named = |key: &str, e: String| D::Error::custom(format!("[[report]] {key}: {e}"));
        let config = Self {
            kind: written.kind.parse().map_err(|e| named("kind", e))?,
            depth: written.depth.parse().map_err(|e| named("depth", e))?,
            format: written.format.parse().map_err(|e| named("format", e))?,
            name: written.name,
            at: written.at,
            on: written.on,
            time_zone: written.time_zone,
            growth: written.growth,
            to: written.to,
            keep: written.keep,
        };
        config.ready().map_err(|e| D::Error::custom(format!("[[report]] {e}")))?;
        Ok(config)
    }
}

impl ReportConfig {
    /// Its name: as written, else depth and kind (`daily performance`).
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} {}", self.depth, self.kind))
    }

    /// Those it goes to that are channels.
    pub fn channels(&self) -> impl Iterator<Item = (usize, &String)> {
        self.to.iter().enumerate().filter(|(_, to)| !is_path(to))
    }

    /// Reads times, days and zone.
    ///
    /// # Errors
    /// The key that is wrong, and what to write.
    pub fn ready(&self) -> Result<Schedule, String> {
        Schedule::new(self)
    }
}

/// Whether a destination is a path; channels have names without a `/`.
pub fn is_path(to: &str) -> bool {
    to.contains('/')
}
