//! The built program as a user meets it: recorder, commands, screen, socket, bad input.

mod bench;
mod crash;
mod deliver;
mod door;
mod eval;
mod history;
mod input;
pub mod kit;
mod learn;
mod mount;
mod record;
mod reload;
mod report;
mod screen;
mod service;
mod socket;
