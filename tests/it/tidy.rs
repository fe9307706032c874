//! Holds the house together: who may know whom, crates in their rooms, sizes, tables, words.
//!
//! Reads the source as text. Invariant: the tables here are the architecture; a new edge is a decision
//! made here and in ARCHITECTURE.md.

use std::collections::BTreeMap;

use super::source::{Source, all_files, read, relative, rooms_named, root, sources};

/// Rooms, each with those it may know beside itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("model", &["base"]),
    ("monitor", &["base", "model"]),
    ("net", &["base"]),
    ("collect", &["base", "model", "net"]),
    ("check", &["base", "model", "net"]),
    ("store", &["base", "model"]),
    ("query", &["base", "model"]),
    ("analyze", &["base", "model"]),
    ("eval", &["base", "model", "analyze"]),
    ("faults", &["base", "analyze", "eval"]),
    ("alert", &["base", "model"]),
    ("notify", &["base", "model", "net"]),
    ("report", &["base", "model"]),
    ("sim", &["base", "model"]),
    ("ui", &["base", "model", "monitor"]),
    ("config", &["base", "model", "alert", "analyze", "check", "collect", "net", "notify", "report", "store", "ui"]),
    ("api", &["base", "model", "monitor", "net"]),
    ("remote", &["base", "model", "monitor", "net"]),
    (
        "engine",
        &[
            "base", "model", "monitor", "net", "collect", "check", "store", "query", "analyze", "alert", "notify", "report",
            "sim", "config", "api",
        ],
    ),
    (
        "app",
        &[
            "base", "model", "monitor", "net", "collect", "check", "store", "query", "analyze", "eval", "faults", "alert",
            "notify", "report", "sim", "config", "engine", "api", "remote", "ui",
        ],
    ),
];

/// Crates in the code that ships, each with the rooms that may name it. Those without a row are [`ANYWHERE`].
const CRATES: &[(&str, &[&str])] = &[
    ("anyhow", &["app"]),
    ("augurs", &["analyze"]),
    ("axum", &["api"]),
    ("base64", &["monitor", "net", "ui"]),
    ("clap", &["app"]),
    ("crossterm", &["ui"]),
    ("directories", &["app"]),
    ("flate2", &["eval"]),
    ("futures_util", &["api", "check", "net", "notify", "remote"]),
    ("http_body_util", &["net"]),
    ("hyper", &["api", "net"]),
    ("hyper_util", &["api", "net"]),
    ("krilla", &["report"]),
    ("lettre", &["notify"]),
    ("nix", &["collect"]),
    ("notify_rust", &["notify"]),
    ("nucleo_matcher", &["ui"]),
    ("pco", &["store"]),
    ("ratatui", &["ui"]),
    ("redb", &["store"]),
    ("ring", &["notify"]),
    ("rustix", &["app", "base", "check", "collect", "faults", "net"]),
    ("rustls", &["net"]),
    ("rustls_native_certs", &["net"]),
    ("sd_notify", &["app"]),
    ("signal_hook", &["app", "ui"]),
    ("sketches_ddsketch", &["store"]),
    ("skrifa", &["report"]),
    ("sysinfo", &["collect"]),
    ("tokio", &["api", "app", "check", "engine", "net", "notify", "remote"]),
    ("tokio_rustls", &["net"]),
    ("tokio_tungstenite", &["remote"]),
    ("toml", &["app", "config", "ui"]),
    ("toml_edit", &["config"]),
    ("tracing_subscriber", &["app"]),
    ("unicode_bidi", &["report"]),
    ("zbus", &["check", "notify"]),
];

/// Crates that are words everybody uses.
const ANYWHERE: &[&str] = &["jiff", "regex_lite", "serde", "serde_json", "thiserror", "tracing", "unicode_width"];

/// Most lines of a file, and what the median stays below.
const MOST_LINES: usize = 450;
const MEDIAN_LINES: usize = 200;

/// Tests that are only run by another test in a process of its own, and measurements.
const IGNORED: &[&str] = &["src/notify/desktop/tests.rs"];

/// What must not come into the tree by any way: other TLS stacks, C libraries, other runtimes and clocks.
const ABSENT: &[&str] =
    &["aws-lc-rs", "aws-lc-sys", "chrono", "dbus", "libdbus-sys", "native-tls", "openssl", "openssl-sys", "reqwest"];

fn none(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn rooms_know_only_whom_they_may_know() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        let Some(room) = source.room() else { continue };
        let Some(known) = rooms.get(room) else {
            found.push(format!("{}: the room \"{room}\" has no row in ROOMS", source.path));
            continue;
        };
        for (line, name) in rooms_named(&source.code, "crate::") {
            if rooms.contains_key(name.as_str()) && name != room && !known.contains(&name.as_str()) {
                found.push(format!("{}:{line}: {room} may not know {name}", source.path));
            }
        }
    }
    none(&found);
}

#[test]
fn the_rows_of_rooms_are_the_folders_and_nobody_knows_the_app() {
    let lib = read(&root().join("src/lib.rs"));
    let mut declared: Vec<&str> = lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut rows: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    declared.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, declared);
    for (at, (room, known)) in ROOMS.iter().enumerate() {
        assert!(!known.contains(&"app"), "{room} knows the app");
        let earlier = &ROOMS[..at];
        let missing: Vec<_> = known.iter().filter(|k| !earlier.iter().any(|(r, _)| r == *k)).collect();
        assert!(missing.is_empty(), "{room} knows {missing:?}, which stand below it: a circle");
    }
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        let Some(room) = source.room() else { continue };
        for (name, rooms) in CRATES {
            let path = format!("{name}::");
            let named = source.shipped.match_indices(&path).find(|(at, _)| {
                let before = source.shipped[..*at].chars().next_back().unwrap_or(' ');
                !(before.is_alphanumeric() || before == '_' || before == ':')
            });
            if let Some((at, _)) = named.filter(|_| !rooms.contains(&room)) {
                let line = source.shipped[..at].matches('\n').count() + 1;
                found.push(format!("{}:{line}: {name} belongs to {}", source.path, rooms.join(", ")));
            }
        }
    }
    none(&found);
}

#[test]
fn every_dependency_has_its_rooms() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().expect("a manifest");
    let unix = manifest["target"]["cfg(unix)"]["dependencies"].as_table().expect("a table");
    let names = manifest["dependencies"].as_table().expect("a table").keys().chain(unix.keys());
    let names: Vec<String> = names.map(|n| n.replace('-', "_")).collect();
    let rows: Vec<&str> = CRATES.iter().map(|(name, _)| *name).chain(ANYWHERE.iter().copied()).collect();
    let without_row: Vec<&String> = names.iter().filter(|n| !rows.contains(&n.as_str())).collect();
    assert!(without_row.is_empty(), "no row in CRATES for {without_row:?}");
    let gone: Vec<&&str> = rows.iter().filter(|r| !names.iter().any(|n| n == **r)).collect();
    assert!(gone.is_empty(), "rows in CRATES without a dependency: {gone:?}");
    let code: String = sources(&["src"]).into_iter().map(|s| s.shipped).collect();
    let unused: Vec<&String> = names.iter().filter(|n| !code.contains(&format!("{n}::"))).collect();
    assert!(unused.is_empty(), "dependencies that no code names: {unused:?}");
}

#[test]
fn one_tls_stack_and_no_c_library_but_rings() {
    let lock: toml::Table = read(&root().join("Cargo.lock")).parse().expect("a lock file");
    let packages = lock["package"].as_array().expect("packages");
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let found: Vec<&&str> = names.iter().filter(|n| ABSENT.contains(n)).collect();
    assert!(found.is_empty(), "{found:?} came into the tree");
    assert!(names.contains(&"rustls") && names.contains(&"ring"), "the lock file was read");
}

#[test]
fn files_are_short_and_say_what_lives_in_them() {
    let all = sources(&["src", "tests", "benches", "examples"]);
    let mut found = Vec::new();
    for source in &all {
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            found.push(format!("{}: {lines} lines, at most {MOST_LINES}", source.path));
        }
        if !source.text.starts_with("//! ") {
            found.push(format!("{}: does not open with what lives here (//!)", source.path));
        }
    }
    none(&found);
    let mut lengths: Vec<usize> = all.iter().filter(|s| !s.is_test()).map(|s| s.shipped.trim_end().lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median < MEDIAN_LINES, "the median of {} files is {median} lines", lengths.len());
}

#[test]
fn tests_neither_sleep_nor_are_left_out() {
    let mut found = Vec::new();
    for source in sources(&["src", "tests"]) {
        let test_code = if source.is_test() { source.code.clone() } else { String::new() };
        if test_code.contains("thread::sleep(") {
            found.push(format!("{}: sleeps; wait for what is awaited", source.path));
        }
        if source.code.contains("#[ignore") && !IGNORED.contains(&source.path.as_str()) {
            found.push(format!("{}: leaves a test out", source.path));
        }
    }
    none(&found);
}

#[test]
fn nothing_in_the_tree_is_only_for_those_who_wrote_it() {
    // Put together here, so that this file does not hold them.
    let words = [
        ["/wo", "rk/"].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["<<<<", "<<< "].concat(),
        [">>>>", ">>> "].concat(),
    ];
    let mut found = Vec::new();
    for path in all_files().iter().filter(|p| !relative(p).contains("fixtures/")) {
        for (line, text) in read(path).lines().enumerate() {
            if let Some(word) = words.iter().find(|w| text.contains(w.as_str())) {
                found.push(format!("{}:{}: {word}", relative(path), line + 1));
            }
        }
    }
    none(&found);
}

/// A `const` table: its name, the file it stands in, the folder of its rows' files, what a row's file holds.
struct Table(&'static str, &'static str, &'static str, &'static str);

const TABLES: &[Table] = &[
    Table("SOURCES", "src/collect/table.rs", "src/collect", "pub(super) fn make("),
    Table("PROBES", "src/check/probe.rs", "src/check/probes", "KIND: ProbeKind"),
    Table("CHANNELS", "src/notify/channels.rs", "src/notify", "KIND: ChannelKind"),
    Table("DETECTORS", "src/analyze/detect/mod.rs", "src/analyze/detect", ": DetectorDef ="),
    Table("CHALLENGERS", "src/analyze/challenge/mod.rs", "src/analyze/challenge", ": ChallengerDef ="),
    Table("FORECASTERS", "src/analyze/forecast/mod.rs", "src/analyze/forecast", "impl Forecaster for"),
    Table("PANES", "src/ui/panes/mod.rs", "src/ui/panes", "impl Pane for"),
    Table("SECTIONS", "src/report/section/mod.rs", "src/report/section", "fn fill("),
    Table("FORMATS", "src/report/format/mod.rs", "src/report/format", "fn write(document"),
];

/// The text of a `const` table.
fn table_text(code: &str, name: &str) -> String {
    let start = code.find(&format!("const {name}: &[")).unwrap_or_else(|| panic!("there is no table {name}"));
    let rows = code[start..].split_once("= &[").expect("a table").1;
    rows.split_once("];").expect("its end").0.to_owned()
}

/// Whether a name stands in a text as a whole word.
fn names(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

/// Name of the module a file makes: its stem, or its folder's for `mod.rs`.
fn module<'a>(source: &'a Source, folder: &str) -> &'a str {
    let inside = source.path.strip_prefix(folder).expect("in the folder").trim_start_matches('/');
    inside.split('/').next().expect("a name").trim_end_matches(".rs")
}

#[test]
fn every_table_has_a_row_for_each_file_and_a_file_for_each_row() {
    let all = sources(&["src"]);
    let mut found = Vec::new();
    for Table(name, file, folder, holds) in TABLES {
        let table = all.iter().find(|s| s.path == *file).unwrap_or_else(|| panic!("{file} is gone"));
        let rows = table_text(&table.code, name);
        let below = format!("{folder}/");
        let files: Vec<&Source> = all.iter().filter(|s| s.path.starts_with(&below) && s.shipped.contains(holds)).collect();
        assert!(!files.is_empty(), "no file in {folder} holds \"{holds}\"");
        for source in &files {
            let module = module(source, folder);
            if !names(&rows, module) {
                found.push(format!("{}: {module} has no row in {name}", source.path));
            }
        }
        let modules: Vec<&str> = files.iter().map(|s| module(s, folder)).collect();
        let paths = rows.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').filter(|w| w.contains("::"));
        let rows_modules = paths.filter_map(|p| p.split("::").next()).filter(|m| m.starts_with(char::is_lowercase));
        found.extend(
            rows_modules
                .filter(|m| !modules.contains(m))
                .map(|m| format!("{file}: {name} names {m}, which holds no \"{holds}\"")),
        );
    }
    none(&found);
}

#[test]
fn every_command_has_its_file_and_every_route_is_served() {
    let all = sources(&["src/app", "src/api"]);
    let text = |path: &str| all.iter().find(|s| s.path == path).unwrap_or_else(|| panic!("{path} is gone"));
    let cli = text("src/app/cli.rs");
    for source in all.iter().filter(|s| s.path.starts_with("src/app/commands/")) {
        let module = module(source, "src/app/commands");
        let is_command = source.shipped.contains("Result<ExitCode, Failure>") && module != "mod";
        assert_eq!(cli.code.contains(&format!("commands::{module}::")), is_command, "{}", source.path);
    }
    let served: Vec<&str> =
        text("src/api/route.rs").text.lines().filter_map(|l| l.trim().strip_prefix(".route(\"")?.split('"').next()).collect();
    let told: Vec<&str> = farol::api::ROUTES.iter().map(|(path, _)| *path).collect();
    assert_eq!(served, told, "ROUTES is what is served");
}
