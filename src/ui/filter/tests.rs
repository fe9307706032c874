//! The language of `/`, on made-up processes.

use proptest::prelude::*;

use super::*;
use crate::model::Process;

fn java() -> Process {
    Process {
        name: "java".into(),
        command: "/usr/bin/java -jar shop.jar".into(),
        user: "www".into(),
        unit: Some("nginx-api".into()),
        cpu: 0.5,
        memory_bytes: 300 << 20,
        cpu_seconds: 400.0,
        ..Process::default()
    }
}

fn keeps(text: &str) -> bool {
    let filter: Filter<Process> = Filter::new(text);
    assert_eq!(filter.problem(), None, "{text}");
    filter.keeps(&java())
}

#[test]
fn terms_beside_each_other_must_all_hold() {
    for text in [
        "cpu>5 user=www unit=nginx* name~\"java\"",
        "cpu > 5 and mem>=300M",
        "shop !postgres",
        "not postgres and (user=root or user=w?w)",
        "cpu<5 or time>5m",
        "cpu<5|mem<1g",
        "CMD~\"-jar .*\\.jar\"",
        "unit!=postgres* state=sleeping",
        "\"-jar shop\"",
        "container!=x",
        "",
    ] {
        assert!(keeps(text), "{text}");
    }
    for text in ["cpu>50", "user=ww", "name!~ja", "container=x", "read>0", "read<1", "(shop postgres)", "!(shop | x)"] {
        assert!(!keeps(text), "{text}");
    }
}

#[test]
fn a_mistake_is_named_with_its_place_and_the_last_good_filter_goes_on() {
    let problem = |text: &str| Filter::<Process>::new(text).problem().map(|p| (p.at, p.message.clone())).expect(text);
    assert_eq!(problem("cpu>5 usr=www"), (6, "usr is no field; did you mean user?".to_owned()));
    assert_eq!(problem("cpu>").0, 4);
    assert_eq!(problem("cpu>much"), (4, "\"much\" is no number (5, 2.5, 80%)".to_owned()));
    assert_eq!(problem("a (b or c").0, 2);
    assert_eq!(problem("a ) b").0, 2);
    assert_eq!(problem("a or").0, 4);
    assert_eq!(problem("name~\"(\"").0, 5);
    assert_eq!(problem("é \"x").0, 2);
    assert_eq!(problem("user>5").0, 5);
    let mut filter: Filter<Process> = Filter::new("cpu>50");
    filter.set("cpu>50 and");
    assert!(filter.problem().is_some() && !filter.keeps(&java()));
    filter.set("");
    assert!(filter.problem().is_none() && filter.is_empty());
}

proptest! {
    #[test]
    fn whatever_is_typed_is_understood_or_refused(text in "[a-z>=!~|&()\"'* 0-9.é]{0,60}|\\PC{0,40}") {
        let filter: Filter<Process> = Filter::new(&text);
        filter.keeps(&java());
        if let Some(problem) = filter.problem() {
            prop_assert!(problem.at <= text.chars().count());
        }
    }

    #[test]
    fn nesting_ends(depth in 0usize..5_000) {
        let filter: Filter<Process> = Filter::new(&"(".repeat(depth));
        prop_assert_eq!(filter.problem().is_some(), depth > 0);
    }
}
