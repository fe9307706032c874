//! farol as a service of the system: the unit file, levels for the journal, reload, and checks that never end.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use super::kit::{Place, ran, until};
use crate::source::root;

#[test]
fn the_unit_file_exposes_at_most_two_of_ten() {
    if std::env::var_os("FAROL_SLOW").is_none() {
        eprintln!("not run: needs FAROL_SLOW=1 and systemd-analyze");
        return;
    }
    let unit = root().join("systemd/farol.service");
    let ran = std::process::Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .arg(&unit)
        .output()
        .expect("systemd-analyze: install the package systemd");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("Overall exposure level for farol.service"), "{said}");
}

#[test]
fn a_recorder_under_systemd_says_when_it_is_ready_and_reloads_and_gives_levels_to_the_journal() {
    let place = Place::new();
    let notified = UnixDatagram::bind(place.path("notify")).expect("a socket");
    notified.set_read_timeout(Some(super::kit::LIMIT)).expect("set");
    let log = place.path("journal");
    let file = std::fs::File::create(&log).expect("a file");
    let about = file.metadata().expect("a file");
    let mut command = place.farol(&["--record"]);
    command.env("NOTIFY_SOCKET", place.path("notify")).env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino()));
    let mut child = command.stdout(Stdio::null()).stderr(file).spawn().expect("the program starts");
    let next = || {
        let mut bytes = [0; 256];
        let n = notified.recv(&mut bytes).expect("a notification in time");
        String::from_utf8_lossy(&bytes[..n]).into_owned()
    };
    assert_eq!(next().trim(), "READY=1");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("it lives");
    let reloading = next();
    assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert_eq!(next().trim(), "READY=1");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it lives");
    assert_eq!(next().trim(), "STOPPING=1");
    assert!(child.wait().expect("it ends").success());
    let lines = std::fs::read_to_string(&log).expect("a log");
    assert!(!lines.is_empty() && lines.lines().all(|l| l.starts_with("<6>")), "{lines}");
}

#[test]
fn a_hung_plugin_a_dead_name_server_and_a_stuck_server_cost_no_round() {
    let place = Place::new();
    let stuck = TcpListener::bind("127.0.0.1:0").expect("a port");
    let dead = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (http, dns) = (stuck.local_addr().expect("bound").port(), dead.local_addr().expect("bound").port());
    let common = "timeout = \"500ms\"\nretry = \"100ms\"\nfail_after = 2\n";
    let services = [
        "name = \"plugin\"\ntype = \"command\"\ncommand = \"sleep 1000\"".to_owned(),
        format!("name = \"names\"\ntype = \"dns\"\nquery = \"example.org\"\naddress = \"127.0.0.1:{dns}\""),
        format!("name = \"web\"\ntype = \"http\"\nurl = \"http://127.0.0.1:{http}/\""),
    ];
    let text: String = services.iter().map(|s| format!("[[service]]\n{s}\n{common}")).collect();
    let config = place.write("config.toml", &text);
    let recorder = place.record(&["--config", config.to_str().expect("a plain path")]);
    until("all three are offline", || place.run(&["services"]).out.matches("offline").count() == 3);
    let skipped = place.run(&["query", "farol_skipped_rounds", "--last", "1m", "--format", "csv"]).expect(0).out;
    let values: Vec<&str> = skipped.lines().skip(1).filter_map(|l| l.rsplit(',').next()).filter(|v| !v.is_empty()).collect();
    assert!(!values.is_empty() && values.iter().all(|v| v.parse() == Ok(0.0)), "{skipped}");
    recorder.stop();
}

#[test]
fn a_probe_is_a_nagios_plugin() {
    let place = Place::new();
    let open = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = open.local_addr().expect("bound").to_string();
    let good = place.run(&["check", "tcp", "--address", &address]).expect(0).out;
    assert!(good.starts_with("TCP OK - connected in ") && good.contains(" | time=0.") && good.contains("'connect'="), "{good}");
    assert_eq!(good.lines().count(), 1);
    drop(open);
    let refused = place.run(&["check", "tcp", "--address", &address]).expect(2).out;
    assert!(refused.starts_with("TCP CRITICAL - cannot connect to ") && refused.contains("refused"), "{refused}");
    let wrong = place.run(&["check", "tcp"]).expect(3).out;
    assert_eq!(wrong, "TCP UNKNOWN - --address: is missing; type tcp needs it\n");
    let unknown = place.run(&["check", "htp"]).expect(3).out;
    assert!(unknown.contains("did you mean http?"), "{unknown}");
    let script = "echo 'slow | n=5;;; size=2KB'; exit 1";
    let plugin = ran(&mut place.bare(&["check", "command", "--", "sh", "-c", script])).expect(1).out;
    assert!(plugin.starts_with("COMMAND WARNING - slow | time=") && plugin.contains("'n'=5 'size'=2048B"), "{plugin}");
}

#[test]
fn a_watchdog_is_told_while_the_threads_live() {
    let place = Place::new();
    let notified = UnixDatagram::bind(place.path("notify")).expect("a socket");
    notified.set_read_timeout(Some(super::kit::LIMIT)).expect("set");
    let mut command = place.farol(&["--record", "--interval", "200ms"]);
    command.env("NOTIFY_SOCKET", place.path("notify")).env("WATCHDOG_USEC", "6000000");
    let recorder = place.spawn(&mut command, place.path("log"));
    let mut bytes = [0; 256];
    until("the watchdog is told", || {
        let n = notified.recv(&mut bytes).expect("a notification in time");
        bytes[..n].starts_with(b"WATCHDOG=1")
    });
    recorder.stop();
}
