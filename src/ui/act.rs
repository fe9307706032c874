//! What can be done on the screen, by name; [`super::actions`] says with which keys, where and when.
//!
//! Never: how it is done (that is `update`). Invariant: each act is one row of the table of actions, or several.

use super::state::{SortColumn, View};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Leave the screen.
    Quit,
    /// List what works here.
    Help,
    /// Find an action by its name.
    Palette,
    /// Keep what holds some words.
    Filter,
    /// Open what is chosen.
    Open,
    /// One step back.
    Back,
    /// Go to a page.
    Go(View),
    /// The page to the right (1) or left (−1).
    Turn(i8),
    /// Move the choice by rows.
    Move(i32),
    /// Move the choice by pages, in halves.
    Page(i32),
    /// Choose the first row.
    First,
    /// Choose the last row.
    Last,
    /// Move the time cursor by sixtieths of the span.
    Time(i32),
    /// Move the time cursor to the next (1) or previous (−1) alert or anomaly.
    Mark(i8),
    /// Time cursor to the oldest moment shown.
    Oldest,
    /// Back to the present.
    Live,
    /// Shorter span (1), longer (−1).
    Zoom(i8),
    /// The span one starts with.
    ZoomReset,
    /// Hold everything still, or let it go.
    Freeze,
    /// A moment as it is written.
    GoTo,
    /// Time cursor to the moment the alert fired.
    Jump,
    /// Take the moment shown to compare with.
    SetMark,
    /// Do not tell anybody for a while.
    Silence,
    /// End the silences of an alert.
    Unsilence,
    /// Put an alert off.
    Snooze,
    /// Take care of an alert, or give it back.
    Acknowledge,
    /// Say whether an alert was real.
    Feedback(Verity),
    /// Run the rule of an alert over the last week.
    Replay,
    /// What the rules could learn.
    Learn,
    /// Write a note at the moment shown.
    Note,
    /// Something happened: what rules are measured against.
    Incident,
    /// Check a service at once.
    CheckNow,
    /// A service is worked on, or no longer.
    Maintenance,
    /// Write a report into a file.
    Export,
    /// Reports made by the clock.
    Reports,
    /// Sort by a column; again: invert.
    SortBy(SortColumn),
    /// Choose the column to sort by.
    SortMenu,
    /// Choose the columns of the processes.
    Columns,
    /// Choose a user whose processes are shown.
    User,
    /// Choose a signal for processes.
    Signal,
    /// Another nice value for processes, with a step proposed.
    Nice(i8),
    /// Mark the chosen process, or take the mark away.
    Tag,
    /// Take all marks away.
    Untag,
    /// Stay with the chosen process.
    Follow,
    /// Fold and unfold branches of the tree.
    Fold(Fold),
    /// List kernel threads, or leave them out.
    KernelThreads,
    /// Turn the order around.
    Invert,
    /// Processes below their parents, or as a list.
    Tree,
    /// Services as tiles, or as a list.
    Grid,
    /// Give the chosen pane the whole page, or its place back.
    Enlarge,
    /// Choose the next (1) or previous (−1) pane.
    Pane(i8),
    /// Show and hide panes.
    Panes,
    /// The next arrangement of panes.
    Layout,
    /// Choose a theme, seeing each.
    Themes,
    /// Braille, blocks, ASCII.
    Graph,
    /// Keep the moment shown to come back to, or forget it.
    Bookmark,
    /// Time cursor to the bookmark before.
    NextBookmark,
    /// Let time go on from the moment shown, faster with each time.
    Play,
    /// Keep a series in the chart, or let it go.
    Pin,
    /// Logarithmic scale, or not.
    Log,
    /// Series on each other, or over each other.
    Stack,
    /// Yesterday or last week behind the chart, or nothing.
    Overlay,
    /// The name of what is chosen into the clipboard.
    Copy,
    /// Read the configuration again.
    Reload,
    /// Run an engine of one's own, because the recorder is gone.
    TakeOver,
    /// Change what is set.
    Set(Set),
    /// Draw everything anew.
    Repaint,
    /// Go to the background.
    Suspend,
}

/// Whether an alert was real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verity {
    /// It was.
    Real,
    /// It was a false alarm.
    False,
}

/// What becomes of what is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Yes becomes no; a rule is switched off.
    Turn,
    /// A rule of one's own.
    New,
    /// As if nobody had set it.
    Reset,
    /// The last change is taken back.
    Undo,
    /// A test goes out through the chosen channel.
    Test,
    /// Changes go into the other file.
    Place,
}

/// What becomes of branches of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// The chosen one opens.
    Open,
    /// The chosen one, or the one it is on, closes.
    Close,
    /// All close, or all open where some are closed.
    All,
}
