//! Power that goes at any moment, and a disk without room.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::kit::{Place, get, until};
use super::mount::{Mount, fill};

/// Moments to kill at: `FAROL_KILLS`, else 30 with `FAROL_SLOW=1`, else 5.
fn kills() -> u64 {
    let named = std::env::var("FAROL_KILLS").ok().and_then(|n| n.parse().ok());
    named.unwrap_or(if std::env::var_os("FAROL_SLOW").is_some_and(|v| v == "1") { 30 } else { 5 })
}

/// A flush each second, so that a second is what may be missing.
const FLUSH: Duration = Duration::from_secs(1);
/// Time between two samples: the flush comes with the first one after its time.
const INTERVAL: Duration = Duration::from_millis(100);

#[test]
fn a_killed_recorder_loses_no_decision_and_at_most_one_flush() {
    let place = Place::new();
    let config = place.write("config.toml", "[store]\nflush = \"1s\"\n");
    let args = ["--interval", "100ms", "--config", config.to_str().expect("plain")];
    let mut saved: Vec<String> = Vec::new();
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |d| d.subsec_nanos());
    eprintln!("seed {seed}");
    for round in 0..kills() {
        let recorder = place.start(&args);
        recorder.wait_ready();
        let began = farol::base::Timestamp::now();
        let over = AtomicBool::new(false);
        // 0.3 to 3.3 s: before, within and after flushes.
        let moment = Duration::from_millis(300 + (u64::from(seed) / 1000 + round * 7919) % 3000);
        let (killed_at, commit) = std::thread::scope(|scope| {
            let adding = scope.spawn(|| {
                let (mut added, mut slowest) = (Vec::new(), None);
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("r{round}n{n}");
                    let matcher = format!("rule={name}");
                    let asked = Instant::now();
                    let ran = place.run(&["silence", "add", &matcher, "--comment", &name]);
                    // Answered as saved: the exit code is the answer.
                    if ran.code == Some(0) && !ran.out.contains("memory") {
                        added.push(name);
                        slowest = slowest.max(Some(asked.elapsed()));
                    }
                }
                (added, slowest)
            });
            let deadline = Instant::now() + moment;
            while let Some(left) = deadline.checked_duration_since(Instant::now()) {
                std::thread::park_timeout(left);
            }
            over.store(true, Ordering::Relaxed);
            let killed_at = farol::base::Timestamp::now();
            recorder.kill();
            let (added, commit) = adding.join().expect("commands run");
            saved.extend(added);
            (killed_at, commit)
        });
        let list = place.run(&["silence", "list"]).expect(0).out;
        let missing: Vec<&String> = saved.iter().filter(|name| !list.lines().any(|l| l.ends_with(name.as_str()))).collect();
        assert_eq!(missing, Vec::<&String>::new(), "round {round}, seed {seed}: decisions are missing\n{list}");
        let newest = newest_sample(&place);
        // What a commit takes here and now is measured by those that were answered; it was killed before the first where there are none.
        let Some(commit) = commit else { continue };
        let allowed = FLUSH + INTERVAL + commit;
        if killed_at.since(began) > allowed {
            let lost = killed_at.since(newest);
            assert!(lost <= allowed, "round {round}, seed {seed}: {lost:?} are missing, a commit takes {commit:?}");
            eprintln!("round {round}: {lost:?} are missing of at most {allowed:?}");
        }
    }
    assert!(!saved.is_empty());
}

/// Time of the newest sample on disk.
fn newest_sample(place: &Place) -> farol::base::Timestamp {
    let csv = place.run(&["export", "--last", "2m"]).expect(0).out;
    let newest = csv.lines().last().and_then(|line| line.split(',').next()).unwrap_or_default();
    farol::base::parse_time(newest, farol::base::Timestamp(0)).unwrap_or_default()
}

#[test]
fn a_full_disk_is_survived_and_everything_is_written_later() {
    let place = Place::new();
    let Some(_mounted) = Mount::tmpfs(&place.data(), "size=8m") else {
        eprintln!("not run: mounting is not permitted here");
        return;
    };
    let config = place.write("config.toml", "[store]\nflush = \"1s\"\n");
    let mut recorder = place.record(&["--interval", "200ms", "--config", config.to_str().expect("plain")]);
    let socket = recorder.wait_ready();
    place.run(&["silence", "add", "rule=before"]).expect(0);
    let ballast = place.data().join("ballast");
    let fill = || fill(&ballast);
    let status = || place.run(&["status", "--format", "json"]).out;
    until("the recorder sees that the disk is full", || {
        fill();
        status().contains("\"store_ok\": false")
    });
    assert!(status().contains("\"ready\": false"), "{}", status());
    assert!(get(&socket, "/readyz").starts_with("HTTP/1.1 503"));
    until("an alert fires", || place.run(&["alerts", "--format", "json"]).out.contains("store"));
    until("a decision is kept in memory, and says so", || {
        fill();
        let added = place.run(&["silence", "add", "rule=while", "--comment", "volatile"]).expect(0);
        added.out.contains("memory")
    });
    assert!(place.run(&["silence", "list"]).out.contains("volatile"), "it holds at once");
    recorder.assert_lives();
    std::fs::remove_file(&ballast).expect("ours");
    until("it is written again", || status().contains("\"store_ok\": true"));
    until("it is ready again", || get(&socket, "/readyz").starts_with("HTTP/1.1 200"));
    // What was kept is on disk: a crash loses none of it.
    until("the next flush", || newest_on_disk_moves(&place));
    recorder.kill();
    let list = place.run(&["silence", "list"]).expect(0).out;
    assert!(list.contains("before") && list.contains("volatile"), "{list}");
    // The time without room was kept in memory and is on disk now: the samples say themselves that they could not be written.
    let shown = place.run(&["query", "min_over_time(farol_store_ok[5m])", "--format", "csv"]).expect(0).out;
    let minimum = shown.lines().last().and_then(|line| line.rsplit(',').next()).unwrap_or_default();
    assert_eq!(minimum, "0", "{shown}");
}

#[test]
fn a_log_on_the_disk_that_is_full_does_not_end_the_recorder() {
    let place = Place::new();
    let Some(_mounted) = Mount::tmpfs(&place.data(), "size=8m") else {
        eprintln!("not run: mounting is not permitted here");
        return;
    };
    let config = place.write("config.toml", "[store]\nflush = \"1s\"\n");
    let mut command = place.farol(&["--record", "--interval", "200ms", "--config", config.to_str().expect("plain")]);
    let mut recorder = place.spawn(&mut command, place.data().join("log"));
    recorder.wait_ready();
    let (log, ballast) = (place.data().join("log"), place.data().join("ballast"));
    let status = || place.run(&["status", "--format", "json"]).out;
    until("the recorder sees that the disk is full", || {
        fill(&ballast);
        status().contains("\"store_ok\": false")
    });
    // A line is lost while the disk is full; the first one that finds room again says so.
    until("the log says what is missing", || {
        fill(&ballast);
        fill(&log);
        recorder.signal(rustix::process::Signal::HUP);
        place.run(&["silence", "add", "rule=while"]).expect(0);
        std::fs::remove_file(&ballast).expect("ours");
        recorder.signal(rustix::process::Signal::HUP);
        place.run(&["silence", "list"]).expect(0);
        recorder.log().contains("log lines could not be written")
    });
    recorder.assert_lives();
    until("it is written again", || status().contains("\"store_ok\": true"));
    recorder.stop();
}

/// Two flushes later: the store said that it is well again after the one that wrote everything.
fn newest_on_disk_moves(place: &Place) -> bool {
    place.run(&["status", "--format", "json"]).out.contains("\"ready\": true")
}

#[test]
fn a_disk_that_is_full_from_the_start_is_named() {
    let place = Place::new();
    let Some(_mounted) = Mount::tmpfs(&place.data(), "size=4k") else {
        eprintln!("not run: mounting is not permitted here");
        return;
    };
    place.run(&["--record"]).expect(1).says(&["farol.redb", "no room"]);
    let left: Vec<_> = std::fs::read_dir(place.data()).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["farol.lock"], "nothing that takes room");
}
