//! The board over hours and days of results, without a clock.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Discovered, METRICS, Service, ServiceBoard, ServiceConfig, WindowConfig};
use crate::base::Timestamp;
use crate::model::{CheckOutcome, CheckResult, MaintenanceWindow, Measure, MeasureKind, Reading, ServiceState, ServiceStatus};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_006_400 + seconds)
}

fn service(name: &str) -> Service {
    ServiceConfig { process: Some("x".to_owned()), ..ServiceConfig::new(name, "process") }.ready().unwrap()
}

fn result(name: &str, seconds: i64, outcome: CheckOutcome) -> CheckResult {
    CheckResult {
        service: name.to_owned(),
        at: at(seconds),
        outcome,
        response: Some(Duration::from_millis(12)),
        message: "said".to_owned(),
        certificate_expires_in_seconds: None,
        measures: Vec::new(),
    }
}

fn one(board: &mut ServiceBoard) -> ServiceStatus {
    board.statuses().unwrap()[0].clone()
}

fn value(board: &ServiceBoard, metric: &str) -> Option<f64> {
    let mut round: Vec<Reading> = Vec::new();
    board.readings(&mut round);
    round.iter().find(|r| r.key.metric() == metric).map(|r| r.value)
}

#[test]
fn a_service_fails_softly_then_hard_and_recovers() {
    let mut board = ServiceBoard::new(&[service("a")]);
    assert_eq!((one(&mut board).state, value(&board, "service_up")), (ServiceState::Unknown, None));
    board.observe(&result("a", 0, CheckOutcome::Ok));
    board.observe(&result("a", 10, CheckOutcome::Failed));
    let status = one(&mut board);
    assert_eq!((status.state, status.message.as_str(), status.since), (ServiceState::Online, "said (1 of 3)", Some(at(0))));
    board.observe(&result("a", 15, CheckOutcome::Failed));
    board.observe(&result("a", 20, CheckOutcome::Failed));
    let status = one(&mut board);
    assert_eq!((status.state, status.message.as_str(), status.since), (ServiceState::Offline, "said", Some(at(20))));
    assert_eq!((value(&board, "service_up"), value(&board, "service_state")), (Some(0.0), Some(2.0)));
    board.observe(&result("a", 25, CheckOutcome::Ok));
    board.observe(&result("a", 35, CheckOutcome::Ok));
    assert_eq!((one(&mut board).state, value(&board, "service_check_seconds")), (ServiceState::Online, Some(0.012)));
    let up = one_share(&mut board, 45);
    assert!((up - 30.0 / 45.0).abs() < 1e-9, "{up}");
}

/// Share over 24 h after time has passed.
fn one_share(board: &mut ServiceBoard, seconds: i64) -> f64 {
    board.observe(&result("a", seconds, CheckOutcome::Ok));
    one(board).uptime[0].unwrap().up
}

#[test]
fn slow_answers_degrade() {
    let mut board = ServiceBoard::new(&[service("a")]);
    for i in 0..3 {
        board.observe(&CheckResult { response: Some(Duration::from_secs(3)), ..result("a", i * 10, CheckOutcome::Ok) });
    }
    let status = one(&mut board);
    assert_eq!((status.state, status.message.as_str()), (ServiceState::Degraded, "said, slower than 2 s"));
    assert_eq!((value(&board, "service_up"), value(&board, "service_state")), (Some(1.0), Some(1.0)));
}

#[test]
fn without_results_a_service_becomes_unknown_and_its_time_is_not_counted() {
    let mut board = ServiceBoard::new(&[service("a")]);
    board.observe(&result("a", 0, CheckOutcome::Ok));
    for second in 1..=35 {
        board.tick(at(second));
    }
    assert_eq!(one(&mut board).state, ServiceState::Online);
    // The machine sleeps for eight hours.
    board.tick(at(28_800));
    let status = one(&mut board);
    assert_eq!((status.state, status.message.as_str()), (ServiceState::Unknown, "no result for 35 s"));
    let observed = status.uptime[0].unwrap().observed * (23.0 * 3600.0);
    assert!((observed - 35.0).abs() < 1.0, "{observed}");
    board.observe(&result("a", 28_801, CheckOutcome::Ok));
    assert_eq!((one(&mut board).state, board.statuses()), (ServiceState::Online, None));
}

#[test]
fn maintenance_hides_the_state_and_counts_nothing() {
    let mut board = ServiceBoard::new(&[service("a")]);
    board.observe(&result("a", 0, CheckOutcome::Ok));
    let window = MaintenanceWindow { until: at(50), author: "ana".to_owned(), comment: "disks".to_owned() };
    board.set_maintenance(BTreeMap::from([("a".to_owned(), window.clone())]), at(10));
    for i in 1..=4 {
        board.observe(&result("a", i * 10, CheckOutcome::Failed));
    }
    let status = one(&mut board);
    assert_eq!(status.window, Some(window));
    assert_eq!((status.state, status.maintenance, value(&board, "service_up")), (ServiceState::Unknown, true, None));
    assert_eq!(status.uptime[0].map(|u| u.up), Some(1.0));
    board.set_maintenance(BTreeMap::new(), at(50));
    assert_eq!((one(&mut board).state, board.in_maintenance()), (ServiceState::Offline, false));
}

#[test]
fn statuses_come_only_when_something_changed_worst_first() {
    let mut board = ServiceBoard::new(&[service("a"), service("b"), service("c")]);
    for i in 0..3 {
        board.observe(&result("b", i, CheckOutcome::Failed));
    }
    board.observe(&result("c", 3, CheckOutcome::Ok));
    board.observe(&result("nobody", 3, CheckOutcome::Ok));
    let names: Vec<String> = board.statuses().unwrap().iter().map(|s| s.name.clone()).collect();
    assert_eq!(names, ["b", "a", "c"]);
    board.tick(at(4));
    assert!(board.statuses().is_none());
    board.tick(at(61));
    assert!(board.statuses().is_some());
}

#[test]
fn uptime_and_the_start_of_a_state_survive_a_restart() {
    let mut before = ServiceBoard::new(&[service("a")]);
    for i in 0..=720 {
        before.observe(&result("a", i * 10, if i < 360 { CheckOutcome::Failed } else { CheckOutcome::Ok }));
    }
    let old = one(&mut before);
    let rows = before.save();
    assert!(rows[0].1.len() < 400, "{} bytes", rows[0].1.len());
    let mut after = ServiceBoard::new(&[service("a")]);
    let damaged =
        [("a".to_owned(), b"{".to_vec()), ("a".to_owned(), br#"{"version":9,"state":"online","since":1,"hours":[]}"#.to_vec())];
    after.restore(&damaged);
    after.restore(&rows);
    after.observe(&result("a", 7200, CheckOutcome::Ok));
    let new = one(&mut after);
    assert_eq!((new.state, new.since, new.uptime, new.strip), (ServiceState::Online, old.since, old.uptime, old.strip));
}

fn listener(name: &str) -> Discovered {
    Discovered {
        name: name.to_owned(),
        kind: "tcp",
        target: "127.0.0.1:80".to_owned(),
        state: ServiceState::Online,
        message: "listens".to_owned(),
        unit: None,
    }
}

#[test]
fn a_listener_that_disappears_is_offline_for_a_day_unless_it_was_short_lived() {
    let mut board = ServiceBoard::new(&[]);
    for i in 0..=10 {
        board.set_discovered(vec![listener("nginx :80")], at(i * 10));
    }
    board.set_discovered(vec![listener("nginx :80"), listener("nc :99")], at(110));
    assert_eq!(board.statuses().unwrap().len(), 2);
    for i in 12..=8750 {
        board.set_discovered(Vec::new(), at(i * 10));
        if i == 12 {
            let status = one(&mut board);
            assert_eq!((status.state, status.discovered, status.since), (ServiceState::Offline, true, Some(at(120))));
            assert_eq!(value(&board, "service_up"), Some(0.0));
        }
        if i == 8600 {
            assert_eq!(board.statuses().unwrap().len(), 1);
        }
    }
    assert!(board.statuses().unwrap().is_empty());
}

#[test]
fn a_unit_that_is_no_longer_there_was_stopped_and_leaves() {
    let mut board = ServiceBoard::new(&[]);
    let unit = |state| Discovered { kind: "systemd", state, ..listener("cron.service") };
    for i in 0..=10 {
        board.set_discovered(vec![unit(ServiceState::Online)], at(i * 10));
    }
    board.set_discovered(vec![unit(ServiceState::Offline)], at(110));
    assert_eq!(one(&mut board).state, ServiceState::Offline);
    board.set_discovered(Vec::new(), at(120));
    assert!(board.statuses().unwrap().is_empty());
}

#[test]
fn a_certificate_runs_down_between_checks() {
    let mut board = ServiceBoard::new(&[service("a")]);
    board.observe(&CheckResult { certificate_expires_in_seconds: Some(100.0), ..result("a", 0, CheckOutcome::Ok) });
    board.tick(at(30));
    assert_eq!(value(&board, "service_certificate_expiry_seconds"), Some(70.0));
    assert!(METRICS.iter().all(|m| m.name.starts_with("service_")));
}

fn needing(name: &str, needs: &[&str]) -> Service {
    Service { depends_on: needs.iter().map(|n| (*n).to_owned()).collect(), ..service(name) }
}

fn seen(board: &mut ServiceBoard) -> BTreeMap<String, ServiceStatus> {
    board.statuses().expect("something changed").iter().map(|s| (s.name.clone(), s.clone())).collect()
}

#[test]
fn what_needs_a_service_that_is_down_is_unknown_and_gets_a_new_chance_once_it_is_back() {
    use ServiceState::{Offline, Online, Unknown};
    let mut board = ServiceBoard::new(&[service("router"), needing("db", &["router"]), needing("web", &["db"])]);
    let all = ["web", "db", "router"];
    all.iter().for_each(|name| board.observe(&result(name, 0, CheckOutcome::Ok)));
    // What stands on it is checked first, so it is seen to fail first: nobody calls it offline before the router is judged.
    for round in 1..=3 {
        for name in all {
            board.observe(&result(name, round * 5, CheckOutcome::Failed));
            let states = seen(&mut board);
            let offline = states.values().filter(|s| s.state == Offline).map(|s| s.name.as_str()).collect::<Vec<_>>();
            assert!(offline.is_empty() || offline == ["router"], "{round} {name}: {offline:?}");
        }
    }
    board.observe(&result("router", 16, CheckOutcome::Failed));
    let states = seen(&mut board);
    assert_eq!((states["router"].state, states["db"].state, states["web"].state), (Offline, Unknown, Unknown));
    assert_eq!(states["web"].caused_by.as_deref(), Some("router"), "the one at the bottom");
    assert_eq!(states["db"].message, "unknown because router is down; said");
    assert_eq!(states["router"].failures, 4);
    let mut round = Vec::new();
    board.readings(&mut round);
    assert_eq!(round.iter().filter(|r| r.key.metric() == "service_up").count(), 1, "only the router has an alert to give");
    for second in [20, 25] {
        board.observe(&result("router", second, CheckOutcome::Ok));
    }
    let states = seen(&mut board);
    assert_eq!((states["router"].state, states["db"].state, &states["db"].caused_by), (Online, Unknown, &None));
    for second in [30, 35, 40] {
        board.observe(&result("db", second, CheckOutcome::Failed));
    }
    let states = seen(&mut board);
    assert_eq!((states["db"].state, states["web"].state), (Offline, Unknown));
}

#[test]
fn a_promise_says_what_is_left_and_how_fast_it_burns() {
    let mut board = ServiceBoard::new(&[Service { slo: Some(0.99), ..service("a") }]);
    // Ten hours, of which 30 s in the last one are down.
    for second in (0..36_000).step_by(10) {
        let outcome = if (35_000..35_030).contains(&second) { CheckOutcome::Failed } else { CheckOutcome::Ok };
        board.observe(&result("a", second, outcome));
    }
    let slo = one(&mut board).slo.expect("a promise");
    let down = 20.0;
    assert!((slo.left.unwrap() - (1.0 - down / 35_990.0 / 0.01)).abs() < 1e-6, "{slo:?}");
    assert!(slo.burn.unwrap() > 0.2 && slo.burn.unwrap() < 0.35, "{slo:?}");
    assert_eq!(value(&board, "service_error_budget_ratio"), slo.left);
    assert_eq!(value(&board, "service_burn_rate"), slo.burn);
}

#[test]
fn measures_of_a_check_become_series() {
    let mut board = ServiceBoard::new(&[service("a")]);
    let measure = |kind, label: &str, value| Measure { kind, label: label.to_owned(), value };
    let measures = vec![measure(MeasureKind::Phase, "connect", 0.5), measure(MeasureKind::Bytes, "size", 7.0)];
    board.observe(&CheckResult { measures, ..result("a", 0, CheckOutcome::Ok) });
    assert_eq!(value(&board, "service_phase_seconds"), Some(0.5));
    assert_eq!(value(&board, "service_perfdata_bytes"), Some(7.0));
    board.observe(&CheckResult { measures: vec![measure(MeasureKind::Phase, "tls", 0.1)], ..result("a", 1, CheckOutcome::Ok) });
    let mut round: Vec<Reading> = Vec::new();
    board.readings(&mut round);
    let keys: Vec<String> = round.iter().map(|r| r.key.to_string()).filter(|k| k.contains("phase")).collect();
    assert_eq!(keys, [r#"service_phase_seconds{phase="tls",service="a"}"#]);
}

#[test]
fn a_window_of_the_configuration_begins_and_ends_by_itself() {
    let window = WindowConfig {
        days: Vec::new(),
        from: "00:01".to_owned(),
        length: Duration::from_secs(90),
        time_zone: Some("UTC".to_owned()),
        comment: "backup".to_owned(),
    };
    let mut board = ServiceBoard::new(&[Service { windows: vec![window.ready().unwrap()], ..service("a") }]);
    // Midnight, UTC.
    let midnight = 1_700_092_800 - 1_700_006_400;
    let mut seen = Vec::new();
    for second in 0..300 {
        board.observe(&result("a", midnight + second, CheckOutcome::Ok));
        board.tick(at(midnight + second));
        if one(&mut board).maintenance {
            seen.push(second);
        }
    }
    assert_eq!((seen.first(), seen.last(), seen.len()), (Some(&60), Some(&149), 90));
}

#[test]
fn other_services_leave_alone_what_is_checked_as_before() {
    let mut board = ServiceBoard::new(&[service("a"), service("b")]);
    board.observe(&result("a", 0, CheckOutcome::Ok));
    board.observe(&result("b", 0, CheckOutcome::Ok));
    board.configure(&[service("a")]);
    let status = one(&mut board);
    assert_eq!((status.name.as_str(), status.state, status.since), ("a", ServiceState::Online, Some(at(0))));
    board.configure(&[service("a"), service("b")]);
    let states: Vec<ServiceState> = board.statuses().unwrap().iter().map(|s| s.state).collect();
    assert_eq!(states, [ServiceState::Unknown, ServiceState::Online], "b is to be checked first");
    board.configure(&[Service { slo: Some(0.5), ..service("a") }]);
    let status = one(&mut board);
    assert_eq!((status.state, status.slo.map(|s| s.target)), (ServiceState::Online, Some(0.5)));
}
