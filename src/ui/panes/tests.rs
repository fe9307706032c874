//! Pages as a whole: the story seen at every designed size, hostile names, and no size that makes one panic.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::PANES;
use crate::model::Snapshot;
use crate::ui::fixture::story;
use crate::ui::pane::DrawContext;
use crate::ui::state::{UiState, View};
use crate::ui::widgets::ansi::show;
use crate::ui::widgets::ink::tests::dark;
use crate::ui::widgets::{Graph, Ground, Ink, fold_ascii, text};

/// A page's body as it is drawn between the second line and the hints.
fn body(snapshot: &Snapshot, state: &UiState, ink: &Ink) -> Buffer {
    let (width, height) = state.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height.saturating_sub(3)));
    let area = buf.area;
    text::lay(ink, &mut buf, area, Ground::Screen);
    buf.set_style(area, ink.style(crate::ui::widgets::Role::Text));
    let pane = PANES.iter().find(|p| p.view() == state.view).expect("every page has a pane");
    pane.draw(&DrawContext { snapshot, live: snapshot, state, ink }, area, &mut buf);
    if ink.graph == Graph::Ascii {
        fold_ascii(&mut buf);
    }
    buf
}

fn lines(buf: &Buffer) -> String {
    let rows = (0..buf.area.height).map(|y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

fn at(view: View, size: (u16, u16)) -> (Arc<Snapshot>, UiState) {
    let (snapshot, mut state) = story();
    state.size = size;
    state.view = view;
    (snapshot, state)
}

#[test]
fn the_overview_says_what_is_wrong_why_and_who_at_every_size() {
    for (size, words) in [
        ((200, 50), &["Memory 91%", "mail-relay", "why postgres took", "◆ full", "grew most", "command", "Predictions"][..]),
        ((120, 40), &["Memory 91%", "mail-relay", "memory 91% > 85%", "◆ full 03:30", "60 s", "command"]),
        ((80, 24), &["memory", "91%", "◆ full 03:30", "mail-relay down", "checkout-api 2.4 s > 2 s", "Processes", "unbound"]),
    ] {
        let (snapshot, state) = at(View::Overview, size);
        let buf = body(&snapshot, &state, &dark());
        show(&buf, &format!("overview-{}", size.0));
        let text = lines(&buf);
        for word in words {
            assert!(text.contains(word), "{size:?} lacks {word:?}\n{text}");
        }
    }
}

#[test]
fn ascii_pages_hold_only_ascii() {
    let mut ink = dark();
    ink.graph = Graph::Ascii;
    for view in PANES.iter().map(|p| p.view()) {
        let (snapshot, state) = at(view, (80, 24));
        let buf = body(&snapshot, &state, &ink);
        show(&buf, &format!("{}-ascii", view.name()));
        assert!(lines(&buf).is_ascii());
    }
}
