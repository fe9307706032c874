//! Probes against servers that misbehave: silent, endless, slow, talking something else, badly certified.
//!
//! Every one of them must end in time with a word that says what was wrong.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::{found, found_among};
use crate::check::Finding;
use crate::model::CheckOutcome;
use crate::net::serve_tls;

/// How a server treats whoever connects.
#[derive(Clone, Copy)]
enum Manner {
    /// Takes the connection and says nothing.
    Silent,
    /// Says this at once and closes.
    Says(&'static [u8]),
    /// Says this again and again, for as long as somebody listens.
    Endless(&'static [u8]),
    /// Says these in turn, each after a line was read, and then nothing.
    Turns(&'static [&'static str]),
    /// One byte of this every 50 ms.
    Drips(&'static [u8]),
}

async fn treat(mut stream: TcpStream, manner: Manner) {
    match manner {
        Manner::Silent => {}
        Manner::Says(bytes) => {
            let _ = stream.write_all(bytes).await;
            return;
        }
        Manner::Endless(bytes) => while stream.write_all(bytes).await.is_ok() {},
        Manner::Turns(turns) => {
            for (at, turn) in turns.iter().enumerate() {
                while at > 0 && stream.read_u8().await.is_ok_and(|b| b != b'\n') {}
                let _ = stream.write_all(turn.as_bytes()).await;
            }
        }
        Manner::Drips(bytes) => {
            let mut tick = tokio::time::interval(Duration::from_millis(50));
            for byte in bytes.iter().cycle() {
                tick.tick().await;
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        }
    }
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

async fn server(manner: Manner) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream, manner));
        }
    });
    port
}

async fn soon(toml: &str) -> Finding {
    let start = Instant::now();
    let finding = found_among(toml, Duration::from_millis(700), Vec::new()).await;
    // Twice the time: both cores may be busy with other tests.
    assert!(start.elapsed() < Duration::from_secs(10), "{toml}: {:?}", start.elapsed());
    finding
}

#[tokio::test]
async fn whoever_is_silent_endless_or_slow_is_given_up_in_time() {
    for (manner, what) in [
        (Manner::Silent, "silent"),
        (Manner::Endless(b"x"), "endless"),
        (Manner::Endless(b"no\r\n"), "endless lines"),
        (Manner::Endless(b"220-no\r\n"), "endless reply"),
        (Manner::Endless(b"HTTP/1.1 200 OK\r\n"), "endless head"),
        (Manner::Endless(b"HTTP/1.1 200 OK\r\n\r\n{\"a\":"), "endless body"),
        (Manner::Drips(b"220-slow\r\n"), "slow"),
        (Manner::Drips(b"SSH"), "slow name"),
        (Manner::Says(b""), "closes"),
        (Manner::Says(b"\x00\xff\xfe garbage \r\n\r\n"), "garbage"),
    ] {
        let port = server(manner).await;
        for keys in [
            format!("type = 'http'\nurl = 'http://127.0.0.1:{port}/'\nexpect_json = 'a'"),
            format!("type = 'http'\nurl = 'https://127.0.0.1:{port}/'"),
            format!("type = 'tcp'\naddress = '127.0.0.1:{port}'\nsend = 'hello'\nexpect = 'welcome'"),
            format!("type = 'tls'\naddress = '127.0.0.1:{port}'"),
            format!("type = 'smtp'\naddress = '127.0.0.1:{port}'"),
            format!("type = 'ssh'\naddress = '127.0.0.1:{port}'"),
        ] {
            let finding = soon(&keys).await;
            assert_eq!(finding.outcome, CheckOutcome::Failed, "{what}: {keys}: {}", finding.message);
            assert!(!finding.message.is_empty() && finding.message.chars().count() < 300, "{}", finding.message);
        }
    }
}

#[tokio::test]
async fn ports_are_asked_and_their_answers_compared() {
    let port = server(Manner::Turns(&["", "+PONG\r\n"])).await;
    for (expect, outcome) in [("PONG", CheckOutcome::Ok), ("/^\\+PONG/", CheckOutcome::Ok)] {
        let keys = format!("type = 'tcp'\naddress = '127.0.0.1:{port}'\nsend = \"PING\\r\\n\"\nexpect = '{expect}'");
        let finding = found(&keys).await;
        assert_eq!(finding.outcome, outcome, "{}", finding.message);
        assert!(finding.measures.iter().any(|m| m.label == "whole"));
    }
    let port = server(Manner::Says(b"-ERR unknown\r\n")).await;
    let finding = found(&format!("type = 'tcp'\naddress = '127.0.0.1:{port}'\nexpect = 'PONG'")).await;
    assert_eq!(finding.message, "the answer does not hold what is expected: \"-ERR unknown\"");
}

#[tokio::test]
async fn datagrams_are_answered_refused_or_lost() {
    let echo = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = echo.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut bytes = [0; 2000];
        while let Ok((n, from)) = echo.recv_from(&mut bytes).await {
            let _ = echo.send_to(&bytes[..n], from).await;
        }
    });
    let keys = |port: u16, more: &str| format!("type = 'udp'\naddress = '127.0.0.1:{port}'\nsend = 'hello'\n{more}");
    assert_eq!(found(&keys(port, "expect = 'ell'")).await.outcome, CheckOutcome::Ok);
    let other = found(&keys(port, "expect = 'bye'")).await;
    assert_eq!((other.outcome, other.message.as_str()), (CheckOutcome::Failed, "5 bytes, but not what is expected"));
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let lost = soon(&keys(silent.local_addr().unwrap().port(), "")).await;
    assert!(lost.message.contains("while waiting for the answer"), "{}", lost.message);
    let free = silent.local_addr().unwrap().port();
    drop(silent);
    assert!(found(&keys(free, "")).await.message.contains("connection refused"));
}

/// A name server that answers with this after the question, under these flags.
async fn name_server(flags: [u8; 2], records: &'static [u8], n: u8) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut asked = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut asked).await {
            let question = &asked[..length];
            let answer = [&question[..2], &flags, &[0, 1, 0, n, 0, 0, 0, 0], &question[12..], records].concat();
            let _ = socket.send_to(&answer, from).await;
        }
    });
    port
}

#[tokio::test]
async fn name_servers_are_judged_by_code_and_records() {
    const RECORD: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3];
    for (flags, records, n, keys, says) in [
        ([0x81, 0x80], RECORD, 1, "", "10.1.2.3 in "),
        ([0x81, 0x80], RECORD, 1, "expect = '10.1.2.3'", "10.1.2.3 in "),
        ([0x81, 0x80], RECORD, 1, "expect = '10.9.9.9'", "example.org is 10.1.2.3, not what is expected"),
        ([0x81, 0x80], &[], 0, "", "example.org has no record A"),
        ([0x81, 0x83], &[], 0, "", "no such name (NXDOMAIN)"),
        ([0x81, 0x82], &[], 0, "", "the server failed (SERVFAIL)"),
        ([0x81, 0x80], &[0xc0], 9, "", "this is no answer to the question"),
        ([0x01, 0x00], RECORD, 1, "", "this is no answer to the question"),
    ] {
        let port = name_server(flags, records, n).await;
        let finding = found(&format!("type = 'dns'\nquery = 'example.org'\naddress = '127.0.0.1:{port}'\n{keys}")).await;
        assert!(finding.message.contains(says), "{says}: {}", finding.message);
        assert_eq!(finding.outcome == CheckOutcome::Ok, says.contains(" in "), "{says}");
    }
}

#[tokio::test]
async fn mail_and_login_servers_name_themselves() {
    const MAIL: &[&str] = &["220-mail.example.org\r\n220 ready\r\n", "250-mail\r\n250 SIZE 1000\r\n", "221 bye\r\n"];
    let mail = server(Manner::Turns(MAIL)).await;
    let finding = found(&format!("type = 'smtp'\naddress = '127.0.0.1:{mail}'")).await;
    assert!(finding.outcome == CheckOutcome::Ok && finding.message.starts_with("mail.example.orgready"), "{}", finding.message);
    let finding = found(&format!("type = 'smtp'\naddress = '127.0.0.1:{mail}'\nstarttls = true")).await;
    assert_eq!(finding, Finding::failed("the server does not offer STARTTLS"));
    let busy = server(Manner::Says(b"421 too busy\r\n")).await;
    let finding = found(&format!("type = 'smtp'\naddress = '127.0.0.1:{busy}'")).await;
    assert_eq!(finding.message, "bad answer: \"421 too busy\" while waiting for the greeting");
    for (name, keys, says) in [
        (&b"hello\r\nSSH-2.0-OpenSSH_9.2\r\n"[..], "", "SSH-2.0-OpenSSH_9.2"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "expect = 'dropbear'", "SSH-2.0-OpenSSH_9.2: not what is expected"),
        (b"SSH-1.5-old\r\n", "", "SSH-1.5-old: an old protocol"),
    ] {
        let port = server(Manner::Says(name)).await;
        let finding = found(&format!("type = 'ssh'\naddress = '127.0.0.1:{port}'\n{keys}")).await;
        assert_eq!(finding.message, says);
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| -> String {
        let bits = chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |sum, b| sum << 8 | usize::from(*b));
        let letter = |at: usize| if at <= chunk.len() { char::from(LETTERS[bits >> (18 - 6 * at) & 63]) } else { '=' };
        (0..4).map(letter).collect()
    };
    bytes.chunks(3).map(group).collect()
}

/// A server that speaks TLS with a certificate for `name` that is valid from and to these years, and its PEM.
async fn secure(name: &str, years: (i32, i32)) -> (u16, String) {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(certificate.der()));
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let port = serve_tls((vec![certificate.der().clone()], key), &[], |mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let port = port.await;
    (port, pem)
}

#[tokio::test]
async fn certificates_are_judged_by_trust_name_and_end() {
    let folder = tempfile::tempdir().unwrap();
    for (name, years, keys, outcome, says) in [
        ("localhost", (2020, 2090), "", CheckOutcome::Ok, "certificate for "),
        ("localhost", (2020, 2090), "certificate_warning = '36500d'", CheckOutcome::Warning, "; the certificate ends in "),
        ("localhost", (2020, 2021), "", CheckOutcome::Failed, "TLS: the certificate expired at 2021-01-01"),
        ("localhost", (2089, 2090), "", CheckOutcome::Failed, "TLS: the certificate is not valid yet"),
        ("example.org", (2020, 2090), "", CheckOutcome::Failed, "TLS: the certificate is not for localhost"),
        ("example.org", (2020, 2090), "server_name = 'example.org'", CheckOutcome::Ok, "certificate for "),
    ] {
        let (port, pem) = secure(name, years).await;
        let file = folder.path().join(format!("{port}.pem"));
        std::fs::write(&file, pem).unwrap();
        let trusted = format!("type = 'tls'\naddress = 'localhost:{port}'\nca_file = '{}'\n{keys}", file.display());
        let finding = found(&trusted).await;
        assert_eq!(finding.outcome, outcome, "{name} {keys}: {}", finding.message);
        assert!(finding.message.contains(says), "{name} {keys}: {}", finding.message);
        assert_eq!(finding.certificate_expires_in_seconds.map(|l| l > 0.0), Some(years.1 > 2030));
        let strange = found(&format!("type = 'tls'\naddress = 'localhost:{port}'\n{keys}")).await;
        assert_eq!(strange.outcome, CheckOutcome::Failed, "self-signed: {}", strange.message);
    }
}

#[tokio::test]
async fn files_are_judged_by_age_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    std::fs::write(&file, vec![0; 2_000_000]).unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
    for (keys, says) in [
        ("", "2 h old"),
        ("max_age = '3h'\nmin_size = '1MB'\nmax_size = '3MB'", "2 h old"),
        ("max_age = '1h'", "older than 1 h"),
        ("min_size = '3MB'", "smaller than"),
        ("max_size = '1MB'", "larger than"),
    ] {
        let finding = found(&format!("type = 'file'\npath = '{}'\n{keys}", file.display())).await;
        assert!(finding.message.contains(says), "{keys}: {}", finding.message);
        assert_eq!(finding.outcome == CheckOutcome::Ok, says == "2 h old");
    }
    let gone = found(&format!("type = 'file'\npath = '{}/gone'", folder.path().display())).await;
    assert_eq!(gone, Finding::failed("no such file"));
}

#[tokio::test]
async fn an_echo_comes_back_or_the_lack_of_a_right_is_named() {
    let finding = found("type = 'icmp'\naddress = '127.0.0.1'").await;
    let is_allowed = finding.outcome == CheckOutcome::Ok && finding.message.starts_with("echo from 127.0.0.1 in ");
    assert!(is_allowed || finding.message.contains("CAP_NET_RAW"), "{}", finding.message);
}
