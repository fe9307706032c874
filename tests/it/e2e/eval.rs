//! `farol eval` on a folder of labeled series made here, and on tables as people have them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::kit::Place;

const STEP: i64 = 300;
const ROWS: i64 = 2000;
/// Ten minutes short of three hours in the last third.
const INCIDENT: (i64, i64) = (1500 * STEP, 1533 * STEP);

/// A value with a day and a ripple; doubled while the incident lasts.
fn value(series: i64, row: i64) -> f64 {
    let day = (std::f64::consts::TAU * (row * STEP) as f64 / 86_400.0).sin();
    let ripple = ((row * 7919 + series * 104_729) % 1009) as f64 / 1009.0;
    let at = row * STEP;
    let factor = if (INCIDENT.0..=INCIDENT.1).contains(&at) { 2.5 } else { 1.0 };
    factor * (10.0 + 2.0 * day + 0.3 * ripple)
}

fn host() -> String {
    let mut text = "timestamp,cpu,net,disk,queue,waits\n".to_owned();
    for row in 0..ROWS {
        let cells: Vec<String> = (0..5).map(|s| format!("{:.4}", value(s, row))).collect();
        let _ = writeln!(text, "{},{}", row * STEP, cells.join(","));
    }
    text
}

/// A folder with one host, its incident and questions.
fn folder(place: &Place) -> String {
    let dir = place.path("series");
    std::fs::create_dir_all(dir.join("host")).expect("made");
    std::fs::write(dir.join("host/a.csv"), host()).expect("written");
    let (from, to) = INCIDENT;
    let labels =
        format!(r#"{{"host/a.csv": {{"interval_s": {STEP}, "score_from": {}, "windows": [[{from}, {to}]]}}}}"#, 800 * STEP);
    std::fs::write(dir.join("labels.json"), labels).expect("written");
    let tasks = format!(
        r#"{{"forecasts": [{{"task": "hour", "file": "host/a.csv", "column": "cpu", "step_s": {STEP}, "horizon_steps": 12,
            "season_s": 86400, "origins": [{a}, {b}]}}],
            "crossings": [{{"task": "rise", "file": "host/a.csv", "column": "net", "direction": "above", "limit": 20.0,
            "horizon_s": 21600, "origins": [{a}, {c}, 1]}}]}}"#,
        a = 1000 * STEP,
        b = 1400 * STEP,
        c = 1490 * STEP,
    );
    std::fs::write(dir.join("tasks.json"), tasks).expect("written");
    dir.display().to_string()
}

#[test]
fn a_labeled_folder_is_scored_with_its_references_and_lines_are_written() {
    let place = Place::new();
    let dir = folder(&place);
    let [alarms, predictions] = ["alarms.jsonl", "predictions.jsonl"].map(|n| place.path(n).display().to_string());
    let run =
        place.run(&["eval", &dir, "--alarms", &alarms, "--predictions", &predictions, "--curve", "--format", "json"]).expect(0);
    let told: Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((told["schema"].as_str(), told["protocol"].as_str()), (Some("farol.eval/1"), Some("farol-eval/1")));
    let track = &told["detection"]["all"]["farol"]["tracks"][0];
    assert_eq!((track[0].as_str(), track[1]["recall"].as_f64()), (Some("host"), Some(1.0)), "{track}");
    assert!(told["detection"]["all"]["random"]["tracks"][0][1]["f1"].as_f64() < track[1]["f1"].as_f64());
    assert_eq!(told["detection"]["all"]["never"]["tracks"][0][1]["recall"], 0.0);
    let hour = &told["foresight"]["forecasts"][0];
    assert_eq!((hour["origins"].as_u64(), hour["whole"].as_bool()), (Some(2), Some(true)));
    assert!(hour["mase_mean"].as_f64() < Some(2.0) && hour["coverage80"].as_f64().is_some(), "{hour}");
    let rise = &told["foresight"]["crossings"][0];
    assert_eq!((rise["n"].as_u64(), rise["positives"].as_u64()), (Some(3), Some(1)), "{rise}");

    let lines = |path: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(path).expect("a file");
        text.lines().map(|l| serde_json::from_str(l).expect("a JSON line")).collect()
    };
    let first = &lines(&alarms)[0];
    assert!(first["opened"].as_i64() >= Some(INCIDENT.0) && first["file"] == "host/a.csv", "{first}");
    let answers = lines(&predictions);
    assert_eq!(answers.iter().filter(|l| l["mean"].as_array().is_some_and(|m| m.len() == 12)).count(), 2);
    assert_eq!(answers.iter().filter(|l| l["yes"].is_boolean() && l["p"].is_number()).count(), 3);

    let text = place.run(&["eval", &dir]).expect(0).out;
    for part in ["1 labeled incidents", "random", "never", "MASE mean", "balanced"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn detectors_are_listed_and_a_wrong_name_is_refused() {
    let place = Place::new();
    let dir = folder(&place);
    let all = place.run(&["eval", &dir, "--detector", "all"]).expect(0).out;
    for detector in farol::analyze::DETECTORS {
        assert!(all.contains(detector.name), "{} in {all}", detector.name);
    }
    for challenger in farol::analyze::CHALLENGERS {
        assert!(all.contains(challenger.name) && all.contains(challenger.because), "{} in {all}", challenger.name);
    }
    place.run(&["eval", &dir, "--detector", "novle"]).expect(2).says(&["no detector \"novle\"", "novel"]);
    place.run(&["eval", &place.path("nowhere").display().to_string()]).expect(1).says(&["nowhere"]);
    std::fs::write(place.path("series/labels.json"), "[]").expect("written");
    place.run(&["eval", &dir]).expect(2).says(&["labels.json", "an object whose keys are files"]);
}

#[test]
fn ones_own_table_is_read_and_what_is_wrong_with_it_is_said_with_its_line() {
    let place = Place::new();
    let own = place.write("own.csv", &host()).display().to_string();
    let told = place.run(&["eval", &own, "--utc"]).expect(0).out;
    assert!(told.contains("2000 samples of cpu, net, disk, queue, waits every 300 s"), "{told}");
    assert!(told.contains("would have been alarmed") && told.contains("1970-01-06 05:"), "{told}");
    let odd = place.write("odd.csv", "time;load\n2026-11-21 10:00:00;1,5\n2026-11-21 10:01:00;many\n").display().to_string();
    let told = place.run(&["eval", &odd]).expect(0).out;
    assert!(told.contains("line 3: \"many\" in column load is no number") && told.contains("nothing would"), "{told}");
    let short = place.write("short.csv", "time,load\n60,1\n120\n").display().to_string();
    place.run(&["eval", &short]).expect(1).says(&["short.csv:3:", "1 fields where the first line has 2"]);
    let labels = place.write("labels.json", "{\"other.csv\": {}}").display().to_string();
    place.run(&["eval", &own, "--labels", &labels]).expect(2).says(&["no labels for own.csv"]);
}

#[test]
fn how_firm_figures_are_is_told_by_intervals_and_variants() {
    let place = Place::new();
    let dir = folder(&place);
    let told: Value =
        serde_json::from_str(&place.run(&["eval", &dir, "--firm", "--format", "json"]).expect(0).out).expect("JSON");
    let row = &told["firm"][0];
    assert_eq!((row["track"].as_str(), row["left_out"].as_f64()), (Some("host"), None), "{row}");
    // Another unit and another hour change nothing here; one incident is too few for noise.
    let figures = |value: &Value| -> Vec<f64> { value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect() };
    let (interval, variants) = (figures(&row["interval"]), figures(&row["variants"]));
    assert_eq!((interval, variants[1..].to_vec()), (vec![1.0, 1.0], vec![1.0, 1.0]), "{row}");
    assert!(place.run(&["eval", &dir, "--firm"]).expect(0).out.contains("shifted in time"));
}

#[test]
fn the_machines_own_history_is_judged_as_it_was_then() {
    let place = Place::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    let from = now / 60 * 60 - 4 * 86_400;
    let mut text = "time,value\n".to_owned();
    for i in 0..4 * 1440 {
        let ripple = f64::from((i * 7919) % 1009) / 1009.0;
        let used = if (5600..5615).contains(&i) { 0.95 } else { 0.3 + 0.05 * ripple };
        let _ = writeln!(text, "{},{used:.4}", from + i64::from(i) * 60);
    }
    let file = place.write("past.csv", &text).display().to_string();
    place.run(&["import", &file, "--as", "memory_used_ratio"]).expect(0);
    let told = place.run(&["eval", "--from-history", "--utc"]).expect(0).out;
    for part in ["samples of memory_used_ratio every 60 s", "would have been alarmed:", "nobody confirmed an alert"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    place.run(&["eval"]).expect(2);
}

/// The folder of labeled series, where this machine has one and there is time for it.
fn labeled() -> Option<std::ffi::OsString> {
    let is_slow = std::env::var_os("FAROL_SLOW").is_some_and(|v| v == "1");
    std::env::var_os("FAROL_EVAL_DATA").filter(|_| is_slow)
}

#[test]
fn the_labeled_series_reach_their_floors() {
    let Some(folder) = labeled() else {
        eprintln!("did not run: FAROL_SLOW=1 and a folder of labeled series in FAROL_EVAL_DATA are needed");
        return;
    };
    // Minutes unoptimized, seconds optimized.
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "--quiet"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo tells a test of its package: a build that knew it is done again by the next one that does not.
    let told = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("CARGO_PKG_"));
    for name in told.chain(["CARGO_MANIFEST_DIR".into()]) {
        build.env_remove(name);
    }
    assert!(build.status().expect("cargo runs").success());
    let debug = Path::new(env!("CARGO_BIN_EXE_farol"));
    let program = debug.parent().and_then(Path::parent).expect("a target folder").join("release/farol");
    let out = Command::new(program).arg("eval").arg(&folder).args(["--format", "json"]).output().expect("it runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let told: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let bars = told["bars"].as_array().expect("bars");
    assert!(!bars.is_empty());
    for bar in bars {
        let (value, floor) = (bar["value"].as_f64(), bar["floor"].as_f64().expect("a floor"));
        let reached = value.is_some_and(|v| if bar["at_least"] == true { v >= floor } else { v <= floor });
        assert!(reached, "{bar}");
    }
}
