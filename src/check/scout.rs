//! When this machine is looked at for what listens, for services nobody configured, and for how well it is closed.
//!
//! Invariant: a look opens no connection to what it finds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::bus::SystemBus;
use super::checker::ProcessView;
use super::discover::{Discovered, Discovery, LOOK_EVERY, units};
use super::logins::{Heard, Logs};
use super::posture::posture;
use super::service::Service;
use crate::base::Timestamp;
use crate::model::{Host, Listener, Posture};

/// All that was found by one look.
pub struct Found {
    /// Sockets that wait for others.
    pub listeners: Vec<Listener>,
    /// Services for the board, where they were looked for.
    pub services: Option<Vec<Discovered>>,
    /// How well the machine is closed, where it was looked at.
    pub posture: Option<Posture>,
    /// What the logs of logins say since the look before.
    pub heard: Heard,
    /// When.
    pub at: Timestamp,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Sockets only.
    Listeners,
    /// Services as well.
    Services,
}

impl Aim {
    /// Somebody who names services wants those; a grid without any shows what runs here.
    pub fn beside(configured: &[Service]) -> Self {
        if configured.is_empty() { Self::Services } else { Self::Listeners }
    }
}

/// Takes what was found by a look; must not block.
pub type OnFound = Arc<dyn Fn(Found) + Send + Sync>;

/// Units are asked for less often: the answer costs systemd more than a look costs us.
const UNITS_EVERY: Duration = Duration::from_secs(60);

/// Who may log in and who may read what changes by hand, or with an update.
const POSTURE_EVERY: Duration = Duration::from_secs(600);

/// Owners are found among the processes, so the first look waits for the first rounds of reading.
const FIRST_LOOK_AFTER: Duration = Duration::from_millis(1500);

/// Looks for listeners every 10 s and for units every minute; dropped, it stops.
pub struct Scout(AbortHandle);

impl Scout {
    /// Starts on a runtime; the first look is made after a second and a half.
    pub fn spawn(handle: &tokio::runtime::Handle, host: Arc<dyn Host>, processes: ProcessView, wanted: (Aim, OnFound)) -> Self {
        Self(handle.spawn(run(host, processes, SystemBus::default(), wanted)).abort_handle())
    }

    /// Ends it.
    pub fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Scout {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn run(host: Arc<dyn Host>, processes: ProcessView, bus: SystemBus, (aim, on_found): (Aim, OnFound)) {
    let mut discovery = Discovery::default();
    let (logs, mut known_units) = (Arc::new(Mutex::new(Logs::default())), Vec::new());
    let (mut units_due, mut posture_due) = (Due(None, UNITS_EVERY), Due(None, POSTURE_EVERY));
    let mut tick = interval_at(Instant::now() + FIRST_LOOK_AFTER, LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let listeners = discovery.listeners(host.as_ref(), &processes());
        let wants_posture = posture_due.take();
        let (machine, doors, log) = (Arc::clone(&host), listeners.clone(), Arc::clone(&logs));
        // It reads megabytes and may start a program: on a thread of its own, so that checks and messages go on.
        let looked = tokio::task::spawn_blocking(move || {
            let heard = log.lock().unwrap_or_else(PoisonError::into_inner).look(machine.as_ref(), Timestamp::now());
            let mut posture = wants_posture.then(|| posture(machine.as_ref(), &doors));
            if let Some(seen) = &mut posture {
                seen.unseen.extend(heard.unheard.iter().cloned());
                seen.heard.clone_from(&heard.topics);
            }
            (heard, posture)
        });
        let (heard, posture) = looked.await.unwrap_or_default();
        let mut services = None;
        if aim == Aim::Services {
            let mut found = discovery.services(host.as_ref(), &listeners);
            if units_due.take() {
                // Without a bus there are no units to show; a later try finds one that has come up.
                known_units = units(&bus, &found).await.unwrap_or_default();
            }
            found.extend(known_units.iter().cloned());
            services = Some(found);
        }
        on_found(Found { listeners, services, posture, heard, at: Timestamp::now() });
    }
}

/// When something was last done, and how long it is then left.
struct Due(Option<Instant>, Duration);

impl Due {
    /// Whether it is time; where it is, it is done.
    fn take(&mut self) -> bool {
        let is_due = self.0.is_none_or(|at| at.elapsed() >= self.1);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}
