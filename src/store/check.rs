//! Checking: every row of the file read once, and what is damaged named.
//!
//! Says where and what, in words; repairs nothing. Invariant: a damaged row is told once.

use redb::TableHandle;

use super::ReadError;
use super::error::Fault;
use super::frame::is_intact;
use super::schema::{BLOCK, Kind, NAMED, NUMBERED, SERIES, Slab, TAIL, parse_tail_key, parse_time_key};
use super::series::parse_series_key;
use super::view::View;
use crate::base::Timestamp;

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its table.
    pub table: String,
    /// Which row, for people.
    pub row: String,
}

impl View {
    /// Reads every row and names the damaged ones; walks the whole file.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn check(&self) -> Result<Vec<Damage>, ReadError> {
        let mut damaged = Vec::new();
        let mut see = |table: &str, key: &[u8], value: &[u8]| {
            let known = table != BLOCK.name() || Slab::parse(key).is_some();
            if !known || !is_intact(value) {
                self.shared.note_damage(key);
                damaged.push(Damage { table: table.to_owned(), row: self.describe(table, key) });
            }
        };
        let fault = |e: redb::StorageError| Fault::from(e).read();
        for table in NUMBERED {
            let open = self.txn.open_table(table).map_err(|e| Fault::from(e).read())?;
            for row in open.range::<&[u8]>(..).map_err(fault)? {
                let (key, value) = row.map_err(fault)?;
                see(table.name(), key.value(), value.value());
            }
        }
        for table in NAMED {
            let open = self.txn.open_table(table).map_err(|e| Fault::from(e).read())?;
            for row in open.range::<&str>(..).map_err(fault)? {
                let (key, value) = row.map_err(fault)?;
                see(table.name(), key.value().as_bytes(), value.value());
            }
        }
        Ok(damaged)
    }

    /// A row by its key, for people.
    fn describe(&self, table: &str, key: &[u8]) -> String {
        let since =
            |at: Option<Timestamp>| at.map_or_else(|| "an unreadable time".to_owned(), |at| format!("from {}", at.rfc3339()));
        if table == BLOCK.name() {
            return match Slab::parse(key) {
                Some((slab, series)) => {
                    format!("{} of {} {}", kind(slab.kind), self.series_name(series), since(Some(slab.start)))
                }
                None => "a block with an unreadable key".to_owned(),
            };
        }
        if table == SERIES.name() {
            return format!("the name of series {}", parse_series_key(key).unwrap_or_default());
        }
        if table == TAIL.name() {
            return format!("the newest samples {}", since(parse_tail_key(key).map(|k| k.1)));
        }
        match std::str::from_utf8(key) {
            Ok(name) if !name.is_empty() && name.chars().all(|c| !c.is_control()) => name.to_owned(),
            _ => since(parse_time_key(key)),
        }
    }

    fn series_name(&self, series: u32) -> String {
        match series {
            0 => "all series".to_owned(),
            id => self.shared.index().name(id).map_or_else(|| format!("series {id}"), |named| named.key.to_string()),
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Raw => "the samples",
        Kind::Ten => "the 10 s means",
        Kind::Minute => "the 1 min means",
        Kind::Hour => "the 1 h means",
        Kind::Sketch => "the quantiles",
    }
}
