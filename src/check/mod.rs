//! Service probes and their schedule.
