//! Reports by the clock, made by the built program: kept, written to a path, told, listed, exported, deleted.

use std::time::Duration;

use serde_json::Value;

use super::kit::{Place, within};

/// An hourly report is due at the next full minute but one: some recorders start slowly.
fn minute() -> u8 {
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(70);
    soon.to_zoned(jiff::tz::TimeZone::UTC).minute().cast_unsigned()
}

#[test]
fn a_report_is_made_by_the_clock_and_lies_where_its_path_says() {
    if std::env::var_os("FAROL_SLOW").is_none_or(|v| v != "1") {
        eprintln!("not run: needs FAROL_SLOW=1, because it waits for a full minute");
        return;
    }
    let place = Place::new();
    let out = place.path("out").display().to_string();
    let config = format!(
        "[notify.file]\npath = \"messages.jsonl\"\n[[report]]\nname = \"often\"\nkind = \"performance\"\ndepth = \"hourly\"\nat = \"00:{:02}\"\n\
         time_zone = \"UTC\"\nformat = \"json\"\nto = [\"file\", \"{out}/{{kind}}-{{depth}}.{{format}}\"]\n",
        minute()
    );
    let file = place.write("config.toml", &config);
    let recorder = place.record(&["--interval", "200ms", "--config", file.to_str().expect("a plain path")]);
    let listed =
        || -> Value { serde_json::from_str(&place.run(&["reports", "list", "--format", "json"]).out).unwrap_or_default() };
    assert!(place.run(&["status"]).out.contains("next report: often, "), "{}", place.run(&["status"]).out);
    let sent = within(Duration::from_secs(180), || {
        let list = listed();
        let kept = list["kept"].get(0)?.clone();
        kept["sent"].as_array()?.iter().all(|s| s["state"] == "sent").then_some(kept)
    });
    let kept = sent.unwrap_or_else(|| panic!("no report: {:#}\n{}", listed(), recorder.log()));
    let id = kept["id"].as_str().expect("an id");
    let written = std::fs::read(place.path("out/performance-hourly.json")).expect("at its path");
    assert_eq!(serde_json::from_slice::<Value>(&written).expect("JSON")["kind"], "performance");
    let copy = place.path("copy.json");
    let copy = copy.to_str().expect("a plain path");
    place.run(&["reports", "export", id, "--output", copy]).expect(0);
    assert_eq!(std::fs::read(copy).expect("a file"), written, "the file as it was sent");
    place.run(&["reports", "export", id, "--format", "csv", "--output", copy]).expect(0);
    assert!(std::fs::read_to_string(copy).expect("a file").starts_with("# "));
    let told = std::fs::read_to_string(place.data().join("messages.jsonl")).expect("the channel's file");
    assert!(told.contains("\"schedule\":\"often\"") && told.contains("hourly performance report"), "{told}");
    recorder.stop();
    assert_eq!(listed()["kept"][0]["id"], id, "without a recorder as well");
    place.run(&["reports", "delete", "often"]).expect(1).says(&["there is no report often"]);
    place.run(&["reports", "delete", id]).expect(0);
    assert_eq!(listed()["kept"].as_array().map(Vec::len), Some(0));
    assert_eq!(std::fs::read_dir(place.data().join("reports")).expect("the folder").count(), 0, "its file is gone");
}
