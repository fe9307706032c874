//! Groups of what behaves alike, and what makes each of them different in words.
//!
//! k-means over figures on a common scale, their number chosen by silhouette (Rousseeuw 1987). Invariant: the same figures give
//! the same groups; where they are no clearer than chance there are none.

use super::noise::Noise;
use super::trend::median;
use crate::base::{Unit, format_value};
use crate::model::Cluster;

/// A figure that is compared: its name for people, and its unit.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// `CPU`, `memory`.
    pub name: &'static str,
    /// Of its values.
    pub unit: Unit,
}

/// What is grouped: names, and one value for each feature.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Values at least 0, in the order of the features.
    pub values: Vec<f64>,
}

/// Fewer are told one by one.
const FEWEST: usize = 6;
/// More groups than a person keeps apart.
const MOST_GROUPS: usize = 6;
/// Groups are clear from this mean silhouette on ("reasonable structure", Kaufman and Rousseeuw).
const CLEAR: f64 = 0.5;
/// Beginnings that are tried, and rounds of each.
const STARTS: u64 = 4;
const ROUNDS: usize = 40;
/// A group is said to differ by so many spreads, in its three most telling figures.
const TELLING: f64 = 1.0;
const SAID: usize = 3;
/// The spread of a normal distribution over its median absolute deviation.
const SPREAD_PER_MAD: f64 = 1.4826;

/// Groups of `members`, largest first; `of` names what they are.
pub fn clusters(of: &str, features: &[Feature], members: &[Member]) -> Vec<Cluster> {
    if members.len() < FEWEST {
        return Vec::new();
    }
    let points = standardized(features.len(), members);
    let most = MOST_GROUPS.min(members.len() / 2);
    let tried = (2..=most).filter_map(|k| {
        let groups = (0..STARTS).map(|seed| k_means(&points, k, &mut Noise::new(seed)));
        let groups = groups.min_by(|a, b| a.1.total_cmp(&b.1))?.0;
        Some((silhouette(&points, &groups, k), k, groups))
    });
    let Some((clear, k, groups)) = tried.max_by(|a, b| a.0.total_cmp(&b.0)) else { return Vec::new() };
    if clear < CLEAR {
        return Vec::new();
    }
    let mut found: Vec<Cluster> = (0..k)
        .map(|group| {
            let inside = |i: &usize| groups[*i] == group;
            let mut names: Vec<String> = (0..members.len()).filter(inside).map(|i| members[i].name.clone()).collect();
            names.sort();
            let differs = differs(features, members, &points, &|i| groups[i] == group);
            Cluster { of: of.to_owned(), members: names, differs }
        })
        .filter(|c| !c.members.is_empty())
        .collect();
    found.sort_by_key(|c| std::cmp::Reverse(c.members.len()));
    found
}

/// Logarithms, less their middle, in spreads: what uses ten times as much is as far as what uses a tenth.
fn standardized(features: usize, members: &[Member]) -> Vec<Vec<f64>> {
    let value = |member: &Member, f: usize| member.values.get(f).copied().filter(|v| v.is_finite()).unwrap_or(0.0).max(0.0);
    let scale = |f: usize| {
        // Against the smallest value that is not nothing, so that the unit does not matter.
        let least = members.iter().map(|m| value(m, f)).filter(|v| *v > 0.0).fold(f64::INFINITY, f64::min);
        let logs: Vec<f64> =
            members.iter().map(|m| if least.is_finite() { (value(m, f) / least).ln_1p() } else { 0.0 }).collect();
        let middle = median(&mut logs.clone());
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let sd = (logs.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / logs.len() as f64).sqrt();
        let robust = SPREAD_PER_MAD * median(&mut logs.iter().map(|v| (v - middle).abs()).collect::<Vec<f64>>());
        let spread = robust.max(0.5 * sd).max(1e-9);
        logs.iter().map(|v| (v - middle) / spread).collect::<Vec<f64>>()
    };
    let columns: Vec<Vec<f64>> = (0..features).map(scale).collect();
    (0..members.len()).map(|i| columns.iter().map(|c| c[i]).collect()).collect()
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// Groups by nearest mean from a k-means++ beginning, and the sum of squared distances.
fn k_means(points: &[Vec<f64>], k: usize, noise: &mut Noise) -> (Vec<usize>, f64) {
    let mut centers: Vec<Vec<f64>> = vec![points[noise.below(points.len())].clone()];
    let nearest = |centers: &[Vec<f64>], point: &[f64]| {
        let distances = centers.iter().map(|c| squared(c, point)).enumerate();
        distances.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
    };
    while centers.len() < k {
        let far: Vec<f64> = points.iter().map(|p| nearest(&centers, p).1).collect();
        let mut left = noise.uniform() * far.iter().sum::<f64>();
        let chosen = far.iter().position(|d| {
            left -= d;
            left < 0.0
        });
        centers.push(points[chosen.unwrap_or(points.len() - 1)].clone());
    }
    let mut groups = vec![usize::MAX; points.len()];
    for _ in 0..ROUNDS {
        let now: Vec<usize> = points.iter().map(|p| nearest(&centers, p).0).collect();
        if now == groups {
            break;
        }
        groups = now;
        for (group, center) in centers.iter_mut().enumerate() {
            let inside: Vec<&Vec<f64>> = points.iter().zip(&groups).filter(|(_, g)| **g == group).map(|(p, _)| p).collect();
            if !inside.is_empty() {
                let mean = |f: usize| inside.iter().map(|p| p[f]).sum::<f64>() / inside.len() as f64;
                *center = (0..center.len()).map(mean).collect();
            }
        }
    }
    let sum = points.iter().map(|p| nearest(&centers, p).1).sum();
    (groups, sum)
}

/// How much nearer members are to their own group than to the next, −1 to 1, as a mean.
fn silhouette(points: &[Vec<f64>], groups: &[usize], k: usize) -> f64 {
    let of = |i: usize| {
        let mut sums = vec![(0.0, 0_u32); k];
        for (j, point) in points.iter().enumerate().filter(|(j, _)| *j != i) {
            let sum = &mut sums[groups[j]];
            *sum = (sum.0 + squared(&points[i], point).sqrt(), sum.1 + 1);
        }
        let mean = |(sum, n): (f64, u32)| sum / f64::from(n);
        let (own, n_own) = sums[groups[i]];
        let others = sums.iter().enumerate().filter(|(g, s)| *g != groups[i] && s.1 > 0).map(|(_, s)| mean(*s));
        let next = others.fold(f64::INFINITY, f64::min);
        if n_own == 0 || !next.is_finite() {
            return 0.0;
        }
        let own = mean((own, n_own));
        (next - own) / next.max(own).max(1e-12)
    };
    (0..points.len()).map(of).sum::<f64>() / points.len().max(1) as f64
}

/// What a group has more or less of than the others: `more CPU (1.2 cores, others 0.01)`.
fn differs(features: &[Feature], members: &[Member], points: &[Vec<f64>], inside: &dyn Fn(usize) -> bool) -> Vec<String> {
    let middle = |own: bool, of: &dyn Fn(usize) -> f64| {
        median(&mut (0..members.len()).filter(|i| inside(*i) == own).map(of).collect::<Vec<f64>>())
    };
    let mut said: Vec<(f64, String)> = Vec::new();
    for (f, feature) in features.iter().enumerate() {
        let distance = middle(true, &|i| points[i][f]) - middle(false, &|i| points[i][f]);
        if distance.abs() >= TELLING {
            let of = |own: bool| middle(own, &|i| members[i].values.get(f).copied().unwrap_or(0.0));
            let shown = |v: f64| format_value(v, feature.unit);
            let word = if distance > 0.0 { "more" } else { "less" };
            said.push((distance.abs(), format!("{word} {} ({}, others {})", feature.name, shown(of(true)), shown(of(false)))));
        }
    }
    said.sort_by(|a, b| b.0.total_cmp(&a.0));
    said.into_iter().take(SAID).map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURES: [Feature; 2] = [Feature { name: "CPU", unit: Unit::Ratio }, Feature { name: "memory", unit: Unit::Bytes }];

    fn member(name: &str, cpu: f64, mib: f64) -> Member {
        Member { name: name.to_owned(), values: vec![cpu, mib * 1_048_576.0] }
    }

    #[test]
    fn groups_are_found_and_said_in_words() {
        let mut noise = Noise::new(9);
        let mut near = |v: f64| v * (1.0 + 0.1 * noise.uniform());
        let mut members: Vec<Member> = (0..12).map(|i| member(&format!("shell-{i:02}"), near(0.001), near(4.0))).collect();
        members.extend((0..4).map(|i| member(&format!("worker-{i}"), near(0.9), near(40.0))));
        members.extend((0..3).map(|i| member(&format!("cache-{i}"), near(0.002), near(8000.0))));
        let found = clusters("programs", &FEATURES, &members);
        let sizes: Vec<usize> = found.iter().map(|c| c.members.len()).collect();
        assert_eq!(sizes, [12, 4, 3], "{found:?}");
        assert!(found[1].differs[0].starts_with("more CPU (9"), "{found:?}");
        assert!(found[2].differs.iter().any(|d| d.starts_with("more memory (") && d.contains("others")), "{found:?}");
        assert_eq!(found, clusters("programs", &FEATURES, &members), "the same figures give the same groups");
    }

    #[test]
    fn what_is_alike_or_odd_has_no_groups() {
        let alike: Vec<Member> = (0..20).map(|i| member(&i.to_string(), 0.1, 10.0)).collect();
        assert!(clusters("programs", &FEATURES, &alike).is_empty());
        assert!(clusters("programs", &FEATURES, &alike[..5]).is_empty() && clusters("programs", &FEATURES, &[]).is_empty());
        let mut noise = Noise::new(1);
        let cloud: Vec<Member> = (0..60).map(|i| member(&i.to_string(), noise.normal().exp(), noise.normal().exp())).collect();
        assert!(clusters("programs", &FEATURES, &cloud).is_empty());
        let odd = vec![Member { name: "x".to_owned(), values: vec![f64::NAN, -1.0] }; 8];
        assert!(clusters("programs", &FEATURES, &odd).is_empty());
    }
}
