//! Predictions of degradation: answers that take longer and longer, and when they take too long.
//!
//! How likely such a prediction is it learns from what became of those before. Invariant: one series has one open prediction.

use std::time::Duration;

use super::{Predictor, Watched};
use crate::analyze::symptom::Heading;
use crate::base::{Timestamp, Unit, format_duration, format_value};
use crate::model::{Outcome, Prediction};

const KIND: &str = "degradation";
/// Share of the way to the limit that must have been gone: less is a mood of the machine.
const SHARE: f64 = 0.1;
/// Nobody knows whether a pace of half a minute goes on for longer.
const FARTHEST: Duration = Duration::from_secs(3600);
/// The moment it comes is between half and twice the time the pace says.
const SOONER: f64 = 0.5;
const LATER: f64 = 2.0;
/// What is believed before anything is known: as if six of seven had come (Laplace's rule of succession after five that did).
const BELIEVED: (f64, f64) = (6.0, 7.0);

impl Predictor {
    /// Takes in where series head that are to stay below a limit; gives the new predictions, to be stored.
    pub fn head(&mut self, now: Timestamp, headings: &[(Heading, f64)]) -> Vec<Prediction> {
        let mut new = Vec::new();
        for (heading, limit) in headings {
            let left = limit - heading.value;
            let seconds = left / heading.per_second;
            let is_open = self.kept.iter().any(|p| p.outcome.is_none() && p.key == heading.key);
            if is_open || left <= 0.0 || heading.gain < SHARE * left || seconds > FARTHEST.as_secs_f64() {
                continue;
            }
            let prediction = self.degradation(now, (heading, *limit), seconds);
            self.watched
                .insert(heading.key.clone(), Watched { limit: *limit, probability: prediction.probability, beyond: Some(false) });
            self.kept.push(prediction.clone());
            new.push(prediction);
        }
        new
    }

    fn degradation(&mut self, now: Timestamp, (heading, limit): (&Heading, f64), seconds: f64) -> Prediction {
        let after = |times: f64| now + Duration::from_secs_f64(seconds * times);
        let shown = |value| format_value(value, Unit::Seconds);
        let service = heading.key.label("service").unwrap_or_default();
        Prediction {
            id: self.id(now, &heading.key),
            kind: KIND.to_owned(),
            title: format!("{service} answers too slowly"),
            key: heading.key.clone(),
            limit,
            probability: self.believed(),
            at: after(1.0),
            at_lo: after(SOONER),
            at_hi: after(LATER),
            confidence: 1.0 - SOONER,
            factors: vec![
                format!("its fastest answers take {} longer each minute", shown(heading.per_second * 60.0)),
                format!("{} now, {} are allowed", shown(heading.value), shown(limit)),
                format!("at this pace in {}", format_duration(Duration::from_secs_f64(seconds.round()))),
            ],
            advice: "Look at what it waits for (database, disk, locks, a full queue), or restart it before it stops answering."
                .to_owned(),
            method: "pace".to_owned(),
            made_at: now,
            outcome: None,
            scored_at: None,
        }
    }

    /// Share of the scored predictions of this kind that came.
    fn believed(&self) -> f64 {
        let scored = self.kept.iter().filter(|p| p.kind == KIND && p.outcome.is_some());
        let (came, of) =
            scored.fold(BELIEVED, |(came, of), p| (came + f64::from(u8::from(p.outcome == Some(Outcome::Right))), of + 1.0));
        came / of
    }
}
