//! Rows of the table of series: number, name, and the last day a series was seen.
//!
//! Invariant: a number means the same series as long as any block holds it.

use super::frame::{Cursor, OWN, frame, put, unframe};
use super::shared::Named;

/// Key of a series.
pub(super) fn series_key(id: u32) -> [u8; 4] {
    id.to_be_bytes()
}

/// Number of a key.
pub(super) fn parse_series_key(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.try_into().ok()?))
}

/// The row; `day` counts from 1970.
pub(super) fn series_row(named: &Named, day: u32) -> Vec<u8> {
    let mut payload = vec![u8::from(named.rate)];
    put(&mut payload, u64::from(day));
    payload.extend(named.key.to_string().into_bytes());
    frame(OWN, &payload)
}

/// Name and last day; `None` for damaged bytes.
pub(super) fn parse_series_row(row: &[u8]) -> Option<(Named, u32)> {
    let mut cursor = Cursor(unframe(OWN, row)?);
    let rate = cursor.byte()? != 0;
    let day = cursor.id()?;
    let key = std::str::from_utf8(cursor.0).ok()?.parse().ok()?;
    Some((Named { key, rate }, day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SeriesKey;
    use proptest::prelude::*;

    #[test]
    fn a_series_is_read_back() {
        let key = SeriesKey::new("disk_busy_ratio", [("device", "nvme \"0\"")]);
        let row = series_row(&Named { key: key.clone(), rate: true }, 20_000);
        let (named, day) = parse_series_row(&row).expect("what was written");
        assert_eq!((named.key, named.rate, day), (key, true, 20_000));
    }

    proptest! {
        #[test]
        fn no_payload_makes_the_parser_panic(payload: Vec<u8>) {
            let _ = (parse_series_row(&frame(OWN, &payload)).is_some(), parse_series_key(&payload));
        }
    }
}
