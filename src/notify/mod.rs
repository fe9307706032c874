//! Message rendering, outbox as pure steps, one file per channel.
//!
//! Judges nothing and keeps no clock: the outbox says what to write and what to deliver, the [`Deliverer`] does the
//! delivering on somebody's runtime. Invariant: a message is written down before it is sent, and its result after.

mod channel;
mod channels;
mod config;
mod deliverer;
mod desktop;
mod email;
mod file;
mod message;
mod outbox;
mod routing;

pub use channel::{Channel, ChannelContext, ChannelKind, DeliveryError, DeliveryFault, OpenChannel};
pub use channels::CHANNELS;
pub use config::{ChannelConfig, NotifyConfig, Opened};
pub use deliverer::{Deliverer, DeliveryReport, Report};
pub use desktop::session_bus;
pub use message::{Message, Reason};
pub use outbox::{Delivery, Outbox, OutboxEvent, OutboxRow, OutboxStep, OutboxWrite, Sending};
pub use routing::{RouteConfig, Routing};

#[cfg(test)]
mod tests;
