//! What every widget draws with: the theme's roles as finished styles, and which kind of graph the
//! terminal can show.
//!
//! A theme makes an [`Ink`] once for a color depth; widgets only look up. No color is named outside a
//! theme. Invariant: every role and every ground has a style, however poor the terminal.

use ratatui::style::{Modifier, Style};

/// What a piece of text or a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Words.
    Text,
    /// Values, names and keys.
    Strong,
    /// Units, labels, zeros, the second thing.
    Dim,
    /// Borders and the line at `now`; never text.
    Line,
    /// The time cursor.
    Cursor,
    /// As it should be.
    Ok,
    /// A limit is near or passed.
    Warn,
    /// A limit that matters is passed.
    Crit,
    /// Everything about the future.
    Pred,
    /// A quantity without limits.
    Flow,
    /// Not live.
    Past,
    /// `Ok` softened, for one-row graphs.
    CalmOk,
    /// `Flow` softened, for one-row graphs.
    CalmFlow,
    /// The first of several series in one chart.
    Series1,
    /// The second.
    Series2,
    /// The third.
    Series3,
    /// The fourth.
    Series4,
    /// The fifth.
    Series5,
    /// The sixth.
    Series6,
}

impl Role {
    /// How many there are.
    pub const COUNT: usize = 19;

    /// Colors that tell the series of one chart apart, in the order in which they are used.
    pub const SERIES: [Self; 6] = [Self::Series1, Self::Series2, Self::Series3, Self::Series4, Self::Series5, Self::Series6];

    /// The softer role one-row graphs use for what is calm; warnings stay at full strength.
    pub fn calm(self) -> Self {
        match self {
            Self::Ok => Self::CalmOk,
            Self::Flow => Self::CalmFlow,
            other => other,
        }
    }
}

/// What a background stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ground {
    /// The screen.
    Screen,
    /// Selected row.
    Selected,
    /// Active view.
    Key,
    /// Band of a forecast.
    Band,
    /// Band of what was learned.
    Learned,
    /// Details opened in place.
    Panel,
    /// Under a line that is as it should be.
    AreaOk,
    /// Under a line past its lower limit.
    AreaWarn,
    /// Under a line past its upper limit.
    AreaCrit,
    /// Under a flow.
    AreaFlow,
    /// Under the future.
    AreaPred,
    /// Under what is not live.
    AreaPast,
    /// Second line: critical.
    BarCrit,
    /// Second line: warning.
    BarWarn,
    /// Second line: not live.
    BarPast,
    /// Second line: all quiet.
    BarOk,
}

impl Ground {
    /// How many there are.
    pub const COUNT: usize = 16;

    /// The tint under a line of that role.
    pub fn area(role: Role) -> Self {
        match role {
            Role::Ok | Role::CalmOk => Self::AreaOk,
            Role::Warn => Self::AreaWarn,
            Role::Crit => Self::AreaCrit,
            Role::Flow | Role::CalmFlow => Self::AreaFlow,
            Role::Pred => Self::AreaPred,
            Role::Past => Self::AreaPast,
            _ => Self::Screen,
        }
    }
}

/// The characters graphs are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Graph {
    /// Two by four dots a cell.
    #[default]
    Braille,
    /// Eighth blocks.
    Block,
    /// ASCII only.
    Ascii,
}

impl Graph {
    /// By its name in the configuration.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "braille" => Some(Self::Braille),
            "block" => Some(Self::Block),
            "ascii" => Some(Self::Ascii),
            _ => None,
        }
    }
}

/// Styles of all roles and grounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Ink {
    /// By `Role as usize`: foreground and modifiers.
    pub styles: [Style; Role::COUNT],
    /// By `Ground as usize`: background, or reverse where there are too few colors, or nothing.
    pub grounds: [Style; Ground::COUNT],
    /// What graphs are made of.
    pub graph: Graph,
}

impl Ink {
    /// Foreground of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The same in bold.
    pub fn bold(&self, role: Role) -> Style {
        self.style(role).add_modifier(Modifier::BOLD)
    }

    /// Background, to be laid under what is drawn.
    pub fn ground(&self, ground: Ground) -> Style {
        self.grounds[ground as usize]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ratatui::style::Color;

    const FG: [u32; Role::COUNT] = [
        0xcdd3dc, 0xffffff, 0x8b95a4, 0x343d49, 0xe8ecf2, 0x79c48a, 0xf0b648, 0xff7070, 0xb9a0ff, 0x6fb3f2, 0x4fd0cc, 0x4f7d5b,
        0x497399, 0x6fb3f2, 0xe39ec1, 0xd9c36a, 0x59b8a8, 0xe0976b, 0xa79be8,
    ];
    const BG: [u32; Ground::COUNT] = [
        0x0f1318, 0x1d2b3a, 0x242c37, 0x2b2547, 0x23282e, 0x151d26, 0x24362f, 0x3c3422, 0x3f262a, 0x223344, 0x312f46, 0x1c393c,
        0x5c1a22, 0x4a3510, 0x0a3639, 0x16321f,
    ];

    /// The dark palette at full color depth, for tests of widgets.
    pub(crate) fn dark() -> Ink {
        Ink {
            styles: FG.map(|c| Style::new().fg(Color::from_u32(c))),
            grounds: BG.map(|c| Style::new().bg(Color::from_u32(c))),
            graph: Graph::Braille,
        }
    }
}
