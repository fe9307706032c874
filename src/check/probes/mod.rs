//! One file for each kind of probe.

pub mod command;
pub mod dns;
pub mod file;
pub mod http;
pub mod icmp;
pub mod process;
pub mod smtp;
pub mod ssh;
pub mod systemd;
pub mod tcp;
pub mod tls;
pub mod udp;

#[cfg(test)]
mod tests;
