//! The report's outline and its audit, drawn.

use super::state::{LineKind, ReportLine, ReportState};
use crate::tui::{
    paint::{Clicked, Paint, first, over_ground, scrollbar},
    shared::Shared,
    text::{fit, left, width},
    theme::Theme,
};
use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};
use visavis_core::domain::text::ago;

pub(crate) fn draw(report: &ReportState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return };
    let written = shared.seen.report.map_or("not written yet".to_owned(), |page| format!("written {}", ago(page.at, shared.now)));
    let inner = paint.pane(area, &format!("Report · reports/{}.html · {written}", matrix_snapshot.study.name), true);
    let rows = usize::from(inner.height);
    let lines = &report.lines;
    let top = first(report.cursor, rows, lines.len());
    for (at, row) in lines.iter().enumerate().skip(top).take(rows) {
        let place = Rect { y: inner.y + (at - top) as u16, height: 1, ..inner };
        let open = matches!(&row.kind, LineKind::Branch(name, _) if report.open.contains(name));
        let line = shown(paint.theme, row, open, at == report.cursor, usize::from(inner.width));
        paint.line(place, line);
        paint.hit(place, Clicked::Place(at, 0));
    }
    scrollbar(paint, area, top, rows, lines.len());
}

fn verdict(theme: Theme, verdict: &str) -> (char, Style) {
    match verdict {
        "identical" => ('◆', theme.good()),
        "within_tolerance" => ('◇', theme.good()),
        "differs" => ('✕', theme.error()),
        "unchecked" => ('○', theme.warning()),
        _ => ('·', theme.dim()),
    }
}

fn shown(theme: Theme, row: &ReportLine, open: bool, here: bool, room: usize) -> Line<'static> {
    let ground = here.then(|| theme.cursor());
    let (sign, style) = match &row.kind {
        LineKind::Head => (' ', theme.title()),
        LineKind::There => ('●', theme.good()),
        LineKind::Missing => ('○', theme.dim()),
        LineKind::Branch(_, of) | LineKind::Leaf(of) => verdict(theme, of),
    };
    let fold = match &row.kind {
        LineKind::Branch(..) => {
            if open {
                "▾ "
            } else {
                "▸ "
            }
        }
        _ => "",
    };
    let indent = "  ".repeat(row.depth.saturating_sub(1));
    let head = format!(" {indent}{fold}{sign} ");
    let text_style = if row.kind == LineKind::Head { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    let text = fit(&row.text, room.saturating_sub(width(&head) + 2));
    let wide = (room * 2 / 5).max(28).min(room.saturating_sub(width(&head)));
    let text = if width(&text) < wide { left(&text, wide) } else { text };
    let rest = room.saturating_sub(width(&head) + width(&text) + 2);
    Line::from(vec![
        Span::styled(head, over_ground(style, ground)),
        Span::styled(text, over_ground(text_style, ground)),
        Span::styled(format!("  {}", left(&row.note, rest)), over_ground(theme.dim(), ground)),
    ])
}
