//! From the configuration to what a core is made from.
//!
//! Everything a user can get wrong is found here, before anything starts. Invariant: the same for a
//! start and for a reload.

use std::path::Path;
use std::sync::Arc;

use super::exchange::CoreSettings;
use super::{METRICS, own};
use crate::model::{Catalog, HostFacts, MetricDef, RuleSpec};
use crate::notify::{ChannelContext, NotifyConfig, Routing, Sending, session_bus};
use crate::{alert, analyze, check, collect, config::Config, query};

/// Every metric this program knows.
pub fn catalog() -> Catalog {
    let tables = [METRICS, check::METRICS, analyze::METRICS, alert::FED];
    Catalog::new(collect::metrics().into_iter().chain(tables).collect::<Vec<&[MetricDef]>>())
}

/// What is set up beside the configuration.
pub struct Surroundings<'a> {
    /// Facts about the machine.
    pub host: Arc<HostFacts>,
    /// Speed of its network, where known.
    pub link_bits_per_second: Option<f64>,
    /// Data folder, in which channels keep relative files.
    pub data_dir: &'a Path,
    /// Whether messages really go out.
    pub sending: Sending,
}

/// Settings of a core.
///
/// # Errors
/// What is wrong in the configuration, for people: rule, service or channel by name.
pub fn settings(config: &Config, catalog: &Arc<Catalog>, around: &Surroundings<'_>) -> Result<CoreSettings, String> {
    let services = check::services(&config.service).map_err(|e| e.to_string())?;
    let context = ChannelContext { folder: around.data_dir.to_owned(), client: crate::net::Client::new(&config.net) };
    let opened = channels(&config.notify, around.sending).open(&context)?;
    let joins: Vec<(String, u8)> = opened.iter().map(|(name, kind, _)| (name.clone(), kind.joins_at)).collect();
    let rules = rules(config, catalog, around)?;
    check_names(config, &rules, &joins)?;
    let routing = Routing { channels: joins, routes: config.route.clone(), levels: config.escalation.channels() };
    Ok(CoreSettings {
        interval: config.general.interval,
        flush: config.store.flush,
        catalog: Arc::clone(catalog),
        host: Arc::clone(&around.host),
        analyze: config.analyze.clone(),
        rules,
        escalation: config.escalation.clone(),
        prices: config.prices.clone(),
        services,
        routing,
        sending: around.sending,
        channels: opened.into_iter().map(|(name, _, channel)| (name, channel)).collect(),
    })
}

/// The channels as configured; with none, a desktop where there is one to be told.
fn channels(config: &NotifyConfig, sending: Sending) -> NotifyConfig {
    config.clone().or_default(sending == Sending::Real && session_bus())
}

/// Built-in rules, with the user's over those of the same name.
fn rules(config: &Config, catalog: &Arc<Catalog>, around: &Surroundings<'_>) -> Result<Vec<RuleSpec>, String> {
    let mut built_in = alert::default_rules(&around.host, around.link_bits_per_second);
    built_in.push(own::store_rule());
    let rules = alert::all_rules(built_in, &config.rule, catalog).map_err(|e| e.to_string())?;
    for rule in rules.iter().filter(|r| !alert::FED.iter().any(|def| def.name == r.expr)) {
        let expr = query::parse(&rule.expr).map_err(|e| format!("rule \"{}\": {e}", rule.name))?;
        expr.check(catalog).map_err(|e| format!("rule \"{}\": {e}", rule.name))?;
    }
    Ok(rules)
}

/// Channels that rules, routes and levels name must exist.
fn check_names(config: &Config, rules: &[RuleSpec], joins: &[(String, u8)]) -> Result<(), String> {
    let known = |name: &String| joins.iter().any(|(n, _)| n == name) || config.notify.0.contains_key(name);
    let named = rules
        .iter()
        .flat_map(|r| r.channels.iter().map(move |c| (format!("rule \"{}\"", r.name), c)))
        .chain(config.route.iter().flat_map(|r| r.channels.iter().map(|c| ("a [[route]]".to_owned(), c))))
        .chain(config.escalation.levels.iter().flat_map(|l| l.channels.iter().map(|c| ("[escalation]".to_owned(), c))));
    for (place, channel) in named {
        if !known(channel) {
            let names: Vec<&str> = joins.iter().map(|(n, _)| n.as_str()).collect();
            let known =
                if names.is_empty() { "none is configured".to_owned() } else { format!("known are {}", names.join(", ")) };
            return Err(format!(
                "{place} names the channel \"{channel}\", which does not exist ({known}); add [notify.{channel}]"
            ));
        }
    }
    Ok(())
}
