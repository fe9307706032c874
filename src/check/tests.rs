//! Configuration, schedule, discovery and the unit probe, each against real counterparts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::discover::units;
use super::*;
use crate::model::{CheckOutcome, CheckResult, Host, Process, ProcessId, ServiceState};

fn config(toml: &str) -> Result<Service, String> {
    toml::from_str::<ServiceConfig>(toml).map_err(|e| e.to_string())?.ready().map_err(|e| e.to_string())
}

fn no_processes() -> ProcessView {
    Arc::new(|| Arc::new([]))
}

#[test]
fn every_kind_is_made_from_its_own_keys() {
    for (keys, target) in [
        (
            "type = 'http'\nurl = 'https://me:secret@example.org/x'\nexpect_status = [200, '300-399']\nexpect_body = '/ok/'",
            "https://example.org/x",
        ),
        ("type = 'tcp'\naddress = '[::1]:22'\nsend = 'PING'\nexpect = '/PONG/'", "[::1]:22"),
        ("type = 'udp'\naddress = 'a:123'\nsend = 'x'", "a:123"),
        ("type = 'tls'\naddress = 'example.org'\ncertificate_warning = '10d'", "example.org:443"),
        ("type = 'dns'\nquery = 'example.org'\nrecord = 'mx'\naddress = '::1'", "example.org MX at ::1:53"),
        ("type = 'icmp'\naddress = 'gateway'", "gateway"),
        ("type = 'smtp'\naddress = 'mail'\nstarttls = true", "mail:25"),
        ("type = 'ssh'\naddress = 'a:2222'", "a:2222"),
        ("type = 'file'\npath = '/var/backups/x'\nmax_age = '26h'\nmin_size = '1MB'", "/var/backups/x"),
        ("type = 'process'\nprocess = 'nginx'", "nginx"),
        ("type = 'systemd'\nunit = 'nginx'", "nginx.service"),
        ("type = 'command'\ncommand = \"check_load -w '5 4'\"", "check_load"),
    ] {
        let service = config(&format!("name = 'a'\nslo = '99.9%'\n{keys}")).unwrap();
        assert_eq!(
            (service.target.as_str(), service.interval, service.retry),
            (target, Duration::from_secs(10), Duration::from_secs(5))
        );
        assert!(service.slo.is_some_and(|s| (s - 0.999).abs() < 1e-9));
    }
}

#[test]
fn mistakes_name_the_service_and_the_key() {
    for (keys, says) in [
        ("type = 'htp'\nurl = 'http://a'", "service \"a\": type: \"htp\" is unknown; did you mean http?"),
        ("type = 'http'", "service \"a\": url: is missing; type http needs it"),
        ("type = 'http'\nurl = 'example.org'", "url: \"example.org\" is no URL"),
        ("url = 'http://a'", "type: is missing; write one of http, tcp"),
        ("type = 'http'\nurl = 'http://a'\nmethod = 'G T'", "method: \"G T\" is no method"),
        ("type = 'http'\nurl = 'http://a'\nheaders = { 'a b' = 'c' }", "headers: \"a b\" is no header name"),
        ("type = 'http'\nurl = 'http://a'\nexpect_json = 'a <'", "expect_json: \"a <\" is no condition"),
        ("type = 'udp'\naddress = 'a:1'", "send: is missing; type udp needs it"),
        ("type = 'dns'\nquery = 'a'\nrecord = 'AAA'", "record: \"AAA\" is unknown; did you mean AAAA?"),
        ("type = 'dns'\nquery = 'a..b'", "query: \"a..b\" is no name"),
        ("type = 'icmp'\naddress = 'a:80'", "address: a machine is asked, not a port"),
        ("type = 'file'\npath = 'x'", "path: \"x\" must begin with /"),
        ("type = 'file'\npath = '/x'\nmin_size = '5s'", "min_size"),
        ("type = 'ssh'\naddress = 'a'\nheaders = { a = 'b' }", "headers: is not used by type ssh; it uses address, expect"),
        ("type = 'ssh'\naddress = 'a'\nmaintenance = [{ from = '2', for = '1h' }]", "maintenance: from: \"2\" is no time"),
        ("type = 'http'\nurl = 'http://a'\nexpect_body = '/(/'", "expect_body: /(/ is no regular expression"),
        ("type = 'http'\nurl = 'http://a'\nexpect_status = 'fine'", "no set of HTTP status codes"),
        ("type = 'tcp'\naddress = 'a'", "address: \"a\" is no address"),
        ("type = 'tcp'\naddress = '::1:22'", "no address"),
        ("type = 'tcp'\naddress = 'a:1'\nurl = 'http://a'", "url: is not used by type tcp; it uses address, send, expect"),
        ("type = 'tcp'\naddress = 'a:1'\ninterval = '1ms'", "interval: must be at least 100ms"),
        ("type = 'tcp'\naddress = 'a:1'\nfail_after = 0", "fail_after: must be at least 1"),
        ("type = 'tcp'\naddress = 'a:1'\nslo = '120%'", "slo: must lie between"),
        ("type = 'systemd'\nunit = '*'", "unit: \"*\" is no unit"),
        ("type = 'command'\ncommand = []", "command: is missing"),
        ("type = 'command'\ncommand = \"a 'b\"", "a quote in the command"),
        ("type = 'tcp'\naddres = 'a:1'", "unknown field `addres`"),
        ("type = 'tcp'\naddress = 'a:1'\ntimeout = 5", "timeout"),
    ] {
        let error = config(&format!("name = 'a'\n{keys}")).err().unwrap_or_default();
        assert!(error.contains(says), "{keys}: {error}");
    }
    let twice = [ServiceConfig::new("a", "process"), ServiceConfig::new("a", "process")];
    let needing = |name: &str, needs: &str| ServiceConfig {
        process: Some("x".to_owned()),
        depends_on: vec![needs.to_owned()],
        ..ServiceConfig::new(name, "process")
    };
    let unknown = services(&[needing("web", "roter"), ServiceConfig::new("router", "process")]).err().map(|e| e.message);
    assert_eq!(unknown.as_deref(), Some("there is no service \"roter\"; did you mean router?"));
    let circle = services(&[needing("a", "b"), needing("b", "c"), needing("c", "a")]).err().map(|e| e.message);
    assert_eq!(circle.as_deref(), Some("a service cannot wait for itself: a → b → c → a"));
    assert!(services(&twice).err().is_some_and(|e| e.key == "name" && e.message.contains("twice")));
}

#[test]
fn a_configuration_is_written_as_it_is_read() {
    let text = "name = 'a'\ntype = 'http'\nurl = 'http://a/'\nexpect_status = 200\ncertificate_warning = '1h'\ncommand = 'a b'";
    let config: ServiceConfig = toml::from_str(text).unwrap();
    assert_eq!(toml::from_str::<ServiceConfig>(&toml::to_string(&config).unwrap()), Ok(config));
}

/// Finds what its script says and takes its time over it.
struct Scripted {
    outcomes: Mutex<Vec<CheckOutcome>>,
    takes: Duration,
}

impl Probe for Scripted {
    fn check<'a>(&'a self, _: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async {
            tokio::time::sleep(self.takes).await;
            let outcome = self.outcomes.lock().unwrap().pop().unwrap_or(CheckOutcome::Ok);
            assert!(outcome != CheckOutcome::Warning, "made to panic");
            Finding { outcome, ..Finding::ok(self.takes, "scripted") }
        })
    }

    fn target(&self) -> String {
        "script".to_owned()
    }
}

fn scripted(name: &str, takes: Duration, outcomes: &[CheckOutcome]) -> Service {
    let service = ServiceConfig { process: Some("x".to_owned()), ..ServiceConfig::new(name, "process") }.ready().unwrap();
    Service { probe: Arc::new(Scripted { outcomes: Mutex::new(outcomes.to_vec()), takes }), ..service }
}

type Log = Arc<Mutex<Vec<(u64, CheckResult)>>>;

/// Runs services and notes each result with the second it came at.
fn started(services: Vec<Service>) -> (Checker, Log) {
    let log = Log::default();
    let (own, start) = (Arc::clone(&log), Instant::now());
    let on_result: OnResult = Arc::new(move |r| own.lock().unwrap().push((start.elapsed().as_secs(), r)));
    (Checker::spawn(&tokio::runtime::Handle::current(), services, no_processes(), on_result), log)
}

fn seconds(log: &Log, name: &str) -> Vec<u64> {
    log.lock().unwrap().iter().filter(|(_, r)| r.service == name).map(|(at, _)| *at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_service_is_checked_at_its_interval_and_sooner_while_it_fails() {
    use CheckOutcome::{Failed, Ok};
    let service = scripted("a", Duration::ZERO, &[Ok, Failed, Failed, Ok]);
    let (checker, log) = started(vec![service]);
    tokio::time::sleep(Duration::from_millis(41_500)).await;
    assert_eq!(seconds(&log, "a"), [0, 10, 15, 20, 30, 40]);
    checker.stop();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(log.lock().unwrap().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn first_checks_are_spread_and_a_wish_is_met_at_once() {
    let (checker, log) = started(vec![scripted("a", Duration::ZERO, &[]), scripted("b", Duration::ZERO, &[])]);
    tokio::time::sleep(Duration::from_millis(4500)).await;
    assert_eq!((seconds(&log, "a"), seconds(&log, "b")), (vec![0], vec![1]));
    assert!(checker.check_now("b") && !checker.check_now("c"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(seconds(&log, "b"), [1, 4]);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!((seconds(&log, "a"), seconds(&log, "b")), (vec![0, 10], vec![1, 4]));
}

#[tokio::test(start_paused = true)]
async fn what_a_failing_service_needs_is_checked_with_it_but_no_more_often_than_its_retry() {
    use CheckOutcome::Failed;
    let needed = Service { interval: Duration::from_secs(60), ..scripted("router", Duration::ZERO, &[]) };
    let failing = scripted("web", Duration::ZERO, &[Failed; 100]);
    let failing = Service { retry: Duration::from_secs(1), depends_on: vec!["router".to_owned()], ..failing };
    let (_checker, log) = started(vec![needed, failing]);
    tokio::time::sleep(Duration::from_millis(21_500)).await;
    assert_eq!(seconds(&log, "router"), [0, 5, 10, 15, 20]);
    assert!(seconds(&log, "web").len() > 15);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_or_panics_fails_its_own_service_only() {
    let (_checker, log) = started(vec![
        scripted("hangs", Duration::from_secs(1000), &[]),
        scripted("panics", Duration::ZERO, &[CheckOutcome::Warning]),
        scripted("fine", Duration::ZERO, &[]),
    ]);
    tokio::time::sleep(Duration::from_secs(9)).await;
    let messages: BTreeMap<String, (CheckOutcome, String)> =
        log.lock().unwrap().iter().rev().map(|(_, r)| (r.service.clone(), (r.outcome, r.message.clone()))).collect();
    assert_eq!(messages["hangs"], (CheckOutcome::Failed, "no answer within 5 s".to_owned()));
    assert_eq!(messages["panics"], (CheckOutcome::Failed, "the check itself failed: made to panic".to_owned()));
    assert_eq!(messages["fine"].0, CheckOutcome::Ok);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_sixteen_checks_run_at_once() {
    let services = (0..40).map(|i| scripted(&format!("s{i}"), Duration::from_secs(4), &[])).collect();
    let (_checker, log) = started(services);
    tokio::time::sleep(Duration::from_millis(7_500)).await;
    assert_eq!(log.lock().unwrap().len(), 16);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let served: std::collections::BTreeSet<String> = log.lock().unwrap().iter().map(|(_, r)| r.service.clone()).collect();
    assert_eq!(served.len(), 40);
}

/// A machine made of files and links.
#[derive(Default)]
struct Tree {
    files: BTreeMap<String, String>,
    links: BTreeMap<String, String>,
}

fn absent<T>() -> std::io::Result<T> {
    Err(std::io::ErrorKind::NotFound.into())
}

impl Host for Tree {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> std::io::Result<()> {
        *into = self.files.get(path).map_or_else(absent, |text| Ok(text.clone().into_bytes()))?;
        Ok(())
    }
    fn list(&self, path: &str, into: &mut Vec<String>) -> std::io::Result<()> {
        into.clear();
        let folder = format!("{path}/");
        into.extend(self.links.keys().filter_map(|l| l.strip_prefix(&folder)).map(str::to_owned));
        if into.is_empty() { absent() } else { Ok(()) }
    }
    fn read_link(&self, path: &str) -> std::io::Result<String> {
        self.links.get(path).cloned().map_or_else(absent, Ok)
    }
    fn pids(&self, _: &mut Vec<u32>) -> std::io::Result<()> {
        absent()
    }
    fn read_process(&self, _: u32, _: crate::model::ProcessFile, _: &mut Vec<u8>) -> std::io::Result<()> {
        absent()
    }
    fn cpu_clock(&self, _: u32) -> std::io::Result<Duration> {
        absent()
    }
    fn statvfs(&self, _: &str) -> std::io::Result<crate::model::FileSystemStat> {
        absent()
    }
    fn tcp_states(&self) -> std::io::Result<[u32; 13]> {
        absent()
    }
    fn user_name(&self, _: u32) -> Option<String> {
        None
    }
}

fn line(address: &str, state: &str, inode: u32) -> String {
    format!("   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0        0 {inode} 1 0 100 0 0 10 0\n")
}

fn process(pid: u32, name: &str, unit: Option<&str>) -> Arc<Process> {
    let id = ProcessId { pid, started: 1 };
    Arc::new(Process { id, name: name.into(), unit: unit.map(Into::into), ..Process::default() })
}

/// nginx on 80 (both families), something unseen on 22, an ephemeral port, and one that is connected.
fn machine() -> Tree {
    let sockets = [
        line("00000000:0050", "0A", 11),
        line("0100007F:0016", "0A", 12),
        line("00000000:9C40", "0A", 13),
        line("00000000:0051", "01", 14),
    ];
    let six = [line("00000000000000000000000000000000:0050", "0A", 15)];
    let files = [
        ("/proc/net/tcp", format!("header\n{}", sockets.concat())),
        ("/proc/net/tcp6", format!("header\n{}garbage\n", six.concat())),
        ("/etc/services", "# a comment\nssh\t\t22/tcp\nhttp\t80/tcp\n".to_owned()),
    ];
    let links = [("/proc/7/fd/3", "socket:[11]"), ("/proc/7/fd/4", "socket:[15]"), ("/proc/7/fd/5", "/dev/null")];
    Tree {
        files: files.map(|(path, text)| (path.to_owned(), text)).into(),
        links: links.map(|(path, to)| (path.to_owned(), to.to_owned())).into(),
    }
}

#[test]
fn listeners_are_found_with_their_owners() {
    let found = discover(&machine(), &[process(7, "nginx", Some("nginx")), process(8, "sh", None)]);
    let names: Vec<_> =
        found.iter().map(|d| (d.name.as_str(), d.target.as_str(), d.message.as_str(), d.unit.as_deref())).collect();
    assert_eq!(
        names,
        [
            ("ssh :22", "127.0.0.1:22", "listens on 127.0.0.1", None),
            ("nginx :80", "127.0.0.1:80", "listens on all addresses (pid 7)", Some("nginx")),
        ]
    );
    assert!(discover(&Tree::default(), &[]).is_empty());
}

#[test]
fn owners_are_asked_for_only_once() {
    let mut machine = machine();
    let processes = [process(7, "nginx", None)];
    let mut discovery = Discovery::default();
    let first = discovery.listeners(&machine, &processes);
    machine.links.clear();
    assert_eq!(discovery.listeners(&machine, &processes), first);
    assert_eq!(discover(&machine, &processes)[1].name, "http :80");
}

#[test]
fn the_table_has_every_socket_that_waits_with_its_owner() {
    let mut machine = machine();
    let line = |port: &str, state: &str, inode| {
        format!(
            "   0: 00000000:{port} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 2 0 0\n"
        )
    };
    // Port 53 bound, 41,000 a question on its way, 54 connected.
    let udp = format!("header\n{}{}{}", line("0035", "07", 15), line("A028", "07", 98), line("0036", "01", 99));
    machine.files.insert("/proc/net/udp".to_owned(), udp);
    let found = Discovery::default().listeners(&machine, &[process(7, "nginx", Some("nginx"))]);
    let rows: Vec<String> =
        found.iter().map(|l| format!("{:?} {} {:?} {:?}", l.protocol, l.address, l.name.as_deref(), l.pid)).collect();
    assert!(rows.contains(&"Tcp 127.0.0.1:22 Some(\"ssh\") None".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"Tcp 0.0.0.0:80 Some(\"nginx\") Some(7)".to_owned()), "{rows:#?}");
    let udp: Vec<&String> = rows.iter().filter(|row| row.starts_with("Udp")).collect();
    assert_eq!(udp, ["Udp 0.0.0.0:53 Some(\"nginx\") Some(7)"]);
}

#[test]
fn the_proposal_is_a_configuration_that_is_accepted() {
    let mut found = discover(&machine(), &[process(7, "we\"ird\\", None)]);
    found.push(Discovered {
        name: "cron.service".to_owned(),
        kind: "systemd",
        target: "cron.service".to_owned(),
        state: ServiceState::Online,
        message: "active (running)".to_owned(),
        unit: None,
    });
    #[derive(serde::Deserialize)]
    struct File {
        service: Vec<ServiceConfig>,
    }
    let file: File = toml::from_str(&propose(&found)).unwrap();
    let names: Vec<String> = services(&file.service).unwrap().into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["ssh :22", "we\"ird\\ :80", "cron.service"]);
    let kinds: Vec<&str> = file.service.iter().map(|s| s.kind.as_str()).collect();
    assert_eq!(kinds, ["ssh", "tcp", "systemd"]);
    let web = propose(&discover(&machine(), &[process(7, "nginx", None)]));
    assert!(web.contains("type = \"http\"\nurl = \"http://127.0.0.1:80/\""), "{web}");
    assert!(toml::from_str::<File>(&web).is_ok_and(|f| services(&f.service).is_ok()), "{web}");
}

/// A manager with a fixed set of units.
struct Manager;

type Row = (String, String, String, String, String, String, zbus::OwnedObjectPath, u32, String, zbus::OwnedObjectPath);

fn row(name: &str, [loaded, active, sub]: [&str; 3]) -> Row {
    let path = || zbus::OwnedObjectPath::try_from("/").unwrap();
    let text = str::to_owned;
    (text(name), text("d"), text(loaded), text(active), text(sub), text(""), path(), 0, text(""), path())
}

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    fn list_units_by_names(&self, names: Vec<String>) -> Vec<Row> {
        let states = |name: &str| match name {
            "nginx.service" => ["loaded", "active", "running"],
            _ => ["not-found", "inactive", "dead"],
        };
        names.iter().map(|name| row(name, states(name))).collect()
    }

    fn list_units_by_patterns(&self, states: Vec<String>, patterns: Vec<String>) -> Vec<Row> {
        if states == ["failed"] && patterns.is_empty() {
            return vec![
                row("backup.service", ["loaded", "failed", "failed"]),
                row("gone.service", ["not-found", "failed", "failed"]),
            ];
        }
        ["cron.service", "nginx.service", "systemd-logind.service", "user@0.service"]
            .map(|name| row(name, ["loaded", "active", "running"]))
            .into_iter()
            .chain([row("oneshot.service", ["loaded", "active", "exited"])])
            .collect()
    }
}

async fn bus() -> (SystemBus, zbus::Connection) {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let server = zbus::connection::Builder::unix_stream(theirs).server(zbus::Guid::generate()).p2p();
    let server = server.serve_at("/org/freedesktop/systemd1", Manager).build();
    let client = zbus::connection::Builder::unix_stream(ours).p2p().build();
    let (server, client) = tokio::join!(server, client);
    (SystemBus::over(client.unwrap()), server.unwrap())
}

#[tokio::test]
async fn a_unit_is_asked_for_over_the_bus() {
    let (bus, _server) = bus().await;
    let context = ProbeContext { processes: no_processes(), bus, timeout: Duration::from_secs(5) };
    for (unit, outcome, message) in
        [("nginx", CheckOutcome::Ok, "active (running)"), ("nginxx.service", CheckOutcome::Failed, "there is no such unit")]
    {
        let service = config(&format!("name = 'a'\ntype = 'systemd'\nunit = '{unit}'")).unwrap();
        let finding = service.probe.check(&context).await;
        assert_eq!((finding.outcome, finding.message.as_str()), (outcome, message));
    }
}

#[tokio::test]
async fn failed_and_important_units_are_found_beside_the_listeners() {
    let (bus, _server) = bus().await;
    let listeners = discover(&machine(), &[process(7, "nginx", Some("nginx"))]);
    let found = units(&bus, &listeners).await.unwrap();
    let names: Vec<_> = found.iter().map(|d| (d.name.as_str(), d.state)).collect();
    assert_eq!(names, [("backup.service", ServiceState::Offline), ("cron.service", ServiceState::Online)]);
}

#[tokio::test]
async fn a_bus_that_hangs_up_is_a_fault_and_no_hang() {
    let (bus, server) = bus().await;
    server.close().await.unwrap();
    assert!(matches!(bus.units_by_name(&["a.service"]).await, Err(BusError::NoAnswer(_))));
}
