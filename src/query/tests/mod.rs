//! The language against a source in memory.

mod promql;

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;

use super::ast::Type;
use super::*;
use crate::base::Unit;
use crate::model::{Bucket, Catalog, Matcher, MetricDef, Points, Resolution, SeriesSource, SourceError};

/// Samples of series, given raw or rolled up.
struct Memory {
    series: Vec<(SeriesKey, Vec<(i64, f64)>)>,
    /// Gives this resolution whatever is asked.
    kept: Resolution,
    interval: Duration,
    buckets_read: Cell<usize>,
}

impl Memory {
    fn new(series: &[(&str, &[(i64, f64)])]) -> Self {
        let series = series.iter().map(|(key, samples)| (key.parse().expect("a key"), samples.to_vec())).collect();
        Self { series, kept: Resolution::Raw, interval: Duration::from_secs(1), buckets_read: Cell::new(0) }
    }
}

impl SeriesSource for Memory {
    fn select(&self, metric: Option<&str>, matchers: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError> {
        let value = |key: &SeriesKey, name: &str| {
            if name == NAME_LABEL { Some(key.metric().to_owned()) } else { key.label(name).map(str::to_owned) }
        };
        let fits = |key: &&SeriesKey| {
            metric.is_none_or(|m| m == key.metric()) && matchers.iter().all(|m| m.matches(value(key, m.name()).as_deref()))
        };
        if metric == Some("broken") {
            return Err(SourceError("the disk is on fire".to_owned()));
        }
        Ok(self.series.iter().map(|(key, _)| key).filter(fits).cloned().collect())
    }

    fn points(&self, key: &SeriesKey, range: TimeRange, _: Resolution) -> Result<Points, SourceError> {
        let samples = self.series.iter().find(|(k, _)| k == key).map(|(_, s)| s.as_slice()).unwrap_or_default();
        let mut buckets: Vec<Bucket> = Vec::new();
        for (second, value) in samples {
            let at = Timestamp::from_seconds(*second);
            let bucket = Bucket { at: at.floor(self.kept.step()), ..Bucket::raw(at, *value) };
            match buckets.last_mut() {
                Some(last) if last.at == bucket.at => last.merge(&bucket),
                _ => buckets.push(bucket),
            }
        }
        buckets.retain(|b| range.contains(b.at));
        self.buckets_read.set(self.buckets_read.get() + buckets.len());
        Ok(Points { key: key.clone(), resolution: self.kept, buckets })
    }

    fn interval(&self, _: &SeriesKey) -> Duration {
        self.interval
    }
}

fn machine() -> Memory {
    Memory::new(&[
        ("cpu", &[(8, 0.4), (9, 0.5), (10, 0.6)]),
        ("cpu{core=\"0\"}", &[(8, 0.1), (9, 0.2), (10, 0.3)]),
        ("cpu{core=\"1\"}", &[(8, 0.7), (9, 0.8), (10, 0.9)]),
        ("used{mount=\"/\"}", &[(10, 60.0)]),
        ("used{mount=\"/var\"}", &[(10, 30.0)]),
        ("size{mount=\"/\"}", &[(10, 100.0)]),
        ("size{mount=\"/var\"}", &[(10, 120.0)]),
        ("old", &[(1, 1.0)]),
    ])
}

/// Values at second 10 as `labels value` joined by `; `.
fn check(query: &str, expected: &str) {
    let values = parse(query).and_then(|e| e.instant(&machine(), Timestamp::from_seconds(10)));
    let values = values.unwrap_or_else(|e| panic!("{query}: {e}"));
    let shown: Vec<String> = values.iter().map(|v| format!("{} {:.4}", v.labels, v.value)).collect();
    assert_eq!(shown.join("; "), expected, "{query}");
}

#[test]
fn selectors_take_every_matcher() {
    check("cpu", "cpu 0.6000; cpu{core=\"0\"} 0.3000; cpu{core=\"1\"} 0.9000");
    check("cpu{core=\"1\"}", "cpu{core=\"1\"} 0.9000");
    check("cpu{core=\"\"}", "cpu 0.6000");
    check("cpu{core!=\"1\"}", "cpu 0.6000; cpu{core=\"0\"} 0.3000");
    check("cpu{core=~\"[01]\"}", "cpu{core=\"0\"} 0.3000; cpu{core=\"1\"} 0.9000");
    check("cpu{core!~\"1|\"}", "cpu{core=\"0\"} 0.3000");
    check("{__name__=\"cpu\", core='0',}", "cpu{core=\"0\"} 0.3000");
    check("{__name__=~\"us.*\", mount=\"/\"}", "used{mount=\"/\"} 60.0000");
    check("no_such_metric", "");
}

#[test]
fn functions_look_back_over_their_window_and_drop_the_name() {
    check("avg_over_time(cpu{core=\"0\"}[3s])", "{core=\"0\"} 0.2000");
    check("avg_over_time(cpu{core=\"0\"}[2s])", "{core=\"0\"} 0.2500");
    check("min_over_time(cpu{core=\"0\"}[1m])", "{core=\"0\"} 0.1000");
    check("max_over_time(cpu{core=\"0\"}[1m])", "{core=\"0\"} 0.3000");
    check("sum_over_time(cpu{core=\"0\"}[1m])", "{core=\"0\"} 0.6000");
    check("count_over_time(cpu{core=\"0\"}[2s])", "{core=\"0\"} 2.0000");
    check("last_over_time(old[1h])", "old 1.0000");
    check("quantile_over_time(0.5, cpu{core=\"0\"}[3s])", "{core=\"0\"} 0.2000");
    check("quantile_over_time(0.75, cpu{core=\"0\"}[3s])", "{core=\"0\"} 0.2500");
}

#[test]
fn series_are_aggregated_by_and_without_labels() {
    check("sum(cpu{core!=\"\"})", " 1.2000");
    check("avg by (core) (cpu)", " 0.6000; {core=\"0\"} 0.3000; {core=\"1\"} 0.9000");
    check("max(cpu) without (core)", " 0.9000");
    check("min(used) by (mount, nothing)", "{mount=\"/\"} 60.0000; {mount=\"/var\"} 30.0000");
    check("count by (__name__) ({mount=\"/\"})", "size 1.0000; used 1.0000");
    check("sum(no_such_metric)", "");
}

#[test]
fn arithmetic_and_comparison_follow_promql() {
    check("2 + 3 * 4 - 6 / 2", " 11.0000");
    check("(2 + 3) * -4", " -20.0000");
    check("2 - 3 - 4", " -5.0000");
    check("used{mount=\"/\"} * 2", "{mount=\"/\"} 120.0000");
    check("100 - used{mount=\"/\"}", "{mount=\"/\"} 40.0000");
    check("-used{mount=\"/\"}", "{mount=\"/\"} -60.0000");
    check("used > 50", "used{mount=\"/\"} 60.0000");
    check("50 > used", "used{mount=\"/var\"} 30.0000");
    check("used == 30", "used{mount=\"/var\"} 30.0000");
    check("used / size", "{mount=\"/\"} 0.6000; {mount=\"/var\"} 0.2500");
    check("used / size > 0.5", "{mount=\"/\"} 0.6000");
    check("used >= size - 40", "used{mount=\"/\"} 60.0000");
    check("used / 0", "");
    check("1 / 0", "");
}

#[test]
fn a_value_is_shown_until_two_intervals_after_its_time() {
    let source = machine();
    let at = |ms: i64| parse("used{mount=\"/\"}").expect("a query").instant(&source, Timestamp(ms)).expect("values").len();
    assert_eq!([at(9_999), at(10_000), at(12_000), at(12_001)], [0, 1, 1, 0]);
}

/// The error's display.
fn refused(query: &str) -> String {
    let outcome = parse(query).and_then(|e| e.instant(&machine(), Timestamp::from_seconds(10)));
    outcome.map_or_else(|e| e.to_string(), |_| panic!("{query} was accepted"))
}

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    for (query, expected) in [
        ("cpu offset five", "line 1, column 12: expected a duration as 5m or 1h30m, found \"five\""),
        ("sum(cpu) offset 5m", "line 1, column 10: offset stands behind a selector or its window"),
        ("cpu @ 5", "line 1, column 5: @ is not supported yet"),
        ("rate(cpu[5m])", "line 1, column 1: rate is not needed: counters are kept as rates; write avg_over_time(metric[5m])"),
        ("cpu and\n2", "line 1, column 5: and needs series on both sides, one side is a number"),
        ("cpu\n  atan2 2", "line 2, column 3: atan2 is not supported yet"),
        ("cpu + bool 2", "line 1, column 7: bool stands only behind a comparison, not behind +"),
        ("cpu + on (core) group_left cpu", "line 1, column 17: group_left is not supported yet"),
        ("cpu + on (core) 2", "line 1, column 5: labels are matched between series, one side is a number"),
        ("used / ignoring (mount) size", "line 1, column 6: several series of the right side have no labels"),
        ("avg_over_time(cpu[5m:1m])", "line 1, column 21: a subquery is not supported yet"),
        ("avg_over_time(cpu offset 1m[5m])", "line 1, column 19: avg_over_time needs a window behind the selector"),
        ("topk(cpu)", "line 1, column 6: topk takes first how many series: topk(3, cpu_usage_ratio)"),
        ("quantile(2, cpu)", "line 1, column 10: quantile takes first a quantile from 0 to 1"),
        ("clamp(cpu, 1)", "line 1, column 1: clamp is written clamp(load_average, 0, 10)"),
        ("abs(3)", "line 1, column 5: abs needs series, this is a number"),
        ("predict_linear(cpu[5m])", "line 1, column 23: expected \",\", found \")\""),
        ("avg_ovr_time(cpu[5m])", "line 1, column 1: there is no function \"avg_ovr_time\"; did you mean \"avg_over_time\"?"),
        ("cpu[5m]", "line 1, column 4: a window stands behind a selector inside a function: avg_over_time(load_average[5m])"),
        ("avg_over_time(cpu)", "line 1, column 18: avg_over_time needs a window behind the selector, for example [5m]"),
        (
            "avg_over_time(sum(cpu)[5m])",
            "line 1, column 15: avg_over_time needs a selector with a window here: avg_over_time(load_average[5m])",
        ),
        ("sum(1)", "line 1, column 5: an aggregation needs series, this is a number"),
        ("1 > 2", "line 1, column 3: two numbers are compared; one side must be series"),
        (
            "{core=~\".*\"}",
            "line 1, column 1: this selects everything; name a metric or give a matcher that the empty text does not match",
        ),
        ("cpu{core=~\"(\"}", "line 1, column 11: \"(\" is no regular expression"),
        ("cpu{core=1}", "line 1, column 10: expected a quoted text, found 1; write core=\"…\""),
        ("quantile_over_time(2, cpu[5m])", "line 1, column 20: the quantile is a number from 0 to 1"),
        ("cpu{core=\"1", "line 1, column 10: the text that begins here is not closed by \""),
        ("é + $", "line 1, column 1: 'é' has no meaning here"),
        ("cpu +", "line 1, column 6: expected a metric, a number or \"(\", found the end of the query"),
        ("cpu cpu", "line 1, column 5: \"cpu\" is not expected here"),
        ("", "line 1, column 1: the query is empty"),
        ("broken", "line 1, column 1: the disk is on fire"),
        (
            "sum by (mount) (used) + cpu{core=~\"0\"} + {core=~\"0|1\"} / {mount=~\".+\"}",
            "line 1, column 56: several series of the right side have the labels {mount=\"/\"}",
        ),
    ] {
        let shown = refused(query);
        assert!(shown.starts_with(expected), "{query}\n got {shown}\nwant {expected}");
    }
    assert!(refused(&"(".repeat(5000)).contains("more than 250 parts"));
    assert!(refused(&format!("1{}", "+1".repeat(5000))).contains("more than 250 parts"));
}

#[test]
fn a_refusal_points_at_the_place_in_its_line() {
    assert_eq!(refused("sum(cpu)\n  + stdvar(cpu)").lines().skip(1).collect::<Vec<_>>(), ["    + stdvar(cpu)", "      ^"]);
}

fn catalog() -> Catalog {
    Catalog::new([&[
        MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "x"),
        MetricDef::gauge("memory_used_bytes", Unit::Bytes, "x"),
    ][..]])
}

#[test]
fn a_query_knows_its_metrics_windows_and_unit() {
    let read = |text: &str| parse(text).expect("a query");
    let expr = read("max_over_time(memory_used_bytes[5m]) / sum_over_time(memory_used_bytes[1h30m]) + cpu_usage_ratio");
    assert_eq!(expr.metrics(), ["memory_used_bytes", "cpu_usage_ratio"]);
    assert_eq!(expr.max_window(), Duration::from_secs(5400));
    for (text, unit) in [
        ("memory_used_bytes", Unit::Bytes),
        ("memory_used_bytes / memory_used_bytes", Unit::Ratio),
        ("memory_used_bytes / 1e6", Unit::Count),
        ("sum(memory_used_bytes) > 5", Unit::Bytes),
        ("1 - cpu_usage_ratio", Unit::Ratio),
        ("count(cpu_usage_ratio)", Unit::Count),
    ] {
        assert_eq!(read(text).unit(&catalog()), unit, "{text}");
    }
}

#[test]
fn an_unknown_metric_is_refused_with_the_nearest_one() {
    let check = |text: &str| parse(text).and_then(|e| e.check(&catalog())).map_err(|e| e.to_string());
    assert_eq!(check("sum(cpu_usage_ratio{core=\"1\"})"), Ok(()));
    let refused = check("1 + cpu_usge_ratio").expect_err("unknown");
    assert!(
        refused.starts_with("line 1, column 5: there is no metric \"cpu_usge_ratio\"; did you mean \"cpu_usage_ratio\"?"),
        "{refused}"
    );
    assert!(check("{__name__=~\"mem.*\"}").is_ok() && check("{__name__=~\"meh.*\"}").is_err());
}

#[test]
fn a_plain_selector_at_one_moment_reads_a_handful_of_buckets() {
    let samples: Vec<(i64, f64)> = (0..3600).map(|s| (s, 1.0)).collect();
    let source = Memory::new(&[("m", &samples)]);
    parse("m").expect("a query").instant(&source, Timestamp::from_seconds(3000)).expect("values");
    assert!(source.buckets_read.get() <= 3, "{}", source.buckets_read.get());
}

#[test]
fn rolled_up_buckets_weigh_by_their_samples_and_show_nothing_of_the_future() {
    let samples: Vec<(i64, f64)> = (0..300).map(|s| (s, if s < 65 { 0.0 } else { 1.0 })).collect();
    let source = Memory { kept: Resolution::Minute, ..Memory::new(&[("m", &samples)]) };
    let range = TimeRange { from: Timestamp::from_seconds(60), to: Timestamp::from_seconds(300) };
    let values = |text: &str| {
        let series = parse(text).expect("a query").range(&source, range, Duration::from_secs(60)).expect("values");
        series.into_iter().flat_map(|s| s.values).map(|(at, v)| (at.millis() / 1000, v)).collect::<Vec<_>>()
    };
    assert_eq!(values("m"), [(60, 0.0), (120, 1.0), (180, 1.0), (240, 1.0), (300, 1.0)]);
    assert_eq!(values("avg_over_time(m[2m])").get(1), Some(&(120, 55.0 / 120.0)));
    assert_eq!(values("min_over_time(m[2m])").get(1), Some(&(120, 0.0)));
    assert_eq!(values("max_over_time(m[1m])").first(), Some(&(60, 0.0)));
    assert_eq!(values("count_over_time(m[5m])").last(), Some(&(300, 300.0)));
    assert_eq!(values("sum_over_time(m[5m])").last(), Some(&(300, 235.0)));
}

#[test]
fn ranges_refuse_what_would_never_end() {
    let range = TimeRange { from: Timestamp(0), to: Timestamp::from_seconds(86_400) };
    let outcome = |step| parse("cpu").expect("a query").range(&machine(), range, step);
    assert!(outcome(Duration::ZERO).is_err() && outcome(Duration::from_secs(1)).is_err());
    assert!(outcome(Duration::from_secs(10)).is_ok());
}

#[test]
fn the_automatic_step_is_nice_and_gives_at_most_the_points_asked_for() {
    for (hours, points, seconds) in
        [(1, 1000, 5), (24, 1000, 120), (24 * 30, 1000, 3600), (0, 1000, 1), (24 * 365 * 4, 10, 12_700_800)]
    {
        let range = TimeRange { from: Timestamp(0), to: Timestamp::from_seconds(hours * 3600) };
        let step = auto_step(range, points);
        assert_eq!(step, Duration::from_secs(seconds), "{hours} h");
    }
}

#[test]
fn labels_are_read_back_from_their_map() {
    for key in ["cpu{core=\"1\"}", "cpu"] {
        let key: SeriesKey = key.parse().expect("a key");
        assert_eq!(metric_key(&metric_map(&key)), key);
    }
    assert!(metric_map(&SeriesKey::total("")).is_empty());
}

/// Texts of queries that are right.
fn query() -> impl Strategy<Value = String> {
    let matcher = ("[a-c]{1,3}", prop::sample::select(vec!["=", "!="]), "[a-z\\\\\"\\n]{0,3}").prop_map(|(n, op, v)| {
        let escaped = v.replace('\\', "\\\\").replace('"', "\\\"");
        format!("x{n}{op}\"{escaped}\"")
    });
    let selector = prop_oneof![
        Just("cpu".to_owned()),
        Just("used".to_owned()),
        Just("{__name__=~\"cpu|size\"}".to_owned()),
        (Just("cpu"), prop::collection::vec(matcher, 0..3)).prop_map(|(m, l)| format!("{m}{{{}}}", l.join(","))),
    ];
    let functions = vec![
        "avg_over_time(",
        "min_over_time(",
        "count_over_time(",
        "last_over_time(",
        "stddev_over_time(",
        "delta(",
        "deriv(",
        "quantile_over_time(0.9, ",
    ];
    let offset = prop::sample::select(vec!["", " offset 2s", " offset -1s"]);
    let window = (prop::sample::select(functions), selector.clone(), 1_u32..9, offset.clone())
        .prop_map(|(f, s, w, o)| format!("{f}{s}[{w}s]{o})"));
    let predicted = (selector.clone(), offset.clone()).prop_map(|(s, o)| format!("predict_linear({s}[5s]{o}, 2 * 3)"));
    let selector = (selector, offset).prop_map(|(s, o)| format!("{s}{o}"));
    let leaf = prop_oneof![selector, window, predicted, (0_u32..50).prop_map(|n| n.to_string()), Just("1.5e-3".to_owned())];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let operators = prop::sample::select(vec![
            "+",
            "-",
            "*",
            "/",
            "%",
            "^",
            ">",
            "<=",
            "==",
            "> bool",
            "and",
            "or",
            "unless",
            "+ on (core)",
            "and ignoring (core)",
        ]);
        prop_oneof![
            (inner.clone(), operators, inner.clone()).prop_map(|(l, o, r)| format!("{l} {o} {r}")),
            inner.clone().prop_map(|i| format!("({i})")),
            inner.clone().prop_map(|i| format!("-{i}")),
            (
                prop::sample::select(vec![
                    "sum(",
                    "max by (core) (",
                    "count without (mount) (",
                    "topk(2, ",
                    "quantile by (core) (0.7, ",
                    "stddev(",
                    "abs(",
                    "round(",
                    "clamp_max("
                ]),
                inner
            )
                .prop_map(|(a, i)| format!("{a}{i}{})", if a == "clamp_max(" { ", 0.5" } else { "" })),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.position <= text.chars().count());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_scramble_of_the_language_makes_the_parser_panic(parts in prop::collection::vec(prop::sample::select(vec![
        "cpu", "sum", "by", "(", ")", "{", "}", "[", "]", "5m", "1", "-", "+", ">", "=", "=~", "\"x\"", ",", "avg_over_time", "offset", "and", "or", "on", "bool", "topk", "abs", "^", "%", "\\", "\"", "é",
    ]), 0..20)) {
        let _ = parse(&parts.concat());
        let _ = parse(&parts.join(" "));
    }

    #[test]
    fn a_written_query_is_read_back_the_same(text in query()) {
        if let Ok(expr) = parse(&text) {
            let written = expr.to_string();
            let again = parse(&written);
            prop_assert_eq!(again.as_ref(), Ok(&expr), "{} became {}", text, written);
            prop_assert_eq!(again.map(|e| e.to_string()), Ok(written));
        }
    }

    #[test]
    fn a_range_is_its_instants(text in query(), from in 0_i64..12_000, step in 100_u64..4000) {
        let Ok(expr) = parse(&text) else { return Ok(()) };
        let range = TimeRange { from: Timestamp(from), to: Timestamp(from + 6000) };
        let step = Duration::from_millis(step);
        let source = machine();
        let Ok(series) = expr.range(&source, range, step) else { return Ok(()) };
        let mut at = range.from;
        while at <= range.to {
            let instants: Vec<(SeriesKey, f64)> = expr.instant(&source, at).expect("values").into_iter().map(|v| (v.labels, v.value)).collect();
            let of = |s: &Series| s.values.iter().find(|(t, _)| *t == at).map(|(_, v)| (s.labels.clone(), *v));
            prop_assert_eq!(series.iter().filter_map(of).collect::<Vec<_>>(), instants, "{} at {}", text, at);
            at = at + step;
        }
    }
}

#[test]
fn types_follow_the_sides() {
    let kind = |text: &str| parse(text).expect("a query").root.kind();
    assert_eq!(
        [kind("1 + 2"), kind("-(1 * 3)"), kind("1 + cpu"), kind("sum(cpu)")],
        [Type::Number, Type::Number, Type::Vector, Type::Vector]
    );
}
