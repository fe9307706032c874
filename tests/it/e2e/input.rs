//! Bad input: one clear message, the right exit code, nothing lost.

use std::os::unix::fs::PermissionsExt;

use super::kit::{LIMIT, Place, is_root, ran, until, within};

#[test]
fn usage_mistakes_end_with_2_and_say_what_is_meant() {
    let place = Place::new();
    let unknown = place.run(&["--recrod"]).expect(2);
    assert!(unknown.err.contains("--recrod") && unknown.err.contains("--record"), "{}", unknown.err);
    let unknown = place.run(&["stauts"]).expect(2);
    assert!(unknown.err.contains("status"), "{}", unknown.err);
    let time = place.run(&["--record", "--interval", "soon"]).expect(2);
    assert!(time.err.contains("soon") && time.err.contains("--interval"), "{}", time.err);
    place.run(&["--record", "--interval", "1ms"]).expect(2).says(&["--interval 1ms", "between 100ms and 1h"]);
    place.run(&["--theme", "solarised-drak"]).expect(2).says(&["solarised-drak"]);
    let matcher = place.run(&["silence", "add", "nonsense"]).expect(2);
    assert!(matcher.err.contains("nonsense"), "{}", matcher.err);
    place.run(&["alerts", "--attach", "https://host:1"]).expect(2).says(&["https://host:1", "path of its socket"]);
    let nobody = place.path("none.sock").display().to_string();
    place.run(&["alerts", "--attach", &nobody]).expect(1).says(&["no engine listens", &nobody]);
    place.run(&["--attach", &nobody]).expect(1).says(&["no engine listens", &nobody]);
    assert!(std::fs::read_dir(place.data()).expect("a folder").next().is_none(), "nothing was made");
}

#[test]
fn wrong_queries_end_with_2_with_and_without_an_engine() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    let ask = || {
        // With the place under the expression.
        let unknown = place.run(&["query", "cpu_usage_ratoi"]).expect(2).err;
        assert!(unknown.starts_with("farol: ") && unknown.contains("did you mean \"cpu_usage_ratio\"?"), "{unknown}");
        let cut = place.run(&["query", "sum("]).expect(2).err;
        assert!(cut.starts_with("farol: line 1, column ") && cut.contains("sum("), "{cut}");
        place.run(&["query", "cpu_usage_ratio", "--from", "yesterdya"]).expect(2).says(&["yesterdya"]);
        place.run(&["query", "cpu_usage_ratio", "--from", "-1h", "--to", "-2h"]).expect(2).says(&["--from"]);
        let none = place.run(&["forecast", "nonsense_bytes"]).expect(2).err;
        assert!(none.contains("there is no metric \"nonsense_bytes\""), "{none}");
        place.run(&["query", "battery_charge_ratio"]).expect(0);
        place.run(&["ack", "zzz"]).expect(1).says(&["zzz"]);
        place.run(&["silence", "expire", "zzz"]).expect(1).says(&["zzz"]);
    };
    ask();
    recorder.stop();
    ask();
}

#[test]
fn mistakes_in_the_configuration_have_a_place() {
    let place = Place::new();
    let try_text = |name: &str, text: &[u8]| {
        let path = place.path(name);
        std::fs::write(&path, text).expect("written");
        place.run(&["--record", "--config", path.to_str().expect("plain")]).expect(2)
    };
    try_text("typo.toml", b"[general]\nintervall = \"1s\"\n").says(&["typo.toml:2:1", "did you mean \"interval\""]);
    try_text("type.toml", b"[general]\ninterval = 5\n").says(&["type.toml:2:12", "expected a string"]);
    try_text("syntax.toml", b"[general\n").says(&["syntax.toml:1:"]);
    try_text("binary.toml", b"\xff\xfe\0\0\x01").says(&["binary.toml", "UTF-8"]);
    try_text("rule.toml", b"[[rule]]\nname = \"x\"\nmetric = \"cpu_usage_ratoi\"\nabove = \"1\"\n").says(&["cpu_usage_ratio"]);
    try_text("theme.toml", b"[general]\ninterval = \"1h1h1h\"\n").says(&["theme.toml", "[general] interval"]);
    place.run(&["--record", "--config", "/nowhere/x.toml"]).expect(2).says(&["/nowhere/x.toml", "--config"]);
    let folder = place.path("home").display().to_string();
    place.run(&["--record", "--config", &folder]).expect(2).says(&[&folder]);
    ran(place.farol(&["config", "check"]).env("FAROL_GENERAL__INTERVALL", "1s")).expect(2).says(&["FAROL_GENERAL__INTERVALL"]);
}

#[test]
fn data_folders_that_cannot_be_used_are_named() {
    let place = Place::new();
    let file = place.write("plain", "not a folder").display().to_string();
    let on = |dir: &str, args: &[&str]| ran(place.bare(args).args(["--data-dir", dir]));
    on(&file, &["--record"]).expect(1).says(&[&file, "--data-dir"]);
    let none = place.path("none").display().to_string();
    on(&none, &["query", "cpu_usage_ratio"]).expect(1).says(&[&none, "nothing is recorded"]);
    assert!(!place.path("none").exists());

    let history = place.data().join("farol.redb");
    std::fs::write(&history, b"%PDF-1.4 something else entirely, and longer than a header would be").expect("written");
    let before = std::fs::read(&history).expect("there");
    place.run(&["--record"]).expect(1).says(&["farol.redb"]);
    place.run(&["alerts"]).expect(1).says(&["farol.redb"]);
    assert_eq!(std::fs::read(&history).expect("there"), before, "a foreign file is not touched");
}

#[test]
fn a_read_only_data_folder_is_named() {
    let place = Place::new();
    if is_root() {
        let mounted = super::mount::Mount::tmpfs(&place.data(), "size=1m,ro");
        let Some(_mounted) = mounted else {
            eprintln!("not run: mounting is not permitted here");
            return;
        };
        place.run(&["--record"]).expect(1).says(&["data", "ead-only", "--data-dir"]);
        return;
    }
    std::fs::set_permissions(place.data(), std::fs::Permissions::from_mode(0o500)).expect("ours");
    place.run(&["--record"]).expect(1).says(&["data", "ermission denied", "--data-dir"]);
}

#[test]
fn a_broken_configuration_on_reload_keeps_the_old_one() {
    let place = Place::new();
    let config = place.write("config.toml", "[general]\nhost = \"first\"\n");
    let mut recorder = place.record(&["--interval", "200ms", "--config", config.to_str().expect("plain")]);
    place.write("config.toml", "[general]\nhots = \"second\"\n");
    recorder.signal(rustix::process::Signal::HUP);
    until("the log says so", || recorder.log().contains("the old configuration stays"));
    let log = recorder.log();
    assert!(log.contains("config.toml:2:1") && log.contains("unknown key"), "{log}");
    assert!(place.run(&["status", "--format", "json"]).out.contains("first"));
    place.write(
        "config.toml",
        "[general]\nhost = \"first\"\n[[rule]]\nname = \"new\"\nmetric = \"memory_total_bytes\"\nabove = \"1MB\"\n",
    );
    recorder.signal(rustix::process::Signal::HUP);
    until("the new rule is judged", || place.run(&["alerts"]).out.contains("new"));
    recorder.assert_lives();
    recorder.stop();
}

#[test]
fn a_newer_and_a_foreign_history_are_refused_and_left_as_they_are() {
    let place = Place::new();
    let foreign = place.path("foreign.redb");
    let database = redb::Database::create(&foreign).expect("room");
    let txn = database.begin_write().expect("room");
    let table: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("accounts");
    txn.open_table(table).expect("room").insert("ana", 3).expect("room");
    txn.commit().expect("room");
    drop(database);
    let newer = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/newer.redb");
    for (file, why) in [(foreign.as_path(), "not a history of farol"), (std::path::Path::new(newer), "install a newer farol")] {
        let before = std::fs::read(file).expect("there");
        let history = place.data().join("farol.redb");
        std::fs::write(&history, &before).expect("room");
        for args in [&["--record"][..], &["silence", "list"], &["query", "cpu_usage_ratio"]] {
            place.run(args).expect(1).says(&["farol.redb", why, "--data-dir"]);
            assert!(std::fs::read(&history).expect("there") == before, "{why} was touched by {args:?}");
        }
        let tape = file.to_str().expect("plain");
        place.run(&["--replay", tape]).expect(1).says(&[tape]);
        assert_eq!(farol::engine::owner(&place.data()), None);
    }
}

#[test]
fn a_history_with_damaged_pages_is_one_message_and_left_as_it_is() {
    let place = Place::new();
    place.record(&["--interval", "200ms"]).stop();
    let history = place.data().join("farol.redb");
    let mut bytes = std::fs::read(&history).expect("there");
    // Every sixteenth byte behind the file's head: no page is whole any more.
    bytes.iter_mut().skip(4096).step_by(16).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&history, &bytes).expect("ours");
    for args in [&["--record"][..], &["silence", "list"]] {
        place.run(args).expect(1).says(&["farol.redb", "damaged", "move it away"]);
        assert_eq!(farol::engine::owner(&place.data()), None);
    }
}

#[test]
fn a_replay_of_garbage_is_refused_and_the_file_untouched() {
    let place = Place::new();
    let garbage = place.write("tape.redb", "no history at all");
    let garbage = garbage.to_str().expect("plain");
    place.run(&["--replay", garbage]).expect(1).says(&[garbage]);
    assert_eq!(std::fs::read(garbage).expect("there"), b"no history at all");
    place.run(&["--replay", "/nowhere/tape.redb"]).expect(1).says(&["/nowhere/tape.redb"]);
    let left = std::fs::read_dir(place.path("home")).expect("a folder").count();
    assert_eq!(left, 0, "no scratch folder is left behind");
}

#[test]
fn a_screen_without_a_terminal_says_so() {
    let place = Place::new();
    place.run(&[]).expect(1).says(&["terminal"]);
    place.run(&["demo"]).expect(1).says(&["terminal"]);
    let free = within(LIMIT, || farol::engine::owner(&place.data()).is_none().then_some(()));
    assert!(free.is_some());
}

#[test]
fn wrong_usage_of_a_plugin_is_unknown_and_never_critical() {
    let place = Place::new();
    for args in [&["check"][..], &["check", "tcp", "x", "y"], &["status", "--nothing"], &["--record", "status"]] {
        assert_eq!(ran(&mut place.bare(args)).code, Some(3), "{args:?}");
    }
    for args in [&["query", "status"][..], &["nothing", "status"], &["query"], &["--dry-run", "notify", "test", "file"]] {
        assert_eq!(ran(&mut place.bare(args)).code, Some(2), "{args:?}");
    }
}

#[test]
fn a_flag_that_a_command_takes_no_notice_of_is_refused() {
    let place = Place::new();
    for (flag, command) in [("--dry-run", "alerts"), ("--record", "services"), ("--plain", "doctor"), ("--ascii", "predictions")]
    {
        let ran = ran(&mut place.bare(&[flag, command]));
        assert!(ran.code == Some(2) && ran.err.contains(flag), "{flag} {command}: {}", ran.err);
    }
    let theme = ran(&mut place.bare(&["--theme", "light", "services"]));
    assert!(theme.code == Some(2) && theme.err.contains("--theme"), "{}", theme.err);
}
