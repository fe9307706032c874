//! The order in which the parts of a line are seen.
//!
//! A page is written from left to right; words of scripts written the other way stand in it as the Unicode Bidirectional
//! Algorithm (UAX #9) says. Invariant: every sign is in one run.

use unicode_bidi::{BidiInfo, Level};

/// Which way a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    LeftToRight,
    RightToLeft,
}

/// A part of a line, its signs in the order in which they are read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run<'t> {
    pub text: &'t str,
    pub direction: Direction,
}

/// The parts of a line from left to right.
pub(super) fn runs(line: &str) -> Vec<Run<'_>> {
    let whole = || vec![Run { text: line, direction: Direction::LeftToRight }];
    if line.is_ascii() {
        return whole();
    }
    let info = BidiInfo::new(line, Some(Level::ltr()));
    let Some(paragraph) = info.paragraphs.first().filter(|p| p.range == (0..line.len())) else { return whole() };
    let (levels, ranges) = info.visual_runs(paragraph, paragraph.range.clone());
    let run = |range: std::ops::Range<usize>| {
        let is_rtl = levels.get(range.start).is_some_and(Level::is_rtl);
        let direction = if is_rtl { Direction::RightToLeft } else { Direction::LeftToRight };
        Some(Run { text: line.get(range)?, direction })
    };
    ranges.into_iter().filter_map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(line: &str) -> Vec<&str> {
        runs(line).into_iter().map(|r| r.text).collect()
    }

    #[test]
    fn words_of_both_directions_stand_in_the_order_in_which_they_are_seen() {
        assert_eq!(seen("web-01 is down"), ["web-01 is down"]);
        assert_eq!(seen("Füße · Ωmega · Яна"), ["Füße · Ωmega · Яна"]);
        assert_eq!(seen("web שלום עולם 12 api"), ["web ", "12", "שלום עולם ", " api"]);
        assert_eq!(runs("שלום"), [Run { text: "שלום", direction: Direction::RightToLeft }]);
    }

    proptest! {
        #[test]
        fn every_sign_of_a_line_is_in_one_run(line in "[a-c 1-3א-ג()ا-ت]{0,30}") {
            let mut seen: Vec<char> = runs(&line).iter().flat_map(|r| r.text.chars()).collect();
            let mut all: Vec<char> = line.chars().collect();
            seen.sort_unstable();
            all.sort_unstable();
            prop_assert_eq!(seen, all);
        }
    }
}
