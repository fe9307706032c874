//! What themes promise: every text can be read, and mistakes are named with their line.

use super::*;
use crate::ui::color::contrast;

fn rgb(color: Option<Color>) -> Rgb {
    match color {
        Some(Color::Rgb(r, g, b)) => [r, g, b],
        other => panic!("no full color: {other:?}"),
    }
}

/// Built-in themes made of full colors.
fn full() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILT_IN.into_iter().filter(|(name, _)| !matches!(*name, "sixteen" | "mono"))
}

/// A color as eyes see it that lack one kind of cones: Machado, Oliveira and Fernandes 2009, severity 1, on linear light.
fn seen_without(cones: &[[f64; 3]; 3], color: Rgb) -> [f64; 3] {
    let linear = color.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    cones.map(|row| row.iter().zip(linear).map(|(m, v)| m * v).sum::<f64>().clamp(0.0, 1.0))
}

/// Distance of two colors of linear light in CIE L*a*b* (ΔE 1976); about 2.3 is just noticeable.
fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let lab = |[r, g, b]: [f64; 3]| {
        let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47);
        let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    let (a, b) = (lab(a), lab(b));
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

const PROTAN: [[f64; 3]; 3] =
    [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
const DEUTAN: [[f64; 3]; 3] =
    [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];
const TRITAN: [[f64; 3]; 3] =
    [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]];

#[test]
fn states_differ_for_every_eye_and_much_in_the_themes_made_for_it() {
    let mut bad = Vec::new();
    for (name, _) in full() {
        let ink = Theme::load(name, None).expect("a theme").ink(Depth::True, Graph::Braille);
        let colors = [Role::Ok, Role::Warn, Role::Crit].map(|r| rgb(ink.style(r).fg));
        // State is also told by glyph and word; where a theme is made for such eyes color alone must do.
        let least = if matches!(name, "deutan" | "tritan") { 20.0 } else { 6.0 };
        for (eyes, cones) in [("protan", &PROTAN), ("deutan", &DEUTAN), ("tritan", &TRITAN)] {
            for (a, b) in [(0, 1), (1, 2), (0, 2)] {
                let apart = distance(seen_without(cones, colors[a]), seen_without(cones, colors[b]));
                if apart < least {
                    bad.push(format!("{name} for {eyes}: {a} and {b} are {apart:.1} apart"));
                }
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn every_file_of_the_folder_is_built_in_and_makes_an_ink_at_every_depth() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of themes")
        .filter_map(|f| f.ok()?.path().file_stem().map(|s| s.to_string_lossy().into_owned()))
        .collect();
    files.sort();
    assert_eq!(files, Theme::names(None));
    assert!(files.len() >= 12);
    for name in files {
        let theme = Theme::load(&name, None).expect("a built-in theme");
        for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
            theme.ink(depth, Graph::Braille);
        }
    }
}

#[test]
fn text_can_be_read_on_every_ground_it_appears_on() {
    use Ground::{BarCrit, BarOk, BarPast, BarWarn, Key, Panel, Screen, Selected};
    use Role::{Crit, Dim, Flow, Ok, Past, Pred, Strong, Text, Warn};
    let mut bad = Vec::new();
    for (name, _) in full() {
        let ink = Theme::load(name, None).expect("a theme").ink(Depth::True, Graph::Braille);
        let everywhere = [Screen, Selected, Panel].map(|g| (g, vec![Text, Strong, Dim, Ok, Warn, Crit, Pred, Flow, Past]));
        let bars = [
            (Key, vec![Text, Strong, Dim]),
            (BarCrit, vec![Text, Strong, Crit]),
            (BarWarn, vec![Text, Strong, Warn]),
            (BarPast, vec![Text, Strong, Past, Crit, Warn, Ok]),
            (BarOk, vec![Text, Strong, Ok]),
        ];
        for (ground, roles) in everywhere.into_iter().chain(bars) {
            for role in roles {
                let ratio = contrast(rgb(ink.style(role).fg), rgb(ink.ground(ground).bg));
                if ratio < 4.5 {
                    bad.push(format!("{name}: {role:?} on {ground:?} has {ratio:.2}"));
                }
            }
        }
    }
    assert!(bad.is_empty(), "below 4.5: {bad:#?}");
}

#[test]
fn every_depth_has_a_style_for_everything_and_no_color_has_none() {
    let theme = Theme::load("light", None).expect("a theme");
    assert_eq!(theme.ink(Depth::Indexed, Graph::Braille).style(Role::Strong).fg, Some(Color::Indexed(16)));
    let sixteen = theme.ink(Depth::Sixteen, Graph::Braille);
    assert_eq!(sixteen.style(Role::Crit), Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
    assert_eq!(sixteen.ground(Ground::AreaCrit).bg, Some(Color::Reset));
    let mono = theme.ink(Depth::None, Graph::Ascii);
    assert!(mono.styles.iter().all(|s| s.fg.is_none()) && mono.grounds.iter().all(|s| s.bg.is_none()));
    assert_eq!(mono.ground(Ground::Selected), Style::new().add_modifier(Modifier::REVERSED));
}

fn user(files: &[(&str, &str)], name: &str) -> Result<Theme, ThemeError> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(format!("{name}.toml")), text).expect("a file");
    }
    Theme::load(name, Some(folder.path()))
}

#[test]
fn a_user_theme_changes_what_it_names_and_inherits_the_rest() {
    let text = "inherits = \"dark\"\n[palette]\nok = \"#00ff00\"\n[roles]\n\"state.warn\" = { color = \"crit\", bold = true }\n";
    let ink = user(&[("mine", text)], "mine").expect("a theme").ink(Depth::True, Graph::Braille);
    assert_eq!(ink.style(Role::Ok).fg, Some(Color::Rgb(0, 255, 0)));
    assert_eq!(ink.style(Role::Warn), Style::new().fg(Color::Rgb(255, 0x70, 0x70)).add_modifier(Modifier::BOLD));
    assert_eq!(ink.style(Role::CalmOk).fg, Some(Color::Rgb(6, 161, 10)));
    assert_eq!(ink.style(Role::Pred).fg, Some(Color::Rgb(0xb9, 0xa0, 0xff)));
}

#[test]
fn mistakes_are_told_and_the_rest_of_the_file_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "inherits = \"dark\"\ncolour = 1\n[palette]\nok = \"#00ff00\"\nwarn = \"#12\"\n[roles]\n\"state.crt\" = \"ok\"\n";
    std::fs::write(folder.path().join("mine.toml"), text).expect("a file");
    let (theme, faults) = Theme::mended("mine", Some(folder.path())).expect("a theme");
    let lines: Vec<_> = faults.iter().map(|f| f.line).collect();
    assert_eq!(lines, [2, 5, 7], "{faults:?}");
    let ink = theme.ink(Depth::True, Graph::Braille);
    assert_eq!(ink.style(Role::Ok).fg, Some(Color::Rgb(0, 255, 0)));
    assert_eq!(ink.style(Role::Warn).fg, Some(Color::Rgb(0xf0, 0xb6, 0x48)), "as it was inherited");
    std::fs::write(folder.path().join("broken.toml"), "[palette\n").expect("a file");
    let (broken, faults) = Theme::mended("broken", Some(folder.path())).expect("the dark theme instead");
    assert_eq!(faults.len(), 1);
    assert_eq!(
        broken.ink(Depth::True, Graph::Braille),
        Theme::load("dark", None).expect("a theme").ink(Depth::True, Graph::Braille)
    );
}

#[test]
fn mistakes_are_named_with_file_line_and_what_to_write() {
    for (text, line, said) in [
        ("[palette]\nok = \"#00ff0\"\n", 2, "is no color"),
        ("inherits = \"darkk\"\n", 1, "did you mean \"dark\"?"),
        ("inherits = \"dark\"\n[roles]\n\"state.critt\" = \"crit\"\n", 3, "did you mean \"state.crit\"?"),
        ("inherits = \"dark\"\n\n[roles]\ntext = \"strog\"\n", 4, "did you mean \"strong\"?"),
        ("[colors]\n", 1, "is no part of a theme"),
        ("[roles]\ntext = 7\n", 2, "a color is a text"),
        ("[palette]\na = \"b\"\nb = \"a\"\n", 2, "made from itself"),
        ("inherits = \"mine\"\n", 1, "inherits itself"),
        ("[roles\n", 1, ""),
    ] {
        let error = user(&[("mine", text)], "mine").expect_err(text);
        assert!(error.file.ends_with("mine.toml"), "{error}");
        assert_eq!(error.line, line, "{error}");
        assert!(error.message.contains(said), "{error}");
    }
    let unknown = Theme::load("ligt", None).expect_err("unknown");
    assert!(unknown.message.contains("did you mean \"light\"?"), "{unknown}");
}
