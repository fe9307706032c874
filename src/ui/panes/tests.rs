//! Pages as a whole: the story seen at every designed size, hostile names, and no size that makes one panic.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::PANES;
use crate::model::{Alert, Process, Reading, ServiceStatus, Snapshot};
use crate::ui::charts::CpuTracks;
use crate::ui::fixture::{NOW, alert_focus, focus_on, key, story, timeline};
use crate::ui::pane::{DrawContext, Pane};
use crate::ui::state::{Past, Subject, UiState, View};
use crate::ui::widgets::ansi::show;
use crate::ui::widgets::ink::tests::dark;
use crate::ui::widgets::{Graph, Ground, Ink, fold_ascii, text};

fn pane(view: View) -> &'static dyn Pane {
    *PANES.iter().find(|p| p.view() == view).expect("every page has a pane")
}

fn blank((width, height): (u16, u16), ink: &Ink) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height.saturating_sub(3)));
    let area = buf.area;
    text::lay(ink, &mut buf, area, Ground::Screen);
    buf.set_style(area, ink.style(crate::ui::widgets::Role::Text));
    buf
}

/// A page's body as it is drawn between the second line and the hints.
fn body(snapshot: &Snapshot, state: &UiState, ink: &Ink) -> Buffer {
    let mut buf = blank(state.size, ink);
    let area = buf.area;
    pane(state.view).draw(&DrawContext { snapshot, live: snapshot, state, ink, seen: None }, area, &mut buf);
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
    for view in View::ALL {
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
        for word in ["memory full", "16 min", "0.86", "right 74 of 82", "+3.9 GiB a day"] {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
        assert!(size.0 < 100 || (text.contains("did not come") && text.contains("Is 0.8 really 0.8?")), "{text}");
        assert!(size.0 < 100 || (text.contains("How good it was") && text.contains("now")), "{text}");
    }
}

#[test]
fn history_says_which_moment_is_shown_and_what_was_different() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        let (snapshot, mut state) = at(View::History, size);
        state.timeline = Some(timeline(&snapshot));
        let mut then = Snapshot::clone(&snapshot);
        then.at = NOW - Duration::from_secs(1500);
        then.readings = then.readings.iter().map(|r| Reading { value: r.value * 0.4, ..r.clone() }).collect();
        let then = Arc::new(then);
        state.past = Some(Past {
            at: then.at,
            snapshot: Arc::clone(&then),
            chart_end: NOW,
            charts: None,
            frozen: false,
            cpu: CpuTracks::default(),
        });
        let ink = dark();
        let mut buf = blank(state.size, &ink);
        let area = buf.area;
        let ctx = DrawContext { snapshot: &then, live: &snapshot, state: &state, ink: &ink, seen: None };
        pane(View::History).draw(&ctx, area, &mut buf);
        show(&buf, &format!("history-{}", size.0));
        let text = lines(&buf);
        for word in ["Time line", "02:49", "CPU 10%", "What happened", "unit report-nightly started"] {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
        assert!(size.0 < 100 || (text.contains("What is different") && text.contains("now 26%")), "{text}");
    }
}

/// A machine whose every name is hostile.
fn hostile() -> (Arc<Snapshot>, UiState) {
    const NAME: &str = "\u{1b}[2J\u{202e}灯台\n\u{200b}\u{301}\tx";
    let (snapshot, mut state) = story();
    let mut bad = Snapshot::clone(&snapshot);
    bad.services = bad
        .services
        .iter()
        .cloned()
        .map(|s| ServiceStatus { name: NAME.into(), message: NAME.into(), target: NAME.into(), ..s })
        .collect();
    let name = |p: &Arc<Process>| Process { name: NAME.into(), command: NAME.into(), user: NAME.into(), ..Process::clone(p) };
    bad.processes = bad.processes.iter().map(|p| Arc::new(name(p))).collect();
    bad.alerts = bad
        .alerts
        .iter()
        .map(|a| {
            let mut a = Alert::clone(a);
            (a.title, a.rule, a.explanation.summary) = (NAME.into(), NAME.into(), NAME.into());
            Arc::new(a)
        })
        .collect();
    bad.readings =
        bad.readings.iter().map(|r| Reading { value: if r.value > 0.5 { f64::MAX } else { -1.0 }, ..r.clone() }).collect();
    state.open = true;
    state.focus = Some(alert_focus(&snapshot));
    state.timeline = Some(timeline(&snapshot));
    (Arc::new(bad), state)
}

#[test]
fn hostile_names_never_shift_a_column_of_the_processes() {
    let (bad, mut state) = hostile();
    state.open = false;
    state.size = (200, 50);
    let (good, _) = story();
    let (bad, good) = (body(&bad, &state, &dark()), body(&good, &state, &dark()));
    let border = |buf: &Buffer, y: u16| (buf[(0, y)].symbol().to_owned(), buf[(199, y)].symbol().to_owned());
    for y in 0..47 {
        assert_eq!(border(&bad, y), border(&good, y), "row {y}");
    }
    // The numbers of the process table stand where they stood.
    for y in 34..46 {
        let numbers = |buf: &Buffer| (25..60).map(|x| buf[(x, y)].symbol().to_owned()).collect::<String>();
        assert_eq!(numbers(&bad), numbers(&good), "row {y}");
    }
    assert!(!lines(&bad).contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn a_machine_of_which_nothing_is_known_yet_says_what_would_be_there() {
    let (full, _) = story();
    let empty = Snapshot::empty(Arc::clone(&full.catalog));
    for view in View::ALL {
        let mut state = UiState::new((200, 50), jiff::tz::TimeZone::UTC);
        state.view = view;
        let buf = body(&empty, &state, &dark());
        show(&buf, &format!("empty-{}", view.name()));
        let text = lines(&buf);
        let words = [
            "no reading",
            "No service is checked",
            "waiting for the first",
            "Nothing is predicted",
            "on its way",
            "no process",
            "no block device",
            "no interface",
            "shows no sensors",
            "no value",
            "never",
        ];
        assert!(words.iter().any(|w| text.contains(w)), "{view:?}\n{text}");
    }
}

/// Made once: each takes a while.
static STORY: LazyLock<(Arc<Snapshot>, UiState)> = LazyLock::new(story);
static HOSTILE: LazyLock<(Arc<Snapshot>, UiState)> = LazyLock::new(hostile);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_size_makes_a_page_panic_or_draw_outside(
        (x, y, w, h) in (0u16..40, 0u16..12, 0u16..220, 0u16..60), size in (0u16..220, 0u16..60), page in 0usize..6, open in any::<bool>(), past in any::<bool>(),
    ) {
        let (snapshot, mut state) = if open { HOSTILE.clone() } else { STORY.clone() };
        state.size = size;
        state.view = View::ALL[page];
        if past {
            state.past = Some(Past { at: NOW, snapshot: Arc::clone(&snapshot), chart_end: NOW, charts: None, frozen: true, cpu: CpuTracks::default() });
            state.mark = Some((NOW - Duration::from_secs(60), Arc::clone(&snapshot)));
        }
        let ink = dark();
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 50));
        let area = Rect::new(x, y, w, h).intersection(buf.area);
        let ctx = DrawContext { snapshot: &snapshot, live: &snapshot, state: &state, ink: &ink, seen: None };
        pane(state.view).draw(&ctx, area, &mut buf);
        for (at, cell) in buf.content.iter().enumerate() {
            if !area.contains(((at % 200) as u16, (at / 200) as u16).into()) {
                prop_assert_eq!(cell.symbol(), " ");
            }
        }
    }
}
