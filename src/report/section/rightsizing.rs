//! How large the machine should be for what it did, in both directions.
//!
//! Invariant: every size rests on the 95th percentile of the span and the target beside it.

use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};

/// Share of a resource that its 95th percentile should use: room for the peaks above it.
const CPU_TARGET: f64 = 0.7;
const MEMORY_TARGET: f64 = 0.8;
const DISK_TARGET: f64 = 0.8;
/// A change below this share of the present size is not worth the work.
const WORTH: f64 = 0.2;
const GIB: f64 = 1_073_741_824.0;

/// What one resource has and what it needs.
pub(super) struct Size {
    pub resource: String,
    /// Which price it has.
    pub kind: SizeKind,
    pub unit: Unit,
    pub now: f64,
    pub needed: f64,
    /// 95th percentile of its use, 0–1 of `now`.
    pub used: f64,
    pub target: f64,
}

/// What a price is paid for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeKind {
    Cpu,
    Memory,
    Disk,
}

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let sizes = sizes(context);
    let mut table = Table::grid(
        "sizes",
        &[
            ("level", ""),
            ("resource", "Resource"),
            ("now", "Now"),
            ("used_p95", "95 % used"),
            ("target", "Should be at most"),
            ("needed", "Needed"),
            ("verdict", "Verdict"),
        ],
    )
    .or("Nothing was observed that has a size.");
    for size in &sizes {
        section.fact(
            &format!("rightsizing.{}", size.resource),
            &format!("{}, needed", size.resource),
            Some(size.needed),
            size.unit,
        );
        let (level, verdict) = verdict(size);
        table.rows.push(vec![
            Cell::Level(level),
            Cell::Text(size.resource.clone()),
            Cell::Number(Some(size.now), size.unit),
            Cell::Number(Some(size.used), Unit::Ratio),
            Cell::Number(Some(size.target), Unit::Ratio),
            Cell::Number(Some(size.needed), size.unit),
            Cell::Text(verdict.to_owned()),
        ]);
    }
    section.facts_look = FactsLook::InTables;
    section.tables.push(table);
}

fn verdict(size: &Size) -> (Level, &'static str) {
    match size.needed / size.now {
        share if share > 1.0 => (Level::Warning, "too small"),
        share if share < 1.0 - WORTH => (Level::Info, "larger than needed"),
        _ => (Level::Ok, "fits"),
    }
}

/// Sizes of CPU, memory and file systems, in this order.
pub(super) fn sizes(context: &Context<'_>) -> Vec<Size> {
    let host = &context.facts.host;
    let p95 = |id: &str| context.series(id).first().and_then(|s| s.stats.p95);
    let mut sizes = Vec::new();
    if let Some(used) = p95("cpu").filter(|_| host.cores > 0) {
        let now = f64::from(host.cores);
        let needed = (now * used / CPU_TARGET).ceil().max(1.0);
        sizes.push(Size {
            resource: "cpu".into(),
            kind: SizeKind::Cpu,
            unit: Unit::Count,
            now,
            needed,
            used,
            target: CPU_TARGET,
        });
    }
    if let Some(used) = p95("memory").filter(|_| host.memory_bytes > 0) {
        let now = host.memory_bytes as f64;
        let needed = whole_gib(now * used / MEMORY_TARGET);
        let (resource, kind) = ("memory".to_owned(), SizeKind::Memory);
        sizes.push(Size { resource, kind, unit: Unit::Bytes, now, needed, used, target: MEMORY_TARGET });
    }
    for file_system in context.series("filesystem_size") {
        let instance = file_system.key.instance();
        let series = context.series("filesystem");
        let used = series.iter().find(|s| s.key.instance() == instance).and_then(|s| s.stats.p95);
        let (Some(now), Some(used)) = (file_system.stats.last.filter(|v| *v > 0.0), used) else { continue };
        let needed = whole_gib(now * used / DISK_TARGET);
        let (resource, kind) = (format!("filesystem {instance}"), SizeKind::Disk);
        sizes.push(Size { resource, kind, unit: Unit::Bytes, now, needed, used, target: DISK_TARGET });
    }
    sizes
}

fn whole_gib(bytes: f64) -> f64 {
    (bytes / GIB).ceil().max(1.0) * GIB
}
