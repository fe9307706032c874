//! The table of channels.
//!
//! A channel is one file and one row here. Invariant: a row's name is its file's name.

use super::{
    ChannelKind, alertmanager, command, desktop, discord, email, file, gotify, journal, matrix, ntfy, pagerduty, phone, pushover,
    slack, sms, syslog, teams, telegram, terminal, webhook,
};

/// All channels, in the order they are listed to people.
pub const CHANNELS: &[ChannelKind] = &[
    desktop::KIND,
    terminal::KIND,
    file::KIND,
    email::KIND,
    slack::KIND,
    teams::KIND,
    discord::KIND,
    telegram::KIND,
    matrix::KIND,
    ntfy::KIND,
    gotify::KIND,
    pushover::KIND,
    sms::KIND,
    phone::KIND,
    pagerduty::KIND,
    alertmanager::KIND,
    webhook::KIND,
    syslog::KIND,
    journal::KIND,
    command::KIND,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{ChannelContext, NotifyConfig};

    #[test]
    fn every_row_is_a_file_and_every_example_can_be_opened() {
        let context = ChannelContext { folder: "/nowhere".into(), ..ChannelContext::default() };
        for kind in CHANNELS {
            let file = format!("{}/src/notify/{}.rs", env!("CARGO_MANIFEST_DIR"), kind.name);
            assert!(std::path::Path::new(&file).is_file(), "{file}");
            let config: NotifyConfig = toml::from_str(&format!("[{}]\n{}", kind.name, kind.example)).expect(kind.name);
            let opened = config.open(&context).expect(kind.name);
            assert_eq!((opened.len(), opened[0].1.name), (1, kind.name));
        }
    }
}
