//! Probes against servers as they are installed: nginx, OpenSSH and dnsmasq.
//!
//! Run with `FAROL_SLOW=1`; a server that is not installed is named. Invariant: every server is ended by its test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::found;
use crate::check::Finding;
use crate::model::CheckOutcome;

/// A server with a folder of its own, ended when its test ends.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, where slow tests are wanted and it is installed.
fn installed(program: &str) -> Option<PathBuf> {
    if std::env::var_os("FAROL_SLOW").is_none_or(|v| v != "1") {
        eprintln!("not run: needs FAROL_SLOW=1 and {program}");
        return None;
    }
    let found = ["/usr/sbin", "/usr/bin"].iter().map(|folder| Path::new(folder).join(program)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("not run: {program} is not installed");
    }
    found
}

/// A port that was free a moment ago, for servers that cannot choose one and say which.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts one; `args` are made of its folder and its port.
    fn start(program: &Path, args: impl FnOnce(&Path, u16) -> Vec<String>) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let args = args(folder.path(), port);
        let child = Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { child: child.unwrap(), folder, port }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// Checks until it is well, which a server that starts is after a while.
async fn well(toml: &str) -> Finding {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let finding = found(toml).await;
        if finding.outcome == CheckOutcome::Ok || Instant::now() > deadline {
            assert_eq!(finding.outcome, CheckOutcome::Ok, "{toml}: {}", finding.message);
            return finding;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn failed(toml: &str, says: &str) {
    let finding = found(toml).await;
    assert_eq!(finding.outcome, CheckOutcome::Failed, "{toml}: {}", finding.message);
    assert!(finding.message.contains(says), "{toml}: {}", finding.message);
}

/// A certificate of 127.0.0.1 that is its own authority.
fn certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let pem = |kind: &str, der: &[u8]| format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", crate::net::base64(der));
    std::fs::write(folder.join("cert.pem"), pem("CERTIFICATE", made.cert.der())).unwrap();
    std::fs::write(folder.join("key.pem"), pem("PRIVATE KEY", &made.signing_key.serialize_der())).unwrap();
}

/// A site with a health page, a redirect to it, and a page that is missing.
const SITE: &str = r#"
daemon off;
master_process off;
pid FOLDER/pid;
error_log FOLDER/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT ssl http2;
        ssl_certificate FOLDER/cert.pem;
        ssl_certificate_key FOLDER/key.pem;
        location = /health { default_type application/json; return 200 '{"status": "up", "queue": 3}'; }
        location = /old { return 301 /health; }
        location = /spoken { return 200 '$server_protocol'; }
        location / { return 404 "nothing here"; }
    }
}
"#;

#[tokio::test]
async fn nginx_is_judged_by_status_redirect_body_and_certificate() {
    let Some(nginx) = installed("nginx") else { return };
    let server = Server::start(&nginx, |folder, port| {
        certificate(folder);
        let site = SITE.replace("FOLDER", &folder.display().to_string()).replace("PORT", &port.to_string());
        let file = folder.join("nginx.conf");
        std::fs::write(&file, site).unwrap();
        vec!["-p".to_owned(), folder.display().to_string(), "-c".to_owned(), file.display().to_string()]
    });
    let page = |page: &str, more: &str| {
        let ca = server.path("cert.pem");
        format!("type = 'http'\nurl = 'https://127.0.0.1:{}{page}'\nca_file = '{ca}'\n{more}", server.port)
    };
    let healthy = well(&page("/health", "expect_json = 'status == \"up\"'\nexpect_headers = { Server = 'nginx' }")).await;
    assert!(healthy.certificate_expires_in_seconds.is_some_and(|left| left > 86_400.0));
    well(&page("/old", "expect_body = '\"queue\": 3'")).await;
    well(&page("/old", "expect_status = 301")).await;
    well(&page("/spoken", "expect_body = 'HTTP/2.0'")).await;
    failed(&page("/none", ""), "404, expected 200-399").await;
    failed(&page("/health", "expect_json = 'queue < 3'"), "200, but").await;
    failed(&format!("type = 'http'\nurl = 'https://127.0.0.1:{}/health'", server.port), "certificate").await;
    let shown = format!("type = 'tls'\naddress = '127.0.0.1:{}'\nca_file = '{}'", server.port, server.path("cert.pem"));
    well(&shown).await;
}

#[tokio::test]
async fn openssh_names_itself() {
    let (Some(sshd), Some(keygen)) = (installed("sshd"), installed("ssh-keygen")) else { return };
    if std::fs::create_dir_all("/run/sshd").is_err() {
        return eprintln!("not run: sshd wants /run/sshd, which only root can make");
    }
    let server = Server::start(&sshd, |folder, port| {
        let key = folder.join("key").display().to_string();
        let made = Command::new(keygen).args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status().unwrap();
        assert!(made.success());
        let listen = format!("ListenAddress=127.0.0.1:{port}");
        let options = ["-D", "-e", "-f", "/dev/null", "-h", &key, "-o", &listen, "-o", "PidFile=none"];
        options.map(str::to_owned).to_vec()
    });
    let address = format!("type = 'ssh'\naddress = '127.0.0.1:{}'\n", server.port);
    let finding = well(&format!("{address}expect = 'OpenSSH'")).await;
    assert!(finding.message.starts_with("SSH-2.0-OpenSSH"), "{}", finding.message);
    failed(&format!("{address}expect = 'dropbear'"), "not what is expected").await;
}

#[tokio::test]
async fn dnsmasq_answers_with_its_records() {
    let Some(dnsmasq) = installed("dnsmasq") else { return };
    let server = Server::start(&dnsmasq, |folder, port| {
        let pid = format!("--pid-file={}", folder.join("pid").display());
        let port = format!("--port={port}");
        let own = ["--keep-in-foreground", "--conf-file=/dev/null", "--listen-address=127.0.0.1", "--bind-interfaces"];
        let only = ["--no-resolv", "--no-hosts", "--local=/test/", "--host-record=farol.test,10.1.2.3", "--user=root"];
        // Longer than a datagram holds without extensions: the rest is asked for over TCP.
        let long = (0..5).map(|n| format!("--txt-record=long.test,{n}{}", "x".repeat(200)));
        own.iter().chain(&only).map(|s| (*s).to_owned()).chain([pid, port]).chain(long).collect()
    });
    let ask = |query: &str, more: &str| format!("type = 'dns'\naddress = '127.0.0.1:{}'\nquery = '{query}'\n{more}", server.port);
    well(&ask("farol.test", "expect = '10.1.2.3'")).await;
    well(&ask("long.test", "record = 'TXT'\nexpect = '4xxx'")).await;
    failed(&ask("farol.test", "expect = '10.9.9.9'"), "10.1.2.3").await;
    failed(&ask("none.test", ""), "NXDOMAIN").await;
}
