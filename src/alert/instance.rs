//! (filled by the state machine.)
