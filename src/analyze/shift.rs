//! Change points: moments from which a series lies elsewhere, or varies more or less, for good.
//!
//! For the long view, never for alarms. Source: Killick, Fearnhead and Eckley, "Optimal detection of changepoints with a linear
//! computational cost" (PELT), costs of a normal mean and variance. Invariant: a day's season and single spikes are no changes.

use std::time::Duration;

use super::scale::Scale;
use super::trend::median;
use crate::base::{Timestamp, format_value};
use crate::model::{Bucket, MetricDef, SeriesKey, Shift, ShiftKind};

/// Points on either side of a change at least.
const SHORTEST: usize = 12;
/// … and time: what comes back within half an hour is an incident, not another level.
const SHORTEST_TIME: Duration = Duration::from_secs(1800);
/// A change of the level is so many spreads …
const FAR: f64 = 4.0;
/// … and a spread so many times as large or small.
const WIDER: f64 = 4.0;
/// Of each point in the penalty of a change, three numbers are fitted: place, mean and variance (BIC, doubled for safety).
const PENALTY: f64 = 6.0;
/// Days from which the hours of a day have a middle of their own.
const DAYS: usize = 3;
/// More of the past missing than this says nothing.
const MOST_MISSING: f64 = 0.2;
/// The spread of a normal distribution over its median absolute deviation.
const SPREAD_PER_MAD: f64 = 1.4826;
const DAY: Duration = Duration::from_secs(86_400);

/// A change among equally spaced values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    place: usize,
    kind: ShiftKind,
    before: f64,
    after: f64,
    size: f64,
}

/// The changes of a series over `points`, which are `step` apart; none where it is too short or too full of holes.
pub fn shifts(key: &SeriesKey, def: &MetricDef, points: &[Bucket], step: Duration) -> Vec<Shift> {
    let scale = Scale::of(Some(def));
    let Some((begin, values)) = regular(points, step) else { return Vec::new() };
    let inner: Vec<f64> = values.iter().map(|v| scale.inside(*v)).collect();
    let per_day = usize::try_from(DAY.as_millis() / step.as_millis().max(1)).unwrap_or(usize::MAX);
    let shortest = SHORTEST.max(usize::try_from(SHORTEST_TIME.as_millis() / step.as_millis().max(1)).unwrap_or(0));
    let middle = median(&mut inner.clone());
    let floor = scale.floor(0.0, middle);
    let found = changes(&middles(&without_day(&inner, per_day), 1), shortest, floor);
    let shift = |change: Change| {
        let at = begin + step * u32::try_from(change.place).unwrap_or(u32::MAX);
        let level = |from: usize, to: usize| median(&mut values[from..to].to_vec());
        let (from, to) = (change.place.saturating_sub(4 * shortest), (change.place + 4 * shortest).min(values.len()));
        let (before, after) = match change.kind {
            ShiftKind::Level => (level(from, change.place), level(change.place, to)),
            ShiftKind::Spread => (outside(scale, middle, change.before), outside(scale, middle, change.after)),
        };
        let shift =
            Shift { key: key.clone(), at, kind: change.kind, before, after, size: change.size, with: None, text: String::new() };
        Shift { text: text(&shift, def), ..shift }
    };
    found.into_iter().map(shift).collect()
}

/// What a spread on the inner scale is in the metric's unit, about its middle.
fn outside(scale: Scale, middle: f64, spread: f64) -> f64 {
    scale.outside(middle + spread) - scale.outside(middle)
}

/// What changed, for people; what happened with it is added by whoever knows.
fn text(shift: &Shift, def: &MetricDef) -> String {
    let what = match shift.kind {
        ShiftKind::Level => "level",
        ShiftKind::Spread => "spread",
    };
    let shown = |v| format_value(v, def.unit);
    format!("{what} of {} changed from {} to {}", shift.key, shown(shift.before), shown(shift.after))
}

/// The place of the one change of level among `points`, to a moment: where two means explain them best.
pub fn moment(points: &[Bucket]) -> Option<Timestamp> {
    let values: Vec<f64> = points.iter().map(|p| p.mean).collect();
    let total: f64 = values.iter().sum();
    let n = values.len() as f64;
    let mut sum = 0.0;
    let gain = |(i, value): (usize, &f64)| {
        let left = i as f64;
        let gain = if i == 0 { f64::NEG_INFINITY } else { sum * sum / left + (total - sum) * (total - sum) / (n - left) };
        sum += value;
        (i, gain)
    };
    let (place, _) = values.iter().enumerate().map(gain).max_by(|a, b| a.1.total_cmp(&b.1))?;
    points.get(place).map(|p| p.at)
}

/// Values at equal distances, holes filled with what was before them.
fn regular(points: &[Bucket], step: Duration) -> Option<(Timestamp, Vec<f64>)> {
    let (first, last) = (points.first()?, points.last()?);
    let step_ms = i64::try_from(step.as_millis()).ok().filter(|ms| *ms > 0)?;
    let n = usize::try_from((last.at.0 - first.at.0) / step_ms).ok()? + 1;
    let mut sums = vec![(0.0, 0.0); n];
    for point in points.iter().filter(|p| p.mean.is_finite()) {
        let slot = &mut sums[usize::try_from((point.at.0 - first.at.0) / step_ms).ok()?];
        slot.0 += point.mean * f64::from(point.count);
        slot.1 += f64::from(point.count);
    }
    let missing = sums.iter().filter(|s| s.1 <= 0.0).count();
    if missing as f64 > MOST_MISSING * n as f64 {
        return None;
    }
    let mut before = first.mean;
    let values = sums.iter().map(|(sum, count)| {
        before = if *count > 0.0 { sum / count } else { before };
        before
    });
    Some((first.at, values.collect()))
}

/// The values less what is usual at their time of day, where enough days are known. What is usual is found around the
/// level of the day, so that another level does not pass for a season.
fn without_day(values: &[f64], per_day: usize) -> Vec<f64> {
    if per_day < 4 || values.len() < DAYS * per_day {
        return values.to_vec();
    }
    let rest: Vec<f64> = values.iter().zip(middles(values, per_day / 2)).map(|(v, level)| v - level).collect();
    let of_time = |time: usize| median(&mut rest.iter().skip(time).step_by(per_day).copied().collect::<Vec<f64>>());
    let usual: Vec<f64> = (0..per_day).map(of_time).collect();
    values.iter().enumerate().map(|(i, v)| v - usual[i % per_day]).collect()
}

/// Of each value the median of those at most `reach` places from it.
fn middles(values: &[f64], reach: usize) -> Vec<f64> {
    let near = |i: usize| median(&mut values[i.saturating_sub(reach)..(i + reach + 1).min(values.len())].to_vec());
    (0..values.len()).map(near).collect()
}

/// Running sums, for costs of spans.
struct Sums(Vec<(f64, f64)>);

impl Sums {
    fn of(values: &[f64]) -> Self {
        let mut sums = vec![(0.0, 0.0)];
        let mut total = (0.0, 0.0);
        for v in values {
            total = (total.0 + v, total.1 + v * v);
            sums.push(total);
        }
        Self(sums)
    }

    fn mean_and_variance(&self, from: usize, to: usize) -> (f64, f64) {
        let n = (to - from) as f64;
        let (sum, squares) = (self.0[to].0 - self.0[from].0, self.0[to].1 - self.0[from].1);
        let mean = sum / n;
        (mean, (squares / n - mean * mean).max(0.0))
    }

    fn cost(&self, from: usize, to: usize, least: f64) -> f64 {
        let (_, variance) = self.mean_and_variance(from, to);
        (to - from) as f64 * variance.max(least).ln()
    }
}

/// The changes among `values`: segments of at least `shortest`, told apart by level or spread; less than `floor` is nothing.
fn changes(values: &[f64], shortest: usize, floor: f64) -> Vec<Change> {
    let n = values.len();
    if n < 2 * shortest {
        return Vec::new();
    }
    let middle = median(&mut values.to_vec());
    let centered: Vec<f64> = values.iter().map(|v| v - middle).collect();
    let (sums, least) = (Sums::of(&centered), (floor / 2.0).powi(2).max(1e-18));
    let penalty = PENALTY * (n as f64).ln() * memory(&centered, shortest);
    // Of each end the cost of the best segments up to it, and where its last one begins.
    let mut best = vec![(-penalty, 0_usize); n + 1];
    let mut open: Vec<usize> = vec![0];
    for end in shortest..=n {
        let cost = |from: &usize| best[*from].0 + sums.cost(*from, end, least);
        let found = open.iter().map(|from| (cost(from) + penalty, *from)).min_by(|a, b| a.0.total_cmp(&b.0));
        let Some(found) = found else { continue };
        let costs: Vec<f64> = open.iter().map(cost).collect();
        let mut costs = costs.into_iter();
        open.retain(|_| costs.next().is_none_or(|c| c <= found.0));
        best[end] = found;
        if end + 1 >= 2 * shortest {
            open.push(end + 1 - shortest);
        }
    }
    let mut bounds = vec![n];
    while let Some(begin) = bounds.last().map(|end| best[*end].1).filter(|b| *b > 0) {
        bounds.push(begin);
    }
    bounds.push(0);
    bounds.reverse();
    bounds.windows(3).filter_map(|w| change(&sums, (w[0], w[1], w[2]), floor)).collect()
}

/// What changed at the middle of three bounds; `None` where it is too little for a person.
fn change(sums: &Sums, (from, place, to): (usize, usize, usize), floor: f64) -> Option<Change> {
    let ((level0, var0), (level1, var1)) = (sums.mean_and_variance(from, place), sums.mean_and_variance(place, to));
    let (spread0, spread1) = (var0.sqrt().max(floor / 4.0), var1.sqrt().max(floor / 4.0));
    let moved = (level1 - level0).abs();
    let size = moved / spread0.max(spread1);
    if moved > floor && size >= FAR {
        return Some(Change { place, kind: ShiftKind::Level, before: level0, after: level1, size });
    }
    let wider = spread1.max(spread0) / spread1.min(spread0);
    let spread = Change { place, kind: ShiftKind::Spread, before: var0.sqrt(), after: var1.sqrt(), size: wider };
    (wider >= WIDER && spread0.max(spread1) > floor).then_some(spread)
}

/// How many points say as much as one that does not follow from the point before: (1 + r) / (1 - r), r their correlation
/// around the level of the `reach` points on either side.
fn memory(values: &[f64], reach: usize) -> f64 {
    let mut rest: Vec<f64> = values.iter().zip(middles(values, reach)).map(|(v, level)| v - level).collect();
    let most = 3.0 * SPREAD_PER_MAD * median(&mut rest.iter().map(|v| v.abs()).collect::<Vec<f64>>());
    rest.iter_mut().for_each(|v| *v = v.clamp(-most, most));
    let product: f64 = rest.windows(2).map(|w| w[0] * w[1]).sum();
    let squares: f64 = rest.iter().map(|v| v * v).sum();
    let r = if squares > 0.0 { (product / squares).clamp(0.0, 0.9) } else { 0.0 };
    (1.0 + r) / (1.0 - r)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::noise::Noise;
    use crate::base::Unit;

    const HOUR: Duration = Duration::from_secs(3600);

    fn week(course: impl Fn(i64) -> f64, noise: f64) -> Vec<Bucket> {
        let mut random = Noise::new(7);
        (0..168).map(|h| Bucket::raw(Timestamp::from_seconds(h * 3600), course(h) + noise * random.normal())).collect()
    }

    fn check(course: impl Fn(i64) -> f64, noise: f64, expected: &[(i64, ShiftKind)]) -> Vec<Shift> {
        let def = MetricDef::gauge("memory_used_ratio", Unit::Ratio, "x");
        let found = shifts(&SeriesKey::total(def.name), &def, &week(course, noise), HOUR);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (shift, (hour, kind)) in found.iter().zip(expected) {
            let off = shift.at.0 / 3_600_000 - hour;
            assert!(off.abs() <= 2 && shift.kind == *kind, "{shift:?}");
        }
        found
    }

    #[test]
    fn a_new_level_is_told_with_its_time_and_size() {
        let found = check(|h| if h < 100 { 0.31 } else { 0.62 }, 0.02, &[(100, ShiftKind::Level)]);
        assert_eq!(found[0].text, "level of memory_used_ratio changed from 31% to 62%");
        check(|h| if (60..120).contains(&h) { 0.6 } else { 0.3 }, 0.02, &[(60, ShiftKind::Level), (120, ShiftKind::Level)]);
    }

    #[test]
    fn what_begins_to_swing_is_told() {
        let swing = |h: i64| if h < 90 { 0.5 } else { 0.5 + 0.2 * [1.0, -1.0, 0.5, -0.5, 0.0][(h / 2 % 5) as usize] };
        check(swing, 0.005, &[(90, ShiftKind::Spread)]);
    }

    #[test]
    fn days_noise_spikes_slow_wandering_and_constants_are_no_changes() {
        let day = |h: i64| 0.4 + 0.2 * (h as f64 / 24.0 * std::f64::consts::TAU).sin();
        check(day, 0.02, &[]);
        check(|_| 0.4, 0.05, &[]);
        check(|_| 0.4, 0.0, &[]);
        check(|h| if h % 50 == 7 { 0.95 } else { 0.2 }, 0.01, &[]);
        check(|h| day(h) + if h < 84 { 0.0 } else { 0.25 }, 0.01, &[(84, ShiftKind::Level)]);
    }

    #[test]
    fn few_points_and_holes_say_nothing() {
        let def = MetricDef::gauge("memory_used_ratio", Unit::Ratio, "x");
        let key = SeriesKey::total(def.name);
        let points = week(|h| if h < 100 { 0.3 } else { 0.6 }, 0.01);
        assert!(shifts(&key, &def, &points[..20], HOUR).is_empty() && shifts(&key, &def, &[], HOUR).is_empty());
        let holes: Vec<Bucket> = points.iter().step_by(3).copied().collect();
        assert!(shifts(&key, &def, &holes, HOUR).is_empty());
        let odd = [Bucket::raw(Timestamp(0), f64::NAN), Bucket::raw(Timestamp(3_600_000), 1e300)];
        assert!(shifts(&key, &def, &odd, HOUR).is_empty());
    }

    #[test]
    fn the_moment_is_where_two_means_explain_best() {
        let points: Vec<Bucket> =
            (0..60).map(|m| Bucket::raw(Timestamp::from_seconds(m * 60), if m < 41 { 1.0 } else { 5.0 })).collect();
        assert_eq!(moment(&points), Some(Timestamp::from_seconds(41 * 60)));
        assert_eq!(moment(&[]), None);
    }
}
