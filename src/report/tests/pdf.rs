//! What readers of PDF find in a report.
//!
//! Read back by poppler and qpdf in the slow set; without them it is said that they did not read.

use std::process::{Command, Stdio};

use super::facts::{facts, spec};
use super::hostile;
use super::kinds::watched;
use crate::model::{ReportDepth, ReportFormat, ReportKind, ReportSpec, SeriesKey};
use crate::report::{Facts, SystemFont, foreign_signs, render};

fn pdf(facts: &Facts, depth: ReportDepth) -> Vec<u8> {
    render(&spec(depth, ReportFormat::Pdf), facts).expect("a report").bytes
}

/// Whether the slow set runs and `program` is there.
fn have(program: &str) -> bool {
    if std::env::var_os("FAROL_SLOW").is_none() {
        return false;
    }
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("not run: {program} is not installed (scripts/test installs it)");
    }
    found
}

/// What `program` prints of a report in a file.
fn read_by(program: &str, before: &[&str], bytes: &[u8], after: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, bytes).expect("the file is written");
    let output = Command::new(program).args(before).arg(&path).args(after).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn words_of(bytes: &[u8]) -> String {
    read_by("pdftotext", &["-layout"], bytes, &["-"])
}

#[test]
fn every_depth_is_a_tagged_file_of_a_few_pages() {
    for depth in ReportDepth::ALL {
        let bytes = pdf(&facts(), *depth);
        assert!(bytes.starts_with(b"%PDF-1.7") && bytes.len() < 1 << 20, "{depth}: {} bytes", bytes.len());
    }
}

#[test]
fn the_same_facts_give_the_same_pages() {
    let bytes = pdf(&facts(), ReportDepth::Daily);
    assert!(bytes == pdf(&facts(), ReportDepth::Daily));
}

/// `FAROL_REPORTS=FOLDER cargo test` keeps them, to be looked at.
#[test]
fn every_kind_at_every_depth_is_read_by_the_readers_of_its_format() {
    let kept = std::env::var_os("FAROL_REPORTS").map(std::path::PathBuf::from);
    let facts = watched();
    for kind in ReportKind::ALL {
        for depth in ReportDepth::ALL {
            let written = |format| {
                let spec = ReportSpec { kind: *kind, growth_percent: 20, ..spec(*depth, format) };
                render(&spec, &facts).expect("a report").bytes
            };
            let (pages, page) = (written(ReportFormat::Pdf), written(ReportFormat::Html));
            assert!(pages.len() < 1_000_000, "{kind} {depth}: {} bytes", pages.len());
            if let Some(folder) = &kept {
                std::fs::write(folder.join(format!("{kind}-{depth}.pdf")), &pages).expect("the folder is writable");
                std::fs::write(folder.join(format!("{kind}-{depth}.html")), &page).expect("the folder is writable");
            }
            if have("tidy") {
                read_by("tidy", &["-quiet", "-errors", "-utf8"], &page, &[]);
            }
            if have("qpdf") {
                assert!(read_by("qpdf", &["--check"], &pages, &[]).contains("No syntax or stream encoding errors found"));
            }
            if have("pdftotext") {
                let words = words_of(&pages);
                assert!(words.contains("web-01") && words.contains("Coverage"), "{kind} {depth}: {words}");
                let n = words.matches('\u{c}').count();
                assert!((1..=6).contains(&n), "{kind} {depth}: {n} pages");
            }
            if have("pdftoppm") {
                let drawn = Command::new("pdftoppm").args(["-r", "20", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
                let mut drawn = drawn.expect("the program runs");
                let mut input = drawn.stdin.take().expect("piped");
                let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, &pages));
                let picture = drawn.wait_with_output().expect("it ends");
                writer.join().expect("no panic").expect("it reads");
                assert!(picture.status.success() && picture.stdout.starts_with(b"P6"), "{kind} {depth}");
            }
        }
    }
}

#[test]
fn nothing_at_all_is_a_report_too() {
    let nothing = Facts {
        series: Vec::new(),
        alerts: Vec::new(),
        anomalies: Vec::new(),
        services: Vec::new(),
        predictions: Vec::new(),
        coverage: 0.0,
        ..facts()
    };
    let bytes = pdf(&nothing, ReportDepth::Daily);
    if have("pdftotext") {
        assert!(words_of(&bytes).contains("0.0% of the span was observed"));
    }
}

#[test]
fn a_thousand_mounts_stay_a_few_pages_and_say_what_is_left_out() {
    let mut many = facts();
    let one = many.series.iter().find(|s| s.id == "filesystem").expect("a file system").clone();
    for i in 0..1000 {
        let mut more = one.clone();
        more.key = SeriesKey::new("filesystem_used_ratio", [("mount", format!("/srv/tenant-{i:04}/data").as_str())]);
        many.series.push(more);
    }
    let bytes = pdf(&many, ReportDepth::Monthly);
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    if have("pdftotext") {
        let words = words_of(&bytes);
        assert!(words.contains("the JSON and CSV formats hold all rows"), "{words}");
        let pages = words.matches('\u{c}').count();
        assert!((2..=6).contains(&pages), "{pages} pages");
    }
}

#[test]
fn hostile_names_are_words_on_a_page() {
    for name in [
        "<script>alert(1)</script>",
        "=cmd()",
        "a\u{0}b\u{1b}[31mc\u{7f}",
        "\u{202e}gpj.exe",
        "漢字 Ωμέγα Жук",
        "e\u{301}\u{200d}x",
        "",
    ] {
        let bytes = pdf(&hostile(name), ReportDepth::Daily);
        if have("pdftotext") && name.starts_with('<') {
            assert!(words_of(&bytes).contains(name));
        }
        // Signs that the faces have not are seen as code points and copied as they are.
        if have("pdftotext") && name.starts_with('漢') {
            let words = read_by("pdftotext", &[], &bytes, &["-"]);
            assert!(words.contains("Ωμέγα Жук") && words.contains('漢'), "{words}");
        }
        if have("qpdf") {
            assert!(read_by("qpdf", &["--check"], &bytes, &[]).contains("No syntax or stream encoding errors found"), "{name:?}");
        }
    }
}

#[test]
fn readers_of_pdf_find_the_words_the_pages_and_the_title() {
    let bytes = pdf(&facts(), ReportDepth::Daily);
    if have("pdftotext") {
        let words = words_of(&bytes);
        for word in [
            "Performance report · web-01",
            "Open at the end: memory 91% > 85%",
            "Rotate /var/log/nginx",
            "page 1 of",
            "checkout-api",
        ] {
            assert!(words.contains(word), "{word}: {words}");
        }
    }
    if have("pdfinfo") {
        let about = read_by("pdfinfo", &[], &bytes, &[]);
        assert!(about.contains("Tagged:          yes") && about.contains("Performance report · web-01"), "{about}");
    }
    if have("qpdf") {
        assert!(read_by("qpdf", &["--check"], &bytes, &[]).contains("No syntax or stream encoding errors found"));
    }
}

#[test]
fn a_checker_of_html_has_nothing_to_say() {
    // Of hostile names as well, at every depth.
    if !have("tidy") {
        return;
    }
    for depth in ReportDepth::ALL {
        for facts in [facts(), hostile("\"><script>=cmd()\u{1b}[2J")] {
            let page = render(&spec(*depth, ReportFormat::Html), &facts).expect("a report").bytes;
            read_by("tidy", &["-quiet", "-errors", "-utf8"], &page, &[]);
        }
    }
}

#[test]
fn other_scripts_come_from_fonts_of_the_machine_and_are_copied_right_either_way() {
    let mut named = facts();
    named.host.name = "web-\u{6f22}\u{5b57}".to_owned();
    let foreign = foreign_signs(&spec(ReportDepth::Hourly, ReportFormat::Pdf), &named);
    assert_eq!(foreign, ['\u{6f22}', '\u{5b57}'].into());
    assert!(foreign_signs(&spec(ReportDepth::Hourly, ReportFormat::Html), &named).is_empty());
    let without = pdf(&named, ReportDepth::Hourly);
    if have("pdftotext") {
        let words = words_of(&without);
        assert!(words.contains("web-\u{6f22}\u{5b57}") && words.contains("no font here has"), "{words}");
    }
    // Debian's fonts-noto-cjk, where it is installed.
    let Ok(bytes) = std::fs::read("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc") else { return };
    named.fonts = vec![SystemFont { bytes: std::sync::Arc::new(bytes), index: 0 }];
    let with = pdf(&named, ReportDepth::Hourly);
    assert!(with == pdf(&named, ReportDepth::Hourly) && with.len() < 1 << 20, "{} bytes", with.len());
    if have("pdftotext") {
        let words = words_of(&with);
        assert!(words.contains("web-\u{6f22}\u{5b57}") && !words.contains("no font here has"), "{words}");
    }
}
