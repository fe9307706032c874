//! The page of settings: everything that is set, where it came from, and what it means.
//!
//! Invariant: a value nobody set looks different from one somebody did, and not by its color alone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, filter_or_key, framed, paragraphs};
use crate::model::{RuleSetting, Setting, SettingsPlace};
use crate::monitor::Scope;
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::settings::{Goal, Row, place, rows};
use crate::ui::state::View;
use crate::ui::widgets::text::lay;
use crate::ui::widgets::{Ground, Phrase, Role};

/// Columns of names before their values.
const NAMES: u16 = 26;

/// Rows of what a value means, below the list on narrow screens.
const MEANING: u16 = 7;

/// Settings.
pub struct Settings;

impl Pane for Settings {
    fn view(&self) -> View {
        View::Settings
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if super::is_too_small(area) {
            return;
        }
        let (whole, mut lines) = framed(area);
        let (right, end) = (whole.x1, whole.y1);
        let (upper, lower) = if ctx.density() == Density::Large {
            let cut = area.x + area.width * 3 / 5;
            lines.down(cut, area.y, end);
            (Slot { x1: cut, ..whole }, Slot { x0: cut, ..whole })
        } else {
            let cut = end.saturating_sub(MEANING + 1).max(area.y + 4);
            lines.across(cut, area.x, right);
            (Slot { y1: cut, ..whole }, Slot { y0: cut, ..whole })
        };
        lines.draw(ctx.ink, buf);
        list(ctx, buf, upper);
        meaning(ctx, buf, lower);
    }
}

fn list(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let page = &ctx.state.settings;
    let rows = rows(ctx.state);
    let head = Phrase::new().strong("Settings");
    let head = match &page.rule {
        Some(rule) => head.dim(" rule ").strong(rule),
        None => head,
    };
    slot.title(ctx.ink, buf, &head, &[filter_or_key(ctx)]);
    let inner = slot.inner();
    if page.known.is_none() {
        let text = "What is set is on its way. If nothing comes, the recorder is older than this screen, or gone.";
        paragraphs(ctx.ink, buf, inner, &[Phrase::new().dim(text)]);
        return;
    }
    if rows.is_empty() {
        Phrase::new().dim("no setting holds these words").put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        return;
    }
    let chosen = place(page, &rows);
    let first = first_row(chosen, usize::from(inner.height), rows.len());
    for (y, (at, row)) in (inner.y..inner.bottom()).zip(rows.iter().enumerate().skip(first)) {
        let line = Rect { y, height: 1, ..inner };
        if at == chosen {
            lay(ctx.ink, buf, Rect { x: line.x - 1, width: line.width + 2, ..line }, Ground::Selected);
        }
        draw_row(ctx, buf, line, row);
    }
}

fn draw_row(ctx: &DrawContext, buf: &mut Buffer, line: Rect, row: &Row) {
    let page = &ctx.state.settings;
    let names = NAMES.min(line.width / 2);
    let (name, value, from) = match row {
        Row::Head(name) => {
            Phrase::new().strong(name).put(ctx.ink, buf, (line.x, line.y), line.right());
            return;
        }
        Row::Key(key) => match page.key(key) {
            Some(setting) => (plain_name(key), shown(setting), came_from(&setting.origin)),
            None => return,
        },
        Row::Rule(name) => match page.rule(name) {
            Some(rule) => (rule_name(rule), Phrase::new().text(&rule.says), came_from(&rule.origin)),
            None => return,
        },
        Row::RuleKey(key) => {
            let Some(rule) = page.rule.as_deref().and_then(|name| page.rule(name)) else { return };
            let value = match (rule.keys.get(key), rule.written.contains_key(key)) {
                (Some(value), _) if matches!(value.as_str(), "[]" | "{}") => Phrase::new().dim("-"),
                (Some(value), true) => Phrase::new().strong(value),
                (Some(value), false) => Phrase::new().text(value),
                (None, _) => Phrase::new().dim("-"),
            };
            let from = if rule.written.contains_key(key) { came_from(&rule.origin) } else { String::new() };
            (Phrase::new().text(key), value, from)
        }
        Row::Channel(name) => match page.channel(name) {
            Some(channel) => {
                let level = match channel.joins_at {
                    0 => "from the start".to_owned(),
                    level => format!("from level {level}"),
                };
                let about = Phrase::new().text(&channel.kind).dim(&format!("  {}", channel.about));
                (Phrase::new().role(Role::Ok, "● ").strong(&channel.name), about, level)
            }
            None => return,
        },
    };
    let from = Phrase::new().dim(&from).put_right(ctx.ink, buf, (line.x, line.right()), line.y);
    name.put(ctx.ink, buf, (line.x + 2, line.y), (line.x + names).min(line.right()));
    value.put(ctx.ink, buf, (line.x + names + 1, line.y), from.saturating_sub(1));
}

/// Without its section, and with blanks.
fn plain_name(key: &str) -> Phrase {
    Phrase::new().text(&key.split_once('.').map_or(key, |(_, name)| name).replace('_', " "))
}

/// A value somebody set is bold; nothing is a dash.
fn shown(setting: &Setting) -> Phrase {
    match setting.value.as_str() {
        "" | "[]" | "{}" => Phrase::new().dim("-"),
        value if setting.value == setting.default => Phrase::new().text(value),
        value => Phrase::new().strong(value),
    }
}

fn rule_name(rule: &RuleSetting) -> Phrase {
    let glyph = if rule.enabled { Phrase::new().role(Role::Ok, "● ") } else { Phrase::new().dim("○ ") };
    let name = if rule.written.is_empty() { glyph.text(&rule.name) } else { glyph.strong(&rule.name) };
    if rule.enabled { name } else { name.dim(" off") }
}

/// Where a value came from, in a word; nothing for farol's own.
fn came_from(origin: &str) -> String {
    match origin {
        "default" => String::new(),
        path if path.ends_with("overrides.toml") => "changed here".to_owned(),
        path if path.contains('/') => "your file".to_owned(),
        other => other.to_owned(),
    }
}

fn meaning(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let chosen = crate::ui::settings::chosen(ctx.state);
    let head = match &chosen {
        Some(Row::Key(key)) => match key.split_once('.') {
            Some((section, name)) => Phrase::new().dim(&format!("[{section}] ")).strong(name),
            None => Phrase::new().strong(key),
        },
        Some(Row::Rule(name)) => Phrase::new().dim("rule ").strong(name),
        Some(Row::RuleKey(key)) => Phrase::new().dim("[[rule]] ").strong(key),
        Some(Row::Channel(name)) => Phrase::new().dim("[notify] ").strong(name),
        Some(Row::Head(_)) | None => Phrase::new(),
    };
    slot.title(ctx.ink, buf, &head, &[]);
    let inner = slot.inner();
    let mut lines = chosen.as_ref().map(|row| about(ctx, row)).unwrap_or_default();
    let foot = where_to(ctx);
    let space = Phrase::new();
    let rows = |lines: &[Phrase]| lines.iter().map(|l| l.wrap(inner.width).len()).sum::<usize>();
    let height = usize::from(inner.height);
    if rows(&lines) + rows(&foot) < height {
        let gap = height - rows(&lines) - rows(&foot);
        lines.extend(std::iter::repeat_n(space, if ctx.density() == Density::Large { 1 } else { gap }));
        lines.extend(foot);
    }
    paragraphs(ctx.ink, buf, inner, &lines);
}

/// What a row means, what holds, and since when.
fn about(ctx: &DrawContext, row: &Row) -> Vec<Phrase> {
    let page = &ctx.state.settings;
    match row {
        Row::Head(_) => Vec::new(),
        Row::Key(key) => {
            let Some(setting) = page.key(key) else { return Vec::new() };
            let default = if matches!(setting.default.as_str(), "" | "[]" | "{}") { "nothing" } else { &setting.default };
            let mut facts = Phrase::new().dim("default ").text(default);
            if setting.origin != "default" {
                facts = facts.dim(", set by ").text(&setting.origin);
            }
            vec![Phrase::new().text(&setting.help), facts]
        }
        Row::Rule(name) => {
            let Some(rule) = page.rule(name) else { return Vec::new() };
            let origin = match (rule.built_in, rule.origin.as_str()) {
                (true, "") => Phrase::new().dim("comes with farol, as it is"),
                (true, origin) => Phrase::new().dim("comes with farol, changed in ").text(origin),
                (false, origin) => Phrase::new().dim("written in ").text(origin),
            };
            let keys = rule.written.iter().map(|(key, value)| Phrase::new().dim(&format!("{key} = ")).strong(value));
            [Phrase::new().text(&rule.says), origin].into_iter().chain(keys).collect()
        }
        Row::RuleKey(key) => {
            let own = page.rule.clone().unwrap_or_default();
            let keys = page.known.iter().flat_map(|k| &k.rule_keys);
            let help = keys.filter(|(name, help)| name == key && !help.is_empty()).map(|(_, help)| help.clone()).next();
            let now = page.value(&Goal::Rule(own, key.clone()));
            let now = if now.is_empty() { Phrase::new().dim("not set") } else { Phrase::new().dim("now ").strong(&now) };
            help.map(|text| Phrase::new().text(&text)).into_iter().chain([now]).collect()
        }
        Row::Channel(name) => {
            let Some(channel) = page.channel(name) else { return Vec::new() };
            let mut lines = vec![Phrase::new().text(&channel.about)];
            if channel.by_default {
                lines.push(
                    Phrase::new().dim("farol's own choice: no channel is configured. Add [notify.<name>] tables to your file."),
                );
            }
            lines.extend(channel.keys.iter().map(|(key, value)| Phrase::new().dim(&format!("{key} = ")).text(value)));
            lines.push(Phrase::new().dim("Enter or t sends a test. Secrets are never shown."));
            lines
        }
    }
}

/// Where changes go, and what can be taken back.
fn where_to(ctx: &DrawContext) -> Vec<Phrase> {
    let page = &ctx.state.settings;
    let Some(known) = &page.known else { return Vec::new() };
    if ctx.state.scope < Scope::Admin {
        return vec![Phrase::new().dim("You may look: only the recorder's own user and root change its settings.")];
    }
    let place = match (page.place, &known.file) {
        (SettingsPlace::OwnFile, Some(file)) => Phrase::new().dim("changes go into ").strong(&file.path),
        (_, Some(file)) => {
            Phrase::new().dim("changes are kept beside ").text(&file.path).dim("  ").strong("f").dim(" writes into it")
        }
        (_, None) => Phrase::new().dim("changes are kept in overrides.toml of the data folder"),
    };
    let undo = known.undo.as_ref().map(|what| Phrase::new().strong("u").dim(" takes back ").text(what));
    std::iter::once(place).chain(undo).collect()
}
