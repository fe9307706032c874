//! How many colors the terminal has, and how a color is made from fewer.
//!
//! Invariant: nothing here reads the environment; it is handed in.

use ratatui::style::Color;

/// How many colors can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// None: bold and reverse only.
    None,
    /// The terminal's own sixteen.
    Sixteen,
    /// The palette of 256.
    Indexed,
    /// 24 bits.
    True,
}

/// What the environment says of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// How many colors it has.
    pub depth: Depth,
    /// Only ASCII can be relied on.
    pub ascii: bool,
    /// It cannot move its cursor: no screen can be drawn.
    pub dumb: bool,
    /// It knows links (OSC 8), or at least leaves them out.
    pub links: bool,
}

impl Terminal {
    /// Reads `NO_COLOR`, `COLORTERM`, `TERM` and the locale through `get`.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| get(name).unwrap_or_default();
        let term = get("TERM");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(&get).into_iter().find(|v| !v.is_empty()).unwrap_or_default();
        // Only a locale that names another charset says so; "C" is common in containers whose terminal is UTF-8.
        let other_charset =
            locale.split_once('.').is_some_and(|(_, set)| !set.to_lowercase().replace('-', "").starts_with("utf8"));
        let depth = if get("NO_COLOR").is_empty() { depth(&term, &get("COLORTERM")) } else { Depth::None };
        let dumb = term.is_empty() || term == "dumb";
        // The console, serial lines and old screens print what they do not know; VTE before 0.50 stumbled over links.
        let prints = ["linux", "screen", "vt", "ansi", "cons"].iter().any(|name| term.starts_with(name));
        let is_old = get("VTE_VERSION").parse().is_ok_and(|version: u32| version < 5000);
        Self { depth, ascii: term == "linux" || other_charset, dumb, links: !dumb && !prints && !is_old }
    }
}

fn depth(term: &str, colorterm: &str) -> Depth {
    let has = |names: &[&str]| names.iter().any(|n| term.contains(n));
    if term == "linux" {
        Depth::Sixteen
    } else if matches!(colorterm, "truecolor" | "24bit") || has(&["direct", "kitty", "alacritty", "ghostty", "foot", "wezterm"]) {
        Depth::True
    } else if has(&["256"]) {
        Depth::Indexed
    } else if has(&["mono", "vt1", "vt2"]) {
        Depth::None
    } else {
        Depth::Sixteen
    }
}

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// `share` of `color` laid over `ground`.
pub fn mix(color: Rgb, ground: Rgb, share: f64) -> Rgb {
    let one = |i: usize| (f64::from(color[i]) * share + f64::from(ground[i]) * (1.0 - share)).round() as u8;
    [one(0), one(1), one(2)]
}

/// The color as the terminal can show it; `Color::Reset` where it cannot.
pub fn at_depth(rgb: Rgb, depth: Depth) -> Color {
    match depth {
        Depth::True => Color::Rgb(rgb[0], rgb[1], rgb[2]),
        Depth::Indexed => Color::Indexed(nearest_indexed(rgb)),
        Depth::Sixteen | Depth::None => Color::Reset,
    }
}

/// Levels of the 6×6×6 cube, as xterm has them.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of the fixed 240 colors (the first sixteen are the user's own).
fn nearest_indexed(rgb: Rgb) -> u8 {
    let distance = |a: Rgb| (0..3).map(|i| (i32::from(a[i]) - i32::from(rgb[i])).pow(2)).sum::<i32>();
    let level = |v: u8| (0..6u8).min_by_key(|i| CUBE[usize::from(*i)].abs_diff(v)).unwrap_or(0);
    let cube = [level(rgb[0]), level(rgb[1]), level(rgb[2])];
    let in_cube = cube.map(|i| CUBE[usize::from(i)]);
    let mean = rgb.iter().map(|v| u32::from(*v)).sum::<u32>() / 3;
    let step = u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(23);
    let gray = [8 + 10 * step; 3];
    if distance(gray) < distance(in_cube) { 232 + step } else { 16 + 36 * cube[0] + 6 * cube[1] + cube[2] }
}

/// Contrast of two colors, 1 to 21, by WCAG 2.1.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |rgb: Rgb| {
        let linear = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(vars: &[(&str, &str)]) -> Terminal {
        Terminal::from_env(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_tells_how_many_colors_there_are() {
        for (vars, depth) in [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")][..], Depth::True),
            (&[("TERM", "xterm-256color")], Depth::Indexed),
            (&[("TERM", "xterm")], Depth::Sixteen),
            (&[("TERM", "linux"), ("COLORTERM", "truecolor")], Depth::Sixteen),
            (&[("TERM", "vt100")], Depth::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Depth::None),
        ] {
            assert_eq!(terminal(vars).depth, depth, "{vars:?}");
        }
    }

    #[test]
    fn the_console_and_other_charsets_get_ascii() {
        assert!(terminal(&[("TERM", "linux")]).ascii);
        assert!(terminal(&[("TERM", "xterm"), ("LANG", "de_DE.ISO-8859-1")]).ascii);
        assert!(!terminal(&[("TERM", "xterm"), ("LANG", "C")]).ascii);
        assert!(!terminal(&[("TERM", "xterm"), ("LC_ALL", "en_US.UTF-8"), ("LANG", "x.latin1")]).ascii);
        assert!(terminal(&[]).dumb && terminal(&[("TERM", "dumb")]).dumb);
    }

    #[test]
    fn links_go_only_to_terminals_that_do_not_print_them() {
        for (vars, links) in [
            (&[("TERM", "xterm-256color")][..], true),
            (&[("TERM", "tmux-256color")], true),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")], true),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "4205")], false),
            (&[("TERM", "linux")], false),
            (&[("TERM", "vt220")], false),
            (&[("TERM", "screen")], false),
            (&[], false),
        ] {
            assert_eq!(terminal(vars).links, links, "{vars:?}");
        }
    }

    #[test]
    fn colors_become_the_nearest_of_fewer() {
        assert_eq!(at_depth([255, 0, 0], Depth::Indexed), Color::Indexed(196));
        assert_eq!(at_depth([0x0f, 0x13, 0x18], Depth::Indexed), Color::Indexed(233));
        assert_eq!(mix([255, 255, 255], [0, 0, 0], 0.2), [51, 51, 51]);
        assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 0.01);
    }
}
