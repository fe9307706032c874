//! The fault bench: a recording of real faults played back, and what Ctrl-C leaves behind.

use std::collections::BTreeSet;
use std::time::Duration;

use farol::faults::{FaultKind, Plan};
use rustix::process::Signal;

use super::kit::{LIMIT, Place, ran, until, within};

/// Numbers of all that a process has started, directly or not.
fn descendants(of: u32) -> BTreeSet<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .expect("a list of processes")
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name may hold anything; behind it come state and parent.
            Some((pid, stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = BTreeSet::from([of]);
    while let Some((pid, _)) = parents.iter().find(|(pid, parent)| found.contains(parent) && !found.contains(pid)) {
        found.insert(*pid);
    }
    found.remove(&of);
    found
}

#[test]
fn recorded_faults_are_told_in_time_with_their_cause() {
    // `farol bench faults --seed 125459 --faults 4 --quiet 185s --gap 15s`, without the other programs that ran there.
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/faults.jsonl");
    let place = Place::new();
    let replayed = ran(&mut place.bare(&["bench", "replay", recording, "--format", "json"])).expect(0);
    let said: serde_json::Value = serde_json::from_str(&replayed.out).expect("JSON");
    let (alerts, quiet) = (&said["figures"][0], &said["quiet"]["alarms"]);
    let figure = |name: &str| alerts[name].as_f64().expect("a figure");
    assert_eq!((figure("recall"), figure("precision")), (1.0, 1.0), "{said}");
    assert!(figure("delay_median_seconds") <= 10.0 && figure("delay_p90_seconds") <= 45.0, "{said}");
    assert_eq!(quiet.as_u64(), Some(0), "{said}");
    assert_eq!(said["causes"]["right"], said["causes"]["named"], "{said}");
    assert_eq!(said["foreseen"], serde_json::json!({"right": 2, "of": 2}), "{said}");
}

#[test]
fn ctrl_c_ends_the_fault_and_leaves_no_process_and_no_file() {
    if std::env::var_os("FAROL_SLOW").is_none_or(|v| v != "1") {
        eprintln!("did not run: FAROL_SLOW=1 is needed");
        return;
    }
    let (quiet, gap) = (Duration::from_secs(1), Duration::from_secs(150));
    let seed = (1_u64..).find(|seed| Plan::new(*seed, 1, quiet, gap).0[0].kind == FaultKind::ProcPile).expect("one of many");
    let place = Place::new();
    let mut command = place.bare(&["bench", "faults", "--faults", "1", "--quiet", "1s", "--seed", &seed.to_string()]);
    let mut bench = place.spawn(&mut command, place.path("log"));
    let begun = || bench.log().contains("1 of 1: proc_pile").then_some(true);
    let refused = || bench.log().contains("needed").then_some(false);
    if within(LIMIT, || begun().or_else(refused)) != Some(true) {
        eprintln!("did not run: {}", bench.log());
        assert!(bench.log().contains("needed"), "{}", bench.log());
        return;
    }
    // The process that makes the fault, and some that it starts.
    until("the fault is made", || descendants(bench.child.id()).len() > 3);
    let made = descendants(bench.child.id());
    bench.signal(Signal::INT);
    assert_eq!(bench.wait(), Some(1), "{}", bench.log());
    assert!(bench.log().contains("broken off"), "{}", bench.log());
    let lives = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.starts_with("sleep") || line.contains("inject"))
    };
    until("all of them are gone", || !made.iter().any(lives));
    let left: Vec<_> = std::fs::read_dir(place.path("home")).expect("the temporary folder").filter_map(Result::ok).collect();
    assert!(left.is_empty(), "{left:?}");
}
