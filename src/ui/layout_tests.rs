//! What layouts promise: every size is covered, nothing overlaps, mistakes are named and the rest is used.

use super::*;
use proptest::prelude::*;

fn known(name: &str) -> Option<String> {
    let near = nearest(name, ["cpu", "memory", "processes"]);
    (!["cpu", "memory", "processes"].contains(&name))
        .then(|| format!("there is no pane \"{name}\"{}", near.map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default()))
}

fn parse(text: &str) -> (Layout, Vec<LayoutFault>) {
    let mut faults = Vec::new();
    (Layout::parse("mine", "mine.toml", text, &known, &mut faults), faults)
}

#[test]
fn mistakes_are_named_with_their_line_and_the_rest_is_used() {
    let text = "[[overview]]\npanes = [\"cpu:2\", \"memry\"]\nheigth = 4\n\n[[overwiew]]\npanes = [\"cpu\"]\n\n[[cpu]]\npanes = [\"cpu:x\"]\nleast = -1\n";
    let (layout, mut faults) = parse(text);
    faults.sort_by_key(|f| f.line);
    let said: Vec<_> = faults.iter().map(|f| (f.line, f.message.as_str())).collect();
    assert_eq!(said[0], (2, "there is no pane \"memry\"; did you mean \"memory\"?"));
    assert_eq!(said[1], (3, "\"heigth\" is not understood; did you mean \"height\"?"));
    assert_eq!(said[2], (5, "\"overwiew\" is no page; did you mean \"overview\"?"));
    assert_eq!(said[3].0, 9);
    assert_eq!(said[4].0, 10);
    assert_eq!(layout.panes(View::Overview), ["cpu"]);
    assert!(layout.has(View::Cpu));
    let (empty, faults) = parse("[[overview]\n");
    assert!(!empty.has(View::Overview) && faults.len() == 1);
}

#[test]
fn rows_that_give_most_shrink_first_and_leave_first() {
    let text = "[[cpu]]\npanes = [\"cpu\", \"memory\"]\nheight = 8\nleast = 4\n[[cpu]]\npanes = [\"processes\"]\nheight = 8\nleast = 3\ngives = 2\n";
    let (layout, _) = parse(text);
    let rows = |height: u16| -> Vec<(String, u16)> {
        let placed = layout.place(View::Cpu, Rect::new(0, 0, 80, height), &|_, _| Some(u16::MAX));
        placed.into_iter().map(|p| (p.pane, p.y.1 - p.y.0 - 1)).collect()
    };
    let shown = |height: u16| rows(height).into_iter().map(|(n, h)| format!("{n} {h}")).collect::<Vec<_>>().join(", ");
    assert_eq!(shown(19), "cpu 8, memory 8, processes 8");
    assert_eq!(shown(16), "cpu 8, memory 8, processes 5");
    assert_eq!(shown(12), "cpu 6, memory 6, processes 3");
    assert_eq!(shown(9), "cpu 7, memory 7");
    assert_eq!(shown(3), "");
}

#[test]
fn a_pane_that_cannot_fill_its_rows_gives_them_away() {
    let (layout, _) = parse("[[cpu]]\npanes = [\"cpu\"]\n[[cpu]]\npanes = [\"memory\"]\nheight = 9\n");
    let wanted = |name: &str, _| Some(if name == "memory" { 2 } else { u16::MAX });
    let placed = layout.place(View::Cpu, Rect::new(0, 0, 80, 24), &wanted);
    let rows: Vec<_> = placed.iter().map(|p| p.y.1 - p.y.0 - 1).collect();
    assert_eq!(rows, [19, 2]);
}

proptest! {
    #[test]
    fn panes_lie_within_the_area_and_never_overlap(w in 1u16..400, h in 1u16..120, hidden in 0usize..40, name in 0usize..4) {
        let panes = crate::ui::panes::pane_names();
        let (all, faults) = Layout::all(None, &crate::ui::panes::unknown_pane);
        prop_assert!(faults.is_empty(), "{faults:?}");
        let area = Rect::new(0, 2, w, h);
        for view in View::ALL {
            let keep = |p: &str| panes.get(hidden).is_none_or(|h| *h != p);
            let placed = all[name].place(view, area, &|p, _| keep(p).then_some(u16::MAX));
            for (i, a) in placed.iter().enumerate() {
                prop_assert!(a.x.0 >= area.x && a.x.1 < area.right() && a.y.0 >= area.y && a.y.1 < area.bottom(), "{a:?}");
                prop_assert!(keep(&a.pane));
                for b in placed.iter().skip(i + 1) {
                    let apart = a.x.1 <= b.x.0 || b.x.1 <= a.x.0 || a.y.1 <= b.y.0 || b.y.1 <= a.y.0;
                    prop_assert!(apart || w < 8, "{a:?} {b:?}");
                }
            }
        }
    }
}
