//! Detectors that are measured and not listened to: they found less, or told of more, than those of the default do together.
//!
//! One file per challenger and one row in [`CHALLENGERS`], with the reason. Never runs but where it is asked for alone.
//! Invariant: names are unique among all detectors.

mod autoencoder;
mod forest;
mod leak;
mod lstm;
mod net;
mod rolling;
mod spot;

use std::fmt::Debug;

use super::detect::Detector;

/// Watches all series of a machine together.
pub trait MachineDetector: Debug + Send {
    /// Takes in the newest value of every series, always in the same order, new ones at the end; gives how surprising they are
    /// together, in decades of rarity: 0 while it knows too little.
    fn observe(&mut self, at_seconds: f64, values: &[f64]) -> f64;
}

/// What a challenger watches.
#[derive(Debug, Clone, Copy)]
pub enum Watches {
    /// One series.
    Series(fn() -> Box<dyn Detector>),
    /// All series of a machine.
    Machine(fn() -> Box<dyn MachineDetector>),
}

/// A row of [`CHALLENGERS`].
#[derive(Debug, Clone, Copy)]
pub struct ChallengerDef {
    /// Its name.
    pub name: &'static str,
    /// Why it is not listened to.
    pub because: &'static str,
    /// A challenger without a past.
    pub watches: Watches,
}

/// All challengers.
pub const CHALLENGERS: &[ChallengerDef] = &[
    // First those that watch one series.
    rolling::MEDIUM,
    rolling::HIGH,
    spot::DEF,
    leak::DEF,
    forest::DEF,
    autoencoder::DEF,
    lstm::DEF,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::detect::DETECTORS;

    #[test]
    fn names_are_unique_and_every_challenger_says_why() {
        let names: std::collections::BTreeSet<&str> =
            DETECTORS.iter().map(|d| d.name).chain(CHALLENGERS.iter().map(|c| c.name)).collect();
        assert_eq!(names.len(), DETECTORS.len() + CHALLENGERS.len());
        assert!(CHALLENGERS.iter().all(|c| c.because.len() > 20));
    }
}
