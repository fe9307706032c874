//! What is different between two moments: metrics, services, units and processes, most changed first.
//!
//! Invariant: a thing that did not change is not listed.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::series_name;
use super::unit_panes::{Use, sums};
use crate::base::Unit;
use crate::model::{ServiceState, Snapshot};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::units::Units;
use crate::ui::widgets::{Phrase, Role};

const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1024.0 * MIB;

/// One thing that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `metric`, `service`, `process`.
    pub kind: &'static str,
    /// Which one.
    pub what: String,
    /// Before.
    pub a: Phrase,
    /// After.
    pub b: Phrase,
    /// How it changed (`×7`, `new`).
    pub change: String,
    /// How much, 0–1: the difference against the larger of both; of a share of a whole the difference itself.
    pub strength: f64,
}

/// Differences below these are noise and never listed, by unit.
fn floor(unit: Unit) -> f64 {
    match unit {
        Unit::Ratio => 0.02,
        Unit::Bytes => 16.0 * 1_048_576.0,
        Unit::BytesPerSecond => 262_144.0,
        Unit::BitsPerSecond => 2e6,
        Unit::Seconds => 0.02,
        Unit::Hertz => 2e8,
        Unit::Celsius => 3.0,
        Unit::PerSecond => 10.0,
        _ => 1.0,
    }
}

fn words(a: f64, b: f64, unit: Unit) -> String {
    let ratio = b / a;
    match unit {
        Unit::Ratio => format!("{:+.0}", (b - a) * 100.0),
        _ if a.abs() < 1e-9 => "new".to_owned(),
        _ if b.abs() < 1e-9 => "gone".to_owned(),
        _ if ratio >= 9.95 => format!("×{ratio:.0}"),
        _ if ratio >= 1.5 => format!("×{ratio:.1}"),
        _ => format!("{:+.0}%", (ratio - 1.0) * 100.0),
    }
}

/// Whether a series of the metric that was not there was a flow of nothing.
fn is_flow(snapshot: &Snapshot, metric: &str) -> bool {
    snapshot.catalog.get(metric).is_some_and(|d| d.kind == crate::model::MetricKind::Counter)
}

/// All that changed from `a` to `b`, most first, at most `n`.
pub fn between(units: Units, (a, b): (&Snapshot, &Snapshot), n: usize) -> Vec<Change> {
    let mut all: Vec<(f64, usize)> = Vec::new();
    for (i, reading) in b.readings.iter().enumerate() {
        let Some(before) = a.value(&reading.key).or_else(|| is_flow(b, reading.key.metric()).then_some(0.0)) else { continue };
        let unit = b.catalog.unit(reading.key.metric());
        let difference = (reading.value - before).abs();
        // farol's own figures and clocks always change.
        let is_own = reading.key.metric().starts_with("farol_") || reading.key.metric() == "uptime_seconds";
        if !is_own && difference >= floor(unit) {
            let largest = reading.value.abs().max(before.abs()).max(1e-12);
            all.push((if unit == Unit::Ratio { difference } else { difference / largest }, i));
        }
    }
    all.sort_by(|x, y| y.0.total_cmp(&x.0));
    let metrics = all.into_iter().take(n).filter_map(|(strength, i)| {
        let reading = b.readings.get(i)?;
        let before = a.value(&reading.key).unwrap_or(0.0);
        let unit = b.catalog.unit(reading.key.metric());
        Some(Change {
            kind: "metric",
            what: series_name(&reading.key),
            a: units.quantity(Role::Text, before, unit),
            b: units.quantity(Role::Text, reading.value, unit),
            change: words(before, reading.value, unit),
            strength,
        })
    });
    let mut changes: Vec<Change> = services(a, b).chain(metrics).collect();
    changes.extend(uses(units, "unit", &sums(a, |p| p.unit.as_deref()), &sums(b, |p| p.unit.as_deref())));
    changes.extend(uses(units, "process", &sums(a, |p| Some(&p.name)), &sums(b, |p| Some(&p.name))));
    changes.sort_by(|x, y| y.strength.total_cmp(&x.strength));
    changes.truncate(n);
    changes
}

fn services<'a>(a: &'a Snapshot, b: &'a Snapshot) -> impl Iterator<Item = Change> + 'a {
    let word = |state| match state {
        ServiceState::Online => "online",
        ServiceState::Degraded => "degraded",
        ServiceState::Offline => "down",
        ServiceState::Unknown => "unknown",
    };
    b.services.iter().filter_map(move |now| {
        let before = a.services.iter().find(|s| s.name == now.name).filter(|s| s.state != now.state)?;
        let (_, role) = super::parts::service_glyph(now.state);
        Some(Change {
            kind: "service",
            what: now.name.clone(),
            a: Phrase::new().text(word(before.state)),
            b: Phrase::new().role(role, word(now.state)),
            change: if now.state == ServiceState::Online { "well" } else { "worse" }.to_owned(),
            strength: 1.0,
        })
    })
}

/// Units or processes of one name by what they use together: who came, who went, whose CPU or memory changed most.
fn uses(units: Units, kind: &'static str, a: &BTreeMap<&str, Use>, b: &BTreeMap<&str, Use>) -> Vec<Change> {
    let nothing = Use::default();
    let mut names: Vec<&&str> = a.keys().chain(b.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let change = |name: &&&str| {
        let (before, after) = (a.get(**name).unwrap_or(&nothing), b.get(**name).unwrap_or(&nothing));
        let cpu = (after.cpu - before.cpu).abs();
        let memory = (after.memory - before.memory).abs();
        let came = before.processes == 0 || after.processes == 0;
        // What uses next to nothing comes and goes all the time.
        let is_small = before.cpu.max(after.cpu) < 0.02 && before.memory.max(after.memory) < 64.0 * MIB;
        let by_cpu = cpu >= 0.05;
        let by_memory = memory >= 64.0 * MIB && memory > 0.1 * before.memory.max(after.memory);
        if is_small || !(came || by_cpu || by_memory) {
            return None;
        }
        let (unit, x, y) = if by_cpu && (cpu * 8.0 * GIB >= memory) {
            (Unit::Ratio, before.cpu, after.cpu)
        } else {
            (Unit::Bytes, before.memory, after.memory)
        };
        let said = |used: &Use, value: f64| match (used.processes, unit) {
            (0, _) => Phrase::new().dim("absent"),
            (_, Unit::Ratio) => units.quantity(Role::Text, value, unit).dim(" CPU"),
            _ => units.quantity(Role::Text, value, unit),
        };
        let word = match (before.processes, after.processes) {
            (0, _) => "new".to_owned(),
            (_, 0) => "gone".to_owned(),
            _ if unit == Unit::Ratio => format!("{:+.0}", (y - x) * 100.0),
            _ => words(x, y, unit),
        };
        // A whole core, or eight gibibytes, are as much as anything changes.
        let strength = (cpu + memory / (8.0 * GIB)).clamp(0.05, 1.0);
        Some(Change { kind, what: (**name).to_owned(), a: said(before, x), b: said(after, y), change: word, strength })
    };
    names.iter().filter_map(change).collect()
}

/// Draws the list with its heads.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, area: Rect, (a, b): (&Snapshot, &Snapshot)) {
    if area.height < 2 || area.width < 40 {
        return;
    }
    let changes = between(ctx.units(), (a, b), usize::from(area.height - 1));
    if changes.is_empty() {
        Phrase::new().dim("nothing differs by more than its usual noise").put(ctx.ink, buf, (area.x, area.y), area.right());
        return;
    }
    let bar = if area.width >= 90 { 24 } else { 0 };
    let end = area.right() - bar;
    let ends = [end - 22, end - 10, end];
    for (text, right) in ["A", "B", "change"].into_iter().zip(ends) {
        Phrase::new().dim(text).put_right(ctx.ink, buf, (area.x, right), area.y);
    }
    Phrase::new().dim(" #  what").put(ctx.ink, buf, (area.x, area.y), ends[0] - 12);
    for (i, change) in (1_u16..area.height).zip(&changes) {
        let y = area.y + i;
        let role = if change.strength > 0.5 { Role::Strong } else { Role::Text };
        let head = Phrase::new().dim(&format!("{i:>2}  {:<9}", change.kind)).role(role, &change.what);
        head.put(ctx.ink, buf, (area.x, y), ends[0].saturating_sub(12));
        change.a.put_right(ctx.ink, buf, (ends[0] - 11, ends[0]), y);
        change.b.put_right(ctx.ink, buf, (ends[0] + 1, ends[1]), y);
        Phrase::new().strong(&change.change).put_right(ctx.ink, buf, (ends[1], ends[2]), y);
        if bar > 4 {
            let role = if change.strength > 0.5 { Role::Warn } else { Role::Dim };
            meter(ctx.ink, buf, (end + 2, y), bar - 2, Meter { share: change.strength, limit: None, role });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reading;
    use crate::ui::fixture::story;

    #[test]
    fn processes_and_units_that_came_went_or_grew_are_listed() {
        let (now, _) = story();
        let mut before = Snapshot::clone(&now);
        before.processes = now.processes.iter().filter(|p| &*p.name != "postgres").cloned().collect();
        let kinds =
            |changes: &[Change]| -> Vec<_> { changes.iter().map(|c| (c.kind, c.what.clone(), c.change.clone())).collect() };
        let came = kinds(&between(Units::default(), (&before, &now), 20));
        assert!(came.contains(&("process", "postgres".to_owned(), "new".to_owned())), "{came:?}");
        assert!(came.iter().any(|(kind, what, _)| *kind == "unit" && what == "postgresql@15"), "{came:?}");
        let went = kinds(&between(Units::default(), (&now, &before), 20));
        assert!(went.contains(&("process", "postgres".to_owned(), "gone".to_owned())), "{went:?}");
    }

    #[test]
    fn only_what_changed_is_listed_most_first() {
        let (now, _) = story();
        assert!(between(Units::default(), (&now, &now), 9).is_empty());
        let mut before = Snapshot::clone(&now);
        before.readings = now
            .readings
            .iter()
            .map(|r| match r.key.metric() {
                "memory_used_ratio" => Reading { value: 0.3, ..r.clone() },
                "swap_in_bytes_per_second" => Reading { value: 0.0, ..r.clone() },
                _ => r.clone(),
            })
            .collect();
        let changes = between(Units::default(), (&before, &now), 9);
        let said: Vec<_> = changes.iter().map(|c| (c.what.as_str(), c.change.as_str())).collect();
        assert_eq!(said, [("swap in", "new"), ("memory", "+61")]);
    }
}
