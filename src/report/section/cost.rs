//! What the machine costs a month, and what it would cost in its right size.
//!
//! Invariant: only what has a price in the configuration is counted, and what has none is named.

use super::rightsizing::{Size, SizeKind, sizes};
use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::{BarRow, Bars, Cell, Chart, FactsLook, Level, Section, Table};

/// Bars one compares at a glance.
const MOST_BARS: usize = 10;
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
    let items = items(context);
    table.rows = items.iter().map(|item| row(item, currency)).collect();
    let (now, then) = totals(context).unwrap_or_default();
    let bar = |item: &Item| BarRow { name: item.name.clone(), values: vec![item.month(), item.month_rightsized()], level: None };
    let bars =
        Bars { unit: Unit::Count, names: vec!["now", "right-sized"], rows: items.iter().take(MOST_BARS).map(bar).collect() };
    section.charts.extend(Chart::bars(&format!("A month by item, {currency}"), context.range(), bars));
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

/// Something that is paid for.
struct Item {
    name: String,
    amount: f64,
    needed: f64,
    price: f64,
}

impl Item {
    fn month(&self) -> f64 {
        cents(self.amount * self.price)
    }

    fn month_rightsized(&self) -> f64 {
        cents(self.needed * self.price)
    }
}

/// All that has a price.
fn items(context: &Context<'_>) -> Vec<Item> {
    let prices = &context.facts.prices;
    let sized = sizes(context).into_iter().filter_map(|size| {
        let (amount, needed, price) = priced(&size, prices)?;
        Some(Item { name: size.resource, amount, needed, price })
    });
    let sent = traffic(context);
    let sent = sent.map(|(amount, price)| Item { name: "traffic sent (GB)".to_owned(), amount, needed: amount, price });
    sized.chain(sent).collect()
}

/// What a month costs now and in the right size; `None` where nothing has a price.
pub(super) fn totals(context: &Context<'_>) -> Option<(f64, f64)> {
    let items = items(context);
    let sum = |of: fn(&Item) -> f64| items.iter().map(of).sum::<f64>();
    (!items.is_empty()).then(|| (sum(|i| i.amount * i.price), sum(|i| i.needed * i.price)))
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

fn row(item: &Item, currency: &str) -> Vec<Cell> {
    vec![
        Cell::Text(item.name.clone()),
        Cell::Number(Some((item.amount * 10.0).round() / 10.0), Unit::Count),
        Cell::Number(Some(item.price), Unit::Count),
        money(item.month()),
        money(item.month_rightsized()),
        Cell::Text(currency.to_owned()),
    ]
}

/// Two decimals: what money has.
fn money(amount: f64) -> Cell {
    Cell::Number(Some(cents(amount)), Unit::Count)
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}
