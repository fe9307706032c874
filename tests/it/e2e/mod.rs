//! The built program as a user meets it: recorder, commands, screen, socket, bad input.

mod input;
mod kit;
mod mount;
mod record;
mod socket;
