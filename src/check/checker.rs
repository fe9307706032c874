//! When which service is checked.
//!
//! One sleeping task a service. Invariant: a task wakes for its next check, for `check_now`, when one that
//! needs it fails, and for nothing else; at most [`AT_ONCE`] checks run at the same time.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::bus::SystemBus;
use super::probe::{Finding, ProbeContext};
use super::service::Service;
use crate::base::worker::panic_text;
use crate::base::{Timestamp, format_duration};
use crate::model::{CheckOutcome, CheckResult, Process};

/// Gives the processes of the newest round.
pub type ProcessView = Arc<dyn Fn() -> Arc<[Arc<Process>]> + Send + Sync>;

/// Takes each result; called on the runtime's thread, must not block.
pub type OnResult = Arc<dyn Fn(CheckResult) + Send + Sync>;

/// Most checks under way: with the default timeout 16 dead services still leave room for 3 checks a second.
const AT_ONCE: usize = 16;

/// The first checks are spread over this, so that the first screen fills soon and nothing fires at once.
const SPREAD: Duration = Duration::from_secs(2);

/// A probe keeps to its time itself and says where it waited; this is for one that does not.
const GRACE: Duration = Duration::from_millis(500);

/// Checks services, each on its own schedule; dropped, it stops.
pub struct Checker {
    tasks: BTreeMap<String, Task>,
}

struct Task {
    wake: Arc<Wake>,
    running: AbortHandle,
}

/// What wakes a task before its time.
#[derive(Default)]
struct Wake {
    /// Somebody wishes a check at once.
    now: Notify,
    /// One that needs it has failed: checked as soon as its `retry` allows.
    soon: Notify,
}

/// What all tasks share.
struct Shared {
    processes: ProcessView,
    bus: SystemBus,
    slots: Semaphore,
    on_result: OnResult,
    wakes: BTreeMap<String, Arc<Wake>>,
}

impl Checker {
    /// Starts one task a service on the runtime.
    pub fn spawn(handle: &tokio::runtime::Handle, services: Vec<Service>, processes: ProcessView, on_result: OnResult) -> Self {
        let wakes = services.iter().map(|s| (s.name.clone(), Arc::new(Wake::default()))).collect();
        let shared = Arc::new(Shared { processes, bus: SystemBus::default(), slots: Semaphore::new(AT_ONCE), on_result, wakes });
        let n = u32::try_from(services.len()).unwrap_or(u32::MAX).max(1);
        let tasks = services.into_iter().zip(0_u32..).map(|(service, place)| {
            let first_after = SPREAD.min(service.interval) * place / n;
            let name = service.name.clone();
            let wake = shared.wakes.get(&name).map(Arc::clone).unwrap_or_default();
            let running = handle.spawn(run(service, first_after, Arc::clone(&wake), Arc::clone(&shared))).abort_handle();
            (name, Task { wake, running })
        });
        Self { tasks: tasks.collect() }
    }

    /// Checks a service at once; false where there is none of that name.
    pub fn check_now(&self, service: &str) -> bool {
        self.tasks.get(service).map(|task| task.wake.now.notify_one()).is_some()
    }

    /// Ends all tasks; a check under way is given up.
    pub fn stop(&self) {
        self.tasks.values().for_each(|task| task.running.abort());
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn run(service: Service, first_after: Duration, wake: Arc<Wake>, shared: Arc<Shared>) {
    let context = ProbeContext { processes: Arc::clone(&shared.processes), bus: shared.bus.clone(), timeout: service.timeout };
    let mut next = Instant::now() + first_after;
    let mut soonest = next;
    loop {
        tokio::select! {
            () = sleep_until(next) => {}
            () = wake.now.notified() => {}
            () = wake.soon.notified() => {
                next = next.min(soonest);
                continue;
            }
        }
        let Ok(_slot) = shared.slots.acquire().await else { return };
        let start = Instant::now();
        let finding = guarded(&service, &context).await;
        let pause = if finding.outcome == CheckOutcome::Failed { service.retry } else { service.interval };
        next = start + pause;
        soonest = start + service.retry;
        if finding.outcome == CheckOutcome::Failed {
            let needed = service.depends_on.iter().filter_map(|n| shared.wakes.get(n));
            needed.for_each(|wake| wake.soon.notify_one());
        }
        (shared.on_result)(CheckResult {
            service: service.name.clone(),
            at: Timestamp::now(),
            outcome: finding.outcome,
            response: finding.response,
            message: finding.message,
            certificate_expires_in_seconds: finding.certificate_expires_in_seconds,
            measures: finding.measures,
        });
    }
}

/// Checks a service once, outside any schedule.
pub async fn check_once(service: &Service, processes: ProcessView) -> Finding {
    guarded(service, &ProbeContext { processes, bus: SystemBus::default(), timeout: service.timeout }).await
}

/// One check that ends in time and does not panic.
async fn guarded(service: &Service, context: &ProbeContext) -> Finding {
    let check = AssertUnwindSafe(service.probe.check(context)).catch_unwind();
    match timeout(service.timeout + GRACE, check).await {
        Ok(Ok(finding)) => finding,
        Ok(Err(payload)) => Finding::failed(format!("the check itself failed: {}", panic_text(payload.as_ref()))),
        Err(_) => Finding::failed(format!("no answer within {}", format_duration(service.timeout))),
    }
}
