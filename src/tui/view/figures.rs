//! Screen 4: a wall of figures in the ledger's order; one by itself; two side by side.

use super::{Clicked, Paint, figure};
use crate::{
    study::matrix_snapshot::Board,
    tui::{
        app::App,
        figures::{quoted, row, shown_as},
        text::{fit, score, wrapped},
    },
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    text::Line,
};
use visavis_core::domain::{
    claim::NumberForm,
    ledger::CellId,
    text::{count, thousands},
};

/// The least that a figure on the wall is seen in.
const WIDE: u16 = 30;
const HIGH: u16 = 12;

/// How many figures fit across and down.
pub fn wall(size: (u16, u16)) -> (usize, usize) {
    let (wide, high) = (size.0.saturating_sub(2), size.1.saturating_sub(7));
    (usize::from((wide / WIDE).clamp(1, 6)), usize::from((high / HIGH).clamp(1, 6)))
}

pub fn draw(paint: &mut Paint, area: Rect, app: &App) {
    let Some(board) = app.seen.board.as_deref() else { return };
    let gallery = &app.figures;
    let filter = if gallery.filter.is_empty() { String::new() } else { format!(" · /{}", gallery.filter) };
    let picked = board.found.as_ref().map_or(0, |found| found.ledger.picked);
    let title = format!(
        "Figures · {} in rank order · {picked} picked by the rule · {} pinned{filter}",
        count(gallery.list.len(), "figure"),
        board.pins.len()
    );
    if gallery.list.is_empty() {
        let inner = paint.pane(area, &title, true);
        paint.empty(
            inner,
            if board.found.is_none() {
                "the ledger is not there yet: it comes last\n\nr runs the study"
            } else {
                "no figure fits the filter · Esc takes it off"
            },
        );
        return;
    }
    let [wall, under] = Layout::vertical([Constraint::Fill(1), Constraint::Length(4)]).areas(area);
    match (gallery.alone, gallery.beside, gallery.at(gallery.cursor)) {
        (true, Some(left), Some(right)) => {
            let [one, other] = Layout::horizontal([Constraint::Percentage(50), Constraint::Fill(1)]).areas(wall);
            card(paint, one, app, board, left, left == right);
            card(paint, other, app, board, right, true);
        }
        (true, None, Some(cell)) => card(paint, wall, app, board, cell, true),
        _ => {
            let inner = paint.pane(wall, &title, false);
            draw_wall(paint, inner, app, board);
        }
    }
    ledger(paint, under, app, board);
}

fn draw_wall(paint: &mut Paint, area: Rect, app: &App, board: &Board) {
    let across = app.figures.across.max(1);
    let from = app.figures.first();
    let shown: Vec<CellId> = app.figures.list.iter().skip(from).take(app.figures.page).copied().collect();
    let rows = (app.figures.page / across).max(1);
    for (number, cell) in shown.into_iter().enumerate() {
        let (x, y) = ((number % across) as u16, (number / across) as u16);
        let (wide, high) = (area.width / across as u16, area.height / rows as u16);
        let place = Rect { x: area.x + x * wide, y: area.y + y * high, width: wide, height: high }.intersection(area);
        card(paint, place, app, board, cell, from + number == app.figures.cursor);
        paint.hit(place, Clicked::Place(from + number, 0));
    }
}

/// `12 · .912 · gender · r34-arcface` above its points.
fn card(paint: &mut Paint, area: Rect, app: &App, board: &Board, cell: CellId, here: bool) {
    let study = &board.study;
    let rank = row(board, &cell).and_then(|(row, _)| row.rank).map_or("–".to_owned(), thousands);
    let shown = shown_as(board, &cell);
    let sign = if shown.contains("pinned") {
        "◆ "
    } else if shown.is_empty() {
        ""
    } else {
        "● "
    };
    let value = quoted(board, &cell).map_or("–".to_owned(), |of| score(of.value));
    let title =
        format!("{sign}{rank} · {value} · {} · {}", study.comparisons[cell.comparison].name, study.models[cell.model].name);
    let inner = paint.pane(area, &title, here);
    figure::draw(paint, inner, app, cell, area.height > 8);
}

/// What the ledger says of the figure under the cursor.
fn ledger(paint: &mut Paint, area: Rect, app: &App, board: &Board) {
    let Some(cell) = app.figures.at(app.figures.cursor) else { return };
    let shown = shown_as(board, &cell);
    let inner = paint.pane(area, &board.name(&cell), false);
    let room = usize::from(inner.width);
    let mut lines = Vec::new();
    if let Some((row, reason)) = row(board, &cell) {
        let auc = row.candidate.b.map_or("no AUC".to_owned(), |b| format!("AUC {} on half B", b.show(NumberForm::Score)));
        let sure = board.found.as_ref().and_then(|found| Some((&found.grid, found.grid.of(&cell)?)));
        let low = row.low.zip(sure).map_or(String::new(), |(low, (grid, sure))| {
            format!(", at least {} beside {}", score(low), count(grid.family(sure), "cell"))
        });
        let as_what =
            if shown.is_empty() { "not in the report: p pins it".to_owned() } else { format!("in the report as {shown}") };
        let place = format!("{} of {}", thousands(app.figures.cursor + 1), thousands(app.figures.list.len()));
        lines.push(Line::raw(fit(&format!("{place} · {auc}{low} · {as_what}"), room)));
        let note = board.pins.iter().find(|of| of.cell == Some(cell)).map(|of| &of.pin).filter(|pin| !pin.note.is_empty());
        let why = note.map_or_else(|| format!("why: {reason}"), |pin| format!("why: {reason} · note: {}", pin.note));
        lines.extend(wrapped(&why, room).into_iter().map(|line| Line::styled(line, paint.theme.dim())));
    }
    paint.lines(inner, lines);
}
