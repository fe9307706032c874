//! Detectors, forecasters, seasons, crossings and explanation; pure.
