//! Messages and decisions under `kill -9`: nothing lost, nothing doubled unless the answer was, and then marked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::kit::{Place, within};

/// Moments to kill at: `FAROL_KILLS`, else 30 with `FAROL_SLOW=1`, else 5.
fn kills() -> u64 {
    let named = std::env::var("FAROL_KILLS").ok().and_then(|n| n.parse().ok());
    named.unwrap_or(if std::env::var_os("FAROL_SLOW").is_some_and(|v| v == "1") { 30 } else { 5 })
}

/// What arrived: the message, and whether it was answered.
type Arrived = Arc<Mutex<Vec<(Value, bool)>>>;

/// A receiver that leaves every seventh message without an answer.
fn receiver() -> (String, Arrived) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/", listener.local_addr().expect("an address"));
    let arrived = Arrived::default();
    let sink = Arc::clone(&arrived);
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a clone"));
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().expect("a number");
                }
            }
            let mut body = vec![0; length];
            // A sender killed while it writes leaves half a request: that is no message.
            let Ok(()) = reader.read_exact(&mut body) else { continue };
            let Ok(message) = serde_json::from_slice(&body) else { continue };
            let answered = n % 7 != 6;
            sink.lock().expect("a lock").push((message, answered));
            if answered {
                // The sender may be dead.
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            }
        }
    });
    (address, arrived)
}

const SERVICES: usize = 3;

fn config(place: &Place, address: &str) -> String {
    let mut text = format!(
        "[store]\nflush = \"1s\"\n[escalation]\nper_hour = 100000\nper_hour_and_rule = 100000\n[notify.webhook]\nurl = \"{address}\"\n\
         [[route]]\nmatch = [\"rule=service down\"]\nchannels = [\"webhook\"]\ngroup_by = [\"service\"]\ngroup_wait = \"0s\"\n[[route]]\nchannels = []\n"
    );
    // Each change is a message of its own: what flaps is told together.
    text.push_str("[[rule]]\nname = \"service down\"\nflap_start = \"100%\"\nflap_stop = \"0%\"\n");
    for n in 0..SERVICES {
        let flag = place.path(&format!("flag{n}")).display().to_string();
        text.push_str(&format!(
            "[[service]]\nname = \"s{n}\"\ntype = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"test -e {flag} || exit 2\"]\n\
             interval = \"300ms\"\nretry = \"300ms\"\nfail_after = 1\nrecover_after = 1\n"
        ));
    }
    text
}

/// Decisions that were answered as saved: acknowledged, snoozed, judged.
#[derive(Default)]
struct Saved {
    acknowledged: BTreeSet<String>,
    snoozed: BTreeSet<String>,
    judged: BTreeSet<String>,
}

fn alerts(place: &Place, all: bool) -> Vec<Value> {
    let args: &[&str] = if all { &["alerts", "--all", "--format", "json"] } else { &["alerts", "--format", "json"] };
    let ran = place.run(args);
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_default();
    json["alerts"].as_array().cloned().unwrap_or_default()
}

/// One turn of somebody who works: services go down and up, alerts are taken care of.
fn work(place: &Place, turn: u64, saved: &mut Saved) {
    let flag = place.path(&format!("flag{}", turn as usize % SERVICES));
    if flag.exists() {
        let _ = std::fs::remove_file(&flag);
    } else {
        std::fs::write(&flag, "").expect("a file");
    }
    let firing: Vec<String> = alerts(place, false)
        .iter()
        .filter(|a| a["rule"] == "service down" && a["state"] == "firing")
        .filter_map(|a| a["id"].as_str().map(str::to_owned))
        .collect();
    let Some(id) = firing.get(turn as usize % firing.len().max(1)) else { return };
    let did = |args: &[&str]| {
        let ran = place.run(args);
        ran.code == Some(0) && !ran.out.contains("memory")
    };
    match turn % 3 {
        0 if did(&["ack", id, "--comment", "mine"]) => drop(saved.acknowledged.insert(id.clone())),
        1 if did(&["snooze", id, "--for", "2h"]) => drop(saved.snoozed.insert(id.clone())),
        2 if did(&["feedback", id, "real"]) => drop(saved.judged.insert(id.clone())),
        _ => {}
    }
}

#[test]
fn a_killed_recorder_loses_no_message_and_doubles_none_without_a_mark() {
    let place = Place::new();
    let (address, arrived) = receiver();
    let file = place.write("config.toml", &config(&place, &address));
    let args = ["--interval", "100ms", "--config", file.to_str().expect("plain")];
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |d| u64::from(d.subsec_nanos()));
    eprintln!("seed {seed}");
    let mut saved = Saved::default();
    let mut turn = 0;
    for round in 0..kills() {
        let recorder = place.start(&args);
        recorder.wait_ready();
        let deadline = Instant::now() + Duration::from_millis(300 + (seed / 1000 + round * 7919) % 1500);
        while Instant::now() < deadline {
            turn += 1;
            work(&place, turn, &mut saved);
        }
        recorder.kill();
    }
    // At the end everything is well, and has time to be told.
    for n in 0..SERVICES {
        std::fs::write(place.path(&format!("flag{n}")), "").expect("a file");
    }
    let recorder = place.start(&args);
    recorder.wait_ready();
    let quiet = || {
        let all_over = alerts(&place, false).iter().all(|a| a["rule"] != "service down");
        let lost = missing(&alerts(&place, true), &arrived.lock().expect("a lock"));
        (all_over && lost.is_empty()).then_some(())
    };
    within(Duration::from_secs(240), quiet);
    let all = alerts(&place, true);
    let arrived = arrived.lock().expect("a lock");
    assert_eq!(missing(&all, &arrived), Vec::<String>::new(), "messages are missing");
    let doubled = doubled(&arrived);
    assert_eq!(doubled, Vec::<String>::new(), "doubled without a mark");
    let of = |id: &String| all.iter().find(|a| a["id"] == **id).unwrap_or_else(|| panic!("alert {id} is gone"));
    for id in &saved.acknowledged {
        assert_eq!(of(id)["acknowledged"]["comment"], "mine", "{id}");
    }
    for id in &saved.judged {
        assert!(!of(id)["feedback"].is_null(), "{id}");
    }
    let decided = (saved.acknowledged.len(), saved.snoozed.len(), saved.judged.len());
    eprintln!("{} kills, {} messages, {decided:?} acknowledged, snoozed, judged: nothing lost", kills(), arrived.len());
    drop(recorder);
}

/// Alerts that fired and of which no message came.
fn missing(all: &[Value], arrived: &[(Value, bool)]) -> Vec<String> {
    let told: BTreeSet<&str> = arrived.iter().flat_map(|(m, _)| ids(m)).collect();
    let fired = all.iter().filter(|a| a["rule"] == "service down" && !a["fired_at"].is_null());
    fired.filter_map(|a| a["id"].as_str()).filter(|id| !told.contains(id)).map(str::to_owned).collect()
}

fn ids(message: &Value) -> Vec<&str> {
    message["alerts"].as_array().into_iter().flatten().filter_map(|a| a["id"].as_str()).collect()
}

/// Messages of one alert and reason that came twice, where the first was answered and the second bears no mark.
fn doubled(arrived: &[(Value, bool)]) -> Vec<String> {
    let mut first: BTreeMap<(String, String), bool> = BTreeMap::new();
    let mut out = Vec::new();
    for (message, _) in arrived.iter().filter(|(m, _)| m["reason"] == "fired" || m["reason"] == "resolved") {
        for id in ids(message) {
            let key = (id.to_owned(), message["reason"].to_string());
            if first.insert(key, true).is_some() && message["possible_duplicate"] != true {
                out.push(format!("{id} {}", message["reason"]));
            }
        }
    }
    out
}
