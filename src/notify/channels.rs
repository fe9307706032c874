//! The table of channels.
//!
//! A channel is one file and one row here. Invariant: a row's name is its file's name.

use super::{ChannelKind, desktop, email, file};

/// All channels, in the order they are listed to people.
pub const CHANNELS: &[ChannelKind] = &[desktop::KIND, file::KIND, email::KIND];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{ChannelContext, NotifyConfig};

    #[test]
    fn every_row_is_a_file_and_every_example_can_be_opened() {
        let context = ChannelContext { folder: "/nowhere".into() };
        for kind in CHANNELS {
            let file = format!("{}/src/notify/{}.rs", env!("CARGO_MANIFEST_DIR"), kind.name);
            assert!(std::path::Path::new(&file).is_file(), "{file}");
            let config: NotifyConfig = toml::from_str(&format!("[{}]\n{}", kind.name, kind.example)).expect(kind.name);
            let opened = config.open(&context).expect(kind.name);
            assert_eq!((opened.len(), opened[0].1.name), (1, kind.name));
        }
    }
}
