//! What users of PromQL expect beside selectors and sums.

use super::*;

#[test]
fn powers_and_remainders_bind_as_in_promql() {
    check("2 ^ 3 ^ 2", " 512.0000");
    check("-2 ^ 2", " -4.0000");
    check("2 * 3 % 4", " 2.0000");
    check("used % 50", "{mount=\"/\"} 10.0000; {mount=\"/var\"} 30.0000");
    check("2 ^ -1", " 0.5000");
    check("1 + 2 > bool 2 * 1", " 1.0000");
}

#[test]
fn a_number_that_is_none_keeps_no_series() {
    check("cpu != 0 / 0", "");
    check("cpu + 1 / 0", "");
    check("cpu unless cpu < 1 / 0", "cpu 0.6000; cpu{core=\"0\"} 0.3000; cpu{core=\"1\"} 0.9000");
}

#[test]
fn a_comparison_with_bool_gives_numbers() {
    check("used > bool 50", "{mount=\"/\"} 1.0000; {mount=\"/var\"} 0.0000");
    check("50 > bool used", "{mount=\"/\"} 0.0000; {mount=\"/var\"} 1.0000");
    check("used < bool size", "{mount=\"/\"} 1.0000; {mount=\"/var\"} 1.0000");
    check("1 > bool 2", " 0.0000");
}

#[test]
fn series_are_kept_by_what_there_is_on_the_other_side() {
    check("cpu and on (core) cpu{core=\"0\"}", "cpu{core=\"0\"} 0.3000");
    check("used and size > 100", "used{mount=\"/var\"} 30.0000");
    check("used unless used > 50", "used{mount=\"/var\"} 30.0000");
    check("used > 50 or size", "size{mount=\"/var\"} 120.0000; used{mount=\"/\"} 60.0000");
    check("used or used", "used{mount=\"/\"} 60.0000; used{mount=\"/var\"} 30.0000");
    // `and` binds more than `or`, a comparison more than both.
    check("used{mount=\"/\"} or used and used < 0", "used{mount=\"/\"} 60.0000");
}

#[test]
fn a_side_fills_the_steps_at_which_the_other_has_none() {
    let range = TimeRange { from: Timestamp::from_seconds(9), to: Timestamp::from_seconds(10) };
    let series = |text: &str| parse(text).expect("a query").range(&machine(), range, Duration::from_secs(1)).expect("values");
    let found = series("cpu{core=\"0\"} > 0.25 or cpu{core=\"0\"} * 0 + 7 or cpu{core=\"0\"}");
    let shown: Vec<_> = found.iter().map(|s| (s.labels.to_string(), s.values.iter().map(|v| v.1).collect::<Vec<_>>())).collect();
    assert_eq!(shown, [("{core=\"0\"}".to_owned(), vec![7.0]), ("cpu{core=\"0\"}".to_owned(), vec![0.3])]);
    assert_eq!(series("topk(1, cpu{core!=\"\"} * (cpu{core!=\"\"} < 0.85) or cpu{core=\"0\"})").len(), 2);
}

#[test]
fn sides_meet_by_the_labels_named() {
    check("used / on (mount) size", "{mount=\"/\"} 0.6000; {mount=\"/var\"} 0.2500");
    check("used{mount=\"/\"} / ignoring (mount) size{mount=\"/var\"}", " 0.5000");
    check("cpu{core=\"0\"} > on () cpu{core=\"\"} - 1", " 0.3000");
}

#[test]
fn an_offset_looks_at_the_time_before() {
    check("cpu{core=\"0\"} offset 1s", "cpu{core=\"0\"} 0.2000");
    check("cpu{core=\"0\"} - cpu{core=\"0\"} offset 2s", "{core=\"0\"} 0.2000");
    check("avg_over_time(cpu{core=\"0\"}[2s] offset 1s)", "{core=\"0\"} 0.1500");
    check("cpu{core=\"0\"} offset 1m", "");
    let expr = parse("avg_over_time(cpu[5m] offset 1h) + cpu offset 10m").expect("a query");
    assert_eq!(expr.max_window(), Duration::from_secs(3900));
}

#[test]
fn windows_are_summed_up_in_every_way() {
    check("stddev_over_time(cpu{core=\"0\"}[3s])", "{core=\"0\"} 0.0816");
    check("delta(cpu{core=\"0\"}[3s])", "{core=\"0\"} 0.3000");
    check("deriv(cpu{core=\"0\"}[1m])", "{core=\"0\"} 0.1000");
    check("predict_linear(cpu{core=\"0\"}[1m], 10)", "{core=\"0\"} 1.3000");
    check("predict_linear(cpu{core=\"0\"}[2s] offset 1s, 2 * 5)", "{core=\"0\"} 1.3000");
    check("delta(used[1m])", "");
    check("deriv(used[1m])", "");
}

#[test]
fn groups_are_ranked_and_summed_up() {
    check("topk(1, cpu)", "cpu{core=\"1\"} 0.9000");
    check("bottomk(2, cpu)", "cpu 0.6000; cpu{core=\"0\"} 0.3000");
    check("topk by (mount) (1, {mount=~\".+\"})", "size{mount=\"/\"} 100.0000; size{mount=\"/var\"} 120.0000");
    check("topk(0, cpu)", "");
    check("quantile(0.5, cpu)", " 0.6000");
    check("quantile(0.75, cpu)", " 0.7500");
    check("stddev(cpu)", " 0.2449");
    check("sum(topk(2, cpu))", " 1.5000");
}

#[test]
fn functions_of_one_value_drop_what_is_not_finite() {
    check("abs(-used{mount=\"/\"})", "{mount=\"/\"} 60.0000");
    check("round(used{mount=\"/\"} / 7)", "{mount=\"/\"} 9.0000");
    check("round(used{mount=\"/\"} / 7, 0.5)", "{mount=\"/\"} 8.5000");
    check("floor(used{mount=\"/\"} / 7) + ceil(used{mount=\"/\"} / 7)", "{mount=\"/\"} 17.0000");
    check("clamp(used, 40, 50)", "{mount=\"/\"} 50.0000; {mount=\"/var\"} 40.0000");
    check("clamp_min(used, 50) - clamp_max(used, 50)", "{mount=\"/\"} 10.0000; {mount=\"/var\"} 20.0000");
    check("clamp(used, 50, 40)", "");
    check("sqrt(size{mount=\"/\"}) + log10(size{mount=\"/\"})", "{mount=\"/\"} 12.0000");
    check("ln(used - used)", "");
    check("sgn(used - 50) + exp(used - used) + log2(used / used)", "{mount=\"/\"} 2.0000; {mount=\"/var\"} 0.0000");
}

#[test]
fn units_follow_functions_and_operators() {
    let unit = |text: &str| parse(text).expect("a query").unit(&catalog());
    for (text, expected) in [
        ("topk(3, memory_used_bytes)", Unit::Bytes),
        ("abs(memory_used_bytes)", Unit::Bytes),
        ("sqrt(memory_used_bytes)", Unit::Count),
        ("memory_used_bytes > bool 5", Unit::Count),
        ("predict_linear(memory_used_bytes[1h], 3600)", Unit::Bytes),
        ("deriv(memory_used_bytes[1h])", Unit::Count),
        ("memory_used_bytes and cpu_usage_ratio", Unit::Bytes),
    ] {
        assert_eq!(unit(text), expected, "{text}");
    }
}
