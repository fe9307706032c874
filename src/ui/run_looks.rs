//! What a screen looks like: its theme and keys while it runs, and pictures of it.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Session;
use crate::ui::draw::view;
use crate::ui::overlay::{Toast, Tone};
use crate::ui::picture::{self, PictureKind};
use crate::ui::state::Look;
use crate::ui::theme::Theme;
use crate::ui::widgets::Graph;

impl Session {
    /// The page without what lies over it.
    pub(super) fn picture(&self, kind: PictureKind) -> String {
        let mut state = self.state.clone();
        state.overlays.clear();
        state.toast = None;
        state.tour = None;
        let mut buf = Buffer::empty(Rect::new(0, 0, state.size.0, state.size.1));
        view(&state, &self.ink, &mut buf);
        match kind {
            PictureKind::Text => picture::text(&buf),
            // Where the theme leaves the ground to the terminal, a dark one is the usual.
            PictureKind::Svg => picture::svg(&buf, ("#0f1318", "#cdd3dc")),
        }
    }

    /// Takes other keys from now on; what is wrong in them is said.
    pub(super) fn keymap(&mut self, name: &str) {
        let (keymap, faults) = (self.options.keymaps)(name);
        self.state.keymap = Arc::new(keymap);
        if let Some(fault) = faults.into_iter().next() {
            self.state.toast = Some(Toast { text: fault, tone: Tone::Warning, at: self.state.live.at, seen: 0 });
        }
    }

    /// Draws with another theme or other graphs from now on; where there is no such theme nothing changes but a word says so.
    pub(super) fn look(&mut self, look: Look) {
        match Theme::load(&look.theme, self.options.themes.as_deref()) {
            Ok(theme) => {
                let graph = if self.options.terminal.ascii { Graph::Ascii } else { look.graph };
                self.ink = theme.ink(self.options.terminal.depth, graph);
                self.state.look = Look { graph, ..look };
            }
            Err(error) => {
                let at = self.state.live.at;
                self.state.toast = Some(Toast { text: error.to_string(), tone: Tone::Warning, at, seen: 0 });
            }
        }
    }
}
