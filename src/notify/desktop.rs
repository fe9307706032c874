//! The channel `desktop`: a notification on the desktop of whoever runs farol.
//!
//! Invariant: where there is no desktop (SSH, a service) that is said once and never waited for.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use notify_rust::{Notification, Urgency};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::base::{escape_attribute, parse_duration};
use crate::model::Severity;

use super::channel::settings;
use super::{
    Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, DeliveryFault, Message, Reason, Receipt, Secrets, text,
};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "desktop",
    about: "Notifications on the desktop of whoever runs farol: nothing to set",
    example: "show_for = \"10s\"                # critical ones stay until they are closed",
    open,
    ..ChannelKind::PLAIN
};

/// Its keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DesktopConfig {
    #[serde(default)]
    show_for: Option<String>,
}

struct DesktopChannel {
    show_for: Duration,
}

/// How long notifications that are not critical stay: the usual time of desktops is 5 s, too short to read three lines.
const SHOW_FOR: Duration = Duration::from_secs(10);

/// Longest text.
const MOST: usize = 4_000;

fn open(map: &Map<String, Value>, _: Secrets, _: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: DesktopConfig = settings(map)?;
    let show_for = config.show_for.as_deref().map(parse_duration).transpose().map_err(|e| format!("show_for: {e}"))?;
    Ok(Arc::new(DesktopChannel { show_for: show_for.unwrap_or(SHOW_FOR) }))
}

/// Whether a desktop can be reached: the session bus's address is set or its socket is where systemd puts it. Windows and macOS
/// have no such bus, and always a desktop.
pub fn session_bus() -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        return true;
    }
    if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty()) {
        return true;
    }
    std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| std::path::Path::new(&folder).join("bus").exists())
}

#[cfg(not(any(windows, target_os = "macos")))]
async fn show(notification: Notification) -> Result<(), String> {
    notification.show_async().await.map(drop).map_err(|e| e.to_string())
}

/// There the desktop cannot be waited for: off the runtime's thread.
#[cfg(any(windows, target_os = "macos"))]
async fn show(notification: Notification) -> Result<(), String> {
    let shown = tokio::task::spawn_blocking(move || notification.show().map(drop).map_err(|e| e.to_string()));
    shown.await.unwrap_or_else(|e| Err(e.to_string()))
}

impl Channel for DesktopChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        let notification = self.notification(&delivery.message);
        Box::pin(async move {
            if !session_bus() {
                return Err(DeliveryError::new(DeliveryFault::Unavailable, "no desktop here (no session bus)"));
            }
            show(notification).await.map(|()| Receipt::new("shown")).map_err(|e| failed(&e))
        })
    }

    /// A desktop on the same machine answers at once.
    fn timeout(&self) -> Duration {
        Duration::from_secs(5)
    }
}

impl DesktopChannel {
    fn notification(&self, message: &Message) -> Notification {
        let over = message.reason == Reason::Resolved;
        let urgency = match message.severity {
            Severity::Critical if !over => Urgency::Critical,
            Severity::Info => Urgency::Low,
            Severity::Critical | Severity::Warning => Urgency::Normal,
        };
        let timeout = match urgency {
            Urgency::Critical => notify_rust::Timeout::Never,
            Urgency::Low | Urgency::Normal => notify_rust::Timeout::from(self.show_for),
        };
        let mut notification = Notification::new();
        // Desktops cut by themselves; this only bounds what goes over the bus.
        let body = text::cut(&message.body(), MOST, text::Count::Chars).into_owned();
        notification.appname("farol").summary(&message.subject).body(&escape_attribute(&body));
        notification.urgency(urgency).timeout(timeout).finalize()
    }
}

/// Without a notification service, or a bus that is gone, the desktop cannot be told; anything else may pass.
fn failed(text: &str) -> DeliveryError {
    let hopeless = ["ServiceUnknown", "NameHasNoOwner", "was not provided", "No such file", "Connection refused"];
    if hopeless.iter().any(|h| text.contains(h)) {
        return DeliveryError::new(DeliveryFault::Unavailable, format!("no desktop here ({text})"));
    }
    DeliveryError::new(DeliveryFault::Transient, format!("desktop: {text}"))
}

#[cfg(test)]
mod tests;
