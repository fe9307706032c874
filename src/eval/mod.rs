//! What farol's alarms and forecasts are worth on labeled series: protocol `farol-eval/1`, and one's own data.
//!
//! Reads files and runs the very analysis that runs live; never teaches it anything else. Invariant: one default
//! configuration for every file, and only the past at each step.

mod alarms;
mod bars;
mod chance;
mod courses;
mod csv;
mod drives;
mod figures;
mod firm;
mod folder;
mod grid;
mod limits;
mod moment;
mod nab;
mod protocol;
mod summary;
mod table;
pub mod text;
mod variant;
mod work;

pub use alarms::{Alarm, Severity, Watching, watch};
pub use bars::{Bar, detection_bars, drive_bars, foresight_bars};
pub use chance::by_chance;
pub use courses::{CourseFigures, CourseLine};
pub use csv::{CsvError, Parsed, parse};
pub use drives::{DriveFigures, drives};
pub use figures::{Figures, Groups};
pub use firm::{Firm, firmness};
pub use folder::{EvalError, Folder, Label, Labels, read_json, read_table};
pub use limits::{LimitFigures, LimitLine};
pub use protocol::{Counts, Scored};
pub use summary::{CurvePoint, Detected, Detection, Foresight, Tier, foresight};
pub use table::{Column, Table};
pub use work::{FileResult, Parts, alone, work};
