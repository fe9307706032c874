//! What a report is asked for, and its facts.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::catalog::nearest;
use crate::base::{TimeRange, Unit};

macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|v| v.name() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|v| v.name()).collect();
                    let near = nearest(text, names.iter().copied()).map_or_else(String::new, |n| format!("; did you mean {n}?"));
                    format!("\"{text}\" is none of {}{near}", names.join(", "))
                })
            }
        }
    };
}

named_enum! {
    /// What a report is about.
    ReportKind {
        /// Metrics, trends, top issues, recommendations.
        Performance = "performance",
        /// Events, access, posture, threats.
        Security = "security",
        /// Use, growth, exhaustion, right size, cost.
        Capacity = "capacity",
    }
}

named_enum! {
    /// How deep it goes.
    ReportDepth {
        /// Summary of an hour.
        Hourly = "hourly",
        /// Details of a day.
        Daily = "daily",
        /// A whole week.
        Weekly = "weekly",
        /// A month, for executives.
        Monthly = "monthly",
    }
}

impl ReportFormat {
    /// Its media type, as mail and HTTP name it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

impl ReportDepth {
    /// The span it is for: an hour, a day, a week, thirty days.
    pub fn span(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hourly => 3600,
            Self::Daily => 86_400,
            Self::Weekly => 7 * 86_400,
            Self::Monthly => 30 * 86_400,
        })
    }
}

named_enum! {
    /// How it is written.
    ReportFormat {
        /// Pages to print or to send: text, vector charts, tags.
        Pdf = "pdf",
        /// One self-contained page with SVG charts.
        Html = "html",
        /// `farol.report/1`.
        Json = "json",
        /// Sections after each other under `# id` lines.
        Csv = "csv",
    }
}

/// A report as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSpec {
    /// What about.
    pub kind: ReportKind,
    /// How deep.
    pub depth: ReportDepth,
    /// Which span.
    pub range: TimeRange,
    /// In which format.
    pub format: ReportFormat,
    /// Growth of the load that a capacity report plays through, in percent; 0: none.
    #[serde(default)]
    pub growth_percent: u16,
    /// Zone people read its times in (`Europe/Lisbon`); the recorder's where there is none.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// What things cost; `None` where there is no price.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// Name of the currency, as people write it; empty: not said.
    pub currency: String,
    /// One virtual CPU for a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcpu_month: Option<f64>,
    /// One GiB (2^30 bytes) of memory for a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gib_memory_month: Option<f64>,
    /// One GiB of disk for a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gib_disk_month: Option<f64>,
    /// One GB (10^9 bytes) sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gb_traffic: Option<f64>,
}

impl Prices {
    /// Whether nothing has a price.
    pub fn is_empty(&self) -> bool {
        [self.vcpu_month, self.gib_memory_month, self.gib_disk_month, self.gb_traffic].iter().all(Option::is_none)
    }

    /// The first price that is none: its dotted key, and what is wrong.
    ///
    /// # Errors
    /// A price that is negative or no number.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let prices = [
            ("prices.vcpu_month", self.vcpu_month),
            ("prices.gib_memory_month", self.gib_memory_month),
            ("prices.gib_disk_month", self.gib_disk_month),
            ("prices.gb_traffic", self.gb_traffic),
        ];
        match prices.iter().find_map(|(key, price)| price.filter(|p| !(p.is_finite() && *p >= 0.0)).map(|p| (*key, p))) {
            Some((key, price)) => Err((key, format!("a price is 0 or more, not {price}"))),
            None => Ok(()),
        }
    }
}

/// One figure of a report; its id is the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Dotted name (`cpu.mean`).
    pub id: String,
    /// For people.
    pub label: String,
    /// The figure; `None` where unknown.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: Unit,
    /// Exact, or from a sketch or rollup.
    pub exact: bool,
}
