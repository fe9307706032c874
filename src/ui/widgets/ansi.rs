//! Frames of tests as terminal text, to be looked at.
//!
//! `FAROL_SHOW=DIR cargo test --lib ui::` writes one file a frame there. Invariant: tests never need it.

use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

fn code(color: Color, base: u8) -> String {
    match color {
        Color::Rgb(r, g, b) => format!(";{}8;2;{r};{g};{b}", base),
        Color::Indexed(i) => format!(";{base}8;5;{i}"),
        Color::Red => format!(";{base}1"),
        Color::Green => format!(";{base}2"),
        Color::Yellow => format!(";{base}3"),
        Color::Magenta => format!(";{base}5"),
        Color::Cyan => format!(";{base}6"),
        _ => String::new(),
    }
}

/// The frame with SGR codes.
pub(crate) fn ansi(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let mut skip = 0;
        for x in buf.area.left()..buf.area.right() {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let cell = &buf[(x, y)];
            let bold = if cell.modifier.contains(Modifier::BOLD) { ";1" } else { "" };
            let reversed = if cell.modifier.contains(Modifier::REVERSED) { ";7" } else { "" };
            let _ = write!(out, "\x1b[0{bold}{reversed}{}{}m{}", code(cell.fg, 3), code(cell.bg, 4), cell.symbol());
            skip = cell.symbol().width().saturating_sub(1);
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

/// Writes the frame where `FAROL_SHOW` says.
pub(crate) fn show(buf: &Buffer, name: &str) {
    if let Some(dir) = std::env::var_os("FAROL_SHOW") {
        std::fs::write(std::path::Path::new(&dir).join(format!("{name}.ansi")), ansi(buf)).expect("the folder is there");
    }
}
