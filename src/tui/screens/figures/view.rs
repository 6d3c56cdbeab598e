//! Figures, drawn: a wall of them, one by itself, or two side by side.

use super::{
    close_up_view,
    state::{FiguresState, wall},
};
use crate::{
    study::matrix_snapshot::MatrixSnapshot,
    tui::{
        figure,
        ledger::{quoted, row, shown_as},
        paint::{Clicked, Paint},
        shared::Shared,
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

pub(crate) fn draw(figures: &FiguresState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return };
    let filter = if figures.filter.is_empty() { String::new() } else { format!(" · /{}", figures.filter) };
    let picked = matrix_snapshot.found.as_ref().map_or(0, |found| found.ledger.picked);
    let title = format!(
        "Figures · {} in rank order · {picked} picked by the rule · {} pinned{filter}",
        count(figures.list.len(), "figure"),
        matrix_snapshot.pins.len()
    );
    if figures.list.is_empty() {
        let inner = paint.pane(area, &title, true);
        paint.empty(
            inner,
            if matrix_snapshot.found.is_none() {
                "the ledger is not there yet: it comes last\n\nr runs the study"
            } else {
                "no figure fits the filter · Esc takes it off"
            },
        );
        return;
    }
    if let Some(close_up) = &figures.close_up {
        return close_up_view::draw(close_up, paint, area, shared, &matrix_snapshot.name(&close_up.cell));
    }
    let [above, under] = Layout::vertical([Constraint::Fill(1), Constraint::Length(4)]).areas(area);
    match (figures.alone, figures.beside, figures.here()) {
        (true, Some(left), Some(right)) => {
            let [one, other] = Layout::horizontal([Constraint::Percentage(50), Constraint::Fill(1)]).areas(above);
            card(paint, one, shared, matrix_snapshot, left, left == right);
            card(paint, other, shared, matrix_snapshot, right, true);
        }
        (true, None, Some(cell)) => card(paint, above, shared, matrix_snapshot, cell, true),
        _ => {
            let inner = paint.pane(above, &title, false);
            draw_wall(figures, paint, inner, shared, matrix_snapshot);
        }
    }
    ledger_row(figures, paint, under, matrix_snapshot);
}

fn draw_wall(figures: &FiguresState, paint: &mut Paint, area: Rect, shared: &Shared, matrix_snapshot: &MatrixSnapshot) {
    let (across, rows) = wall(shared.size);
    let from = figures.first(across * rows);
    let shown: Vec<CellId> = figures.list.iter().skip(from).take(across * rows).copied().collect();
    for (number, cell) in shown.into_iter().enumerate() {
        let (x, y) = ((number % across) as u16, (number / across) as u16);
        let (wide, high) = (area.width / across as u16, area.height / rows as u16);
        let place = Rect { x: area.x + x * wide, y: area.y + y * high, width: wide, height: high }.intersection(area);
        card(paint, place, shared, matrix_snapshot, cell, from + number == figures.cursor);
        paint.hit(place, Clicked::Place(from + number, 0));
    }
}

/// `12 · .912 · gender · r34-arcface` above its points.
fn card(paint: &mut Paint, area: Rect, shared: &Shared, matrix_snapshot: &MatrixSnapshot, cell: CellId, here: bool) {
    let study = &matrix_snapshot.study;
    let rank = row(matrix_snapshot, &cell).and_then(|(row, _)| row.rank).map_or("–".to_owned(), thousands);
    let shown = shown_as(matrix_snapshot, &cell);
    let sign = if shown.contains("pinned") {
        "◆ "
    } else if shown.is_empty() {
        ""
    } else {
        "● "
    };
    let value = quoted(matrix_snapshot, &cell).map_or("–".to_owned(), |of| score(of.value));
    let title =
        format!("{sign}{rank} · {value} · {} · {}", study.comparisons[cell.comparison].name, study.models[cell.model].name);
    let inner = paint.pane(area, &title, here);
    figure::draw(paint, inner, shared, cell, area.height > 8);
}

/// What the ledger says of the figure under the cursor.
fn ledger_row(figures: &FiguresState, paint: &mut Paint, area: Rect, matrix_snapshot: &MatrixSnapshot) {
    let Some(cell) = figures.here() else { return };
    let shown = shown_as(matrix_snapshot, &cell);
    let inner = paint.pane(area, &matrix_snapshot.name(&cell), false);
    let room = usize::from(inner.width);
    let mut lines = Vec::new();
    if let Some((row, reason)) = row(matrix_snapshot, &cell) {
        let auc = row.candidate.b.map_or("no AUC".to_owned(), |b| format!("evaluation AUC {}", b.show(NumberForm::Score)));
        let sure = matrix_snapshot.found.as_ref().and_then(|found| Some((&found.grid, found.grid.of(&cell)?)));
        let low = row.low.zip(sure).map_or(String::new(), |(low, (grid, sure))| {
            format!(" · ≥ {} corrected for {}", score(low), count(grid.family(sure), "cell"))
        });
        let as_what =
            if shown.is_empty() { "not in the report: p pins it".to_owned() } else { format!("in the report as {shown}") };
        let place = format!("{} of {}", thousands(figures.cursor + 1), thousands(figures.list.len()));
        lines.push(Line::raw(fit(&format!("{place} · {auc}{low} · {as_what}"), room)));
        let note =
            matrix_snapshot.pins.iter().find(|of| of.cell == Some(cell)).map(|of| &of.pin).filter(|pin| !pin.note.is_empty());
        let why = note.map_or_else(|| format!("why: {reason}"), |pin| format!("why: {reason} · note: {}", pin.note));
        lines.extend(wrapped(&why, room).into_iter().map(|line| Line::styled(line, paint.theme.dim())));
    }
    paint.lines(inner, lines);
}
