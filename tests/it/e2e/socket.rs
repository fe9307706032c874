//! The socket: what it serves, and what garbage and strangers get.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use farol::base::TimeRange;
use farol::model::{ProcessDepth, ProcessId};
use farol::monitor::{Answer, Monitor, RefusalKind, Request};
use farol::remote::{Address, Client, ask_once};

use super::kit::{Place, exchange, get, http, is_root, ran, until};

#[test]
fn the_routes_answer_over_the_socket() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    let socket = recorder.wait_ready();
    assert!(get(&socket, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(&socket, "/readyz").contains("ready"));
    let snapshot = get(&socket, "/api/v1/snapshot");
    let body = snapshot.split("\r\n\r\n").nth(1).expect("a body");
    let snapshot: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert!(snapshot["seq"].as_u64().is_some_and(|n| n > 0), "{body}");
    let range = "/api/v1/query_range?query=cpu_usage_ratio%7Bcore%3D%220%22%7D&start=-1m&end=-0s&step=1s";
    until("a range is answered", || {
        let text = get(&socket, range);
        let described = text.contains("\"schema\":\"farol.query/1\"") && text.contains("\"generated_at\":\"");
        text.starts_with("HTTP/1.1 200") && described && text.contains("\"matrix\"") && text.contains("\"core\":\"0\"")
    });
    let wrong = get(&socket, "/api/v1/query_range?query=cpu_usage_ratoi&start=-1m&end=-0s&step=1s");
    assert!(wrong.starts_with("HTTP/1.1 400") && wrong.contains("cpu_usage_ratio"), "{wrong}");
    let post = post_nothing(&socket, "/healthz");
    for (answer, code, says) in [
        (get(&socket, "/api/v1/query_range?query=x"), 400, "step"),
        (get(&socket, "/api/v1/query_range?step=1s&query=x&start=%ff"), 400, ""),
        (get(&socket, "/nowhere"), 404, "/api/v1/snapshot"),
        (post, 405, "GET"),
    ] {
        let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
        let error: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {code}")) && error["status"] == "error", "{answer}");
        assert!(error["error"].as_str().is_some_and(|e| e.contains(says)), "{answer}");
    }
    recorder.stop();
}

fn post_nothing(socket: &std::path::Path, path: &str) -> String {
    http(socket, &format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
}

#[test]
fn a_request_that_is_too_large_is_refused_and_the_connection_lives() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    let socket = recorder.wait_ready();
    let mut client = Client::connect(Box::new(move || vec![Address(socket.clone())]), Arc::new(|| {})).expect("it listens");
    let keys =
        (0..3000).map(|n| farol::model::SeriesKey::new("disk_busy_ratio", [("device", &*format!("device-{n}"))])).collect();
    let range = TimeRange { from: farol::base::Timestamp(0), to: farol::base::Timestamp(0) };
    let request = farol::monitor::HistoryRequest { keys, range, step: Duration::ZERO };
    for request in [Request::History(request), Request::Snapshot] {
        let is_large = matches!(request, Request::History(_));
        let ticket = client.ask(request);
        let mut answer = None;
        until("it is answered", || {
            answer = client.poll(ticket);
            answer.is_some()
        });
        let answer = answer.expect("it was waited for");
        assert_eq!(answer.err().map(|e| e.kind), is_large.then_some(RefusalKind::Invalid));
    }
    recorder.stop();
}

#[test]
fn a_stream_carries_pulses_and_answers() {
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    let socket = recorder.wait_ready();
    let mut client = Client::connect(Box::new(move || vec![Address(socket.clone())]), Arc::new(|| {})).expect("it listens");
    let first = client.snapshot().seq;
    until("pulses arrive", || client.snapshot().seq > first + 2);
    assert!(client.changed().pulses.len() > 1);
    let ticket = client.ask(Request::Annotate { at: farol::base::Timestamp::now(), author: "me".into(), text: "note".into() });
    let mut answer = None;
    until("it is answered", || {
        answer = client.poll(ticket);
        answer.is_some()
    });
    assert!(matches!(answer, Some(Ok(Answer::Done { saved: farol::monitor::Saved::Disk, .. }))), "{answer:?}");
    recorder.stop();
    until("the loss is seen", || matches!(client.link(), farol::monitor::Link::Lost { .. }));
}

#[test]
fn a_process_is_looked_into_and_its_past_is_told() {
    let place = Place::new();
    let config = place.write("config.toml", "[store]\nflush = \"200ms\"\n");
    let recorder = place.record(&["--interval", "200ms", "--config", config.to_str().expect("plain")]);
    let address = Address(recorder.wait_ready());
    let mut seen = None;
    until("the recorder sees itself", || {
        let Ok(Answer::Snapshot { snapshot }) = ask_once(&address, Request::Snapshot) else { panic!("no snapshot") };
        let own = snapshot.processes.iter().find(|p| p.id.pid == snapshot.recorder.pid).cloned();
        seen = own.map(|own| (snapshot, own));
        seen.is_some()
    });
    let (snapshot, own) = seen.expect("it was waited for");
    assert!(own.started_at.is_some_and(|at| at <= snapshot.at) && own.virtual_bytes > own.memory_bytes);
    let look = |depth| ask_once(&address, Request::ProcessDetails { process: own.id, depth });
    let Ok(Answer::ProcessDetails { details }) = look(ProcessDepth::Private) else { panic!("no details") };
    assert!(details.arguments.iter().any(|a| a == "--interval") && details.threads.iter().any(|t| t.name == "farol-sample"));
    let private = details.private.expect("the same user may look");
    assert!(private.files.iter().any(|f| f.target.ends_with("farol.redb")), "{:?}", private.files);
    let ended = ProcessId { started: 1, ..own.id };
    let refused = ask_once(&address, Request::ProcessDetails { process: ended, depth: ProcessDepth::Public });
    assert!(refused.is_err_and(|e| e.kind == RefusalKind::NotFound));
    until("its past is on disk", || {
        let now = farol::base::Timestamp::now();
        let range = TimeRange { from: now - Duration::from_secs(60), to: now };
        let asked = ask_once(&address, Request::ProcessHistory { process: own.id, range, step: Duration::ZERO });
        matches!(asked, Ok(Answer::ProcessHistory { points }) if points.iter().any(|p| p.memory_bytes > 0))
    });
    recorder.stop();
}

#[test]
fn garbage_on_the_socket_harms_nobody() {
    let place = Place::new();
    let mut recorder = place.record(&["--interval", "200ms"]);
    let socket = recorder.wait_ready();
    let noise: Vec<u8> = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    exchange(&socket, &noise);
    let huge = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(4 << 20));
    let answer = exchange(&socket, huge.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{}", &answer[..answer.len().min(200)]);
    let upgrade = "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // A text that is no request, a binary frame, noise instead of frames, a frame far too long; all masked with zeros.
    let text = [b"\x81\x87\0\0\0\0".as_slice(), b"garbage"].concat();
    let binary = [b"\x82\x84\0\0\0\0".as_slice(), b"\xff\xff\xff\xff"].concat();
    let oversized = [b"\x81\xff\0\0\0\0\x40\0\0\0\0\0\0\0".as_slice(), &noise].concat();
    for frames in [[text.clone(), binary, b"\x88\x80\0\0\0\0".to_vec()].concat(), noise.clone(), oversized] {
        let mut bytes = upgrade.as_bytes().to_vec();
        bytes.extend(frames);
        let answer = exchange(&socket, &bytes);
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    }
    recorder.assert_lives();
    assert!(get(&socket, "/healthz").starts_with("HTTP/1.1 200"));
    ask_once(&Address(socket), Request::Snapshot).expect("others are served");
    recorder.stop();
}

#[test]
fn connections_left_open_do_not_shut_others_out() {
    let place = Place::new();
    let mut recorder = place.record(&["--interval", "200ms"]);
    let socket = recorder.wait_ready();
    let open: Vec<UnixStream> = (0..200)
        .map(|n| {
            let mut stream = UnixStream::connect(&socket).expect("there is room");
            if n % 2 == 0 {
                stream.write_all(b"GET /api/v1/snap").expect("written");
            }
            stream
        })
        .collect();
    let before = ask_once(&Address(socket.clone()), Request::Snapshot).expect("others are served");
    until("sampling goes on", || {
        let now = ask_once(&Address(socket.clone()), Request::Snapshot).expect("others are served");
        matches!((&before, &now), (Answer::Snapshot { snapshot: a }, Answer::Snapshot { snapshot: b }) if b.seq > a.seq)
    });
    recorder.assert_lives();
    recorder.stop();
    drop(open);
}

#[test]
fn a_strangers_user_is_refused() {
    if !is_root() {
        eprintln!("not run: changing the user needs root");
        return;
    }
    let place = Place::new();
    let recorder = place.record(&["--interval", "200ms"]);
    let socket = recorder.wait_ready();
    // Even where all folders and the socket itself are open to everybody, the peer's user decides.
    use std::os::unix::fs::PermissionsExt;
    let open =
        |path: &std::path::Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    let program = place.path("farol");
    std::fs::copy(env!("CARGO_BIN_EXE_farol"), &program).expect("copied");
    open(place.root(), 0o755);
    open(&program, 0o755);
    open(&place.path("home"), 0o755);
    let as_nobody = |args: &[&str]| {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program).args(args);
        command.env_clear().envs(place.environment()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        ran(&mut command)
    };
    let data = place.data().display().to_string();
    let address = socket.display().to_string();
    as_nobody(&["alerts", "--attach", &address]).expect(1).says(&["not permitted"]);
    open(&place.path("run"), 0o755);
    open(socket.parent().expect("a folder"), 0o755);
    open(&socket, 0o666);
    as_nobody(&["alerts", "--attach", &address]).expect(1).says(&["not permitted", "another user"]);
    std::fs::set_permissions(place.data(), std::fs::Permissions::from_mode(0o700)).expect("ours");
    as_nobody(&["alerts", "--data-dir", &data]).expect(1).says(&[&data, "ermission denied"]);
    let status = as_nobody(&["status", "--attach", &address]).expect(3);
    assert!(status.out.contains("not permitted"), "{}", status.out);
    recorder.stop();
}

#[test]
fn members_of_the_group_look_and_decide_under_their_own_name() {
    if !is_root() {
        eprintln!("not run: members_of_the_group_look_and_decide_under_their_own_name needs root to become two other users");
        return;
    }
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    const RECORDER: &str = "65534";
    const MEMBER: &str = "65533";
    const GROUP: &str = "64242";
    let place = Place::new();
    let open =
        |path: &std::path::Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    let program = place.path("farol");
    std::fs::copy(env!("CARGO_BIN_EXE_farol"), &program).expect("copied");
    let config = place.write("config.toml", &format!("[general]\ninterval = \"200ms\"\n[api]\ngroup = \"{GROUP}\"\n"));
    open(place.root(), 0o755);
    open(&program, 0o755);
    std::os::unix::fs::chown(place.data(), Some(65534), Some(65534)).expect("root may");
    open(&place.data(), 0o700);
    let data = place.data().display().to_string();
    let as_user = |user: &str, groups: &str, args: &[&str]| {
        let mut command = std::process::Command::new("setpriv");
        command.args([&format!("--reuid={user}"), &format!("--regid={user}"), groups, "--"]).arg(&program).args(args);
        command.args(["--data-dir", &data]);
        command.env_clear().envs(place.environment()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    };
    let member = format!("--groups={GROUP}");
    let mut record = as_user(RECORDER, &member, &["--record", "--config", config.to_str().expect("plain")]);
    let mut recorder = Ended(record.stderr(std::process::Stdio::null()).spawn().expect("setpriv is there"));
    // Its user may write neither runtime folder: it listens in its data folder.
    let socket = place.data().join("farol.sock");
    until("it listens for its group", || std::fs::metadata(&socket).is_ok_and(|m| m.mode() & 0o777 == 0o660));
    until("it is ready", || get(&socket, "/readyz").starts_with("HTTP/1.1 200"));
    let lock = std::fs::metadata(place.data().join("farol.lock")).expect("there");
    assert_eq!(lock.mode() & 0o777, 0o600);
    ran(&mut as_user(MEMBER, &member, &["silence", "add", "rule=disk", "--comment", "by a member"])).expect(0);
    let list = ran(&mut as_user(MEMBER, &member, &["silence", "list"])).expect(0).out;
    assert!(list.contains("uid 65533 (tester)"), "whatever it says of itself: {list}");
    ran(&mut as_user(MEMBER, "--clear-groups", &["silence", "list"])).expect(1).says(&["ermission denied"]);
    let pid = rustix::process::Pid::from_child(&recorder.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it lives");
    let code = super::kit::within(super::kit::LIMIT, || recorder.0.try_wait().expect("a child"));
    assert_eq!(code.and_then(|c| c.code()), Some(0));
}

/// A child that does not outlive its test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
