//! Probes against real servers, processes and programs.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::check::{CommandLine, Finding, ProbeContext, ServiceConfig, SystemBus};
use crate::model::{CheckOutcome, Process, ProcessId, ProcessState};

mod real;
mod strangers;

async fn found_among(toml: &str, timeout: Duration, processes: Vec<Arc<Process>>) -> Finding {
    let config: ServiceConfig = toml::from_str(&format!("name = 'a'\n{toml}")).unwrap();
    let processes: Arc<[Arc<Process>]> = processes.into();
    let processes = Arc::new(move || Arc::clone(&processes));
    let context = ProbeContext { processes, bus: SystemBus::default(), timeout };
    config.ready().unwrap().probe.check(&context).await
}

async fn found(toml: &str) -> Finding {
    found_among(toml, Duration::from_secs(5), Vec::new()).await
}

/// Answers every connection with these bytes.
async fn server(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn http_judges_status_and_body() {
    let ok = server("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nstatus: fine").await;
    let broken = server("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n").await;
    let moved = server("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").await;
    for (port, keys, outcome, says) in [
        (ok, "", CheckOutcome::Ok, "200 in "),
        (ok, "expect_body = 'fine'", CheckOutcome::Ok, "200 in "),
        (ok, "expect_body = '/: f.ne$/'", CheckOutcome::Ok, "200 in "),
        (ok, "expect_body = 'well'", CheckOutcome::Failed, "does not hold"),
        (ok, "expect_status = '204'", CheckOutcome::Failed, "200, expected 204"),
        (broken, "", CheckOutcome::Failed, "500, expected 200-399"),
        (broken, "expect_status = 500", CheckOutcome::Ok, "500 in "),
        (moved, "expect_status = '301'", CheckOutcome::Ok, "301 in "),
        (moved, "", CheckOutcome::Failed, "connection refused"),
    ] {
        let finding = found(&format!("type = 'http'\nurl = 'http://127.0.0.1:{port}/'\n{keys}")).await;
        assert_eq!(finding.outcome, outcome, "{keys}: {}", finding.message);
        assert!(finding.message.contains(says), "{keys}: {}", finding.message);
        assert_eq!(finding.response.is_some(), says != "connection refused");
    }
}

#[tokio::test]
async fn tcp_connects_or_says_why_not() {
    let port = server("").await;
    let finding = found(&format!("type = 'tcp'\naddress = 'localhost:{port}'")).await;
    assert!(finding.outcome == CheckOutcome::Ok && finding.response.is_some(), "{}", finding.message);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let finding = found(&format!("type = 'tcp'\naddress = '127.0.0.1:{closed}'")).await;
    assert_eq!(finding, Finding::failed(format!("cannot connect to 127.0.0.1:{closed}: connection refused")));
}

#[tokio::test]
async fn processes_are_found_by_name_or_command() {
    let process = |pid, name: &str, command: &str, state| {
        let id = ProcessId { pid, started: 1 };
        Arc::new(Process { id, name: name.into(), command: command.into(), state, ..Process::default() })
    };
    let list = vec![
        process(1, "a-very-long-nam", "/opt/a-very-long-name --serve", ProcessState::Sleeping),
        process(2, "python3", "python3 worker.py 1", ProcessState::Running),
        process(3, "python3", "python3 worker.py 2", ProcessState::Sleeping),
        process(4, "dead", "dead", ProcessState::Zombie),
    ];
    for (wanted, outcome, message) in [
        ("a-very-long-name", CheckOutcome::Ok, "running (pid 1)"),
        ("/worker\\.py \\d/", CheckOutcome::Ok, "2 running (first pid 2)"),
        ("pytho", CheckOutcome::Failed, "not running"),
        ("dead", CheckOutcome::Failed, "1 ended and not reaped (zombie)"),
    ] {
        let finding = found_among(&format!("type = 'process'\nprocess = '{wanted}'"), Duration::from_secs(5), list.clone()).await;
        assert_eq!((finding.outcome, finding.message.as_str()), (outcome, message), "{wanted}");
    }
    assert_eq!(found("type = 'process'\nprocess = 'x'").await.message, "processes are not read yet");
}

#[tokio::test]
async fn commands_speak_as_nagios_plugins() {
    for (script, outcome, message) in [
        ("echo 'OK - all well | load=1;2;3'; echo more", CheckOutcome::Ok, "OK - all well"),
        ("echo slow; exit 1", CheckOutcome::Warning, "slow"),
        ("echo down; exit 2", CheckOutcome::Failed, "down"),
        ("echo where; exit 3", CheckOutcome::Failed, "unknown: where"),
        ("echo broken >&2; exit 7", CheckOutcome::Failed, "exit code 7: broken"),
        ("exit 2", CheckOutcome::Failed, "exit code 2 (critical)"),
        ("", CheckOutcome::Ok, "exit code 0"),
        ("kill -9 $$", CheckOutcome::Failed, "ended by signal 9"),
        ("printf '\\033[31mred\\377\\n'", CheckOutcome::Ok, "[31mred\u{fffd}"),
        ("echo ok; sleep 1000 &", CheckOutcome::Ok, "ok"),
    ] {
        let config = toml::to_string(&ServiceConfig {
            command: Some(CommandLine(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()])),
            ..ServiceConfig::new("a", "command")
        })
        .unwrap();
        let finding = found(config.strip_prefix("name = \"a\"\n").unwrap()).await;
        assert_eq!((finding.outcome, finding.message.as_str()), (outcome, message), "{script}");
    }
    let gone = found("type = 'command'\ncommand = 'no-such-program-here'").await;
    assert_eq!(gone, Finding::failed("cannot run no-such-program-here: no such file"));
}

#[tokio::test]
async fn a_command_that_writes_without_end_is_cut_off() {
    let finding = found("type = 'command'\ncommand = 'yes fine'").await;
    assert_eq!((finding.outcome, finding.message.as_str()), (CheckOutcome::Failed, "ended by signal 13"));
}

#[tokio::test]
async fn a_hung_command_is_killed_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let script = format!("sleep 1000 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", file.display());
    let config = format!("type = 'command'\ncommand = [\"sh\", \"-c\", \"{script}\"]");
    let finding = found_among(&config, Duration::from_secs(2), Vec::new()).await;
    assert_eq!(finding, Finding::failed("no end within 2 s; killed"));
    let pids = std::fs::read_to_string(&file).unwrap();
    assert_eq!(pids.split_whitespace().count(), 2);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    for pid in pids.split_whitespace() {
        // Dead: gone, or a zombie whose parent has not looked yet. The kernel needs a moment for it.
        let is_dead = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ")
        };
        while !is_dead() {
            assert!(std::time::Instant::now() < deadline, "{pid} lives on");
            tokio::task::yield_now().await;
        }
    }
}

fn words(text: &str) -> Option<Vec<String>> {
    serde_json::from_value::<CommandLine>(text.into()).ok().map(|c| c.0)
}

#[test]
fn a_command_line_is_split_as_a_shell_would() {
    for (text, parts) in [
        ("a -b  c", &["a", "-b", "c"][..]),
        ("a 'b c' \"d e\"f", &["a", "b c", "d ef"]),
        ("a '' \\ b", &["a", "", " b"]),
        ("a \"\\\"\" '\\'", &["a", "\"", "\\"]),
        ("a $HOME *", &["a", "$HOME", "*"]),
        ("", &[]),
    ] {
        assert_eq!(words(text).unwrap(), parts, "{text}");
    }
    for text in ["a 'b", "\"", "a\\"] {
        assert_eq!(words(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn quoted_words_are_read_back(parts in prop::collection::vec("[^']{0,6}", 1..5)) {
        let text = parts.iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(&text), Some(parts));
    }

    #[test]
    fn no_command_line_makes_it_panic(text in "\\PC*") {
        let _ = words(&text);
    }
}
