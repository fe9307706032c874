//! `farol rules check | list | replay | learn`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::learn::Learn;
use super::out;
use crate::alert::condition_text;
use crate::app::cli::{Format, Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::app::{Failure, place};
use crate::base::{Timestamp, format_duration};
use crate::collect::{self, ThisHost};
use crate::config::Loaded;
use crate::engine::{self, CoreSettings, Surroundings};
use crate::model::{Alert, RuleSpec};
use crate::monitor::{Answer, ReplayRequest, Replayed, Request};
use crate::notify::Sending;

/// Arguments.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether the rules are right, and run their tests.
    Check {
        /// Configuration file; by default the one that is in force.
        file: Option<PathBuf>,
    },
    /// All rules in force.
    List {
        /// Output format.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// When rules would have fired over the stored history, for how long, and who would have been told.
    Replay {
        /// One rule; by default all.
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
        /// The span that ends now.
        #[arg(long, value_name = "TIME", value_parser = duration, default_value = "7d", conflicts_with_all = ["from", "to"])]
        last: Duration,
        /// Start: RFC 3339, a local date and time, or -2h.
        #[arg(long, value_name = "T", allow_hyphen_values = true)]
        from: Option<String>,
        /// End.
        #[arg(long, value_name = "T", allow_hyphen_values = true)]
        to: Option<String>,
        /// Output format.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// What each rule's alerts were worth, and limits that would have served better.
    Learn(Learn),
}

impl RulesArgs {
    /// Does it.
    ///
    /// # Errors
    /// Rules that are wrong or an unknown rule (2); a test that fails, no engine and no history (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        match &self.command {
            Command::Check { file } => {
                let named = Global { config: file.clone().or_else(|| global.config.clone()), ..global.clone() };
                check(&named)
            }
            Command::List { format } => {
                let (_, settings) = configured(global)?;
                out::print(&match format {
                    Format::Json => {
                        let rules: Vec<Value> = settings.rules.iter().map(rule_json).collect();
                        out::object("rules", Timestamp::now(), json!({"rules": rules}))
                    }
                    Format::Text => out::table(&settings.rules.iter().map(rule_row).collect::<Vec<_>>()),
                })?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Learn(learn) => learn.run(global).map(|()| ExitCode::SUCCESS),
            Command::Replay { rule, last, from, to, format } => {
                let range = out::range(*last, from.as_deref(), to.as_deref(), Timestamp::now())?;
                let request = ReplayRequest { rule: rule.clone(), draft: None, range };
                let replayed = match Reach::find(global)?.ask(Request::Replay(request))? {
                    Answer::Replayed(replayed) => replayed,
                    other => return Err(unexpected(&other).into()),
                };
                out::print(&match format {
                    Format::Json => replayed_json(&replayed),
                    Format::Text => replayed_text(&replayed, global),
                })?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// The configuration, and what an engine would judge by.
fn configured(global: &Global) -> Result<(Loaded, CoreSettings), Failure> {
    let loaded = place::configuration(global, None)?;
    let general = &loaded.config.general;
    let facts = Arc::new(collect::facts(&ThisHost::new(), general.host.clone(), general.labels.clone()));
    let dir = place::data_dir(global)?;
    let around = Surroundings { host: facts, link_bits_per_second: None, data_dir: &dir, sending: Sending::Dry };
    let settings = engine::settings(&loaded.config, &Arc::new(engine::catalog()), &around);
    let settings = settings.map_err(|e| loaded.located(&e))?;
    Ok((loaded, settings))
}

fn check(global: &Global) -> Result<ExitCode, Failure> {
    let (loaded, settings) = configured(global)?;
    let (mut tests, mut failures) = (0, Vec::new());
    for config in &loaded.config.rule {
        for (n, test) in config.test.iter().enumerate() {
            tests += 1;
            // A rule that is switched off is tested all the same.
            let in_force = settings.rules.iter().find(|r| r.name == config.name).cloned();
            let result = match in_force.map_or_else(|| config.ready(&settings.catalog), Ok) {
                Ok(rule) => engine::test_rule(&rule, test).map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = result {
                let name = test.name.clone().unwrap_or_else(|| format!("test {}", n + 1));
                failures.push(format!("rule \"{}\", {name}: {error}", config.name));
            }
        }
    }
    if failures.is_empty() {
        out::print(&format!("ok: {} rules, {tests} tests\n", settings.rules.len()))?;
        return Ok(ExitCode::SUCCESS);
    }
    Err(anyhow::anyhow!(failures.join("\n")).into())
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn rule_row(rule: &RuleSpec) -> Vec<String> {
    let whose = if rule.built_in { "built in" } else { "own" };
    let channels = if rule.channels.is_empty() { "as routed".to_owned() } else { rule.channels.join(", ") };
    vec![rule.name.clone(), word(&rule.severity), whose.to_owned(), channels, rule.expr.clone(), condition_text(rule)]
}

fn rule_json(rule: &RuleSpec) -> Value {
    json!({
        "name": rule.name,
        "severity": word(&rule.severity),
        "kind": word(&rule.kind),
        "built_in": rule.built_in,
        "metric": (!rule.metric.is_empty()).then_some(&rule.metric),
        "query": rule.expr,
        "condition": condition_text(rule),
        "for_seconds": rule.hold.as_secs_f64(),
        "channels": rule.channels,
        "mutes": rule.mutes,
        "labels": rule.labels,
    })
}

/// How long an alert fired; to the end of the span where it still did.
fn lasted(alert: &Alert, replayed: &Replayed) -> Duration {
    let end = alert.resolved_at.unwrap_or(replayed.range.to);
    alert.fired_at.map_or(Duration::ZERO, |fired| end.since(fired))
}

fn replayed_text(replayed: &Replayed, global: &Global) -> String {
    let zone = out::zone(global);
    let row = |alert: &Arc<Alert>| {
        let fired = alert.fired_at.map_or_else(String::new, |at| out::local(at, &zone));
        let end = if alert.resolved_at.is_some() { "" } else { " and on" };
        let length = format!("{}{end}", format_duration(lasted(alert, replayed)));
        vec![fired, length, word(&alert.severity), alert.rule.clone(), alert.title.clone()]
    };
    let mut text = out::table(&replayed.alerts.iter().map(row).collect::<Vec<_>>());
    let messages = replayed.messages.iter().map(|(channel, n)| format!("{n} to {channel}")).collect::<Vec<_>>().join(", ");
    let messages = if messages.is_empty() { "no messages".to_owned() } else { format!("messages: {messages}") };
    let exact = if replayed.approximate { "; approximate: not every sample of this span is kept" } else { "" };
    text.push_str(&format!("{} alerts, {messages}{exact}\n", replayed.alerts.len()));
    for (rule, why) in &replayed.left_out {
        text.push_str(&format!("left out: {rule} ({why})\n"));
    }
    text
}

fn replayed_json(replayed: &Replayed) -> String {
    let alert = |alert: &Arc<Alert>| {
        json!({
            "rule": alert.rule,
            "labels": alert.labels,
            "severity": word(&alert.severity),
            "title": alert.title,
            "fired_at": out::time(alert.fired_at),
            "resolved_at": out::time(alert.resolved_at),
            "seconds": lasted(alert, replayed).as_secs_f64(),
        })
    };
    let left_out = |(rule, why): &(String, String)| json!({"rule": rule, "reason": why});
    let body = json!({
        "from": replayed.range.from.rfc3339(),
        "to": replayed.range.to.rfc3339(),
        "approximate": replayed.approximate,
        "alerts": replayed.alerts.iter().map(alert).collect::<Vec<_>>(),
        "transitions": replayed.n_transitions,
        "messages": replayed.messages,
        "left_out": replayed.left_out.iter().map(left_out).collect::<Vec<_>>(),
    });
    out::object("replay", Timestamp::now(), body)
}
