//! A configuration read again while recording.

use std::os::unix::fs::PermissionsExt;

use farol::base::{TimeRange, Timestamp};
use farol::model::{JournalEvent, Snapshot};
use farol::monitor::{Answer, Request};
use farol::remote::{Address, ask_once};
use rustix::process::Signal;

use super::kit::{Place, until};

const BEFORE: &str = "[general]\ninterval = \"200ms\"\n[store]\nflush = \"1s\"\n";

const AFTER: &str = r#"
[general]
interval = "500ms"
host = "renamed"
labels = { site = "b" }
[collect]
without = ["process"]
[store]
flush = "2s"
raw = "2d"
[analyze]
train_on = "3d"
[api]
group = "GROUP"
[ui]
theme = "light"
[[service]]
name = "only this"
type = "tcp"
address = "127.0.0.1:9"
"#;

#[test]
fn a_reload_takes_all_that_can_change_and_names_what_cannot() {
    let place = Place::new();
    let config = place.write("config.toml", BEFORE);
    let mut recorder = place.record(&["--config", config.to_str().expect("plain")]);
    let socket = recorder.wait_ready();
    let address = Address(socket.clone());
    let snapshot = || match ask_once(&address, Request::Snapshot).expect("same user") {
        Answer::Snapshot { snapshot } => snapshot,
        other => panic!("{other:?}"),
    };
    let mode = || std::fs::metadata(&socket).expect("there").permissions().mode() & 0o777;
    let is_before = |s: &Snapshot| {
        s.recorder.interval_seconds == 0.2 && s.host.labels.is_empty() && !s.processes.is_empty() && mode() == 0o600
    };
    until("processes are read", || is_before(&snapshot()));
    let name = snapshot().host.name.clone();
    let group = rustix::process::getgid().as_raw().to_string();
    std::fs::write(&config, AFTER.replace("GROUP", &group)).expect("ours");
    recorder.signal(Signal::HUP);
    let said = "configuration read again; [general] host, [ui] theme take effect at the next start";
    until("it says so", || recorder.log().contains(said));
    until("all of it is in force", || {
        let now = snapshot();
        let services: Vec<&str> = now.services.iter().map(|s| s.name.as_str()).collect();
        now.recorder.interval_seconds == 0.5
            && now.host.labels.get("site").is_some_and(|site| site == "b")
            && now.host.name == name
            && now.processes.is_empty()
            && services == ["only this"]
            && mode() == 0o660
    });
    let range = TimeRange { from: Timestamp::default(), to: Timestamp::now() };
    let journal = ask_once(&address, Request::Journal { range }).expect("readable");
    let Answer::Journal { entries } = journal else { panic!("{journal:?}") };
    assert!(entries.iter().any(|e| matches!(&e.event, JournalEvent::Notice { text } if text == said)), "{entries:?}");

    std::fs::write(&config, "[general]\nintervall = \"1s\"\n").expect("ours");
    let refused = ask_once(&address, Request::Reload).expect_err("a typo");
    assert!(refused.message.contains("config.toml:2:1") && refused.message.contains("the old configuration stays"), "{refused}");
    std::fs::write(&config, "[api]\ngroup = \"no such group\"\n").expect("ours");
    recorder.signal(Signal::HUP);
    until("it is refused", || recorder.log().contains("there is no group"));
    assert_eq!((snapshot().recorder.interval_seconds, mode()), (0.5, 0o660));

    std::fs::write(&config, BEFORE).expect("ours");
    let answer = ask_once(&address, Request::Reload).expect("a good file");
    assert!(matches!(&answer, Answer::Done { message, .. } if message.starts_with("configuration read again")), "{answer:?}");
    until("it is as before", || is_before(&snapshot()) && snapshot().services.iter().all(|s| s.name != "only this"));
    recorder.assert_lives();
    recorder.stop();
}
