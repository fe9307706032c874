//! Lists of thousands: what is drawn depends on the rows on the screen and on no others.

use std::sync::Arc;

use super::fixture::snapshot;
use super::screen_tests::{Screen, dark};
use super::state::{UiState, View};
use crate::model::{Alert, ServiceStatus, Snapshot};
use crate::monitor::Scope;

/// A machine with 5,000 services and 10,000 alerts.
fn large() -> Snapshot {
    let mut large = snapshot();
    let service =
        |i: usize| ServiceStatus { name: format!("service-{i:04}"), ..large.services[i % large.services.len()].clone() };
    let services: Vec<ServiceStatus> = (0..5_000).map(service).collect();
    let alert = |i: usize| {
        let id = format!("{i:05x}");
        let title = format!("alert number {i}");
        Arc::new(Alert { id, title, fingerprint: i as u64, ..Alert::clone(&large.alerts[i % large.alerts.len()]) })
    };
    let alerts: Vec<Arc<Alert>> = (0..10_000).map(alert).collect();
    (large.services, large.alerts) = (services.into(), alerts.into());
    large
}

/// Draws the state, then with every row of the list forgotten that is further from the end than any screen has tiles.
fn drawn_twice(screen: &mut Screen, rows: impl Fn(&mut UiState) -> &mut Vec<usize>) {
    let before = screen.buffer(&dark());
    let list = rows(&mut screen.session.state);
    let gone = list.len() - 500;
    list[..gone].fill(usize::MAX);
    assert_eq!(screen.buffer(&dark()), before, "rows that are not on the screen were looked at");
}

#[test]
fn of_thousands_only_the_rows_on_the_screen_are_looked_at() {
    for size in [(200, 50), (120, 40), (80, 24)] {
        for keys in ["2 G", "2 v G"] {
            let mut screen = Screen::on(large(), size, Scope::Admin).keys(keys);
            assert!(screen.text().contains("service-4"), "{size:?}\n{}", screen.text());
            drawn_twice(&mut screen, |state| &mut state.lists.services);
        }
        let mut screen = Screen::on(large(), size, Scope::Admin).keys("3 G");
        assert!(screen.text().contains("alert number 99"), "{size:?}\n{}", screen.text());
        drawn_twice(&mut screen, |state| &mut state.lists.alerts);
    }
}

#[test]
fn the_choice_goes_through_thousands_and_stays_on_the_screen() {
    let screen = Screen::on(large(), (120, 40), Scope::Admin).keys("2 G k k pageup");
    let chosen = screen.session.state.chosen_service().expect("one is chosen").name.clone();
    assert!(screen.text().contains(&chosen), "{chosen}\n{}", screen.text());
    let screen = screen.keys("3 pagedown pagedown pagedown j");
    assert_eq!(screen.session.state.view, View::Alerts);
    let chosen = screen.session.state.chosen_alert().expect("one is chosen").title.clone();
    assert!(screen.text().contains(&chosen), "{chosen}\n{}", screen.text());
}
