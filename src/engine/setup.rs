//! From the configuration to what a core is made from.
//!
//! Everything a user can get wrong is found here, before anything starts. Invariant: the same for a
//! start and for a reload.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::exchange::CoreSettings;
use super::judge::LONGEST_WINDOW;
use super::outward::Channels;
use super::{METRICS, own};
use crate::base::format_duration;
use crate::model::{Catalog, Condition, EscalationConfig, Escalations, HostFacts, LevelConfig, MetricDef, RuleSpec};
use crate::notify::{Budget, ChannelContext, NotifyConfig, ReportFile, Routing, Sending, session_bus};
use crate::report::{self, ReportConfig, Schedule};
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
    let opened = configured(&config.notify, around.sending).open(&context)?;
    let rules = rules(config, catalog, around)?;
    let mutes = config.mute.iter().enumerate().map(|(place, mute)| mute.ready(place).map_err(|e| e.to_string()));
    let mutes = mutes.collect::<Result<_, _>>()?;
    let (escalation, route) = (&config.escalation, &config.route);
    let mut channels: Channels = opened.iter().map(|(name, _, channel)| (name.clone(), Arc::clone(channel))).collect();
    for (at, action) in config.action.iter().enumerate() {
        if config.action.iter().take(at).any(|earlier| earlier.name == action.name) {
            return Err(format!("action \"{}\": there are two of this name", action.name));
        }
        channels.push((action.channel(), action.open(&context)?));
    }
    let reports = schedules(config)?;
    for path in reports.iter().flat_map(|r| &r.to).filter(|to| report::is_path(to)) {
        channels.push((path.clone(), ReportFile::channel(around.data_dir)));
    }
    let routing = Routing {
        actions: config.action.clone(),
        channels: opened.iter().map(|(name, kind, _)| kind.target(name)).collect(),
        routes: route.clone(),
        levels: escalation.channels(),
        budget: Budget { all: escalation.per_hour, rule: escalation.per_hour_and_rule },
    };
    let own_levels = |levels: &Vec<LevelConfig>| EscalationConfig { levels: levels.clone(), ..escalation.clone() };
    let routes = route.iter().map(|r| (r.matchers.clone(), r.escalation.as_ref().map(own_levels))).collect();
    Ok(CoreSettings {
        interval: config.general.interval,
        flush: config.store.flush,
        catalog: Arc::clone(catalog),
        host: Arc::clone(&around.host),
        analyze: config.analyze.clone(),
        rules,
        mutes,
        escalation: Escalations { default: escalation.clone(), routes },
        heartbeat: config.heartbeat.clone(),
        prices: config.prices.clone(),
        reports,
        services,
        routing,
        sending: around.sending,
        channels,
    })
}

/// The channels as configured; with none, a desktop where there is one to be told.
fn configured(config: &NotifyConfig, sending: Sending) -> NotifyConfig {
    config.clone().or_default(sending == Sending::Real && session_bus())
}

/// What is made by the clock, by its names.
fn schedules(config: &Config) -> Result<Vec<Schedule>, String> {
    let mut names = BTreeSet::new();
    let ready = |report: &ReportConfig| {
        let plan = report.ready()?;
        if !names.insert(plan.name.clone()) {
            return Err(format!("report \"{}\": there are two of this name; give one of them a name", plan.name));
        }
        Ok(plan)
    };
    config.report.iter().map(ready).collect()
}

/// Built-in rules, with the user's over those of the same name.
fn rules(config: &Config, catalog: &Arc<Catalog>, around: &Surroundings<'_>) -> Result<Vec<RuleSpec>, String> {
    let mut built_in = alert::default_rules(&around.host, around.link_bits_per_second);
    built_in.push(own::store_rule());
    let rules = alert::all_rules(built_in, &config.rule, catalog).map_err(|e| e.to_string())?;
    for rule in &rules {
        check(&rule.expr, &rule.condition, catalog).map_err(|e| format!("rule \"{}\": {e}", rule.name))?;
    }
    Ok(rules)
}

/// Whether the queries of a condition can be read and are about what there is.
fn check(expr: &str, condition: &Condition, catalog: &Catalog) -> Result<(), String> {
    if let Condition::Several { parts, .. } = condition {
        return parts.iter().try_for_each(|part| check(&part.expr, &part.condition, catalog));
    }
    if alert::FED.iter().any(|def| def.name == expr) {
        return Ok(());
    }
    let parsed = query::parse(expr).map_err(|e| e.to_string())?;
    parsed.check(catalog).map_err(|e| e.to_string())?;
    if parsed.max_window() > LONGEST_WINDOW {
        let longest = format_duration(LONGEST_WINDOW);
        return Err(format!("window: a rule looks back over at most {longest}; for longer spans use within, or a report"));
    }
    Ok(())
}
