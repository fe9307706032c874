//! What keys do to the state, and what is asked because of them.

use std::time::Duration;

use crate::model::{Matcher, ReportFormat};
use crate::monitor::{Request, Scope, SnoozeUntil};
use crate::ui::fixture::{NOW, ago, snapshot};
use crate::ui::screen_tests::Screen;
use crate::ui::state::{SortColumn, Subject, View};

const SIZE: (u16, u16) = (120, 40);

/// The last request after these keys.
fn asked(keys: &str) -> Request {
    let screen = Screen::new(SIZE).keys(keys);
    let asked = screen.shared.lock().expect("one thread");
    asked.asked.last().cloned().expect("something was asked")
}

#[test]
fn a_silence_is_asked_for_after_it_was_shown_what_it_hides() {
    let screen = Screen::new(SIZE).keys("3 s");
    assert!(screen.text().contains("hides now: 1"), "{}", screen.text());
    let before = screen.shared.lock().expect("one thread").asked.len();
    let screen = screen.keys("ctrl-u \"4h tab tab \"cleaning enter");
    let requests = screen.shared.lock().expect("one thread").asked.clone();
    assert_eq!(requests.len(), before + 1);
    let Some(Request::AddSilence { matchers, length, author, comment, maintenance }) = requests.last() else {
        panic!("{:?}", requests.last())
    };
    assert_eq!(matchers, &[Matcher::equal("rule", "memory.used")]);
    assert_eq!((length.as_secs(), author.as_str(), comment.as_str(), *maintenance), (14_400, "tom", "cleaning", false));
    assert!(screen.text().contains("hides 1 of the alerts"), "the answer is said");
}

#[test]
fn a_rule_is_run_over_the_past_and_learns_what_is_chosen_or_forgets_it() {
    let screen = Screen::new(SIZE).keys("3 r");
    assert!(screen.text().contains("0 alerts, 0 s in all; messages: 9 to slack"), "{}", screen.text());
    let screen = Screen::new(SIZE).keys("3 L");
    for part in ["memory.used", "above 93.5%, not above 85%: 8 → 2 alerts", "take back disk"] {
        assert!(screen.text().contains(part), "{part} is not in {}", screen.text());
    }
    assert!(matches!(asked("3 r"), Request::Replay(wish) if wish.rule.as_deref() == Some("memory.used")));
    let changes = |keys: &str| {
        let screen = Screen::new(SIZE).keys(keys);
        let asked = screen.shared.lock().expect("one thread").asked.clone();
        asked.into_iter().filter(|r| matches!(r, Request::ApplyProposal { .. } | Request::UndoLesson { .. })).collect::<Vec<_>>()
    };
    assert!(matches!(&changes("3 L enter")[..], [Request::ApplyProposal { rule, keys, author, .. }]
        if rule == "memory.used" && keys["above"] == "93.5%" && author == "tom"));
    assert!(matches!(&changes("3 L down enter")[..], [Request::UndoLesson { lesson, .. }] if lesson.id == "9x"));
    assert!(changes("3 L esc").is_empty());
}

#[test]
fn what_cannot_be_understood_is_said_in_the_form_and_asks_nothing() {
    let screen = Screen::new(SIZE).keys("3 s ctrl-u \"soon");
    let before = screen.shared.lock().expect("one thread").asked.len();
    let screen = screen.keys("enter");
    assert!(screen.text().contains("is no duration"), "{}", screen.text());
    assert_eq!(screen.shared.lock().expect("one thread").asked.len(), before);
    let screen = screen.keys("tab ctrl-u \"x~y enter");
    assert!(screen.text().contains("is no duration") || screen.text().contains("is no matcher"));
    assert!(screen.keys("esc").session.state.overlays.is_empty());
}

#[test]
fn decisions_name_the_chosen_alert_and_who_decided() {
    assert!(matches!(asked("a \"mine enter"), Request::Acknowledge { alert, author, comment }
        if (alert.as_str(), author.as_str(), comment.as_str()) == ("7f3a", "tom", "mine")));
    assert!(matches!(asked("3 j a"), Request::Unacknowledge { alert, .. } if alert == "51c0"));
    assert!(matches!(asked("3 f"), Request::Feedback { real: false, .. }));
    assert!(matches!(asked("3 j t"), Request::Feedback { real: true, alert, .. } if alert == "51c0"));
    assert!(matches!(asked("3 S tab right enter"), Request::Snooze { until: SnoozeUntil::Change, .. }));
    assert!(matches!(asked("3 j j j U"), Request::ExpireSilence { id, .. } if id == "s1"));
    assert!(matches!(asked("2 j m tab \"disks enter"), Request::Maintenance { service, length: Some(length), comment, .. }
        if service == "checkout-api" && length.as_secs() == 3600 && comment == "disks"));
    assert!(matches!(asked("2 j c"), Request::CheckNow { service } if service == "checkout-api"));
    assert!(matches!(asked("e tab tab right right enter"), Request::Report(spec)
        if spec.format == ReportFormat::Json && spec.range.length() == Duration::from_secs(86_400)));
}

#[test]
fn whoever_may_only_look_is_offered_no_decisions() {
    let screen = Screen::on(snapshot(), SIZE, Scope::Read);
    let screen = screen.keys("3 s a f t S");
    let asked = screen.shared.lock().expect("one thread").asked.clone();
    assert!(asked.iter().all(|request| request.scope() == Scope::Read), "{asked:?}");
    assert!(screen.session.state.overlays.is_empty());
    assert!(!screen.text().contains("silence  "), "{}", screen.text());
}

#[test]
fn the_time_cursor_moves_every_pane_and_end_comes_back() {
    let screen = Screen::new(SIZE).keys("left left");
    let state = &screen.session.state;
    assert_eq!(state.past.as_ref().map(|p| p.at), Some(ago(120)));
    assert_eq!(state.shown().at, ago(120));
    let text = screen.text();
    assert!(text.contains("◄ PAST 03:12:31, 2 min ago") && text.contains("live now ✘ memory 91%"), "{text}");
    let screen = screen.keys("end");
    assert!(screen.session.state.past.is_none() && screen.text().contains("● LIVE"));
    let screen = screen.keys("@ ctrl-u \"01:14 enter");
    let at = screen.session.state.past.as_ref().map(|p| p.at).expect("a moment");
    assert_eq!(at, ago(2 * 3600 + 31));
    let asked = screen.shared.lock().expect("one thread").asked.clone();
    assert!(asked.iter().any(|r| matches!(r, Request::History(h) if h.range.contains(at))), "charts of that time");
}

#[test]
fn the_cursor_goes_from_mark_to_mark() {
    let screen = Screen::new(SIZE).keys("shift-left");
    let at = |s: &Screen| s.session.state.past.as_ref().map(|p| p.at);
    assert_eq!(at(&screen), Some(ago(360)), "the newest alert");
    let screen = screen.keys("shift-left");
    assert_eq!(at(&screen), Some(ago(619)));
    assert_eq!(at(&screen.keys("shift-right shift-right")), None, "after the last mark is the present");
}

#[test]
fn frozen_means_that_new_pulses_change_nothing_that_is_shown() {
    let screen = Screen::new(SIZE).keys("space");
    let before = screen.text();
    assert!(before.contains("◄ FROZEN"), "{before}");
    let screen = screen.tick(1..20);
    let after = screen.text();
    let rows = |t: &str| t.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&before), rows(&after));
    assert!(screen.keys("space").text().contains("03:14:50"));
}

#[test]
fn zooming_asks_for_as_many_points_over_another_span() {
    let screen = Screen::new(SIZE).keys("-");
    assert_eq!(screen.session.state.span, Duration::from_secs(3 * 3600));
    assert_eq!(screen.session.state.charts.step(), Duration::from_secs(9));
    let oldest = screen.session.state.keys.cpu.clone().and_then(|k| screen.session.state.charts.oldest(&k));
    assert!(oldest.is_some_and(|t| t <= NOW - Duration::from_secs(10_700)), "{oldest:?}");
    assert_eq!(screen.keys("+ + =").session.state.span, Duration::from_secs(3600));
}

#[test]
fn a_choice_names_a_process_and_stays_on_it_when_the_order_changes() {
    let screen = Screen::new(SIZE).keys("6 j j");
    let chosen = screen.session.state.selected.process;
    assert_eq!(chosen.map(|p| p.pid), Some(1204));
    let screen = screen.keys("m I").tick([1]);
    assert_eq!(screen.session.state.selected.process, chosen);
    assert_eq!(screen.session.state.sort.column, SortColumn::Memory);
    let first = |s: &Screen| s.session.state.lists.processes.first().map(|i| s.session.state.live.processes[*i].id.pid);
    assert_eq!(first(&screen.keys("c G g")), Some(2817));
}

#[test]
fn words_filter_while_they_are_typed_and_esc_brings_back_what_was() {
    let screen = Screen::new(SIZE).keys("6 / \"postg");
    assert_eq!(screen.session.state.lists.processes.len(), 2);
    let screen = screen.keys("esc");
    assert_eq!(screen.session.state.lists.processes.len(), 231);
    let screen = screen.keys("/ \"71 enter");
    let state = &screen.session.state;
    assert_eq!(state.lists.processes.first().map(|i| state.live.processes[*i].id.pid), Some(71), "the exact number is first");
    assert_eq!(screen.keys("esc").session.state.lists.processes.len(), 231, "one step back takes the filter away");
}

#[test]
fn esc_goes_back_exactly_one_step() {
    let screen = Screen::new(SIZE).keys("3 enter left ?");
    let steps = ["", "esc", "esc", "esc", "esc"];
    let mut screen = screen;
    let mut seen = Vec::new();
    for step in steps {
        screen = screen.keys(step);
        let state = &screen.session.state;
        seen.push((state.overlays.len(), state.open, state.past.is_some(), state.view));
    }
    assert_eq!(
        seen,
        [
            (1, true, true, View::Alerts),
            (0, true, true, View::Alerts),
            (0, false, true, View::Alerts),
            (0, false, false, View::Alerts),
            (0, false, false, View::Overview),
        ]
    );
}

#[test]
fn what_is_opened_is_fetched_once() {
    let screen = Screen::new(SIZE).keys("3 enter");
    let focus = screen.session.state.focus.as_ref().expect("an alert is open");
    assert_eq!(focus.subject, Subject::Alert("7f3a".to_owned()));
    assert!(!focus.journal.is_empty() && !focus.charts.band(&screen.session.state.live.alerts[0].key).is_empty());
    let count = screen.shared.lock().expect("one thread").asked.len();
    let screen = screen.tick(1..4);
    assert_eq!(screen.shared.lock().expect("one thread").asked.len(), count);
    let screen = screen.keys("esc");
    assert!(screen.session.state.focus.is_some(), "the list tells of the chosen one as well");
    assert!(screen.keys("1").session.state.focus.is_none());
}

#[test]
fn the_tree_puts_children_below_their_parents() {
    let screen = Screen::new(SIZE).keys("6 t");
    let state = &screen.session.state;
    let pids: Vec<u32> = state.lists.processes.iter().map(|i| state.live.processes[*i].id.pid).collect();
    let place = |pid: u32| pids.iter().position(|p| *p == pid).expect("it is listed");
    assert_eq!(pids.len(), state.lists.tree.len());
    assert_eq!(place(41903), place(2817) + 1);
    assert_eq!(state.lists.tree[place(41903)].depth, state.lists.tree[place(2817)].depth + 1);
}

#[test]
fn a_refusal_is_said() {
    let screen = Screen::on(snapshot(), SIZE, Scope::Operate).keys(": \"reload enter");
    let asked = screen.shared.lock().expect("one thread").asked.clone();
    assert!(!asked.contains(&Request::Reload), "it is for administrators and not offered");
    let mut state = screen.session.state.clone();
    let refusal = crate::monitor::Refusal::new(crate::monitor::RefusalKind::NotFound, "no such alert");
    super::update(&mut state, crate::ui::UiEvent::Answered(crate::ui::Purpose::Decision, Err(refusal)));
    assert_eq!(state.toast.map(|t| t.text), Some("no such alert".to_owned()));
}

#[test]
fn a_message_can_be_read_where_a_simulation_runs_fast() {
    let mut screen = Screen::new(SIZE);
    super::say(&mut screen.session.state, super::Tone::Good, "kept as report");
    let minute_later = |screen: &mut Screen| {
        let at = screen.session.state.live.at + Duration::from_secs(60);
        let pulse = crate::model::Pulse { seq: 500, at, ..crate::model::Pulse::default() };
        screen.shared.lock().expect("one thread").pulses.push(std::sync::Arc::new(pulse));
        screen.session.handle(crate::ui::UiEvent::Wake);
        screen.session.state.toast.is_some()
    };
    let seen = (0..6).map(|_| minute_later(&mut screen)).take_while(|seen| *seen).count();
    assert_eq!(seen, 4, "it goes with the fifth reading");
}
