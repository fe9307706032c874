//! One file for each kind of probe.

pub mod command;
pub mod http;
pub mod process;
pub mod systemd;
pub mod tcp;

#[cfg(test)]
mod tests;
