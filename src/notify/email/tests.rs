//! The e-mail channel against a strict server on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use super::*;
use crate::notify::tests::{delivery, message, opened, run};

/// What the server says and when it refuses.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    /// 550 to the recipient.
    Refuses,
    /// 451 after the final dot.
    Later,
    /// Hangs up after the final dot.
    Leaves,
}

/// One session: its commands and the text it got, headers included.
#[derive(Default)]
struct Session {
    commands: Vec<String>,
    text: String,
}

/// A server for one session that refuses whatever is not SMTP as RFC 5321 has it.
fn server(mood: Mood, extensions: &'static [&'static str]) -> (u16, JoinHandle<Session>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let handle = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut session = Session::default();
        let reader = BufReader::new(stream.try_clone().expect("a clone"));
        talk((reader, stream), mood, extensions, &mut session);
        session
    });
    (port, handle)
}

fn talk((mut reader, mut stream): (impl BufRead, impl Write), mood: Mood, extensions: &[&str], session: &mut Session) {
    stream.write_all(b"220 test ESMTP\r\n").and_then(|()| stream.flush()).expect("a greeting");
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        assert!(line.ends_with("\r\n"), "{line:?}");
        let line = line.trim_end().to_owned();
        let answer = match line.split([' ', ':']).next().unwrap_or("").to_uppercase().as_str() {
            "EHLO" => {
                let more: Vec<String> = extensions.iter().map(|e| format!("250-{e}\r\n")).collect();
                format!("250-test\r\n{}250 8BITMIME\r\n", more.concat())
            }
            "RCPT" if mood == Mood::Refuses => "550 no such user\r\n".to_owned(),
            "AUTH" => "235 welcome\r\n".to_owned(),
            "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 fine\r\n".to_owned(),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").expect("an answer");
                while let Some(text) = data_line(&mut reader) {
                    session.text.push_str(&text);
                }
                match mood {
                    Mood::Leaves => return,
                    Mood::Later => "451 try later\r\n".to_owned(),
                    Mood::Takes | Mood::Refuses => "250 taken\r\n".to_owned(),
                }
            }
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "500 what\r\n".to_owned(),
        };
        let ended = line.eq_ignore_ascii_case("QUIT");
        session.commands.push(line);
        if stream.write_all(answer.as_bytes()).is_err() || ended {
            return;
        }
    }
}

/// A line of the message without dot stuffing; `None` at the final dot.
fn data_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    if line == ".\r\n" { None } else { Some(line.strip_prefix('.').map_or(line.clone(), str::to_owned)) }
}

fn email(port: u16, more: &Value) -> Arc<dyn Channel> {
    let mut settings = serde_json::json!({
        "server": "127.0.0.1", "port": port, "from": "farol <farol@web-1.test>", "to": ["ana@test.test", "bo@test.test"], "timeout": "5s",
    });
    let map = settings.as_object_mut().expect("a table");
    map.extend(more.as_object().expect("a table").clone());
    opened("email", &settings, Path::new("/"))
}

fn send(mood: Mood, extensions: &'static [&'static str], more: Value) -> (Result<Receipt, DeliveryError>, Session) {
    let (port, handle) = server(mood, extensions);
    let result = run(email(port, &more).deliver(&delivery(message("memory 91% > 85%"))));
    (result, handle.join().expect("the server"))
}

#[test]
fn a_mail_goes_to_every_recipient_and_counts_once_it_is_taken() {
    let (result, session) = send(Mood::Takes, &[], serde_json::json!({"security": "plain"}));
    assert_eq!(result, Ok(Receipt::new("250 taken")));
    let recipients: Vec<&String> = session.commands.iter().filter(|c| c.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<ana@test.test>", "RCPT TO:<bo@test.test>"]);
    let text = session.text.replace("=\r\n", "");
    for part in [
        "From: farol <farol@web-1.test>",
        "Subject: [critical] web-1: memory 91% > 85%",
        "Message-ID: <farol.web-1.7k.alert@web-1.test>",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/html",
        "value: 91%",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn only_a_servers_final_no_is_final() {
    for (mood, fault, hint) in [
        (Mood::Refuses, DeliveryFault::Permanent, "550"),
        (Mood::Later, DeliveryFault::Transient, "451"),
        (Mood::Leaves, DeliveryFault::Transient, "127.0.0.1"),
    ] {
        let (result, _) = send(mood, &[], serde_json::json!({"security": "plain"}));
        let error = result.expect_err(hint);
        assert!(error.fault == fault && error.text.contains(hint), "{error:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let error =
        run(email(closed, &serde_json::json!({"security": "plain"})).deliver(&delivery(message("x")))).expect_err("nobody there");
    assert_eq!(error.fault, DeliveryFault::Transient);
}

#[test]
fn a_report_is_attached_and_what_it_says_in_short_is_in_the_body() {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, handle) = server(Mood::Takes, &[]);
    let mail = delivery(crate::notify::tests::report(folder.path(), b"%PDF-1.7\x00\xff"));
    assert!(run(email(port, &serde_json::json!({"security": "plain"})).deliver(&mail)).is_ok());
    let text = handle.join().expect("the server").text;
    for part in
        ["multipart/mixed", "filename=\"farol-web-1.pdf\"", "application/pdf", "JVBERi0xLjcA/w=", "&lt;b&gt;1&lt;/b&gt; critical"]
    {
        assert!(text.replace("=\r\n", "").contains(part), "{part} is not in {text}");
    }
    std::fs::remove_file(folder.path().join("daily-1.pdf")).expect("there");
    let error = run(email(port, &serde_json::json!({"security": "plain"})).deliver(&mail)).expect_err("it is gone");
    assert_eq!(error.fault, DeliveryFault::Permanent);
}

#[test]
fn without_the_tls_it_requires_nothing_is_sent() {
    let (result, session) = send(Mood::Takes, &["AUTH PLAIN LOGIN"], serde_json::json!({}));
    assert!(result.is_err_and(|e| e.text.contains("STARTTLS")), "STARTTLS is required by default");
    assert!(
        session.text.is_empty() && !session.commands.iter().any(|c| c.starts_with("MAIL") || c.starts_with("AUTH")),
        "{:?}",
        session.commands
    );
}

#[test]
fn passwords_come_from_files_and_commands_and_are_never_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, "sécret\n").expect("a file");
    for source in [serde_json::json!({"password_file": file}), serde_json::json!({"password_command": "echo sécret"})] {
        let mut more = serde_json::json!({"security": "plain", "user": "farol"});
        more.as_object_mut().expect("a table").extend(source.as_object().expect("a table").clone());
        let (result, session) = send(Mood::Takes, &["AUTH PLAIN"], more);
        assert_eq!(result, Ok(Receipt::new("250 taken")));
        // base64 of NUL farol NUL sécret.
        assert!(session.commands.iter().any(|c| c == "AUTH PLAIN AGZhcm9sAHPDqWNyZXQ="), "{:?}", session.commands);
    }
    let more = serde_json::json!({"security": "plain", "user": "farol", "password_command": "echo sécret; exit 3"});
    let error = run(email(1, &more).deliver(&delivery(message("x")))).expect_err("a failed command");
    assert!(error.text.contains("password_command") && !error.text.contains("sécret"), "{error:?}");
}

fn openssl(folder: &Path, arguments: &str) -> Option<bool> {
    let mut status = Command::new("openssl");
    status.args(arguments.split_whitespace()).current_dir(folder);
    status.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok().map(|s| s.success())
}

/// A certificate authority and a server's certificate of it; false where `openssl` is not installed.
fn certificates(folder: &Path) -> bool {
    std::fs::write(folder.join("san"), "subjectAltName=IP:127.0.0.1\n").expect("a file");
    let steps = [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 30",
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj /CN=mail",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out server.pem -days 30",
    ];
    if openssl(folder, "version").is_none() {
        eprintln!("not run: openssl is not installed");
        return false;
    }
    steps.iter().for_each(|step| assert_eq!(openssl(folder, step), Some(true), "{step}"));
    true
}

/// A TLS end for one session whose decrypted bytes are its input and output.
fn tls_end(folder: &Path) -> (u16, Child) {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let mut command = Command::new("openssl");
    command.args(["s_server", "-quiet", "-cert", "server.pem", "-key", "server.key", "-naccept", "1"]);
    command.args(["-accept", &format!("127.0.0.1:{port}")]).current_dir(folder);
    (port, command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server"))
}

fn send_by_tls(folder: &Path, more: Value) -> (Result<Receipt, DeliveryError>, Session) {
    let (port, mut end) = tls_end(folder);
    let (input, output) = (end.stdin.take().expect("input"), BufReader::new(end.stdout.take().expect("output")));
    let handle = std::thread::spawn(move || {
        let mut session = Session::default();
        talk((output, input), Mood::Takes, &[], &mut session);
        session
    });
    let channel = email(port, &more);
    let mut result = run(channel.deliver(&delivery(message("x"))));
    // Until it listens.
    while result.as_ref().is_err_and(|e| e.text.contains("Connection refused")) {
        std::thread::yield_now();
        result = run(channel.deliver(&delivery(message("x"))));
    }
    let _ = end.kill();
    let _ = end.wait();
    (result, handle.join().expect("the server"))
}

#[test]
fn tls_is_spoken_only_with_a_server_that_is_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    if !certificates(folder.path()) {
        return;
    }
    let (result, session) =
        send_by_tls(folder.path(), serde_json::json!({"security": "tls", "ca_file": folder.path().join("ca.pem")}));
    assert_eq!(result, Ok(Receipt::new("250 taken")));
    assert!(session.text.contains("Subject: [critical] web-1: x"), "{}", session.text);
    let (result, session) = send_by_tls(folder.path(), serde_json::json!({"security": "tls"}));
    assert!(result.is_err_and(|e| e.fault == DeliveryFault::Transient), "a stranger's certificate");
    assert!(session.commands.is_empty(), "{:?}", session.commands);
}
