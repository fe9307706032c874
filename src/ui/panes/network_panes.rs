//! Panes of the network page: interfaces, connections and what listens.
//!
//! Invariant: nothing lost is hidden behind a zero of something else.

use ratatui::buffer::Buffer;

use super::parts::{Slot, at_moment, fact, percent, row};
use crate::base::Unit;
use crate::model::Protocol;
use crate::ui::pane::DrawContext;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::table::{Column, Columns, number};
use crate::ui::widgets::{Phrase, Role};

const INTERFACES: &[Column] = &[
    Column::words("interface", 18),
    Column::number("received", 13),
    Column::number("sent", 13),
    Column::number("packets in", 12),
    Column::number("out /s", 10),
    Column::number("errors", 9),
    Column::number("drops", 9),
    Column::number("link", 13),
    Column::words("", 0),
];

/// All interfaces, the busiest first, the loopback last.
pub fn interfaces(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let s = ctx.snapshot;
    let sent = |name: &str| s.part("network_transmit_bytes_per_second", name).unwrap_or(0.0);
    let labeled = s.of("network_receive_bytes_per_second").filter(|r| !r.key.is_total());
    let mut all: Vec<(String, f64)> = labeled.map(|r| (r.key.instance(), r.value)).collect();
    all.sort_by(|a, b| (a.0 == "lo").cmp(&(b.0 == "lo")).then((b.1 + sent(&b.0)).total_cmp(&(a.1 + sent(&a.0)))));
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("Interfaces ").dim(&all.len().to_string()), &[]);
    let inner = slot.inner();
    if inner.height == 0 || inner.width < 30 {
        return;
    }
    let columns = Columns::new(INTERFACES, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (y, (name, received)) in (inner.y + 1..inner.bottom()).zip(all) {
        let both = |a: &str, b: &str| {
            let sum = s.part(a, &name).unwrap_or(0.0) + s.part(b, &name).unwrap_or(0.0);
            if sum > 0.0 { Phrase::new().bold(Role::Warn, number(sum, 1).plain()) } else { number(0.0, 0) }
        };
        let packets = |metric: &str| s.part(metric, &name).map_or_else(|| Phrase::new().dim("-"), |v| number(v, 0));
        let rate = |v: f64| if v > 0.0 { ctx.quantity(Role::Text, v, Unit::BytesPerSecond) } else { Phrase::new().dim("0") };
        let link = s.part("network_link_bits_per_second", &name).filter(|l| *l > 0.0);
        columns.cell(ctx.ink, buf, y, 0, &Phrase::new().text(&name));
        columns.cell(ctx.ink, buf, y, 1, &rate(received));
        columns.cell(ctx.ink, buf, y, 2, &rate(sent(&name)));
        columns.cell(ctx.ink, buf, y, 3, &packets("network_receive_packets_per_second"));
        columns.cell(ctx.ink, buf, y, 4, &packets("network_transmit_packets_per_second"));
        columns.cell(ctx.ink, buf, y, 5, &both("network_receive_errors_per_second", "network_transmit_errors_per_second"));
        columns.cell(ctx.ink, buf, y, 6, &both("network_receive_drops_per_second", "network_transmit_drops_per_second"));
        let said = link.map_or_else(|| Phrase::new().dim("-"), |l| ctx.quantity(Role::Dim, l, Unit::BitsPerSecond));
        columns.cell(ctx.ink, buf, y, 7, &said);
        let (x, end) = columns.span(8);
        if let Some(link) = link.filter(|_| end > x + 8) {
            let share = received.max(sent(&name)) * 8.0 / link;
            meter(ctx.ink, buf, (x + 2, y), end - x - 2, Meter { share, limit: None, role: Role::Flow });
        }
    }
}

const LISTENING: &[Column] = &[
    Column::number("port", 7),
    Column::words("", 5),
    Column::words("on", 26),
    Column::words("program", 18),
    Column::number("pid", 9),
    Column::words("unit", 0),
];

/// Sockets that wait for others, with who holds them; those on all addresses stand out.
pub fn listening(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = &ctx.snapshot.listeners;
    let head = at_moment(ctx).strong("Listening ").dim(&all.len().to_string());
    let kept = ctx.cursor().map(|_| Phrase::new().dim("written down every 10 min"));
    slot.title(ctx.ink, buf, &head, kept.as_slice());
    let inner = slot.inner();
    if inner.height == 0 || inner.width < 30 {
        return;
    }
    let columns = Columns::new(LISTENING, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (y, one) in (inner.y + 1..inner.bottom()).zip(all.iter()) {
        let ip = one.address.ip();
        let on = if ip.is_unspecified() { Phrase::new().text("all addresses") } else { Phrase::new().dim(&ip.to_string()) };
        let protocol = match one.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let words = |text: Option<&str>| text.map_or_else(|| Phrase::new().dim("-"), |text| Phrase::new().text(text));
        // A name without a process is only what the port is usually for.
        let program = match (one.pid, one.name.as_deref()) {
            (None, Some(usual)) => Phrase::new().dim(&format!("({usual}?)")),
            (_, name) => words(name),
        };
        columns.cell(ctx.ink, buf, y, 0, &Phrase::new().text(&one.address.port().to_string()));
        columns.cell(ctx.ink, buf, y, 1, &Phrase::new().dim(protocol));
        columns.cell(ctx.ink, buf, y, 2, &on);
        columns.cell(ctx.ink, buf, y, 3, &program);
        columns.cell(ctx.ink, buf, y, 4, &words(one.pid.map(|pid| pid.to_string()).as_deref()));
        columns.cell(ctx.ink, buf, y, 5, &words(one.unit.as_deref()));
    }
}

/// Figures of the kernel's tables that can fill up.
const TABLES: [(&str, &str); 3] = [
    ("conntrack table", "conntrack_used_ratio"),
    ("file descriptors", "file_descriptors_used_ratio"),
    ("process numbers", "pids_used_ratio"),
];

/// Connections by state, sockets, and tables that can fill up.
pub fn connections(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let s = ctx.snapshot;
    let mut states: Vec<_> = s.of("tcp_connections").filter(|r| !r.key.is_total()).collect();
    states.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.key.cmp(&b.key)));
    let all: f64 = states.iter().map(|r| r.value).sum();
    let sockets = s.total("sockets_used").map_or_else(Phrase::new, |v| number(v, 0).dim(" sockets"));
    let head = at_moment(ctx).strong("TCP connections ").join(&number(all, 0));
    slot.title(ctx.ink, buf, &head, &[sockets]);
    let inner = slot.inner();
    let mut next = 0;
    let rest = 1 + u16::try_from(TABLES.len()).unwrap_or(0);
    for reading in states.iter().take(usize::from(inner.height.saturating_sub(rest).max(1))) {
        let line = row(inner, next);
        next += 1;
        if line.height == 0 || line.width < 24 {
            return;
        }
        Phrase::new().text(&reading.key.instance().replace('_', "-")).put(ctx.ink, buf, (line.x, line.y), line.x + 14);
        number(reading.value, 0).put_right(ctx.ink, buf, (line.x, line.right()), line.y);
        let wide = line.width.saturating_sub(14 + 8);
        if wide > 4 {
            let share = if all > 0.0 { reading.value / all } else { 0.0 };
            meter(ctx.ink, buf, (line.x + 14, line.y), wide, Meter { share, limit: None, role: Role::Flow });
        }
    }
    if let Some(rate) = s.total("tcp_retransmits_per_second") {
        fact(ctx.ink, buf, row(inner, next), &Phrase::new().dim("retransmits"), &number(rate, 1).dim(" /s"));
        next += 1;
    }
    for (name, metric) in TABLES {
        if let Some(share) = s.total(metric) {
            let role = if share >= 0.8 { Role::Warn } else { Role::Text };
            fact(ctx.ink, buf, row(inner, next), &Phrase::new().dim(name), &percent(role, share));
            next += 1;
        }
    }
}
