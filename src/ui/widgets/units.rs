//! How values are written on this screen: bytes in powers of 1,024 or of 1,000, degrees in Celsius or Fahrenheit.
//!
//! Inside, everything stays in base units. Invariant: one value is written in one way on every page.

use super::{Phrase, Role};
use crate::base::{Unit, format_value};

/// What bytes are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bytes {
    /// KiB, MiB, GiB: powers of 1,024.
    #[default]
    Iec,
    /// kB, MB, GB: powers of 1,000.
    Si,
}

impl Bytes {
    /// By its name in the configuration: `iec` or `si`; `None` for any other.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "iec" => Some(Self::Iec),
            "si" => Some(Self::Si),
            _ => None,
        }
    }
}

/// What temperatures are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Degrees {
    /// °C.
    #[default]
    Celsius,
    /// °F.
    Fahrenheit,
}

impl Degrees {
    /// By its name in the configuration: `celsius` or `fahrenheit`; `None` for any other.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "celsius" => Some(Self::Celsius),
            "fahrenheit" => Some(Self::Fahrenheit),
            _ => None,
        }
    }
}

/// The units of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Units {
    /// Of sizes and rates.
    pub bytes: Bytes,
    /// Of temperatures.
    pub degrees: Degrees,
}

/// A unit as it is shown: `shown = value / factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// Base units in one of the unit shown.
    pub factor: f64,
    /// Added after that; 0 but for °F.
    pub offset: f64,
    /// Its name (`MiB/s`).
    pub name: &'static str,
}

const IEC: [(f64, &str, &str); 5] = [
    (1.0, "B", "B/s"),
    (1024.0, "KiB", "KiB/s"),
    (1_048_576.0, "MiB", "MiB/s"),
    (1_073_741_824.0, "GiB", "GiB/s"),
    (1.099_511_627_776e12, "TiB", "TiB/s"),
];
const SI: [(f64, &str, &str); 5] =
    [(1.0, "B", "B/s"), (1e3, "kB", "kB/s"), (1e6, "MB", "MB/s"), (1e9, "GB", "GB/s"), (1e12, "TB", "TB/s")];
const BITS: [(f64, &str); 4] = [(1.0, "bit/s"), (1e3, "kbit/s"), (1e6, "Mbit/s"), (1e9, "Gbit/s")];
const HERTZ: [(f64, &str); 4] = [(1.0, "Hz"), (1e3, "kHz"), (1e6, "MHz"), (1e9, "GHz")];

impl Units {
    /// By their names in the configuration; `None` where one is unknown.
    pub fn named(bytes: &str, degrees: &str) -> Option<Self> {
        Some(Self { bytes: Bytes::named(bytes)?, degrees: Degrees::named(degrees)? })
    }

    fn steps(self) -> &'static [(f64, &'static str, &'static str); 5] {
        match self.bytes {
            Bytes::Iec => &IEC,
            Bytes::Si => &SI,
        }
    }

    /// The unit in which a value of that size is said in tables and on axes.
    pub fn shown_in(self, unit: Unit, size: f64) -> Shown {
        let largest = |steps: &[(f64, &'static str)]| {
            steps.iter().rev().find(|(f, _)| size.abs() >= *f).or(steps.first()).copied().unwrap_or((1.0, ""))
        };
        let bytes = || *self.steps().iter().rev().find(|(f, ..)| size.abs() >= *f).unwrap_or(&self.steps()[0]);
        let (factor, name) = match unit {
            Unit::Ratio => (0.01, "%"),
            Unit::Bytes => (bytes().0, bytes().1),
            Unit::BytesPerSecond => (bytes().0, bytes().2),
            Unit::BitsPerSecond => largest(&BITS),
            Unit::Hertz => largest(&HERTZ),
            Unit::PerSecond => (1.0, "/s"),
            // Response times are compared in milliseconds up to ten seconds.
            Unit::Seconds if size.abs() < 10.0 => (0.001, "ms"),
            Unit::Seconds => (1.0, "s"),
            Unit::Celsius => match self.degrees {
                Degrees::Celsius => (1.0, "°C"),
                Degrees::Fahrenheit => return Shown { factor: 5.0 / 9.0, offset: 32.0, name: "°F" },
            },
            Unit::Watts => (1.0, "W"),
            Unit::Rpm => (1.0, "rpm"),
            Unit::Count => (1.0, ""),
        };
        Shown { factor, offset: 0.0, name }
    }

    /// A value for people: `91%`, `21.8 GiB`, `23.4 GB`, `3.1 MiB/s`, `149°F`.
    pub fn text(self, value: f64, unit: Unit) -> String {
        match (unit, self.bytes, self.degrees) {
            (Unit::Bytes | Unit::BytesPerSecond, Bytes::Si, _) => {
                // As many digits as in powers of 1,024: 999.96 would be written as 1,000.0.
                let shown = self.shown_in(unit, value * 1.00005);
                let number = value / shown.factor;
                let digits = usize::from(shown.factor > 1.0 && number.abs() < 99.95);
                format!("{number:.digits$} {}", shown.name)
            }
            (Unit::Celsius, _, Degrees::Fahrenheit) => {
                let shown = self.shown_in(unit, value);
                format!("{:.0}{}", value / shown.factor + shown.offset, shown.name)
            }
            _ => format_value(value, unit),
        }
    }

    /// The same with its unit dim.
    pub fn quantity(self, role: Role, value: f64, unit: Unit) -> Phrase {
        let text = self.text(value, unit);
        match text.find([' ', '%', '°']) {
            Some(at) => {
                let (number, unit) = text.split_at(at);
                Phrase::new().role(role, number).dim(unit)
            }
            None => Phrase::new().role(role, &text),
        }
    }

    /// Bytes in one of the unit of tables, which all rows share: a MiB or a MB.
    pub fn mega(self) -> f64 {
        self.steps()[2].0
    }

    /// The head of a column whose values are in that unit: `mem MiB` as it is, or `mem MB`.
    pub fn head(self, head: &'static str) -> &'static str {
        match (self.bytes, head) {
            (Bytes::Si, "mem MiB") => "mem MB",
            (Bytes::Si, "read MiB/s") => "read MB/s",
            _ => head,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_degrees_are_written_as_they_were_chosen() {
        let iec = Units::default();
        let si = Units::named("si", "fahrenheit").expect("both are known");
        let check = |value: f64, unit, plain: &str, other: &str| {
            assert_eq!((iec.text(value, unit).as_str(), si.text(value, unit).as_str()), (plain, other));
        };
        check(23.4e9, Unit::Bytes, "21.8 GiB", "23.4 GB");
        check(999_970.0, Unit::BytesPerSecond, "977 KiB/s", "1.0 MB/s");
        check(512.0, Unit::Bytes, "512 B", "512 B");
        check(0.0, Unit::Bytes, "0 B", "0 B");
        check(65.0, Unit::Celsius, "65°C", "149°F");
        check(0.91, Unit::Ratio, "91%", "91%");
        assert_eq!(Units::named("imperial", "celsius"), None);
        assert_eq!((si.head("mem MiB"), iec.head("mem MiB")), ("mem MB", "mem MiB"));
    }
}
