//! The API's door: how many come in, how long they may be silent, and how they are told the end.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use farol::api::{Access, Ending, Entry, Limits, MonitorSource, bind, serve};
use farol::engine::Hub;
use farol::model::{Catalog, Snapshot};
use farol::monitor::{Link, Monitor};
use farol::remote::{Address, Client};

use super::kit::{LIMIT, get, until, within};

/// A door with an engine of no content behind it.
struct Door {
    _folder: tempfile::TempDir,
    path: PathBuf,
    hub: Hub,
    ending: Ending,
    served: std::thread::JoinHandle<()>,
}

impl Door {
    fn open(limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farol.sock");
        let hub = Hub::new(Arc::new(Snapshot::empty(Arc::new(Catalog::default()))), |_| {});
        let readers = hub.clone();
        let monitors: MonitorSource = Arc::new(move |scope, wake| Box::new(readers.monitor(scope, wake)));
        let ending = Ending::default();
        let socket = {
            let _entered = runtime.enter();
            bind(&path, Access::default()).expect("opened")
        };
        let entry = Entry { monitors, names: Arc::new(|_| None) };
        let end = ending.clone();
        let served = std::thread::spawn(move || runtime.block_on(serve(socket, entry, limits, end)));
        Self { _folder: folder, path, hub, ending, served }
    }

    fn connect(&self, sends: &str) -> UnixStream {
        let mut stream = UnixStream::connect(&self.path).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a socket");
        stream.write_all(sends.as_bytes()).expect("taken");
        stream
    }

    /// Asks it to end and waits until it has.
    fn end(&self) {
        self.ending.ask();
        until("it ends", || self.served.is_finished());
    }
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn who_says_nothing_is_shown_out() {
    let door = Door::open(Limits { request: Duration::from_millis(200), ..Limits::default() });
    for sends in ["", "GET /api/v1/snap", HEALTH] {
        let mut rest = String::new();
        let read = door.connect(sends).read_to_string(&mut rest);
        assert!(read.is_ok(), "after {sends:?} it is closed: {read:?}");
        assert_eq!(rest.starts_with("HTTP/1.1 200"), sends == HEALTH, "{rest}");
    }
    door.end();
}

#[test]
fn beyond_the_limit_others_are_told_so_until_there_is_room() {
    let door = Door::open(Limits { connections: 2, request: LIMIT, farewell: Duration::from_millis(100) });
    let first = door.connect(HEALTH);
    let second = door.connect(HEALTH);
    for mut stream in [&first, &second] {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    let third = get(&door.path, "/healthz");
    assert!(third.starts_with("HTTP/1.1 503") && third.contains("all 2 connections"), "{third}");
    drop(second);
    until("there is room again", || get(&door.path, "/healthz").starts_with("HTTP/1.1 200"));
    door.end();
    assert!(!door.path.exists());
}

#[test]
fn a_reader_is_told_that_the_engine_ends() {
    let door = Door::open(Limits { farewell: LIMIT, ..Limits::default() });
    let path = door.path.clone();
    let client = Client::connect(Box::new(move || vec![Address(path.clone())]), Arc::new(|| {})).expect("it listens");
    assert!(matches!(client.link(), Link::Attached(_)));
    door.hub.close();
    door.end();
    let told = within(LIMIT, || match client.link() {
        Link::Lost { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(told.as_deref(), Some("the engine ended"));
}
