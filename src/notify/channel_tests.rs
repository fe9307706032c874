//! Every channel against its provider's stand-in: what is taken, what is refused, what is cut, what is inert.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::stand_in::{self, Answer, Asked, serve};
use super::tests::{about, alert, delivery, opened, run};
use super::*;

/// A channel of a provider that runs as `judge`; `{}` in the settings is its address. Secrets are files in the folder.
struct Case {
    kind: &'static str,
    settings: Value,
    secrets: &'static [(&'static str, &'static str)],
    judge: fn(&Asked, usize) -> Answer,
}

fn cases() -> Vec<Case> {
    let case = |kind, settings, secrets, judge| Case { kind, settings, secrets, judge };
    let numbers = json!({"account": "AC1", "from": "+15005550006", "to": ["+351912345678"], "api": "{}", "token_file": "token"});
    vec![
        case("slack", json!({"url_file": "url"}), &[("url", "{}/services/T/B/X")], stand_in::slack_webhook),
        case("slack", json!({"token_file": "token", "to": "#ops", "api": "{}"}), &[("token", "xoxb-right")], stand_in::slack_bot),
        case("teams", json!({"url_file": "url"}), &[("url", "{}/powerautomate/x?api-version=1&sig=a%2Fb-c")], stand_in::teams),
        case("discord", json!({"url_file": "url"}), &[("url", "{}/api/webhooks/1/token")], stand_in::discord),
        case("telegram", json!({"token_file": "token", "chat": "-2", "api": "{}"}), &[("token", "12:right")], stand_in::telegram),
        case("ntfy", json!({"token_file": "token", "topic": "alerts", "url": "{}"}), &[("token", "tk_right")], stand_in::ntfy),
        case("gotify", json!({"token_file": "token", "url": "{}"}), &[("token", "right")], stand_in::gotify),
        case(
            "pushover",
            json!({"token_file": "token", "user_file": "user", "api": "{}"}),
            &[("token", "right"), ("user", "u")],
            stand_in::pushover,
        ),
        case("matrix", json!({"token_file": "token", "url": "{}", "room": "!abc:x"}), &[("token", "right")], stand_in::matrix),
        case("pagerduty", json!({"key_file": "key", "url": "{}/v2/enqueue"}), &[("key", "right")], stand_in::pagerduty),
        case("sms", numbers.clone(), &[("token", "right")], stand_in::twilio),
        case("phone", numbers, &[("token", "right")], stand_in::twilio),
        case("alertmanager", json!({"url": "{}"}), &[], stand_in::alertmanager),
    ]
}

/// Writes the secrets, fills in the address, opens the channel.
fn open(case: &Case, address: &str, folder: &Path) -> std::sync::Arc<dyn Channel> {
    for (name, value) in case.secrets {
        std::fs::write(folder.join(name), value.replace("{}", address)).expect("a file");
    }
    let settings = case.settings.to_string().replace("{}", address);
    opened(case.kind, &serde_json::from_str(&settings).expect("JSON"), folder)
}

/// A message that is as long and as hostile as labels and logs can make it.
fn hostile(reason: Reason) -> Message {
    let mut alert =
        alert("7k", &format!("@everyone <!channel> *bold* [x](http://evil) \x1b]0;t\x07 {}", "é&<\"'\u{1f525}".repeat(3_000)));
    alert.labels.insert("bad-name 1".to_owned(), "line\r\nBcc: x@y.z".to_owned());
    alert.explanation.summary = format!("<at>all</at> `code` {}", "# ".repeat(2_000));
    alert.explanation.changes = (0..20).map(|n| format!("change {n} {}", "x".repeat(500))).collect();
    alert.resolved_at = (reason == Reason::Resolved).then_some(super::tests::at(99));
    about(alert, reason)
}

#[test]
fn every_provider_takes_ordinary_and_hostile_messages_within_its_limits() {
    for case in cases() {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, seen) = serve(case.judge);
        let channel = open(&case, &address, folder.path());
        let many: Vec<Part> = (0..300)
            .map(|n| Part {
                alert: Box::new(alert(&n.to_string(), &format!("disk {n} *is* full"))),
                reason: Reason::Fired,
                at: super::tests::at(n),
            })
            .collect();
        let mut messages: Vec<Message> =
            [Reason::Fired, Reason::Reminder(2), Reason::Worse(1), Reason::Repeat(3), Reason::Resolved].map(hostile).to_vec();
        messages.push(super::tests::message("memory 91% > 85%"));
        messages.push(Message::about(&many, Reason::Digest, ("web-1", "digest"), super::tests::at(1), "the limit"));
        messages.push(Message::heartbeat("web-1", super::tests::at(1), "well"));
        messages.push(Message::test("web-1", super::tests::at(1)));
        for message in messages {
            let reason = message.reason;
            let result = run(channel.deliver(&delivery(message)));
            let asked = seen.recv_timeout(Duration::from_secs(20)).expect("a request");
            assert!(result.is_ok(), "{} {reason:?}: {result:?}", case.kind);
            let said = asked.body.replace("\\u001b", "\u{1b}");
            assert!(!said.contains('\u{1b}') && !said.contains("\\r"), "{}: a control character went out", case.kind);
        }
        let verified = run(channel.verify());
        assert!(verified.is_ok(), "{}: {verified:?}", case.kind);
    }
}

#[test]
fn every_provider_is_told_which_process_is_to_blame() {
    for case in cases() {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, seen) = serve(case.judge);
        let channel = open(&case, &address, folder.path());
        let mut alert = alert("7k", "memory 91% > 85%");
        alert.explanation.summary = "memory 91% > 85%; leaker (pid 812) uses 8 GiB".to_owned();
        let culprit = crate::model::Culprit { name: "leaker".to_owned(), pid: 812, unit: None, value: 8e9, change: None };
        alert.explanation.processes = vec![culprit];
        run(channel.deliver(&delivery(about(alert, Reason::Fired)))).expect(case.kind);
        let asked = seen.recv_timeout(Duration::from_secs(20)).expect("a request");
        // A voice says what happened; who did it is for those who look.
        assert!(asked.body.contains("leaker") || case.kind == "phone", "{}: {}", case.kind, asked.body);
    }
}

#[test]
fn a_wrong_secret_is_final_said_and_never_shown() {
    for case in cases().into_iter().filter(|c| !c.secrets.is_empty()) {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, _seen) = serve(case.judge);
        let channel = open(&case, &address, folder.path());
        for (name, value) in case.secrets {
            let wrong =
                if value.starts_with("{}") { "{}/wrong-s3cret".replace("{}", &address) } else { "wrong-s3cret".to_owned() };
            std::fs::write(folder.path().join(name), wrong).expect("a file");
        }
        let error = run(channel.deliver(&delivery(super::tests::message("x")))).expect_err(case.kind);
        assert_eq!(error.fault, DeliveryFault::Permanent, "{}: {error}", case.kind);
        assert!(!error.text.contains("s3cret"), "{}: {error}", case.kind);
        std::fs::remove_file(folder.path().join(case.secrets[0].0)).expect("removed");
        let error = run(channel.verify()).expect_err(case.kind);
        assert!(error.text.contains("_file"), "{}: {error}", case.kind);
    }
}

#[test]
fn too_many_requests_wait_as_long_as_the_provider_says_and_errors_of_servers_pass() {
    let busy: [(&'static str, &str, u64); 5] = [
        ("retry-after: 7", "", 7),
        ("x: y", r#"{"retry_after": 3.0, "global": false}"#, 3),
        ("x: y", r#"{"ok": false, "parameters": {"retry_after": 11}}"#, 11),
        ("x: y", r#"{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2000}"#, 2),
        ("x: y", "slow down", 0),
    ];
    for case in cases() {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, _seen) = serve(move |_, n| match busy.get(n) {
            Some((header, body, _)) => (429, header, (*body).to_owned()),
            None => (503, "", "upstream".to_owned()),
        });
        let channel = open(&case, &address, folder.path());
        for (_, _, seconds) in busy {
            let error = run(channel.deliver(&delivery(super::tests::message("x")))).expect_err(case.kind);
            assert_eq!(error.fault, DeliveryFault::Transient, "{}: {error}", case.kind);
            assert_eq!(error.retry_after, Some(Duration::from_secs(seconds)).filter(|s| !s.is_zero()), "{}", case.kind);
        }
        let error = run(channel.deliver(&delivery(super::tests::message("x")))).expect_err(case.kind);
        assert!(error.fault == DeliveryFault::Transient && error.text.contains("503"), "{}: {error}", case.kind);
    }
}

#[test]
fn an_answer_that_is_lost_is_in_doubt_and_a_closed_door_is_not() {
    let case = &cases()[5];
    let folder = tempfile::tempdir().expect("a folder");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let door = std::thread::spawn(move || drop(listener.accept()));
    let channel = open(case, &address, folder.path());
    let error = run(channel.deliver(&delivery(super::tests::message("x")))).expect_err("closed while asked");
    assert!(error.in_doubt && error.fault == DeliveryFault::Transient, "{error:?}");
    door.join().expect("the door");
    let error = run(channel.deliver(&delivery(super::tests::message("x")))).expect_err("nobody there");
    assert!(!error.in_doubt && error.text.contains("refused"), "{error:?}");
}

#[test]
fn a_bot_of_slack_changes_its_message_and_answers_in_its_thread() {
    let case = &cases()[1];
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = serve(case.judge);
    let channel = open(case, &address, folder.path());
    let first = run(channel.deliver(&delivery(super::tests::message("x")))).expect("posted");
    assert_eq!(first.handle.as_deref(), Some("C1 1.0"));
    let over = Delivery { earlier: first.handle.clone(), ..delivery(hostile(Reason::Resolved)) };
    let receipt = run(channel.deliver(&over)).expect("changed");
    assert_eq!(receipt.handle, first.handle, "the thread stays that of the first");
    let asked: Vec<Asked> = (0..3).map(|_| seen.recv_timeout(Duration::from_secs(20)).expect("a request")).collect();
    assert_eq!(
        asked.iter().map(|a| a.path.as_str()).collect::<Vec<_>>(),
        ["/chat.postMessage", "/chat.update", "/chat.postMessage"]
    );
    assert_eq!((&asked[1].json()["ts"], &asked[2].json()["thread_ts"]), (&json!("1.0"), &json!("1.0")));
    let gone = Delivery { earlier: Some("C1 9.9".to_owned()), ..delivery(hostile(Reason::Resolved)) };
    let receipt = run(channel.deliver(&gone)).expect("posted anew");
    assert_ne!(receipt.handle.as_deref(), Some("C1 9.9"));
}

#[test]
fn of_several_numbers_each_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = serve(stand_in::twilio);
    std::fs::write(folder.path().join("token"), "right").expect("a file");
    let settings =
        json!({"account": "AC1", "from": "MG1", "to": ["+15005550001", "+351912345678"], "api": address, "token_file": "token"});
    let channel = opened("sms", &settings, folder.path());
    let error = run(channel.deliver(&delivery(super::tests::message("x")))).expect_err("one is wrong");
    assert!(error.text.contains("21211") && error.told == ["+351912345678"], "{error:?}");
    let again = Delivery { told: error.told, ..delivery(super::tests::message("x")) };
    assert!(run(channel.deliver(&again)).is_err());
    let asked: Vec<BTreeMap<String, String>> =
        (0..3).map(|_| seen.recv_timeout(Duration::from_secs(20)).expect("a request").form()).collect();
    let to: Vec<&str> = asked.iter().map(|f| f["To"].as_str()).collect();
    assert_eq!(to, ["+15005550001", "+351912345678", "+15005550001"]);
    assert_eq!(asked[0]["MessagingServiceSid"], "MG1");
}

#[test]
fn telegram_follows_a_group_that_moved() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, _seen) = serve(stand_in::telegram);
    std::fs::write(folder.path().join("token"), "12:right").expect("a file");
    let channel = opened("telegram", &json!({"token_file": "token", "chat": "-1", "api": address}), folder.path());
    let receipt = run(channel.deliver(&delivery(super::tests::message("x")))).expect("sent to the new number");
    assert!(receipt.answer.contains("write chat = \"-1005\""), "{receipt:?}");
}

#[test]
fn a_webhook_is_signed_and_has_one_id_for_all_attempts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = serve(|_, _| stand_in::ok("thanks"));
    std::fs::write(folder.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a file");
    let settings = json!({"url": format!("{address}/hook"), "secret_file": "secret", "headers": {"x-team": "ops"}});
    let channel = opened("webhook", &settings, folder.path());
    for _ in 0..2 {
        assert_eq!(run(channel.deliver(&delivery(super::tests::message("x")))), Ok(Receipt::new("200 thanks")));
        let asked = seen.recv_timeout(Duration::from_secs(20)).expect("a request");
        assert_eq!((asked.headers["webhook-id"].as_str(), asked.headers["x-team"].as_str()), ("farol-web-1-1", "ops"));
        assert!(asked.headers["webhook-signature"].starts_with("v1,") && asked.headers.contains_key("webhook-timestamp"));
        assert_eq!(asked.json()["schema"], "farol.message/1");
    }
    let sent = super::tests::report(folder.path(), b"%PDF-1.7");
    assert!(sent.json["report"].get("content_base64").is_none(), "the outbox keeps no files");
    assert!(run(channel.deliver(&delivery(sent))).is_ok());
    let asked = seen.recv_timeout(Duration::from_secs(20)).expect("a request");
    assert!(asked.headers.contains_key("webhook-signature"), "it covers the file");
    let report = &asked.json()["report"];
    let named = (&report["name"], &report["media_type"], &report["content_base64"]);
    assert_eq!(named, (&json!("farol-web-1.pdf"), &json!("application/pdf"), &json!("JVBERi0xLjc=")));
}

#[test]
fn alertmanager_gets_every_alert_with_names_it_takes_and_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = serve(stand_in::alertmanager);
    let channel = opened("alertmanager", &json!({"url": address}), folder.path());
    assert!(run(channel.deliver(&delivery(hostile(Reason::Fired)))).is_ok());
    let firing = seen.recv_timeout(Duration::from_secs(20)).expect("a request").json();
    assert_eq!(
        (&firing[0]["labels"]["alertname"], &firing[0]["labels"]["bad_name_1"]),
        (&json!("memory"), &json!("line Bcc: x@y.z"))
    );
    assert!(run(channel.deliver(&delivery(hostile(Reason::Resolved)))).is_ok());
    let over = seen.recv_timeout(Duration::from_secs(20)).expect("a request").json();
    assert_eq!((&over[0]["labels"], &over[0]["endsAt"]), (&firing[0]["labels"], &json!("2023-11-14T22:14:59Z")));
}

#[test]
fn a_program_gets_the_message_on_its_input_and_nothing_in_its_arguments() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let script = format!("cat > {}; echo \"$# arguments\"", out.display());
    let channel =
        |script: &str| opened("command", &json!({"command": ["/bin/sh", "-c", script], "timeout": "5s"}), folder.path());
    let mut hostile = alert("7k", "$(touch /tmp/own) `id`; rm -rf /");
    hostile.labels.insert("x".to_owned(), "$(id)".to_owned());
    let receipt = run(channel(&script).deliver(&delivery(about(hostile, Reason::Fired))));
    assert_eq!(receipt, Ok(Receipt::new("0 arguments")));
    let read: Value = serde_json::from_str(&std::fs::read_to_string(out).expect("a file")).expect("JSON");
    assert_eq!(read["alert"]["labels"]["x"], "$(id)");
    for (script, fault, hint) in [
        ("echo no >&2; exit 1", DeliveryFault::Transient, "exit code 1: no"),
        ("exit 78", DeliveryFault::Permanent, "exit code 78"),
        ("kill -9 $$", DeliveryFault::Transient, "signal"),
    ] {
        let error = run(channel(script).deliver(&delivery(super::tests::message("x")))).expect_err(script);
        assert!(error.fault == fault && error.text.contains(hint), "{error:?}");
    }
    let slow = opened("command", &json!({"command": ["/bin/sleep", "60"], "timeout": "20ms"}), folder.path());
    assert!(run(slow.deliver(&delivery(super::tests::message("x")))).expect_err("killed").text.contains("killed"));
}

#[test]
fn logs_get_one_record_that_no_label_can_split() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = std::os::unix::net::UnixDatagram::bind(folder.path().join("log")).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let record = || {
        let mut buffer = vec![0; 1 << 16];
        let length = socket.recv(&mut buffer).expect("a record");
        buffer.truncate(length);
        buffer
    };
    let syslog = opened("syslog", &json!({"address": folder.path().join("log"), "facility": "local0"}), folder.path());
    assert!(run(syslog.deliver(&delivery(hostile(Reason::Fired)))).is_ok());
    let line = String::from_utf8(record()).expect("UTF-8");
    assert!(
        line.starts_with("<130>1 2023-11-14T22:14:20Z web-1 farol ")
            && line.contains(" fired [farol@32473 alert=\"7k\"] [critical] web-1: "),
        "{line}"
    );
    assert!(line.len() <= 2_000 && !line.chars().any(char::is_control));
    let journal = opened("journal", &json!({"socket": folder.path().join("log")}), folder.path());
    assert!(run(journal.deliver(&delivery(hostile(Reason::Fired)))).is_ok());
    let record = record();
    let length = u64::from_le_bytes(record[8..16].try_into().expect("eight bytes"));
    assert!(
        record.starts_with(b"MESSAGE\n") && record[16 + usize::try_from(length).expect("small")..].starts_with(b"\nPRIORITY\n")
    );
    let gone = opened("journal", &json!({"socket": "/nonexistent"}), folder.path());
    assert_eq!(run(gone.deliver(&delivery(super::tests::message("x")))).map_err(|e| e.fault), Err(DeliveryFault::Unavailable));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut listener.accept().expect("a client").0, &mut text).expect("a text");
        text
    });
    assert!(
        run(opened("syslog", &json!({"address": address}), folder.path()).deliver(&delivery(super::tests::message("x")))).is_ok()
    );
    let framed = reader.join().expect("a reader");
    let (length, rest) = framed.split_once(' ').expect("a length");
    assert_eq!(length.parse::<usize>().ok(), Some(rest.len()));
}

#[test]
fn a_terminal_is_told_only_where_somebody_looks() {
    let folder = tempfile::tempdir().expect("a folder");
    let channel = opened("terminal", &json!({}), folder.path());
    assert_eq!(run(channel.deliver(&delivery(super::tests::message("x")))).map_err(|e| e.fault), Err(DeliveryFault::Permanent));
    let (sender, shown) = std::sync::mpsc::channel();
    channel.attach(&(std::sync::Arc::new(move |title: &str, _: &str| sender.send(title.to_owned()).is_ok()) as Screen));
    assert!(run(channel.deliver(&delivery(super::tests::message("x")))).is_ok());
    assert_eq!(shown.try_recv().as_deref(), Ok("[critical] web-1: x"));
}
