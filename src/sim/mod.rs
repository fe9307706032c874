//! The simulated machine, and scripted hosts for tests and benches.
