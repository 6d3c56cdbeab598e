//! The matrix, drawn: rows and columns of squares, and the list of the study's levels beside them.

use super::{
    inspector, levels,
    pivot::{MatrixAxis, MatrixSquare},
    state::MatrixState,
};
use crate::{
    study::{matrix_snapshot::MatrixSnapshot, watch::CellState},
    tui::{
        paint::{Clicked, Paint, first, over_ground, scrollbar},
        shared::Shared,
        text::{self, fit, fit_end, half, left, right, score, width},
        theme::{Theme, bar, glyph},
    },
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
};
use visavis_core::domain::text::{count, thousands};

pub(crate) fn draw(matrix: &MatrixState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return };
    let levels = matrix.levels.is_some() || area.width >= 150;
    let [side, rest] =
        Layout::horizontal([Constraint::Length(if levels { 34.min(area.width * 2 / 5) } else { 0 }), Constraint::Fill(1)])
            .areas(area);
    if levels {
        draw_levels(matrix, paint, side, matrix_snapshot);
    }
    if matrix.zoom {
        inspector::draw(matrix, paint, rest, shared, matrix_snapshot);
        return;
    }
    let rows = matrix.order.len() as u16 + 4;
    let below = match area.height {
        0..=17 => 0,
        height => (height * 9 / 20).max(height.saturating_sub(rows + 1).min(height * 2 / 3)),
    };
    let [grid, inspected] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(rest);
    draw_grid(matrix, paint, grid, shared, matrix_snapshot);
    if below > 0 {
        inspector::draw(matrix, paint, inspected, shared, matrix_snapshot);
    }
}

/// `best AUC per model × comparison · layer: all · projection: umap`
fn title(matrix: &MatrixState) -> String {
    let pivot = &matrix.pivot;
    let hidden = |axis: MatrixAxis| {
        let names = matrix.index.names(axis);
        let level = pivot.fixed[axis as usize].and_then(|level| names.get(level)).map_or("all", String::as_str);
        let mark = if matrix.stepping == Some(axis) { "‹›" } else { "" };
        (names.len() > 1).then(|| format!(" · {}: {level}{mark}", axis.word()))
    };
    let rest: String = pivot.hidden().filter_map(hidden).collect();
    let filter = if matrix.filter.is_empty() { String::new() } else { format!(" · /{}", matrix.filter) };
    format!("{} × {}{rest}{filter}", pivot.rows.word(), pivot.columns.word())
}

fn draw_grid(matrix: &MatrixState, paint: &mut Paint, area: Rect, shared: &Shared, matrix_snapshot: &MatrixSnapshot) {
    let (done, all) = matrix_snapshot.counted();
    let title = format!("Matrix · {} of {} scored · {}", thousands(done), count(all, "cell"), title(matrix));
    let inner = paint.pane(area, &title, matrix.levels.is_none());
    let (names, heads) = (matrix.index.names(matrix.pivot.rows), matrix.index.names(matrix.pivot.columns));
    if matrix.order.is_empty() || heads.is_empty() {
        paint.empty(
            inner,
            if names.is_empty() { "no cells: a adds what is compared" } else { "no row fits the filter · Esc takes it off" },
        );
        return;
    }
    let longest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let room = usize::from(inner.width);
    let label = longest.min(room * 2 / 5).max(6) + 3;
    let fair = room.saturating_sub(label) / heads.len().max(1);
    // Room for a score; and where heads are longer, for the longest word in them.
    let words = heads.iter().flat_map(|head| head.split(' ')).map(width).max().unwrap_or(0);
    let wide = if matrix.wide { 14 } else { fair.clamp((words + 2).clamp(7, 10), 14) };
    let shown = (room.saturating_sub(label) / wide).clamp(1, heads.len());
    let from = first(matrix.column, shown, heads.len());
    let head_rows = if inner.height > 8 { 2 } else { 1 };
    let rows = usize::from(inner.height).saturating_sub(head_rows);
    let top = first(matrix.row, rows, matrix.order.len());
    draw_heads(matrix, paint, inner, heads, (label, wide, from, shown, head_rows));
    for (at, &row) in matrix.order.iter().enumerate().skip(top).take(rows) {
        let y = inner.y + (head_rows + at - top) as u16;
        let name = &names[row];
        let here = at == matrix.row;
        let marked = matrix.pivot.rows == MatrixAxis::Model && shared.marked.contains(name);
        let ground = here.then(|| paint.theme.cursor());
        let mark = format!("{}{}", if here { "▸" } else { " " }, if marked { "▣" } else { " " });
        let mut spans = vec![
            Span::styled(mark, over_ground(paint.theme.accent(), ground)),
            Span::styled(left(&fit_end(name, label - 3), label - 2), over_ground(Style::new(), ground)),
        ];
        for (column, square) in matrix.squares[row].iter().enumerate().skip(from).take(shown) {
            let cursor = here && column == matrix.column && matrix.levels.is_none();
            spans.extend(square_spans(paint.theme, square.as_ref(), wide, cursor));
            let at_x = inner.x + (label + (column - from) * wide) as u16;
            paint.hit(Rect { x: at_x, y, width: wide as u16, height: 1 }, Clicked::Place(at, column));
        }
        paint.line(Rect { y, height: 1, ..inner }, Line::from(spans));
    }
    scrollbar(paint, area, top, rows, matrix.order.len());
}

fn draw_heads(
    matrix: &MatrixState,
    paint: &mut Paint,
    inner: Rect,
    heads: &[String],
    (label, wide, from, shown, rows): (usize, usize, usize, usize, usize),
) {
    let more = if from + shown < heads.len() || from > 0 {
        format!("{}–{} of {}", from + 1, from + shown, heads.len())
    } else {
        String::new()
    };
    for line in 0..rows {
        let mut spans = vec![Span::styled(left(if line == 0 { &more } else { "" }, label), paint.theme.dim())];
        for (column, head) in heads.iter().enumerate().skip(from).take(shown) {
            let arrow = match matrix.sorted {
                Some((of, least)) if of == column => {
                    if least {
                        "▴"
                    } else {
                        "▾"
                    }
                }
                _ => "",
            };
            let room = wide - 1 - width(arrow);
            // Two lines, broken between words; what does not fit is cut at its end.
            let mut words = text::wrapped(head, room);
            if words.len() > rows {
                let rest = words.split_off(rows - 1).join(" ");
                words.push(fit(&rest, room));
            }
            let skip = rows - words.len();
            let word = if line >= skip { words[line - skip].clone() } else { String::new() };
            let word = if line + 1 == rows { format!("{word}{arrow}") } else { word };
            let style =
                if column == matrix.column { paint.theme.accent().add_modifier(Modifier::BOLD) } else { paint.theme.dim() };
            spans.push(Span::styled(format!(" {}", left(&word, wide - 1)), style));
        }
        paint.line(Rect { y: inner.y + line as u16, height: 1, ..inner }, Line::from(spans));
    }
}

/// One square: state by sign, word and colour; its score by heat.
fn square_spans(theme: Theme, square: Option<&MatrixSquare>, wide: usize, cursor: bool) -> Vec<Span<'static>> {
    let room = wide - 1;
    let end = if cursor { "◂" } else { " " };
    let Some(square) = square else {
        let style = if cursor { theme.cursor() } else { theme.dim() };
        return vec![Span::styled(left("  –", room), style), Span::styled(end, theme.accent())];
    };
    let settled = matches!(square.state, CellState::Done | CellState::Verified);
    let mut style = theme.state(&square.state);
    let words = match (&square.state, square.best) {
        (state, Some((_, best))) => {
            let value = score(best.quoted.value);
            let rest = format!(" {}", half(&best.quoted));
            let heat = if theme == Theme::Plain { bar(best.quoted.value).to_string() } else { String::new() };
            if settled {
                style = if best.ranked { theme.heat(best.quoted.value) } else { theme.dim() };
            }
            let sign = match state {
                CellState::Done if square.unseen => '⊘',
                CellState::Done => ' ',
                _ => glyph(state),
            };
            let value = if best.ranked { value } else { format!("({value})") };
            let text = format!("{sign}{value}{heat}");
            if width(&text) + width(&rest) <= room { text + &rest } else { text }
        }
        (CellState::Running(Some(share)), None) => format!("{} {:.0}%", glyph(&square.state), share * 100.0),
        // Scored, but a class is too small to have an AUC.
        (CellState::Done | CellState::Verified, None) if square.done > 0 => format!("{} none", glyph(&square.state)),
        (state, None) => format!("{} {}", glyph(state), state.word()),
    };
    if cursor {
        style = if settled && theme != Theme::Plain {
            style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else {
            style.patch(theme.cursor())
        };
    }
    vec![Span::styled(left(&words, room), style), Span::styled(end, theme.accent())]
}

/// The study's levels: in it ✓, on offer ·.
fn draw_levels(matrix: &MatrixState, paint: &mut Paint, area: Rect, matrix_snapshot: &MatrixSnapshot) {
    let inner = paint.pane(area, "Levels of the study", matrix.levels.is_some());
    let lines = levels::lines(matrix_snapshot);
    let rows = usize::from(inner.height).saturating_sub(2);
    let cursor = matrix.levels;
    let top = first(cursor.unwrap_or(0), rows, lines.len());
    let room = usize::from(inner.width);
    for (at, line) in lines.iter().enumerate().skip(top).take(rows) {
        let y = inner.y + (at - top) as u16;
        let here = cursor == Some(at);
        let ground = here.then(|| paint.theme.cursor());
        let spans = match &line.change {
            None => vec![Span::styled(left(&line.text, room), over_ground(paint.theme.dim(), ground))],
            Some(_) => {
                let (sign, style) = if line.on { ("✓", paint.theme.good()) } else { ("·", paint.theme.dim()) };
                vec![
                    Span::styled(format!("  {sign} "), over_ground(style, ground)),
                    Span::styled(
                        left(&fit(&line.text, room.saturating_sub(4)), room.saturating_sub(4)),
                        over_ground(if line.on { Style::new() } else { paint.theme.dim() }, ground),
                    ),
                ]
            }
        };
        paint.line(Rect { y, height: 1, ..inner }, Line::from(spans));
    }
    scrollbar(paint, area, top, rows, lines.len());
    let foot = Rect { y: inner.bottom().saturating_sub(2), height: 2.min(inner.height), ..inner };
    let total =
        format!("{} · {}", count(matrix_snapshot.study.models.len(), "model"), count(matrix_snapshot.counted().1, "cell"));
    let hint = if cursor.is_some() { "Space takes in or out · Esc back" } else { "x to change them" };
    let lines = vec![Line::styled(right(&total, room), Style::new()), Line::styled(fit(hint, room), paint.theme.dim())];
    paint.lines(foot, lines);
}
