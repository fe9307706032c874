//! Delivers on a runtime, each channel by itself.
//!
//! Invariant: one slow channel delays no other; every delivery is reported exactly once, also by a channel that panics.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::base::worker::panic_text;

use super::{Channel, Delivery, DeliveryError, DeliveryFault, Message, Receipt};

/// Messages that wait for one channel; the outbox keeps fewer in flight.
const QUEUE: usize = 64;

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryReport {
    /// The outbox row.
    pub row: u64,
    /// Taken, or why not.
    pub result: Result<Receipt, DeliveryError>,
}

/// Called from the runtime with every report; must not block.
pub type Report = Arc<dyn Fn(DeliveryReport) + Send + Sync>;

/// One task for each channel.
pub struct Deliverer {
    queues: BTreeMap<String, Sender<Delivery>>,
    channels: BTreeMap<String, Arc<dyn Channel>>,
    report: Report,
}

impl Deliverer {
    /// Starts a task for each channel on the runtime; once this is dropped they deliver what waits and end.
    pub fn new(runtime: &tokio::runtime::Handle, channels: Vec<(String, Arc<dyn Channel>)>, report: Report) -> Self {
        let by_name = channels.iter().cloned().collect();
        let start = |(name, to): (String, Arc<dyn Channel>)| {
            let (sender, receiver) = channel(QUEUE);
            runtime.spawn(deliver_all(to, receiver, Arc::clone(&report)));
            (name, sender)
        };
        Self { queues: channels.into_iter().map(start).collect(), channels: by_name, report }
    }

    /// Names of the channels.
    pub fn names(&self) -> Vec<&str> {
        self.channels.keys().map(String::as_str).collect()
    }

    /// Delivers a test beside the queue; `None` where there is no such channel.
    pub fn test(&self, channel: &str, message: Message) -> Option<impl Future<Output = Result<Receipt, DeliveryError>> + use<>> {
        let to = Arc::clone(self.channels.get(channel)?);
        let delivery = Delivery::alone(channel, message);
        Some(async move { deliver_one(to.as_ref(), &delivery).await })
    }

    /// Hands a message to its channel, in order; never blocks. An unknown channel or a full queue is reported as an error.
    pub fn deliver(&self, delivery: Delivery) {
        let row = delivery.row;
        let refused = match self.queues.get(&delivery.channel) {
            None => {
                let text = format!("there is no channel \"{}\" any more", delivery.channel);
                DeliveryError::new(DeliveryFault::Permanent, text)
            }
            Some(queue) => match queue.try_send(delivery) {
                Ok(()) => return,
                Err(e) => DeliveryError::new(DeliveryFault::Transient, e.to_string()),
            },
        };
        (self.report)(DeliveryReport { row, result: Err(refused) });
    }
}

/// Sends a test through a channel, without an engine.
///
/// # Errors
/// Why it was not taken.
pub async fn deliver_test(channel: &dyn Channel, name: &str, message: Message) -> Result<Receipt, DeliveryError> {
    deliver_one(channel, &Delivery::alone(name, message)).await
}

async fn deliver_all(channel: Arc<dyn Channel>, mut waiting: Receiver<Delivery>, report: Report) {
    while let Some(delivery) = waiting.recv().await {
        let result = deliver_one(channel.as_ref(), &delivery).await;
        report(DeliveryReport { row: delivery.row, result });
    }
}

/// Delivers within the channel's time; a panic is an error.
async fn deliver_one(channel: &dyn Channel, delivery: &Delivery) -> Result<Receipt, DeliveryError> {
    let limit = channel.timeout();
    // `deliver` itself may panic before it gives a future.
    let attempt = async { channel.deliver(delivery).await };
    let caught = tokio::time::timeout(limit, AssertUnwindSafe(attempt).catch_unwind()).await;
    match caught {
        Ok(Ok(result)) => result,
        Ok(Err(payload)) => {
            Err(DeliveryError::new(DeliveryFault::Transient, format!("failed: {}", panic_text(payload.as_ref()))))
        }
        Err(_) => {
            let error = DeliveryError::transient(format!("no answer for {} s", limit.as_secs()));
            Err(DeliveryError { in_doubt: true, ..error })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::notify::tests::{message, run};

    /// Hangs, panics or takes a message, as its subject says.
    struct Moody;

    impl Channel for Moody {
        fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
            match delivery.message.subject.as_str() {
                "hang" => Box::pin(std::future::pending()),
                "panic" => panic!("boom"),
                _ => Box::pin(std::future::ready(Ok(Receipt::default()))),
            }
        }

        fn timeout(&self) -> Duration {
            Duration::from_millis(20)
        }
    }

    fn delivery(row: u64, channel: &str, subject: &str) -> Delivery {
        let message = Message { subject: subject.to_owned(), ..message("x") };
        Delivery { row, channel: channel.to_owned(), ..crate::notify::tests::delivery(message) }
    }

    #[test]
    fn a_channel_that_hangs_or_panics_delays_no_other_and_goes_on() {
        let reports: Arc<Mutex<Vec<DeliveryReport>>> = Arc::default();
        let sink = Arc::clone(&reports);
        let report: Report = Arc::new(move |r| sink.lock().expect("a lock").push(r));
        run(async {
            let moody = || -> Arc<dyn Channel> { Arc::new(Moody) };
            let handle = tokio::runtime::Handle::current();
            let deliverer = Deliverer::new(&handle, vec![("a".to_owned(), moody()), ("b".to_owned(), moody())], report);
            for d in [delivery(1, "a", "panic"), delivery(2, "a", "fine"), delivery(3, "a", "hang"), delivery(4, "b", "fine")] {
                deliverer.deliver(d);
            }
            deliverer.deliver(delivery(5, "c", "fine"));
            while reports.lock().expect("a lock").len() < 5 {
                tokio::task::yield_now().await;
            }
        });
        let mut seen: Vec<(u64, Option<DeliveryFault>)> =
            reports.lock().expect("a lock").iter().map(|r| (r.row, r.result.as_ref().err().map(|e| e.fault))).collect();
        seen.sort_by_key(|(row, _)| *row);
        let (later, never) = (Some(DeliveryFault::Transient), Some(DeliveryFault::Permanent));
        assert_eq!(seen, [(1, later), (2, None), (3, later), (4, None), (5, never)]);
    }
}
