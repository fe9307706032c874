//! Integration tests, one binary.

// What only tests do, also in functions they share: fail at once, and cut their own texts.
#![allow(clippy::panic, clippy::string_slice)]

mod agree;
mod causes;
mod documents;
mod e2e;
mod example;
mod schemas;
mod source;
mod tidy;
