//! Uptime strip: the last hours of a service, one height and color a state.
//!
//! Online lies flat, trouble stands up, so that it is seen without color too. Invariant: the newest
//! state is at the right end.

use ratatui::buffer::Buffer;

use super::{Ink, Role};
use crate::model::ServiceState;

/// Draws states, oldest first, over exactly `columns` cells; each cell shows the worst state it covers.
pub fn strip(ink: &Ink, buf: &mut Buffer, (x, y): (u16, u16), columns: u16, states: &[Option<ServiceState>]) {
    let n = states.len();
    for i in (0..columns).filter(|_| n > 0) {
        let (from, to) = (usize::from(i) * n / usize::from(columns), (usize::from(i) + 1) * n / usize::from(columns));
        let covered = states.get(from..to.max(from + 1).min(n)).unwrap_or(&[]);
        let badness = |s: &ServiceState| match s {
            ServiceState::Offline => 3,
            ServiceState::Degraded => 2,
            ServiceState::Online => 1,
            ServiceState::Unknown => 0,
        };
        let (glyph, role) = match covered.iter().flatten().max_by_key(|s| badness(s)) {
            Some(ServiceState::Offline) => ('█', Role::Crit),
            Some(ServiceState::Degraded) => ('▄', Role::Warn),
            Some(ServiceState::Online) => ('▁', Role::CalmOk),
            Some(ServiceState::Unknown) | None => continue,
        };
        if let Some(cell) = buf.cell_mut((x + i, y)) {
            cell.set_char(glyph).set_style(ink.style(role));
        }
    }
}
