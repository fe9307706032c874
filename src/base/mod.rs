//! Clock, time, units, ring, bounded queue, named worker thread, hash, escapes, a file written whole, what differs by system.
//!
//! The floor of the house: knows no other room and nothing about monitoring. Nothing here reads a
//! file or the network, only [`whole`] writes one, and only [`system`] knows which system this is.

pub mod clock;
pub mod cron;
pub mod hash;
pub mod markup;
pub mod queue;
pub mod ring;
pub mod system;
pub mod time;
pub mod units;
pub mod whole;
pub mod worker;

pub use self::ring::Ring;
pub use clock::{Clock, ManualClock, SystemClock};
pub use cron::{Cron, CronError, moment};
pub use hash::{Fnv, fnv};
pub use markup::{escape_attribute, escape_markup};
pub use queue::{Queue, QueueStats};
pub use time::{TimeError, TimeRange, Timestamp, format_duration, parse_duration, parse_time};
pub use units::{Quantity, Unit, UnitError, exact_value, format_value, parse_quantity};
pub use whole::{Readers, write_whole};
pub use worker::{Beat, Worker};
