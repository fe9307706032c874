//! Channels against real servers: SMTP with TLS and a password, and Prometheus Alertmanager.
//!
//! Run with `FAROL_SLOW=1`; a server that is not installed is named. Invariant: every server is ended by its test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::tests::{about, alert, delivery, message, opened, report, run};
use super::*;

/// Whether the slow tests are wanted.
fn slow() -> bool {
    let wanted = std::env::var_os("FAROL_SLOW").is_some_and(|v| v == "1");
    if !wanted {
        eprintln!("not run: needs FAROL_SLOW=1 and real servers");
    }
    wanted
}

/// A program that is killed when its test ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server of aiosmtpd that takes one user and prints each mail as a line of JSON; `mode` is starttls or tls.
const SMTPD: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

folder, mode = sys.argv[1:3]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(folder + '/server.pem', folder + '/server.key')

class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({'to': envelope.rcpt_tos, 'tls': session.ssl is not None or mode == 'tls', 'headers': dict(mail.items()),
            'parts': [part.get_content_type() for part in mail.walk()],
            'text': mail.get_body(('plain',)).get_content() if hasattr(mail, 'get_body') else '',
            'files': [[part.get_filename(), part.get_payload(decode=True).hex()] for part in mail.walk() if part.get_filename()]}), flush=True)
        return '250 taken'

def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b'farol' and data.password == b'right', handled=False)

async def main():
    loop = asyncio.get_running_loop()
    more = dict(require_starttls=True, tls_context=tls) if mode == 'starttls' else dict(auth_require_tls=False)
    make = lambda: SMTP(Handler(), authenticator=login, auth_required=True, loop=loop, **more)
    server = await loop.create_server(make, '127.0.0.1', 0, ssl=tls if mode == 'tls' else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

/// A certificate of 127.0.0.1 that is its own authority.
fn certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let pem = |kind: &str, der: &[u8]| format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", crate::net::base64(der));
    std::fs::write(folder.join("server.pem"), pem("CERTIFICATE", made.cert.der())).expect("a file");
    std::fs::write(folder.join("server.key"), pem("PRIVATE KEY", &made.signing_key.serialize_der())).expect("a file");
}

/// Starts it; `None` where it is not installed. Gives its port and what it prints.
fn smtpd(folder: &Path, mode: &str) -> Option<(Server, u16, impl Iterator<Item = String> + use<>)> {
    // The system's, for which the Debian package is.
    let system = "/usr/bin/python3";
    let mut command = Command::new(if Path::new(system).exists() { system } else { "python3" });
    command.args(["-c", SMTPD]).arg(folder).arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let server = Server(child);
    let Some(port) = lines.next().and_then(|line| line.parse().ok()) else {
        eprintln!("not run: python3-aiosmtpd is not installed");
        return None;
    };
    Some((server, port, lines))
}

#[test]
fn a_real_mail_server_takes_mails_by_tls_with_the_right_password_only() {
    if !slow() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    certificate(folder.path());
    for mode in ["starttls", "tls"] {
        let Some((_server, port, mut mails)) = smtpd(folder.path(), mode) else { return };
        let settings = |ca: bool| {
            let mut settings = json!({"server": "127.0.0.1", "port": port, "security": mode, "from": "farol@web-1.test",
                "to": ["ana@test.test"], "user": "farol", "password_file": "password", "timeout": "10s"});
            if ca {
                settings["ca_file"] = json!(folder.path().join("server.pem"));
            }
            opened("email", &settings, folder.path())
        };
        std::fs::write(folder.path().join("password"), "wrong\n").expect("a file");
        let error = run(settings(true).deliver(&delivery(message("x")))).expect_err("a wrong password");
        assert!(error.fault == DeliveryFault::Permanent && error.text.contains("is the password right?"), "{mode}: {error:?}");
        std::fs::write(folder.path().join("password"), "right\n").expect("a file");
        assert!(run(settings(false).deliver(&delivery(message("x")))).is_err(), "{mode}: a stranger's certificate");
        assert!(run(settings(true).verify()).is_ok(), "{mode}");
        let mut ids = Vec::new();
        for reason in [Reason::Fired, Reason::Reminder(1), Reason::Resolved] {
            let sent = run(settings(true).deliver(&delivery(about(alert("7k", "memory\r\nBcc: eve@test.test"), reason))));
            assert!(sent.is_ok(), "{mode}: {sent:?}");
            let mail: Value = serde_json::from_str(&mails.next().expect("a mail")).expect("JSON");
            assert_eq!((&mail["to"], &mail["tls"]), (&json!(["ana@test.test"]), &json!(true)), "{mode}: nobody was added");
            assert_eq!(mail["parts"], json!(["multipart/alternative", "text/plain", "text/html"]));
            ids.push((mail["headers"]["Message-ID"].clone(), mail["headers"]["References"].clone()));
        }
        let file: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        let sent = run(settings(true).deliver(&delivery(report(folder.path(), &file))));
        assert!(sent.is_ok(), "{mode}: {sent:?}");
        let mail: Value = serde_json::from_str(&mails.next().expect("a mail")).expect("JSON");
        let types = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf"];
        assert_eq!(mail["parts"], json!(types));
        let hex: String = file.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(mail["files"], json!([["farol-web-1.pdf", hex]]), "byte by byte");
        let text = mail["text"].as_str().expect("a text");
        assert!(text.contains("- ● No service was down.") && text.contains("farol reports export daily-1"), "{text}");
        assert_eq!(mail["headers"]["Subject"], "[report] web-1: daily performance report");
        assert_eq!((&ids[1].1, &ids[2].1), (&ids[0].0, &ids[0].0), "one thread");
        assert_ne!(ids[1].0, ids[2].0);
    }
}

/// Alertmanager on a port of its own; `None` where it is not installed.
fn alertmanager(folder: &Path) -> Option<(Server, String)> {
    std::fs::write(folder.join("am.yml"), "route:\n  receiver: none\nreceivers:\n- name: none\n").expect("a file");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let mut command = Command::new("prometheus-alertmanager");
    command.arg(format!("--config.file={}", folder.join("am.yml").display()));
    command.arg(format!("--storage.path={}", folder.display()));
    command.args([format!("--web.listen-address=127.0.0.1:{port}"), "--cluster.listen-address=".to_owned()]);
    let Ok(child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        eprintln!("not run: prometheus-alertmanager is not installed");
        return None;
    };
    Some((Server(child), format!("http://127.0.0.1:{port}")))
}

/// Asks until an answer fits.
fn until(what: &str, mut fits: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !fits() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn a_real_alertmanager_shows_alerts_while_they_fire_and_no_longer() {
    if !slow() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_server, url)) = alertmanager(folder.path()) else { return };
    let channel: Arc<dyn Channel> = opened("alertmanager", &json!({"url": url}), folder.path());
    until("an answer", || run(channel.verify()).is_ok());
    let active = || -> Vec<Value> {
        let request = crate::net::Request::get(format!("{url}/api/v2/alerts"));
        let response = run(crate::net::Client::default().send(&request)).expect("an answer");
        serde_json::from_slice(&response.body).expect("a list")
    };
    let mut firing = alert("7k", "memory 91% > 85%");
    firing.labels.insert("bad-name".to_owned(), "x".to_owned());
    firing.fired_at = Some(crate::base::Timestamp::now());
    let told = about(firing.clone(), Reason::Fired);
    assert!(run(channel.deliver(&delivery(told.clone()))).is_ok());
    assert!(run(channel.deliver(&delivery(told))).is_ok(), "posted again it is the same alert");
    until("it is active", || active().len() == 1);
    let shown = active().remove(0);
    assert_eq!((&shown["labels"]["alertname"], &shown["labels"]["bad_name"]), (&json!("memory"), &json!("x")));
    firing.resolved_at = Some(crate::base::Timestamp::now());
    assert!(run(channel.deliver(&delivery(about(firing, Reason::Resolved)))).is_ok());
    until("it is over", || active().is_empty());
}
