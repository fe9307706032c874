//! Defaults, file, overrides, environment and flags become each room's configuration.
