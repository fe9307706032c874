//! What PromQL knows by name and this language refuses by name.
//!
//! Words only; how they are found is the parser's. Invariant: no word here is one that is supported.

use super::ast::{AggregateOperator, WindowFunction};
use super::functions::FUNCTIONS;
use crate::model::catalog::nearest;

/// Functions PromQL has beside those here.
const OTHER_FUNCTIONS: &str = "\
    absent absent_over_time acos acosh asin asinh atan atanh changes cos cosh \
    day_of_month day_of_week day_of_year days_in_month deg double_exponential_smoothing \
    first_over_time histogram_avg histogram_count histogram_fraction histogram_quantile histogram_stddev \
    histogram_stdvar histogram_sum holt_winters hour idelta increase info irate label_join label_replace \
    mad_over_time minute month pi present_over_time rad rate resets scalar sin sinh sort \
    sort_by_label sort_by_label_desc sort_desc stdvar_over_time tan tanh time timestamp \
    ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time vector year";
/// Aggregations PromQL has beside those here.
const OTHER_AGGREGATIONS: [&str; 5] = ["stdvar", "group", "count_values", "limitk", "limit_ratio"];
/// Functions for counters, which are kept as rates here.
const COUNTER_FUNCTIONS: [&str; 3] = ["rate", "irate", "increase"];
/// Words between two sides or after one that PromQL knows beside those here.
const OTHER_WORDS: [&str; 5] = ["atan2", "group_left", "group_right", "smoothed", "anchored"];
/// Words between two sides or after one.
const WORDS: [&str; 7] = ["and", "or", "unless", "offset", "bool", "on", "ignoring"];

/// Words PromQL keeps for itself.
pub(super) fn is_reserved(word: &str) -> bool {
    is_grouping(word) || ["inf", "nan"].iter().chain(&WORDS).any(|w| w.eq_ignore_ascii_case(word)) || is_refused(word)
}

/// Words between two sides or after one that are refused.
pub(super) fn is_refused(word: &str) -> bool {
    OTHER_WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Words that begin the labels of an aggregation.
pub(super) fn is_grouping(word: &str) -> bool {
    word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("without")
}

/// Why a function cannot be used.
pub(super) fn unknown_function(word: &str) -> String {
    if COUNTER_FUNCTIONS.contains(&word) {
        return format!("{word} is not needed: counters are kept as rates; write avg_over_time(metric[5m])");
    }
    if OTHER_FUNCTIONS.split_whitespace().any(|f| f == word) || OTHER_AGGREGATIONS.contains(&word) {
        return format!("{word} is not supported yet");
    }
    let windows = WindowFunction::NAMES.iter().map(|(name, _)| *name);
    let known = windows.chain(AggregateOperator::NAMES.iter().map(|(name, _)| *name)).chain(FUNCTIONS.iter().map(|f| f.name));
    match nearest(word, known) {
        Some(near) => format!("there is no function \"{word}\"; did you mean \"{near}\"?"),
        None => format!("there is no function \"{word}\""),
    }
}
