//! When alerts are not told by plan: windows of time, programs that run, other alerts that fire.
//!
//! Judges what it is handed: time, whether a program runs, which alerts fire. Invariant: an alert that keeps others quiet is never
//! kept quiet by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::{Cron, Timestamp, moment};
use crate::model::{Alert, Matcher, RuleSpec};

use super::config::span;

/// Longest window: more is a silence, or a rule that is switched off.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// An alert keeps others quiet for so long after it is over: what followed from it is over by then.
const AFTERMATH: Duration = Duration::from_secs(60);

/// One `[[mute]]`; all that it names must hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuteConfig {
    /// What people see beside the alert; its number where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Alerts that are not told: all matchers must match; none: all alerts.
    #[serde(rename = "match")]
    pub matchers: Vec<Matcher>,
    /// Begin: a moment (`2026-12-24`), or a time of each day (`22:00`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// End, written as `from` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Begins: minute hour day month weekday; with `for`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// How long each lasts.
    #[serde(rename = "for", with = "span", skip_serializing_if = "Option::is_none")]
    pub length: Option<Duration>,
    /// IANA name (`Europe/Lisbon`); the machine's where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// While a process of that name runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub while_process: Option<String>,
    /// While a process of that unit runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub while_unit: Option<String>,
    /// While an alert fires that these match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub while_alert: Vec<Matcher>,
    /// Labels in which both alerts must be equal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<String>,
}

/// Why a mute cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mute {place}: {key}: {message}")]
pub struct MuteError {
    /// Which of them, from 1.
    pub place: usize,
    /// The key at fault.
    pub key: &'static str,
    /// What is wrong and what to write.
    pub message: String,
}

/// A mute, ready to be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Mute {
    id: String,
    matchers: Vec<Matcher>,
    window: Option<Window>,
    /// Programs one of which must run.
    program: Option<Program>,
    source: Vec<Matcher>,
    equal: Vec<String>,
}

/// What must run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A process of that name.
    Process(String),
    /// A process of that unit, without `.service`.
    Unit(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Window {
    Once(Timestamp, Timestamp),
    Daily(Time, Time, TimeZone),
    Cron(Cron, Duration, TimeZone),
}

impl MuteConfig {
    /// The mute ready to be judged; `place` counts from 0.
    ///
    /// # Errors
    /// A time, zone or window that is none; a mute without end.
    pub fn ready(&self, place: usize) -> Result<Mute, MuteError> {
        let fault = |(key, message): (&'static str, String)| MuteError { place: place + 1, key, message };
        let window = self.window().map_err(fault)?;
        let program = match (&self.while_process, &self.while_unit) {
            (Some(_), Some(_)) => return Err(fault(("while_unit", "write this or while_process".to_owned()))),
            (Some(name), None) => Some(Program::Process(name.clone())),
            (None, Some(unit)) => Some(Program::Unit(unit.strip_suffix(".service").unwrap_or(unit).to_owned())),
            (None, None) => None,
        };
        if window.is_none() && program.is_none() && self.while_alert.is_empty() {
            let message = "says when: from and to, cron and for, while_process, while_unit or while_alert";
            return Err(fault(("match", message.to_owned())));
        }
        if self.while_alert.is_empty() && !self.equal.is_empty() {
            return Err(fault(("equal", "goes with while_alert only".to_owned())));
        }
        let id = self.name.clone().map_or_else(|| format!("mute {}", place + 1), |name| format!("mute {name}"));
        let (matchers, source, equal) = (self.matchers.clone(), self.while_alert.clone(), self.equal.clone());
        Ok(Mute { id, matchers, window, program, source, equal })
    }

    fn window(&self) -> Result<Option<Window>, (&'static str, String)> {
        let zone = match &self.time_zone {
            Some(name) => TimeZone::get(name)
                .map_err(|_| ("time_zone", format!("\"{name}\" is no time zone known here; write for example Europe/Lisbon")))?,
            None => TimeZone::system(),
        };
        match (&self.from, &self.to, &self.cron, self.length) {
            (None, None, None, None) => match self.time_zone {
                Some(_) => Err(("time_zone", "goes with from and to, or with cron".to_owned())),
                None => Ok(None),
            },
            (None, None, Some(cron), Some(length)) => {
                if length.is_zero() || length > LONGEST {
                    return Err(("for", "must be longer than 0s and at most 31d".to_owned()));
                }
                Ok(Some(Window::Cron(cron.parse().map_err(|e| ("cron", format!("{e}")))?, length, zone)))
            }
            (Some(from), Some(to), None, None) => {
                if let (Ok(from), Ok(to)) = (from.parse::<Time>(), to.parse::<Time>()) {
                    return Ok(Some(Window::Daily(from, to, zone)));
                }
                let (from, to) = (instant("from", from, &zone)?, instant("to", to, &zone)?);
                if from < to { Ok(Some(Window::Once(from, to))) } else { Err(("to", "must be later than from".to_owned())) }
            }
            (_, _, Some(_), None) => Err(("for", "cron says when it begins; for says how long it lasts".to_owned())),
            (None, None, None, Some(_)) => Err(("for", "goes with cron".to_owned())),
            (_, _, Some(_), _) => Err(("cron", "write this and for, or from and to".to_owned())),
            (_, None, ..) => Err(("to", "from needs an end".to_owned())),
            _ => Err(("from", "to needs a begin".to_owned())),
        }
    }
}

/// A moment with its offset, or a local one.
fn instant(key: &'static str, text: &str, zone: &TimeZone) -> Result<Timestamp, (&'static str, String)> {
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into));
    // A text with an offset would be read as a local time, too.
    let found = match text.parse::<jiff::Timestamp>() {
        Ok(at) => Some(Timestamp(at.as_millisecond())),
        Err(_) => civil.ok().and_then(|c| moment(c, zone)),
    };
    found.ok_or_else(|| (key, format!("\"{text}\" is no moment; write 2026-12-24T18:00, or 22:00 for each day")))
}

impl Window {
    fn holds(&self, at: Timestamp) -> bool {
        match self {
            Self::Once(from, to) => *from <= at && at < *to,
            Self::Cron(cron, length, zone) => cron.begun(at, *length, zone).is_some(),
            Self::Daily(from, to, zone) => {
                let Some(local) = at.in_zone(zone) else { return false };
                let days = [local.date().yesterday().ok(), Some(local.date()), local.date().tomorrow().ok()];
                days.into_iter().flatten().any(|date| {
                    let end = if from < to { Some(date) } else { date.tomorrow().ok() };
                    let begin = moment(DateTime::from_parts(date, *from), zone);
                    let end = end.and_then(|end| moment(DateTime::from_parts(end, *to), zone));
                    begin.is_some_and(|begin| begin <= at) && end.is_some_and(|end| at < end)
                })
            }
        }
    }
}

impl Mute {
    /// A rule that keeps another quiet while it fires.
    fn of_rule(rule: &str, muted: &str) -> Self {
        let (id, matchers, source) = (format!("rule {rule}"), Matcher::equal("rule", muted), Matcher::equal("rule", rule));
        Self { id, matchers: vec![matchers], window: None, program: None, source: vec![source], equal: Vec::new() }
    }

    /// What must run, if anything must.
    pub fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }
}

/// Alerts that are not told now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quiet {
    id: String,
    matchers: Vec<Matcher>,
    /// Where all of these match, too, it does not count: alerts do not keep themselves quiet.
    except: Vec<Matcher>,
}

impl Quiet {
    fn is_about(&self, labels: &BTreeMap<String, String>) -> bool {
        all(&self.matchers, labels) && (self.except.is_empty() || !all(&self.except, labels))
    }
}

fn all(matchers: &[Matcher], labels: &BTreeMap<String, String>) -> bool {
    matchers.iter().all(|m| m.matches(labels.get(m.name()).map(String::as_str)))
}

/// All mutes of a configuration, and what they come to.
#[derive(Debug, Default)]
pub(super) struct Mutes {
    planned: Vec<Mute>,
    of_rules: Vec<Mute>,
    running: Vec<bool>,
    /// What alerts that fire keep quiet, and when they last did.
    held: Vec<(Quiet, Timestamp)>,
    quiet: Vec<Quiet>,
}

impl Mutes {
    pub(super) fn plan(&mut self, mutes: Vec<Mute>) {
        self.planned = mutes;
        self.running.clear();
    }

    pub(super) fn follow(&mut self, rules: &[RuleSpec]) {
        let each = |rule: &RuleSpec| rule.mutes.iter().map(|muted| Mute::of_rule(&rule.name, muted)).collect::<Vec<_>>();
        self.of_rules = rules.iter().flat_map(each).collect();
    }

    /// Notes which programs run.
    pub(super) fn look(&mut self, runs: impl Fn(&Program) -> bool) {
        self.running = self.planned.iter().map(|m| m.program.as_ref().is_none_or(&runs)).collect();
    }

    pub(super) fn ask_for_programs(&self) -> bool {
        self.planned.iter().any(|m| m.program.is_some())
    }

    /// Whether alerts may keep others quiet.
    pub(super) fn follow_alerts(&self) -> bool {
        !self.of_rules.is_empty() || self.planned.iter().any(|m| !m.source.is_empty())
    }

    /// Works out what is quiet now; whether that is something else than before.
    pub(super) fn refresh<'a>(&mut self, at: Timestamp, firing: impl Iterator<Item = &'a Alert> + Clone) -> bool {
        if self.planned.is_empty() && self.of_rules.is_empty() && self.quiet.is_empty() {
            return false;
        }
        let holds = |n: usize, mute: &Mute| {
            let runs = mute.program.is_none() || self.running.get(n).copied().unwrap_or(false);
            runs && mute.window.as_ref().is_none_or(|w| w.holds(at))
        };
        let planned = self.planned.iter().enumerate().filter(|(n, mute)| holds(*n, mute)).map(|(_, mute)| mute);
        let mut quiet = Vec::new();
        let mut held = Vec::new();
        for mute in planned.chain(&self.of_rules) {
            if mute.source.is_empty() {
                quiet.push(Quiet { id: mute.id.clone(), matchers: mute.matchers.clone(), except: Vec::new() });
                continue;
            }
            for alert in firing.clone().filter(|a| all(&mute.source, &a.labels)) {
                let same = |label: &String| Matcher::equal(label, alert.labels.get(label).map_or("", String::as_str));
                let matchers = mute.matchers.iter().cloned().chain(mute.equal.iter().map(same)).collect();
                let one = Quiet { id: mute.id.clone(), matchers, except: mute.source.clone() };
                if !held.iter().any(|(known, _)| *known == one) {
                    held.push((one, at));
                }
            }
        }
        let fresh = |(one, last): &(Quiet, Timestamp)| {
            at.since(*last) <= AFTERMATH && *last <= at && !held.iter().any(|(known, _)| known == one)
        };
        let lingering: Vec<_> = self.held.iter().filter(|h| fresh(h)).cloned().collect();
        held.extend(lingering);
        quiet.extend(held.iter().map(|(one, _)| one.clone()));
        self.held = held;
        let changed = quiet != self.quiet;
        self.quiet = quiet;
        changed
    }

    /// What keeps an alert with these labels quiet now.
    pub(super) fn of(&self, labels: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
        let mut ids: Vec<String> = self.quiet.iter().filter(|q| q.is_about(labels)).map(|q| q.id.clone()).collect();
        ids.dedup();
        ids.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mute(text: &str) -> Result<Mute, MuteError> {
        toml::from_str::<MuteConfig>(text).expect(text).ready(0)
    }

    fn holds(text: &str, at: &str) -> bool {
        let at = Timestamp(at.parse::<jiff::Timestamp>().expect(at).as_millisecond());
        mute(text).expect(text).window.expect("a window").holds(at)
    }

    #[test]
    fn windows_are_moments_times_of_the_day_or_cron_in_a_time_zone() {
        let lisbon = "time_zone='Europe/Lisbon'";
        for (text, at, expected) in [
            ("from='2026-12-24T18:00'\nto='2026-12-27'\ntime_zone='Europe/Berlin'", "2026-12-24T17:00:00Z", true),
            ("from='2026-12-24T18:00'\nto='2026-12-27'\ntime_zone='Europe/Berlin'", "2026-12-26T23:00:00Z", false),
            ("from='2026-12-24T18:00Z'\nto='2026-12-27T00:00Z'\ntime_zone='Europe/Berlin'", "2026-12-24T17:30:00Z", false),
            (&format!("from='22:00'\nto='06:00'\n{lisbon}"), "2026-07-01T21:30:00Z", true),
            (&format!("from='22:00'\nto='06:00'\n{lisbon}"), "2026-07-02T04:59:59Z", true),
            (&format!("from='22:00'\nto='06:00'\n{lisbon}"), "2026-07-02T05:00:00Z", false),
            (&format!("from='22:00'\nto='06:00'\n{lisbon}"), "2026-12-01T21:30:00Z", false),
            (&format!("cron='30 1 * * sun'\nfor='2h'\n{lisbon}"), "2026-03-29T03:00:00Z", true),
            (&format!("cron='30 1 * * sun'\nfor='2h'\n{lisbon}"), "2026-03-30T03:00:00Z", false),
        ] {
            assert_eq!(holds(text, at), expected, "{text} at {at}");
        }
    }

    #[test]
    fn programs_and_alerts_keep_others_quiet_but_not_themselves() {
        let mut mutes = Mutes::default();
        let backup = mute("name='backup'\nmatch=['rule=disk']\nwhile_process='borg'").expect("a mute");
        let storm =
            mute("name='storm'\nmatch=['severity=~\"warning|critical\"']\nwhile_alert=['severity=critical']\nequal=['host']");
        mutes.plan(vec![backup, storm.expect("a mute")]);
        let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        let source = Alert { labels: labels(&[("severity", "critical"), ("host", "a")]), ..crate::alert::tests::alert("1", "r") };
        let at = crate::alert::tests::at;
        let quiet = |mutes: &Mutes, pairs| mutes.of(&labels(pairs)).collect::<Vec<_>>();
        assert!(!mutes.refresh(at(0), std::iter::empty()), "nothing is known to run");
        mutes.look(|program| *program == Program::Process("borg".to_owned()));
        assert!(mutes.refresh(at(1), std::iter::once(&source)));
        assert_eq!(quiet(&mutes, &[("rule", "disk")]), ["mute backup"]);
        assert_eq!(quiet(&mutes, &[("severity", "warning"), ("host", "a")]), ["mute storm"]);
        assert!(quiet(&mutes, &[("severity", "warning"), ("host", "b")]).is_empty(), "another host");
        assert!(quiet(&mutes, &[("severity", "critical"), ("host", "a")]).is_empty(), "as bad as what mutes it");
        assert!(!mutes.refresh(at(61), std::iter::empty()), "a minute longer");
        mutes.look(|_| false);
        assert!(mutes.refresh(at(62), std::iter::empty()) && quiet(&mutes, &[("rule", "disk")]).is_empty());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_key() {
        for (text, key) in [
            ("", "match"),
            ("from='22:00'", "to"),
            ("to='22:00'", "from"),
            ("from='2026-12-24'\nto='2026-12-23'", "to"),
            ("from='x'\nto='2026-12-23'", "from"),
            ("cron='0 0 * * *'", "for"),
            ("cron='0 0 * *'\nfor='1h'", "cron"),
            ("cron='0 0 * * *'\nfor='40d'", "for"),
            ("cron='0 0 * * *'\nfor='1h'\ntime_zone='Europe/Lissabon'", "time_zone"),
            ("for='1h'", "for"),
            ("while_process='a'\nwhile_unit='b'", "while_unit"),
            ("while_process='a'\nequal=['b']", "equal"),
        ] {
            let error = mute(text).expect_err(text);
            assert_eq!(error.key, key, "{text}: {error}");
        }
        assert!(toml::from_str::<MuteConfig>("while='x'").is_err(), "unknown keys are errors");
    }
}
