//! The history as a file: exported, imported, checked, compacted.

use super::kit::{Place, until};

/// Rows of an export of one series: times and values.
fn rows(csv: &str, series: &str) -> Vec<String> {
    let wanted = format!(",\"{series}\",");
    csv.lines().filter(|line| line.contains(&wanted)).map(|line| line.replace(&wanted, " ")).collect()
}

#[test]
fn what_is_exported_live_is_what_is_exported_later_and_is_imported_elsewhere() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "100ms"]);
    // Small whole numbers: large ones are kept with five digits.
    let series = "threads";
    until("some samples", || rows(&place.run(&["export", "--last", "1m"]).out, series).len() > 20);
    let live = place.run(&["export", "--last", "1m"]).expect(0).out;
    assert!(live.starts_with("time,series,value,min,max,count\r\n"), "{}", live.lines().next().unwrap_or_default());
    place.run(&["store", "check"]).expect(0);
    place.run(&["store", "compact"]).expect(1).says(&["in use by a recorder", "stop it first"]);
    place.run(&["import", "/dev/null", "--as", series]).expect(1).says(&["in use by a recorder"]);
    recorder.stop();

    let file = place.path("history.csv");
    let name = file.to_str().expect("plain");
    place.run(&["export", "--last", "5m", "--output", name]).expect(0);
    place.run(&["export", "--output", "/no/such/folder/x.csv"]).expect(1).says(&["/no/such/folder/x.csv cannot be written"]);
    let later = std::fs::read_to_string(&file).expect("written");
    let (live, later_rows) = (rows(&live, series), rows(&later, series));
    assert!(later_rows.len() >= live.len() && live.iter().all(|row| later_rows.contains(row)), "{live:?}\n{later_rows:?}");
    let at = |line: &str| line.split(',').next().and_then(|t| t.parse::<jiff::Timestamp>().ok()).expect("an instant");
    let times: Vec<_> = later.lines().skip(1).map(at).collect();
    assert!(times.is_sorted(), "rows come by time");

    let other = place.path("other");
    let elsewhere = |args: &[&str]| super::kit::ran(place.bare(args).arg("--data-dir").arg(&other));
    let told = elsewhere(&["import", name]).expect(0).out;
    assert!(told.contains(&format!("{} samples", later.lines().count() - 1)), "{told}");
    assert_eq!(elsewhere(&["export", "--last", "5m"]).expect(0).out, later, "nothing is lost on the way");
    elsewhere(&["import", name]).expect(1).says(&["the history ends at", "--data-dir"]);
    let json = elsewhere(&["export", "--last", "5m", "--format", "jsonl"]).expect(0).out;
    assert_eq!(json.lines().count(), later.lines().count() - 1);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
    assert!(first["time"].is_string() && first["metric"]["__name__"].is_string() && first["value"].is_number(), "{first}");

    let checked = elsewhere(&["store", "check"]).expect(0).out;
    assert!(checked.contains("every row is as it was written") && checked.contains("samples from"), "{checked}");
    elsewhere(&["store", "compact"]).expect(0);
    assert_eq!(elsewhere(&["export", "--last", "5m"]).expect(0).out, later, "nor by compacting");
}

#[test]
fn files_that_are_none_are_refused_with_their_line() {
    let place = Place::new();
    place.run(&["import", "no-such-file.csv"]).expect(1).says(&["no-such-file.csv cannot be read"]);
    let file = place.write("bad.csv", "time,value\n1780000000,1\n1780000001,many\n");
    let name = file.to_str().expect("plain");
    place.run(&["import", name, "--as", "memory_used_bytes"]).expect(2).says(&["bad.csv", "line 3", "\"many\" is no number"]);
    place.run(&["import", name, "--as", "memory_usd_bytes"]).expect(2).says(&["did you mean \"memory_used_bytes\"?"]);
    place.run(&["import", name]).expect(2).says(&["line 1", "--as"]);
}
