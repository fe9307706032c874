//! Faces, colors and the width of words.
//!
//! Never knows pages. Invariant: what is measured is what is drawn, and no sign is drawn that the face has not.

use std::borrow::Cow;

use krilla::text::Font;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

use crate::report::document::Level;

/// DejaVu Sans Condensed covers Latin, Greek, Cyrillic and every sign farol writes; see `fonts/LICENSE`.
const REGULAR: &[u8] = include_bytes!("fonts/DejaVuSansCondensed.ttf");
const BOLD: &[u8] = include_bytes!("fonts/DejaVuSansCondensed-Bold.ttf");

/// Red, green, blue.
pub(super) type Color = [u8; 3];

/// The light palette of the page, as in the HTML report.
pub(super) const TEXT: Color = [0x23, 0x29, 0x2f];
pub(super) const STRONG: Color = [0, 0, 0];
pub(super) const DIM: Color = [0x5c, 0x65, 0x70];
pub(super) const LINE: Color = [0xd8, 0xdc, 0xe1];
pub(super) const CARD: Color = [0xf5, 0xf6, 0xf8];
const OK: Color = [0x16, 0x6f, 0x34];
pub(super) const WARNING: Color = [0x8a, 0x5a, 0];
const CRITICAL: Color = [0xc0, 0x1f, 0x2e];
const PREDICTED: Color = [0x65, 0x36, 0xc2];

/// Colors of the lines of a chart, in the order of its legend.
pub(super) const LINES: [Color; 4] = [[0x15, 0x60, 0xb0], [0, 0x6d, 0x75], [0xa8, 0x48, 0x0f], [0x8a, 0x3d, 0x8f]];

/// The color of a level's sign.
pub(super) fn of(level: Level) -> Color {
    match level {
        Level::Unknown | Level::Info => DIM,
        Level::Ok => OK,
        Level::Predicted => PREDICTED,
        Level::Warning => WARNING,
        Level::Critical => CRITICAL,
    }
}

/// The ground behind a sentence of a level.
pub(super) fn ground(level: Level) -> Color {
    match level {
        Level::Unknown | Level::Info => CARD,
        Level::Ok => [0xe6, 0xf3, 0xea],
        Level::Predicted => [0xee, 0xe8, 0xfc],
        Level::Warning => [0xff, 0xf3, 0xd1],
        Level::Critical => [0xff, 0xe5, 0xe6],
    }
}

/// How a word is set.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub weight: Weight,
    /// Height of the letters' square, in points.
    pub size: f32,
    pub color: Color,
}

/// Which of the two faces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

impl Style {
    pub(super) const fn regular(size: f32, color: Color) -> Self {
        Self { weight: Weight::Regular, size, color }
    }

    pub(super) const fn bold(size: f32, color: Color) -> Self {
        Self { weight: Weight::Bold, size, color }
    }

    /// Distance of two baselines.
    pub(super) fn leading(self) -> f32 {
        self.size * 1.35
    }
}

/// The two faces of a document.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

struct Face {
    font: Font,
    reader: FontRef<'static>,
}

impl Face {
    fn new(bytes: &'static [u8]) -> Self {
        let font = Font::new(bytes.into(), 0).expect("the font in the program is whole");
        Self { font, reader: FontRef::new(bytes).expect("the font in the program is whole") }
    }
}

impl Faces {
    pub(super) fn new() -> Self {
        Self { regular: Face::new(REGULAR), bold: Face::new(BOLD) }
    }

    fn face(&self, weight: Weight) -> &Face {
        if weight == Weight::Bold { &self.bold } else { &self.regular }
    }

    pub(super) fn font(&self, weight: Weight) -> Font {
        self.face(weight).font.clone()
    }

    /// Width of a line of text, in points.
    pub(super) fn width(&self, text: &str, style: Style) -> f32 {
        let face = self.face(style.weight);
        let (signs, metrics) = (face.reader.charmap(), face.reader.glyph_metrics(Size::new(style.size), LocationRef::default()));
        text.chars().filter_map(|c| metrics.advance_width(signs.map(c)?)).sum()
    }

    /// The text with a visible code point for each sign that neither face has; both faces cover the same scripts.
    pub(super) fn drawable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let signs = self.regular.reader.charmap();
        if text.chars().all(|c| signs.map(c).is_some()) {
            return Cow::Borrowed(text);
        }
        let shown = |c: char| if signs.map(c).is_some() { c.to_string() } else { format!("[U+{:04X}]", u32::from(c)) };
        Cow::Owned(text.chars().map(shown).collect())
    }

    /// Lines no wider than `width`: broken between words, and within a word that is too long for a line.
    pub(super) fn wrap(&self, text: &str, style: Style, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut used = 0.0;
        let blank = self.width(" ", style);
        for word in text.split_whitespace() {
            let length = self.width(word, style);
            let line = lines.last_mut().expect("there is always a line");
            if !line.is_empty() && used + blank + length <= width {
                line.push(' ');
                line.push_str(word);
                used += blank + length;
            } else if length <= width {
                if !line.is_empty() {
                    lines.push(String::new());
                }
                lines.last_mut().expect("there is always a line").push_str(word);
                used = length;
            } else {
                used = self.break_word(word, style, width, &mut lines);
            }
        }
        lines
    }

    fn break_word(&self, word: &str, style: Style, width: f32, lines: &mut Vec<String>) -> f32 {
        if lines.last().is_some_and(|l| !l.is_empty()) {
            lines.push(String::new());
        }
        let mut used = 0.0;
        let mut sign = [0_u8; 4];
        for c in word.chars() {
            let length = self.width(c.encode_utf8(&mut sign), style);
            if used + length > width && used > 0.0 {
                lines.push(String::new());
                used = 0.0;
            }
            lines.last_mut().expect("there is always a line").push(c);
            used += length;
        }
        used
    }
}

/// A text that is only a text: control signs become blanks, marks that turn the direction go.
pub(super) fn clean(text: &str) -> String {
    let keep = |c: &char| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    text.chars().filter(keep).map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}
