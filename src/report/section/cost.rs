//! What the machine costs a month, and what it would cost in its right size.
//!
//! Invariant: only what has a price in the configuration is counted, and what has none is named.

use super::rightsizing::{Size, SizeKind, sizes};
use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};

const GIB: f64 = 1_073_741_824.0;
/// Traffic is sold in decimal gigabytes.
const GB: f64 = 1e9;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let prices = &context.facts.prices;
    section.facts_look = FactsLook::InTables;
    if prices.is_empty() {
        let mut advice = Table::statements("prices");
        advice.say(
            Level::Unknown,
            "No prices are configured, so nothing is counted.",
            "Set [prices] in the configuration: currency, vcpu_month, gib_memory_month, gib_disk_month, gb_traffic.",
        );
        section.tables.push(advice);
        return;
    }
    let currency = if prices.currency.is_empty() { "in the currency of the price table" } else { prices.currency.as_str() };
    let mut table = Table::grid(
        "items",
        &[
            ("item", "Item"),
            ("amount", "Amount"),
            ("price", "Price of one"),
            ("month", "A month"),
            ("month_rightsized", "Right-sized"),
            ("currency", "Currency"),
        ],
    )
    .or("Nothing with a price was observed.");
    let (mut now, mut then) = (0.0, 0.0);
    for size in sizes(context) {
        let Some((amount, needed, price)) = priced(&size, prices) else { continue };
        now += amount * price;
        then += needed * price;
        table.rows.push(row(&size.resource, amount, price, (amount * price, needed * price), currency));
    }
    if let Some((amount, price)) = traffic(context) {
        now += amount * price;
        then += amount * price;
        table.rows.push(row("traffic sent (GB)", amount, price, (amount * price, amount * price), currency));
    }
    section.fact("cost.month", "A month", Some(now), Unit::Count);
    section.fact("cost.month_rightsized", "A month, right-sized", Some(then), Unit::Count);
    section.fact("cost.saving", "Saving a month", Some(now - then), Unit::Count);
    table.rows.push(vec![
        Cell::Text("all".to_owned()),
        Cell::Number(None, Unit::Count),
        Cell::Number(None, Unit::Count),
        money(now),
        money(then),
        Cell::Text(currency.to_owned()),
    ]);
    section.tables.push(table);
}

fn priced(size: &Size, prices: &crate::model::Prices) -> Option<(f64, f64, f64)> {
    let (price, unit) = match size.kind {
        SizeKind::Cpu => (prices.vcpu_month?, 1.0),
        SizeKind::Memory => (prices.gib_memory_month?, GIB),
        SizeKind::Disk => (prices.gib_disk_month?, GIB),
    };
    Some((size.now / unit, size.needed / unit, price))
}

/// Decimal gigabytes sent in a month at the span's mean, and the price of one.
fn traffic(context: &Context<'_>) -> Option<(f64, f64)> {
    let price = context.facts.prices.gb_traffic?;
    let rate: f64 = context.series("network_transmit").iter().filter_map(|s| s.stats.mean).sum();
    Some((rate * super::capacity::MONTH / GB, price))
}

fn row(item: &str, amount: f64, price: f64, (now, then): (f64, f64), currency: &str) -> Vec<Cell> {
    vec![
        Cell::Text(item.to_owned()),
        Cell::Number(Some((amount * 10.0).round() / 10.0), Unit::Count),
        Cell::Number(Some(price), Unit::Count),
        money(now),
        money(then),
        Cell::Text(currency.to_owned()),
    ]
}

/// Two decimals: what money has.
fn money(amount: f64) -> Cell {
    Cell::Number(Some((amount * 100.0).round() / 100.0), Unit::Count)
}
