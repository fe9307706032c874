//! Pages in the making: where the next thing goes, and what it is in the order of reading.
//!
//! Knows no krilla document. Invariant: everything drawn is either a leaf of the tree of tags or an artifact.

use super::ink::{Color, Faces, Style};
use crate::report::text;

/// A4 in points, and the margins around the text.
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);
pub(super) const LEFT: f32 = 42.0;
pub(super) const WIDTH: f32 = PAGE.0 - 2.0 * LEFT;
const TOP: f32 = 54.0;
const BOTTOM: f32 = PAGE.1 - 48.0;

/// Something painted.
pub(super) enum Op {
    /// One line of text at its baseline.
    Text { x: f32, y: f32, style: Style, text: String },
    /// A line through points.
    Stroke { points: Vec<(f32, f32)>, color: Color, width: f32, dash: Option<[f32; 2]> },
    /// A filled shape.
    Area { points: Vec<(f32, f32)>, color: Color, opacity: f32 },
}

/// What is painted together.
pub(super) struct Piece {
    /// Its place in the tree; `None`: an artifact, which readers aloud leave out.
    pub leaf: Option<usize>,
    pub ops: Vec<Op>,
}

/// What a part of the document is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tag {
    Document,
    Section,
    Heading(u16, String),
    Paragraph,
    List,
    Item,
    Label,
    Body,
    Table,
    Row,
    Head,
    Cell,
    /// What it shows, its page and its frame (left, top, right, bottom).
    Figure(String, usize, [f32; 4]),
}

/// A part and what it holds, in the order of reading.
pub(super) struct Node {
    pub tag: Tag,
    pub children: Vec<Child>,
}

/// A part of a part.
pub(super) enum Child {
    Node(Node),
    Leaf(usize),
}

/// A heading that readers can jump to.
pub(super) struct Mark {
    pub title: String,
    pub page: usize,
    pub y: f32,
}

/// The pages so far.
pub(super) struct Sheet {
    pub faces: Faces,
    pub pages: Vec<Vec<Piece>>,
    pub marks: Vec<Mark>,
    /// Top of what comes next.
    pub y: f32,
    leaves: usize,
    open: Vec<Node>,
}

impl Sheet {
    pub(super) fn new(faces: Faces) -> Self {
        let root = Node { tag: Tag::Document, children: Vec::new() };
        Self { faces, pages: vec![Vec::new()], marks: Vec::new(), y: TOP, leaves: 0, open: vec![root] }
    }

    /// The finished tree and how many leaves it has.
    pub(super) fn finish(mut self) -> (Faces, Vec<Vec<Piece>>, Vec<Mark>, Node) {
        while self.open.len() > 1 {
            self.close();
        }
        let root = self.open.pop().expect("the document is opened first and closed last");
        (self.faces, self.pages, self.marks, root)
    }

    /// Begins a part; what follows belongs to it until [`Self::close`].
    pub(super) fn open(&mut self, tag: Tag) {
        self.open.push(Node { tag, children: Vec::new() });
    }

    /// Ends the newest part; one without content is not kept.
    pub(super) fn close(&mut self) {
        let Some(node) = self.open.pop() else { return };
        if let Some(parent) = self.open.last_mut().filter(|_| !node.children.is_empty()) {
            parent.children.push(Child::Node(node));
        }
    }

    /// A part around what `fill` draws.
    pub(super) fn within(&mut self, tag: Tag, fill: impl FnOnce(&mut Self)) {
        self.open(tag);
        fill(self);
        self.close();
    }

    /// Number of the page that is being filled, from 0.
    pub(super) fn page(&self) -> usize {
        self.pages.len() - 1
    }

    /// Goes to a new page where less than `height` is left. True where it did.
    pub(super) fn make_room(&mut self, height: f32) -> bool {
        let over = self.y + height > BOTTOM && self.y > TOP;
        if over {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
        over
    }

    /// Paints what belongs to the newest part.
    pub(super) fn paint(&mut self, ops: Vec<Op>) {
        let leaf = self.leaves;
        self.leaves += 1;
        self.open.last_mut().expect("the document is open").children.push(Child::Leaf(leaf));
        self.piece(Piece { leaf: Some(leaf), ops });
    }

    /// Paints what only pleases the eye.
    pub(super) fn decorate(&mut self, ops: Vec<Op>) {
        self.piece(Piece { leaf: None, ops });
    }

    fn piece(&mut self, piece: Piece) {
        self.pages.last_mut().expect("there is always a page").push(piece);
    }

    /// One line of text with its baseline at `y`, of the newest part.
    pub(super) fn line(&mut self, (x, y): (f32, f32), style: Style, text: &str) {
        let text = text::clean(text);
        if !text.trim().is_empty() {
            self.paint(vec![Op::Text { x, y, style, text }]);
        }
    }

    /// A paragraph in the whole width, broken into lines; moves on.
    pub(super) fn paragraph(&mut self, style: Style, text: &str) {
        let text = text::clean(text);
        let lines = self.faces.wrap(&text, style, WIDTH);
        self.open(Tag::Paragraph);
        for line in lines {
            self.make_room(style.leading());
            let y = self.y + style.size;
            self.line((LEFT, y), style, &line);
            self.y += style.leading();
        }
        self.close();
    }
}

/// A rectangle's corners.
pub(super) fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Vec<(f32, f32)> {
    vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
}
