//! What is about to happen, what came of earlier predictions, and how far to trust them.
//!
//! Invariant: the record stands beside the predictions, missed events included.

use crate::base::Unit;
use crate::model::{Outcome, Prediction};
use crate::report::context::Context;
use crate::report::document::{Cell, Level, Section, Table};

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let record = context.facts.record;
    section.count("predictions.shown", "Shown so far", record.shown as usize);
    section.count("predictions.right", "Right", record.right as usize);
    section.count("predictions.wrong", "Wrong", record.wrong as usize);
    section.count("predictions.missed", "Events missed", record.missed as usize);
    section.fact("predictions.brier", "Brier score", record.brier, Unit::Count);
    section.fact("predictions.base_rate_brier", "Brier score of the base rate", record.base_rate_brier, Unit::Count);

    let columns = [
        ("level", ""),
        ("id", "Id"),
        ("title", "Prediction"),
        ("series", "Series"),
        ("probability", "Probability"),
        ("at", "About"),
        ("at_lo", "Not before"),
        ("at_hi", "Not after"),
        ("made_at", "Made"),
        ("factors", "Why"),
    ];
    let mut open = Table::grid("open", &columns).titled("Open").or("Nothing is predicted.");
    open.rows = context.open_predictions().into_iter().map(row).collect();
    let mut scored = Table::grid("scored", &columns).titled("Scored in this span").or("No prediction was due.");
    let mut due: Vec<&Prediction> = context.facts.predictions.iter().filter(|p| p.outcome.is_some()).collect();
    due.sort_by(|a, b| (b.scored_at, &b.id).cmp(&(a.scored_at, &a.id)));
    scored.rows = due.into_iter().map(row).collect();
    section.tables.extend([open, scored]);
}

fn row(prediction: &Prediction) -> Vec<Cell> {
    let level = match prediction.outcome {
        None => Level::Predicted,
        Some(Outcome::Right) => Level::Ok,
        Some(Outcome::Wrong) => Level::Warning,
    };
    vec![
        Cell::Level(level),
        Cell::Text(prediction.id.clone()),
        Cell::Text(prediction.title.clone()),
        Cell::Series(prediction.key.clone()),
        Cell::Number(Some(prediction.probability), Unit::Ratio),
        Cell::Time(Some(prediction.at)),
        Cell::Time(Some(prediction.at_lo)),
        Cell::Time(Some(prediction.at_hi)),
        Cell::Time(Some(prediction.made_at)),
        Cell::Text(prediction.factors.join("; ")),
    ]
}
