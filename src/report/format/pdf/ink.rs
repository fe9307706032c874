//! Faces, colors and the width of words.
//!
//! Never knows pages. Invariant: what is measured is what is drawn, and no sign is drawn that its face has not.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use krilla::text::Font;
use skrifa::instance::{LocationRef, Size};
use skrifa::raw::tables::cmap::Cmap;
use skrifa::raw::{FontData, FontRead};
use skrifa::{FontRef, MetadataProvider};

use crate::report::SystemFont;
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

/// The faces of a document: its own two, and fonts of the machine for other scripts.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
    others: Vec<Other>,
}

/// A font of the machine, as far as it is needed.
struct Other {
    font: Font,
    /// Width of each sign it is used for, in parts of the letters' square.
    widths: BTreeMap<char, f32>,
}

/// Which face has a sign.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    Own,
    Other(usize),
    Nobody,
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

impl Other {
    /// `None` for a file that is no font, or has none of the signs.
    fn new(font: &SystemFont, signs: &BTreeSet<char>) -> Option<Self> {
        let reader = FontRef::from_index(&font.bytes, font.index).ok()?;
        let (map, metrics) = (reader.charmap(), reader.glyph_metrics(Size::new(1.0), LocationRef::default()));
        let widths: BTreeMap<char, f32> = signs.iter().filter_map(|c| Some((*c, metrics.advance_width(map.map(*c)?)?))).collect();
        let font = Font::new(Arc::clone(&font.bytes).into(), font.index).filter(|_| !widths.is_empty())?;
        Some(Self { font, widths })
    }
}

/// A sign that cannot be drawn, as people can look it up.
fn code_point(sign: char) -> String {
    format!("[U+{:04X}]", u32::from(sign))
}

/// Those of the signs that a font's table of signs (`cmap`) has.
pub fn covered(table: &[u8], signs: &BTreeSet<char>) -> BTreeSet<char> {
    match Cmap::read(FontData::new(table)) {
        Ok(map) => signs.iter().copied().filter(|c| map.map_codepoint(*c).is_some_and(|g| g.to_u32() != 0)).collect(),
        Err(_) => BTreeSet::new(),
    }
}

impl Faces {
    /// The own ones, and `fonts` for those of `signs` that the own ones have not.
    pub(super) fn new(fonts: &[SystemFont], signs: &BTreeSet<char>) -> Self {
        let others = fonts.iter().filter_map(|font| Other::new(font, signs)).collect();
        Self { regular: Face::new(REGULAR), bold: Face::new(BOLD), others }
    }

    /// Which face has a sign: both of the own ones have the same.
    pub(super) fn has(&self, sign: char) -> Has {
        if self.regular.reader.charmap().map(sign).is_some() {
            return Has::Own;
        }
        self.others.iter().position(|o| o.widths.contains_key(&sign)).map_or(Has::Nobody, Has::Other)
    }

    /// The font of a part of a text.
    pub(super) fn font_of(&self, has: Has, weight: Weight) -> Font {
        match has {
            Has::Other(at) => self.others.get(at).map_or_else(|| self.font(weight), |o| o.font.clone()),
            Has::Own | Has::Nobody => self.font(weight),
        }
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
        let own = |c: char| metrics.advance_width(signs.map(c)?);
        let other = |c: char| self.others.iter().find_map(|o| o.widths.get(&c)).map(|w| w * style.size);
        // What no face has is drawn as its code point.
        let shown = |c: char| code_point(c).chars().filter_map(own).sum::<f32>();
        text.chars().map(|c| own(c).or_else(|| other(c)).unwrap_or_else(|| shown(c))).sum()
    }

    /// The text with a visible code point for each sign that no face has.
    pub(super) fn drawable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.chars().all(|c| self.has(c) != Has::Nobody) {
            return Cow::Borrowed(text);
        }
        let shown = |c: char| if self.has(c) == Has::Nobody { code_point(c) } else { c.to_string() };
        Cow::Owned(text.chars().map(shown).collect())
    }

    /// The text in parts that one face has each.
    pub(super) fn stretches<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut parts = Vec::new();
        let (mut start, mut face) = (0, None);
        for (at, c) in text.char_indices() {
            let has = self.has(c);
            if face.is_some_and(|f| f != has) {
                parts.extend(text.get(start..at));
                start = at;
            }
            face = Some(has);
        }
        parts.extend(text.get(start..).filter(|rest| !rest.is_empty()));
        parts
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
