//! A level that rises steadily: the newest looks at it, and whether they are a leak's.
//!
//! Never knows what the level is of. Invariant: work that begins, and then has what it needs, does not rise steadily; nor does
//! what gives back in between.

/// Looks kept: six steps, half a minute at five seconds.
const LOOKS: usize = 7;
/// Each part of the rise brings at least so much of what all of them would bring if they were equal.
const EVEN: f64 = 0.5;
/// A step back of more than this share of the rise is giving back.
const BACK: f64 = 0.02;

/// How fast something rises, and how far it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// A second.
    pub per_second: f64,
    /// Since it began to rise.
    pub gain: f64,
}

/// The newest looks at one level.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rise {
    levels: [f32; LOOKS],
    n: u8,
    /// The level at which it began to rise, where it does.
    from: Option<f32>,
}

impl Rise {
    /// Takes in a level `step` seconds after the one before; gives the pace of one that rises steadily. A rise is looked at in
    /// `parts` (2 or 3): two where a level is not read at every look.
    pub fn observe(&mut self, level: f64, step: f64, parts: usize) -> Option<Pace> {
        if usize::from(self.n) == LOOKS {
            self.levels.rotate_left(1);
            self.n -= 1;
        }
        self.levels[usize::from(self.n)] = level as f32;
        self.n += 1;
        if usize::from(self.n) < LOOKS || !self.is_steady(parts) {
            self.from = None;
            return None;
        }
        let from = *self.from.get_or_insert(self.levels[0]);
        let newest = f64::from(self.levels[LOOKS - 1]);
        let per_second = (newest - f64::from(self.levels[0])) / ((LOOKS - 1) as f64 * step);
        Some(Pace { per_second, gain: newest - f64::from(from) })
    }

    fn is_steady(&self, parts: usize) -> bool {
        let at = |place: usize| f64::from(self.levels[place]);
        let rise = at(LOOKS - 1) - at(0);
        let length = (LOOKS - 1) / parts.max(1);
        let brings = |part: usize| at((part + 1) * length) - at(part * length);
        rise > 0.0
            && (0..parts).all(|part| brings(part) >= EVEN * rise / parts as f64)
            && (1..LOOKS).all(|place| at(place) - at(place - 1) >= -BACK * rise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks after which it is told, five seconds apart.
    fn told(parts: usize, levels: impl IntoIterator<Item = f64>) -> Vec<usize> {
        let mut rise = Rise::default();
        let all = levels.into_iter().enumerate();
        all.filter_map(|(place, level)| rise.observe(level, 5.0, parts).map(|_| place)).collect()
    }

    #[test]
    fn a_leak_is_told_after_half_a_minute_with_its_pace() {
        assert_eq!(told(3, (0..9).map(|i| 100.0 + 45.0 * f64::from(i))), [6, 7, 8]);
        let mut rise = Rise::default();
        let last = (0..12).filter_map(|i| rise.observe(100.0 + 45.0 * f64::from(i), 5.0, 3)).last();
        assert_eq!(last, Some(Pace { per_second: 9.0, gain: 11.0 * 45.0 }));
        // Read at every second look.
        assert_eq!(told(2, (0..9).map(|i| f64::from(i / 2 * 2))), [6, 7, 8]);
    }

    #[test]
    fn what_begins_gives_back_or_rests_is_no_leak() {
        let none: [usize; 0] = [];
        assert_eq!(told(3, [0.0, 500.0, 800.0, 900.0, 930.0, 940.0, 945.0, 947.0]), none, "a start");
        assert_eq!(told(3, [0.0, 0.0, 0.0, 900.0, 900.0, 900.0, 900.0, 900.0]), none, "a step");
        assert_eq!(told(3, (0..20).map(|i| f64::from(i % 3) * 10.0 + f64::from(i))), none, "a saw");
        assert_eq!(told(3, [7.0; 20]), none);
    }
}
