//! Integration tests, one binary.

mod documents;
mod e2e;
mod example;
mod schemas;
mod source;
mod tidy;
