//! `farol query`: values of the history.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::out;
use crate::app::Failure;
use crate::app::cli::{Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::base::{TimeRange, Timestamp};
use crate::engine;
use crate::monitor::{Answer, QueryRequest, Request};
use crate::query::format::{Shape, TableStyle, csv, json, table};
use crate::query::{self, Series, metric_key};

/// Arguments.
#[derive(Debug, Args)]
pub struct Query {
    /// A query in PromQL's syntax (`max by (core) (cpu_usage_ratio)`).
    expr: String,
    /// The span that ends now.
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["from", "to"])]
    last: Option<Duration>,
    /// Start: RFC 3339, a local date and time, or -2h.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    from: Option<String>,
    /// End.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    to: Option<String>,
    /// Time between two values; by default chosen by the span.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    step: Option<Duration>,
    /// Output format.
    #[arg(long, value_enum, default_value = "table")]
    format: QueryFormat,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryFormat {
    /// For people.
    Table,
    /// RFC 4180.
    Csv,
    /// The Prometheus HTTP API's envelope.
    Json,
}

/// Span where none is asked for.
const DEFAULT_SPAN: Duration = Duration::from_secs(3600);

impl Query {
    /// Prints values; without a span those of now.
    ///
    /// # Errors
    /// A query that is none or an unknown metric (2), no engine and no history (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let expr = query::parse(&self.expr).map_err(Failure::usage)?;
        expr.check(&engine::catalog()).map_err(Failure::usage)?;
        let now = Timestamp::now();
        let ranged = self.last.is_some() || self.from.is_some() || self.to.is_some() || self.step.is_some();
        let range = if ranged {
            out::range(self.last.unwrap_or(DEFAULT_SPAN), self.from.as_deref(), self.to.as_deref(), now)?
        } else {
            TimeRange { from: now, to: now }
        };
        let request = QueryRequest { expr: self.expr.clone(), range, step: self.step.unwrap_or_default() };
        let series = match Reach::find(global)?.ask(Request::Query(request))? {
            Answer::Query { series, .. } => series,
            other => return Err(unexpected(&other).into()),
        };
        let series: Vec<Series> =
            series.into_iter().map(|s| Series { labels: metric_key(&s.metric), values: s.values }).collect();
        let shape = if ranged { Shape::Range } else { Shape::Instant };
        let text = match self.format {
            QueryFormat::Csv => csv(&series),
            QueryFormat::Json => json(&series, shape, now),
            QueryFormat::Table => {
                let zone = out::zone(global);
                let time = |at| out::local(at, &zone);
                table(&series, &TableStyle { shape, unit: expr.unit(&engine::catalog()), time: &time })
            }
        };
        out::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
