//! The configuration of a running engine: read again, described, changed from a screen, changed back.
//!
//! Slow, and so never done by the core. Invariant: what is written into a file was read and made ready before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exchange::{CoreSettings, Occasion, Reread};
use super::hub::Reply;
use crate::alert::{RuleConfig, condition_text};
use crate::config::{
    self, Config, EXAMPLE, Inputs, KeyError, Loaded, Origin, Proposal, is_secret, keys_of, load, meanings, texts,
};
use crate::model::{ChannelSetting, Lesson, RuleKeys, RuleSetting, RuleSpec, Setting, SettingChange, Settings, SettingsPlace};
use crate::monitor::{Answer, Refusal, RefusalKind, Request};
use crate::notify::CHANNELS;

/// Sections that are lists or tables of one's own names, and so no keys of their own.
const LISTS: &[&str] = &["rule", "service", "route", "action", "notify", "mute", "report"];

/// Makes from a configuration what a core is made from; gives both, because some places leave parts out.
pub type Ready = Box<dyn Fn(Config) -> Result<(Config, CoreSettings), KeyError> + Send>;

/// Where a configuration comes from, and what becomes of it.
pub struct Configuring {
    /// What it is made from, looked up anew each time.
    pub inputs: Box<dyn Fn() -> Result<Inputs, String> + Send>,
    /// What a core is made from it.
    pub ready: Ready,
}

/// Takes what is outside the engine from a configuration read again, or says why that cannot be.
pub type Taking = Box<dyn Fn(&Config) -> Result<(), String> + Send>;

struct State {
    configuring: Configuring,
    /// Changes made from screens since the start, oldest first, with what was learned by them.
    done: Vec<(Proposal, Option<Lesson>)>,
}

/// A change that was written and is on its way into the core.
pub(super) struct Change {
    proposal: Proposal,
    lesson: Option<Lesson>,
    direction: Direction,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Do,
    Undo,
}

/// Shared by the threads that answer.
#[derive(Clone)]
pub(super) struct Configurator {
    state: Arc<Mutex<State>>,
    taking: Arc<Mutex<Option<Taking>>>,
}

impl Configurator {
    pub(super) fn new(configuring: Configuring) -> Self {
        let state = State { configuring, done: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)), taking: Arc::default() }
    }

    /// Where whoever else takes a configuration is put.
    pub(super) fn taking(&self) -> Arc<Mutex<Option<Taking>>> {
        Arc::clone(&self.taking)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads it again.
    pub(super) fn reread(&self) -> Result<(Box<Reread>, Option<Change>), String> {
        let state = self.state();
        let inputs = (state.configuring.inputs)()?;
        Ok((self.made(&state, &inputs, Occasion::Asked)?, None))
    }

    fn made(&self, state: &State, inputs: &Inputs, occasion: Occasion) -> Result<Box<Reread>, String> {
        let loaded = load(inputs).map_err(|e| e.to_string())?;
        let ready = (state.configuring.ready)(loaded.config.clone());
        let (config, settings) = ready.map_err(|e| loaded.located(&e).to_string())?;
        if let Some(take) = &*self.taking.lock().unwrap_or_else(PoisonError::into_inner) {
            take(&config)?;
        }
        Ok(Box::new(Reread { config, settings, occasion }))
    }

    /// Writes a change or takes the last one back, after all was read with it. The core takes it next; [`Self::settled`] is told.
    pub(super) fn change(&self, request: &Request) -> Result<(Box<Reread>, Option<Change>), String> {
        let state = self.state();
        let inputs = (state.configuring.inputs)()?;
        let proposed = |changes: &[SettingChange], place| Proposal::new(&inputs, changes, place).map_err(|e| e.to_string());
        let (proposal, direction, occasion) = match request {
            Request::ChangeSettings { changes, place, author } => {
                let proposal = proposed(changes, *place)?;
                let says = format!("{} by {author}", proposal.says);
                (proposal, Direction::Do, Occasion::Changed(says))
            }
            Request::UndoSettings { author } => {
                let (last, lesson) = state.done.last().ok_or("nothing was changed here since the start")?;
                let occasion = match lesson {
                    Some(lesson) => Occasion::Learned(unlearned(lesson), author.clone()),
                    None => Occasion::Changed(format!("{} undone by {author}", last.says)),
                };
                (last.undone(), Direction::Undo, occasion)
            }
            Request::ApplyProposal { .. } | Request::UndoLesson { .. } => {
                let (lesson, author) = lesson(request, &inputs)?;
                let change = SettingChange::Rule { name: lesson.rule.clone(), keys: lesson.after.clone() };
                let proposal = proposed(&[change], SettingsPlace::Overrides)?;
                (proposal, Direction::Do, Occasion::Learned(lesson, author))
            }
            _ => return Err("this request changes no settings".to_owned()),
        };
        let lesson = match &occasion {
            Occasion::Learned(lesson, _) => Some(lesson.clone()),
            Occasion::Asked | Occasion::Changed(_) => None,
        };
        let reread = self.made(&state, &proposal.over(inputs), occasion)?;
        proposal.write().map_err(|e| e.to_string())?;
        Ok((reread, Some(Change { proposal, lesson, direction })))
    }

    /// The same reply, after it is known whether the core took the change; one it refused is taken off the disk again.
    pub(super) fn settled(&self, change: Change, reply: Reply) -> Reply {
        let own = self.clone();
        Box::new(move |answer| {
            let Change { proposal, lesson, direction } = change;
            match (direction, answer.is_ok()) {
                (Direction::Do, true) => own.state().done.push((proposal, lesson)),
                (Direction::Undo, true) => drop(own.state().done.pop()),
                (_, false) => {
                    if let Err(error) = proposal.undone().write() {
                        tracing::error!(%error, "a change that was refused stays in the file");
                    }
                }
            }
            reply(answer);
        })
    }

    /// What is set.
    pub(super) fn settings(&self) -> Result<Answer, Refusal> {
        let failed = |text: String| Refusal::new(RefusalKind::Unavailable, text);
        let state = self.state();
        let inputs = (state.configuring.inputs)().map_err(failed)?;
        let loaded = load(&inputs).map_err(|e| failed(e.to_string()))?;
        let (config, ready) = (state.configuring.ready)(loaded.config.clone()).map_err(|e| failed(e.to_string()))?;
        let settings = Settings {
            keys: keys(&loaded),
            rules: rules(&config, &ready, &loaded),
            rule_keys: rule_keys(),
            channels: channels(&config, &ready),
            file: inputs.own_file(),
            undo: state.done.last().map(|(p, _)| p.says.clone()),
        };
        Ok(Answer::Settings { settings: Box::new(settings) })
    }
}

/// What a rule's entry in `overrides.toml` becomes, and who lets it.
fn lesson(request: &Request, inputs: &Inputs) -> Result<(Lesson, String), String> {
    let (rule, author) = match request {
        Request::ApplyProposal { rule, author, .. } => (rule, author),
        Request::UndoLesson { lesson, author } => (&lesson.rule, author),
        _ => return Err("this request teaches nothing".to_owned()),
    };
    let before = inputs.overridden(rule).map_err(|e| e.to_string())?;
    let (after, reason, undoes) = match request {
        Request::UndoLesson { lesson, .. } if lesson.after != before => {
            return Err(format!("rule \"{rule}\" was changed since; look at it and change it by hand"));
        }
        Request::UndoLesson { lesson, .. } => (lesson.before.clone(), "taken back".to_owned(), Some(lesson.id.clone())),
        Request::ApplyProposal { keys, reason, .. } => {
            let loaded = load(inputs).map_err(|e| e.to_string())?;
            let written = loaded.config.rule.iter().find(|r| r.name == *rule);
            let mut after = written.map(without_name).unwrap_or_default();
            after.extend(keys.clone());
            (Some(after), reason.clone(), None)
        }
        _ => (None, String::new(), None),
    };
    Ok((Lesson { id: String::new(), rule: rule.clone(), before, after, reason, undoes }, author.clone()))
}

/// The lesson that takes another one back, or that teaches again what was taken back. Which one it takes back the core knows.
fn unlearned(lesson: &Lesson) -> Lesson {
    let Lesson { rule, before, after, undoes, .. } = lesson.clone();
    let (reason, undoes) = match undoes {
        Some(_) => ("applied again", None),
        None => ("taken back", Some(String::new())),
    };
    Lesson { id: String::new(), rule, before: after, after: before, reason: reason.to_owned(), undoes }
}

/// A rule's keys as it is written.
fn without_name(written: &RuleConfig) -> RuleKeys {
    let mut keys = texts(written);
    keys.remove("name");
    keys
}

/// All keys the example explains that are no part of a list.
fn keys(loaded: &Loaded) -> Vec<Setting> {
    let defaults = load(&Inputs::default()).map(|l| l.values).unwrap_or_default();
    let at = |values: &config::Table, key: &str| {
        let (section, name) = key.split_once('.')?;
        values.get(section)?.get(name).map(config::text)
    };
    let is_own = |key: &str| !LISTS.contains(&key.split('.').next().unwrap_or(key)) && !is_secret(key);
    let one = |(key, help): (String, String)| {
        let origin = loaded.origins.get(&key).cloned().unwrap_or(Origin::Default);
        let value = at(&loaded.values, &key).unwrap_or_default();
        Setting {
            value: if has_credentials(&value) { "(hidden)".to_owned() } else { value },
            default: at(&defaults, &key).unwrap_or_default(),
            fixed: matches!(origin, Origin::Environment(_) | Origin::Flag(_)),
            origin: origin.to_string(),
            key,
            help,
        }
    };
    meanings(EXAMPLE).into_iter().filter(|(key, _)| is_own(key)).map(one).collect()
}

/// An address with a user in it may hold a password.
fn has_credentials(value: &str) -> bool {
    value.contains("://") && value.contains('@')
}

/// Keys of a rule with what the example says of them.
fn rule_keys() -> Vec<(String, String)> {
    let known = meanings(EXAMPLE);
    let help = |key: &str| known.iter().find(|(k, _)| k.strip_prefix("rule.") == Some(key)).map(|(_, help)| help.clone());
    let own = keys_of::<RuleConfig>().iter().filter(|key| **key != "name");
    own.map(|key| ((*key).to_owned(), help(key).unwrap_or_default())).collect()
}

fn rules(config: &Config, ready: &CoreSettings, loaded: &Loaded) -> Vec<RuleSetting> {
    let own = config.rule.iter().filter(|r| !ready.built_in.iter().any(|b| b.name == r.name)).map(|r| r.name.as_str());
    let names = ready.built_in.iter().map(|r| r.name.as_str()).chain(own);
    let one = |name: &str| {
        let written = config.rule.iter().find(|r| r.name == name);
        let in_force = ready.rules.iter().find(|r| r.name == name);
        let built_in = ready.built_in.iter().find(|r| r.name == name);
        let spec: Option<RuleSpec> =
            in_force.or(built_in).cloned().or_else(|| written.and_then(|w| w.ready(&ready.catalog).ok()));
        let own = written.map(without_name).unwrap_or_default();
        let mut keys = match &spec {
            Some(spec) if spec.built_in => without_name(&RuleConfig::of(spec)),
            _ => RuleKeys::new(),
        };
        keys.extend(own.clone());
        let origin = loaded.origins.get(&format!("rule.{name}")).or_else(|| loaded.origins.get("rule"));
        RuleSetting {
            name: name.to_owned(),
            built_in: built_in.is_some(),
            enabled: in_force.is_some(),
            says: spec.as_ref().map(|s| format!("{} {}", s.metric, condition_text(s)).trim().to_owned()).unwrap_or_default(),
            keys,
            written: own,
            origin: written.and(origin).map(ToString::to_string).unwrap_or_default(),
        }
    };
    names.map(one).collect()
}

fn channels(config: &Config, ready: &CoreSettings) -> Vec<ChannelSetting> {
    let one = |target: &crate::notify::Target| {
        let written = config.notify.0.get(&target.name);
        let name = written.map_or(target.name.as_str(), |c| c.kind.as_str());
        let kind = CHANNELS.iter().find(|k| k.name == name);
        let is_shown = |key: &str| key != "type" && !is_secret(key) && !kind.is_some_and(|k| k.secrets.contains(&key));
        ChannelSetting {
            name: target.name.clone(),
            kind: name.to_owned(),
            about: kind.map_or("", |k| k.about).to_owned(),
            joins_at: target.joins_at,
            keys: written
                .map(|w| texts(w).into_iter().filter(|(k, v)| is_shown(k) && !has_credentials(v)).collect())
                .unwrap_or_default(),
            by_default: written.is_none(),
        }
    };
    ready.routing.channels.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Surroundings, catalog, settings};
    use crate::notify::Sending;

    const OWN: &str =
        "[[rule]]\nname = \"tight\" # mine\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\nlabels = { team = \"a\" }\n";

    fn configurator(dir: &std::path::Path) -> Configurator {
        std::fs::write(dir.join("config.toml"), OWN).expect("written");
        let (file, data_dir) = (Some(dir.join("config.toml")), Some(dir.to_owned()));
        let inputs = Box::new(move || Ok(Inputs { file: file.clone(), data_dir: data_dir.clone(), ..Inputs::default() }));
        let dir = dir.to_owned();
        let ready: Ready = Box::new(move |config| {
            let around = Surroundings { host: Arc::default(), link_bits_per_second: None, data_dir: &dir, sending: Sending::Dry };
            settings(&config, &Arc::new(catalog()), &around).map(|settings| (config, settings))
        });
        Configurator::new(Configuring { inputs, ready })
    }

    fn changed(configurator: &Configurator, request: &Request) -> Result<(Lesson, RuleSpec), String> {
        let (reread, _) = configurator.change(request)?;
        let Occasion::Learned(lesson, _) = reread.occasion else { panic!("{:?}", reread.occasion) };
        let rule = reread.settings.rules.into_iter().find(|r| r.name == lesson.rule).expect("it is in force");
        Ok((lesson, rule))
    }

    fn apply(rule: &str, above: &str) -> Request {
        let keys = RuleKeys::from([("above".to_owned(), above.to_owned())]);
        Request::ApplyProposal { rule: rule.to_owned(), keys, reason: "too many".to_owned(), author: "ana".to_owned() }
    }

    fn undo(lesson: &Lesson) -> Request {
        Request::UndoLesson { lesson: Box::new(Lesson { id: "7".to_owned(), ..lesson.clone() }), author: "ana".to_owned() }
    }

    #[test]
    fn what_is_learned_is_written_beside_ones_own_file_and_taken_back_to_the_letter() {
        let dir = tempfile::tempdir().expect("a folder");
        let configurator = configurator(dir.path());
        let limit = |above: f64| crate::model::Limit::Above(above);
        let (first, rule) = changed(&configurator, &apply("tight", "93.5%")).expect("it can be");
        assert_eq!((rule.limit, rule.labels["team"].as_str(), first.before.clone()), (limit(0.935), "a", None));
        let (second, rule) = changed(&configurator, &apply("tight", "95%")).expect("it can be");
        assert_eq!((rule.limit, &second.before), (limit(0.95), &first.after));
        let (_, built_in) = changed(&configurator, &apply("memory", "90%")).expect("it can be");
        assert_eq!((built_in.limit, built_in.hold.as_secs()), (limit(0.9), 30), "the rest of it stays");
        let refused = changed(&configurator, &undo(&first)).err();
        assert!(refused.is_some_and(|text| text.contains("was changed since")));
        let (third, rule) = changed(&configurator, &undo(&second)).expect("it can be");
        assert_eq!((rule.limit, third.undoes.as_deref()), (limit(0.935), Some("7")));
        let (_, rule) = changed(&configurator, &undo(&first)).expect("it can be");
        assert_eq!(rule.limit, limit(0.85));
        assert_eq!(std::fs::read_to_string(dir.path().join("config.toml")).expect("there"), OWN);
    }
}
