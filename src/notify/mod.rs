//! Message rendering, outbox as pure steps, one file per channel.
//!
//! Judges nothing and keeps no clock: the outbox says what to write and what to deliver, the [`Deliverer`] does the
//! delivering on somebody's runtime. Invariant: a message is written down before it is sent, and its result after.

mod action;
mod alertmanager;
mod channel;
mod channels;
mod command;
mod config;
mod deliverer;
mod desktop;
mod discord;
mod email;
mod enclosure;
mod file;
mod gotify;
mod heartbeat;
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
mod template;
mod terminal;
mod text;
mod twilio;
mod webhook;

pub use action::{ActionConfig, ActionEvent};
pub use channel::{Audience, Channel, ChannelContext, ChannelKind, DeliveryError, DeliveryFault, OpenChannel, Receipt, Screen};
pub use channels::CHANNELS;
pub use config::{ChannelConfig, ChannelError, NotifyConfig, Opened};
pub use deliverer::{Deliverer, DeliveryReport, Report, deliver_test};
pub use desktop::session_bus;
pub use enclosure::{Enclosure, ReportFile, ReportOutcome};
pub use heartbeat::HeartbeatConfig;
pub use message::{Message, Part, Reason};
pub use outbox::{Budget, Delivery, Failing, Outbox, OutboxEvent, OutboxRow, OutboxStep, OutboxWrite, Sending, Telling, ToldOf};
pub use routing::{RouteConfig, Routing, Target};
pub use secret::{Secret, Secrets};

#[cfg(test)]
mod channel_tests;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;
