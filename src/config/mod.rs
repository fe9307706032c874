//! Defaults, file, overrides, environment and flags become each room's configuration.
//!
//! Order, later wins: defaults → file → `overrides.toml` in the data folder → `FAROL_SECTION__KEY` →
//! flags. A later list replaces an earlier one, but a rule of `overrides.toml` only the one of its name. Invariant: an unknown key or a wrong type is an error that says where it stands and what was
//! meant; nothing is guessed.

mod bounds;
mod edit;
mod error;
mod keys;
mod layer;
mod load;
mod names;
mod place;
mod section;

pub use edit::Proposal;
pub use error::ConfigError;
pub use keys::{is_secret, keys_of, meanings, text, texts};
pub use layer::Origin;
pub use load::{Inputs, Loaded, load, search};
pub use place::KeyError;
pub use section::{ApiConfig, Config, GeneralConfig};
pub use toml::Table;

/// Every key with its default, commented: the text of `config.example.toml`.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");
