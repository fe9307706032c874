//! Gives a simulation its history before it is shown.

use std::time::Duration;

use super::core::Core;
use super::exchange::{Output, Timing};
use super::feed::Simulation;
use crate::base::Timestamp;
use crate::store::{WriteError, Writer};

/// Samples of the last part are a second apart, as live ones; before, ten.
const FINE: Duration = Duration::from_secs(1200);

/// Runs the simulation through the core from the start of its history to now.
///
/// # Errors
/// Where the history cannot be written.
pub fn up(core: &mut Core, writer: &mut Writer, simulation: &mut Simulation) -> Result<(), WriteError> {
    let now = simulation.at;
    let mut at = now - simulation.history;
    // Making history takes time, which is caught up with: the simulated clock begins at the real one.
    loop {
        let until = now.max(Timestamp::now());
        while at < until {
            for result in simulation.machine.checks(at) {
                core.check(&result);
            }
            let output = core.tick(simulation.machine.sample(at), Timing::default());
            write(writer, at, output)?;
            at = at + Duration::from_secs(if at >= now - FINE { 1 } else { 10 });
        }
        while writer.maintain(at)? {}
        if Timestamp::now().since(until) < Duration::from_secs(1) {
            break;
        }
    }
    simulation.at = at;
    Ok(())
}

fn write(writer: &mut Writer, at: Timestamp, output: Output) -> Result<(), WriteError> {
    // Nothing is sent for a past that never was; flushes of a minute are as good as those of ten seconds.
    writer.queue(output.now);
    writer.queue(output.later);
    if let Some(rounds) = output.rounds {
        for (at, readings) in &rounds {
            writer.push(*at, readings);
        }
        if at.0 % 60_000 < 10_000 {
            writer.flush(at)?;
        }
    }
    Ok(())
}
