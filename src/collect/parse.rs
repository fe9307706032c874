//! Reading numbers and words out of the kernel's text files.
//!
//! Pure functions over bytes; no file is opened here. Invariant: any bytes give an answer, wrong ones
//! give `None`, none of them a panic.

/// The lines of a file, without their ends; a last line without an end counts.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b'\n').filter(|line| !line.is_empty())
}

/// The words of a line, separated by any number of blanks and tabs.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// A whole number in decimal digits; `None` for anything else and past `u64::MAX`.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |sum, b| {
        let digit = b.checked_sub(b'0').filter(|d| *d <= 9)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A whole number that may be negative.
pub(super) fn signed(word: &[u8]) -> Option<i64> {
    match word.strip_prefix(b"-") {
        Some(digits) => number(digits).and_then(|n| i64::try_from(n).ok()).map(|n| -n),
        None => number(word).and_then(|n| i64::try_from(n).ok()),
    }
}

/// A number with a decimal point; finite.
pub(super) fn decimal(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok().filter(|v: &f64| v.is_finite())
}

/// The only number of a file that holds one number.
pub(super) fn single(text: &[u8]) -> Option<u64> {
    number(text.trim_ascii())
}

/// Splits at the first `at`; `None` where there is none.
pub(super) fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let mut parts = text.splitn(2, |b| *b == at);
    Some((parts.next()?, parts.next()?))
}

/// Text for people and labels out of any bytes: at most `most` characters, UTF-8 made where it is not, control characters
/// (which could steer a terminal) as `?`.
pub(super) fn clean(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean: String = text.chars().take(most).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        clean.pop();
        clean.push('…');
    }
    clean
}

/// Longest label value: names of devices and sensors are far shorter; mount points seldom reach it.
const LABEL_CHARS: usize = 120;

/// A label value out of any bytes.
pub(super) fn label(bytes: &[u8]) -> String {
    clean(bytes, LABEL_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for bad in [&b"18446744073709551616"[..], b"", b"-1", b"1 ", b"0x10", b"\xff"] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
        assert_eq!([signed(b"-5"), signed(b"7"), signed(b"--5"), signed(b"-")], [Some(-5), Some(7), None, None]);
        assert_eq!([decimal(b"0.25"), decimal(b"nan"), decimal(b"1e999")], [Some(0.25), None, None]);
    }

    #[test]
    fn labels_cannot_steer_a_terminal() {
        assert_eq!(label(b"eth0\x1b[2J\n\xff"), "eth0?[2J?\u{fffd}");
        assert_eq!(clean("déjà vu".as_bytes(), 5), "déjà…");
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for line in lines(&bytes) {
                for word in words(line) {
                    let _ = (number(word), signed(word), decimal(word), split_once(word, b':'));
                }
            }
            prop_assert!(label(&bytes).chars().count() <= LABEL_CHARS);
        }
    }
}
