//! Symptoms of made-up machines.

use super::*;
use crate::analyze::noise::Noise;
use crate::model::ShortLivedBy;

const DAY: i64 = 86_400;

/// A machine and what watches it.
struct Scene {
    at: i64,
    symptoms: Symptoms,
    noise: Noise,
    /// What goes on, and what began, with the second.
    open: Vec<String>,
    told: Vec<(i64, String)>,
}

impl Scene {
    fn new() -> Self {
        Self { at: 20_000 * DAY, symptoms: Symptoms::default(), noise: Noise::new(3), open: Vec::new(), told: Vec::new() }
    }

    /// So many seconds with these readings and processes; times count from the start of the call.
    fn run(&mut self, seconds: i64, readings: impl Fn(i64, f64) -> Vec<(&'static str, f64)>, of: impl Fn(i64) -> Vec<Process>) {
        for second in 0..seconds {
            self.at += 1;
            let noise = self.noise.uniform();
            let reading = |(key, value): (&str, f64)| Reading { key: key.parse().unwrap(), value, cumulative: None };
            let mut readings: Vec<Reading> = readings(second, noise).into_iter().map(reading).collect();
            readings.sort_by(|a, b| a.key.cmp(&b.key));
            let processes: Vec<Arc<Process>> = of(second).into_iter().map(Arc::new).collect();
            let by = ShortLivedBy { parent: ProcessId { pid: 9, started: 1 }, name: "storm".into(), cpu_seconds: 0.01 };
            let at = Timestamp::from_seconds(self.at);
            let left = ShortLived { at, count: 9, by: [by].into() };
            let round = Evidence { at, readings: &readings, processes: &processes, short_lived: Some(&left) };
            self.symptoms.observe(&round);
            let now: Vec<String> = self.symptoms.values().map(|(key, _)| key.to_string()).collect();
            self.told.extend(now.iter().filter(|key| !self.open.contains(key)).map(|key| (second, key.clone())));
            self.open = now;
        }
    }

    fn told(&mut self) -> Vec<(i64, String)> {
        std::mem::take(&mut self.told)
    }
}

fn process(pid: u32, memory: f64) -> Process {
    Process {
        id: ProcessId { pid, started: 1 },
        name: format!("p{pid}").into(),
        memory_bytes: memory as u64,
        threads: 2,
        ..Process::default()
    }
}

fn none(_: i64, _: f64) -> Vec<(&'static str, f64)> {
    Vec::new()
}

#[test]
fn leaks_of_memory_files_and_children_name_the_process() {
    let mut scene = Scene::new();
    let left = |_: i64, _: f64| vec![("memory_available_bytes", 20e9)];
    let leak = |second: i64| vec![process(7, 1e8 + 9e6 * second as f64), process(8, 5e9)];
    scene.run(60, left, leak);
    let told = scene.told();
    assert!(
        matches!(&told[..], [(40..=55, key)] if key == "process_memory_growth_bytes_per_second{pid=\"7\",process=\"p7\"}"),
        "{told:?}"
    );
    let (key, pace) = scene.symptoms.values().next().unwrap();
    assert!((pace - 9e6).abs() < 1e4, "{pace}");
    assert_eq!(scene.symptoms.suspect(&key), Suspect::Process(ProcessId { pid: 7, started: 1 }));
    let mut scene = Scene::new();
    // Many files are counted every ten seconds only.
    let files = |second: i64| {
        let open = if second < 20 { 60 * second } else { 600 * (second / 10) };
        vec![Process { descriptors: Some(open as u32), ..process(7, 1e8) }]
    };
    scene.run(60, none, files);
    let told = scene.told();
    assert!(matches!(&told[..], [(25..=45, key)] if key.starts_with("process_descriptors_growth")), "{told:?}");
    let mut scene = Scene::new();
    let pile = |second: i64| {
        let children = (0..second as u32 * 2).map(|n| Process { parent: 7, ..process(1000 + n, 1e6) });
        std::iter::once(process(7, 1e8)).chain(children).collect()
    };
    scene.run(60, none, pile);
    let told = scene.told();
    assert!(
        matches!(&told[..], [(25..=40, key)] if key == "process_children_growth_per_second{pid=\"7\",process=\"p7\"}"),
        "{told:?}"
    );
}

#[test]
fn what_starts_or_grows_a_little_is_no_leak() {
    let mut scene = Scene::new();
    let left = |_: i64, _: f64| vec![("memory_available_bytes", 20e9)];
    // A database fills its cache and is done; a log reader grows by 100 kB a second; a compiler grows for a minute, at work.
    let start = |second: i64| {
        let cache = 4e9 * (1.0 - (-0.1 * second as f64).exp());
        let compiler = Process { cpu_seconds: 0.6 * second as f64, ..process(9, 1e8 + 12e6 * second.min(60) as f64) };
        vec![process(7, cache), process(8, 1e8 + 1e5 * second as f64), compiler]
    };
    scene.run(300, left, start);
    assert_eq!(scene.told(), []);
}

#[test]
fn a_file_system_that_fills_says_when_it_is_full_and_a_large_one_does_not_mind() {
    let mut scene = Scene::new();
    let left = |second: i64, _: f64| {
        let written = 20e6 * second as f64;
        vec![
            ("filesystem_available_bytes{mount=\"/\"}", 50e9 - written),
            ("filesystem_available_bytes{mount=\"/srv\"}", 5e12 - written),
        ]
    };
    scene.run(180, left, |_| Vec::new());
    let told = scene.told();
    assert!(matches!(&told[..], [(120..=140, key)] if key == "filesystem_filling_seconds{mount=\"/\"}"), "{told:?}");
    let soon = scene.symptoms.values().next().unwrap().1;
    assert!((2250.0..2400.0).contains(&soon), "{soon}");
}

/// Eight forks a second, and so many more from a second on.
fn forks(from: i64, more: f64) -> impl Fn(i64, f64) -> Vec<(&'static str, f64)> {
    move |second, noise| vec![("forks_per_second", 8.0 * noise + if second >= from { more } else { 0.0 })]
}

#[test]
fn a_storm_is_told_within_ten_seconds_again_and_again_until_it_is_daily_bread() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.run(1200, forks(1100, 300.0), |_| Vec::new());
        let told = scene.told();
        assert!(matches!(&told[..], [(1105..=1110, key)] if key.contains("forks_per_second")), "{told:?}");
        let key = scene.symptoms.values().next().unwrap().0;
        assert_eq!(scene.symptoms.suspect(&key), Suspect::Process(ProcessId { pid: 9, started: 1 }));
    }
    // The same two days later, over a restart.
    for (day, expected) in [(1, 1), (2, 0)] {
        let kept = scene.symptoms.save();
        scene.symptoms = Symptoms::restore(Some(&kept));
        scene.at = (20_000 + day) * DAY;
        scene.run(1200, forks(1100, 300.0), |_| Vec::new());
        assert_eq!(scene.told().len(), expected, "day {day}");
    }
}

#[test]
fn until_two_days_are_known_a_build_or_a_crowd_is_no_storm() {
    let mut scene = Scene::new();
    let build = forks(1100, 120.0);
    scene.run(1200, &build, |_| Vec::new());
    assert_eq!(scene.told(), []);
    for (day, expected) in [(10, 0), (11, 0), (12, 1)] {
        scene.at = (20_000 + day) * DAY;
        scene.run(1200, if expected == 0 { forks(1100, 0.0) } else { forks(1100, 120.0) }, |_| Vec::new());
        assert_eq!(scene.told().len(), expected, "day {day}");
    }
}

#[test]
fn a_burst_a_slow_rise_and_a_new_normal_are_no_storms() {
    let mut scene = Scene::new();
    scene.run(1000, forks(2000, 0.0), |_| Vec::new());
    scene.run(
        1000,
        |second, noise| vec![("forks_per_second", 8.0 * noise + if second % 60 < 5 { 200.0 } else { 0.0 })],
        |_| Vec::new(),
    );
    scene.run(7200, |second, noise| vec![("forks_per_second", 8.0 * noise + second as f64 / 60.0)], |_| Vec::new());
    assert_eq!(scene.told(), []);
    scene.run(3000, forks(0, 9000.0), |_| Vec::new());
    assert_eq!(scene.told().len(), 1);
    assert_eq!(scene.symptoms.values().count(), 0, "what lasts is how things are");
}

#[test]
fn after_a_gap_nothing_rises_and_nothing_surges() {
    let mut scene = Scene::new();
    let leak = |second: i64| vec![process(7, 1e8 + 9e6 * second as f64)];
    scene.run(25, |_, _| vec![("memory_available_bytes", 20e9)], leak);
    scene.at += 600;
    scene.run(25, |_, _| vec![("memory_available_bytes", 20e9)], |second| leak(25 + second));
    assert_eq!(scene.told(), []);
}
