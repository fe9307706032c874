//! Where a series is heading: slope, how sure, and the next value.
//!
//! Source: Theil and Sen (median of all pairwise slopes), Mann and Kendall (how sure).

use crate::model::TrendDirection;

/// Points below which there is no trend.
const FEWEST: usize = 8;
/// A direction is named where it is this sure.
const SURE: f64 = 0.95;

/// A trend over equally spaced points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Where it is heading.
    pub direction: TrendDirection,
    /// Change per point.
    pub per_point: f64,
    /// How sure, 0–1.
    pub confidence: f64,
    /// The value one point on; `None` with insufficient data.
    pub next: Option<f64>,
}

/// The trend of `values`, oldest first; changes below `floor` over all of them are flat.
pub fn slope(values: &[f64], floor: f64) -> Slope {
    let n = values.len();
    if n < FEWEST {
        return Slope { direction: TrendDirection::InsufficientData, per_point: 0.0, confidence: 0.0, next: None };
    }
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    let mut balance = 0.0;
    for (i, early) in values.iter().enumerate() {
        for (j, late) in values.iter().enumerate().skip(i + 1) {
            slopes.push((late - early) / (j - i) as f64);
            balance += if late > early {
                1.0
            } else if late < early {
                -1.0
            } else {
                0.0
            };
        }
    }
    let per_point = median(&mut slopes);
    let middle = (n - 1) as f64 / 2.0;
    let next = median(&mut values.to_vec()) + per_point * (n as f64 - middle);
    let length = n as f64;
    let variance = length * (length - 1.0) * (2.0 * length + 5.0) / 18.0;
    let confidence = two_sided((f64::abs(balance) - 1.0).max(0.0) / variance.sqrt());
    let direction = if confidence < SURE || (per_point * length).abs() <= floor || per_point == 0.0 {
        TrendDirection::Flat
    } else if per_point > 0.0 {
        TrendDirection::Up
    } else {
        TrendDirection::Down
    };
    Slope { direction, per_point, confidence, next: Some(next) }
}

/// The middle value; 0 for none.
pub fn median(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return 0.0;
    }
    let (below, middle, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    if n % 2 == 1 { *middle } else { (*middle + below.iter().copied().fold(f64::NEG_INFINITY, f64::max)) / 2.0 }
}

/// Share of a normal distribution within ±`z` (Abramowitz and Stegun 7.1.26, error below 2e-7).
fn two_sided(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly = t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    (1.0 - poly * (-x * x).exp()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::noise::Noise;

    #[test]
    fn a_line_under_noise_is_found_with_its_slope() {
        let mut noise = Noise::new(3);
        let values: Vec<f64> = (0..24).map(|i| 5.0 + 0.5 * f64::from(i) + noise.normal()).collect();
        let trend = slope(&values, 0.1);
        assert_eq!(trend.direction, TrendDirection::Up);
        assert!((trend.per_point - 0.5).abs() < 0.15, "{trend:?}");
        assert!((trend.next.unwrap() - 17.0).abs() < 1.5, "{trend:?}");
    }

    #[test]
    fn noise_is_mostly_flat_and_a_constant_always() {
        let mut noise = Noise::new(5);
        let mut named = 0;
        for _ in 0..200 {
            let values: Vec<f64> = (0..24).map(|_| noise.normal()).collect();
            named += usize::from(slope(&values, 0.0).direction != TrendDirection::Flat);
        }
        assert!(named <= 20, "{named} of 200");
        assert_eq!(slope(&[4.0; 24], 0.0).direction, TrendDirection::Flat);
    }

    #[test]
    fn few_points_are_insufficient() {
        let trend = slope(&[1.0, 2.0, 3.0], 0.0);
        assert_eq!((trend.direction, trend.next), (TrendDirection::InsufficientData, None));
    }

    #[test]
    fn a_fall_points_down() {
        let values: Vec<f64> = (0..24).map(|i| -f64::from(i)).collect();
        assert_eq!(slope(&values, 0.1).direction, TrendDirection::Down);
    }
}
