//! Reports of a made-up day.

mod facts;
mod kinds;
mod pdf;
mod sections;

use std::collections::BTreeSet;
use std::path::Path;

use facts::{facts, spec};
use proptest::prelude::*;

use super::section::SECTIONS;
use super::*;
use crate::base::TimeRange;
use crate::model::{ReportDepth, ReportFormat, SeriesKey};

fn report(depth: ReportDepth, format: ReportFormat) -> String {
    text(render(&spec(depth, format), &facts()).expect("a report").bytes)
}

/// Formats that are text.
const TEXTS: &[ReportFormat] = &[ReportFormat::Html, ReportFormat::Json, ReportFormat::Csv];

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("a format of text")
}

/// Compares with the kept file; `UPDATE=1` writes it.
fn check_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/tests").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("the golden is writable");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{name} differs; UPDATE=1 cargo test writes it anew");
}

#[test]
fn a_day_is_written_as_it_always_was() {
    check_golden("daily.html", &report(ReportDepth::Daily, ReportFormat::Html));
    check_golden("daily.json", &report(ReportDepth::Daily, ReportFormat::Json));
    check_golden("daily.csv", &report(ReportDepth::Daily, ReportFormat::Csv));
}

#[test]
fn the_order_of_the_facts_does_not_change_a_byte() {
    for format in ReportFormat::ALL {
        let mut turned = facts();
        turned.series.reverse();
        turned.alerts.reverse();
        turned.anomalies.reverse();
        turned.services.reverse();
        turned.predictions.reverse();
        let spec = spec(ReportDepth::Weekly, *format);
        assert_eq!(render(&spec, &turned), render(&spec, &facts()), "{format}");
    }
}

#[test]
fn every_section_and_format_has_its_file_and_its_row() {
    let files = |folder: &str| -> BTreeSet<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report").join(folder);
        let names =
            std::fs::read_dir(path).expect("the folder").map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
        names.map(|n| n.trim_end_matches(".rs").to_owned()).filter(|n| n != "mod").collect()
    };
    assert_eq!(SECTIONS.iter().map(|s| s.id.to_owned()).collect::<BTreeSet<_>>(), files("section"));
    assert_eq!(format::FORMATS.iter().map(|f| f.format.to_string()).collect::<BTreeSet<_>>(), files("format"));
    assert_eq!(format::FORMATS.len(), ReportFormat::ALL.len());
}

#[test]
fn each_depth_has_its_sections() {
    let ids = |depth| {
        let json: serde_json::Value = serde_json::from_str(&report(depth, ReportFormat::Json)).expect("JSON");
        let sections = json["sections"].as_array().expect("sections");
        sections.iter().map(|s| s["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(ReportDepth::Hourly), "summary issues health comparison performance services incidents alerts coverage");
    let all = "summary issues recommendations health comparison performance trends services incidents noise predictions alerts coverage";
    assert_eq!(ids(ReportDepth::Daily), all);
    let weekly = all.replace("comparison ", "comparison periods ");
    assert_eq!(ids(ReportDepth::Weekly), weekly);
    let monthly = "summary executive issues recommendations health periods services incidents comparison performance trends noise predictions coverage";
    assert_eq!(ids(ReportDepth::Monthly), monthly);
}

#[test]
fn json_holds_the_contract() {
    let json: serde_json::Value = serde_json::from_str(&report(ReportDepth::Daily, ReportFormat::Json)).expect("JSON");
    let keys: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from(["schema", "generated_at", "kind", "depth", "from", "to", "host", "sections", "coverage"])
    );
    assert_eq!((json["schema"].as_str(), &json["generated_at"]), (Some("farol.report/1"), &json["to"]));
    let mut fact_ids = BTreeSet::new();
    for section in json["sections"].as_array().expect("sections") {
        for fact in section["facts"].as_array().expect("facts") {
            assert!(fact_ids.insert(fact["id"].as_str().expect("an id").to_owned()), "{fact} is there twice");
            assert!(fact["value"].is_number() || fact["value"].is_null(), "{fact}");
        }
        for table in section["tables"].as_array().expect("tables") {
            let columns = table["columns"].as_array().expect("columns").len();
            assert!(table["rows"].as_array().expect("rows").iter().all(|r| r.as_array().is_some_and(|r| r.len() == columns)));
        }
    }
    for id in ["cpu.mean", "cpu.p95", "memory.max", "alerts.fired", "services.least_up", "coverage.share", "predictions.right"] {
        assert!(fact_ids.contains(id), "{id}");
    }
}

#[test]
fn the_summary_says_the_worst_first() {
    let json: serde_json::Value = serde_json::from_str(&report(ReportDepth::Daily, ReportFormat::Json)).expect("JSON");
    let rows = json["sections"][0]["tables"][0]["rows"].as_array().expect("rows").clone();
    assert_eq!(rows[0][0], "critical");
    assert_eq!(rows[0][1], "Open at the end: memory 91% > 85%, since Nov 21 03:06.");
    assert!(rows.iter().any(|r| r[1].as_str().is_some_and(|t| t.starts_with("Next: /var is full"))));
    assert!(rows.iter().any(|r| r[1] == "95.8% of the span was observed; all figures describe only that."));
    assert!(rows.len() <= SUMMARY_LINES, "{rows:?}");
}

#[test]
fn a_machine_nobody_watched_gives_a_report_that_says_so() {
    let mut nothing = facts();
    nothing.series.clear();
    nothing.alerts.clear();
    nothing.anomalies.clear();
    nothing.services.clear();
    nothing.predictions.clear();
    nothing.coverage = 0.0;
    for format in TEXTS {
        let text = text(render(&spec(ReportDepth::Daily, *format), &nothing).expect("a report").bytes);
        assert!(!text.contains("NaN") && !text.contains(">inf") && !text.contains(",inf"), "{format}");
        assert!(text.contains("0.0% of the span was observed"), "{format}");
    }
    let empty = ReportSpec {
        range: TimeRange {
            from: spec(ReportDepth::Daily, ReportFormat::Json).range.to,
            ..spec(ReportDepth::Daily, ReportFormat::Json).range
        },
        ..spec(ReportDepth::Daily, ReportFormat::Json)
    };
    assert_eq!(render(&empty, &nothing), Err(ReportError::EmptySpan));
}

/// The same facts with `name` wherever a text comes from outside.
fn hostile(name: &str) -> Facts {
    let mut hostile = facts();
    hostile.host.name = name.to_owned();
    hostile.host.system = name.to_owned();
    hostile.host.labels = [(name.to_owned(), name.to_owned())].into();
    for series in &mut hostile.series {
        series.key = SeriesKey::new(series.key.metric(), [("mount", name)]);
    }
    for alert in &mut hostile.alerts {
        alert.rule = name.to_owned();
        alert.title = name.to_owned();
        alert.explanation.summary = name.to_owned();
    }
    for service in &mut hostile.services {
        service.status.name = name.to_owned();
        service.status.target = name.to_owned();
        service.status.message = name.to_owned();
    }
    for prediction in &mut hostile.predictions {
        prediction.title = name.to_owned();
        prediction.advice = name.to_owned();
        prediction.factors = vec![name.to_owned()];
    }
    hostile
}

/// Rows of RFC 4180; panics where a quote stands wrong.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let row = rows.last_mut().expect("a row");
        match c {
            '"' => loop {
                match chars.next().expect("the quote is closed") {
                    '"' if chars.next_if_eq(&'"').is_none() => break,
                    c => row.last_mut().expect("a cell").push(c),
                }
            },
            ',' => row.push(String::new()),
            '\r' => assert_eq!(chars.next(), Some('\n')),
            '\n' => panic!("a line ends without a carriage return"),
            c => row.last_mut().expect("a cell").push(c),
        }
        if c == '\r' {
            rows.push(vec![String::new()]);
        }
    }
    rows
}

fn is_inert(name: &str) {
    let facts = hostile(name);
    let written = |format| text(render(&spec(ReportDepth::Daily, format), &facts).expect("a report").bytes);
    let html = written(ReportFormat::Html);
    let calm = report(ReportDepth::Daily, ReportFormat::Html);
    let tags = |page: &str, tag: &str| page.matches(tag).count();
    for tag in ["<script", "<img", "<style", "</style", "<svg", "<a ", "onerror=", "<body", "</body", "<!--"] {
        if name.contains(tag) || tag.starts_with('<') {
            assert_eq!(
                tags(&html, tag),
                if tag == "onerror=" { tags(&html, tag) } else { tags(&calm, tag) },
                "{tag} of {name:?}"
            );
        }
    }
    let json: serde_json::Value = serde_json::from_str(&written(ReportFormat::Json)).expect("JSON");
    assert_eq!(json["host"], name);
    let mut width = 0;
    for row in csv_rows(&written(ReportFormat::Csv)) {
        match row.as_slice() {
            [one] if one.is_empty() || one.starts_with("# ") => width = 0,
            _ if width == 0 => width = row.len(),
            _ => assert_eq!(row.len(), width, "{row:?}"),
        }
        for cell in &row {
            let number = cell.parse::<f64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t']), "{cell:?}");
        }
    }
}

#[test]
fn hostile_names_are_inert_in_every_format() {
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'; </style><style>*{display:none}",
        "]]></svg><!--",
        "=HYPERLINK(\"http://x\",\"y\")",
        "-2+3",
        "@SUM(A1)",
        "a\r\n# summary\r\nb,c",
        "# alerts",
        "\u{202e}gpj.exe",
        "tab\there",
        "",
    ] {
        is_inert(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_name_breaks_a_format(name in "(\\PC|[<>\"'&,=#\\r\\n])*") {
        is_inert(&name);
    }
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let page = report(ReportDepth::Daily, ReportFormat::Html);
    for forbidden in ["<script", "<link", "<img", "<iframe", "@import", "url(", "src="] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("@media print"));
}

#[test]
fn a_gap_is_not_drawn_over() {
    let page = report(ReportDepth::Daily, ReportFormat::Html);
    let (_, cpu) = page.split_once("aria-label=\"CPU over time. ").expect("the chart");
    let (cpu, _) = cpu.split_once("</svg>").expect("its end");
    assert_eq!(cpu.matches("class=\"line c0\"").count(), 2);
}

#[test]
fn a_file_name_is_one_name() {
    let spec = spec(ReportDepth::Daily, ReportFormat::Html);
    assert_eq!(file_name(&spec, "web-01"), "farol-web-01-performance-daily-20261121T0600Z.html");
    assert_eq!(file_name(&spec, "../../etc/x y"), "farol-..-..-etc-x-y-performance-daily-20261121T0600Z.html");
}

#[test]
fn a_share_below_one_is_never_all() {
    for (share, shown) in [(1.0, "100.0%"), (0.99996, "99.99%"), (0.9997, "99.97%"), (0.5, "50.0%"), (0.9981, "99.81%")] {
        assert_eq!(text::number(share, crate::base::Unit::Ratio), shown);
    }
}
