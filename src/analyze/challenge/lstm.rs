//! Does not go on as the sixty steps before let expect: the error of a long short-term memory's next step over all series.
//!
//! Source: Hochreiter and Schmidhuber, "Long short-term memory" (1997), with forget gates (Gers 2000).

use super::net::{Layer, Learned, Network, worst};
use super::{ChallengerDef, Watches};
use crate::analyze::noise::Noise;

/// Numbers it remembers.
const UNITS: usize = 32;
/// Steps a gradient goes back.
const STEPS: usize = 60;
/// Stretches it is trained on, and how far each step goes.
const STRETCHES: usize = 200;
const RATE: f32 = 1e-2;

/// Its row.
pub const DEF: ChallengerDef = ChallengerDef {
    name: "lstm",
    because: "as a further vote its gain did not hold on hosts that were not used for choosing it, and it costs most of all",
    watches: Watches::Machine(|| Box::<Learned<Lstm>>::default()),
};

/// What it remembers: its output and its cell.
#[derive(Debug, Clone, Default)]
struct State {
    out: Vec<f32>,
    cell: Vec<f32>,
}

/// What one step was made of, for the way back.
struct Step {
    input: Vec<f32>,
    /// Input, forget and output gates and the candidate, one after the other.
    gates: Vec<f32>,
    before: Vec<f32>,
    cell: Vec<f32>,
    out: Vec<f32>,
    expected: Vec<f32>,
}

#[derive(Debug)]
struct Lstm {
    gates: Layer,
    read: Layer,
    state: State,
    expected: Vec<f32>,
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Lstm {
    fn new(n: usize, noise: &mut Noise) -> Self {
        let mut gates = Layer::new(n + UNITS, 4 * UNITS, noise);
        // Remembers at first: the forget gates are open.
        gates.weights.chunks_exact_mut(n + UNITS + 1).skip(UNITS).take(UNITS).for_each(|row| row[n + UNITS] = 1.0);
        Self { gates, read: Layer::new(UNITS, n, noise), state: Self::blank(), expected: Vec::new() }
    }

    fn blank() -> State {
        State { out: vec![0.0; UNITS], cell: vec![0.0; UNITS] }
    }

    fn step(&self, row: &[f32], state: &State) -> Step {
        let input = [row, &state.out].concat();
        let mut gates = self.gates.forward(&input);
        let bend = |(i, v): (usize, &mut f32)| *v = if i < 3 * UNITS { sigmoid(*v) } else { v.tanh() };
        gates.iter_mut().enumerate().for_each(bend);
        let cell: Vec<f32> = (0..UNITS).map(|u| gates[UNITS + u] * state.cell[u] + gates[u] * gates[3 * UNITS + u]).collect();
        let out: Vec<f32> = (0..UNITS).map(|u| gates[2 * UNITS + u] * cell[u].tanh()).collect();
        let expected = self.read.forward(&out);
        Step { input, gates, before: state.cell.clone(), cell, out, expected }
    }

    /// Adds the gradient of half the mean squared error of every next row of a stretch; gives that error.
    fn backward(&mut self, rows: &[Vec<f32>]) -> f32 {
        let mut state = Self::blank();
        let mut steps: Vec<Step> = Vec::with_capacity(rows.len());
        for row in rows.iter().take(rows.len().saturating_sub(1)) {
            let step = self.step(row, &state);
            state = State { out: step.out.clone(), cell: step.cell.clone() };
            steps.push(step);
        }
        let n = (steps.len() * rows.first().map_or(1, Vec::len)).max(1) as f32;
        let (mut loss, mut d_out, mut d_cell) = (0.0, vec![0.0; UNITS], vec![0.0; UNITS]);
        for (step, next) in steps.iter().zip(rows.iter().skip(1)).rev() {
            let errors: Vec<f32> = step.expected.iter().zip(next).map(|(e, v)| (e - v) / n).collect();
            loss += step.expected.iter().zip(next).map(|(e, v)| (e - v).powi(2)).sum::<f32>() / (2.0 * n);
            let read = self.read.backward(&step.out, &errors);
            d_out.iter_mut().zip(read).for_each(|(d, r)| *d += r);
            let mut back = vec![0.0; 4 * UNITS];
            for u in 0..UNITS {
                let [i, f, o, g] = [0, 1, 2, 3].map(|k| step.gates[k * UNITS + u]);
                let bent = step.cell[u].tanh();
                let cell = d_cell[u] + d_out[u] * o * (1.0 - bent * bent);
                back[u] = cell * g * i * (1.0 - i);
                back[UNITS + u] = cell * step.before[u] * f * (1.0 - f);
                back[2 * UNITS + u] = d_out[u] * bent * o * (1.0 - o);
                back[3 * UNITS + u] = cell * i * (1.0 - g * g);
                d_cell[u] = cell * f;
            }
            let errors = self.gates.backward(&step.input, &back);
            d_out = errors[errors.len() - UNITS..].to_vec();
        }
        loss
    }
}

impl Network for Lstm {
    fn train(rows: &[Vec<f32>], noise: &mut Noise) -> Self {
        let mut new = Self::new(rows.first().map_or(0, Vec::len), noise);
        for _ in 0..STRETCHES {
            let from = noise.below(rows.len().saturating_sub(STEPS));
            new.backward(&rows[from..(from + STEPS + 1).min(rows.len())]);
            new.gates.step(RATE);
            new.read.step(RATE);
        }
        new
    }

    fn observe(&mut self, row: &[f32]) -> Option<f32> {
        let error = (!self.expected.is_empty()).then(|| worst(&self.expected, row));
        let step = self.step(row, &self.state);
        self.state = State { out: step.out, cell: step.cell };
        self.expected = step.expected;
        error
    }
}

#[cfg(test)]
mod tests {
    use super::super::net::check_gradient;
    use super::*;

    #[test]
    fn gradients_through_time_are_those_of_the_loss() {
        let mut noise = Noise::new(3);
        let rows: Vec<Vec<f32>> = (0..6).map(|_| (0..2).map(|_| noise.normal() as f32).collect()).collect();
        let mut net = Lstm::new(2, &mut noise);
        net.backward(&rows);
        let (gates, read) = (net.gates.gradient.clone(), net.read.gradient.clone());
        let n = gates.len();
        // Some weights of every gate and of the reading layer.
        let places: Vec<usize> = (0..60).map(|i| i * (n / 60)).chain(n..n + 20).collect();
        check_gradient(
            &mut |i| {
                let place = places[i];
                let mut at = |by: f32| {
                    let weight = if place < n { &mut net.gates.weights[place] } else { &mut net.read.weights[place - n] };
                    *weight += by;
                    let loss = net.backward(&rows);
                    let weight = if place < n { &mut net.gates.weights[place] } else { &mut net.read.weights[place - n] };
                    *weight -= by;
                    loss
                };
                let differences = (at(1e-2) - at(-1e-2)) / 2e-2;
                (if place < n { gates[place] } else { read[place - n] }, differences)
            },
            places.len(),
        );
    }

    #[test]
    fn it_learns_to_go_on_with_a_swing_and_is_surprised_where_that_stops() {
        let row = |i: usize| vec![(i as f32 / 4.0).sin(), (i as f32 / 4.0).cos()];
        let rows: Vec<Vec<f32>> = (0..600).map(row).collect();
        let mut net = Lstm::train(&rows, &mut Noise::new(1));
        let errors: Vec<f32> = (0..200).filter_map(|i| net.observe(&row(i))).collect();
        let usual = errors[60..].iter().copied().fold(0.0, f32::max);
        let still = rows.windows(2).map(|w| worst(&w[0], &w[1])).sum::<f32>() / 599.0;
        assert!(usual < still / 2.0, "better than staying as it is: {usual} {still}");
        let stopped = net.observe(&row(240 / 2 + 7)).unwrap();
        assert!(stopped > 5.0 * usual, "{stopped} {usual}");
    }
}
