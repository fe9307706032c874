//! Message rendering, outbox as pure steps, one file per channel.
//!
//! Judges nothing and keeps no clock: the outbox says what to write and what to deliver, the [`Deliverer`] does the
//! delivering on somebody's runtime. Invariant: a message is written down before it is sent, and its result after.

mod alertmanager;
mod channel;
mod channels;
mod command;
mod config;
mod deliverer;
mod desktop;
mod discord;
mod email;
mod file;
mod gotify;
mod journal;
mod matrix;
mod message;
mod ntfy;
mod outbox;
mod pagerduty;
mod phone;
mod post;
mod pushover;
mod routing;
mod secret;
mod slack;
mod sms;
mod syslog;
mod teams;
mod telegram;
mod terminal;
mod text;
mod twilio;
mod webhook;

pub use channel::{Audience, Channel, ChannelContext, ChannelKind, DeliveryError, DeliveryFault, OpenChannel, Receipt, Screen};
pub use channels::CHANNELS;
pub use config::{ChannelConfig, NotifyConfig, Opened};
pub use deliverer::{Deliverer, DeliveryReport, Report};
pub use desktop::session_bus;
pub use message::{Message, Part, Reason};
pub use outbox::{Delivery, Outbox, OutboxEvent, OutboxRow, OutboxStep, OutboxWrite, Sending};
pub use routing::{RouteConfig, Routing};
pub use secret::{Secret, Secrets};

#[cfg(test)]
mod channel_tests;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;
