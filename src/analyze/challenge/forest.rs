//! Easily told apart from what the machine did before: an isolation forest over the values of all series and their changes.
//!
//! Source: Liu, Ting and Zhou, "Isolation Forest" (2008). Rows are a minute apart at least; the forest grows anew every day from
//! the newest rows. Invariant: the same rows give the same forest.

use super::{ChallengerDef, MachineDetector, Watches};
use crate::analyze::noise::Noise;
use crate::analyze::tail::Tail;

/// As in the source.
const TREES: usize = 100;
const SAMPLE: usize = 256;
/// Depth at which a tree of 256 rows is as deep as its mean (log2).
const DEPTH: usize = 8;
/// Rows kept: a week of five minutes, a day and a half of minutes.
const ROWS: usize = 2016;
/// Seconds between two rows and between two forests.
const ROW_SECONDS: f64 = 60.0;
const RENEW_SECONDS: f64 = 86_400.0;
/// Scores are told as the mean of this many, like those of series.
const MEAN: usize = 3;
/// A score seen more often than once in a hundred is none.
const RARE: f64 = 1e-2;
/// No score is worth more than four decades, as no vote is.
const LEAST: f64 = 1e-4;
const SEED: u64 = 0x0066_6f72_6573_7400;

/// Its row.
pub const DEF: ChallengerDef = ChallengerDef {
    name: "forest",
    because: "two of three of its alarms on labeled hosts are false: all metrics together dilute faults of one resource",
    watches: Watches::Machine(|| Box::<Forest>::default()),
};

#[derive(Debug)]
enum Node {
    /// Rows below the value of the feature go left, to the next node; others to `right`.
    Split { feature: usize, value: f32, right: usize },
    /// So many rows ended here.
    Leaf(usize),
}

/// Trees as nodes in preorder.
#[derive(Debug, Default)]
struct Trees {
    trees: Vec<Vec<Node>>,
    /// Rows a tree was grown from.
    sample: usize,
}

/// Mean length of an unsuccessful search in a binary tree of `n` rows.
fn usual_depth(n: usize) -> f64 {
    if n < 2 {
        return 0.0;
    }
    let m = n as f64;
    // Harmonic number by Euler and Mascheroni's constant, as in the source.
    2.0 * ((m - 1.0).ln() + 0.577_215_664_901_532_9) - 2.0 * (m - 1.0) / m
}

impl Trees {
    fn grow(rows: &[Vec<f32>], noise: &mut Noise) -> Self {
        let sample = SAMPLE.min(rows.len());
        let tree = |_| {
            let mut order: Vec<usize> = (0..rows.len()).collect();
            for i in 0..sample {
                let j = i + noise.below(order.len() - i);
                order.swap(i, j);
            }
            let mut nodes = Vec::new();
            split(rows, &mut order[..sample], DEPTH, (&mut nodes, noise));
            nodes
        };
        Self { trees: (0..TREES).map(tree).collect(), sample }
    }

    /// 0.5 for a usual row, towards 1 for one that is easily told apart.
    fn score(&self, row: &[f32]) -> f64 {
        let depth = self.trees.iter().map(|tree| depth(tree, row)).sum::<f64>() / self.trees.len() as f64;
        (-depth / usual_depth(self.sample)).exp2()
    }
}

fn split(rows: &[Vec<f32>], chosen: &mut [usize], depth: usize, (nodes, noise): (&mut Vec<Node>, &mut Noise)) {
    let features = rows.first().map_or(0, Vec::len);
    let range = |feature: usize| {
        let values = || chosen.iter().map(|i| rows[*i][feature]);
        (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max))
    };
    // A feature that varies among these rows, if chance finds one soon.
    let found = (depth > 0 && chosen.len() > 1)
        .then(|| (0..features).map(|_| noise.below(features)).map(|f| (f, range(f))).find(|(_, (low, high))| high > low));
    let Some((feature, (low, high))) = found.flatten() else {
        nodes.push(Node::Leaf(chosen.len()));
        return;
    };
    let value = low + (high - low) * noise.uniform() as f32;
    let mut n = 0;
    for i in 0..chosen.len() {
        if rows[chosen[i]][feature] < value {
            chosen.swap(n, i);
            n += 1;
        }
    }
    let place = nodes.len();
    nodes.push(Node::Split { feature, value, right: 0 });
    let (left, others) = chosen.split_at_mut(n);
    split(rows, left, depth - 1, (nodes, noise));
    nodes[place] = Node::Split { feature, value, right: nodes.len() };
    split(rows, others, depth - 1, (nodes, noise));
}

fn depth(tree: &[Node], row: &[f32]) -> f64 {
    let (mut at, mut depth) = (0, 0.0);
    loop {
        match &tree[at] {
            Node::Leaf(n) => return depth + usual_depth(*n),
            Node::Split { feature, value, right } => at = if row[*feature] < *value { at + 1 } else { *right },
        }
        depth += 1.0;
    }
}

/// The forest of one machine.
#[derive(Debug, Default)]
struct Forest {
    rows: Vec<Vec<f32>>,
    next: usize,
    before: Vec<f32>,
    row_at: f64,
    grown_at: f64,
    trees: Trees,
    tail: Tail,
    newest: [f64; MEAN],
    seen: usize,
}

impl MachineDetector for Forest {
    fn observe(&mut self, at_seconds: f64, values: &[f64]) -> f64 {
        if at_seconds - self.row_at < ROW_SECONDS {
            return self.newest.iter().sum::<f64>() / MEAN as f64;
        }
        self.row_at = at_seconds;
        let now: Vec<f32> = values.iter().map(|v| *v as f32).collect();
        if self.before.len() != now.len() {
            // Another set of series: what was learned is of no use.
            *self = Self { before: now, row_at: at_seconds, ..Self::default() };
            return 0.0;
        }
        let row: Vec<f32> = now.iter().copied().chain(now.iter().zip(&self.before).map(|(n, b)| n - b)).collect();
        self.before = now;
        let p = if self.trees.trees.is_empty() { 1.0 } else { self.tail.observe(self.trees.score(&row)) };
        self.newest[self.seen % MEAN] = if p < RARE { -p.max(LEAST).log10() } else { 0.0 };
        self.seen += 1;
        if self.rows.len() < ROWS {
            self.rows.push(row);
        } else {
            self.rows[self.next] = row;
            self.next = (self.next + 1) % ROWS;
        }
        if self.rows.len() >= SAMPLE && at_seconds - self.grown_at >= RENEW_SECONDS {
            self.grown_at = at_seconds;
            self.trees = Trees::grow(&self.rows, &mut Noise::new(SEED));
        }
        self.newest.iter().sum::<f64>() / MEAN as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a spiral, the same in the reference: r = i / 500, (r cos 7 r, r sin 7 r).
    fn spiral() -> Vec<Vec<f32>> {
        (0..500).map(|i| f64::from(i) / 500.0).map(|r| vec![(r * (7.0 * r).cos()) as f32, (r * (7.0 * r).sin()) as f32]).collect()
    }

    #[test]
    fn scores_are_those_of_the_reference() {
        // The same algorithm in numpy with 4,000 trees.
        let reference =
            [([0.0, 0.0], 0.4917), ([2.0, 2.0], 0.6672), ([-0.5, 0.5], 0.6062), ([1.2, 0.2], 0.551), ([0.1, 0.1], 0.4561)];
        for (point, expected) in reference {
            let seeds = 0..8_u64;
            let of = |seed| Trees::grow(&spiral(), &mut Noise::new(seed)).score(&point);
            let mean = seeds.clone().map(of).sum::<f64>() / seeds.count() as f64;
            assert!((mean - expected).abs() < 0.012, "{point:?}: {mean} for {expected}");
        }
        assert!((usual_depth(256) - 10.244_770_920_116_85).abs() < 1e-9, "{}", usual_depth(256));
    }

    #[test]
    fn a_machine_that_does_what_it_never_did_is_surprising() {
        let (mut forest, mut noise) = (Forest::default(), Noise::new(2));
        let mut most = [0.0_f64; 2];
        for i in 0..4000_u32 {
            let strange = if i >= 3990 { 9.0 } else { 0.0 };
            let values: Vec<f64> = (0..6).map(|_| noise.normal() + strange).collect();
            let score = forest.observe(f64::from(i) * 60.0, &values);
            most[usize::from(i >= 3990)] = most[usize::from(i >= 3990)].max(score);
        }
        assert!(most[1] > 2.0 && most[1] > 1.5 * most[0], "{most:?}");
    }
}
