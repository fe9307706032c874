//! What small neural networks share: layers with their gradients, and learning from a machine's rows anew from time to time.
//!
//! Source of the steps: Kingma and Ba, "Adam" (2015). Invariant: the same rows give the same network.

use std::collections::VecDeque;
use std::fmt::Debug;

use super::MachineDetector;
use crate::analyze::noise::Noise;
use crate::analyze::tail::Tail;

/// Rows kept: a week of five minutes, a day and a half of minutes.
const ROWS: usize = 2016;
/// Rows a network is trained on at least.
const FEWEST: usize = 512;
/// Seconds between two rows, and between two trainings.
const ROW_SECONDS: f64 = 60.0;
const RENEW_SECONDS: f64 = 3.0 * 86_400.0;
/// Scores are told as the mean of this many, like those of series.
const MEAN: usize = 3;
/// An error seen more often than once in a hundred is none; none is worth more than four decades, as no vote is.
const RARE: f64 = 1e-2;
const LEAST: f64 = 1e-4;
/// Values farther out teach and count as if they were here, in spreads.
const FARTHEST: f32 = 5.0;
const SEED: u64 = 0x006e_6574_0000_0001;

/// A network that knows what a machine usually does.
pub trait Network: Debug + Send + Sized {
    /// Trained on standardized rows, oldest first.
    fn train(rows: &[Vec<f32>], noise: &mut Noise) -> Self;
    /// Takes in the next row; gives how far it is from what was expected, `None` before enough rows.
    fn observe(&mut self, row: &[f32]) -> Option<f32>;
}

/// A fully connected layer; the last weight of each output is its bias.
#[derive(Debug, Clone)]
pub struct Layer {
    n_in: usize,
    pub(super) weights: Vec<f32>,
    pub(super) gradient: Vec<f32>,
    moments: Vec<(f32, f32)>,
    steps: i32,
}

impl Layer {
    /// With random weights (Glorot).
    pub fn new(n_in: usize, n_out: usize, noise: &mut Noise) -> Self {
        let spread = (2.0 / (n_in + n_out) as f64).sqrt();
        let weights: Vec<f32> = (0..n_out * (n_in + 1))
            .map(|i| if i % (n_in + 1) == n_in { 0.0 } else { (spread * noise.normal()) as f32 })
            .collect();
        let n = weights.len();
        Self { n_in, weights, gradient: vec![0.0; n], moments: vec![(0.0, 0.0); n], steps: 0 }
    }

    /// The sums of its outputs.
    pub fn forward(&self, input: &[f32]) -> Vec<f32> {
        let sum = |row: &[f32]| row.iter().zip(input).map(|(w, x)| w * x).sum::<f32>() + row.last().copied().unwrap_or(0.0);
        self.weights.chunks_exact(self.n_in + 1).map(sum).collect()
    }

    /// Adds the gradient for one input whose outputs have the errors `back`; gives the errors of the input.
    pub fn backward(&mut self, input: &[f32], back: &[f32]) -> Vec<f32> {
        let mut errors = vec![0.0; self.n_in];
        let rows = self.weights.chunks_exact(self.n_in + 1).zip(self.gradient.chunks_exact_mut(self.n_in + 1));
        for ((row, gradient), back) in rows.zip(back) {
            for (((error, weight), gradient), x) in errors.iter_mut().zip(row).zip(gradient.iter_mut()).zip(input) {
                *error += weight * back;
                *gradient += x * back;
            }
            if let Some(bias) = gradient.last_mut() {
                *bias += back;
            }
        }
        errors
    }

    /// One step of Adam against the gradient, which begins anew.
    pub fn step(&mut self, rate: f32) {
        const KEEP: (f32, f32) = (0.9, 0.999);
        self.steps += 1;
        let (first, second) = (1.0 - KEEP.0.powi(self.steps), 1.0 - KEEP.1.powi(self.steps));
        for ((weight, gradient), (mean, square)) in self.weights.iter_mut().zip(&mut self.gradient).zip(&mut self.moments) {
            // A gradient that explodes is one of many: it is cut.
            let g = gradient.clamp(-1.0, 1.0);
            *mean += (1.0 - KEEP.0) * (g - *mean);
            *square += (1.0 - KEEP.1) * (g * g - *square);
            *weight -= rate * (*mean / first) / ((*square / second).sqrt() + 1e-8);
            *gradient = 0.0;
        }
    }
}

/// A network in use, with what it learns from next.
#[derive(Debug)]
pub struct Learned<N> {
    rows: VecDeque<Vec<f32>>,
    network: Option<N>,
    /// Mean and spread of each value when it was trained.
    scale: Vec<(f32, f32)>,
    tail: Tail,
    newest: [f64; MEAN],
    seen: usize,
    row_at: f64,
    trained_at: f64,
}

impl<N> Default for Learned<N> {
    fn default() -> Self {
        let (tail, newest) = (Tail::default(), [0.0; MEAN]);
        Self { rows: VecDeque::new(), network: None, scale: Vec::new(), tail, newest, seen: 0, row_at: 0.0, trained_at: 0.0 }
    }
}

impl<N: Network> MachineDetector for Learned<N> {
    fn observe(&mut self, at_seconds: f64, values: &[f64]) -> f64 {
        let score = |newest: &[f64; MEAN]| newest.iter().sum::<f64>() / MEAN as f64;
        if at_seconds - self.row_at < ROW_SECONDS {
            return score(&self.newest);
        }
        if self.rows.front().is_some_and(|row| row.len() != values.len()) {
            // Another set of series: what was learned is of no use.
            *self = Self::default();
        }
        self.row_at = at_seconds;
        let row: Vec<f32> = values.iter().map(|v| *v as f32).collect();
        if let Some(network) = &mut self.network
            && let Some(error) = network.observe(&standardized(&row, &self.scale))
        {
            let p = self.tail.observe(f64::from(error));
            self.newest[self.seen % MEAN] = if p < RARE { -p.max(LEAST).log10() } else { 0.0 };
            self.seen += 1;
        }
        if self.rows.len() == ROWS {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
        if self.rows.len() >= FEWEST && (self.network.is_none() || at_seconds - self.trained_at >= RENEW_SECONDS) {
            self.trained_at = at_seconds;
            self.scale = scale(&self.rows);
            let rows: Vec<Vec<f32>> = self.rows.iter().map(|row| standardized(row, &self.scale)).collect();
            let mut network = N::train(&rows, &mut Noise::new(SEED));
            for row in rows.iter().skip(rows.len() - FEWEST / 8) {
                let _ = network.observe(row);
            }
            self.network = Some(network);
        }
        score(&self.newest)
    }
}

fn scale(rows: &VecDeque<Vec<f32>>) -> Vec<(f32, f32)> {
    let n = rows.len().max(1) as f64;
    let of = |c: usize| {
        let value = |row: &Vec<f32>| f64::from(row.get(c).copied().unwrap_or(0.0));
        let mean = rows.iter().map(value).sum::<f64>() / n;
        let variance = rows.iter().map(|row| (value(row) - mean).powi(2)).sum::<f64>() / n;
        (mean as f32, (variance.sqrt() as f32).max(1e-6))
    };
    (0..rows.front().map_or(0, Vec::len)).map(of).collect()
}

fn standardized(row: &[f32], scale: &[(f32, f32)]) -> Vec<f32> {
    row.iter().zip(scale).map(|(v, (mean, spread))| ((v - mean) / spread).clamp(-FARTHEST, FARTHEST)).collect()
}

/// Mean of the five largest squared differences: a fault of one resource must not be diluted by all others.
pub fn worst(expected: &[f32], came: &[f32]) -> f32 {
    const WORST: usize = 5;
    let mut squares: Vec<f32> = expected.iter().zip(came).map(|(e, c)| (e - c).powi(2)).collect();
    squares.sort_by(|a, b| b.total_cmp(a));
    squares.iter().take(WORST).sum::<f32>() / squares.len().clamp(1, WORST) as f32
}

/// Checks a layer's gradient against differences of the loss.
#[cfg(test)]
pub fn check_gradient(layers: &mut dyn FnMut(usize) -> (f32, f32), n: usize) {
    for place in 0..n {
        let (own, differences) = layers(place);
        assert!((own - differences).abs() <= 2e-2 * own.abs().max(differences.abs()).max(0.05), "{place}: {own} {differences}");
    }
}
