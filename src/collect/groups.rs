//! Which control groups have processes in them, and what containers are called.
//!
//! Filled by the reader of processes, emptied by the reader of groups; both threads share it. Invariant: at most
//! [`MOST`] groups are kept, and a container without a known name is shown by its short id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::parse::label;
use super::process::{Part, parts};
use crate::model::Host;

/// Most groups kept: a machine with more has its series capped anyway.
const MOST: usize = 4096;

/// Where container engines that speak Docker's API listen.
const SOCKETS: [&str; 3] = ["/run/docker.sock", "/run/podman/podman.sock", "/var/run/docker.sock"];

/// Links `POD_NAMESPACE_CONTAINER-ID.log` of Kubernetes.
const POD_LOGS: &str = "/var/log/containers";

/// The shared list; clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Paths below the root of the hierarchy, of containers and services.
    places: BTreeMap<String, Place>,
    /// Names by short id.
    names: HashMap<String, String>,
    /// Short ids nobody had a name for: not asked for again.
    nameless: BTreeSet<String>,
}

/// What a group is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A container, by its short id or name.
    Container(String),
    /// A service of systemd, without `.service`.
    Service(String),
}

impl Groups {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process is in this group.
    pub(super) fn add(&self, path: &str) {
        let Some((folder, place)) = place(path) else { return };
        let mut state = self.state();
        if state.places.len() < MOST {
            state.places.entry(folder.to_owned()).or_insert(place);
        }
    }

    /// The group is gone.
    pub(super) fn forget(&self, folder: &str) {
        self.state().places.remove(folder);
    }

    /// All groups by folder.
    pub(super) fn places(&self) -> BTreeMap<String, Place> {
        self.state().places.clone()
    }

    /// What people call a container; its short id where that is not known.
    pub(super) fn name_of(&self, id: &str) -> String {
        self.state().names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// Asks the engines for names, where there is a container without one that was not asked for yet.
    pub(super) fn name_containers(&self, host: &dyn Host) {
        let missing: Vec<String> = {
            let state = self.state();
            let ids = state.places.values().filter_map(|place| match place {
                Place::Container(id) => Some(id.clone()),
                Place::Service(_) => None,
            });
            ids.filter(|id| !state.names.contains_key(id) && !state.nameless.contains(id)).collect()
        };
        if missing.is_empty() {
            return;
        }
        let mut names: HashMap<String, String> = SOCKETS.iter().flat_map(|socket| of_engine(host, socket)).collect();
        names.extend(of_pods(host));
        let mut state = self.state();
        for id in missing {
            match names.remove(&id) {
                Some(name) => _ = state.names.insert(id, name),
                None => _ = state.nameless.insert(id),
            }
        }
        let State { places, names, nameless } = &mut *state;
        let lives = |id: &String| places.values().any(|place| matches!(place, Place::Container(known) if known == id));
        names.retain(|id, _| lives(id));
        nameless.retain(lives);
    }
}

/// The group of a container or service that a path lies in: the outermost container, else the innermost service.
fn place(path: &str) -> Option<(&str, Place)> {
    let mut service = None;
    for (end, part) in parts(path) {
        let folder = path.get(..end)?;
        match part {
            Part::Container(id) => return Some((folder, Place::Container(id))),
            // Scopes are of sessions and containers' helpers; only services are asked for by name.
            Part::Unit(unit) if !unit.ends_with(".scope") => service = Some((folder, Place::Service(unit))),
            Part::Unit(_) => {}
        }
    }
    service
}

/// What is read of `GET /containers/json`.
#[derive(Deserialize)]
struct Container {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Names", default)]
    names: Vec<String>,
}

/// Short ids and names of the containers of an engine; none where it does not answer.
fn of_engine(host: &dyn Host, socket: &str) -> Vec<(String, String)> {
    // HTTP/1.0: the answer ends with the connection and comes in one piece.
    let request = b"GET /containers/json HTTP/1.0\r\nHost: localhost\r\n\r\n";
    let Ok(answer) = host.ask_socket(socket, request) else { return Vec::new() };
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").and_then(|at| answer.get(at + 4..)).unwrap_or_default();
    let list: Vec<Container> = serde_json::from_slice(body).unwrap_or_default();
    let named = |c: Container| Some((short(&c.id)?, label(c.names.first()?.trim_start_matches('/').as_bytes())));
    list.into_iter().filter_map(named).collect()
}

/// Short ids and `POD/CONTAINER` of Kubernetes.
fn of_pods(host: &dyn Host) -> Vec<(String, String)> {
    let mut names = Vec::new();
    if host.list(POD_LOGS, &mut names).is_err() {
        return Vec::new();
    }
    let named = |name: &String| {
        let (rest, id) = name.strip_suffix(".log")?.rsplit_once('-')?;
        let mut fields = rest.splitn(3, '_');
        let (pod, _, container) = (fields.next()?, fields.next()?, fields.next()?);
        Some((short(id)?, label(format!("{pod}/{container}").as_bytes())))
    };
    names.iter().filter_map(named).collect()
}

fn short(id: &str) -> Option<String> {
    id.get(..12).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::testing::ScriptHost;
    use super::*;

    #[test]
    fn the_outermost_container_or_the_innermost_service_counts() {
        let id = "a".repeat(64);
        for (path, expected) in [
            ("/".to_owned(), None),
            ("/user.slice/user-0.slice/session-3.scope".to_owned(), None),
            ("/system.slice/nginx.service".to_owned(), Some(("/system.slice/nginx.service", Place::Service("nginx".to_owned())))),
            (
                "/user.slice/user@1.service/app.slice/x.service".to_owned(),
                Some(("/user.slice/user@1.service/app.slice/x.service", Place::Service("x".to_owned()))),
            ),
            (
                format!("/system.slice/docker-{id}.scope/system.slice/cron.service"),
                Some(("/system.slice/docker-ID.scope", Place::Container("a".repeat(12)))),
            ),
        ] {
            let expected = expected.map(|(folder, place)| (folder.replace("ID", &id), place));
            assert_eq!(super::place(&path).map(|(folder, place)| (folder.to_owned(), place)), expected, "{path}");
        }
    }

    #[test]
    fn pods_and_garbage_are_told_apart() {
        let host = ScriptHost::default();
        {
            let mut files = host.0.lock().expect("no test panicked");
            let id = "b".repeat(64);
            files.files.insert(format!("{POD_LOGS}/web-5d8_default_nginx-{id}.log"), Vec::new());
            files.files.insert(format!("{POD_LOGS}/odd.log"), Vec::new());
            files.sockets.insert("/run/docker.sock".to_owned(), b"HTTP/1.0 500 x\r\n\r\n\xff".to_vec());
        }
        assert_eq!(of_pods(&host), [("b".repeat(12), "web-5d8/nginx".to_owned())]);
        assert_eq!(of_engine(&host, "/run/docker.sock"), []);
    }
}
