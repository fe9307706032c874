//! Messages, outbox and one file per channel.
