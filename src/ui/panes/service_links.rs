//! What the chosen service needs and what needs it, as a tree, however deep.
//!
//! Invariant: a circle ends where it closes, and a service that is named but not checked is named as that.

use ratatui::buffer::Buffer;

use super::parts::{Slot, paragraphs, service_glyph};
use super::service_rows::response;
use crate::model::{ServiceStatus, Snapshot};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::{Phrase, Role};

/// Lines of one tree: more than any screen has room for.
const MOST: usize = 64;

/// Which way one goes from a service.
#[derive(Clone, Copy)]
enum Way {
    /// To what it needs.
    Needs,
    /// To what needs it.
    NeededBy,
}

/// Draws both trees, or says how one would come to be.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("Depends on").dim(" and what depends on it"), &[]);
    let mut lines = lines(ctx.snapshot, service);
    if lines.is_empty() {
        let none = Phrase::new().dim("nothing is known: ").text("depends_on = [\"name\"]").dim(" in its ").text("[[service]]");
        lines.push(none.dim(" says what it needs, and what is down because of that is told once"));
    }
    paragraphs(ctx.ink, buf, slot.inner(), &lines);
}

/// Both trees, a line a service; empty where it stands alone.
pub fn lines(snapshot: &Snapshot, service: &ServiceStatus) -> Vec<Phrase> {
    let mut lines = Vec::new();
    for (way, head) in [(Way::Needs, "needs"), (Way::NeededBy, "needed by")] {
        let mut tree = Tree { snapshot, way, path: vec![&service.name], lines: Vec::new() };
        tree.below(service, "");
        if !tree.lines.is_empty() {
            lines.push(Phrase::new().dim(head));
            lines.extend(tree.lines);
        }
    }
    if let Some(cause) = &service.caused_by {
        lines.push(Phrase::new().role(Role::Crit, &format!("{cause} is down: what this one is cannot be known")));
    }
    lines
}

struct Tree<'a> {
    snapshot: &'a Snapshot,
    way: Way,
    /// From the chosen one to where one is.
    path: Vec<&'a str>,
    lines: Vec<Phrase>,
}

impl<'a> Tree<'a> {
    fn next(&self, service: &'a ServiceStatus) -> Vec<&'a str> {
        match self.way {
            Way::Needs => service.depends_on.iter().map(String::as_str).collect(),
            Way::NeededBy => {
                let needing = self.snapshot.services.iter().filter(|s| s.depends_on.contains(&service.name));
                needing.map(|s| s.name.as_str()).collect()
            }
        }
    }

    fn below(&mut self, service: &'a ServiceStatus, indent: &str) {
        let names = self.next(service);
        for (i, name) in names.iter().enumerate() {
            if self.lines.len() >= MOST {
                return;
            }
            let is_last = i + 1 == names.len();
            let line = Phrase::new().role(Role::Line, &format!("{indent}{}", if is_last { "└─ " } else { "├─ " }));
            let known = self.snapshot.services.iter().find(|s| s.name == *name);
            self.lines.push(match known {
                Some(_) if self.path.contains(name) => line.text(name).dim(" again: they need each other"),
                Some(other) => {
                    let (glyph, role) = service_glyph(other.state);
                    line.bold(role, glyph).text(" ").text(name).text(" ").join(&response(other))
                }
                None => line.text(name).dim(" which is not checked"),
            });
            if let Some(other) = known.filter(|_| !self.path.contains(name)) {
                self.path.push(name);
                self.below(other, &format!("{indent}{}", if is_last { "   " } else { "│  " }));
                self.path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn said(needs: &[(&str, &[&str])], chosen: &str) -> Vec<String> {
        let mut snapshot = Snapshot::empty(Arc::default());
        let one = |(name, needs): &(&str, &[&str])| ServiceStatus {
            name: (*name).to_owned(),
            depends_on: needs.iter().map(|n| (*n).to_owned()).collect(),
            ..ServiceStatus::default()
        };
        snapshot.services = needs.iter().map(one).collect();
        let service = snapshot.services.iter().find(|s| s.name == chosen).expect("a service");
        lines(&snapshot, service).iter().map(|l| l.plain().trim_end().to_owned()).collect()
    }

    #[test]
    fn what_it_needs_is_followed_to_the_end_and_a_circle_is_named() {
        let found = said(&[("shop", &["pay", "cdn"]), ("pay", &["db"]), ("db", &["shop"])], "shop");
        let wanted = [
            "needs",
            "├─ ○ pay -",
            "│  └─ ○ db -",
            "│     └─ shop again: they need each other",
            "└─ cdn which is not checked",
            "needed by",
            "└─ ○ db -",
            "   └─ ○ pay -",
            "      └─ shop again: they need each other",
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn one_that_stands_alone_has_no_tree() {
        assert!(said(&[("shop", &[]), ("db", &[])], "shop").is_empty());
    }
}
