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
use super::{METRICS, heard, own};
use crate::base::format_duration;
use crate::config::{Config, KeyError};
use crate::model::{Catalog, Condition, EscalationConfig, Escalations, HostFacts, LevelConfig, MetricDef, RuleSpec};
use crate::notify::{Budget, ChannelContext, ChannelError, NotifyConfig, ReportFile, Routing, Sending, session_bus};
use crate::report::{self, Schedule};
use crate::{alert, analyze, check, collect, query};

/// Every metric this program knows.
pub fn catalog() -> Catalog {
    let tables = [METRICS, heard::METRICS, check::METRICS, analyze::METRICS, alert::FED];
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
/// What is wrong in the configuration, for people: rule, service or channel by name, and where its key is.
pub fn settings(config: &Config, catalog: &Arc<Catalog>, around: &Surroundings<'_>) -> Result<CoreSettings, KeyError> {
    let services = check::services(&config.service).map_err(|e| {
        let at = listed(config.service.iter().map(|s| &s.name), &e.service, e.key);
        KeyError::new(["service", &at, e.key], &e)
    })?;
    let context = ChannelContext { folder: around.data_dir.to_owned(), client: crate::net::Client::new(&config.net) };
    let opened = configured(&config.notify, around.sending).open(&context).map_err(|e| channel_error(&e))?;
    let mut built_in = alert::default_rules(&around.host, around.link_bits_per_second);
    built_in.push(own::store_rule());
    built_in.push(own::stability_rule(config.analyze.stability_below));
    let rules = rules(config, catalog, built_in.clone())?;
    let mutes = config.mute.iter().enumerate().map(|(place, mute)| {
        mute.ready(place).map_err(|e| KeyError::new(["mute".to_owned(), place.to_string(), e.key.to_owned()], &e))
    });
    let mutes = mutes.collect::<Result<_, _>>()?;
    let (escalation, route) = (&config.escalation, &config.route);
    let mut channels: Channels = opened.iter().map(|(name, _, channel)| (name.clone(), Arc::clone(channel))).collect();
    for (at, action) in config.action.iter().enumerate() {
        let at_key = |key: Option<&str>| ["action".to_owned(), at.to_string()].into_iter().chain(key.map(str::to_owned));
        if config.action.iter().take(at).any(|earlier| earlier.name == action.name) {
            let message = format!("action \"{}\": there are two of this name", action.name);
            return Err(KeyError::new(at_key(Some("name")), message));
        }
        let opened = action.open(&context).map_err(|e| KeyError::new(at_key(e.key.as_deref()), &e))?;
        channels.push((action.channel(), opened));
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
        built_in: built_in.into(),
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

/// What is wrong with a channel, where its table is.
pub fn channel_error(error: &ChannelError) -> KeyError {
    // `notify.<name>`: a name may hold dots.
    let (section, name) = error.of.split_once('.').unwrap_or((&error.of, ""));
    KeyError::new([section, name].into_iter().chain(error.key.as_deref()), error)
}

/// The place in a list of what has that name: of two of one name the second, where that is the mistake.
fn listed<'a>(mut names: impl DoubleEndedIterator<Item = &'a String> + ExactSizeIterator, wanted: &str, key: &str) -> String {
    let found = if key == "name" { names.rposition(|n| n == wanted) } else { names.position(|n| n == wanted) };
    found.unwrap_or_default().to_string()
}

/// The channels as configured; with none, a desktop where there is one to be told.
fn configured(config: &NotifyConfig, sending: Sending) -> NotifyConfig {
    config.clone().or_default(sending == Sending::Real && session_bus())
}

/// What is made by the clock, by its names.
fn schedules(config: &Config) -> Result<Vec<Schedule>, KeyError> {
    let mut names = BTreeSet::new();
    let mut plans = Vec::new();
    for (at, report) in config.report.iter().enumerate() {
        let at = at.to_string();
        let plan = report.ready().map_err(|e| KeyError::new(["report", &at], e))?;
        if !names.insert(plan.name.clone()) {
            let message = format!("report \"{}\": there are two of this name; give one of them a name", plan.name);
            return Err(KeyError::new(["report", &at, "name"], message));
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// Built-in rules, with the user's over those of the same name.
fn rules(config: &Config, catalog: &Arc<Catalog>, built_in: Vec<RuleSpec>) -> Result<Vec<RuleSpec>, KeyError> {
    let wrong = |rule: &str, key: &str, message: String| {
        let at = listed(config.rule.iter().map(|r| &r.name), rule, key);
        KeyError::new(["rule", &at, key], message)
    };
    let rules = alert::all_rules(built_in, &config.rule, catalog).map_err(|e| wrong(&e.rule, e.key, e.to_string()))?;
    for rule in &rules {
        let checked = check(&rule.expr, &rule.condition, catalog);
        checked.map_err(|(key, e)| wrong(&rule.name, key, format!("rule \"{}\": {key}: {e}", rule.name)))?;
    }
    Ok(rules)
}

/// Whether the queries of a condition can be read and are about what there is; else the key and what is wrong.
fn check(expr: &str, condition: &Condition, catalog: &Catalog) -> Result<(), (&'static str, String)> {
    if let Condition::Several { parts, .. } = condition {
        return parts.iter().try_for_each(|part| check(&part.expr, &part.condition, catalog));
    }
    if alert::FED.iter().any(|def| def.name == expr) {
        return Ok(());
    }
    let parsed = query::parse(expr).map_err(|e| ("expr", e.to_string()))?;
    parsed.check(catalog).map_err(|e| ("expr", e.to_string()))?;
    if parsed.max_window() > LONGEST_WINDOW {
        let longest = format_duration(LONGEST_WINDOW);
        let message = format!("a rule looks back over at most {longest}; for longer spans use within, or a report");
        return Err(("window", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> String {
        let config: Config = toml::from_str(text).expect(text);
        let dir = tempfile::tempdir().expect("a folder");
        let host = Arc::new(HostFacts::default());
        let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending: Sending::Dry };
        let error = settings(&config, &Arc::new(catalog()), &around).err().expect(text);
        format!("{}: {error}", error.path.join("."))
    }

    #[test]
    fn every_mistake_names_the_path_of_its_key() {
        let service = "[[service]]\nname='a'\ntype='tcp'\naddress='h:1'\n";
        let action = "[[action]]\nname='a'\nmatch=['rule=x']\ncommand=['true']\n";
        for (text, expected) in [
            (format!("{service}[[service]]\nname='b'\ntype='htp'\n"), "service.1.type: service \"b\": type: "),
            (format!("{service}{service}"), "service.1.name: "),
            ("[[rule]]\nname='a'\nmetric='cpu_usge_ratio'\nabove='8%'\n".to_owned(), "rule.0.metric: rule \"a\": metric: "),
            ("[[rule]]\nname='a'\nexpr='sum('\nabove='8%'\n".to_owned(), "rule.0.expr: rule \"a\": expr: "),
            ("[notify.a]\ntype='file'\npth='x'\n".to_owned(), "notify.a.pth: notify.a: "),
            ("[notify.a]\npath='x'\n".to_owned(), "notify.a.type: "),
            (format!("{action}{action}"), "action.1.name: action \"a\": "),
            (format!("{action}at_most=0\n"), "action.0.at_most: action \"a\": "),
        ] {
            let found = path(&text);
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
