//! Functions of one value, as PromQL names them.
//!
//! Invariant: each is a function of the value and of numbers written in the query; what is not finite is absent.

/// A function of each value of a vector.
#[derive(Debug)]
pub(super) struct Function {
    pub name: &'static str,
    /// Fewest and most numbers behind the vector.
    pub arguments: (usize, usize),
    /// How it is written, for people.
    pub usage: &'static str,
    /// Its values have the unit of the vector's.
    pub keeps_unit: bool,
    pub of: fn(f64, &[f64]) -> f64,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const fn plain(name: &'static str, usage: &'static str, of: fn(f64, &[f64]) -> f64) -> Function {
    Function { name, arguments: (0, 0), usage, keeps_unit: false, of }
}

const fn keeping(name: &'static str, usage: &'static str, of: fn(f64, &[f64]) -> f64) -> Function {
    Function { keeps_unit: true, ..plain(name, usage, of) }
}

/// All of them.
pub(super) static FUNCTIONS: &[Function] = &[
    keeping("abs", "abs(load_average)", |v, _| v.abs()),
    keeping("ceil", "ceil(load_average)", |v, _| v.ceil()),
    keeping("floor", "floor(load_average)", |v, _| v.floor()),
    Function { arguments: (0, 1), ..keeping("round", "round(load_average) or round(load_average, 0.5)", round) },
    Function { arguments: (2, 2), ..keeping("clamp", "clamp(load_average, 0, 10)", clamp) },
    Function { arguments: (1, 1), ..keeping("clamp_min", "clamp_min(load_average, 1)", |v, a| v.max(first(a))) },
    Function { arguments: (1, 1), ..keeping("clamp_max", "clamp_max(load_average, 10)", |v, a| v.min(first(a))) },
    plain("sqrt", "sqrt(load_average)", |v, _| v.sqrt()),
    plain("exp", "exp(load_average)", |v, _| v.exp()),
    plain("ln", "ln(load_average)", |v, _| v.ln()),
    plain("log2", "log2(load_average)", |v, _| v.log2()),
    plain("log10", "log10(load_average)", |v, _| v.log10()),
    plain("sgn", "sgn(load_average)", |v, _| if v == 0.0 { 0.0 } else { v.signum() }),
];

/// The function of that name.
pub(super) fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

fn first(arguments: &[f64]) -> f64 {
    arguments.first().copied().unwrap_or(f64::NAN)
}

/// To the nearest multiple, halves up, as Prometheus does it.
fn round(value: f64, arguments: &[f64]) -> f64 {
    let inverse = 1.0 / arguments.first().copied().unwrap_or(1.0);
    (value * inverse + 0.5).floor() / inverse
}

/// Absent where the bounds cross.
fn clamp(value: f64, arguments: &[f64]) -> f64 {
    match arguments {
        [low, high] if low <= high => value.clamp(*low, *high),
        _ => f64::NAN,
    }
}
