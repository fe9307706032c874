//! What a disk's own counts say of its end.
//!
//! Invariant: a count that is not known is no sign.

/// Lifetime counts of a disk (numbers of the ATA attributes).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DriveCounts {
    /// Sectors replaced by spare ones (5).
    pub reallocated: Option<f64>,
    /// Errors reported to the machine (187).
    pub reported: Option<f64>,
    /// Commands that took too long (188).
    pub timeouts: Option<f64>,
    /// Sectors that cannot be read (197).
    pub pending: Option<f64>,
    /// Sectors that could not be corrected (198).
    pub uncorrectable: Option<f64>,
}

/// One command in time is a cable or a busy controller; of drives with more a larger share fails.
const TIMEOUTS: f64 = 2.0;

impl DriveCounts {
    /// How many of the five counts that go before most failures say something, 0 to 5. Source: the attributes Backblaze watches.
    pub fn signs(&self) -> u32 {
        let any = [self.reallocated, self.reported, self.pending, self.uncorrectable];
        let damaged = any.into_iter().flatten().filter(|v| *v > 0.0).count();
        let late = usize::from(self.timeouts.is_some_and(|v| v >= TIMEOUTS));
        u32::try_from(damaged + late).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_damage_is_one_sign_and_a_single_timeout_is_none() {
        let well = DriveCounts { reallocated: Some(0.0), timeouts: Some(1.0), ..DriveCounts::default() };
        assert_eq!([DriveCounts::default().signs(), well.signs()], [0, 0]);
        let bad = DriveCounts { reallocated: Some(8.0), pending: Some(900.0), timeouts: Some(2.0), ..well };
        assert_eq!(bad.signs(), 3);
    }
}
