//! Terminal text to SVG: `screenshot COLUMNS ROWS <text >picture.svg`.
//!
//! Reads what `tmux capture-pane -e -p` prints on standard input. Braille, blocks and borders are drawn as shapes, so that
//! a picture looks alike with every font. Invariant: the same text gives the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;

use vt100::{Cell, Color, Parser};

/// A cell in SVG units: the proportions of DejaVu Sans Mono at 13 px.
const WIDTH: f64 = 7.83;
const HEIGHT: f64 = 16.0;

/// Where the baseline lies in a cell.
const BASE: f64 = 12.3;

fn main() -> std::io::Result<()> {
    let sizes: Vec<u16> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let [columns, rows] = sizes[..] else {
        eprintln!("usage: screenshot COLUMNS ROWS [light] <text >picture.svg");
        std::process::exit(2);
    };
    let light = std::env::args().nth(3).is_some_and(|a| a == "light");
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut parser = Parser::new(rows, columns, 0);
    parser.process(text.trim_end_matches('\n').replace('\n', "\r\n").as_bytes());
    print!("{}", picture(&parser, light));
    Ok(())
}

/// Ground and text of a terminal that is asked for its defaults.
fn defaults(light: bool) -> (String, String) {
    let (ground, text) = if light { ("#fcfbf8", "#23292f") } else { ("#0f1318", "#cdd3dc") };
    (ground.to_owned(), text.to_owned())
}

fn picture(parser: &Parser, light: bool) -> String {
    let (rows, columns) = parser.screen().size();
    let (ground, text) = defaults(light);
    let (width, height) = (f64::from(columns) * WIDTH, f64::from(rows) * HEIGHT);
    let mut grounds = String::new();
    let mut words = String::new();
    let mut shapes: BTreeMap<String, String> = BTreeMap::new();
    for row in 0..rows {
        let cells: Vec<Cell> = (0..columns).filter_map(|c| parser.screen().cell(row, c).cloned()).collect();
        let styles: Vec<Style> = cells.iter().map(|c| Style::of(c, &ground, &text)).collect();
        for (from, to) in runs(&styles, |a, b| a.ground == b.ground) {
            if styles[from].ground != ground {
                let (x, y) = place(from, row);
                let w = (to - from) as f64 * WIDTH;
                let _ = writeln!(
                    grounds,
                    "<rect x=\"{x:.2}\" y=\"{y}\" width=\"{w:.2}\" height=\"{HEIGHT}\" fill=\"{}\"/>",
                    styles[from].ground
                );
            }
        }
        for (at, cell) in cells.iter().enumerate() {
            if let Some(path) = shape(cell.contents(), place(at, row)) {
                shapes.entry(styles[at].text.clone()).or_default().push_str(&path);
            }
        }
        for (from, to) in runs(&styles, |a, b| a.text == b.text && a.bold == b.bold && a.underlined == b.underlined) {
            write_words(&mut words, (&cells[from..to], &styles[from]), place(from, row));
        }
    }
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"13\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{ground}\"/>\n{grounds}"
    );
    for (color, path) in &shapes {
        let _ = writeln!(svg, "<path fill=\"{color}\" d=\"{path}\"/>");
    }
    svg + &words + "</svg>\n"
}

/// How one cell looks.
#[derive(Clone, PartialEq)]
struct Style {
    text: String,
    ground: String,
    bold: bool,
    underlined: bool,
}

impl Style {
    fn of(cell: &Cell, ground: &str, text: &str) -> Self {
        let mut pair = (color(cell.fgcolor(), text), color(cell.bgcolor(), ground));
        if cell.inverse() {
            pair = (pair.1, pair.0);
        }
        Self { text: pair.0, ground: pair.1, bold: cell.bold(), underlined: cell.underline() }
    }
}

fn color(color: Color, default: &str) -> String {
    /// The sixteen colors as most terminals have them by default.
    const SIXTEEN: [u32; 16] = [
        0x0000_0000,
        0x00cd_3131,
        0x000d_bc79,
        0x00e5_e510,
        0x0024_72c8,
        0x00bc_3fbc,
        0x0011_a8cd,
        0x00e5_e5e5,
        0x0066_6666,
        0x00f1_4c4c,
        0x0023_d18b,
        0x00f5_f543,
        0x003b_8eea,
        0x00d6_70d6,
        0x0029_b8db,
        0x00ff_ffff,
    ];
    match color {
        Color::Default => default.to_owned(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Idx(i @ 0..16) => format!("#{:06x}", SIXTEEN[usize::from(i)]),
        Color::Idx(i @ 16..232) => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let i = i - 16;
            format!("#{:02x}{:02x}{:02x}", level(i / 36), level(i / 6 % 6), level(i % 6))
        }
        Color::Idx(i) => {
            let level = 8 + 10 * (i - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
    }
}

fn place(column: usize, row: u16) -> (f64, f64) {
    (column as f64 * WIDTH, f64::from(row) * HEIGHT)
}

/// Spans of neighbors that are alike.
fn runs(styles: &[Style], alike: impl Fn(&Style, &Style) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, style) in styles.iter().enumerate() {
        match runs.last_mut() {
            Some((from, to)) if alike(&styles[*from], style) => *to = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    runs
}

/// The words of a run, each held to its place in the grid.
fn write_words(svg: &mut String, (cells, style): (&[Cell], &Style), (x, y): (f64, f64)) {
    let is_text = |c: &Cell| c.has_contents() && c.contents() != " " && shape(c.contents(), (0.0, 0.0)).is_none();
    let mut at = 0;
    while at < cells.len() {
        if !is_text(&cells[at]) {
            at += 1;
            continue;
        }
        // A single blank between two words of one style is kept, so that a sentence is one element.
        let mut end = at + 1;
        while end < cells.len()
            && (is_text(&cells[end]) || end + 1 < cells.len() && is_text(&cells[end + 1]) && cells[end].contents() == " ")
        {
            end += 1;
        }
        let words: String = cells[at..end].iter().filter(|c| !c.is_wide_continuation()).map(|c| escaped(c.contents())).collect();
        let (left, length) = (x + at as f64 * WIDTH, (end - at) as f64 * WIDTH);
        let bold = if style.bold { " font-weight=\"bold\"" } else { "" };
        let line = if style.underlined { " text-decoration=\"underline\"" } else { "" };
        let _ = writeln!(
            svg,
            "<text x=\"{left:.2}\" y=\"{:.1}\" textLength=\"{length:.2}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{bold}{line}>{words}</text>",
            y + BASE,
            style.text
        );
        at = end;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What is drawn instead of written.
fn shape(text: &str, (x, y): (f64, f64)) -> Option<String> {
    let c = text.chars().next()?;
    let bar = |left: f64, top: f64, w: f64, h: f64| format!("M{:.2} {:.2}h{w:.2}v{h:.2}h-{w:.2}z", x + left, y + top);
    let code = u32::from(c);
    match c {
        '\u{2800}'..='\u{28ff}' => Some(braille(code - 0x2800, (x, y))),
        '▁'..='█' => {
            let h = HEIGHT * f64::from(code - 0x2580) / 8.0;
            Some(bar(0.0, HEIGHT - h, WIDTH, h))
        }
        '▔' => Some(bar(0.0, 0.0, WIDTH, HEIGHT / 8.0)),
        '▀' => Some(bar(0.0, 0.0, WIDTH, HEIGHT / 2.0)),
        '▌' => Some(bar(0.0, 0.0, WIDTH / 2.0, HEIGHT)),
        '▐' => Some(bar(WIDTH / 2.0, 0.0, WIDTH / 2.0, HEIGHT)),
        '\u{2500}'..='\u{257f}' => border(c).map(|arms| {
            let thick = if matches!(c, '━' | '┃') { 2.4 } else { 1.0 };
            let (cx, cy) = (WIDTH / 2.0 - thick / 2.0, HEIGHT / 2.0 - thick / 2.0);
            let [left, right, up, down] = arms;
            let mut path = String::new();
            for (there, arm) in [
                (left, bar(0.0, cy, WIDTH / 2.0 + thick / 2.0, thick)),
                (right, bar(cx, cy, WIDTH / 2.0 + thick / 2.0, thick)),
                (up, bar(cx, 0.0, thick, HEIGHT / 2.0 + thick / 2.0)),
                (down, bar(cx, cy, thick, HEIGHT / 2.0 + thick / 2.0)),
            ] {
                if there {
                    path.push_str(&arm);
                }
            }
            path
        }),
        _ => None,
    }
}

/// The arms of a border: left, right, up, down.
fn border(c: char) -> Option<[bool; 4]> {
    let arms = match c {
        '─' | '━' => "lr",
        '│' | '┃' => "ud",
        '┌' | '╭' => "rd",
        '┐' | '╮' => "ld",
        '└' | '╰' => "ru",
        '┘' | '╯' => "lu",
        '├' => "rud",
        '┤' => "lud",
        '┬' => "lrd",
        '┴' => "lru",
        '┼' => "lrud",
        '╴' => "l",
        '╵' => "u",
        '╶' => "r",
        '╷' => "d",
        _ => return None,
    };
    Some(['l', 'r', 'u', 'd'].map(|arm| arms.contains(arm)))
}

/// Dots of a braille pattern; bits as Unicode numbers them.
fn braille(bits: u32, (x, y): (f64, f64)) -> String {
    const PLACES: [(u8, u8); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    let mut path = String::new();
    for (_, (column, row)) in PLACES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1) {
        let (cx, cy) = (x + WIDTH * (0.25 + 0.5 * f64::from(*column)), y + HEIGHT * (0.125 + 0.25 * f64::from(*row)));
        let _ = write!(path, "M{:.2} {:.2}h2v2h-2z", cx - 1.0, cy - 1.0);
    }
    path
}
