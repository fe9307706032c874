//! Cannot be told in few numbers as what the machine did before can: an autoencoder over the newest rows of all its series.
//!
//! Source: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks" (2006).

use std::collections::VecDeque;

use super::net::{Layer, Learned, Network, worst};
use super::{ChallengerDef, Watches};
use crate::analyze::noise::Noise;

/// Rows that are told together.
const WINDOW: usize = 5;
/// Widths of the middle, and of the layers around it.
const CODE: usize = 8;
const AROUND: usize = 32;
/// Windows it is trained on, and how far each step goes.
const STEPS: usize = 4000;
const RATE: f32 = 3e-3;

/// Its row.
pub const DEF: ChallengerDef = ChallengerDef {
    name: "autoencoder",
    because: "as a further vote its gain did not hold on hosts that were not used for choosing it",
    watches: Watches::Machine(|| Box::<Learned<Autoencoder>>::default()),
};

#[derive(Debug)]
struct Autoencoder {
    layers: [Layer; 4],
    newest: VecDeque<Vec<f32>>,
}

impl Autoencoder {
    fn new(n: usize, noise: &mut Noise) -> Self {
        let sizes = [n, AROUND, CODE, AROUND, n];
        let layer = |i: usize, noise: &mut Noise| Layer::new(sizes[i], sizes[i + 1], noise);
        let layers = [layer(0, noise), layer(1, noise), layer(2, noise), layer(3, noise)];
        Self { layers, newest: VecDeque::new() }
    }

    /// What goes into each layer, and what comes out of the last.
    fn forward(&self, input: &[f32]) -> [Vec<f32>; 5] {
        let bend = |sums: Vec<f32>| sums.into_iter().map(f32::tanh).collect::<Vec<f32>>();
        let first = bend(self.layers[0].forward(input));
        let code = bend(self.layers[1].forward(&first));
        let second = bend(self.layers[2].forward(&code));
        let out = self.layers[3].forward(&second);
        [input.to_vec(), first, code, second, out]
    }

    /// Adds the gradient of half the mean squared error of one window.
    fn backward(&mut self, input: &[f32]) {
        let states = self.forward(input);
        let n = input.len().max(1) as f32;
        let mut back: Vec<f32> = states[4].iter().zip(input).map(|(o, x)| (o - x) / n).collect();
        for i in (0..4).rev() {
            back = self.layers[i].backward(&states[i], &back);
            // What went into a layer came out of a tanh, but for the first.
            back.iter_mut().zip(&states[i]).for_each(|(b, s)| *b *= if i == 0 { 1.0 } else { 1.0 - s * s });
        }
    }
}

impl Network for Autoencoder {
    fn train(rows: &[Vec<f32>], noise: &mut Noise) -> Self {
        let window = |at: usize| rows[at..at + WINDOW].concat();
        let mut new = Self::new(window(0).len(), noise);
        for _ in 0..STEPS {
            new.backward(&window(noise.below(rows.len() + 1 - WINDOW)));
            new.layers.iter_mut().for_each(|layer| layer.step(RATE));
        }
        new
    }

    fn observe(&mut self, row: &[f32]) -> Option<f32> {
        if self.newest.len() == WINDOW {
            self.newest.pop_front();
        }
        self.newest.push_back(row.to_vec());
        if self.newest.len() < WINDOW {
            return None;
        }
        let window: Vec<f32> = self.newest.iter().flatten().copied().collect();
        let [_, _, _, _, told] = self.forward(&window);
        Some(worst(&told[window.len() - row.len()..], row))
    }
}

#[cfg(test)]
mod tests {
    use super::super::net::check_gradient;
    use super::*;

    #[test]
    fn gradients_are_those_of_the_loss() {
        let mut noise = Noise::new(3);
        let input: Vec<f32> = (0..6).map(|_| noise.normal() as f32).collect();
        let mut net = Autoencoder::new(6, &mut noise);
        net.backward(&input);
        let loss = |net: &Autoencoder| {
            let [_, _, _, _, out] = net.forward(&input);
            out.iter().zip(&input).map(|(o, x)| (o - x).powi(2)).sum::<f32>() / 12.0
        };
        for layer in 0..4 {
            let own = net.layers[layer].gradient.clone();
            check_gradient(
                &mut |place| {
                    let weight = net.layers[layer].weights[place];
                    let mut at = |by: f32| {
                        net.layers[layer].weights[place] = weight + by;
                        loss(&net)
                    };
                    let differences = (at(1e-2) - at(-1e-2)) / 2e-2;
                    net.layers[layer].weights[place] = weight;
                    (own[place], differences)
                },
                own.len().min(40),
            );
        }
    }

    #[test]
    fn a_row_that_breaks_what_goes_together_is_far_from_what_was_expected() {
        let mut noise = Noise::new(5);
        // Six series that all follow one.
        let mut row = |i: usize| {
            let one = (i as f64 / 9.0).sin();
            (0..6).map(|k| (one * f64::from(k - 3) + 0.05 * noise.normal()) as f32).collect::<Vec<f32>>()
        };
        let rows: Vec<Vec<f32>> = (0..600).map(&mut row).collect();
        let mut net = Autoencoder::train(&rows, &mut Noise::new(1));
        let usual = (600..640).filter_map(|i| net.observe(&row(i))).fold(0.0, f32::max);
        let strange: Vec<f32> = row(640).iter().enumerate().map(|(k, v)| if k == 5 { 2.0 - v } else { *v }).collect();
        let found = net.observe(&strange).unwrap();
        assert!(found > 3.0 * usual, "{found} {usual}");
    }
}
