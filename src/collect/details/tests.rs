//! A made-up process and a real one, looked at in full.

use super::super::LinuxHost;
use super::super::testing::ScriptHost;
use super::*;

const ID: ProcessId = ProcessId { pid: 825, started: 254_673 };

fn host() -> ScriptHost {
    let host = ScriptHost::default();
    let stat = "825 (w) S 1 825 825 0 -1 4194560 101 0 0 0 250 50 0 0 20 -5 7 0 254673 3133440 388";
    let thread = "826 (io 1) R 1 825 825 0 -1 4194560 101 0 0 0 200 50 0 0 39 19 7 0 254674 3133440 388";
    {
        let mut files = host.0.lock().expect("no test panicked");
        for (path, text) in [
            ("stat", stat),
            ("task/825/stat", stat),
            ("task/826/stat", thread),
            ("cmdline", "/usr/bin/w\0--name\0a b\0\0"),
            ("environ", "HOME=/root\0EMPTY=\0odd\0"),
            ("status", "CapEff:\t0000000000002000\nCapBnd:\t0\n"),
            ("limits", "Limit\nMax open files            1024                 2048                 files\n"),
            ("smaps_rollup", "Rss: 100 kB\nPss: 50 kB\n"),
            ("cgroup", "0::/system.slice/w.service\n"),
            ("oom_score", "667\n"),
            ("oom_score_adj", "-17\n"),
            ("wchan", "do_epoll_wait"),
            ("fd/0", ""),
            ("fd/3", ""),
            ("fd/10", ""),
            ("fdinfo/3", "pos:\t42\nflags:\t0100001\n"),
            ("net/tcp", "head\n0: 0100007F:0CEA 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n"),
        ] {
            files.files.insert(format!("/proc/825/{path}"), text.as_bytes().to_vec());
        }
        for (path, target) in [
            ("exe", "/usr/bin/w"),
            ("cwd", "/srv"),
            ("root", "/"),
            ("fd/0", "/dev/null"),
            ("fd/3", "/var/log/w.log"),
            ("fd/10", "socket:[77]"),
        ] {
            files.links.insert(format!("/proc/825/{path}"), target.to_owned());
        }
        for (name, text) in [("memory.current", "4096\n"), ("memory.max", "max\n"), ("cpu.max", "50000 100000\n")] {
            files.files.insert(format!("/sys/fs/cgroup/system.slice/w.service/{name}"), text.as_bytes().to_vec());
        }
    }
    host
}

#[test]
fn everything_of_a_process_is_told_when_it_is_looked_at() {
    let details = process_details(&host(), ID, Timestamp(5), ProcessDepth::Private).expect("it is there");
    assert_eq!(details.arguments, ["/usr/bin/w", "--name", "a b", ""]);
    assert_eq!(
        (details.executable.as_deref(), details.folder.as_deref(), details.root.as_deref()),
        (Some("/usr/bin/w"), Some("/srv"), Some("/"))
    );
    assert_eq!((details.descriptors, details.oom_score, details.oom_score_adjustment), (Some(3), Some(667), Some(-17)));
    assert_eq!(details.waits_in.as_deref(), Some("do_epoll_wait"));
    assert_eq!(details.capabilities.map(|c| c.effective), Some(vec!["net_raw".to_owned()]));
    assert_eq!(details.memory.map(|m| m.proportional), Some(50 << 10));
    let group = details.cgroup.expect("a group");
    assert_eq!(
        (group.path.as_str(), group.memory_bytes, group.memory_limit_bytes),
        ("/system.slice/w.service", Some(4096), None)
    );
    assert_eq!(group.cpu_limit, Some(0.5));
    let threads: Vec<_> = details.threads.iter().map(|t| (t.id, t.name.as_str(), t.cpu_seconds)).collect();
    assert_eq!(threads, [(825, "w", 3.0), (826, "io 1", 2.5)]);
    let private = details.private.expect("it was asked for");
    let variables: Vec<_> = private.environment.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(variables, [("HOME", "/root"), ("EMPTY", ""), ("odd", "")]);
    let files: Vec<_> = private.files.iter().map(|f| (f.descriptor, f.target.as_str(), f.position, f.writes)).collect();
    assert_eq!(files, [(0, "/dev/null", None, None), (3, "/var/log/w.log", Some(42), Some(true))]);
    assert_eq!((private.sockets.len(), private.sockets[0].descriptor, private.sockets[0].state.as_str()), (1, 10, "LISTEN"));
    assert_eq!(details.missing, []);
}

#[test]
fn what_may_hold_secrets_is_told_only_where_asked_for() {
    let host = host();
    let details = process_details(&host, ID, Timestamp(5), ProcessDepth::Public).expect("it is there");
    assert_eq!(details.private, None);
    let files = host.0.lock().expect("no test panicked");
    assert!(!files.reads.iter().any(|path| path.contains("environ") || path.contains("fdinfo")));
}

#[test]
fn what_may_not_be_read_is_named_with_the_way_out() {
    let host = host();
    host.0.lock().expect("no test panicked").denied.insert("/proc/825/environ".to_owned());
    let details = process_details(&host, ID, Timestamp(5), ProcessDepth::Private).expect("it is there");
    let told: Vec<&str> = details.missing.iter().map(|m| m.message.as_str()).collect();
    assert_eq!(told, ["/proc/825/environ: not permitted: the recorder needs to run as root or with CAP_SYS_PTRACE"]);
}

#[test]
fn another_process_with_the_number_is_not_looked_at() {
    let other = ProcessId { started: 1, ..ID };
    let error = process_details(&host(), other, Timestamp(5), ProcessDepth::Public).map_err(|e| e.kind());
    assert_eq!(error, Err(ErrorKind::NotFound));
}

#[test]
fn this_process_can_look_at_itself() {
    let host = LinuxHost::new();
    let mut text = Vec::new();
    host.read_process(std::process::id(), ProcessFile::Stat, &mut text).expect("stat");
    let started = parse_stat(&text).expect("understood").started;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let id = ProcessId { pid: std::process::id(), started };
    let details = process_details(&host, id, Timestamp::now(), ProcessDepth::Private).expect("it is there");
    let private = details.private.expect("asked for");
    assert!(private.sockets.iter().any(|s| s.local == address && s.state == "LISTEN"), "{:?}", private.sockets);
    assert!(private.environment.iter().any(|(name, _)| name == "PATH") && !details.threads.is_empty());
    assert_eq!(details.executable, std::env::current_exe().ok().map(|p| p.display().to_string()));
    assert!(details.limits.len() > 10 && details.memory.is_some_and(|m| m.resident > 0), "{:?}", details.missing);
}
