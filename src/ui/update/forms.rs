//! Forms: which fields, how they are filled, and the request they become.
//!
//! Invariant: nothing is asked of the monitor before every field was understood; what was not
//! understood is said in the form.

use crossterm::event::KeyCode;

use crate::base::{TimeRange, Timestamp, parse_duration};
use crate::model::{Alert, AlertState, Incident, Matcher};
use crate::monitor::{Request, SnoozeUntil};
use crate::ui::actions::Act;
use crate::ui::event::{Effect, Purpose};
use crate::ui::keymap::Chord;
use crate::ui::overlay::{Field, FieldValue, Form, FormKind, Input, Overlay};
use crate::ui::state::UiState;

use super::moment::{self, Known};
use super::{export, process, settings, time};

const DEPTHS: &[&str] = &["hourly", "daily", "weekly", "monthly"];
const FORMATS: &[&str] = &["pdf", "html", "json", "csv"];
const KINDS: &[&str] =
    &["performance report", "capacity report", "security report", "charts as CSV", "screen as text", "screen as SVG"];
const NO_YES: &[&str] = &["no", "yes"];

/// The form of an action; `None` where it has none or there is no alert for it.
pub fn open(state: &UiState, act: Act, alert: Option<&Alert>) -> Option<Form> {
    let form = |kind, title: String, fields| Some(Form { kind, title, fields, focus: 0, problem: None });
    let shown_at = state.past.as_ref().map_or(state.live.at, |p| p.at);
    match act {
        Act::Silence => {
            let matchers = matchers_of(alert?);
            let fields = vec![
                Field::text("for", "2h"),
                Field::text("what", &matchers),
                Field::text("comment", ""),
                Field::choice("maintenance", NO_YES, 0),
            ];
            form(FormKind::Silence, format!("Silence {}", alert?.title), fields)
        }
        Act::Snooze => {
            let fields = vec![Field::text("for", "1h"), Field::choice("or until it changes", NO_YES, 0)];
            form(FormKind::Snooze(alert?.id.clone()), format!("Snooze {}", alert?.title), fields)
        }
        Act::Acknowledge => {
            let fields = vec![Field::text("comment", "")];
            form(FormKind::Acknowledge(alert?.id.clone()), format!("Acknowledge {}", alert?.title), fields)
        }
        Act::Export => {
            let fields = vec![
                Field::choice("what", KINDS, 0),
                Field::choice("depth", DEPTHS, 1),
                Field::choice("format", FORMATS, 0),
                Field::text("file", ""),
            ];
            form(FormKind::Export, "Export".to_owned(), fields)
        }
        Act::Note => {
            let at = crate::ui::format::moment(shown_at, state.live.at, &state.zone);
            form(FormKind::Note(shown_at), format!("Note at {at}"), vec![Field::text("text", "")])
        }
        Act::Incident => {
            // From the moment one has gone to, else from where the alert began, else the last ten minutes.
            let since = state.past.as_ref().map(|p| p.at).or(alert.map(|a| a.since));
            let from = since.map_or_else(|| "10m".to_owned(), |at| moment::written(at, &state.zone));
            let rule = alert.map_or("", |a| a.rule.as_str());
            let fields =
                vec![Field::text("what", ""), Field::text("from", &from), Field::text("to", "now"), Field::text("rule", rule)];
            form(FormKind::Incident, "Incident: what rules are measured against".to_owned(), fields)
        }
        Act::GoTo => form(FormKind::GoTo, "Go to a time".to_owned(), vec![Field::text("time", "-1h")]),
        _ => None,
    }
}

/// How long a service is worked on, and why.
pub fn maintenance(service: &str) -> Form {
    let fields = vec![Field::text("for", "1h"), Field::text("comment", "")];
    let title = format!("Maintenance of {service}");
    Form { kind: FormKind::Maintenance(service.to_owned()), title, fields, focus: 0, problem: None }
}

/// The rule and the labels that tell the instance apart.
fn matchers_of(alert: &Alert) -> String {
    let own = alert.key.labels().map(|(name, value)| Matcher::equal(name, value).to_string());
    std::iter::once(Matcher::equal("rule", &alert.rule).to_string()).chain(own).collect::<Vec<_>>().join(" ")
}

/// Splits matchers at blanks outside quotes.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in text.chars() {
        match c {
            ' ' | ',' if !quoted => parts.push(std::mem::take(&mut part)),
            _ => {
                quoted ^= c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                part.push(c);
            }
        }
    }
    parts.push(part);
    parts.retain(|p| !p.is_empty());
    parts
}

fn matchers(text: &str) -> Result<Vec<Matcher>, String> {
    let all: Vec<Matcher> = split(text).iter().map(|m| m.parse()).collect::<Result<_, _>>().map_err(|e| format!("{e}"))?;
    if all.is_empty() { Err("what is silenced? write for example rule=disk mount=/backup".to_owned()) } else { Ok(all) }
}

/// Titles of the alerts a silence would hide now.
///
/// # Errors
/// What was not understood in the matchers.
pub fn silence_matches(state: &UiState, form: &Form) -> Result<Vec<String>, String> {
    let matchers = matchers(form.get("what"))?;
    let value = |alert: &Alert, name: &str| match name {
        "rule" => Some(alert.rule.clone()),
        _ => alert.labels.get(name).cloned().or_else(|| alert.key.label(name).map(str::to_owned)),
    };
    let hides = |alert: &Alert| matchers.iter().all(|m| m.matches(value(alert, m.name()).as_deref()));
    let open = state.live.alerts.iter().filter(|a| a.state != AlertState::Resolved);
    Ok(open.filter(|a| hides(a)).map(|a| a.title.clone()).collect())
}

/// Types into a line of text.
pub fn edit(input: &mut Input, chord: Chord) {
    match (chord.code(), chord.character()) {
        (_, Some(c)) => input.insert(c.encode_utf8(&mut [0; 4])),
        (KeyCode::Backspace, _) => input.backspace(),
        (KeyCode::Delete, _) => input.delete(),
        (KeyCode::Left, _) => input.step(-1),
        (KeyCode::Right, _) => input.step(1),
        (KeyCode::Home, _) => input.step(isize::MIN),
        (KeyCode::End, _) => input.step(isize::MAX),
        (KeyCode::Char('u'), None) => input.clear(),
        _ => {}
    }
}

/// Adds text to the field that gets the keys.
pub fn insert(form: &mut Form, text: &str) {
    if let Some(FieldValue::Text(input)) = form.fields.get_mut(form.focus).map(|f| &mut f.value) {
        input.insert(text);
    }
}

/// One key in a form: Tab and the arrows choose, Enter is done, Esc gives up.
pub fn key(state: &mut UiState, mut form: Form, chord: Chord) -> (Vec<Effect>, Option<Overlay>) {
    form.problem = None;
    let count = form.fields.len().max(1);
    let is_back = chord == Chord::parse("shift-tab").unwrap_or(chord) && chord.code() == KeyCode::Tab;
    match chord.code() {
        KeyCode::Esc => {
            state.processes.held = None;
            return (Vec::new(), None);
        }
        KeyCode::Enter => {
            return match submit(state, &form) {
                Ok(effects) => (effects, None),
                Err(problem) => {
                    form.problem = Some(problem);
                    (Vec::new(), Some(Overlay::Form(form)))
                }
            };
        }
        KeyCode::Up => form.focus = (form.focus + count - 1) % count,
        KeyCode::Tab if is_back => form.focus = (form.focus + count - 1) % count,
        KeyCode::Tab | KeyCode::Down => form.focus = (form.focus + 1) % count,
        code => match form.fields.get_mut(form.focus).map(|f| &mut f.value) {
            Some(FieldValue::Text(input)) => edit(input, chord),
            Some(FieldValue::Choice(options, at)) => {
                let step = if code == KeyCode::Left { options.len() - 1 } else { 1 };
                let is_step = matches!(code, KeyCode::Left | KeyCode::Right) || chord.character() == Some(' ');
                *at = if is_step { (*at + step) % options.len() } else { *at };
            }
            None => {}
        },
    }
    (Vec::new(), Some(Overlay::Form(form)))
}

fn submit(state: &mut UiState, form: &Form) -> Result<Vec<Effect>, String> {
    let author = state.author.clone();
    let length = |label| parse_duration(form.get(label)).map_err(|e| e.to_string());
    let request = match &form.kind {
        FormKind::Silence => Request::AddSilence {
            matchers: matchers(form.get("what"))?,
            length: length("for")?,
            author,
            comment: form.get("comment").to_owned(),
            maintenance: form.get("maintenance") == "yes",
        },
        FormKind::Snooze(alert) => {
            let until = match form.get("or until it changes") {
                "yes" => SnoozeUntil::Change,
                _ => SnoozeUntil::Time(state.live.at + length("for")?),
            };
            Request::Snooze { alert: alert.clone(), author, until }
        }
        FormKind::Acknowledge(alert) => {
            Request::Acknowledge { alert: alert.clone(), author, comment: form.get("comment").to_owned() }
        }
        FormKind::Note(at) => match form.get("text").trim() {
            "" => return Err("an empty note says nothing".to_owned()),
            text => Request::Annotate { at: *at, author, text: text.to_owned() },
        },
        FormKind::Incident => Request::AddIncident { incident: incident(state, form)?, author },
        FormKind::Maintenance(service) => Request::Maintenance {
            service: service.clone(),
            length: Some(length("for")?),
            author,
            comment: form.get("comment").to_owned(),
        },
        FormKind::Setting(goal) => return settings::submit(state, goal, form),
        FormKind::Export => return export::submit(state, form),
        FormKind::GoTo => return go_to(state, form.get("time")),
        FormKind::Wish(targets, wish) => return process::submit(state, targets, *wish, form),
    };
    Ok(vec![Effect::Ask(Purpose::Decision, request)])
}

/// Words become a moment.
fn at(state: &UiState, text: &str) -> Result<Timestamp, String> {
    moment::parse(text, &Known { now: state.live.at, zone: &state.zone.zone, booted: state.live.host.booted_at })
}

fn go_to(state: &mut UiState, text: &str) -> Result<Vec<Effect>, String> {
    Ok(time::go(state, at(state, text)?))
}

fn incident(state: &UiState, form: &Form) -> Result<Incident, String> {
    let (comment, rule) = (form.get("what").trim(), form.get("rule").trim());
    if comment.is_empty() {
        return Err("what happened? a few words will do".to_owned());
    }
    let span = TimeRange { from: at(state, form.get("from"))?, to: at(state, form.get("to"))? };
    if span.from >= span.to {
        return Err("it ends before it begins".to_owned());
    }
    Ok(Incident { span, comment: comment.to_owned(), rule: (!rule.is_empty()).then(|| rule.to_owned()) })
}
