//! Schedules over years and both changes of the clock.

use proptest::prelude::*;

use super::*;

fn schedule(keys: &str) -> Schedule {
    serde_json::from_str::<ReportConfig>(keys).expect(keys).ready().expect(keys)
}

fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().map(|t| Timestamp(t.as_millisecond())).expect(text)
}

fn text(at: Option<Timestamp>) -> String {
    at.map(Timestamp::rfc3339).unwrap_or_default()
}

#[test]
fn a_report_is_due_on_the_wall_clock_of_its_zone() {
    let daily = schedule(r#"{"kind": "performance", "at": "07:00", "time_zone": "Europe/Berlin"}"#);
    assert_eq!(text(daily.next_after(at("2026-03-28T06:00:00Z"))), "2026-03-29T05:00:00Z", "summer time began in the night");
    assert_eq!(text(daily.next_after(at("2026-10-24T05:00:00Z"))), "2026-10-25T06:00:00Z", "and ended");
    let spec = daily.spec(at("2026-10-25T06:00:00Z"));
    assert_eq!(spec.range.length(), Duration::from_secs(25 * 3600), "that day has an hour more");
    assert_eq!(daily.spec(at("2026-03-29T05:00:00Z")).range.length(), Duration::from_secs(23 * 3600));
    let weekly = schedule(r#"{"kind": "performance", "depth": "weekly", "on": "fri", "at": "18:30", "time_zone": "UTC"}"#);
    assert_eq!(text(weekly.next_after(at("2026-12-31T00:00:00Z"))), "2027-01-01T18:30:00Z", "over the year");
    let monthly = schedule(r#"{"kind": "capacity", "depth": "monthly", "on": 31, "time_zone": "UTC"}"#);
    assert_eq!(
        text(monthly.next_after(at("2027-01-31T08:00:00Z"))),
        "2027-02-28T07:00:00Z",
        "the last day where there is no 31st"
    );
    assert_eq!(monthly.spec(at("2027-02-28T07:00:00Z")).range.from, at("2027-01-31T07:00:00Z"));
    let days = schedule(r#"{"kind": "security", "on": ["mon", "Thursday"], "time_zone": "UTC"}"#);
    assert_eq!(text(days.last_until(at("2026-11-21T12:00:00Z"))), "2026-11-19T07:00:00Z");
    let hourly = schedule(r#"{"kind": "performance", "depth": "hourly", "at": "00:05", "time_zone": "Asia/Kolkata"}"#);
    assert_eq!(text(hourly.next_after(at("2026-11-21T12:00:00Z"))), "2026-11-21T12:35:00Z", "five past the hour there");
    assert_eq!(days.id(at("2026-11-19T07:00:00Z")), "daily-security-20261119T070000Z");
}

#[test]
fn a_time_the_clock_leaves_out_is_later_and_one_it_shows_twice_counts_once() {
    let night = schedule(r#"{"kind": "performance", "at": "02:30", "time_zone": "Europe/Berlin"}"#);
    assert_eq!(text(night.next_after(at("2026-03-29T00:00:00Z"))), "2026-03-29T01:30:00Z", "half past three in summer");
    assert_eq!(text(night.next_after(at("2026-10-25T00:00:00Z"))), "2026-10-25T00:30:00Z");
    assert_eq!(text(night.next_after(at("2026-10-25T00:30:00Z"))), "2026-10-26T01:30:00Z", "not again an hour later");
}

#[test]
fn a_day_after_one_the_zone_left_out_begins_with_the_day_before_that() {
    let midnight = schedule(r#"{"kind": "performance", "at": "00:00", "time_zone": "Pacific/Apia"}"#);
    let due = at("2011-12-30T10:00:00Z");
    assert_eq!(midnight.next_after(at("2011-12-29T10:00:00Z")), Some(due), "December 31 there, straight after the 29th");
    assert_eq!(midnight.spec(due).range.from, at("2011-12-29T10:00:00Z"));
}

#[test]
fn mistakes_say_the_key_and_what_to_write() {
    for (keys, says) in [
        (
            r#"{"kind": "perfomance"}"#,
            "kind: \"perfomance\" is none of performance, security, capacity; did you mean performance?",
        ),
        (r#"{"kind": "capacity", "depth": "yearly"}"#, "depth"),
        (r#"{"kind": "capacity", "format": "doc"}"#, "format"),
        (r#"{"kind": "capacity", "at": "25:00"}"#, "at: \"25:00\" is no time"),
        (r#"{"kind": "capacity", "time_zone": "Mars/Base"}"#, "time_zone"),
        (r#"{"kind": "capacity", "on": 3}"#, "on: write a day of the week"),
        (r#"{"kind": "capacity", "depth": "monthly", "on": 32}"#, "1 to 31"),
        (r#"{"kind": "capacity", "depth": "hourly", "on": "mon"}"#, "every hour"),
        (r#"{"kind": "capacity", "on": ["mon", "xyz"]}"#, "no day"),
        (r#"{"kind": "capacity", "to": ["/srv/{hots}.pdf"]}"#, "did you mean {host}?"),
        (r#"{"kind": "capacity", "keep": "1m"}"#, "keep"),
        (r#"{"kind": "capacity", "name": ""}"#, "name"),
        (r#"{"kind": "capacity", "too": []}"#, "too"),
    ] {
        let error = serde_json::from_str::<ReportConfig>(keys).expect_err(keys).to_string();
        assert!(error.contains(says), "{keys}: {error}");
    }
}

const ZONES: [&str; 7] =
    ["UTC", "Europe/Berlin", "America/Sao_Paulo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"];

fn any() -> impl Strategy<Value = Schedule> {
    let depth = prop::sample::select(vec![
        r#""depth": "hourly""#,
        r#""depth": "daily""#,
        r#""depth": "daily", "on": ["sat", "sun"]"#,
        r#""depth": "weekly", "on": "sun""#,
        r#""depth": "monthly", "on": 31"#,
        r#""depth": "monthly""#,
    ]);
    (depth, 0..24_u8, 0..60_u8, prop::sample::select(ZONES.to_vec())).prop_map(|(depth, hour, minute, zone)| {
        schedule(&format!(r#"{{"kind": "performance", {depth}, "at": "{hour:02}:{minute:02}", "time_zone": "{zone}"}}"#))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Twenty years, with both changes of the clock in each: walked moment by moment, and jumped into anywhere.
    #[test]
    fn moments_follow_each_other_and_none_is_skipped_or_doubled(plan in any(), start in 1_262_304_000_i64..1_893_456_000, probe in 0_u64..5_000_000) {
        let mut due = plan.next_after(Timestamp::from_seconds(start)).expect("a moment");
        for _ in 0..60 {
            let next = plan.next_after(due).expect("a moment");
            prop_assert!(next > due);
            prop_assert_eq!(plan.last_until(next), Some(next));
            prop_assert_eq!(plan.last_until(Timestamp(next.millis() - 1)), Some(due), "nothing between {} and {}", due.rfc3339(), next.rfc3339());
            let between = Timestamp(due.millis() + i64::try_from(probe).unwrap_or(0) % (next.millis() - due.millis()));
            prop_assert_eq!(plan.next_after(between), Some(next));
            prop_assert_eq!(plan.last_until(between), Some(due));
            let range = plan.spec(next).range;
            prop_assert!(range.from < range.to && range.to == next);
            due = next;
        }
    }

    #[test]
    fn each_local_date_has_one_report(zone in prop::sample::select(ZONES.to_vec()), hour in 0..24_u8, year in 2010_i16..2030) {
        let plan = schedule(&format!(r#"{{"kind": "performance", "at": "{hour:02}:30", "time_zone": "{zone}"}}"#));
        let zone = TimeZone::get(zone).expect("a zone");
        let mut date = jiff::civil::date(year, 1, 1);
        let mut due = date.at(0, 0, 0, 0).to_zoned(zone.clone()).map(|z| Timestamp(z.timestamp().as_millisecond() - 1)).expect("a moment");
        for _ in 0..366 {
            due = plan.next_after(due).expect("a moment");
            let local = instant(due).to_zoned(zone.clone());
            // Samoa had no December 30 in 2011.
            if local.date() != date { prop_assert_eq!(local.date(), jiff::civil::date(2011, 12, 31)); date = local.date(); }
            date = date.tomorrow().expect("a day");
        }
    }
}
