//! `[ui]` of the configuration.

use serde::{Deserialize, Serialize};

/// How the screen looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UiConfig {
    /// Name of a built-in theme, or of a file in the user's folder of themes.
    pub theme: String,
    /// Name of a built-in layout, or of a file in the user's folder of layouts.
    pub layout: String,
    /// What graphs are made of: `braille`, `block`, `ascii`.
    pub graph: String,
}

impl Default for UiConfig {
    fn default() -> Self {
        Self { theme: "dark".to_owned(), layout: "default".to_owned(), graph: "braille".to_owned() }
    }
}
