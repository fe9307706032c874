//! The built program as a user meets it: recorder, commands, screen, socket, bad input.

mod crash;
mod door;
mod input;
pub mod kit;
mod mount;
mod record;
mod reload;
mod screen;
mod service;
mod socket;
