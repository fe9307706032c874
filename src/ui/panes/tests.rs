//! Pages as a whole: the story seen at every designed size, hostile names, and no size that makes one panic.

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::PANES;
use crate::model::Snapshot;
use crate::ui::fixture::{alert_focus, focus_on, key, story};
use crate::ui::pane::DrawContext;
use crate::ui::state::{Subject, UiState, View};
use crate::ui::widgets::ansi::show;
use crate::ui::widgets::ink::tests::dark;
use crate::ui::widgets::{Graph, Ground, Ink, fold_ascii, text};

/// A page's body as it is drawn between the second line and the hints.
fn body(snapshot: &Snapshot, state: &UiState, ink: &Ink) -> Buffer {
    let (width, height) = state.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height.saturating_sub(3)));
    let area = buf.area;
    text::lay(ink, &mut buf, area, Ground::Screen);
    buf.set_style(area, ink.style(crate::ui::widgets::Role::Text));
    let pane = PANES.iter().find(|p| p.view() == state.view).expect("every page has a pane");
    pane.draw(&DrawContext { snapshot, live: snapshot, state, ink }, area, &mut buf);
    if ink.graph == Graph::Ascii {
        fold_ascii(&mut buf);
    }
    buf
}

fn lines(buf: &Buffer) -> String {
    let rows = (0..buf.area.height).map(|y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

fn at(view: View, size: (u16, u16)) -> (Arc<Snapshot>, UiState) {
    let (snapshot, mut state) = story();
    state.size = size;
    state.view = view;
    (snapshot, state)
}

#[test]
fn the_overview_says_what_is_wrong_why_and_who_at_every_size() {
    for (size, words) in [
        ((200, 50), &["Memory 91%", "mail-relay", "why postgres took", "◆ full", "grew most", "command", "Predictions"][..]),
        ((120, 40), &["Memory 91%", "mail-relay", "memory 91% > 85%", "◆ full 03:30", "60 s", "command"]),
        ((80, 24), &["memory", "91%", "◆ full 03:30", "mail-relay down", "checkout-api 2.4 s > 2 s", "Processes", "unbound"]),
    ] {
        let (snapshot, state) = at(View::Overview, size);
        let buf = body(&snapshot, &state, &dark());
        show(&buf, &format!("overview-{}", size.0));
        let text = lines(&buf);
        for word in words {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
    }
}

#[test]
fn ascii_pages_hold_only_ascii() {
    let mut ink = dark();
    ink.graph = Graph::Ascii;
    for view in PANES.iter().map(|p| p.view()) {
        let (snapshot, state) = at(view, (80, 24));
        let buf = body(&snapshot, &state, &ink);
        show(&buf, &format!("{}-ascii", view.name()));
        assert!(lines(&buf).is_ascii());
    }
}

#[test]
fn the_processes_page_opens_the_chosen_one_in_place() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let (snapshot, mut state) = at(View::Processes, size);
        state.open = true;
        state.selected.process = snapshot.processes.iter().find(|p| p.id.pid == 41903).map(|p| p.id);
        let buf = body(&snapshot, &state, &dark());
        show(&buf, &format!("processes-{}", size.0));
        let text = lines(&buf);
        for word in ["pid 41903", "parent 2817 postgres", "memory 91% > 85%", "report nightly SELECT", "checkout-api"] {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
    }
}

#[test]
fn an_opened_alert_says_why_who_knows_and_what_to_do() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let (snapshot, mut state) = at(View::Alerts, size);
        state.selected.alert = Some("7f3a".to_owned());
        let buf = body(&snapshot, &state, &dark());
        show(&buf, &format!("alerts-{}", size.0));
        assert!(lines(&buf).contains("mail-relay down"));
        state.open = true;
        state.focus = Some(alert_focus(&snapshot));
        let buf = body(&snapshot, &state, &dark());
        show(&buf, &format!("alert-{}", size.0));
        let text = lines(&buf);
        for word in ["postgres took 3.1 GiB", "fired 03:04", "limit 85%", "learned", "Who was told", "slack", "429", "disk read"]
        {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
        assert!(size.0 < 160 || (text.contains("What you can do") && text.contains("Processes at 03:04:12")));
    }
}

#[test]
fn the_services_page_says_who_is_down_since_when() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let (snapshot, mut state) = at(View::Services, size);
        state.selected.service = Some("checkout-api".to_owned());
        let series = key("service_check_seconds", "service", "checkout-api");
        state.focus = Some(focus_on(Subject::Service("checkout-api".to_owned()), series, Duration::from_secs(7200)));
        let buf = body(&snapshot, &state, &dark());
        show(&buf, &format!("services-{}", size.0));
        let text = lines(&buf);
        for word in ["10 of 12 up", "mail-relay", "refused", "2,412 ms", "now"] {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
        assert!(size.0 < 100 || text.contains("degraded since 03:08"), "{text}");
    }
}

#[test]
fn the_predictions_page_says_what_comes_and_whether_to_believe_it() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let (snapshot, mut state) = at(View::Predictions, size);
        state.selected.prediction = Some("p3".to_owned());
        let series = key("filesystem_used_ratio", "mount", "/var");
        state.focus = Some(focus_on(Subject::Prediction("p3".to_owned()), series, Duration::from_secs(14 * 86_400)));
        let buf = body(&snapshot, &state, &dark());
        show(&buf, &format!("predictions-{}", size.0));
        let text = lines(&buf);
        for word in ["memory full", "16 min", "0.86", "right 74 of 82", "+3.9 GiB a day", "did not come"] {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
        assert!(size.0 < 100 || (text.contains("How good it was") && text.contains("now")), "{text}");
    }
}
