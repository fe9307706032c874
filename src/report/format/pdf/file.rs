//! The laid-out pages as a file.
//!
//! The only place that draws with krilla. Invariant: the file is tagged as PDF/UA-1 asks, or none is made.

use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineCap, LineJoin, Paint, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, BBox, ContentTag, Identifier, ListNumbering, Node as TreeNode, SpanTag, TableHeaderScope, TagGroup,
    TagKind, TagTree,
};
use krilla::text::TextDirection;
use krilla::{Document as File, SerializeSettings};

use super::bidi::{self, Direction};
use super::ink::{Color, DIM, Faces, Style};
use super::sheet::{Child, LEFT, Node, Op, PAGE, Piece, Sheet, Tag};
use crate::base::Timestamp;
use crate::report::document::Document;

const FURNITURE: Style = Style::regular(7.5, DIM);

/// Writes the file.
pub(super) fn write(document: &Document<'_>, sheet: Sheet) -> Vec<u8> {
    let (faces, pages, marks, root) = sheet.finish();
    let configuration = ConfigurationBuilder::new()
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .expect("PDF/UA-1 alone contradicts nothing");
    let mut file = File::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut identifiers: Vec<Option<Identifier>> = Vec::new();
    let n = pages.len();
    for (i, pieces) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).expect("A4 has a size");
        let mut page = file.start_page_with(settings);
        let mut surface = page.surface();
        furniture(&mut surface, &faces, document, (i + 1, n));
        pieces.iter().for_each(|p| piece(&mut surface, &faces, p, &mut identifiers));
        surface.finish();
        page.finish();
    }
    let mut outline = Outline::new();
    for mark in marks {
        outline.push_child(OutlineNode::new(mark.title, XyzDestination::new(mark.page, Point::from_xy(LEFT, mark.y))));
    }
    file.set_outline(outline);
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    root.children.iter().for_each(|c| tree.push(child(c, &identifiers)));
    file.set_tag_tree(tree);
    file.set_metadata(metadata(document));
    file.finish().expect("a document of our own layout is one that PDF/UA-1 allows")
}

fn metadata(document: &Document<'_>) -> Metadata {
    let metadata = Metadata::new()
        .title(super::title(document))
        .description(super::span(document))
        .language("en".to_owned())
        .creator("farol".to_owned())
        .producer("farol".to_owned());
    match created(document.spec.range.to) {
        Some(at) => metadata.creation_date(at),
        None => metadata,
    }
}

/// The end of the span: a report does not know the time at which it is made.
fn created(at: Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_millisecond(at.millis()).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let small = |n: i8| u8::try_from(n).unwrap_or(0);
    let date = DateTime::new(u16::try_from(at.year()).ok()?).month(small(at.month())).day(small(at.day()));
    Some(date.hour(small(at.hour())).minute(small(at.minute())).second(small(at.second())).utc_offset_hour(0))
}

/// Header and footer of a page.
fn furniture(surface: &mut Surface<'_>, faces: &Faces, document: &Document<'_>, (number, n): (usize, usize)) {
    let right = |text: &str| PAGE.0 - LEFT - faces.width(text, FURNITURE);
    let (title, span) = (super::title(document), super::span(document));
    let title =
        faces.wrap(&faces.drawable(&title), FURNITURE, PAGE.0 - 3.0 * LEFT - faces.width(&span, FURNITURE)).swap_remove(0);
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Header)));
    words(surface, faces, (LEFT, 32.0), FURNITURE, &title);
    words(surface, faces, (right(&span), 32.0), FURNITURE, &span);
    surface.end_tagged();
    let page = format!("page {number} of {n}");
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
    words(surface, faces, (LEFT, PAGE.1 - 28.0), FURNITURE, "Made by farol");
    words(surface, faces, (right(&page), PAGE.1 - 28.0), FURNITURE, &page);
    surface.end_tagged();
}

fn piece(surface: &mut Surface<'_>, faces: &Faces, piece: &Piece, identifiers: &mut Vec<Option<Identifier>>) {
    let Some(leaf) = piece.leaf else {
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
        piece.ops.iter().for_each(|o| op(surface, faces, o));
        surface.end_tagged();
        return;
    };
    // Where a sign is shown as its code point, what is copied is the sign; and words in the order in which they are read.
    let texts: Vec<&str> =
        piece.ops.iter().filter_map(|op| if let Op::Text { text, .. } = op { Some(text.as_str()) } else { None }).collect();
    let is_replaced =
        texts.iter().any(|text| matches!(faces.drawable(text), std::borrow::Cow::Owned(_)) || bidi::runs(text).len() > 1);
    let actual = texts.join(" ");
    let tag =
        if is_replaced { ContentTag::Span(SpanTag::empty().with_actual_text(Some(actual.as_str()))) } else { ContentTag::Other };
    let identifier = surface.start_tagged(tag);
    piece.ops.iter().for_each(|o| op(surface, faces, o));
    surface.end_tagged();
    if identifiers.len() <= leaf {
        identifiers.resize(leaf + 1, None);
    }
    identifiers[leaf] = Some(identifier);
}

fn op(surface: &mut Surface<'_>, faces: &Faces, op: &Op) {
    match op {
        Op::Text { x, y, style, text } => words(surface, faces, (*x, *y), *style, text),
        Op::Area { points, color, opacity } => {
            surface.set_stroke(None);
            let opacity = NormalizedF32::new(*opacity).unwrap_or(NormalizedF32::ONE);
            surface.set_fill(Some(Fill { opacity, ..fill(*color) }));
            if let Some(path) = path(points, End::Closed) {
                surface.draw_path(&path);
            }
        }
        Op::Stroke { points, color, width, dash } => {
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                paint: paint(*color),
                width: *width,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                dash: dash.map(|d| StrokeDash { array: d.to_vec(), offset: 0.0 }),
                ..Stroke::default()
            }));
            if let Some(path) = path(points, End::Open) {
                surface.draw_path(&path);
            }
        }
    }
}

fn words(surface: &mut Surface<'_>, faces: &Faces, (x, y): (f32, f32), style: Style, text: &str) {
    surface.set_stroke(None);
    surface.set_fill(Some(fill(style.color)));
    let text = faces.drawable(text);
    let mut x = x;
    // Each stretch in the face that has it; a line has one almost always.
    for run in bidi::runs(&text) {
        let mut stretches = faces.stretches(run.text);
        let direction = match run.direction {
            Direction::LeftToRight => TextDirection::Auto,
            Direction::RightToLeft => {
                stretches.reverse();
                TextDirection::RightToLeft
            }
        };
        for stretch in stretches {
            let font = faces.font_of(faces.has(stretch.chars().next().unwrap_or(' ')), style.weight);
            surface.draw_text(Point::from_xy(x, y), font, style.size, stretch, false, direction);
            x += faces.width(stretch, style);
        }
    }
}

fn fill(color: Color) -> Fill {
    Fill { paint: paint(color), ..Fill::default() }
}

fn paint([red, green, blue]: Color) -> Paint {
    rgb::Color::new(red, green, blue).into()
}

/// Whether a path returns to where it began.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Closed,
}

fn path(points: &[(f32, f32)], end: End) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(first.0, first.1);
    rest.iter().for_each(|(x, y)| builder.line_to(*x, *y));
    if rest.is_empty() {
        // Round caps make a dot of a line without length.
        builder.line_to(first.0 + 0.01, first.1);
    }
    if end == End::Closed {
        builder.close();
    }
    builder.finish()
}

fn child(child: &Child, identifiers: &[Option<Identifier>]) -> TreeNode {
    match child {
        Child::Leaf(leaf) => {
            let identifier = identifiers.get(*leaf).copied().flatten();
            TreeNode::Leaf(identifier.expect("every leaf was painted on its page"))
        }
        Child::Node(node) => TreeNode::Group(group(node, identifiers)),
    }
}

fn group(node: &Node, identifiers: &[Option<Identifier>]) -> TagGroup {
    let mut group = TagGroup::new(kind(&node.tag));
    node.children.iter().for_each(|c| group.push(child(c, identifiers)));
    group
}

fn kind(tag: &Tag) -> TagKind {
    use krilla::tagging::Tag as Kind;
    match tag {
        Tag::Document => Kind::Part.into(),
        Tag::Section => Kind::Section.into(),
        Tag::Heading(level, title) => {
            let level = std::num::NonZeroU16::new(*level).unwrap_or(std::num::NonZeroU16::MIN);
            Kind::Hn(level, Some(title.clone())).into()
        }
        Tag::Paragraph => Kind::P.into(),
        Tag::List => Kind::L(ListNumbering::None).into(),
        Tag::Item => Kind::LI.into(),
        Tag::Label => Kind::Lbl.into(),
        Tag::Body => Kind::LBody.into(),
        Tag::Table => Kind::Table.into(),
        Tag::Row => Kind::TR.into(),
        Tag::Head => Kind::TH(TableHeaderScope::Column).into(),
        Tag::Cell => Kind::TD.into(),
        Tag::Figure(words, page, [left, top, right, bottom]) => {
            let figure = Kind::Figure(Some(words.clone()));
            match Rect::from_ltrb(*left, *top, *right, *bottom) {
                Some(frame) => figure.with_bbox(Some(BBox::new(*page, frame))).into(),
                None => figure.into(),
            }
        }
    }
}
