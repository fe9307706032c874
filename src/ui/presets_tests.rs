//! Keymaps that come along and those with mistakes.

use std::collections::HashMap;

use super::*;
use crate::ui::keymap::Found;

fn own(text: &str) -> BTreeMap<String, Keys> {
    toml::from_str(text).expect("keys")
}

fn id(keymap: &Keymap, keys: &str) -> Option<&'static str> {
    let (_, mut state) = crate::ui::fixture::story();
    state.view = View::Processes;
    match keymap.find(&parse_sequence(keys).expect("keys"), &state) {
        Found::Action(action) => Some(action.id),
        _ => None,
    }
}

#[test]
fn presets_name_actions_and_keys_that_exist_and_hide_nothing() {
    for preset in PRESETS {
        let own: BTreeMap<String, Keys> =
            preset.keys.iter().map(|(a, k)| ((*a).to_owned(), Keys::Many(k.iter().map(|k| (*k).to_owned()).collect()))).collect();
        assert_eq!(own.len(), preset.keys.len(), "{} names an action twice", preset.name);
        let (keymap, problems) = keymap(&PRESETS[0], &own);
        assert_eq!(problems, [], "{}", preset.name);
        let mut seen = HashMap::new();
        for (keys, action) in keymap.bindings().filter(|(_, a)| own.contains_key(a.id)) {
            assert_eq!(seen.insert((keys.to_vec(), action.id), ()), None);
        }
    }
    let find = |name: &str, keys: &str| {
        let preset = PRESETS.iter().find(|p| p.name == name).expect("a preset");
        id(&keymap(preset, &BTreeMap::new()).0, keys)
    };
    assert_eq!((find("default", "k"), find("htop", "k"), find("vim", "k")), (Some("up"), Some("signal"), Some("up")));
    assert_eq!((find("htop", "space"), find("vim", "g g"), find("vim", "g")), (Some("tag"), Some("first"), None));
}

#[test]
fn a_mistake_costs_only_its_own_key() {
    let (keymap, problems) =
        keymap(&PRESETS[0], &own("silense = 'Y'\nsignal = ['ctrl-nothing', 'F12']\ntree = 'hyper-x'\nhelp = []\nquit = 'Q'"));
    let said: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    for words in ["did you mean \"silence\"?", "ctrl-nothing", "hyper-x"] {
        assert!(said.iter().any(|s| s.contains(words)), "{said:?}");
    }
    assert_eq!((id(&keymap, "F12"), id(&keymap, "t"), id(&keymap, "?")), (Some("signal"), Some("tree"), None));
    assert_eq!((id(&keymap, "Q"), id(&keymap, "q")), (Some("quit"), None));
}

#[test]
fn conflicts_are_reported_and_the_first_has_the_key() {
    let (keymap, problems) = keymap(&PRESETS[0], &own("columns = 'Y'\ntree = 'Y'\nfollow = 'Y Y'\nsilence = 'Y'"));
    let said: Vec<_> = problems.iter().map(|p| (p.action.as_str(), p.message.as_str())).collect();
    assert!(said.contains(&("tree", "Y is also \"tree\" on Processes; \"columns\" has it")), "{said:?}");
    assert!(said.contains(&("follow", "Y Y can never be typed: Y is \"columns\"")), "{said:?}");
    assert!(!said.iter().any(|(action, _)| *action == "silence"), "on other pages");
    assert_eq!(id(&keymap, "Y"), Some("columns"));
}

#[test]
fn a_file_is_used_with_its_mistakes_named_by_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, "base = \"vim\"\n\n[keys]\nfollow = \"Y\"\ntre = \"X\"\n").expect("written");
    let none = BTreeMap::new();
    let wanted = |keymap| Wanted { keymap, keys: &none, origin: &|_| None, folder: Some(folder.path()) };
    let (keymap, said) = load(&wanted("mine"));
    assert_eq!((id(&keymap, "Y"), id(&keymap, "g g")), (Some("follow"), Some("first")));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with("mine.toml:5: \"tre\" is no action; did you mean \"tree\"?"), "{said:?}");
    std::fs::write(&path, "[keys]\nfollow = 5\n").expect("written");
    let (keymap, said) = load(&wanted("mine"));
    assert!(said[0].contains("mine.toml:2:"), "{said:?}");
    assert_eq!(id(&keymap, "F"), Some("follow"));
    assert!(load(&wanted("vimm")).1[0].contains("did you mean \"vim\"?"));
    assert!(load(&wanted("/nowhere/x.toml")).1[0].contains("/nowhere/x.toml"));
}
