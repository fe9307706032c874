//! Reports by the clock, made by the built program: kept, written to a path, told, listed, exported, deleted.

use std::time::Duration;

use serde_json::Value;

use super::kit::{Place, within};
use super::mount::{Mount, fill};

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

/// A recorder with a report by the clock in the next minutes.
fn often(place: &Place, format: &str) -> std::path::PathBuf {
    let config = format!(
        "[[report]]\nname = \"often\"\nkind = \"performance\"\ndepth = \"hourly\"\nat = \"00:{:02}\"\ntime_zone = \"UTC\"\n\
         format = \"{format}\"\n",
        minute()
    );
    place.write("config.toml", &config)
}

#[test]
fn a_report_for_which_the_disk_has_no_room_leaves_no_half_file_and_is_made_once_there_is_some() {
    if std::env::var_os("FAROL_SLOW").is_none_or(|v| v != "1") {
        eprintln!("not run: needs FAROL_SLOW=1, because it waits for a full minute");
        return;
    }
    let place = Place::new();
    let folder = place.data().join("reports");
    std::fs::create_dir_all(&folder).expect("ours");
    let Some(_mounted) = Mount::tmpfs(&folder, "size=64k") else {
        eprintln!("not run: mounting is not permitted here");
        return;
    };
    let ballast = folder.join("ballast");
    fill(&ballast);
    // Room for a part of the report: its writing fails in the middle.
    // What is open takes room after it was removed.
    {
        let file = std::fs::OpenOptions::new().write(true).open(&ballast).expect("ours");
        file.set_len(file.metadata().expect("ours").len() - 8192).expect("ours");
    }
    let config = often(&place, "pdf");
    let args = ["--interval", "200ms", "--config", config.to_str().expect("a plain path")];
    let recorder = place.record(&args);
    let listed =
        || -> Value { serde_json::from_str(&place.run(&["reports", "list", "--format", "json"]).out).unwrap_or_default() };
    let problem = within(Duration::from_secs(180), || listed()["next"][0]["problem"].as_str().map(str::to_owned));
    let problem = problem.unwrap_or_else(|| panic!("no fault: {:#}\n{}", listed(), recorder.log()));
    assert!(problem.contains("often-") && problem.contains("No space left on device"), "{problem}");
    let files = || -> Vec<String> {
        let entries = std::fs::read_dir(&folder).expect("the folder");
        let names = entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()));
        names.filter(|n| n != "ballast").collect()
    };
    assert_eq!(files(), Vec::<String>::new(), "no part of a report");
    assert_eq!(listed()["kept"].as_array().map(Vec::len), Some(0), "what is not there is not listed");
    let status = place.run(&["status"]).out;
    assert!(status.contains("report often could not be made: "), "{status}");
    std::fs::remove_file(&ballast).expect("ours");
    // Sooner than it would be tried again by itself.
    recorder.stop();
    let recorder = place.record(&args);
    let kept = within(Duration::from_secs(60), || listed()["kept"].get(0).cloned());
    let kept = kept.unwrap_or_else(|| panic!("no report: {:#}\n{}", listed(), recorder.log()));
    assert!(files() == [format!("{}.pdf", kept["id"].as_str().expect("an id"))], "{kept:#}, {:?}", files());
    let copy = place.path("copy.pdf");
    place.run(&["reports", "export", kept["id"].as_str().expect("an id"), "--output", copy.to_str().expect("plain")]).expect(0);
    assert!(std::fs::read(copy).expect("a file").ends_with(b"%%EOF"));
    recorder.stop();
}
