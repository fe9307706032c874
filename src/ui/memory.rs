//! What the screen remembers from one run to the next: how it was arranged and looked, and its bookmarks.
//!
//! Settings are in the configuration; this is only where somebody left off. Invariant: a file that is missing or broken is
//! as if nothing was remembered.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::state::{Look, UiState};
use crate::base::Timestamp;

/// Bookmarks kept: more than anybody looks through.
const BOOKMARKS: usize = 100;

/// Where somebody left off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Name of the layout.
    pub layout: Option<String>,
    /// Panes that were hidden.
    pub hidden: BTreeSet<String>,
    /// Name of the theme, where one was chosen on the screen.
    pub theme: Option<String>,
    /// Span of the charts, in seconds.
    pub span: Option<u64>,
    /// Moments to come back to, in milliseconds since 1970.
    pub bookmarks: Vec<i64>,
}

/// What is configured or asked for: it is meant, whatever was left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// The theme.
    pub theme: bool,
    /// The layout.
    pub layout: bool,
}

impl Remembered {
    /// The same but for what somebody asked for.
    #[must_use]
    pub fn without(self, asked: Asked) -> Self {
        Self { theme: self.theme.filter(|_| !asked.theme), layout: self.layout.filter(|_| !asked.layout), ..self }
    }

    /// What the file says.
    pub fn read(path: &Path) -> Self {
        std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// What is worth keeping of a screen whose configuration names that theme.
    pub fn of(state: &UiState, configured: &str) -> Self {
        let layout = state.layouts.get(state.layout_at).map(|l| l.name.clone());
        let theme = (state.look.theme != configured).then(|| state.look.theme.clone());
        let newest = state.bookmarks.len().saturating_sub(BOOKMARKS);
        let bookmarks = state.bookmarks.iter().skip(newest).map(|at| at.millis()).collect();
        Self { layout, hidden: state.hidden.clone(), theme, span: Some(state.span.as_secs()), bookmarks }
    }

    /// Arranges a new screen as it was.
    pub fn apply(&self, state: &mut UiState) {
        let place = self.layout.as_deref().and_then(|name| state.layouts.iter().position(|l| l.name == name));
        state.layout_at = place.unwrap_or(state.layout_at);
        state.hidden.clone_from(&self.hidden);
        if let Some(theme) = self.theme.as_ref().filter(|t| state.themes.contains(t)) {
            state.look = Look { theme: theme.clone(), ..state.look.clone() };
        }
        let span = self.span.map(Duration::from_secs);
        if let Some(span) = span.filter(|s| super::update::SPANS.contains(s)) {
            state.span = span;
            state.charts = super::charts::ChartStore::new(super::update::step(span));
        }
        state.bookmarks = self.bookmarks.iter().map(|ms| Timestamp(*ms)).collect();
        state.bookmarks.sort_unstable();
    }

    /// Keeps it; the file is whole at every moment.
    ///
    /// # Errors
    /// The folder cannot be made or the file not written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        let beside = path.with_extension("new");
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn a_screen_comes_back_as_it_was_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farol/screen.json");
        let mut state = UiState::new((200, 50), TimeZone::UTC);
        state.layout_at = 2;
        state.hidden.insert("disk".to_owned());
        state.look.theme = "nord".to_owned();
        state.span = Duration::from_secs(900);
        state.bookmarks = vec![Timestamp(5), Timestamp(9)];
        Remembered::of(&state, "dark").write(&path).expect("a file");
        let mut next = UiState::new((80, 24), TimeZone::UTC);
        Remembered::read(&path).apply(&mut next);
        assert_eq!((next.layout_at, next.look.theme.as_str(), next.span), (2, "nord", Duration::from_secs(900)));
        assert!(next.hidden.contains("disk"));
        let asked = Remembered::read(&path).without(Asked { theme: true, layout: true });
        assert_eq!((asked.theme, asked.layout, asked.span), (None, None, Some(900)), "what is asked for is meant");
        assert_eq!(next.bookmarks, state.bookmarks);
    }

    #[test]
    fn a_missing_or_broken_file_is_nothing_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("screen.json");
        assert_eq!(Remembered::read(&path), Remembered::default());
        std::fs::write(&path, "{\"span\": \"long\"").expect("a file");
        assert_eq!(Remembered::read(&path), Remembered::default());
        std::fs::write(&path, "{\"layout\": \"gone\", \"theme\": \"gone\", \"span\": 7}").expect("a file");
        let mut state = UiState::new((80, 24), TimeZone::UTC);
        let before = (state.layout_at, state.look.clone(), state.span);
        Remembered::read(&path).apply(&mut state);
        assert_eq!((state.layout_at, state.look.clone(), state.span), before);
    }
}
