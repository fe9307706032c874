//! `farol forecast`: the expected course of a metric.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::out;
use crate::app::Failure;
use crate::app::cli::{Format, Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::base::{Timestamp, Unit, format_value};
use crate::engine;
use crate::model::Forecast as Course;
use crate::monitor::{Answer, Request};
use crate::query;

/// Arguments.
#[derive(Debug, Args)]
pub struct Forecast {
    /// Metric, with matchers if wanted (`filesystem_used_ratio{mount="/"}`).
    metric: String,
    /// How far ahead.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1h")]
    horizon: Duration,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Rows of the table for people.
const ROWS: usize = 12;

impl Forecast {
    /// Prints the forecast of every series that matches.
    ///
    /// # Errors
    /// An unknown metric (2), no engine and no history (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let catalog = engine::catalog();
        let expr = query::parse(&self.metric).map_err(Failure::usage)?;
        expr.check(&catalog).map_err(Failure::usage)?;
        let request = Request::Forecast { selector: self.metric.clone(), horizon: self.horizon };
        let forecasts = match Reach::find(global)?.ask(request)? {
            Answer::Forecast { forecasts } => forecasts,
            other => return Err(unexpected(&other).into()),
        };
        match self.format {
            Format::Json => {
                let series: Vec<Value> = forecasts.iter().map(as_json).collect();
                let metric = expr.metrics().first().map_or_else(|| self.metric.clone(), |m| (*m).to_owned());
                out::print(&out::object("forecast", Timestamp::now(), json!({"metric": metric, "series": series})))?;
            }
            Format::Text if forecasts.is_empty() => out::print("no data\n")?,
            Format::Text => {
                let zone = out::zone(global);
                let texts: Vec<String> = forecasts.iter().map(|f| as_text(f, catalog.unit(f.key.metric()), &zone)).collect();
                out::print(&texts.join("\n"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn points(forecast: &Course) -> impl Iterator<Item = (Timestamp, usize)> {
    let (made_at, step) = (forecast.made_at, forecast.step);
    (0..forecast.mean.len()).map(move |k| (made_at + step * u32::try_from(k + 1).unwrap_or(u32::MAX), k))
}

fn as_json(forecast: &Course) -> Value {
    let labels: serde_json::Map<String, Value> = forecast.key.labels().map(|(n, v)| (n.to_owned(), json!(v))).collect();
    let list: Vec<Value> = points(forecast)
        .map(|(at, k)| {
            let (b80, b95) = (forecast.band80.get(k), forecast.band95.get(k));
            json!({
                "at": at.rfc3339(), "mean": forecast.mean[k],
                "lo80": b80.map(|b| b.low), "hi80": b80.map(|b| b.high),
                "lo95": b95.map(|b| b.low), "hi95": b95.map(|b| b.high),
            })
        })
        .collect();
    let crossing = forecast.crossing.map(|c| {
        json!({
            "limit": c.limit, "probability": c.probability,
            "at": c.at.rfc3339(), "at_lo": c.at_lo.rfc3339(), "at_hi": c.at_hi.rfc3339(),
        })
    });
    let tested = &forecast.backtest;
    json!({
        "labels": labels,
        "method": if forecast.mean.is_empty() { Value::Null } else { json!(forecast.method) },
        "made_at": forecast.made_at.rfc3339(),
        "step_seconds": forecast.step.as_secs_f64(),
        "backtest": {"mase": tested.mase, "coverage80": tested.coverage80, "n": tested.n},
        "points": list,
        "crossing": crossing,
        "none_because": forecast.none_because,
    })
}

fn as_text(forecast: &Course, unit: Unit, zone: &jiff::tz::TimeZone) -> String {
    if let Some(why) = &forecast.none_because {
        return format!("{}: no forecast: {why}\n", forecast.key);
    }
    let mase = forecast.backtest.mase.map_or_else(|| "unknown".to_owned(), |m| format!("{m:.2}"));
    let mut text = format!("{} by {} (error {mase} of repeating the last value)\n", forecast.key, forecast.method);
    let every = forecast.mean.len().div_ceil(ROWS).max(1);
    let rows: Vec<Vec<String>> = points(forecast)
        .filter(|(_, k)| (k + 1) % every == 0)
        .map(|(at, k)| {
            let band = forecast.band80.get(k).map_or_else(String::new, |b| {
                format!("80% within {} to {}", format_value(b.low, unit), format_value(b.high, unit))
            });
            vec![out::local(at, zone), format_value(forecast.mean[k], unit), band]
        })
        .collect();
    text.push_str(&out::table(&rows));
    if let Some(c) = &forecast.crossing {
        let (limit, at) = (format_value(c.limit, unit), out::local(c.at, zone));
        text.push_str(&format!("reaches {limit} about {at} with probability {:.2}\n", c.probability));
    }
    text
}
