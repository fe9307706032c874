//! The desktop channel against a real session bus and a listener that stands for the desktop.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};

use futures_util::StreamExt;

use super::*;
use crate::notify::tests::{delivery, message, opened, run, runtime};

fn desktop() -> Arc<dyn Channel> {
    opened("desktop", &serde_json::json!({}), std::path::Path::new("/"))
}

/// A session bus of its own; ended when dropped.
struct Bus(Child, String);

impl Bus {
    /// `None` where no `dbus-daemon` is installed.
    fn start() -> Option<Self> {
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--print-address"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let mut address = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut address).expect("its address");
        Some(Self(child, address.trim().to_owned()))
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Text, urgency and time of a notification.
type Shown = (String, String, u8, i32);

/// The arguments of `org.freedesktop.Notifications.Notify`.
type Arguments = (String, u32, String, String, String, Vec<String>, HashMap<String, zbus::OwnedVariant>, i32);

/// Stands for the desktop: answers `Notify` and tells what it got.
async fn show_all(connection: zbus::Connection, shown: Sender<Shown>) {
    let mut messages = zbus::MessageStream::from(&connection);
    while let Some(Ok(message)) = messages.next().await {
        let header = message.header();
        if header.member().is_none_or(|m| m.as_str() != "Notify") {
            continue;
        }
        let arguments: Arguments = message.body().deserialize().expect("the arguments of Notify");
        let urgency = arguments.6.get("urgency").and_then(|u| u8::try_from(u).ok()).unwrap_or(u8::MAX);
        let _ = shown.send((arguments.3, arguments.4, urgency, arguments.7));
        connection.reply(&header, &1_u32).await.expect("an answer");
    }
}

/// Runs the test below in a process of its own with that bus, because the address is read from the environment.
fn deliver_in_child(address: &str) -> String {
    let exe = std::env::current_exe().expect("this program");
    let mut command = Command::new(exe);
    command.args(["--exact", "notify::desktop::tests::one_delivery_for_another_test", "--nocapture", "--include-ignored"]);
    let out = command.env("DBUS_SESSION_BUS_ADDRESS", address).env("XDG_RUNTIME_DIR", "/nonexistent").output().expect("a run");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
#[ignore = "run by the other tests of this file with a bus of their own"]
fn one_delivery_for_another_test() {
    println!("delivered: {:?}", run(desktop().deliver(&delivery(message("memory 91% > 85%")))));
}

#[test]
fn a_desktop_shows_the_message_with_its_urgency() {
    let Some(bus) = Bus::start() else {
        eprintln!("not run: dbus-daemon is not installed");
        return;
    };
    let (sender, shown) = channel();
    let runtime = runtime();
    let address = bus.1.clone();
    let out = runtime.block_on(async move {
        let builder = zbus::connection::Builder::address(address.as_str()).name("org.freedesktop.Notifications");
        tokio::spawn(show_all(builder.build().await.expect("the bus"), sender));
        tokio::task::spawn_blocking(move || deliver_in_child(&address)).await.expect("a run")
    });
    assert!(out.contains("delivered: Ok("), "{out}");
    let (summary, body, urgency, timeout) = shown.try_recv().expect("a notification");
    assert_eq!(summary, "[critical] web-1: memory 91% > 85%");
    assert!(body.contains("farol ack 7k"), "{body}");
    assert_eq!((urgency, timeout), (2, 0), "critical, until it is closed");
}

#[test]
fn without_a_notification_service_the_desktop_is_unavailable() {
    let Some(bus) = Bus::start() else {
        eprintln!("not run: dbus-daemon is not installed");
        return;
    };
    let out = deliver_in_child(&bus.1);
    assert!(out.contains("fault: Unavailable"), "{out}");
}

#[test]
fn without_a_bus_the_desktop_is_unavailable() {
    for address in ["", "unix:path=/nonexistent/bus"] {
        let out = deliver_in_child(address);
        assert!(out.contains("fault: Unavailable") && out.contains("no desktop here"), "{out}");
    }
}
