//! The keymap of the configuration, with the places of what is wrong in it.

use std::collections::BTreeMap;

use super::place;
use crate::config::Origin;
use crate::ui::presets::{self, Wanted};
use crate::ui::{Keymap, UiConfig};

/// Reads it; what is right is used, what is not is said.
pub fn keymap(config: &UiConfig, origins: &BTreeMap<String, Origin>) -> (Keymap, Vec<String>) {
    let origin = |action: &str| match origins.get(&format!("ui.keys.{action}")) {
        Some(Origin::File(path)) => Some(path.clone()),
        _ => None,
    };
    let folder = place::keymaps();
    presets::load(&Wanted { keymap: &config.keymap, keys: &config.keys, origin: &origin, folder: folder.as_deref() })
}
