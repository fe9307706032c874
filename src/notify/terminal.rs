//! The channel `terminal`: a notification of the terminal that farol is looked at with.
//!
//! The screen writes it (OSC 9, OSC 777 and the bell), because it owns the terminal; works over SSH. Invariant: where
//! nobody looks, nothing counts as delivered.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::settings;
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Receipt, Screen, Secrets};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "terminal",
    about: "The terminal farol is looked at with (OSC 9, OSC 777, bell): nothing to set; used where there is no desktop",
    example: "",
    open,
    ..ChannelKind::PLAIN
};

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TerminalConfig {}

#[derive(Default)]
struct Terminal(OnceLock<Screen>);

fn open(map: &Map<String, Value>, _: Secrets, _: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let TerminalConfig {} = settings(map)?;
    Ok(Arc::new(Terminal::default()))
}

impl Channel for Terminal {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        let message = &delivery.message;
        let shown = self.0.get().is_some_and(|screen| screen(&message.subject, &message.lead));
        let result = if shown { Ok(Receipt::new("shown")) } else { Err(DeliveryError::permanent("no screen of farol is open")) };
        Box::pin(std::future::ready(result))
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn attach(&self, screen: &Screen) {
        // Attached again after a reload it is another channel.
        let _ = self.0.set(Arc::clone(screen));
    }
}
