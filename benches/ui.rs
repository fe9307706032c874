//! Cost of one frame, and of one chart against ratatui's own.
//!
//! `cargo bench --bench ui`: prints the median of each and what a frame may cost. A busy machine makes
//! the times longer; the ratio stays.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::{Timestamp, Unit};
use farol::model::{
    Alert, Bucket, Catalog, MetricDef, Points, Process, ProcessId, Reading, Resolution, SeriesKey, ServiceState, ServiceStatus,
    Snapshot,
};
use farol::monitor::{Answer, HistoryRequest, HistorySeries, Request};
use farol::ui::lists::Filters;
use farol::ui::process_list::ProcessOrder;
use farol::ui::state::ChartKeys;
use farol::ui::widgets::Graph;
use farol::ui::widgets::axis::{Scale, TimeScale};
use farol::ui::widgets::chart::{Chart, Coloring, Trace};
use farol::ui::{Bin, Clock, Depth, Effect, Lists, Theme, UiEvent, UiState, View, update, view};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart as OtherChart, Dataset, GraphType, Widget};

/// The most a frame of 200×50 may take, released: a thousandth of a core at one frame a second is 1 ms, and the terminal needs the rest.
const FRAME: Duration = Duration::from_micros(600);

const METRICS: &[MetricDef] = &[
    MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "CPU use").by(&["core"]),
    MetricDef::gauge("memory_used_ratio", Unit::Ratio, "memory use"),
    MetricDef::counter("network_receive_bytes_per_second", Unit::BytesPerSecond, "received").by(&["interface"]),
];

fn main() {
    let state = machine();
    let ink = Theme::load("dark", None).expect("the built-in theme loads").ink(Depth::True, Graph::Braille);
    let mut buf = Buffer::empty(Rect::new(0, 0, 200, 50));
    for page in View::ALL {
        let mut shown = state.clone();
        shown.view = page;
        let frame = median(|| {
            buf.reset();
            view(black_box(&shown), &ink, &mut buf);
        });
        let word = if frame <= FRAME { "within" } else { "OVER" };
        println!("frame 200x50 {:<12} {:>7.1} µs, {word} {} µs", page.name(), micros(frame), FRAME.as_micros());
    }
    keys(&state, &ink);
    resizes(&state, &ink);
    week(&state, &ink);
    thousands(&state, &ink);
    let (own, other) = (median(own_chart(&ink)), median(other_chart()));
    println!(
        "chart 100x10 farol {:.1} µs, ratatui {:.1} µs, ratio {:.2}",
        micros(own),
        micros(other),
        micros(own) / micros(other)
    );
}

/// From a key to the cells that show it, with 10,000 processes.
fn keys(state: &UiState, ink: &farol::ui::widgets::Ink) {
    let mut state = state.clone();
    let mut live = Snapshot::clone(&state.live);
    live.processes = (0..10_000).map(process).collect();
    state.live = Arc::new(live);
    key_to_cells("10,000 processes", state, ink, "j6k1>7t86G");
}

/// A thousand keys: what the slowest of 99 in 100 takes to its cells.
fn key_to_cells(what: &str, mut state: UiState, ink: &farol::ui::widgets::Ink, keys: &str) {
    use crossterm::event::{KeyCode, KeyEvent};
    let mut buf = Buffer::empty(Rect::new(0, 0, 200, 50));
    let timed = |key: char| {
        let start = Instant::now();
        update(&mut state, UiEvent::Key(KeyEvent::from(KeyCode::Char(key))));
        buf.reset();
        view(&state, ink, &mut buf);
        start.elapsed()
    };
    let mut times: Vec<Duration> = keys.chars().cycle().take(1000).map(timed).collect();
    times.sort_unstable();
    say(&format!("key to cells, {what}, 99 of 100"), times[989], Duration::from_millis(10));
}

/// A hundred resizes a second for ten seconds: the longest of a thousand, right at the end.
fn resizes(state: &UiState, ink: &farol::ui::widgets::Ink) {
    let mut state = state.clone();
    let longest = (0..1000_u32)
        .map(|i| {
            let size = (40 + (i * 37 % 360) as u16, 12 + (i * 13 % 108) as u16);
            let start = Instant::now();
            update(&mut state, UiEvent::Resize(size.0, size.1));
            let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            view(&state, ink, &mut buf);
            start.elapsed()
        })
        .max();
    say("longest of 1,000 resizes", longest.unwrap_or_default(), Duration::from_millis(10));
}

/// A week of history scrolled end to end in steps of a sixtieth of the span: the longest frame.
fn week(state: &UiState, ink: &farol::ui::widgets::Ink) {
    use crossterm::event::{KeyCode, KeyEvent};
    let mut state = state.clone();
    let mut buf = Buffer::empty(Rect::new(0, 0, 200, 50));
    for _ in 0..6 {
        update(&mut state, UiEvent::Key(KeyEvent::from(KeyCode::Char('-'))));
    }
    let mut longest = Duration::ZERO;
    for _ in 0..60 {
        let start = Instant::now();
        let effects = update(&mut state, UiEvent::Key(KeyEvent::from(KeyCode::Left)));
        for effect in effects {
            if let Effect::Ask(purpose, Request::History(wish)) = effect {
                let series = wish.keys.iter().map(|key| past(key, &wish)).collect();
                update(&mut state, UiEvent::Answered(purpose, Ok(Answer::History { series })));
            }
        }
        buf.reset();
        view(&state, ink, &mut buf);
        longest = longest.max(start.elapsed());
    }
    say("longest frame while a week is scrolled", longest, Duration::from_millis(16));
}

/// The same with 5,000 services and 10,000 alerts, on both pages.
fn thousands(state: &UiState, ink: &farol::ui::widgets::Ink) {
    let mut state = state.clone();
    let mut live = Snapshot::clone(&state.live);
    live.services = (0..5_000).map(service).collect();
    live.alerts = (0..10_000).map(alert).collect();
    state.live = Arc::new(live);
    key_to_cells("5,000 services and 10,000 alerts", state, ink, "2jjGv3jjGk");
}

fn alert(i: u32) -> Arc<Alert> {
    let alert = serde_json::json!({
        "id": format!("{i:05x}"), "fingerprint": i, "rule": "made up", "key": format!("made_up{{n=\"{i}\"}}"), "labels": {}, "kind": "performance",
        "severity": "warning", "state": "firing", "title": format!("alert number {i}"), "since": 1_795_000_000_000_u64,
        "fired_at": 1_795_000_000_000_u64, "resolved_at": null, "value": 1.0, "limit": 0.5, "unit": "count", "level": 0,
        "acknowledged": null, "snoozed": null, "silenced_by": [], "feedback": null,
        "explanation": {"summary": "", "normal": null, "correlated": [], "processes": [], "changes": [], "query": ""},
    });
    Arc::new(serde_json::from_value(alert).expect("an alert"))
}

/// 1,200 points of history, as a store answers.
fn past(key: &SeriesKey, wish: &HistoryRequest) -> HistorySeries {
    let step = wish.range.length() / 1200;
    let at = |i: u32| wish.range.from + step * i;
    let buckets = (0..1200).map(|i| Bucket::raw(at(i), wave(i64::from(i)))).collect();
    let points = Points { key: key.clone(), resolution: Resolution::for_step(step), buckets };
    HistorySeries { points, anomalies: Vec::new() }
}

fn say(what: &str, took: Duration, most: Duration) {
    let word = if took <= most { "within" } else { "OVER" };
    println!("{what}: {:.1} ms, {word} {} ms", micros(took) / 1000.0, most.as_millis());
}

fn micros(d: Duration) -> f64 {
    d.as_secs_f64() * 1e6
}

/// Median of 301 runs after 30 to warm up.
fn median(mut run: impl FnMut()) -> Duration {
    (0..30).for_each(|_| run());
    let mut times: Vec<Duration> = (0..301)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[150]
}

fn wave(i: i64) -> f64 {
    0.4 + 0.3 * (i as f64 / 40.0).sin() + 0.1 * (i as f64 / 3.0).sin()
}

fn own_chart(ink: &farol::ui::widgets::Ink) -> impl FnMut() {
    let bins: Vec<Option<Bin>> =
        (0..188).map(|i| Some(Bin { min: wave(i) - 0.02, mean: wave(i), max: wave(i) + 0.02 })).collect();
    let mut buf = Buffer::empty(Rect::new(0, 0, 100, 11));
    let zone = Clock::UTC;
    move || {
        buf.reset();
        let area = buf.area;
        let coloring = Coloring::Above { warn: Some(0.8), crit: Some(0.9) };
        let time = TimeScale { from: Timestamp(0), bin: Duration::from_secs(20), past: 94 };
        Chart::labeled(Trace::plain(black_box(&bins), coloring), Scale::SHARE, time, &zone).draw(ink, &mut buf, area);
    }
}

/// The same values as points of ratatui's chart: smallest and largest of each bin.
fn other_chart() -> impl FnMut() {
    let points: Vec<(f64, f64)> = (0..188).flat_map(|i| [(i as f64, wave(i) - 0.02), (i as f64 + 0.5, wave(i) + 0.02)]).collect();
    let mut buf = Buffer::empty(Rect::new(0, 0, 100, 11));
    move || {
        buf.reset();
        let area = buf.area;
        let line = Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line).data(black_box(&points));
        OtherChart::new(vec![line])
            .x_axis(Axis::default().bounds([0.0, 188.0]).labels(["00:00", "00:30", "now"]))
            .y_axis(Axis::default().bounds([0.0, 1.0]).labels(["0", "50", "100%"]))
            .render(area, &mut buf);
    }
}

/// A machine with 300 series, 230 processes, 12 services and an hour of charts.
fn machine() -> UiState {
    let mut state = UiState::new((200, 50), TimeZone::UTC);
    let mut snapshot = Snapshot::empty(Arc::new(Catalog::new([METRICS])));
    let start = 1_795_000_000;
    for second in 0..3600 {
        snapshot.at = Timestamp::from_seconds(start + second);
        if second == 0 || second % 3 == 0 {
            snapshot.readings = readings(second);
        }
        if second == 0 {
            state.keys = ChartKeys::choose(&snapshot, &ChartKeys::default());
            let keys: Vec<SeriesKey> =
                snapshot.readings.iter().map(|r| r.key.clone()).take(40).chain(state.keys.all().cloned()).collect();
            keys.iter().for_each(|key| state.charts.track(key));
        }
        state.charts.observe(snapshot.at, &snapshot.readings);
    }
    snapshot.seq = 1;
    snapshot.processes = (0..230).map(process).collect();
    snapshot.services = (0..12).map(service).collect();
    (0..60).for_each(|_| state.cpu.observe(&snapshot.processes));
    state.lists = Lists::new(
        &snapshot,
        ProcessOrder { sort: state.sort, tree: false, choice: &state.processes, held: None },
        &Filters::default(),
        &Arc::default(),
    );
    state.live = Arc::new(snapshot);
    state
}

fn readings(second: i64) -> Arc<[Reading]> {
    let reading = |key: SeriesKey, value: f64| Reading { key, value, cumulative: None };
    let mut all =
        vec![reading(SeriesKey::total("cpu_usage_ratio"), wave(second)), reading(SeriesKey::total("memory_used_ratio"), 0.7)];
    all.extend((0..16).map(|i| reading(SeriesKey::new("cpu_usage_ratio", [("core", i.to_string().as_str())]), wave(second + i))));
    for (i, metric) in ["network_receive", "network_transmit", "disk_read", "disk_write"].into_iter().enumerate() {
        let label = if i < 2 { ("interface", "eth0") } else { ("device", "nvme0n1") };
        all.push(reading(SeriesKey::new(&format!("{metric}_bytes_per_second"), [label]), 1e7 * wave(second)));
    }
    all.extend((0..280).map(|i| reading(SeriesKey::new("other", [("n", i.to_string().as_str())]), f64::from(i))));
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all.into()
}

fn process(i: u32) -> Arc<Process> {
    Arc::new(Process {
        id: ProcessId { pid: 100 + i, started: 1 },
        user: "www-data".into(),
        name: "worker".into(),
        command: format!("/usr/lib/worker/bin/worker --number {i} --config /etc/worker.toml").into(),
        cpu: f64::from(i % 50) / 40.0,
        memory_bytes: u64::from(i) * 10_000_000,
        read_bytes_per_second: Some(f64::from(i) * 1000.0),
        write_bytes_per_second: Some(f64::from(i) * 500.0),
        unit: Some("worker".into()),
        ..Process::default()
    })
}

fn service(i: u32) -> ServiceStatus {
    ServiceStatus {
        name: format!("service-{i}"),
        state: if i == 0 { ServiceState::Offline } else { ServiceState::Online },
        response_seconds: Some(0.05),
        strip: vec![Some(ServiceState::Online); 24],
        ..ServiceStatus::default()
    }
}
