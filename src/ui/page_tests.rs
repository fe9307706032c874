//! Pages made of panes, time in words, the mouse and looks: key scripts and what is seen after them.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::event::UiEvent;
use super::golden::{check_depths, check_screen};
use super::screen_tests::Screen;
use super::state::View;

/// Keys that open each page and what is opened on it, with its name.
const PAGES: [(&str, &str); 18] = [
    ("", "overview"),
    ("2 j", "services"),
    ("2 j v", "grid"),
    ("3", "alerts"),
    ("3 enter", "alert"),
    ("4 j j", "predictions"),
    ("5 left left", "history"),
    ("6 enter", "processes"),
    ("6 t", "tree"),
    ("7", "cpu"),
    ("8", "memory"),
    ("9", "disks"),
    ("0", "network"),
    ("alt-1", "sensors"),
    ("alt-2", "units"),
    ("alt-3", "farol"),
    ("M", "metrics"),
    ("O j", "settings"),
];

#[test]
fn every_page_is_designed_for_three_sizes_in_every_depth_of_color_and_in_ascii() {
    for (keys, name) in PAGES {
        for size in [(200, 50), (120, 40), (80, 24)] {
            check_depths(keys, size, &format!("{name}-{}x{}", size.0, size.1));
        }
    }
}

#[test]
fn no_page_lacks_its_golden_screens() {
    let shown: Vec<View> = PAGES.iter().map(|(keys, _)| Screen::new((80, 24)).keys(keys).session.state.view).collect();
    for view in View::ALL {
        assert!(shown.contains(&view), "{view:?}");
    }
}

#[test]
fn a_pane_takes_the_whole_page_and_one_step_back_gives_it_back() {
    let screen = Screen::new((120, 40)).keys("7 . . z");
    let large = screen.session.state.enlarged.clone().expect("an enlarged pane");
    assert_eq!(screen.session.state.pane.as_deref(), Some(large.as_str()));
    check_screen("7 . . z", (120, 40), "enlarged-120x40");
    let screen = screen.keys(".");
    assert_ne!(screen.session.state.enlarged.as_deref(), Some(large.as_str()), "the next pane instead");
    let screen = screen.keys("esc");
    assert!(screen.session.state.enlarged.is_none());
    assert_eq!(screen.session.state.view, View::Cpu, "still on the page");
    assert_eq!(screen.keys("esc").session.state.view, View::Overview);
}

#[test]
fn hidden_panes_give_their_room_away_and_come_back() {
    let screen = Screen::new((200, 50)).keys("H space j space esc");
    assert!(!screen.text().contains("CPU 26%") && !screen.text().contains("Memory 91%"), "{}", screen.text());
    assert!(screen.text().contains("Network"));
    let screen = screen.keys("H space j space esc");
    assert!(screen.text().contains("CPU 26%") && screen.text().contains("Memory 91%"));
}

#[test]
fn layouts_are_gone_through_by_key() {
    for (keys, name) in [("V", "charts"), ("V V", "table"), ("V V V", "duty")] {
        let keys = format!("{keys} esc");
        check_screen(&keys, (200, 50), &format!("layout-{name}-200x50"));
    }
    assert_eq!(Screen::new((120, 40)).keys("V V V V").session.state.layout_at, 0);
}

#[test]
fn a_theme_is_seen_while_it_is_chosen_and_esc_brings_back_the_one_before() {
    let screen = Screen::new((120, 40)).keys("ctrl-t j j");
    assert_ne!(screen.session.state.look.theme, "dark");
    let screen = screen.keys("esc");
    assert_eq!(screen.session.state.look.theme, "dark");
    let screen = screen.keys("ctrl-t j enter");
    assert_ne!(screen.session.state.look.theme, "dark");
    assert!(screen.session.state.overlays.is_empty());
}

#[test]
fn time_is_written_in_words_and_played() {
    let screen = Screen::new((120, 40)).keys("@ ctrl-u \"yesterday_14:00\" enter");
    let at = screen.session.state.past.as_ref().expect("another moment").at;
    assert_eq!(at, crate::base::Timestamp::from_seconds(1_795_183_200));
    let screen = screen.keys("P").tick([1]);
    let played = screen.session.state.past.as_ref().expect("still another moment").at;
    assert_eq!(played.since(at).as_secs(), 10);
    let screen = screen.keys("P P P").tick([2]);
    assert_eq!(screen.session.state.past.as_ref().expect("it stands").at, played);
}

#[test]
fn bookmarks_are_gone_back_to() {
    let screen = Screen::new((120, 40)).keys("left left b");
    let marked = screen.session.state.bookmarks.clone();
    assert_eq!(marked.len(), 1);
    let screen = screen.keys("end '");
    assert_eq!(screen.session.state.past.as_ref().map(|p| p.at), marked.first().copied());
    assert!(screen.keys("b").session.state.bookmarks.is_empty(), "again: forgotten");
}

fn mouse(screen: &mut Screen, kind: MouseEventKind, (column, row): (u16, u16)) {
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    screen.last = screen.session.handle(UiEvent::Mouse(event));
}

#[test]
fn a_click_in_a_chart_sets_the_time_and_a_drag_moves_it() {
    let mut screen = Screen::new((200, 50));
    mouse(&mut screen, MouseEventKind::Down(MouseButton::Left), (40, 8));
    let first = screen.session.state.past.as_ref().expect("another moment").at;
    mouse(&mut screen, MouseEventKind::Drag(MouseButton::Left), (30, 8));
    assert!(screen.session.state.past.as_ref().expect("another moment").at < first);
    let before = screen.session.state.span;
    mouse(&mut screen, MouseEventKind::ScrollUp, (30, 8));
    assert!(screen.session.state.span < before, "the wheel over a chart zooms");
}

#[test]
fn a_click_on_a_process_chooses_it() {
    let mut screen = Screen::new((200, 50));
    mouse(&mut screen, MouseEventKind::Down(MouseButton::Left), (30, 38));
    let row = screen.session.state.lists.process_row(screen.session.state.shown(), &screen.session.state.selected);
    assert_eq!(row, 2);
    assert!(screen.session.state.past.is_none());
}

#[test]
fn the_palette_goes_to_things_by_name() {
    let screen = Screen::new((120, 40)).keys(": \"mail-relay\" enter");
    assert_eq!(screen.session.state.view, View::Services);
    let screen = screen.keys(": \"fsusedratio\" enter");
    assert_eq!(screen.session.state.view, View::Metrics);
    assert!(screen.text().contains("filesystem_used_ratio"));
    check_screen(": \"mem", (120, 40), "palette-things-120x40");
}

#[test]
fn a_metric_in_full_has_everything_in_one_chart() {
    check_screen("M / \"memory_used_ratio\" enter enter", (200, 50), "metric-200x50");
    check_screen("M / \"disk_read_bytes\" enter enter l o", (200, 50), "metric-log-200x50");
    check_screen("M / \"cpu_mode\" enter enter a", (120, 40), "metric-stacked-120x40");
}

#[test]
fn what_is_chosen_goes_to_the_clipboard_of_the_terminal() {
    let mut screen = Screen::new((120, 40)).keys("y");
    let mut sent = Vec::new();
    screen
        .session
        .draw(&mut |bytes| {
            sent.extend_from_slice(bytes);
            Ok(())
        })
        .expect("memory");
    let text = String::from_utf8(sent).expect("text");
    // "/usr/lib/postgresql" in base 64.
    assert!(text.starts_with("\u{1b}]52;c;L3Vzci9saWIvcG9zdGdyZXNxb"), "{}", text.chars().take(60).collect::<String>());
}
