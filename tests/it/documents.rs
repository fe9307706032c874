//! The tables of the README against what the program has.
//!
//! `UPDATE=1` writes them anew between their marks. Invariant: keys, commands, routes and metrics are told
//! from one place, the code.

use clap::CommandFactory;

use farol::base::Unit;

use super::source::{read, root};

/// A table of the README stands between `<!-- NAME -->` and `<!-- end -->`.
#[track_caller]
fn check(name: &str, table: &str) {
    let path = root().join("README.md");
    let text = read(&path);
    let mark = format!("<!-- {name} -->\n");
    let start = text.find(&mark).unwrap_or_else(|| panic!("README.md has no mark {mark}")) + mark.len();
    let end = start + text[start..].find("<!-- end -->").expect("an end mark");
    if std::env::var_os("UPDATE").is_some() {
        // Renamed, so that no other test reads half of it.
        let beside = root().join("README.md.new");
        std::fs::write(&beside, format!("{}{table}{}", &text[..start], &text[end..])).expect("written");
        std::fs::rename(&beside, &path).expect("renamed");
        return;
    }
    assert_eq!(&text[start..end], table, "the table \"{name}\" of README.md is old; UPDATE=1 cargo test --test it documents");
}

fn commands() -> String {
    let mut text = String::from("| Command | What |\n|---|---|\n");
    for command in farol::app::Cli::command().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("| `farol {}` | {about} |\n", command.get_name()));
    }
    text
}

fn routes() -> String {
    let rows = farol::api::ROUTES.iter().map(|(path, what)| format!("| `{path}` | {what} |\n"));
    std::iter::once("| Route | What |\n|---|---|\n".to_owned()).chain(rows).collect()
}

fn channels() -> String {
    let rows = farol::notify::CHANNELS.iter().map(|kind| format!("| `{}` | {} |\n", kind.name, kind.about));
    std::iter::once("| Type | What, and what to set |\n|---|---|\n".to_owned()).chain(rows).collect()
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Ratio => "0–1",
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes/s",
        Unit::BitsPerSecond => "bits/s",
        Unit::PerSecond => "1/s",
        Unit::Seconds => "s",
        Unit::Hertz => "Hz",
        Unit::Celsius => "°C",
        Unit::Watts => "W",
        Unit::Rpm => "1/min",
        Unit::Count => "count",
    }
}

fn metrics() -> String {
    let mut text = String::from("| Metric | Labels | Unit | What |\n|---|---|---|---|\n");
    for def in farol::engine::catalog().iter() {
        text.push_str(&format!("| `{}` | {} | {} | {} |\n", def.name, def.labels.join(", "), unit(def.unit), def.help));
    }
    text
}

/// One test, so that writing never meets another writer.
#[test]
fn the_tables_of_the_readme_are_those_of_the_program() {
    check("keys", &farol::ui::key_table());
    check("commands", &commands());
    check("routes", &routes());
    check("channels", &channels());
    check("metrics", &metrics());
}

#[test]
fn what_the_documents_name_exists() {
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = read(&root().join(document));
        assert!(!text.is_empty(), "{document} is missing");
        let quoted = text.split('`').skip(1).step_by(2);
        let is_path = |t: &&str| {
            let top = ["src/", "tests/", "scripts/", "benches/", "themes/", "screenshots/", ".ci/"];
            top.iter().any(|f| t.starts_with(f)) && !t.contains(['<', '*', ' '])
        };
        for path in quoted.filter(is_path) {
            assert!(root().join(path).exists(), "{document} names {path}, which is not there");
        }
        for link in text.split("](").skip(1).filter_map(|l| l.split(')').next()).filter(|l| !l.starts_with("http")) {
            let file = link.split('#').next().unwrap_or(link);
            assert!(file.is_empty() || root().join(file).exists(), "{document} links to {file}, which is not there");
        }
    }
}

#[test]
fn the_first_two_commands_of_the_readme_are_there() {
    let readme = read(&root().join("README.md"));
    let block = readme.split("```sh\n").nth(1).and_then(|b| b.split("```").next()).expect("a block of commands");
    let lines: Vec<&str> = block.lines().map(|l| l.split("  #").next().unwrap_or(l).trim()).collect();
    assert_eq!(lines, ["cargo run --release", "scripts/test"]);
}

#[test]
fn the_change_log_tells_of_this_version() {
    assert!(read(&root().join("CHANGELOG.md")).contains(concat!("## ", env!("CARGO_PKG_VERSION"))));
}
