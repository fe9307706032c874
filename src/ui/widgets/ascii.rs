//! The same screen for terminals that know only ASCII.
//!
//! Runs once over a finished frame, so no widget needs a second set of glyphs. Invariant: afterwards
//! every cell holds one ASCII character.

use ratatui::buffer::Buffer;

/// The ASCII character for one of ours; `?` for a character of somebody else's text.
fn plain(c: char) -> char {
    match c {
        '✘' => 'X',
        '▲' => '!',
        '●' => 'o',
        '○' => '?',
        '◆' => '>',
        '▼' => 'v',
        '✓' => '+',
        '◄' => '<',
        '►' => '+',
        '…' => '~',
        '·' | '─' | '–' | '−' => '-',
        '→' => '>',
        '←' => '<',
        '↓' => 'v',
        '↑' => '^',
        '│' => '|',
        '└' => '`',
        '╭' | '╮' | '╰' | '╯' | '├' | '┤' | '┬' | '┴' | '┼' | '┿' => '+',
        '▁' | '▂' => '_',
        '▃' => '.',
        '▄' | '▅' | '━' => '=',
        '▆' | '▇' | '█' => '#',
        '×' => 'x',
        '°' => ' ',
        '≥' => '>',
        '≤' => '<',
        '\u{2800}'..='\u{28ff}' => '*',
        c if c.is_ascii() && !c.is_ascii_control() => c,
        _ => '?',
    }
}

/// Replaces every character of a frame by its ASCII form.
pub fn fold_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let first = cell.symbol().chars().next().unwrap_or(' ');
        if !first.is_ascii() || cell.symbol().len() > 1 {
            cell.set_char(plain(first));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn nothing_but_ascii_is_left_and_columns_stay() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        super::super::text::write(&mut buf, (0, 0), 12, "✘ ▁▄█ 灯é…", Style::new());
        fold_ascii(&mut buf);
        let row: String = buf.content.iter().map(|c| c.symbol()).collect();
        assert_eq!(row, "X _=# ? ?~  ");
    }
}
