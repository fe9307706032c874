//! Charts as a whole: shape, shared scale, gaps, and no area that makes one panic.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::base::Unit;
use crate::model::{Backtest, SeriesKey};
use crate::ui::widgets::ansi::show;
use crate::ui::widgets::ink::tests::dark;
use crate::ui::widgets::text::lay;

fn bin(value: f64) -> Option<Bin> {
    Some(Bin { min: value - 0.004, mean: value, max: value + 0.004 })
}

fn wave(n: usize, value: impl Fn(f64) -> f64) -> Vec<Option<Bin>> {
    (0..n).map(|i| bin(value(i as f64 / n as f64))).collect()
}

fn forecast(made_at: Timestamp, mean: impl Fn(f64) -> f64) -> Forecast {
    let mean: Vec<f64> = (1..=40).map(|i| mean(f64::from(i) / 40.0)).collect();
    let band: Vec<Band> = mean
        .iter()
        .zip(1..)
        .map(|(m, i)| (m, f64::from(i).sqrt() / 6.3 * 0.12))
        .map(|(m, s)| Band { low: m - s, high: m + s })
        .collect();
    Forecast {
        key: SeriesKey::total("m"),
        made_at,
        step: Duration::from_secs(30),
        mean: mean.into(),
        band80: band.clone().into(),
        band95: band.into(),
        method: String::new(),
        backtest: Backtest::default(),
        crossing: None,
        none_because: None,
    }
}

fn trace(bins: &[Option<Bin>]) -> Trace<'_> {
    Trace { bins, coloring: Coloring::Above { warn: Some(0.8), crit: Some(0.85) }, forecast: None, marks: &[] }
}

fn chart<'a>(upper: Trace<'a>, past: u16, zone: &'a Clock) -> Chart<'a> {
    let time = TimeScale { from: Timestamp::from_seconds(1_795_227_240), bin: Duration::from_secs(30), past };
    Chart::labeled(upper, Scale::SHARE, time, zone)
}

fn frame(width: u16, height: u16) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let area = buf.area;
    lay(&dark(), &mut buf, area, Ground::Screen);
    buf
}

#[test]
fn a_chart_shows_past_limit_anomaly_and_future() {
    let zone = Clock::UTC;
    let bins = wave(90, |t| 0.28 + 0.1 * (t * 14.0).sin() + if (0.36..0.4).contains(&t) { 0.5 } else { 0.0 });
    let mut drawn = chart(trace(&bins), 45, &zone);
    let now = drawn.time.at(45);
    let future = forecast(now, |t| 0.28 + 0.1 * t);
    let marks = [drawn.time.at(17)];
    drawn.upper.forecast = Some(&future);
    drawn.upper.marks = &marks;
    let limits = [LimitLine { value: 0.8, role: Role::Warn, label: "80%".into() }];
    drawn.limits = &limits;
    let mut buf = frame(68, 12);
    drawn.draw(&dark(), &mut buf, Rect::new(0, 0, 68, 12));
    show(&buf, "chart");
    let column = |x: u16| (0..11).map(|y| buf[(x, y)].symbol().to_owned()).collect::<String>();
    assert!(column(6 + 17).contains('▼'));
    assert_eq!((buf[(1, 0)].symbol(), buf[(2, 2)].symbol(), buf[(4, 10)].symbol()), ("1", "8", "0"));
    assert!((0..68).map(|x| buf[(x, 11)].symbol()).collect::<String>().contains("now"));
    assert_eq!(buf[(10, 10)].style().bg, dark().ground(Ground::AreaOk).bg);
    assert!((52..68).any(|x| (0..11).any(|y| buf[(x, y)].style().bg == dark().ground(Ground::Band).bg)));
}

#[test]
fn both_halves_of_a_mirrored_chart_share_one_scale() {
    let zone = Clock::UTC;
    let bins = wave(80, |_| 5.0);
    let mut flow = trace(&bins);
    flow.coloring = Coloring::Fixed(Role::Flow);
    let mut drawn = chart(flow, 40, &zone);
    drawn.lower = Some((flow, ["r", "w"]));
    drawn.scale = Scale::rounded(crate::ui::Units::default(), Unit::Count, 9.0);
    let mut buf = frame(60, 11);
    drawn.draw(&dark(), &mut buf, Rect::new(0, 0, 60, 11));
    show(&buf, "mirrored");
    let dotted: Vec<u16> = (0..10).filter(|y| buf[(20, *y)].symbol().starts_with(|c: char| c > '\u{2800}')).collect();
    assert_eq!(dotted, [2, 7], "as far below zero as above");
    assert_eq!((buf[(3, 0)].symbol(), buf[(3, 9)].symbol(), buf[(4, 4)].symbol(), buf[(4, 5)].symbol()), ("1", "1", "r", "w"));
}

#[test]
fn a_gap_leaves_its_columns_empty() {
    let zone = Clock::UTC;
    let mut bins = wave(80, |_| 0.5);
    bins[40..60].fill(None);
    let mut buf = frame(60, 11);
    chart(trace(&bins), 40, &zone).draw(&dark(), &mut buf, Rect::new(0, 0, 60, 11));
    let empty =
        |x: u16| (0..10).all(|y| buf[(x, y)].symbol() == " " && buf[(x, y)].style().bg == dark().ground(Ground::Screen).bg);
    assert!((26..36).all(empty) && !empty(25) && !empty(36));
}

#[test]
fn block_and_ascii_graphs_use_no_braille() {
    let zone = Clock::UTC;
    let bins = wave(80, |t| 0.2 + 0.6 * t);
    for (graph, name) in [(Graph::Block, "block"), (Graph::Ascii, "ascii")] {
        let mut ink = dark();
        ink.graph = graph;
        let mut drawn = chart(trace(&bins), 40, &zone);
        drawn.lower = Some((trace(&bins), ["r", "w"]));
        let mut buf = frame(60, 11);
        drawn.draw(&ink, &mut buf, Rect::new(0, 0, 60, 11));
        show(&buf, name);
        let drawn = |c: &ratatui::buffer::Cell| c.symbol().chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
        assert!(!buf.content.iter().any(drawn));
        assert!(buf.content.iter().any(|c| matches!(c.symbol(), "█" | "*")));
    }
}

proptest! {
    #[test]
    fn no_area_makes_a_chart_panic_or_draw_outside(
        (x, y, w, h) in (0u16..50, 0u16..20, 0u16..60, 0u16..20), past in 0u16..70, gutter in 0u16..9,
        values in prop::collection::vec(prop::option::of(-1e9_f64..1e9), 0..140), graph in 0usize..3,
    ) {
        let zone = Clock::UTC;
        let mut ink = dark();
        ink.graph = [Graph::Braille, Graph::Block, Graph::Ascii][graph];
        let bins: Vec<_> = values.iter().map(|v| v.and_then(bin)).collect();
        let mut drawn = chart(trace(&bins), past, &zone);
        drawn.gutter = gutter;
        let future = forecast(drawn.time.at(past), |t| t);
        let marks = [drawn.time.at(3), drawn.time.at(past)];
        drawn.upper.forecast = Some(&future);
        drawn.upper.marks = &marks;
        let (band, limits) = ([(drawn.time.from, Band { low: 0.2, high: 0.4 })], [LimitLine { value: 0.5, role: Role::Crit, label: "limit".into() }]);
        drawn.band = &band;
        drawn.limits = &limits;
        let moment = Moment { at: drawn.time.at(5), text: "fired".into(), role: Role::Crit };
        drawn.moments = std::slice::from_ref(&moment);
        drawn.cursor = Some(&moment);
        if past % 2 == 0 {
            drawn.lower = Some((trace(&bins), ["in", "out"]));
        }
        let mut buf = Buffer::empty(Rect::new(0, 0, 50, 20));
        let area = Rect::new(x, y, w, h);
        drawn.draw(&ink, &mut buf, area);
        for (at, cell) in buf.content.iter().enumerate() {
            let place = ((at % 50) as u16, (at / 50) as u16);
            if !area.contains(place.into()) {
                prop_assert_eq!(cell.symbol(), " ");
                prop_assert_eq!(cell.style().bg, Buffer::empty(Rect::new(0, 0, 1, 1))[(0, 0)].style().bg);
            }
        }
    }
}
