//! The list of labels, drawn.

use super::state::LabelState;
use crate::tui::{
    paint::{Clicked, Paint, first, over_ground, scrollbar},
    shared::Shared,
    text::{fit, left, right, wrapped},
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};
use visavis_core::domain::text::ago;

pub(crate) fn draw(state: &LabelState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let theme = paint.theme;
    if state.lines.is_empty() {
        let inner = paint.pane(area, "Labels", true);
        return paint.empty(
            inner,
            "Nobody has labelled pictures here yet. Enter asks for an attribute and its classes, and shows the study's pictures one by one: a key a class.",
        );
    }
    let sentences: Vec<String> =
        state.sentences().iter().flat_map(|of| wrapped(of, usize::from(area.width.saturating_sub(4)))).collect();
    let below = if sentences.is_empty() { 0 } else { (sentences.len() as u16 + 2).min(area.height / 2) };
    let [list, agreed] = Layout::vertical([Constraint::Min(3), Constraint::Length(below)]).areas(area);
    let inner = paint.pane(list, "Labels", true);
    let (rows, top) = (usize::from(inner.height), first(state.cursor, usize::from(inner.height), state.lines.len()));
    for (at, line) in state.lines.iter().enumerate().skip(top).take(rows) {
        let place = Rect { y: inner.y + (at - top) as u16, height: 1, ..inner };
        let ground = (at == state.cursor).then(|| theme.cursor());
        let head = format!(
            " {} {} {} labels ",
            left(&line.attribute, 16),
            left(&line.annotator, 14),
            right(&line.labels().to_string(), 6)
        );
        let said = format!("{} · not obvious {} · {}", line.by_class(), line.not_obvious, ago(line.latest, shared.now));
        let room = usize::from(inner.width).saturating_sub(crate::tui::text::width(&head));
        let spans = vec![
            Span::styled(head, over_ground(theme.title(), ground)),
            Span::styled(fit(&said, room), over_ground(theme.dim(), ground)),
        ];
        paint.line(place, Line::from(spans));
        paint.hit(place, Clicked::Place(at, 0));
    }
    scrollbar(paint, list, top, rows, state.lines.len());
    if below > 0 {
        let inner = paint.pane(agreed, "agreement", false);
        paint.lines(inner, sentences.into_iter().map(Line::raw).collect());
    }
}
