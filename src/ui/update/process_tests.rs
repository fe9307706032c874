//! The process page by key scripts: signals, nice values, marks, folds, columns, the mouse.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::model::{ProcessChange, ProcessId, Pulse, ShortLived, ShortLivedBy};
use crate::ui::columns::SortColumn;
use crate::ui::event::UiEvent;
use crate::ui::screen_tests::Screen;
use crate::ui::wish::ProcessWish;

const SIZE: (u16, u16) = (120, 40);

fn chosen(screen: &Screen) -> Option<u32> {
    super::process::chosen(&screen.session.state).map(|p| p.id.pid)
}

fn wished(screen: &Screen) -> Vec<(u32, String)> {
    let said = |wish: &ProcessWish| match wish {
        ProcessWish::Signal(signal) => signal.name.to_owned(),
        ProcessWish::Nice(nice) => nice.to_string(),
    };
    screen.wished.lock().expect("one thread").iter().map(|(t, w)| (t.id.pid, said(w))).collect()
}

#[test]
fn no_key_kills_at_once_and_the_table_is_held_meanwhile() {
    let screen = Screen::new(SIZE).keys("6 j d d");
    assert!(screen.text().contains("Signal to postgres (41903)") && screen.text().contains("held still"), "{}", screen.text());
    let screen = screen.tick(1..3).keys("enter");
    assert!(screen.text().contains("Send TERM to postgres (41903)?"));
    assert!(wished(&screen).is_empty());
    let screen = screen.keys("enter");
    assert_eq!(wished(&screen), [(41903, "TERM".to_owned())]);
    assert!(screen.text().contains("TERM was sent to postgres (41903)"));
    assert!(screen.session.state.processes.held.is_none());
    let screen = screen.keys("F9 \"kill enter left enter");
    assert_eq!(wished(&screen).len(), 1, "no was chosen");
    let screen = screen.keys("d j F9 esc");
    assert!(screen.session.state.processes.held.is_none() && wished(&screen).len() == 1);
}

#[test]
fn a_refusal_names_the_process() {
    let screen = Screen::new(SIZE).keys("6 p F8 enter");
    assert_eq!(wished(&screen), [(1, "1".to_owned())]);
    assert!(screen.text().contains("systemd (1): not permitted"), "{}", screen.text());
    let screen = screen.keys("F7 backspace backspace \"-30 enter");
    assert!(screen.text().contains("a nice value is -20 (first) to 19 (last)"));
}

#[test]
fn only_processes_of_this_machine_get_signals() {
    let mut screen = Screen::new(SIZE).keys("6");
    screen.session.state.reaches_processes = false;
    let screen = screen.keys("F9");
    assert!(screen.session.state.overlays.is_empty());
    assert!(screen.text().contains("only processes of the machine this screen runs on"));
}

#[test]
fn several_are_marked_and_told_together() {
    let screen = Screen::new(SIZE).keys("6 x x");
    assert!(screen.text().contains("x 2 marked · CPU 105.4%"), "{}", screen.text());
    let screen = screen.keys("F9 \"hup enter enter");
    assert_eq!(wished(&screen).iter().map(|(pid, _)| *pid).collect::<Vec<_>>(), [2817, 41903]);
    assert!(screen.session.state.processes.marked.is_empty());
    let screen = screen.keys("x U");
    assert!(screen.session.state.processes.marked.is_empty());
}

#[test]
fn columns_are_chosen_and_ordered() {
    let screen = Screen::new(SIZE).keys("6 F2 space \"mem% esc");
    assert!(screen.session.state.processes.columns.is_none(), "nothing was chosen yet");
    let screen = screen.keys("F2 space shift-down \"nice space enter");
    let columns = screen.session.state.processes.columns.clone().expect("chosen");
    assert!(!columns.contains(&SortColumn::Pid) && columns.contains(&SortColumn::Nice));
    assert_eq!(columns.last(), Some(&SortColumn::Name));
    let text = screen.text();
    assert!(text.contains("nice") && !text.contains("PID"), "{text}");
}

#[test]
fn a_branch_folds_into_its_sum_and_opens_again() {
    let screen = Screen::new(SIZE).keys("6 t j");
    let before = screen.session.state.lists.processes.len();
    assert_eq!(chosen(&screen), Some(2817));
    let screen = screen.keys("-");
    assert!(screen.session.state.lists.processes.len() < before);
    assert!(screen.text().contains("► postgres and"), "{}", screen.text());
    let screen = screen.keys("+ j -");
    assert_eq!(chosen(&screen), Some(2817), "a leaf folds what it is on");
    let screen = screen.keys("* *");
    assert!(screen.session.state.processes.folded.len() > 1);
    assert_eq!(screen.keys("*").session.state.lists.processes.len(), before);
}

#[test]
fn a_followed_process_is_said_to_have_ended() {
    let screen = Screen::new(SIZE).keys("6 j F");
    assert!(screen.text().contains("follows 41903"));
    let live = &screen.session.state.live;
    let id = ProcessId { pid: 41903, started: 4_190_300 };
    let process = live.processes.iter().find(|p| p.id == id).expect("it runs").clone();
    let ended = std::sync::Arc::new(crate::model::EndedProcess { process, at: live.at });
    let pulse = Pulse {
        seq: 500,
        at: screen.session.state.live.at,
        processes: ProcessChange { gone: vec![id], ended: vec![ended], ..ProcessChange::default() },
        ..Pulse::default()
    };
    let mut screen = screen;
    screen.shared.lock().expect("one thread").pulses.push(std::sync::Arc::new(pulse));
    screen.session.handle(UiEvent::Wake);
    let text = screen.text();
    assert!(text.contains("process 41903 postgres, which was followed, has ended"), "{text}");
    assert!(text.contains("ended in the last minute:  postgres"), "{text}");
}

#[test]
fn what_came_and_went_unseen_is_told_below_the_list() {
    let mut screen = Screen::new(SIZE).keys("6");
    let at = screen.session.state.live.at;
    let by =
        |pid, name: &str, cpu_seconds| ShortLivedBy { parent: ProcessId { pid, started: 1 }, name: name.into(), cpu_seconds };
    for (seq, by) in (500..).zip([vec![by(1, "make", 1.2)], vec![by(2, "sh", 0.04), by(1, "make", 2.0), by(3, "true", 0.0)]]) {
        let left = ShortLived { at, count: 700, by: by.into() };
        let processes = ProcessChange { short_lived: Some(left.into()), ..ProcessChange::default() };
        let pulse = Pulse { seq, at, processes, ..Pulse::default() };
        screen.shared.lock().expect("one thread").pulses.push(std::sync::Arc::new(pulse));
        screen.session.handle(UiEvent::Wake);
    }
    let text = screen.text();
    assert!(text.contains("1,400 between two looks, of  make 3.2 s sh 40 ms true"), "{text}");
}

#[test]
fn a_user_and_a_click_on_a_head_choose_what_is_listed_first() {
    let mut screen = Screen::new(SIZE).keys("6 u \"shop enter");
    assert_eq!(screen.session.state.filter(), "user=shop");
    assert!(screen.session.state.lists.processes.len() > 1);
    let heads = screen.text().lines().position(|l| l.contains("CPU%")).expect("heads");
    let line = screen.text().lines().nth(heads).expect("heads").to_owned();
    let column = line.chars().collect::<String>().find("mem MiB").expect("a head");
    let column = line.char_indices().take_while(|(i, _)| *i < column).count();
    let click = |screen: &mut Screen, row: usize| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        let event = MouseEvent { kind, column: column as u16, row: row as u16, modifiers: KeyModifiers::NONE };
        screen.session.handle(UiEvent::Mouse(event));
    };
    click(&mut screen, heads);
    assert_eq!(screen.session.state.sort.column, SortColumn::Memory);
    click(&mut screen, heads);
    assert!(screen.session.state.sort.inverted);
    let second = screen.session.state.lists.processes[1];
    click(&mut screen, heads + 2);
    assert_eq!(chosen(&screen), Some(screen.session.state.live.processes[second].id.pid));
    click(&mut screen, heads + 2);
    assert!(screen.session.state.open);
}

#[test]
fn a_mistake_in_the_filter_is_shown_where_it_is() {
    let screen = Screen::new(SIZE).keys("6 / \"cpu>5_usr=x");
    assert!(screen.text().contains("at character 7: usr is no field; did you mean user?"), "{}", screen.text());
    let kept = screen.session.state.lists.processes.len();
    assert!(kept > 0 && kept < 231, "what was right goes on");
}
