//! How likely a forecast lies beyond a limit; never draws courses (a forecast's crossing does).

use crate::base::Timestamp;
use crate::model::{Forecast, Limit};

/// Half a 95 % band in standard deviations.
const HALF_BAND95: f64 = 1.96;

/// How likely the series is beyond the limit at the worst moment up to `until`, 0–1: each step's value taken as normal around its
/// mean with the spread of its 95 % band. 0 without a forecast.
pub fn beyond(forecast: &Forecast, limit: Limit, until: Timestamp) -> f64 {
    let steps = forecast.mean.iter().zip(&*forecast.band95).enumerate();
    let in_time = steps.take_while(|(k, _)| forecast.made_at + forecast.step * u32::try_from(k + 1).unwrap_or(u32::MAX) <= until);
    let likely = in_time.map(|(_, (mean, band))| {
        let spread = ((band.high - band.low) / (2.0 * HALF_BAND95)).max(f64::MIN_POSITIVE);
        let above = |value: f64| normal((mean - value) / spread);
        match limit {
            Limit::Above(value) => above(value),
            Limit::Below(value) => 1.0 - above(value),
            Limit::Outside(low, high) => 1.0 - above(low) + above(high),
        }
    });
    likely.fold(0.0, f64::max)
}

/// The normal distribution's share below `z`, within 7.5e-8 (Abramowitz and Stegun, 26.2.17).
fn normal(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let sum = series.into_iter().fold(0.0, |sum, b| (sum + b) * t);
    let tail = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * sum;
    if z < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Backtest, Band, SeriesKey};
    use std::time::Duration;

    #[test]
    fn the_worst_step_in_time_counts() {
        let band = |mean: f64| Band { low: mean - 0.0196, high: mean + 0.0196 };
        let means = [0.80, 0.89, 0.90, 0.92];
        let forecast = Forecast {
            key: SeriesKey::total("memory_used_ratio"),
            made_at: Timestamp::from_seconds(0),
            step: Duration::from_secs(60),
            mean: means.to_vec().into(),
            band80: means.map(band).to_vec().into(),
            band95: means.map(band).to_vec().into(),
            method: String::new(),
            backtest: Backtest::default(),
            crossing: None,
            none_because: None,
        };
        let likely = |limit, seconds| beyond(&forecast, limit, Timestamp::from_seconds(seconds));
        assert_eq!(likely(Limit::Above(0.9), 59), 0.0);
        for (seconds, expected) in [(60, 0.0), (120, 0.158_655), (180, 0.5), (240, 0.977_25), (9000, 0.977_25)] {
            assert!((likely(Limit::Above(0.9), seconds) - expected).abs() < 1e-5, "{seconds} s");
        }
        assert!((likely(Limit::Below(0.8), 9000) - 0.5).abs() < 1e-6 && likely(Limit::Outside(0.8, 0.9), 60) > 0.49);
    }
}
