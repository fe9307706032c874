//! Record, ask, end, look again.

use super::kit::{LIMIT, Place, reloads, until, within};

fn has_samples(place: &Place) -> bool {
    place.run(&["query", "cpu_usage_ratio", "--last", "1m", "--format", "csv"]).out.contains("cpu_usage_ratio")
}

/// An alert that fires at once on any machine.
const FIRES: &str = r#"
[[rule]]
name = "always"
metric = "memory_total_bytes"
above = "1MB"
for = "0s"
severity = "warning"
"#;

#[test]
fn a_recorder_answers_all_commands_and_ends_with_everything_on_disk() {
    let place = Place::new();
    let config = place.write("config.toml", FIRES);
    let config = config.to_str().expect("a plain path");
    let recorder = place.record(&["--interval", "200ms", "--config", config]);
    until("samples come in", || has_samples(&place));
    until("the rule fires", || place.run(&["alerts"]).out.contains("always"));
    let status = place.run(&["status", "--format", "json"]).expect(1);
    assert!(status.out.contains("\"farol.status/1\"") && status.out.contains("\"running\": true"), "{}", status.out);
    place.run(&["services"]).expect(0);
    place.run(&["predictions"]).expect(0);
    place.run(&["forecast", "cpu_usage_ratio"]).expect(0);
    assert!(place.run(&["report", "performance", "--last", "1h", "--format", "json"]).expect(0).out.contains("farol.report/1"));
    let alerts: serde_json::Value =
        serde_json::from_str(&place.run(&["alerts", "--format", "json"]).expect(0).out).expect("JSON");
    let id = alerts["alerts"][0]["id"].as_str().expect("an id").to_owned();
    place.run(&["ack", &id, "--comment", "seen"]).expect(0);
    place.run(&["feedback", &id, "real"]).expect(0);
    place.run(&["silence", "add", "rule=disk", "--comment", "kept"]).expect(0);
    assert!(place.run(&["silence", "list"]).expect(0).out.contains("kept"));
    let socket = recorder.wait_ready();
    recorder.stop();

    assert!(!socket.exists(), "the socket is removed");
    assert_eq!(farol::engine::owner(&place.data()), None, "the lock is free");
    // The same commands without an engine.
    assert!(has_samples(&place));
    let status = place.run(&["status"]).expect(3);
    assert!(status.out.contains("no engine runs"), "{}", status.out);
    let list = place.run(&["silence", "list"]).expect(0);
    assert!(list.out.contains("kept") && list.out.contains("tester"), "{}", list.out);
    assert!(place.run(&["alerts", "--all"]).expect(0).out.contains(&id));
    place.run(&["services"]).expect(0);
    place.run(&["report", "performance", "--last", "1h", "--format", "csv"]).expect(0);
    let added = place.run(&["silence", "add", "rule=memory", "--comment", "offline"]).expect(0);
    assert!(!added.out.contains("memory until"), "{}", added.out);
    assert!(place.run(&["silence", "list"]).out.contains("offline"));

    // Both decisions and the acknowledgment are there after the next start, and ids go on.
    let recorder = place.record(&["--interval", "200ms", "--config", config]);
    let list = place.run(&["silence", "list"]).expect(0).out;
    assert!(list.contains("kept") && list.contains("offline"), "{list}");
    let again = within(LIMIT, || {
        let text = place.run(&["alerts", "--format", "json"]).out;
        let alerts: serde_json::Value = serde_json::from_str(&text).ok()?;
        let alert = alerts["alerts"].as_array()?.iter().find(|a| a["rule"] == "always")?.clone();
        (alert["state"] == "firing").then_some(alert)
    });
    let alert = again.expect("it still fires");
    assert_eq!((alert["id"].as_str(), &alert["acknowledged"]["comment"]), (Some(id.as_str()), &serde_json::json!("seen")));
    recorder.stop();
}

#[test]
fn a_second_recorder_is_refused_with_one_message() {
    let place = Place::new();
    let mut first = place.record(&["--interval", "200ms"]);
    let second = place.run(&["--record"]).expect(1);
    second.says(&["in use by a recorder", &first.child.id().to_string()]);
    first.assert_lives();
    first.stop();
}

#[test]
fn a_recorder_starts_while_commands_look() {
    let place = Place::new();
    place.record(&["--interval", "200ms"]).kill();
    // The lock file still names the killed one.
    std::thread::scope(|scope| {
        let looks: Vec<_> =
            (0..3).map(|_| scope.spawn(|| (0..8).for_each(|_| drop(place.run(&["silence", "list"]).expect(0))))).collect();
        let recorder = place.record(&["--interval", "200ms"]);
        looks.into_iter().for_each(|l| l.join().expect("all lists are read"));
        recorder.stop();
    });
}

#[test]
fn a_command_waits_for_an_engine_that_is_starting() {
    let place = Place::new();
    let lock = farol::engine::DataLock::take(&place.data(), farol::engine::Role::Recorder).expect("free");
    let mut child = place.farol(&["silence", "list"]).stdout(std::process::Stdio::piped()).spawn().expect("starts");
    assert_eq!(child.try_wait().expect("a child"), None);
    drop(lock);
    let code = within(LIMIT, || child.try_wait().expect("a child")).expect("it ends").code();
    assert_eq!(code, Some(1), "nothing is recorded there");
}

#[test]
fn a_request_to_stop_ends_a_recorder_at_once() {
    let place = Place::new();
    let mut recorder = place.record(&["--interval", "1s"]);
    let socket = recorder.wait_ready();
    farol::remote::ask_once(&farol::remote::Address(socket), farol::monitor::Request::Stop).expect("same user");
    let begun = std::time::Instant::now();
    assert_eq!(recorder.wait(), Some(0));
    assert!(begun.elapsed() < std::time::Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn a_log_that_nobody_reads_any_more_does_not_end_a_recorder() {
    let place = Place::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut recorder = place.record(&["--interval", "200ms"]);
    recorder.signal(rustix::process::Signal::TERM);
    assert_eq!(recorder.wait(), Some(0));
    recorder.child = place.farol(&["--record", "--interval", "200ms"]).stderr(writer).spawn().expect("starts");
    drop(reader);
    let socket = recorder.wait_ready();
    recorder.signal(rustix::process::Signal::HUP);
    until("the configuration is read again", || reloads(&socket) == 1);
    recorder.assert_lives();
    recorder.stop();
}

#[test]
fn a_command_whose_errors_cannot_be_written_ends_with_its_code() {
    let place = Place::new();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let code = place.farol(&["query", "nosuch"]).stderr(full()).status().expect("it runs").code();
    assert_eq!(code, Some(2));
    let code = place.farol(&["--record", "--config", "nosuch.toml"]).stderr(full()).status().expect("it runs").code();
    assert_eq!(code, Some(2));
}
