//! The page of settings: key scripts, what is asked, and what is seen.

use super::golden::check_screen;
use super::screen_tests::Screen;
use super::settings::Row;
use crate::model::{SettingChange, SettingsPlace};
use crate::monitor::{Request, Scope};

/// The last change that was asked for.
fn asked(screen: &Screen) -> Option<(Vec<SettingChange>, SettingsPlace)> {
    let shared = screen.shared.lock().expect("one thread");
    shared.asked.iter().rev().find_map(|r| match r {
        Request::ChangeSettings { changes, place, .. } => Some((changes.clone(), *place)),
        _ => None,
    })
}

fn rule(name: &str, keys: &[(&str, &str)]) -> SettingChange {
    let keys = keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    SettingChange::Rule { name: name.to_owned(), keys: Some(keys) }
}

fn key(key: &str, value: &str) -> SettingChange {
    SettingChange::Key { key: key.to_owned(), value: Some(value.to_owned()) }
}

#[test]
fn a_rule_is_seen_key_by_key() {
    check_screen("O / \"memory enter enter", (80, 24), "settings-rule-80x24");
}

#[test]
fn a_value_is_typed_chosen_or_turned_and_nothing_but_it_changes() {
    let screen = Screen::new((120, 40)).keys("O / \"interval enter enter ctrl-u \"5s enter");
    assert_eq!(asked(&screen), Some((vec![key("general.interval", "5s")], SettingsPlace::Overrides)));
    let screen = Screen::new((120, 40)).keys("O / \"ui.graph enter enter down enter");
    assert_eq!(asked(&screen), Some((vec![key("ui.graph", "block")], SettingsPlace::Overrides)));
    let screen = Screen::new((120, 40)).keys("O / \"memory enter space");
    assert_eq!(asked(&screen), Some((vec![rule("memory", &[("enabled", "false")])], SettingsPlace::Overrides)));
    let screen = Screen::new((120, 40)).keys("O / \"interval enter enter enter");
    assert_eq!(asked(&screen), None, "the same again is no change");
}

#[test]
fn units_and_hours_are_seen_on_every_page_at_once() {
    let shown = |keys: &str| {
        let mut screen = Screen::new((200, 50)).keys(keys);
        screen.session.state.units = super::Units::named("si", "fahrenheit").expect("both are known");
        screen.session.state.zone.hours = super::Hours::HalfDay;
        screen.text()
    };
    for (keys, words) in [
        ("1", ["23.4 of 25.7 GB", "142°F", "3:14:31am"]),
        ("6", ["mem MB", "read MB/s", "3:14:31am"]),
        ("8", ["25.7 GB", "GB", "am"]),
        ("alt-1", ["142°F", "127°F", "°F"]),
        ("3 enter", ["fired 3:04am", "MB/s", "3:14:31am"]),
    ] {
        let text = shown(keys);
        words.iter().for_each(|word| assert!(text.contains(word), "{keys:?} lacks {word:?}\n{text}"));
        // What the recorder wrote into reasons stays as it was written.
        let own = || text.lines().filter(|line| !line.contains("why ") && !line.contains(" took "));
        for other in ["MiB", "GiB", "°C", "03:14:31"] {
            assert!(!own().any(|line| line.contains(other)), "{keys:?} has {other:?}\n{text}");
        }
    }
    let screen = Screen::new((120, 40)).keys("O / \"temperature enter enter down enter");
    assert_eq!(asked(&screen), Some((vec![key("ui.temperature", "fahrenheit")], SettingsPlace::Overrides)));
}

#[test]
fn a_rule_is_opened_changed_by_key_and_closed_where_it_was() {
    let screen = Screen::new((120, 40)).keys("O / \"memory enter enter enter ctrl-u \"90% enter");
    assert_eq!(asked(&screen), Some((vec![rule("memory", &[("above", "90%")])], SettingsPlace::Overrides)));
    let screen = screen.keys("esc");
    assert_eq!(screen.session.state.settings.chosen, Some(Row::Rule("memory".to_owned())));
    let screen = screen.keys("esc esc");
    assert_eq!(screen.session.state.view, super::View::Overview);
    // Back on, a built-in rule is as it comes.
    let screen = Screen::new((120, 40)).keys("O / \"core enter space");
    let back = SettingChange::Rule { name: "core busy".to_owned(), keys: None };
    assert_eq!(asked(&screen), Some((vec![back], SettingsPlace::Overrides)));
}

#[test]
fn a_new_rule_needs_a_name_of_its_own() {
    let screen = Screen::new((120, 40)).keys("O n \"memory tab \"load_average tab \"9 enter");
    assert!(screen.text().contains("there is a rule \"memory\" already"), "{}", screen.text());
    let screen = Screen::new((120, 40)).keys("O n \"busy tab \"uptime tab \"9 enter");
    let keys = [("metric", "uptime"), ("above", "9"), ("for", "1m"), ("severity", "warning")];
    assert_eq!(asked(&screen), Some((vec![rule("busy", &keys)], SettingsPlace::Overrides)));
}

#[test]
fn what_cannot_be_changed_is_said() {
    let screen = Screen::new((120, 40)).keys("O / \"store.raw enter enter ctrl-u \"9d enter");
    assert_eq!(asked(&screen), None);
    assert!(screen.text().contains("is set by $FAROL_STORE__RAW"), "{}", screen.text());
    let looker = Screen::on(super::fixture::snapshot(), (120, 40), Scope::Operate).keys("O / \"interval enter enter");
    assert_eq!(asked(&looker), None);
    assert!(looker.text().contains("own user and root"), "{}", looker.text());
}

#[test]
fn changes_go_where_one_says_channels_are_tested_and_the_last_change_is_taken_back() {
    let screen = Screen::new((120, 40)).keys("O f / \"core enter d");
    let back = SettingChange::Rule { name: "core busy".to_owned(), keys: None };
    assert_eq!(asked(&screen), Some((vec![back], SettingsPlace::OwnFile)));
    let screen = screen.keys("u / ctrl-u \"ops enter t");
    let all = screen.shared.lock().expect("one thread").asked.clone();
    assert!(all.iter().any(|r| matches!(r, Request::UndoSettings { author } if author == "tom")));
    assert!(all.contains(&Request::TestChannel { channel: "ops".to_owned() }));
}
