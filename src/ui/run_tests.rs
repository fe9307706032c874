//! The loop: frames only for changes, small ones, and nothing lost between a key and its answer.

use super::*;
use crate::monitor::{Link, Request, Scope};
use crate::ui::screen_tests::Screen;

fn bytes_of(session: &mut Session) -> usize {
    let mut sent = 0;
    let draw = session.draw(&mut |bytes| {
        sent += bytes.len();
        Ok(())
    });
    assert!(draw.is_ok());
    sent
}

#[test]
fn nothing_is_sent_where_nothing_changed() {
    let mut screen = Screen::new((200, 50));
    assert!(bytes_of(&mut screen.session) > 10_000, "the first frame is whole");
    assert_eq!(bytes_of(&mut screen.session), 0);
    screen.session.handle(UiEvent::Wake);
    assert_eq!(bytes_of(&mut screen.session), 0);
}

#[test]
fn a_second_of_the_overview_takes_few_bytes() {
    // The bars: 1,500 bytes at 200x50 and 400 at 80x24 are aimed at, 2,500 and 800 must be kept.
    for (size, most) in [((200, 50), 2500), ((80, 24), 800)] {
        let mut screen = Screen::new(size).tick([1]);
        bytes_of(&mut screen.session);
        let mut sizes = Vec::new();
        for number in 2..22 {
            screen = screen.tick([number]);
            sizes.push(bytes_of(&mut screen.session));
        }
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        println!("{size:?}: mean {mean} bytes a frame, {sizes:?}");
        assert!(mean <= most, "{size:?}: mean {mean} bytes a frame, {sizes:?}");
    }
}

#[test]
fn charts_are_full_at_the_first_frame() {
    let screen = Screen::new((200, 50));
    let keys: Vec<_> = screen.session.state.keys.all().cloned().collect();
    assert!(keys.len() >= 6, "{keys:?}");
    let oldest = screen.session.state.charts.oldest(&keys[0]).expect("points");
    assert!(screen.session.state.live.at.since(oldest) >= Duration::from_secs(3590));
}

#[test]
fn only_the_newest_of_two_questions_is_answered_on_the_screen() {
    let screen = Screen::new((120, 40));
    screen.shared.lock().expect("one thread").silent = true;
    let mut screen = screen.keys("left left left");
    let at = screen.session.state.past.as_ref().expect("a moment").at;
    assert_eq!(screen.session.state.shown().at, screen.session.state.live.at, "until the answer comes the newest is shown");
    screen.shared.lock().expect("one thread").silent = false;
    screen.session.handle(UiEvent::Wake);
    assert_eq!(screen.session.state.shown().at, at);
    assert!(screen.session.asked.is_empty(), "answers nobody needs are taken all the same");
}

#[test]
fn a_report_becomes_a_file_and_its_name_is_said() {
    let screen = Screen::new((120, 40)).keys("e enter");
    let files = screen.exported.lock().expect("one thread").clone();
    assert_eq!(files, [("report.html".to_owned(), "<html>".to_owned())]);
    assert!(screen.text().contains("✓ written to /tmp/report.html"));
}

#[test]
fn keys_that_end_or_stop_do_so() {
    assert_eq!(Screen::new((80, 24)).keys("q").last, Step::End(Exit::Quit));
    assert_eq!(Screen::new((80, 24)).keys("ctrl-z").last, Step::Suspend);
    let mut screen = Screen::new((80, 24));
    assert_eq!(screen.session.handle(UiEvent::Closed), Step::End(Exit::Closed));
    assert_eq!(screen.session.handle(UiEvent::Stop), Step::End(Exit::Stopped));
}

#[test]
fn a_dumb_terminal_is_told_what_works_there() {
    let screen = Screen::new((80, 24));
    let mut options = screen.session.options;
    options.terminal.dumb = true;
    let (monitor, _) = crate::ui::fixture::monitor::FakeMonitor::new(Arc::clone(&screen.session.state.live), Scope::Read);
    let error = run(Box::new(monitor), options, EventSource::default()).expect_err("no screen");
    assert!(error.to_string().contains("farol status"), "{error}");
}

#[test]
fn a_lost_recorder_is_said_in_both_lines_and_a_replay_in_the_first() {
    let screen = Screen::new((120, 40));
    let lost = Link::Lost {
        address: "/run/farol/farol.sock".to_owned(),
        since: screen.session.state.live.at,
        reason: "connection refused".to_owned(),
    };
    screen.shared.lock().expect("one thread").link = Some(lost);
    let screen = screen.tick([1]);
    let text = screen.text();
    assert!(text.contains("○ LOST") && text.contains("✘ LOST /run/farol/farol.sock since 03:14:31"), "{text}");
    screen.shared.lock().expect("one thread").link = Some(Link::Replay("tape".to_owned()));
    assert!(screen.tick([2]).text().contains("◄ REPLAY"));
}

#[test]
fn a_lost_recorder_is_said_with_the_way_out_in_any_width() {
    for width in [40, 60, 80, 120, 200] {
        let screen = Screen::new((width, 24));
        let lost = Link::Lost {
            address: "/run/user/1000/farol/farol-0123abcd.sock".to_owned(),
            since: screen.session.state.live.at,
            reason: "no engine listens at /run/user/1000/farol/farol-0123abcd.sock".to_owned(),
        };
        screen.shared.lock().expect("one thread").link = Some(lost);
        let text = screen.tick([1]).text();
        let line = text.lines().nth(1).expect("a second line").trim();
        assert!(
            line.contains("✘ LOST ") && line.contains(" since 03:14:31") && line.ends_with("T record here"),
            "{width}: {line}"
        );
    }
}

#[test]
fn a_screen_that_is_too_small_says_what_it_needs_in_the_room_there_is() {
    for (size, said) in
        [((39, 11), "farol needs 40x12, this is 39x11"), ((30, 8), "farol needs 40x12"), ((8, 2), "40x12"), ((2, 1), "40")]
    {
        assert_eq!(Screen::new(size).text().trim(), said, "{size:?}");
    }
    assert_eq!(Screen::new((1, 1)).text().trim(), "4");
}

#[test]
fn what_was_asked_first_is_the_history_of_the_charts() {
    let screen = Screen::new((80, 24));
    let asked = screen.shared.lock().expect("one thread");
    assert!(matches!(&asked.asked[0], Request::History(wish) if wish.step == Duration::from_secs(3)), "{:?}", asked.asked[0]);
}

#[test]
fn after_ten_seconds_of_a_hundred_resizes_each_the_screen_is_right() {
    let mut screen = Screen::new((120, 40));
    let mut terminal = vt100::Parser::new(40, 120, 0);
    for i in 0..1000_u16 {
        let size = if i < 999 { (20 + i * 37 % 110, 4 + i * 13 % 38) } else { (100, 30) };
        terminal.screen_mut().set_size(size.1, size.0);
        screen.session.handle(UiEvent::Resize(size.0, size.1));
        if i % 60 == 59 {
            screen = screen.keys("tab");
        }
        let drawn = screen.session.draw(&mut |bytes| {
            terminal.process(bytes);
            Ok(())
        });
        assert!(drawn.is_ok());
    }
    let shown: Vec<String> = terminal.screen().rows(0, 100).map(|row| row.trim_end().to_owned()).collect();
    let wanted: Vec<String> = screen.text().lines().map(str::to_owned).collect();
    assert_eq!(shown, wanted);
}
