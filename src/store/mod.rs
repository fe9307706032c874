//! The history in one redb file.
