//! Golden screens: every cell's text and style, kept small and readable.
//!
//! A file holds the screen in true color (its text, then for each row where a role of the theme begins) and, for
//! a page that is looked at in every depth, what the others make of it: the rows whose text differs, and the styles of each row as
//! runs. Roles stand for colors, so a palette may change without it. `UPDATE=1` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::color::Depth;
use super::screen_tests::{Screen, dark};
use super::theme::Theme;
use super::widgets::{Graph, Ground, Ink, Role};

/// Roles by the letters of a golden file.
const ROLES: [(Role, &str); Role::COUNT] = [
    (Role::Text, "t"),
    (Role::Strong, "s"),
    (Role::Dim, "d"),
    (Role::Line, "l"),
    (Role::Cursor, "u"),
    (Role::Ok, "ok"),
    (Role::Warn, "warn"),
    (Role::Crit, "crit"),
    (Role::Pred, "pred"),
    (Role::Flow, "flow"),
    (Role::Past, "past"),
    (Role::CalmOk, "calm-ok"),
    (Role::CalmFlow, "calm-flow"),
    (Role::Series1, "1"),
    (Role::Series2, "2"),
    (Role::Series3, "3"),
    (Role::Series4, "4"),
    (Role::Series5, "5"),
    (Role::Series6, "6"),
];

/// Letters of the sixteen colors in a run; capital: bold.
const LETTERS: [(Color, char); 17] = [
    (Color::Reset, 'd'),
    (Color::Black, 'n'),
    (Color::Red, 'r'),
    (Color::Green, 'g'),
    (Color::Yellow, 'y'),
    (Color::Blue, 'b'),
    (Color::Magenta, 'm'),
    (Color::Cyan, 'c'),
    (Color::Gray, 'w'),
    (Color::DarkGray, 'k'),
    (Color::LightRed, 'p'),
    (Color::LightGreen, 'l'),
    (Color::LightYellow, 'q'),
    (Color::LightBlue, 'u'),
    (Color::LightMagenta, 'v'),
    (Color::LightCyan, 't'),
    (Color::White, 's'),
];

/// What is looked at beside true color: its name, and what the terminal can show.
const OTHERS: [(&str, Depth, Graph); 3] = [
    ("sixteen colors", Depth::Sixteen, Graph::Braille),
    ("monochrome", Depth::None, Graph::Braille),
    ("ASCII", Depth::None, Graph::Ascii),
];

/// A row as a terminal shows it: the cell behind a wide character is not seen.
pub(crate) fn row_text(buf: &Buffer, y: u16) -> String {
    let mut row = String::new();
    let mut x = 0;
    while x < buf.area.width {
        row.push_str(buf[(x, y)].symbol());
        x += u16::try_from(UnicodeWidthStr::width(buf[(x, y)].symbol())).unwrap_or(1).max(1);
    }
    row
}

fn ground_name(ink: &Ink, buf: &Buffer, at: (u16, u16)) -> String {
    let grounds = (0..Ground::COUNT).zip(&ink.grounds);
    let named = grounds.filter(|(_, style)| style.bg == Some(buf[at].bg)).map(|(i, _)| i).next();
    match named {
        Some(0) => String::new(),
        Some(i) => format!("/{i}"),
        None => "/?".to_owned(),
    }
}

fn style_name(ink: &Ink, buf: &Buffer, at: (u16, u16)) -> String {
    let cell = &buf[at];
    let role = ROLES.iter().find(|(role, _)| ink.style(*role).fg == Some(cell.fg)).map_or("-", |(_, name)| name);
    let bold = if cell.modifier.contains(Modifier::BOLD) { "*" } else { "" };
    let reversed = if cell.modifier.contains(Modifier::REVERSED) { "!" } else { "" };
    format!("{role}{bold}{reversed}{}", ground_name(ink, buf, at))
}

/// Text, then for each row where a style begins.
fn in_true_color(ink: &Ink, buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let _ = writeln!(out, "|{}|", row_text(buf, y));
    }
    for y in 0..buf.area.height {
        let _ = write!(out, "{y}:");
        let mut before = String::new();
        for x in 0..buf.area.width {
            let cell = &buf[(x, y)];
            // The color of a blank is not seen.
            let is_blank = cell.symbol() == " " && !cell.modifier.contains(Modifier::REVERSED);
            let name = if is_blank { format!(" {}", ground_name(ink, buf, (x, y))) } else { style_name(ink, buf, (x, y)) };
            if name != before && name.trim_start() != before.trim_start_matches(|c| c != '/') {
                let _ = write!(out, " {x}{}", if is_blank { name.replace(' ', "_") } else { format!("={name}") });
            }
            before = name;
        }
        out.push('\n');
    }
    out
}

/// A cell's style in a run: color, bold as a capital, `!` reversed, `_` underlined, `?` where a ground is left.
fn letter(cell: &Cell) -> String {
    let color = LETTERS.iter().find(|(color, _)| *color == cell.fg).map_or('?', |(_, letter)| *letter);
    let is = |modifier| cell.modifier.contains(modifier);
    let mut name = String::new();
    name.extend(is(Modifier::REVERSED).then_some('!'));
    name.extend(is(Modifier::UNDERLINED).then_some('_'));
    name.extend((cell.bg != Color::Reset).then_some('?'));
    name.push(if is(Modifier::BOLD) { color.to_ascii_uppercase() } else { color });
    name
}

/// The styles of a row as runs (`d3G12d`): a blank goes on with what was before, for its color is not seen.
fn runs(buf: &Buffer, y: u16) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for x in 0..buf.area.width {
        let cell = &buf[(x, y)];
        let name = letter(cell);
        let is_seen = cell.symbol() != " " || name.len() > 1;
        match runs.last_mut() {
            Some((last, n)) if *last == name || (!is_seen && last.len() == 1) => *n += 1,
            _ => runs.push((name, 1)),
        }
    }
    runs.iter().fold(String::new(), |all, (name, n)| all + name + &if *n > 1 { n.to_string() } else { String::new() })
}

/// What another terminal makes of a screen: rows whose text differs, then the styles of each row.
fn in_another(name: &str, buf: &Buffer, full: &Buffer) -> String {
    let mut out = format!("== {name}\n");
    for y in 0..buf.area.height {
        let (text, styles) = (row_text(buf, y), runs(buf, y));
        let text = if text == row_text(full, y) { String::new() } else { format!(" |{text}|") };
        let _ = writeln!(out, "{y} {styles}{text}");
    }
    out
}

fn compare(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ui").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, found).expect("a golden file");
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    let mut part = "true color";
    for (n, (a, b)) in (1..).zip(wanted.lines().zip(found.lines())) {
        part = b.strip_prefix("== ").unwrap_or(part);
        assert_eq!(a, b, "{name} in {part}, line {n} of its golden file (UPDATE=1 cargo test writes it anew)");
    }
    assert_eq!(wanted.lines().count(), found.lines().count(), "{name}; UPDATE=1 cargo test writes it anew");
}

/// Types the keys on a screen of that size and compares it in true color with the golden of that name.
pub(crate) fn check_screen(keys: &str, size: (u16, u16), golden: &str) {
    let screen = Screen::new(size).keys(keys);
    let ink = dark();
    compare(golden, &in_true_color(&ink, &screen.buffer(&ink)));
}

/// The same in true color, sixteen colors, monochrome and ASCII.
pub(crate) fn check_depths(keys: &str, size: (u16, u16), golden: &str) {
    let screen = Screen::new(size).keys(keys);
    let (theme, ink) = (Theme::load("dark", None).expect("a theme"), dark());
    let full = screen.buffer(&ink);
    let mut found = in_true_color(&ink, &full);
    for (name, depth, graph) in OTHERS {
        let buf = screen.buffer(&theme.ink(depth, graph));
        if graph == Graph::Ascii {
            let text: String = buf.content.iter().map(Cell::symbol).collect();
            assert!(text.is_ascii(), "{golden}: {:?}", text.chars().find(|c| !c.is_ascii()));
        }
        found += &in_another(name, &buf, &full);
    }
    compare(golden, &found);
}
