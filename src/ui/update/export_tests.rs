//! What `e` writes, and the tour, by key scripts.

use crate::ui::screen_tests::Screen;

const SIZE: (u16, u16) = (120, 40);

fn written(screen: &Screen) -> Vec<(String, String)> {
    screen.exported.lock().expect("one thread").clone()
}

#[test]
fn the_screen_and_its_charts_become_files() {
    let screen = Screen::new(SIZE).keys("e right right right right enter");
    let before = screen.text();
    let (name, text) = written(&screen).pop().expect("a file");
    assert_eq!(name, "farol-overview-20261121-031431.txt");
    assert_eq!(text.lines().nth(4), before.lines().nth(4), "without the form over it");
    assert!(before.contains("written to /tmp/farol-overview"), "{before}");
    let screen = screen.keys("e right right right right right tab tab tab \"mine.svg enter");
    let (name, text) = written(&screen).pop().expect("a file");
    assert!(name == "mine.svg" && text.starts_with("<svg "));
    let screen = screen.keys("e right right right enter");
    let (name, text) = written(&screen).pop().expect("a file");
    assert!(name.ends_with(".csv") && text.starts_with("time,\"cpu_usage_ratio\""), "{name}");
    assert!(text.lines().count() > 100);
}

#[test]
fn the_tour_takes_no_key_away_and_ends() {
    let mut screen = Screen::new(SIZE);
    screen.session.state.tour = Some(0);
    assert!(screen.text().contains("1/5 Welcome to farol"));
    let screen = screen.keys("6 j");
    assert!(screen.text().contains("3/5 ← → move through time, every pane follows; End is now"), "{}", screen.text());
    assert_eq!(screen.session.state.view, crate::ui::View::Processes);
    let screen = screen.keys("k k k");
    assert_eq!(screen.session.state.tour, None);
    let mut screen = Screen::new((80, 24));
    for step in 0..5 {
        screen.session.state.tour = Some(step);
        let last = screen.text().lines().last().expect("a line").to_owned();
        assert!(last.contains("Esc ends") && !last.contains('…') && !last.contains('{'), "{last}");
    }
    assert_eq!(screen.keys("esc").session.state.tour, None);
}
