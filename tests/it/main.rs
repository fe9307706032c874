//! Integration tests, one binary.

mod e2e;
