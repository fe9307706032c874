//! What themes promise: every text can be read, and mistakes are named with their line.

use super::*;
use crate::ui::color::contrast;

fn rgb(color: Option<Color>) -> Rgb {
    match color {
        Some(Color::Rgb(r, g, b)) => [r, g, b],
        other => panic!("no full color: {other:?}"),
    }
}

#[test]
fn text_can_be_read_on_every_ground_it_appears_on() {
    use Ground::{BarCrit, BarOk, BarPast, BarWarn, Key, Panel, Screen, Selected};
    use Role::{Crit, Dim, Flow, Ok, Past, Pred, Strong, Text, Warn};
    let mut bad = Vec::new();
    for name in ["dark", "light"] {
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
