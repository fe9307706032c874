//! Columns of values as bytes.
//!
//! Values are decimals of few digits, so a column is whole mantissas under one exponent, which pack
//! far better than the bits of floating-point numbers. Invariant: what [`decode`] gives is bit for bit what
//! went in, provided it came out of [`rounded`].

use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, PagingSpec};

use super::frame::{Cursor, put, put_signed};
use crate::model::Reading;

/// Significant digits of rates: invisible on a screen, half the bytes of exact ones.
pub(super) const RATE_DIGITS: i32 = 4;
/// Significant digits of gauges: fine enough to see a slow leak in a large value.
pub(super) const GAUGE_DIGITS: i32 = 5;

/// Whole numbers below this are kept exactly (seconds of uptime up to three years, counts).
const EXACT_BELOW: f64 = 1e8;
/// Powers of ten up to this are exact in floating point.
const EXACT_POWER: i32 = 22;
/// Whole numbers below this are exact in floating point: 2^53.
const EXACT_WHOLE: f64 = 9_007_199_254_740_992.0;
/// Level at which `pco` packs: half the speed of level 4 for up to 10 % fewer bytes.
const LEVEL: usize = 8;
/// Most values a column may claim to have; ten minutes at ten a second, or a day of seconds, are fewer.
pub(super) const MOST_VALUES: usize = 100_000;

const CONSTANT: u8 = 0;
const PLAIN: u8 = 1;
const PACKED: u8 = 2;
const FLOATS: u8 = 3;
const SPLIT: u8 = 4;

/// A mantissa and a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    mantissa: i64,
    exponent: i32,
}

impl Decimal {
    fn value(self) -> f64 {
        scale(self.mantissa, self.exponent)
    }
}

/// `mantissa · 10^exponent`, correctly rounded where both parts are exact.
fn scale(mantissa: i64, exponent: i32) -> f64 {
    if exponent < 0 { mantissa as f64 / power(-exponent) } else { mantissa as f64 * power(exponent) }
}

/// Powers of ten as the compiler reads them, which is exact up to 10^22; `powi` is not.
fn power(exponent: i32) -> f64 {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
        1e22,
    ];
    usize::try_from(exponent).ok().and_then(|at| POWERS.get(at)).copied().unwrap_or(f64::INFINITY)
}

/// The nearest decimal of that many digits; `None` for values too large or too small for exact powers of ten.
fn decimal(value: f64, digits: i32) -> Option<Decimal> {
    if value == 0.0 {
        return Some(Decimal { mantissa: 0, exponent: 0 });
    }
    if value.fract() == 0.0 && value.abs() < EXACT_BELOW {
        return Some(Decimal { mantissa: value as i64, exponent: 0 });
    }
    let exponent = value.abs().log10().floor() as i32 + 1 - digits;
    if exponent.abs() > EXACT_POWER {
        return None;
    }
    let mantissa = if exponent < 0 { value * power(-exponent) } else { value / power(exponent) }.round();
    Some(Decimal { mantissa: mantissa as i64, exponent })
}

/// The value that is kept for a value: that many significant digits, whole numbers below 10^8 exactly.
pub(super) fn rounded(value: f64, digits: i32) -> f64 {
    decimal(value, digits).map_or(value, Decimal::value)
}

/// The value the history keeps of a reading.
pub fn kept(reading: &Reading) -> f64 {
    rounded(reading.value, if reading.cumulative.is_some() { RATE_DIGITS } else { GAUGE_DIGITS })
}

/// The decimal a rounded value came from. Rounding again at more digits than it has finds it.
fn recovered(value: f64) -> Option<Decimal> {
    let found = decimal(value, GAUGE_DIGITS)?;
    // Negative zero and values that never were decimals are not the same bits.
    (found.value().to_bits() == value.to_bits()).then(|| found.trimmed())
}

impl Decimal {
    /// Without zeros at the end of a mantissa whose exponent is negative, so that 0.5 is 5·10⁻¹ and not 50000·10⁻⁵.
    fn trimmed(mut self) -> Self {
        while self.exponent < 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }
}

/// Mantissas under the smallest exponent; `None` where that is not exact.
fn common(decimals: &[Decimal]) -> Option<(i32, Vec<i64>)> {
    let exponent = decimals.iter().filter(|d| d.mantissa != 0).map(|d| d.exponent).min().unwrap_or(0);
    let mantissas = decimals.iter().map(|d| {
        let scaled = d.mantissa as f64 * power((d.exponent - exponent).max(0));
        (d.mantissa == 0 || scaled.abs() < EXACT_WHOLE).then_some(if d.mantissa == 0 { 0 } else { scaled as i64 })
    });
    Some((exponent, mantissas.collect::<Option<_>>()?))
}

/// Appends a column in the form that is quick to write: for rows that live ten minutes.
pub(super) fn encode_quickly(out: &mut Vec<u8>, values: &[f64]) {
    let decimals: Option<Vec<Decimal>> = values.iter().map(|v| recovered(*v)).collect();
    match decimals.as_deref().and_then(common) {
        Some((exponent, mantissas)) => plain(out, exponent, &mantissas),
        None => floats(out, values),
    }
}

/// Appends a column in the smallest form.
pub(super) fn encode(out: &mut Vec<u8>, values: &[f64]) {
    let decimals: Option<Vec<Decimal>> = values.iter().map(|v| recovered(*v)).collect();
    let start = out.len();
    match decimals.as_deref().map(|d| (common(d), d)) {
        Some((Some((exponent, mantissas)), decimals)) => {
            plain(out, exponent, &mantissas);
            // Packing has about twenty bytes of its own.
            if out.len() - start < 24 {
                return;
            }
            let mut packed = vec![PACKED];
            put_signed(&mut packed, i64::from(exponent));
            pack(&mut packed, &mantissas);
            shorter(out, start, packed);
            // Values of very different size waste the low digits of the large ones: split off the exponents.
            let largest = decimals.iter().map(|d| d.exponent).max().unwrap_or(exponent);
            if largest - exponent >= 3 {
                shorter(out, start, split(decimals));
            }
        }
        Some((None, decimals)) => out.extend(split(decimals)),
        None => floats(out, values),
    }
}

fn shorter(out: &mut Vec<u8>, start: usize, other: Vec<u8>) {
    if other.len() < out.len() - start {
        out.truncate(start);
        out.extend(other);
    }
}

fn plain(out: &mut Vec<u8>, exponent: i32, mantissas: &[i64]) {
    let first = mantissas.first().copied().unwrap_or(0);
    let constant = mantissas.iter().all(|m| *m == first);
    out.push(if constant { CONSTANT } else { PLAIN });
    put_signed(out, i64::from(exponent));
    put_signed(out, first);
    if !constant {
        for pair in mantissas.windows(2) {
            put_signed(out, pair[1] - pair[0]);
        }
    }
}

fn split(decimals: &[Decimal]) -> Vec<u8> {
    let mut out = vec![SPLIT];
    let exponents: Vec<i64> = decimals.iter().map(|d| i64::from(d.exponent)).collect();
    let mantissas: Vec<i64> = decimals.iter().map(|d| d.mantissa).collect();
    let mut packed = Vec::new();
    pack(&mut packed, &exponents);
    put(&mut out, packed.len() as u64);
    out.extend(packed);
    pack(&mut out, &mantissas);
    out
}

fn floats(out: &mut Vec<u8>, values: &[f64]) {
    out.push(FLOATS);
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Appends one chunk of one page without the header of a stand-alone file.
pub(super) fn pack(out: &mut Vec<u8>, mantissas: &[i64]) {
    let config = ChunkConfig::default().with_compression_level(LEVEL).with_paging_spec(PagingSpec::Exact(vec![mantissas.len()]));
    let mut chunk = FileCompressor::default()
        .chunk_compressor(mantissas, &config)
        .expect("the level is valid and the column not empty nor too long");
    chunk.write_meta(&mut *out).expect("memory takes everything");
    chunk.write_page(0, out).expect("memory takes everything");
}

/// Reads `n` whole numbers from the end of a payload.
pub(super) fn unpack(bytes: &[u8], n: usize) -> Option<Vec<i64>> {
    // What FileCompressor writes as its header: the format version of this pco.
    let mut header = Vec::new();
    FileCompressor::default().write_header(&mut header).ok()?;
    let (file, _) = FileDecompressor::new(&header[..]).ok()?;
    let (mut chunk, rest) = file.chunk_decompressor::<i64, _>(bytes).ok()?;
    let mut page = chunk.page_decompressor(rest, n).ok()?;
    let mut numbers = vec![0; n];
    page.read(&mut numbers).ok().filter(|p| p.n_processed == n)?;
    Some(numbers)
}

/// The `n` values of a column; the cursor must end with it.
pub(super) fn decode(mut cursor: Cursor<'_>, n: usize) -> Option<Vec<f64>> {
    if n == 0 || n > MOST_VALUES {
        return None;
    }
    let mode = cursor.byte()?;
    if mode == FLOATS {
        let (words, rest) = cursor.0.as_chunks::<8>();
        return (words.len() == n && rest.is_empty()).then(|| words.iter().map(|w| f64::from_le_bytes(*w)).collect());
    }
    if mode == SPLIT {
        let exponents = unpack(cursor.bytes()?, n)?;
        let mantissas = unpack(cursor.0, n)?;
        let pairs = mantissas.iter().zip(exponents);
        return Some(pairs.map(|(m, e)| scale(*m, i32::try_from(e).unwrap_or(0))).collect());
    }
    let exponent = i32::try_from(cursor.get_signed()?).ok()?;
    let mantissas = match mode {
        CONSTANT => return Some(vec![scale(cursor.get_signed()?, exponent); n]),
        PLAIN => {
            let mut last = 0_i64;
            let steps = std::iter::repeat_with(|| {
                last = last.wrapping_add(cursor.get_signed()?);
                Some(last)
            });
            steps.take(n).collect::<Option<Vec<i64>>>()?
        }
        PACKED => unpack(cursor.0, n)?,
        _ => return None,
    };
    Some(scaled(&mantissas, exponent))
}

fn scaled(mantissas: &[i64], exponent: i32) -> Vec<f64> {
    if exponent < 0 {
        let by = power(-exponent);
        mantissas.iter().map(|m| *m as f64 / by).collect()
    } else {
        let by = power(exponent);
        mantissas.iter().map(|m| *m as f64 * by).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            -1e4..1e4,
            (-1e12..1e12_f64).prop_map(f64::trunc),
            Just(0.0),
            0.0..1e-6,
            prop::num::f64::NORMAL,
            (0..1000_i32).prop_map(|x| f64::from(x) / 1000.0),
        ]
    }

    proptest! {
        #[test]
        fn rounded_columns_are_read_back_bit_for_bit(
            values in prop::collection::vec(any_value(), 1..300),
            digits in RATE_DIGITS..=GAUGE_DIGITS,
        ) {
            let values: Vec<f64> = values.iter().map(|v| rounded(*v, digits)).collect();
            for write in [encode, encode_quickly] {
                let mut out = Vec::new();
                write(&mut out, &values);
                let read = decode(Cursor(&out), values.len()).expect("what was written");
                for (a, b) in read.iter().zip(&values) {
                    prop_assert_eq!(a.to_bits(), b.to_bits(), "{} {}", a, b);
                }
            }
        }

        #[test]
        fn rounding_moves_a_value_by_less_than_its_digits(value in any_value()) {
            let kept = rounded(value, RATE_DIGITS);
            prop_assert!((kept - value).abs() <= value.abs() * 0.5e-3, "{} {}", value, kept);
            prop_assert_eq!(rounded(kept, RATE_DIGITS).to_bits(), kept.to_bits());
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>, n in 0..2000_usize) {
            let _ = decode(Cursor(&bytes), n);
        }
    }

    #[test]
    fn whole_numbers_are_kept_exactly() {
        for value in [0.0, 1.0, -7.0, 8_640_001.0, 99_999_999.0] {
            assert_eq!(rounded(value, RATE_DIGITS), value);
        }
        assert_eq!(rounded(0.123_456_78, RATE_DIGITS), 0.1235);
        assert_eq!(rounded(21_833_207_808.0, GAUGE_DIGITS), 21_833_000_000.0);
    }

    #[test]
    fn a_constant_costs_a_few_bytes_and_noise_under_two_each() {
        let mut out = Vec::new();
        encode(&mut out, &[0.25; 600]);
        assert!(out.len() <= 4, "{} bytes", out.len());
        out.clear();
        let noise: Vec<f64> = (0..600_u32).map(|i| rounded(f64::from(i.wrapping_mul(2_654_435_761) >> 16) / 37.0, 4)).collect();
        encode(&mut out, &noise);
        assert!(out.len() < 1200, "{} bytes", out.len());
    }
}
