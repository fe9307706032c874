//! Values that can be read but make no sense, each by its key.
//!
//! Rules, services and channels are judged by their rooms. Invariant: a key named here is one of [`Config`].

use std::time::Duration;

use super::Config;
use crate::base::time::exact;
use crate::collect;
use crate::model::catalog::nearest;

/// Shortest and longest time between two writes: a commit costs some 24 KiB, and an hour is much to lose.
const FLUSH: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));

/// History is kept in slabs of ten minutes: less is none.
const KEPT_LEAST: Duration = Duration::from_secs(600);

/// Smallest history: below, the file's own pages are most of it.
const SIZE_LEAST: u64 = 8 << 20;

/// Shortest past capacity forecasts can learn from.
const TRAINED_LEAST: Duration = Duration::from_secs(3600);

/// A sign of life more often tells nobody more.
const HEARTBEAT_LEAST: Duration = Duration::from_secs(1);

/// The first value that makes no sense: its dotted key, and what is wrong.
pub(super) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    let store = &config.store;
    if store.flush < FLUSH.0 || store.flush > FLUSH.1 {
        return Err(("store.flush", format!("flush must lie between {} and {}", exact(FLUSH.0), exact(FLUSH.1))));
    }
    let kept = [
        ("store.raw", store.raw),
        ("store.ten_seconds", store.ten_seconds),
        ("store.minute", store.minute),
        ("store.hour", store.hour),
        ("store.sketches", store.sketches),
    ];
    if let Some((key, _)) = kept.into_iter().find(|(_, kept)| *kept < KEPT_LEAST) {
        return Err((key, format!("history cannot be kept for less than {}", exact(KEPT_LEAST))));
    }
    if store.max_size < SIZE_LEAST {
        return Err(("store.max_size", format!("history needs at least {} MiB", SIZE_LEAST >> 20)));
    }
    if let Some(unknown) = config.collect.without.iter().find(|name| !collect::sources().any(|known| known == *name)) {
        let near = nearest(unknown, collect::sources()).map(|near| format!("did you mean \"{near}\"?"));
        let known = || format!("known are {}", collect::sources().collect::<Vec<_>>().join(", "));
        return Err(("collect.without", format!("there is no source \"{unknown}\"; {}", near.unwrap_or_else(known))));
    }
    if config.collect.max_instances == 0 {
        return Err((
            "collect.max_instances",
            "max_instances must be at least 1; leave a source out with \"without\"".to_owned(),
        ));
    }
    config.prices.check()?;
    let analyze = &config.analyze;
    if analyze.train_on < TRAINED_LEAST {
        return Err(("analyze.train_on", format!("train_on must be at least {}", exact(TRAINED_LEAST))));
    }
    for (key, value) in
        [("analyze.warn_per_week", analyze.warn_per_week), ("analyze.critical_per_month", analyze.critical_per_month)]
    {
        if !(value.is_finite() && value >= 0.0) {
            return Err((key, "a number of anomalies is 0 or more".to_owned()));
        }
    }
    if !(analyze.stability_error.is_finite() && analyze.stability_error > 0.0) {
        return Err(("analyze.stability_error", "stability_error must be above 0, as in 0.05".to_owned()));
    }
    if !(0.0..=1.0).contains(&analyze.stability_below) {
        return Err(("analyze.stability_below", "stability_below must lie between 0% and 100%, as in \"80%\"".to_owned()));
    }
    if config.heartbeat.every < HEARTBEAT_LEAST {
        return Err(("heartbeat.every", format!("every must be at least {}", exact(HEARTBEAT_LEAST))));
    }
    if !["braille", "block", "ascii"].contains(&config.ui.graph.as_str()) {
        return Err(("ui.graph", format!("\"{}\" is none of braille, block, ascii", config.ui.graph)));
    }
    for (key, value, known) in [
        ("ui.units", &config.ui.units, ["iec", "si"]),
        ("ui.temperature", &config.ui.temperature, ["celsius", "fahrenheit"]),
        ("ui.time_format", &config.ui.time_format, ["24h", "12h"]),
    ] {
        if !known.contains(&value.as_str()) {
            return Err((key, format!("\"{value}\" is neither {} nor {}", known[0], known[1])));
        }
    }
    Ok(())
}
