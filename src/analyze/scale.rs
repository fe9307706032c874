//! On which scale values are compared, and how small a difference means nothing.
//!
//! Invariant: `outside` of `inside` of `x` is `x` up to rounding.

use crate::base::Unit;
use crate::model::MetricDef;

/// How values of one metric are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Values far above it are compared by their logarithm, values far below as they are; `None`: always as they are.
    pivot: Option<f64>,
    /// Differences below this never mean anything, on the inner scale.
    material: f64,
    range: (Option<f64>, Option<f64>),
}

impl Scale {
    /// The scale of a metric; an unknown one is compared as it is.
    pub fn of(def: Option<&MetricDef>) -> Self {
        let Some(def) = def else { return Self { pivot: None, material: 0.0, range: (None, None) } };
        // Traffic and operations vary by factors; what is less than a page or an event a second is nothing.
        let pivot = match def.unit {
            Unit::BytesPerSecond => Some(4096.0),
            Unit::BitsPerSecond => Some(32_768.0),
            Unit::PerSecond => Some(1.0),
            _ => None,
        };
        // The smallest difference a person would want to hear of; below it an idle machine's ripple would be news.
        let material = match def.unit {
            Unit::Ratio => 0.02,
            Unit::Seconds => 0.002,
            Unit::Celsius | Unit::Watts => 1.0,
            Unit::Bytes => 8.0 * 1024.0 * 1024.0,
            Unit::BytesPerSecond | Unit::BitsPerSecond | Unit::PerSecond => 0.3,
            Unit::Count => 0.5,
            Unit::Hertz | Unit::Rpm => 0.0,
        };
        Self { pivot, material, range: def.range }
    }

    /// The value as detectors see it.
    pub fn inside(self, value: f64) -> f64 {
        self.pivot.map_or(value, |pivot| (value.max(0.0) / pivot).ln_1p())
    }

    /// The value as people see it, within what is possible.
    pub fn outside(self, value: f64) -> f64 {
        let value = self.pivot.map_or(value, |pivot| value.exp_m1() * pivot);
        let value = self.range.0.map_or(value, |low| value.max(low));
        self.range.1.map_or(value, |high| value.min(high))
    }

    /// The smallest deviation that means anything: 0.1 % of the learned spread, 0.01 % of the magnitude, and
    /// what people care about. Without it constant series dominate.
    pub fn floor(self, spread: f64, magnitude: f64) -> f64 {
        (1e-3 * spread).max(1e-4 * magnitude.abs()).max(self.material).max(1e-9)
    }
}
