//! One process over the whole page: key scripts, what is asked, what is seen.

use super::fixture::snapshot;
use super::screen_tests::Screen;
use crate::model::ProcessDepth;
use crate::monitor::{Request, Scope};

#[test]
fn a_process_in_full_fits_three_sizes_and_is_gone_through() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let screen = Screen::new(size).keys("6 enter enter");
        let text = screen.text();
        assert!(text.contains("─ CPU") && text.contains("Memory") && text.contains("pid"), "{text}");
        assert_ne!(screen.keys("j j").session.state.inside.expect("open").scroll, 0);
    }
    let last = Screen::new((80, 24)).keys("6 enter enter G").text();
    assert!(last.contains("PGDATA="), "{last}");
}

#[test]
fn enter_goes_deeper_and_esc_back_one_step_at_a_time() {
    let screen = Screen::new((200, 50)).keys("6 enter enter");
    let text = screen.text();
    for part in ["Sockets 2", "0.0.0.0:5432", "PGDATA=", "Control group", "214 used of 1024", "seccomp"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let screen = screen.keys("esc");
    assert!(screen.session.state.inside.is_none() && screen.session.state.open);
    assert!(!screen.keys("esc").session.state.open);
}

#[test]
fn who_may_not_see_secrets_asks_for_none_and_is_told_so() {
    let screen = Screen::on(snapshot(), (200, 50), Scope::Operate).keys("6 enter enter");
    assert!(screen.text().contains("only the recorder's own user"), "{}", screen.text());
    let asked = screen.shared.lock().expect("one thread").asked.clone();
    let depth = asked.iter().find_map(|r| match r {
        Request::ProcessDetails { depth, .. } => Some(*depth),
        _ => None,
    });
    assert_eq!(depth, Some(ProcessDepth::Public));
}

#[test]
fn of_the_past_it_says_what_is_known_and_what_is_not() {
    let screen = Screen::new((120, 40)).keys("6 enter enter left left");
    assert!(screen.text().contains("is not kept"), "{}", screen.text());
    assert!(!screen.text().contains("Sockets"));
}
