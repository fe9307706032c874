//! What goes out to other machines: checks and messages, on a runtime of its own.
//!
//! Invariant: nothing here is waited for by the core.

use std::sync::{Arc, Mutex, PoisonError};

use super::event::Event;
use super::hub::{Hub, Reply};
use crate::base::Queue;
use crate::check::{Aim, Checker, Found, ProcessView, Scout, Service};
use crate::model::{Host, TerminalNotice};
use crate::monitor::{Answer, Refusal, RefusalKind, Saved};
use crate::notify::{Channel, Deliverer, Delivery, Message, Screen};

/// Channels by name.
pub type Channels = Vec<(String, Arc<dyn Channel>)>;

/// Checker and deliverer, replaced on reload.
pub(super) struct Outward {
    runtime: tokio::runtime::Handle,
    events: Queue<Event>,
    hub: Hub,
    host: Option<Arc<dyn Host>>,
    active: Mutex<Active>,
}

struct Active {
    checker: Option<Checker>,
    deliverer: Deliverer,
    // Looks for that while it lives.
    scout: Option<(Aim, Scout)>,
}

impl Outward {
    /// Starts checks and channels; with a host also looks for what runs there. Without one (a simulation) nothing is checked.
    pub(super) fn new(
        runtime: tokio::runtime::Handle,
        events: Queue<Event>,
        hub: Hub,
        host: Option<Arc<dyn Host>>,
        (services, channels): (Vec<Service>, Channels),
    ) -> Self {
        let aim = Aim::beside(&services);
        let scout = host.as_ref().map(|host| (aim, scout((&runtime, &events, &hub), host, aim)));
        let checker = host.is_some().then(|| checker(&runtime, &events, &hub, services));
        let deliverer = deliverer(&runtime, &events, &hub, channels);
        Self { runtime, events, hub, host, active: Mutex::new(Active { checker, deliverer, scout }) }
    }

    /// Other services and channels.
    pub(super) fn replace(&self, (services, channels): (Vec<Service>, Channels)) {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        let aim = Aim::beside(&services);
        if let (Some(host), Some((before, _))) = (&self.host, &active.scout)
            && *before != aim
        {
            active.scout = Some((aim, scout((&self.runtime, &self.events, &self.hub), host, aim)));
        }
        if let Some(checker) = &active.checker {
            checker.stop();
            active.checker = Some(self::checker(&self.runtime, &self.events, &self.hub, services));
        }
        active.deliverer = deliverer(&self.runtime, &self.events, &self.hub, channels);
    }

    pub(super) fn deliver(&self, delivery: Delivery) {
        self.active.lock().unwrap_or_else(PoisonError::into_inner).deliverer.deliver(delivery);
    }

    /// Sends a test through a channel at once, past the outbox, and answers what came of it.
    pub(super) fn test(&self, channel: &str, message: Message, reply: Reply) {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tested) = active.deliverer.test(channel, message) else {
            let names = active.deliverer.names().join(", ");
            let names = if names.is_empty() { "none is configured".to_owned() } else { format!("there are {names}") };
            let text =
                format!("there is no channel \"{channel}\" in the running engine ({names}); after a change send it SIGHUP");
            return reply(Err(Refusal::new(RefusalKind::NotFound, text)));
        };
        let name = channel.to_owned();
        self.runtime.spawn(async move {
            reply(match tested.await {
                Ok(receipt) => Ok(Answer::Done { saved: Saved::Disk, message: format!("{name}: taken: {}", receipt.answer) }),
                Err(error) => Err(Refusal::new(RefusalKind::Failed, format!("{name}: not taken: {error}"))),
            });
        });
    }

    pub(super) fn check_now(&self, service: &str) -> bool {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.checker.as_ref().is_some_and(|c| c.check_now(service))
    }
}

fn processes(hub: &Hub) -> ProcessView {
    let hub = hub.clone();
    Arc::new(move || Arc::clone(&hub.snapshot().processes))
}

fn scout((runtime, events, hub): (&tokio::runtime::Handle, &Queue<Event>, &Hub), host: &Arc<dyn Host>, aim: Aim) -> Scout {
    let events = events.clone();
    let on_found = Arc::new(move |found: Found| {
        // Counted by the queue; looked at again in ten seconds.
        let _ = events.push(Event::Found(found));
    });
    Scout::spawn(runtime, Arc::clone(host), processes(hub), (aim, on_found))
}

fn checker(runtime: &tokio::runtime::Handle, events: &Queue<Event>, hub: &Hub, services: Vec<Service>) -> Checker {
    let events = events.clone();
    let on_result = Arc::new(move |result| {
        // Counted by the queue.
        let _ = events.push(Event::Check(result));
    });
    Checker::spawn(runtime, services, processes(hub), on_result)
}

fn deliverer(runtime: &tokio::runtime::Handle, events: &Queue<Event>, hub: &Hub, channels: Channels) -> Deliverer {
    let (hub, shown) = (hub.clone(), events.clone());
    let screen: Screen = Arc::new(move |title: &str, text: &str| {
        let notice = TerminalNotice { title: title.to_owned(), text: text.to_owned() };
        hub.readers() > 0 && shown.push(Event::Shown(notice)).is_ok()
    });
    channels.iter().for_each(|(_, channel)| channel.attach(&screen));
    let events = events.clone();
    Deliverer::new(runtime, channels, Arc::new(move |report| events.push_front(Event::Delivered(report))))
}
