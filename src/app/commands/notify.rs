//! `farol notify test CHANNEL`: a real message, and what the provider answered.

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};

use super::out;
use crate::app::cli::Global;
use crate::app::reach::{Reach, unexpected};
use crate::app::{Failure, place};
use crate::base::Timestamp;
use crate::collect::{ThisHost, facts};
use crate::engine;
use crate::monitor::{Answer, RefusalKind, Request};
use crate::net::Client;
use crate::notify::{ChannelContext, Message, Opened, deliver_test, session_bus};

/// Arguments.
#[derive(Debug, Args)]
pub struct NotifyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send a real test through a channel and say what its provider answered.
    Test(Test),
}

#[derive(Debug, Args)]
struct Test {
    /// Name of the channel: `[notify.<name>]`.
    channel: String,
}

impl NotifyArgs {
    /// Sends it: by the engine where one runs, else from here.
    ///
    /// # Errors
    /// No such channel, or the provider's refusal.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let Command::Test(test) = &self.command;
        if let Some(mut reach) = Reach::engine(global)? {
            return match reach.ask(Request::TestChannel { channel: test.channel.clone() }) {
                Ok(Answer::Done { message, .. }) => {
                    out::print(&format!("{message}\n"))?;
                    Ok(ExitCode::SUCCESS)
                }
                Ok(other) => Err(unexpected(&other).into()),
                Err(refusal) if matches!(refusal.kind, RefusalKind::NotFound | RefusalKind::Invalid) => {
                    Err(Failure::usage(anyhow!(refusal.message)))
                }
                Err(refusal) => Err(refusal.into()),
            };
        }
        let channels = channels(global)?;
        let names: Vec<&str> = channels.iter().map(|(name, ..)| name.as_str()).collect();
        let Some((name, _, channel)) = channels.iter().find(|(name, ..)| *name == test.channel) else {
            let text = format!("there is no [notify.{}] (there are {})", test.channel, names.join(", "));
            return Err(Failure::usage(anyhow!(text)));
        };
        let host = facts(&ThisHost::new(), host_name(global)?, std::collections::BTreeMap::new()).name;
        let message = Message::test(&host, Timestamp::now());
        let runtime = runtime()?;
        match runtime.block_on(deliver_test(channel.as_ref(), name, message)) {
            Ok(receipt) => out::print(&format!("{name}: taken: {}\n", receipt.answer))?,
            Err(error) => return Err(anyhow!("{name}: not taken: {error}").into()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn host_name(global: &Global) -> Result<Option<String>, Failure> {
    Ok(place::configuration(global, None)?.config.general.host)
}

/// The channels of the configuration, ready.
///
/// # Errors
/// A configuration with a mistake.
pub(super) fn channels(global: &Global) -> Result<Vec<Opened>, Failure> {
    let loaded = place::configuration(global, None)?;
    let folder = place::data_dirs(global).into_iter().next().unwrap_or_default();
    let context = ChannelContext { folder, client: Client::new(&loaded.config.net) };
    let opened = loaded.config.notify.clone().or_default(session_bus()).open(&context);
    Ok(opened.map_err(|e| loaded.located(&engine::channel_error(&e)))?)
}

/// A runtime for one question.
///
/// # Errors
/// The system gives none.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, anyhow::Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")
}
