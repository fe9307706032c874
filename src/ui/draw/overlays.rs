//! Draws what lies over a page: help, palette, forms.
//!
//! Invariant: a box never passes its area, and what does not fit is left out from the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::base::format_duration;
use crate::ui::actions::{ACTIONS, Action};
use crate::ui::overlay::{FieldValue, Form, FormKind, Input, Overlay};
use crate::ui::palette::{self, Found};
use crate::ui::pick::Pick;
use crate::ui::settings::Goal;
use crate::ui::state::UiState;
use crate::ui::update::{all_panes, silence_matches};
use crate::ui::widgets::text::{lay, width, write};
use crate::ui::widgets::{Borders, Ground, Ink, Phrase, Role, title};
use crate::ui::wish::ProcessWish;

/// Draws one.
pub fn draw(state: &UiState, overlay: &Overlay, ink: &Ink, area: Rect, buf: &mut Buffer) {
    match overlay {
        Overlay::Help(line) => help(state, *line, ink, area, buf),
        Overlay::Palette(input, row) => commands(state, (input, *row), ink, area, buf),
        Overlay::Form(form) => draw_form(state, form, ink, area, buf),
        Overlay::Themes(row, _) => themes(state, *row, ink, area, buf),
        Overlay::Panes(row) => panes(state, *row, ink, area, buf),
        Overlay::Pick(pick) => draw_pick(pick, ink, area, buf),
        // The last line has the words.
        Overlay::Filter(..) => {}
    }
}

/// An empty box in the middle with a title; gives the area inside.
fn dialog(ink: &Ink, area: Rect, (columns, rows): (u16, u16), head: &Phrase, buf: &mut Buffer) -> Rect {
    let (w, h) = (columns.min(area.width), rows.min(area.height));
    let outer = Rect { x: area.x + (area.width - w) / 2, y: area.y + (area.height - h) / 3, width: w, height: h };
    for y in outer.top()..outer.bottom() {
        for x in outer.left()..outer.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    lay(ink, buf, outer, Ground::Screen);
    if w < 4 || h < 3 {
        return Rect { width: 0, height: 0, ..outer };
    }
    Borders::new(area).around(outer).draw(ink, buf);
    title(ink, buf, outer.y, (outer.x, outer.right() - 1), head, &[]);
    Rect { x: outer.x + 2, y: outer.y + 1, width: w - 4, height: h - 2 }
}

/// The text after the cursor, whose first character (or a blank) is the cursor.
pub fn typed(ink: &Ink, buf: &mut Buffer, (x, y): (u16, u16), end: u16, after: &str) {
    let after = if after.is_empty() { " " } else { after };
    write(buf, (x, y), end, after, ink.bold(Role::Strong));
    if x < end {
        let first = after.chars().next().map_or(1, |c| width(c.encode_utf8(&mut [0; 4])).max(1));
        buf.set_style(Rect { x, y, width: first.min(end - x), height: 1 }.intersection(buf.area), Modifier::REVERSED);
    }
}

fn line_with_cursor(ink: &Ink, buf: &mut Buffer, area: Rect, head: Phrase, input: &Input) {
    let (before, after) = input.parts();
    let at = head.strong(before).put(ink, buf, (area.x, area.y), area.right().saturating_sub(1));
    typed(ink, buf, (at, area.y), area.right(), after);
}

fn keys_of(state: &UiState, action: &Action) -> String {
    state.keymap.keys(action.id).collect::<Vec<_>>().join(" ")
}

fn help(state: &UiState, line: usize, ink: &Ink, area: Rect, buf: &mut Buffer) {
    let here: Vec<&Action> = ACTIONS.iter().filter(|a| a.place.has(state.view) && !keys_of(state, a).is_empty()).collect();
    let columns = if area.width >= 140 { 2 } else { 1 };
    let rows = here.len().div_ceil(columns);
    let tall = u16::try_from(rows + 2).unwrap_or(u16::MAX);
    let head = Phrase::new().strong("Keys").dim(&format!(" on {} ", state.view.name()));
    let size = (if columns == 2 { 140 } else { 76 }, tall);
    let inner = dialog(ink, area, size, &head, buf);
    let line = line.min(rows.saturating_sub(usize::from(inner.height)));
    let wide = inner.width / u16::try_from(columns).unwrap_or(1);
    for (i, action) in here.iter().enumerate() {
        let (column, row) = (i / rows.max(1), i % rows.max(1));
        let Some(row) = row.checked_sub(line).and_then(|r| u16::try_from(r).ok()).filter(|r| *r < inner.height) else {
            continue;
        };
        let x = inner.x + wide * u16::try_from(column).unwrap_or(0);
        let y = inner.y + row;
        let end = (x + wide).min(inner.right());
        let keys = Phrase::new().strong(&keys_of(state, action));
        keys.put_right(ink, buf, (x, (x + 14).min(end)), y);
        let text = if (action.enabled)(state) { Phrase::new().text(action.help) } else { Phrase::new().dim(action.help) };
        text.put(ink, buf, (x + 16, y), end.saturating_sub(1));
    }
}

fn commands(state: &UiState, (input, row): (&Input, usize), ink: &Ink, area: Rect, buf: &mut Buffer) {
    let found = palette::find(state, input.text());
    let rows = u16::try_from(found.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(4)).min(16);
    let inner = dialog(ink, area, (76, rows.max(1) + 3), &Phrase::new().strong("Commands"), buf);
    if inner.height == 0 {
        return;
    }
    line_with_cursor(ink, buf, Rect { height: 1, ..inner }, Phrase::new().strong(": "), input);
    let list = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    let row = row.min(found.len().saturating_sub(1));
    let first = crate::ui::pane::first_row(row, usize::from(list.height), found.len());
    if found.is_empty() && list.height > 0 {
        Phrase::new().dim("nothing here has such a name").put(ink, buf, (list.x, list.y), list.right());
    }
    for (i, thing) in found.iter().enumerate().skip(first).take(usize::from(list.height)) {
        let y = list.y + u16::try_from(i - first).unwrap_or(0);
        if i == row {
            lay(ink, buf, Rect { y, height: 1, ..list }, Ground::Selected);
        }
        let keys = match thing {
            Found::Action(action) => Phrase::new().dim(&keys_of(state, action)),
            _ => Phrase::new(),
        };
        let end = list.right().saturating_sub(keys.width() + 1);
        Phrase::new().strong(thing.name()).text("  ").text(&thing.help()).put(ink, buf, (list.x, y), end);
        keys.put_right(ink, buf, (list.x, list.right()), y);
    }
}

/// A list in a box at the right, so that the page is seen beside it.
fn side_list(ink: &Ink, area: Rect, (head, keys): (&str, &Phrase), (rows, chosen): (&[Phrase], usize), buf: &mut Buffer) {
    let width = 36.min(area.width);
    let beside = Rect { x: area.right() - width, width, ..area };
    let tall = u16::try_from(rows.len() + 3).unwrap_or(u16::MAX);
    let inner = dialog(ink, beside, (width, tall), &Phrase::new().strong(head), buf);
    if inner.height < 2 {
        return;
    }
    let list = Rect { height: inner.height - 1, ..inner };
    let first = crate::ui::pane::first_row(chosen, usize::from(list.height), rows.len());
    for (y, (i, row)) in (list.y..list.bottom()).zip(rows.iter().enumerate().skip(first)) {
        if i == chosen {
            lay(ink, buf, Rect { y, height: 1, ..list }, Ground::Selected);
        }
        row.put(ink, buf, (list.x, y), list.right());
    }
    keys.put_right(ink, buf, (inner.x, inner.right()), inner.bottom() - 1);
}

fn themes(state: &UiState, row: usize, ink: &Ink, area: Rect, buf: &mut Buffer) {
    let rows: Vec<Phrase> = state.themes.iter().map(|name| Phrase::new().text(name)).collect();
    let keys = Phrase::new().strong("Enter").dim(" keep  ").strong("Esc").dim(" undo");
    side_list(ink, area, ("Themes", &keys), (&rows, row), buf);
}

fn panes(state: &UiState, row: usize, ink: &Ink, area: Rect, buf: &mut Buffer) {
    let mark = |name: &String| {
        let (glyph, role) = if state.hidden.contains(name) { ("○ ", Role::Dim) } else { ("● ", Role::Ok) };
        Phrase::new().role(role, glyph).text(name)
    };
    let rows: Vec<Phrase> = all_panes(state).iter().map(mark).collect();
    let keys = Phrase::new().strong("Space").dim(" hide  ").strong("Enter").dim(" enlarge");
    side_list(ink, area, ("Panes", &keys), (&rows, row), buf);
}

/// A list to choose from, narrowed by what is typed.
fn draw_pick(pick: &Pick, ink: &Ink, area: Rect, buf: &mut Buffer) {
    let shown = pick.shown();
    let rows = u16::try_from(pick.rows.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(5)).min(18);
    let inner = dialog(ink, area, (76, rows.max(1) + 4), &Phrase::new().strong(&pick.title), buf);
    if inner.height < 3 {
        return;
    }
    line_with_cursor(ink, buf, Rect { height: 1, ..inner }, Phrase::new().dim("/ "), &pick.input);
    let list = Rect { y: inner.y + 1, height: inner.height - 2, ..inner };
    if shown.is_empty() {
        Phrase::new().dim("nothing here holds that").put(ink, buf, (list.x, list.y), list.right());
    }
    let names = pick.rows.iter().map(|r| width(&r.name)).max().unwrap_or(0).min(24);
    let is_list = pick.rows.iter().any(|r| r.mark.is_some());
    let first = crate::ui::pane::first_row(pick.place(), usize::from(list.height), shown.len());
    for (y, at) in (list.y..list.bottom()).zip(first..shown.len()) {
        let Some(row) = shown.get(at).and_then(|i| pick.rows.get(*i)) else { break };
        if at == pick.place() {
            lay(ink, buf, Rect { y, height: 1, ..list }, Ground::Selected);
        }
        let mark = row.mark.map_or("", |is_marked| if is_marked { "✓ " } else { "  " });
        let from = Phrase::new().bold(Role::Past, mark).put(ink, buf, (list.x, y), list.right());
        let stop = (from + names).min(list.right());
        Phrase::new().strong(&row.name).put(ink, buf, (from, y), stop);
        Phrase::new().dim(&row.note).put(ink, buf, ((stop + 2).min(list.right()), y), list.right());
    }
    let keys = Phrase::new().strong("Enter").dim(" choose   ").strong("Esc").dim(" leave it");
    let keys = if is_list {
        Phrase::new().strong("Space").dim(" mark   ").strong("Shift-↑↓").dim(" move   ").join(&keys)
    } else {
        keys
    };
    keys.put_right(ink, buf, (inner.x, inner.right()), inner.bottom() - 1);
}

fn draw_form(state: &UiState, form: &Form, ink: &Ink, area: Rect, buf: &mut Buffer) {
    let notes = notes(state, form);
    let rows = form.fields.len() + notes.len() + 4;
    let inner = dialog(ink, area, (76, u16::try_from(rows).unwrap_or(u16::MAX)), &Phrase::new().strong(&form.title), buf);
    let line =
        |i: usize| u16::try_from(i).ok().filter(|y| *y < inner.height).map(|y| Rect { y: inner.y + y, height: 1, ..inner });
    let labels = form.fields.iter().map(|f| width(f.label)).max().unwrap_or(0);
    for (i, field) in form.fields.iter().enumerate() {
        let Some(area) = line(i) else { return };
        Phrase::new().dim(field.label).put_right(ink, buf, (area.x, (area.x + labels).min(area.right())), area.y);
        let value = Rect { x: (area.x + labels + 2).min(area.right()), ..area };
        let value = Rect { width: area.right() - value.x, ..value };
        let is_here = i == form.focus;
        if is_here {
            lay(ink, buf, value, Ground::Selected);
        }
        match &field.value {
            FieldValue::Text(input) if is_here => line_with_cursor(ink, buf, value, Phrase::new(), input),
            FieldValue::Text(input) => {
                Phrase::new().strong(input.text()).put(ink, buf, (value.x, value.y), value.right());
            }
            FieldValue::Choice(options, at) => {
                let choose = |line: Phrase, (n, option): (usize, &&str)| {
                    let line = if n == *at { line.bold(Role::Past, option) } else { line.dim(option) };
                    line.text("  ")
                };
                options.iter().enumerate().fold(Phrase::new(), choose).put(ink, buf, (value.x, value.y), value.right());
            }
        }
    }
    for (i, note) in notes.iter().enumerate() {
        if let Some(area) = line(form.fields.len() + 1 + i) {
            note.put(ink, buf, (area.x, area.y), area.right());
        }
    }
    if let Some(area) = line(rows - 3) {
        let keys =
            Phrase::new().strong("Enter").dim(" do it   ").strong("Tab").dim(" next field   ").strong("Esc").dim(" leave it");
        keys.put_right(ink, buf, (area.x, area.right()), area.y);
    }
}

/// What a form would do, or why it cannot.
fn notes(state: &UiState, form: &Form) -> Vec<Phrase> {
    if let Some(problem) = &form.problem {
        return vec![Phrase::new().bold(Role::Crit, "✘ ").role(Role::Crit, problem)];
    }
    match &form.kind {
        FormKind::Silence => match silence_matches(state, form) {
            Ok(hidden) if hidden.is_empty() => vec![Phrase::new().bold(Role::Warn, "▲ ").text("hides no alert there is now")],
            Ok(hidden) => {
                let head = Phrase::new().dim("hides now: ").strong(&hidden.len().to_string());
                let some = hidden.iter().take(4).map(|t| Phrase::new().dim("z ").text(t));
                std::iter::once(head).chain(some).collect()
            }
            Err(problem) => vec![Phrase::new().bold(Role::Warn, "▲ ").text(&problem)],
        },
        FormKind::Export => {
            let to = state.past.as_ref().map_or(state.live.at, |p| p.at);
            let until = crate::ui::format::moment(to, state.live.at, &state.zone);
            match form.get("what") {
                what if what.ends_with(" report") => {
                    vec![Phrase::new().dim("over the hour, day, week or month before ").text(&until)]
                }
                "charts as CSV" => {
                    vec![Phrase::new().dim("the points of this page's charts; depth and format are those of reports")]
                }
                _ => vec![Phrase::new().dim("as it is now, without this form; depth and format are those of reports")],
            }
        }
        FormKind::Acknowledge(id) => {
            let alert = state.live.alerts.iter().find(|a| a.id == *id);
            let lasted = alert.map(|a| format_duration(state.live.at.since(a.since))).unwrap_or_default();
            vec![Phrase::new().dim(&format!("stops escalation; it has lasted {lasted}"))]
        }
        FormKind::GoTo => vec![Phrase::new().dim(crate::ui::update::HOW)],
        FormKind::Wish(_, ProcessWish::Signal(signal)) => {
            vec![Phrase::new().dim(&format!("{}: ", signal.name)).text(signal.help)]
        }
        FormKind::Wish(_, ProcessWish::Nice(_)) => {
            vec![Phrase::new().dim("-20 comes first, 19 last; below the present value only root may go")]
        }
        FormKind::Setting(goal) => {
            let help = match goal {
                Goal::Key(key) => state.settings.key(key).map(|k| k.help.clone()),
                Goal::Rule(_, key) => {
                    let mut keys = state.settings.known.iter().flat_map(|k| &k.rule_keys);
                    keys.find(|(name, _)| name == key).map(|(_, help)| help.clone())
                }
                Goal::NewRule => {
                    Some("a limit carries its unit: 85%, 500MB, 2s; what is wrong is said before it is saved".to_owned())
                }
            };
            let help = Phrase::new().dim(&help.unwrap_or_default()).wrap(72);
            help.into_iter().chain([Phrase::new().dim("nothing: as if nobody had set it")]).collect()
        }
        FormKind::Maintenance(_) => vec![Phrase::new().dim("checks go on; nothing is told, and the time does not count")],
        FormKind::Incident => {
            let missed = "what no alert told of counts as missed by the rule that should have; that may stay empty";
            vec![Phrase::new().dim(missed), Phrase::new().dim("times: ").dim(crate::ui::update::HOW)]
        }
        FormKind::Snooze(_) | FormKind::Note(_) => Vec::new(),
    }
}
