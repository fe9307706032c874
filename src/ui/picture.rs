//! The screen as a file: text, SVG, and the points of its charts as CSV.
//!
//! Invariant: an SVG shows what the terminal shows, cell by cell, and holds nothing but shapes and text.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::charts::{ChartStore, Window};
use crate::base::{Timestamp, escape_markup};

/// How a picture is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// Characters only.
    Text,
    /// With colors.
    Svg,
}

/// Width and height of a cell in an SVG: DejaVu Sans Mono at 14 units is 0.602 of its size wide.
const CELL: (f64, f64) = (8.43, 17.0);

/// The characters of a frame, a line a row.
pub fn text(buf: &Buffer) -> String {
    let mut all = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let row: String = (buf.area.left()..buf.area.right()).map(|x| buf[(x, y)].symbol()).collect();
        all.push_str(row.trim_end());
        all.push('\n');
    }
    all
}

/// The frame as an SVG; `ground` stands where a cell has no color of its own.
pub fn svg(buf: &Buffer, (ground, words): (&str, &str)) -> String {
    let (w, h) = (f64::from(buf.area.width) * CELL.0, f64::from(buf.area.height) * CELL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.1} {h:.1}\" font-family=\"DejaVu Sans Mono, monospace\" \
         font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"{ground}\"/>\n"
    );
    for y in 0..buf.area.height {
        runs(
            buf,
            y,
            |c| colors(c).1,
            |x, n, color, _| {
                if let Some(color) = hex(color) {
                    let (x, y) = (f64::from(x) * CELL.0, f64::from(y) * CELL.1);
                    let wide = n as f64 * CELL.0;
                    let _ = writeln!(
                        out,
                        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{}\" fill=\"{color}\"/>",
                        CELL.1
                    );
                }
            },
        );
        runs(
            buf,
            y,
            |c| (colors(c).0, c.modifier.contains(Modifier::BOLD)),
            |x, n, (color, is_bold), said| {
                if said.trim().is_empty() {
                    return;
                }
                let color = hex(color).unwrap_or_else(|| words.to_owned());
                let (left, base) = (f64::from(x) * CELL.0, f64::from(y) * CELL.1 + 13.0);
                let weight = if is_bold { " font-weight=\"bold\"" } else { "" };
                let wide = n as f64 * CELL.0;
                let _ = writeln!(
                    out,
                    "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\" xml:space=\"preserve\" fill=\"{color}\"{weight}>{}</text>",
                    escape_markup(said)
                );
            },
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Foreground and background as they are seen.
fn colors(cell: &Cell) -> (Color, Color) {
    if cell.modifier.contains(Modifier::REVERSED) { (cell.bg, cell.fg) } else { (cell.fg, cell.bg) }
}

/// Runs of cells of a row with the same look: first column, columns, look, characters.
fn runs<L: PartialEq + Copy>(buf: &Buffer, y: u16, look: impl Fn(&Cell) -> L, mut each: impl FnMut(u16, usize, L, &str)) {
    let mut start = 0;
    while start < buf.area.width {
        let cell = |x: u16| &buf[(buf.area.x + x, buf.area.y + y)];
        let own = look(cell(start));
        let end = (start..buf.area.width).find(|x| look(cell(*x)) != own).unwrap_or(buf.area.width);
        let said: String = (start..end).map(|x| cell(x).symbol()).collect();
        each(start, usize::from(end - start), own, &said);
        start = end;
    }
}

fn hex(color: Color) -> Option<String> {
    const SIXTEEN: [u32; 16] = [
        0x000000, 0xcd3131, 0x0dbc79, 0xe5e510, 0x2472c8, 0xbc3fbc, 0x11a8cd, 0xe5e5e5, 0x666666, 0xf14c4c, 0x23d18b, 0xf5f543,
        0x3b8eea, 0xd670d6, 0x29b8db, 0xffffff,
    ];
    let of = |rgb: u32| Some(format!("#{rgb:06x}"));
    match color {
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Indexed(n @ 0..=15) => of(SIXTEEN[usize::from(n)]),
        // The cube of six levels a channel, then a ramp of grays, as terminals have them.
        Color::Indexed(n @ 16..=231) => {
            let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * u32::from(v) };
            let n = n - 16;
            of(level(n / 36) << 16 | level(n / 6 % 6) << 8 | level(n % 6))
        }
        Color::Indexed(n) => of((8 + 10 * u32::from(n - 232)) * 0x01_01_01),
        Color::Reset => None,
        named => {
            let names = [
                Color::Black,
                Color::Red,
                Color::Green,
                Color::Yellow,
                Color::Blue,
                Color::Magenta,
                Color::Cyan,
                Color::Gray,
                Color::DarkGray,
                Color::LightRed,
                Color::LightGreen,
                Color::LightYellow,
                Color::LightBlue,
                Color::LightMagenta,
                Color::LightCyan,
                Color::White,
            ];
            names.iter().position(|c| *c == named).and_then(|i| of(SIXTEEN[i]))
        }
    }
}

/// The points of charts as CSV: a column a series, a row a bin, nothing where there is no value. Times are UTC.
pub fn csv(charts: &ChartStore, window: Window) -> String {
    let keys: Vec<_> = charts.keys().cloned().collect();
    let columns: Vec<_> = keys.iter().map(|key| charts.bins(key, window)).collect();
    let mut out = String::from("time");
    for key in &keys {
        let name = key.to_string();
        let _ = write!(out, ",\"{}\"", name.replace('"', "\"\""));
    }
    out.push('\n');
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    for row in 0..rows {
        if columns.iter().all(|c| c.get(row).copied().flatten().is_none()) {
            continue;
        }
        let at: Timestamp = window.from + window.bin * u32::try_from(row).unwrap_or(u32::MAX);
        out.push_str(&at.to_string());
        for column in &columns {
            out.push(',');
            if let Some(bin) = column.get(row).copied().flatten() {
                let _ = write!(out, "{}", bin.mean);
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::screen_tests::{Screen, dark};

    #[test]
    fn a_picture_holds_what_the_screen_shows() {
        let screen = Screen::new((80, 24));
        let buf = screen.buffer(&dark());
        let plain = text(&buf);
        assert_eq!(plain, screen.text());
        let picture = svg(&buf, ("#0f1318", "#cdd3dc"));
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
        assert!(picture.contains("CRIT") && picture.contains("font-weight=\"bold\""));
        assert_eq!(picture.matches("<text").count(), picture.matches("</text>").count());
        assert!(!picture.contains("& ") && !picture.contains("91% > 85%"), "nothing is left unescaped");
    }

    #[test]
    fn a_chart_becomes_a_row_a_bin() {
        let (_, state) = crate::ui::fixture::story();
        let window = super::super::pane::window(state.span, state.live.at, 50);
        let table = csv(&state.charts, window);
        let mut lines = table.lines();
        assert!(lines.next().is_some_and(|head| head.starts_with("time,\"cpu_usage_ratio\"")), "{table}");
        assert!(lines.count() > 50);
    }
}
