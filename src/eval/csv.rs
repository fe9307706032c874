//! Tables as people have them: separators, decimal commas, notations of time, gaps, text where numbers belong.
//!
//! Invariant: nothing is guessed silently; what was left out is told with its line, what is ambiguous is refused.

use std::borrow::Cow;

use super::moment::{Notation, TIME_NAMES};
use super::table::Table;

/// Why a text is no table of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub reason: String,
}

/// A table and what was left out of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// The samples.
    pub table: Table,
    /// What was left out or put right, for people.
    pub notes: Vec<String>,
}

/// Separators that are looked for in the first line.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// A number from here on is rather a time (seconds of 1973) than a value, where no name tells.
const SURELY_TIME: f64 = 1e8;
/// What programs write where there is no value.
const MISSING: [&str; 9] = ["", "nan", "null", "none", "na", "n/a", "-", "inf", "-inf"];

fn error(line: usize, reason: impl Into<String>) -> CsvError {
    CsvError { line, reason: reason.into() }
}

/// Something that happened on several lines and is told once.
#[derive(Debug, Default)]
struct Tally {
    first: Option<(usize, String)>,
    count: usize,
}

impl Tally {
    fn add(&mut self, line: usize, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some((line, what()));
        }
    }

    fn note(&self) -> Option<String> {
        let (line, what) = self.first.as_ref()?;
        let more = if self.count > 1 { format!(" ({} such lines)", self.count) } else { String::new() };
        Some(format!("line {line}: {what}{more}"))
    }
}

/// The first line and what follows from it.
struct Shape {
    separator: char,
    time: usize,
    names: Vec<String>,
    notation: Notation,
    first_row: usize,
}

/// Reads a table: a time column and at least one column of numbers.
///
/// # Errors
/// The first line that cannot be understood.
pub fn parse(text: &str) -> Result<Parsed, CsvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = || {
        let numbered = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim_end_matches('\r')));
        numbered.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
    };
    let shape = shape(&mut lines())?;
    let (mut text_cells, mut twins, mut order) = (Tally::default(), Tally::default(), Tally::default());
    let mut rows: Vec<(i64, Vec<Option<f64>>)> = Vec::new();
    let mut seen = vec![[0_usize; 2]; shape.names.len()];
    for (line, text) in lines().filter(|(line, _)| *line >= shape.first_row) {
        let cells = split(text, shape.separator);
        if cells.len() != shape.names.len() + 1 {
            let wanted = shape.names.len() + 1;
            let hint = if text.contains('"') { "; is a quotation mark left open?" } else { "" };
            return Err(error(line, format!("{} fields where the first line has {wanted}{hint}", cells.len())));
        }
        let at = shape.notation.read(&cells[shape.time]).map_err(|reason| error(line, reason))?;
        if let Some((last, _)) = rows.last() {
            if *last == at {
                twins.add(line, || "has the time of the line before; the later one is kept".to_owned());
            } else if *last > at {
                order.add(line, || "is earlier than the line before; rows are put in order".to_owned());
            }
        }
        let others = cells.iter().enumerate().filter(|(i, _)| *i != shape.time).map(|(_, cell)| cell);
        let mut values = Vec::with_capacity(shape.names.len());
        for (c, cell) in others.enumerate() {
            let value = number(cell, shape.separator);
            if value.is_none() && !is_missing(cell) {
                seen[c][1] += 1;
                text_cells.add(line, || format!("\"{}\" in column {} is no number; left out", cell.trim(), shape.names[c]));
            }
            seen[c][0] += usize::from(value.is_some());
            values.push(value);
        }
        rows.push((at, values));
    }
    if rows.is_empty() {
        return Err(error(shape.first_row, "there is no sample below the first line"));
    }
    if seen.iter().all(|[numbers, _]| *numbers == 0) {
        return Err(error(shape.first_row, "no column of numbers stands beside the time"));
    }
    let mut notes: Vec<String> = [twins, order, text_cells].iter().filter_map(Tally::note).collect();
    let kept: Vec<bool> = seen.iter().map(|[numbers, texts]| numbers >= texts && *numbers > 0).collect();
    let dropped = shape.names.iter().zip(&kept).filter(|(_, kept)| !**kept).map(|(name, _)| name.as_str());
    let dropped: Vec<&str> = dropped.collect();
    if !dropped.is_empty() {
        notes.push(format!("columns without numbers are left out: {}", dropped.join(", ")));
    }
    let mut table = Table::sorted(rows, shape.names);
    let mut keep = kept.into_iter();
    table.columns.retain(|_| keep.next().unwrap_or(true));
    Ok(Parsed { table, notes })
}

/// Finds separator, header and time column.
fn shape<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<Shape, CsvError> {
    let (line, head) = lines.next().ok_or_else(|| error(1, "the file is empty"))?;
    let count = |s: &char| head.matches(*s).count();
    let separator = SEPARATORS.into_iter().max_by_key(|s| (count(s), usize::from(*s == ','))).unwrap_or(',');
    if count(&separator) == 0 {
        return Err(error(line, "one column only; a time and a value are needed, separated by a comma, semicolon, tab or |"));
    }
    let cells = split(head, separator);
    let headless = cells.iter().any(|c| Notation::of(c.trim()).is_some() && c.trim().len() > 4);
    let names: Vec<String> = if headless {
        (1..=cells.len()).map(|i| if cells.len() == 2 { "value".to_owned() } else { format!("column {i}") }).collect()
    } else {
        cells.iter().map(|c| c.trim().to_owned()).collect()
    };
    let (row, first) =
        if headless { (line, head) } else { lines.next().ok_or_else(|| error(line, "there is only a first line"))? };
    let cells = split(first, separator);
    let named = names.iter().position(|n| TIME_NAMES.contains(&n.to_lowercase().as_str()));
    let found = || {
        let is_told = |c: &&str| !matches!(Notation::of(c), None | Some(Notation::Unix(_)));
        let is_late = |c: &&str| c.parse::<f64>().is_ok_and(|n| n >= SURELY_TIME);
        let trimmed: Vec<&str> = cells.iter().map(|c| c.trim()).collect();
        let surely = trimmed.iter().position(|c| is_told(c) || is_late(c));
        surely.or_else(|| trimmed.first().and_then(|c| Notation::of(c)).map(|_| 0))
    };
    let Some(time) = named.or_else(found) else {
        return Err(error(row, "no column holds times (unix seconds, 2026-11-21T03:04:05Z, 2026-11-21 03:04:05)"));
    };
    let cell = cells.get(time).map_or("", |c| c.trim());
    let Some(notation) = Notation::of(cell) else {
        return Err(error(row, format!("\"{cell}\" in column {} is no time", names[time])));
    };
    let notation = notation.settle(lines.map(|(_, l)| split(l, separator)).filter_map(|c| c.get(time).map(|c| c.to_string())));
    let names = names.into_iter().enumerate().filter(|(i, _)| *i != time).map(|(_, n)| n).collect();
    Ok(Shape { separator, time, names, notation: notation.map_err(|reason| error(row, reason))?, first_row: row })
}

/// The fields of a line; those in quotation marks may hold the separator.
fn split(line: &str, separator: char) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(separator).map(Cow::Borrowed).collect();
    }
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let cell = cells.last_mut().expect("there is always one");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    cells.into_iter().map(Cow::Owned).collect()
}

fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    cell.len() <= 4 && MISSING.contains(&cell.to_lowercase().as_str())
}

/// A finite number; where the comma does not separate fields it may be the decimal one.
fn number(cell: &str, separator: char) -> Option<f64> {
    let cell = cell.trim();
    let parsed = match cell.parse::<f64>() {
        Err(_) if separator != ',' && cell.matches(',').count() == 1 && !cell.contains('.') => cell.replace(',', ".").parse(),
        parsed => parsed,
    };
    parsed.ok().filter(|v: &f64| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> (Vec<i64>, Vec<Option<f64>>) {
        let parsed = parse(text).expect("a table");
        (parsed.table.times, parsed.table.columns[0].values.clone())
    }

    #[track_caller]
    fn refused(text: &str, line: usize, says: &str) {
        let e = parse(text).expect_err("refused");
        assert_eq!(e.line, line, "{}", e.reason);
        assert!(e.reason.contains(says), "{}", e.reason);
    }

    #[test]
    fn the_usual_notations_are_read() {
        let expected = (vec![1_795_230_245, 1_795_230_305], vec![Some(1.5), Some(2.5)]);
        for text in [
            "timestamp,value\n1795230245,1.5\n1795230305,2.5\n",
            "time;cpu\n2026-11-21 03:04:05;1,5\n2026-11-21 03:05:05;2,5\n",
            "\u{feff}Date\tload\r\n2026-11-21T03:04:05Z\t1.5\r\n2026-11-21T03:05:05Z\t2.5\r\n",
            "value,when\n1.5,1795230245000\n2.5,1795230305000\n",
            "1795230245,1.5\n1795230305,2.5\n",
            "\"time\",\"a, b\"\n\"21.11.2026 03:04:05\",\"1.5\"\n\"21.11.2026 03:05:05\",2.5\n",
            "time,x\n11/21/2026 03:04:05,1.5\n11/21/2026 03:05:05,2.5\n",
            "# made by hand\n\ntime,x\n2026-11-21T04:04:05+01:00,1.5\n2026-11-21T04:05:05+01:00,2.5\n",
        ] {
            assert_eq!(values(text), expected, "{text}");
        }
    }

    #[test]
    fn gaps_twins_disorder_and_text_are_told_with_their_lines() {
        let parsed = parse("time,a,b\n60,1,x\n120,,y\n120,oops,z\n30,4,w\n").expect("a table");
        assert_eq!(parsed.table.times, [30, 60, 120]);
        assert_eq!(parsed.table.columns.len(), 1, "a column of text is none");
        assert_eq!(parsed.table.columns[0].values, [Some(4.0), Some(1.0), None]);
        let notes = parsed.notes.join("\n");
        for part in ["line 4: has the time", "line 5: is earlier", "line 2: \"x\" in column b", "without numbers are left out: b"]
        {
            assert!(notes.contains(part), "{part} in {notes}");
        }
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        refused("", 1, "empty");
        refused("just words\n", 1, "one column only");
        refused("time,a\n", 1, "only a first line");
        refused("time,a\n60,1\n120\n", 3, "1 fields where the first line has 2");
        refused("time,a\n60,1\n2026-11-21 03:04:05,2\n", 3, "written otherwise");
        refused("time,a\nnoon,1\n", 2, "is no time");
        refused("a,b\nx,y\n", 2, "no column holds times");
        refused("time,a\n60,x\n120,y\n", 2, "no column of numbers");
        refused("time,a\n03/04/2026 10:00,1\n03/04/2026 11:00,2\n", 2, "day or month");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_table_or_a_message(text in "[0-9a-z,;\"\\-:T. \n\t/|+]{0,200}") {
            match parse(&text) {
                Ok(parsed) => proptest::prop_assert!(parsed.table.times.windows(2).all(|w| w[0] < w[1])),
                Err(e) => proptest::prop_assert!(!e.reason.is_empty()),
            }
        }
    }
}
