//! DNS messages as far as a check needs them (RFC 1035): one question, the answers to it.
//!
//! Reads bytes of strangers. Invariant: no message makes it read out of bounds or follow a circle of pointers.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Kinds of records that can be asked for, with their numbers (RFC 1035 §3.2.2, RFC 3596).
pub const RECORDS: &[(&str, u16)] =
    &[("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("PTR", 12), ("MX", 15), ("TXT", 16), ("AAAA", 28)];

/// Class of the Internet.
const IN: u16 = 1;

/// Longest name on the wire (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Response code: 0 is well, 3 no such name.
    pub code: u8,
    /// Cut off: to be asked again over TCP.
    pub truncated: bool,
    /// Records of the kind asked for, as text.
    pub records: Vec<String>,
}

/// Names of response codes (RFC 1035 §4.1.1).
pub fn code_name(code: u8) -> &'static str {
    match code {
        0 => "no error",
        1 => "the server did not understand the question",
        2 => "the server failed (SERVFAIL)",
        3 => "no such name (NXDOMAIN)",
        4 => "the server does not do this",
        5 => "refused",
        _ => "an unknown error",
    }
}

/// A question for `name` that wants recursion; `None` where the name cannot be written.
pub fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len() + 18);
    out.extend(id.to_be_bytes());
    // Recursion desired, one question.
    out.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    let start = out.len();
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|n| (1..=63).contains(n))?;
        out.push(length);
        out.extend(label.as_bytes());
    }
    out.push(0);
    if out.len() - start > MAX_NAME {
        return None;
    }
    out.extend(kind.to_be_bytes());
    out.extend(IN.to_be_bytes());
    Some(out)
}

/// Reads the answer to a question; `None` where it is none to this question.
pub fn reply(bytes: &[u8], asked: &[u8], kind: u16) -> Option<Reply> {
    let flags = word(bytes, 2)?;
    let is_answer = bytes.get(..2)? == asked.get(..2)? && flags & 0x8000 != 0;
    let question_end = skip_name(bytes, 12)?.checked_add(4)?;
    // The question comes back as it was, save for the case of its letters.
    let same = bytes.get(12..question_end)?.eq_ignore_ascii_case(asked.get(12..)?);
    if !is_answer || word(bytes, 4)? != 1 || !same {
        return None;
    }
    let mut at = question_end;
    let mut records = Vec::new();
    for _ in 0..word(bytes, 6)? {
        at = skip_name(bytes, at)?;
        let (found, class, length) = (word(bytes, at)?, word(bytes, at + 2)?, usize::from(word(bytes, at + 8)?));
        let start = at + 10;
        bytes.get(start..start + length)?;
        if found == kind && class == IN {
            records.push(text(bytes, start, length, kind)?);
        }
        at = start + length;
    }
    let [_, low] = flags.to_be_bytes();
    Some(Reply { code: low & 0x0f, truncated: flags & 0x0200 != 0, records })
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

/// Where a name ends that begins at `at`.
fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            n if n & 0xc0 == 0xc0 => return bytes.get(at + 1).map(|_| at + 2),
            n if n & 0xc0 == 0 => at += usize::from(n) + 1,
            _ => return None,
        }
    }
}

/// A name with its pointers followed; each must lead further to the front, so there is no circle.
fn name(bytes: &[u8], mut at: usize) -> Option<String> {
    let mut out = String::new();
    let mut front = at;
    loop {
        let length = *bytes.get(at)?;
        match length & 0xc0 {
            0xc0 => {
                let to = usize::from(word(bytes, at)? & 0x3fff);
                if to >= front {
                    return None;
                }
                (front, at) = (to, to);
            }
            0 if length == 0 => return Some(if out.is_empty() { ".".to_owned() } else { out }),
            0 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&String::from_utf8_lossy(label));
                at += usize::from(length) + 1;
                if out.len() > 4 * MAX_NAME {
                    return None;
                }
            }
            _ => return None,
        }
    }
}

/// A record's value, as `dig +short` writes it but without trailing dots and quotes.
fn text(bytes: &[u8], start: usize, length: usize, kind: u16) -> Option<String> {
    let data = bytes.get(start..start + length)?;
    Some(match kind {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        28 => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        15 => format!("{} {}", word(bytes, start)?, name(bytes, start + 2)?),
        16 => {
            let mut out = Vec::new();
            let mut rest = data;
            while let Some((&n, tail)) = rest.split_first() {
                let (part, tail) = tail.split_at_checked(usize::from(n))?;
                out.extend(part);
                rest = tail;
            }
            String::from_utf8_lossy(&out).into_owned()
        }
        6 => {
            let server = name(bytes, start)?;
            let mailbox_at = skip_name(bytes, start)?;
            let serial_at = skip_name(bytes, mailbox_at)?;
            let serial = bytes.get(serial_at..serial_at + 4)?;
            let serial = u32::from_be_bytes(serial.try_into().ok()?);
            format!("{server} {} {serial}", name(bytes, mailbox_at)?)
        }
        _ => name(bytes, start)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(asked: &[u8], flags: [u8; 2], records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = [&asked[..2], &flags, &[0, 1, 0, records.len() as u8, 0, 0, 0, 0], &asked[12..]].concat();
        for (kind, data) in records {
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend((data.len() as u16).to_be_bytes());
            out.extend(*data);
        }
        out
    }

    #[test]
    fn records_of_every_kind_are_read() {
        for (kind, data, text) in [
            (1, &[127, 0, 0, 1][..], "127.0.0.1"),
            (28, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            (15, &[0, 10, 4, b'm', b'a', b'i', b'l', 0xc0, 12], "10 mail.example.org"),
            (16, &[2, b'a', b'b', 1, b'c'], "abc"),
            (5, &[0xc0, 12], "example.org"),
            (6, &[0xc0, 12, 1, b'h', 0, 0, 0, 0, 7, 0, 0, 0, 0], "example.org h 7"),
        ] {
            let asked = question(7, "example.org", kind).unwrap();
            let bytes = answer(&asked, [0x81, 0x80], &[(kind, data), (46, b"signature")]);
            let expected = Reply { code: 0, truncated: false, records: vec![text.to_owned()] };
            assert_eq!(reply(&bytes, &asked, kind), Some(expected), "{text}");
        }
        let asked = question(7, "example.org", 1).unwrap();
        let failed = reply(&answer(&asked, [0x83, 0x83], &[]), &asked, 1).unwrap();
        assert_eq!((failed.code, failed.truncated), (3, true));
    }

    #[test]
    fn answers_to_another_question_and_circles_are_refused() {
        let asked = question(7, "example.org", 1).unwrap();
        let other = question(8, "example.org", 1).unwrap();
        let stranger = question(7, "example.com", 1).unwrap();
        assert_eq!(reply(&answer(&other, [0x81, 0x80], &[]), &asked, 1), None);
        assert_eq!(reply(&answer(&stranger, [0x81, 0x80], &[]), &asked, 1), None);
        assert_eq!(reply(&asked, &asked, 1), None, "an echo is no answer");
        let asked = question(7, "example.org", 5).unwrap();
        let end = asked.len() as u8 + 12;
        assert_eq!(reply(&answer(&asked, [0x81, 0x80], &[(5, &[0xc0, end])]), &asked, 5), None);
        assert!(question(1, "a..b", 1).is_none() && question(1, &"a".repeat(64), 1).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0_usize..8) {
            let kind = RECORDS[kind].1;
            let asked = question(7, "a", kind).unwrap();
            let mut whole = answer(&asked, [0x81, 0x80], &[]);
            whole[7] = 3;
            whole.extend(bytes);
            let _ = reply(&whole, &asked, kind);
        }
    }
}
