//! Checksum and codec byte around every value, and the variable-length integers inside.
//!
//! Invariant: bytes that were changed are not decoded; [`unframe`] gives `None`.

/// Payload written by this room's own codecs.
pub(super) const OWN: u8 = 1;
/// Payload is JSON.
pub(super) const JSON: u8 = 2;
/// Payload belongs to another room.
pub(super) const OPAQUE: u8 = 3;

/// Codec byte and checksum.
const HEADER: usize = 5;

/// Checks eight bytes at a time: each step (xor, multiply by an odd number, rotate) can be undone, so two inputs
/// that differ in one word never meet again; folded to 32 bits, other damage passes once in 2^32.
fn checksum(codec: u8, payload: &[u8]) -> u32 {
    // 2^64 divided by the golden ratio, odd: the usual multiplier of Fibonacci hashing.
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    let mut hash = step(u64::from(codec), payload.len() as u64);
    let (words, rest) = payload.as_chunks::<8>();
    for word in words {
        hash = step(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hash = step(hash, u64::from_le_bytes(last));
    hash ^= hash >> 32;
    (hash.wrapping_mul(MULTIPLIER) >> 32) as u32
}

/// Puts codec and checksum before a payload.
pub(super) fn frame(codec: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.push(codec);
    bytes.extend_from_slice(&checksum(codec, payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The payload of a row written with that codec; `None` for damaged bytes and other codecs.
pub(super) fn unframe(codec: u8, bytes: &[u8]) -> Option<&[u8]> {
    let (header, payload) = bytes.split_at_checked(HEADER)?;
    let sum = u32::from_le_bytes(header.get(1..)?.try_into().ok()?);
    (header.first() == Some(&codec) && sum == checksum(codec, payload)).then_some(payload)
}

/// Whether a row of any codec is as it was written.
pub(super) fn is_intact(bytes: &[u8]) -> bool {
    [OWN, JSON, OPAQUE].into_iter().any(|codec| unframe(codec, bytes).is_some())
}

/// Appends an integer, seven bits a byte.
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer, small ones of either sign short.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Appends bytes after their length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the functions above wrote; every method gives `None` at the end or on nonsense.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn get(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn get_signed(&mut self) -> Option<i64> {
        let value = self.get()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A count or length of at most `most`.
    pub(super) fn length(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.get()?).ok().filter(|n| *n <= most)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let n = self.length(self.0.len())?;
        self.take(n)
    }

    pub(super) fn id(&mut self) -> Option<u32> {
        u32::try_from(self.get()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_and_bytes_are_read_back(unsigned: u64, signed: i64, bytes: Vec<u8>) {
            let mut out = Vec::new();
            put(&mut out, unsigned);
            put_signed(&mut out, signed);
            put_bytes(&mut out, &bytes);
            let mut cursor = Cursor(&out);
            prop_assert_eq!(cursor.get(), Some(unsigned));
            prop_assert_eq!(cursor.get_signed(), Some(signed));
            prop_assert_eq!(cursor.bytes(), Some(&bytes[..]));
            prop_assert!(cursor.0.is_empty());
        }

        #[test]
        fn a_flipped_bit_anywhere_is_seen(payload: Vec<u8>, place: prop::sample::Index, bit in 0..8_u32) {
            let mut bytes = frame(OWN, &payload);
            prop_assert_eq!(unframe(OWN, &bytes), Some(&payload[..]));
            let place = place.index(bytes.len());
            bytes[place] ^= 1_u8 << bit;
            prop_assert_eq!(unframe(OWN, &bytes), None);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let mut cursor = Cursor(&bytes);
            while cursor.bytes().is_some() && cursor.get_signed().is_some() && cursor.id().is_some() {}
            prop_assert!(unframe(OWN, &bytes).is_none());
        }
    }

    #[test]
    fn a_cut_row_is_seen() {
        let bytes = frame(JSON, b"{\"at\": 1}        ");
        for n in 0..bytes.len() {
            assert_eq!(unframe(JSON, &bytes[..n]), None, "{n} bytes");
        }
    }
}
