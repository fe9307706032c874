//! When a certificate ends, read from its DER.
//!
//! Only the one field; whether the certificate is any good is rustls' to say. Invariant: what is not
//! strictly DER up to that field gives `None`, never a wrong time.

use jiff::civil::DateTime;

use crate::base::Timestamp;

/// DER tags that are met on the way (X.690 §8, RFC 5280 §4.1).
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of an X.509 certificate; `None` where the bytes are none.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    validity(der).map(|(_, end)| end)
}

/// `notBefore` and `notAfter` of an X.509 certificate; `None` where the bytes are none.
pub fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let mut outer = der;
    let mut certificate = take(&mut outer, SEQUENCE)?;
    if !outer.is_empty() {
        return None;
    }
    let mut tbs = take(&mut certificate, SEQUENCE)?;
    if tbs.first() == Some(&VERSION) {
        take(&mut tbs, VERSION)?;
    }
    take(&mut tbs, INTEGER)?;
    take(&mut tbs, SEQUENCE)?;
    take(&mut tbs, SEQUENCE)?;
    let mut validity = take(&mut tbs, SEQUENCE)?;
    let start = time(&mut validity)?;
    let end = time(&mut validity)?;
    validity.is_empty().then_some((start, end))
}

/// Cuts the element off the front of `from` and gives its content; `None` for another tag, a length
/// that is not in its shortest form, or one beyond the end.
fn take<'a>(from: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&found, rest) = from.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0_usize, |sum, d| (sum << 8) | usize::from(*d));
            if digits.first() == Some(&0) || length < 0x80 {
                return None;
            }
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *from = rest;
    Some(content)
}

/// A time as RFC 5280 §4.1.2.5 allows it: in UTC, with seconds, without a fraction.
fn time(from: &mut &[u8]) -> Option<Timestamp> {
    let (year, rest) = match from.first()? {
        &UTC_TIME => {
            let (digits, rest) = take(from, UTC_TIME)?.split_at_checked(2)?;
            let year = number(digits)?;
            (if year >= 50 { 1900 + year } else { 2000 + year }, rest)
        }
        _ => {
            let (digits, rest) = take(from, GENERALIZED_TIME)?.split_at_checked(4)?;
            (number(digits)?, rest)
        }
    };
    let [month @ .., b'Z'] = rest else { return None };
    let mut parts = [0_i8; 5];
    if month.len() != 10 {
        return None;
    }
    for (part, digits) in parts.iter_mut().zip(month.chunks_exact(2)) {
        *part = i8::try_from(number(digits)?).ok()?;
    }
    let [month, day, hour, minute, second] = parts;
    let at = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let since_epoch = at.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    Some(Timestamp::from_seconds(since_epoch.as_secs()))
}

/// Decimal digits and nothing else; at most four of them.
fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0_i16, |sum, d| d.is_ascii_digit().then(|| sum * 10 + i16::from(d - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match u8::try_from(content.len()) {
            Ok(n) if n < 0x80 => out.push(n),
            Ok(n) => out.extend([0x81, n]),
            Err(_) => out.extend([0x82, (content.len() >> 8) as u8, content.len() as u8]),
        }
        out.extend(content);
        out
    }

    fn certificate(not_after: &[u8]) -> Vec<u8> {
        let validity = [element(UTC_TIME, b"200101000000Z"), not_after.to_vec()].concat();
        let tbs = [
            element(VERSION, &element(INTEGER, &[2])),
            element(INTEGER, &[7]),
            element(SEQUENCE, &[]),
            element(SEQUENCE, &[0; 200]),
            element(SEQUENCE, &validity),
            element(SEQUENCE, b"what follows is not looked at"),
        ];
        element(SEQUENCE, &[element(SEQUENCE, &tbs.concat()), element(SEQUENCE, &[])].concat())
    }

    #[test]
    fn both_forms_of_time_are_read() {
        for (element, seconds) in [
            (element(UTC_TIME, b"700101000001Z"), 1),
            (element(UTC_TIME, b"491231235959Z"), 2_524_607_999),
            (element(UTC_TIME, b"500101000000Z"), -631_152_000),
            (element(GENERALIZED_TIME, b"20500101000000Z"), 2_524_608_000),
            (element(GENERALIZED_TIME, b"99991231235959Z"), 253_402_300_799),
        ] {
            assert_eq!(not_after(&certificate(&element)), Some(Timestamp::from_seconds(seconds)));
        }
    }

    #[test]
    fn times_that_do_not_exist_are_none() {
        for text in [&b"210229000000Z"[..], b"211301000000Z", b"21010100000Z", b"210101000000+", b"2101010000 0Z", b""] {
            assert_eq!(not_after(&certificate(&element(UTC_TIME, text))), None, "{text:?}");
        }
        assert_eq!(not_after(&certificate(&element(GENERALIZED_TIME, b"20210101000000.5Z"))), None);
    }

    #[test]
    fn lengths_must_be_in_their_shortest_form() {
        assert_eq!(take(&mut &[0x30, 0x81, 0x01, 0x00][..], SEQUENCE), None);
        assert_eq!(take(&mut &[0x30, 0x80][..], SEQUENCE), None);
        assert_eq!(take(&mut &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], SEQUENCE), None);
    }

    proptest! {
        #[test]
        fn any_second_is_read_back(seconds in 0_i64..4_102_444_800) {
            let at = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            let text = at.strftime("%Y%m%d%H%M%SZ").to_string();
            let der = certificate(&element(GENERALIZED_TIME, text.as_bytes()));
            prop_assert_eq!(not_after(&der), Some(Timestamp::from_seconds(seconds)));
        }

        #[test]
        fn no_bytes_make_it_panic(der in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = not_after(&der);
        }

        #[test]
        fn a_cut_certificate_is_none(cut in 0_usize..10_000) {
            let whole = certificate(&element(UTC_TIME, b"300101000000Z"));
            let cut = cut % whole.len();
            prop_assert_eq!(not_after(&whole[..cut]), None);
        }

        #[test]
        fn a_damaged_certificate_gives_none_or_a_time(at in 0_usize..10_000, byte in any::<u8>()) {
            let mut der = certificate(&element(UTC_TIME, b"300101000000Z"));
            let length = der.len();
            der[at % length] = byte;
            let _ = not_after(&der);
        }
    }
}
