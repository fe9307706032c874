//! A drawing as inline SVG.
//!
//! Invariant: coordinates have one decimal, so the same drawing gives the same bytes on every machine.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::escaped;
use crate::report::chart::{self, Anchor, Look, Shape, Width};
use crate::report::document::Chart;

/// Writes the figure: caption, legend, drawing.
pub(super) fn figure(page: &mut String, chart: &Chart, zone: &TimeZone, drawn: Width) {
    let (title, width) = (escaped(&chart.title), drawn.units());
    let wide = if drawn == Width::Whole { " class=\"wide\"" } else { "" };
    let _ = write!(page, "<figure{wide}>\n<figcaption>{title}");
    for (look, name) in chart::legend(chart) {
        let _ = write!(page, "<span><i class=\"{}\">&nbsp;</i>{}</span>", class(look), escaped(&name));
    }
    let (height, spoken) = (chart::height(chart), escaped(&chart::spoken(chart)));
    let _ = writeln!(page, "</figcaption>\n<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{spoken}\">");
    chart::draw(chart, zone, drawn).iter().for_each(|s| shape(page, s));
    page.push_str("</svg>\n</figure>\n");
}

fn shape(page: &mut String, shape: &Shape) {
    let _ = match shape {
        Shape::Word { x, y, anchor, text } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            writeln!(page, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text))
        }
        Shape::Path { look, points } => {
            let mut d = String::with_capacity(points.len() * 12);
            for (i, (x, y)) in points.iter().enumerate() {
                let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
            }
            match look {
                Look::Band(_) | Look::Bar(_) | Look::Stretch(_) | Look::Heat(_) | Look::Empty => d.push('Z'),
                // A lone point is a dot: round caps make one of a line without length.
                Look::Line(_) if points.len() == 1 => d.push_str("h0"),
                _ => {}
            }
            writeln!(page, "<path class=\"{}\" d=\"{d}\"/>", class(*look))
        }
    };
}

fn class(look: Look) -> String {
    match look {
        Look::Grid => "grid".to_owned(),
        Look::Limit => "limit".to_owned(),
        Look::Mark(level) => format!("mark {}", level.name()),
        Look::Line(color) => format!("line c{color}"),
        Look::Band(color) => format!("band c{color}"),
        Look::Bar(color) => format!("bar c{color}"),
        Look::Expected(color) => format!("line expected c{color}"),
        Look::Stretch(level) => format!("stretch {}", level.name()),
        Look::Heat(shade) => format!("heat h{shade}"),
        Look::Empty => "empty".to_owned(),
    }
}
