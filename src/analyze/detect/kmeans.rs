//! The newest changes form a course that no model knows: k-means with two centers on lagged, smoothed differences.
//!
//! Source: netdata's design (six lags of the difference smoothed over three, 18 models that must all agree). Each model
//! learns its centers in one span and their reach in the next. Invariant: every sample costs the same, training included.

use super::{Detector, DetectorDef, Point};
use crate::analyze::archive::Archive;

/// Lags that make a course.
const LAGS: usize = 6;
/// Differences are smoothed over so many samples.
const SMOOTH: usize = 3;
/// Models that must agree: two days and more.
const MODELS: usize = 18;
/// Fewer models say nothing.
const FEWEST: usize = 6;
/// A model's centers are learned in three hours, its reach in the next three …
const SPAN_SECONDS: f64 = 3.0 * 3600.0;
/// … and from so many samples at least.
const FEWEST_SAMPLES: f64 = 180.0;

/// Its row.
pub const DEF: DetectorDef =
    DetectorDef { name: "kmeans", says: "moves as it never moved before", make: || Box::<KMeans>::default() };

type Course = [f32; LAGS];

/// Two centers and how far courses lay from the nearer one.
#[derive(Debug, Clone, Copy, Default)]
struct Model {
    centers: [Course; 2],
    reach: f32,
}

#[derive(Debug, Default)]
struct KMeans {
    /// Newest differences, oldest first.
    moves: Vec<f32>,
    /// Ready models, the oldest at `next` once there are enough.
    ready: Vec<Model>,
    next: u8,
    /// The one whose centers are learned, with the courses each center has taken.
    learning: Model,
    taken: [u32; 2],
    /// The one whose reach is measured.
    measuring: Model,
    /// Spans begun so far, at most two.
    begun: u8,
    left: u32,
}

/// Squared distance.
fn apart(a: &Course, b: &Course) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

impl Model {
    fn nearest(&self, course: &Course) -> (usize, f32) {
        let [first, second] = [apart(course, &self.centers[0]), apart(course, &self.centers[1])];
        if second < first { (1, second) } else { (0, first) }
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        self.centers.iter_mut().flatten().for_each(|value| archive.f32(value));
        archive.f32(&mut self.reach);
    }
}

impl KMeans {
    fn course(&mut self, change: f64) -> Option<Course> {
        if self.moves.len() == LAGS + SMOOTH - 1 {
            self.moves.rotate_left(1);
            self.moves.pop();
        }
        self.moves.push(change as f32);
        let mut course = [0.0; LAGS];
        for (lag, window) in course.iter_mut().zip(self.moves.windows(SMOOTH)) {
            *lag = window.iter().sum::<f32>() / SMOOTH as f32;
        }
        (self.moves.len() == LAGS + SMOOTH - 1).then_some(course)
    }

    /// MacQueen's step, and the measuring of the model before.
    fn learn(&mut self, course: &Course, step: f64) {
        if self.left == 0 {
            self.turn(course, step);
        }
        self.left -= 1;
        let (near, far) = self.learning.nearest(course);
        // The second center begins at the first course that differs.
        let near = if self.taken[1] == 0 && far > 0.0 { 1 } else { near };
        self.taken[near] = self.taken[near].saturating_add(1);
        let weight = 1.0 / self.taken[near] as f32;
        self.learning.centers[near].iter_mut().zip(course).for_each(|(c, v)| *c += weight * (v - *c));
        if self.begun == 2 {
            self.measuring.reach = self.measuring.reach.max(self.measuring.nearest(course).1);
        }
    }

    /// Ends a span: what was measured is ready, what was learned is measured next.
    fn turn(&mut self, course: &Course, step: f64) {
        self.left = (SPAN_SECONDS / step).clamp(FEWEST_SAMPLES, f64::from(u32::MAX)) as u32;
        if self.begun == 2 {
            if self.ready.len() < MODELS {
                self.ready.push(self.measuring);
            } else {
                self.ready[usize::from(self.next)] = self.measuring;
                self.next = (self.next + 1) % MODELS as u8;
            }
        }
        if self.begun > 0 {
            self.measuring = self.learning;
        } else {
            self.learning.centers[0] = *course;
        }
        self.begun = (self.begun + 1).min(2);
        self.taken = [1, u32::from(self.taken[1] > 0)];
    }
}

impl Detector for KMeans {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        let Some(change) = point.change else {
            self.moves.clear();
            return false;
        };
        let Some(course) = self.course(change) else { return false };
        let floor = (point.floor as f32).powi(2);
        let knows = |model: &Model| model.nearest(&course).1 <= model.reach.max(floor);
        let unknown = self.ready.len() >= FEWEST && !self.ready.iter().any(knows);
        self.learn(&course, point.step);
        unknown
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.floats(&mut self.moves, LAGS + SMOOTH - 1);
        let n = archive.len(self.ready.len(), MODELS);
        self.ready.resize(n, Model::default());
        self.ready.iter_mut().for_each(|model| model.archive(archive));
        archive.u8(&mut self.next);
        self.learning.archive(archive);
        self.measuring.archive(archive);
        self.taken.iter_mut().for_each(|n| archive.u32(n));
        archive.u8(&mut self.begun);
        archive.u32(&mut self.left);
        if usize::from(self.next) >= MODELS || self.begun > 2 {
            archive.refuse();
            self.next = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::noise::Noise;

    #[test]
    fn a_course_like_none_before_is_found_and_noise_is_not() {
        let mut noise = Noise::new(11);
        let mut detector = KMeans::default();
        let mut before = 0.0;
        let mut votes = [0_u32; 2];
        for i in 0..20_000 {
            let value = noise.normal() + if (19_000..19_012).contains(&i) { 15.0 * f64::from(i - 18_999) } else { 0.0 };
            let change = Some(value - std::mem::replace(&mut before, value));
            let point = Point { value, residual: 0.0, change, floor: 0.01, step: 60.0, recent: &[] };
            let voted = detector.observe(&point);
            votes[usize::from(i >= 19_000)] += u32::from(voted);
        }
        assert!(votes[0] <= 20, "{} votes on noise", votes[0]);
        assert!(votes[1] >= 5, "{} votes on a climb", votes[1]);
    }
}
