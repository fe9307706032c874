//! Composes all rooms; owns live state, threads and commits.
