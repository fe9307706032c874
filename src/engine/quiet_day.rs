//! A day of a machine without trouble: nobody is told anything.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::exchange::{Past, Timing};
use super::{Surroundings, catalog, settings};
use crate::base::Timestamp;
use crate::config::{Inputs, load};
use crate::model::JournalEvent;
use crate::notify::Sending;
use crate::sim::Machine;

/// Every message of 24 simulated hours, samples `step` seconds apart. The simulated machine's first day has visitors, a nightly backup
/// and two deploys, and no trouble.
fn messages(step: u64) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("config.toml");
    std::fs::write(&file, format!("[general]\ninterval = \"{step}s\"\n[notify.file]\npath = \"alerts.jsonl\"\n"))
        .expect("written");
    let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("a good configuration").config;
    let start = Timestamp::from_seconds(1_780_012_800);
    let mut machine = Machine::new(1, start);
    let host = Arc::new(machine.facts());
    let around = Surroundings { host, link_bits_per_second: Some(1e9), data_dir: dir.path(), sending: Sending::Dry };
    let settings = settings(&config, &Arc::new(catalog()), &around).expect("good settings");
    let mut core = Core::new(settings, Past::default(), start).expect("good rules");
    core.recorder_mut().store.ok = true;
    let mut told = Vec::new();
    for second in (0..86_400).step_by(usize::try_from(step).expect("a step")) {
        let at = start + Duration::from_secs(second);
        let output = core.tick(machine.sample(at), Timing::default());
        for entry in output.pulse.iter().flat_map(|p| &p.journal) {
            if let JournalEvent::Delivered { channel, note, alert, .. } = &entry.event {
                told.push(format!("{second} {channel} {alert} {note}"));
            }
        }
    }
    told
}

#[test]
fn a_day_of_a_normal_machine_gives_no_message() {
    // Samples a second apart take minutes in a build for tests.
    let step = if std::env::var_os("FAROL_SLOW").is_some() { 1 } else { 10 };
    assert_eq!(messages(step), Vec::<String>::new());
}
