//! What an alert says: title, condition, summary.
//!
//! Invariant: every number has its unit.

use crate::base::{format_duration, format_value};
use crate::model::{Alert, Explanation, Limit, RuleSpec, SeriesKey};

/// One line: `memory 91% > 85%`; `memory 82%, was > 85%` once the value is not wrong any more. A rule whose title has
/// placeholders says its own sentence.
pub fn title(rule: &RuleSpec, key: &SeriesKey, value: f64) -> String {
    let shown = format_value(value, rule.unit);
    let (sign, limit) = limit_text(rule, value);
    if rule.title.contains('{') {
        let filled = fill(&rule.title, |name| match name {
            "value" => Some(shown.clone()),
            "limit" => Some(limit.clone()),
            "instance" => Some(key.instance()),
            label => key.label(label).map(str::to_owned),
        });
        // A total has no instance to name.
        return filled.replace("  ", " ").trim().to_owned();
    }
    let mut text = rule.title.clone();
    if !key.is_total() {
        text.push(' ');
        text.push_str(&key.instance());
    }
    let was = if rule.limit.is_broken_by(value) { "" } else { ", was" };
    text.push_str(&format!(" {shown}{was} {sign} {limit}"));
    text
}

/// Replaces `{name}`; an unknown name becomes empty.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            text.push_str(behind);
            return text;
        };
        text.push_str(&value(name).unwrap_or_default());
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Sign and limit nearest to the value.
fn limit_text(rule: &RuleSpec, value: f64) -> (&'static str, String) {
    let shown = |limit| format_value(limit, rule.unit);
    match rule.limit {
        Limit::Above(limit) => (">", shown(limit)),
        Limit::Below(limit) => ("<", shown(limit)),
        Limit::Outside(low, _) if value < low => ("<", shown(low)),
        Limit::Outside(_, high) => (">", shown(high)),
    }
}

/// The condition in words: `above 85% for 2 min, over below 80% for 1 min`.
pub fn condition_text(rule: &RuleSpec) -> String {
    let shown = |limit| format_value(limit, rule.unit);
    let mut text = match rule.limit {
        Limit::Above(limit) => format!("above {}", shown(limit)),
        Limit::Below(limit) => format!("below {}", shown(limit)),
        Limit::Outside(low, high) => format!("outside {} to {}", shown(low), shown(high)),
    };
    for (severity, limit) in &rule.ladder {
        let severity = format!("{severity:?}").to_lowercase();
        text.push_str(&format!(", {severity} at {}", shown(limit.shown(0.0))));
    }
    if let Some((n, m)) = rule.times {
        text.push_str(&format!(", {n} of {m} values"));
    }
    if !rule.hold.is_zero() {
        text.push_str(&format!(" for {}", format_duration(rule.hold)));
    }
    let over = match rule.clear {
        Some(Limit::Above(limit)) => format!(" at {} or less", shown(limit)),
        Some(Limit::Below(limit)) => format!(" at {} or more", shown(limit)),
        Some(Limit::Outside(low, high)) => format!(" within {} to {}", shown(low), shown(high)),
        None => String::new(),
    };
    if !over.is_empty() || !rule.clear_hold.is_zero() {
        text.push_str(&format!(", over{over}"));
    }
    if !rule.clear_hold.is_zero() {
        text.push_str(&format!(" after {}", format_duration(rule.clear_hold)));
    }
    text
}

/// One sentence with value, limit, what is normal and who is to blame most:
/// `memory 91% > 85%, usually 31–38%; postgres (pid 812, report-nightly) uses 9.4 GiB, +3.1 GiB`.
pub fn explain_summary(alert: &Alert, explanation: &Explanation) -> String {
    let mut text = alert.title.clone();
    if let Some(normal) = &explanation.normal {
        text.push_str(&format!(", usually {normal}"));
    }
    if let Some(first) = explanation.processes.first() {
        text.push_str(&format!("; {}", first.text(explanation.resource)));
    }
    if let Some(change) = explanation.changes.first() {
        text.push_str(&format!("; {change}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{rule, spec};
    use crate::base::Unit;
    use crate::model::{Culprit, Resource};

    #[test]
    fn a_title_says_value_and_limit_with_their_units() {
        let mut memory = rule("memory", Limit::Above(0.85));
        (memory.title, memory.unit) = ("memory".to_owned(), Unit::Ratio);
        let total = SeriesKey::total("memory_used_ratio");
        assert_eq!(title(&memory, &total, 0.912), "memory 91% > 85%");
        assert_eq!(title(&memory, &total, 0.82), "memory 82%, was > 85%");
        let root = SeriesKey::new("filesystem_used_ratio", [("mount", "/")]);
        assert_eq!(title(&memory, &root, 0.99), "memory / 99% > 85%");
        memory.title = "{mount} is {value} full, {nothing}over {limit}".to_owned();
        assert_eq!(title(&memory, &root, 0.99), "/ is 99% full, over 85%");
        memory.limit = Limit::Outside(0.2, 0.8);
        memory.title = "charge".to_owned();
        assert_eq!(title(&memory, &total, 0.1), "charge 10% < 20%");
    }

    #[test]
    fn no_template_makes_a_title_fail() {
        for template in ["{", "}", "{}", "a{b", "{value", "é{mount}é"] {
            let mut odd = rule("odd", Limit::Above(1.0));
            odd.title = template.to_owned();
            title(&odd, &SeriesKey::new("m", [("mount", "ü")]), 2.0);
        }
    }

    #[test]
    fn a_condition_is_told_whole() {
        let text = condition_text(&spec(
            "name='m'\nmetric='memory_used_ratio'\nabove='85%'\nfor='2m'\nclear='80%'\nclear_for='1m'\ntimes='3 of 5'",
        ));
        assert_eq!(text, "above 85%, 3 of 5 values for 2 min, over at 80% or less after 1 min");
    }

    #[test]
    fn a_summary_names_the_first_culprit() {
        let mut alert = crate::alert::tests::alert("1", "memory");
        alert.title = "memory 91% > 85%".to_owned();
        let processes = vec![Culprit {
            name: "postgres".to_owned(),
            pid: 812,
            unit: Some("report-nightly".to_owned()),
            value: 9.4 * 1_073_741_824.0,
            change: Some(3.1 * 1_073_741_824.0),
        }];
        let resource = Some(Resource::Memory);
        let explanation = Explanation { normal: Some("31–38%".to_owned()), resource, processes, ..Explanation::default() };
        assert_eq!(
            explain_summary(&alert, &explanation),
            "memory 91% > 85%, usually 31–38%; postgres (pid 812, report-nightly) uses 9.4 GiB, +3.1 GiB"
        );
    }
}
