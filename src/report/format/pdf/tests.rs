//! How words are measured, broken and made drawable.

use proptest::prelude::*;

use std::collections::BTreeSet;

use super::WORDS;
use super::ink::Faces;
use crate::report::text::clean;

fn own() -> Faces {
    Faces::new(&[], &BTreeSet::new())
}

#[test]
fn every_sign_farol_writes_is_in_the_face() {
    let faces = own();
    for sign in "✘▲●◆○·–—≈…×→←±µ°σ△ÁçñßΑωЖя€£%".chars() {
        assert_eq!(faces.drawable(&sign.to_string()), sign.to_string(), "U+{:04X}", u32::from(sign));
    }
}

#[test]
fn a_sign_the_face_has_not_is_shown_as_its_code_point() {
    assert_eq!(own().drawable("disk 漢 full"), "disk [U+6F22] full");
}

#[test]
fn words_break_between_and_only_where_they_must_within() {
    let faces = own();
    assert_eq!(faces.wrap("one two", WORDS, 1000.0), ["one two"]);
    let width = faces.width("three", WORDS);
    assert_eq!(faces.wrap("one three", WORDS, width), ["one", "three"]);
    let long = faces.wrap("abcdefghijklmnop", WORDS, faces.width("abcdef", WORDS));
    assert!(long.len() > 1 && long.concat() == "abcdefghijklmnop", "{long:?}");
}

proptest! {
    #[test]
    fn no_line_is_wider_than_its_column_and_no_sign_is_lost(words in "[ -~]{0,80}", width in 30.0_f32..400.0) {
        let faces = own();
        let words = clean(&words);
        let lines = faces.wrap(&words, WORDS, width);
        for line in &lines {
            prop_assert!(faces.width(line, WORDS) <= width + 0.01, "{line:?}");
        }
        let kept = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(kept(&lines.join(" ")), kept(&words));
    }
}
