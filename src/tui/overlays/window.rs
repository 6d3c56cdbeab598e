//! A window over the screen, and a list in it.

use crate::tui::{
    paint::{Clicked, Paint, first},
    text::left,
};
use ratatui::{layout::Rect, style::Style, text::Line, widgets::Clear};

/// A pane in the middle, over what was there; the room inside. What it covers cannot be clicked.
pub(crate) fn over(paint: &mut Paint, area: Rect, wide: u16, high: u16, title: &str) -> Rect {
    let (wide, high) = (wide.min(area.width), high.min(area.height).max(3));
    let place = Rect { x: area.x + (area.width - wide) / 2, y: area.y + (area.height - high) / 3, width: wide, height: high };
    paint.frame.render_widget(Clear, place);
    paint.hits.clear();
    let inner = paint.pane(place, title, true);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// One option a line, the one under the cursor marked.
pub(crate) fn list(paint: &mut Paint, area: Rect, options: &[String], cursor: usize) {
    let rows = usize::from(area.height);
    let top = first(cursor, rows, options.len());
    for (at, option) in options.iter().enumerate().skip(top).take(rows) {
        let place = Rect { y: area.y + (at - top) as u16, height: 1, ..area };
        paint.hit(place, Clicked::Place(at, 0));
        let here = at == cursor;
        let style = if here { paint.theme.cursor() } else { Style::new() };
        paint.line(
            place,
            Line::styled(left(&format!("{} {option}", if here { "▸" } else { " " }), usize::from(area.width)), style),
        );
    }
}
