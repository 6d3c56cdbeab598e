//! Screen 1: the matrix, alive; the square under the cursor, and why it may be believed.

use super::{Clicked, Paint, figure, first, over_ground, scrollbar};
use crate::{
    study::{matrix_snapshot::Board, watch::CellState},
    tui::{
        app::App,
        axes, figures,
        pivot::{MatrixAxis, MatrixSquare},
        text::{self, fit, fit_end, half, left, right, score, width},
        theme::{Theme, bar, glyph},
    },
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
};
use visavis_core::domain::{
    claim::NumberForm,
    comparison::Measured,
    ledger::CellId,
    score::Estimate,
    text::{count, thousands},
};

pub fn draw(paint: &mut Paint, area: Rect, app: &App) {
    let Some(board) = app.seen.board.as_deref() else { return };
    let levels = app.matrix.axes.is_some() || area.width >= 150;
    let [side, rest] =
        Layout::horizontal([Constraint::Length(if levels { 34.min(area.width * 2 / 5) } else { 0 }), Constraint::Fill(1)])
            .areas(area);
    if levels {
        draw_axes(paint, side, app, board);
    }
    if app.matrix.zoom {
        inspector(paint, rest, app, board);
        return;
    }
    let rows = app.matrix.order.len() as u16 + 4;
    let below = match area.height {
        0..=17 => 0,
        height => (height * 9 / 20).max(height.saturating_sub(rows + 1).min(height * 2 / 3)),
    };
    let [grid, inspected] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(rest);
    draw_grid(paint, grid, app, board);
    if below > 0 {
        inspector(paint, inspected, app, board);
    }
}

/// `best AUC per model × comparison · layer: all · projection: umap`
fn title(app: &App) -> String {
    let turn = &app.matrix.turn;
    let hidden = |axis: MatrixAxis| {
        let names = app.matrix.lattice.names(axis);
        let level = turn.fixed[axis as usize].and_then(|level| names.get(level)).map_or("all", String::as_str);
        let mark = if app.matrix.stepping == Some(axis) { "‹›" } else { "" };
        (names.len() > 1).then(|| format!(" · {}: {level}{mark}", axis.word()))
    };
    let rest: String = turn.hidden().filter_map(hidden).collect();
    let filter = if app.matrix.filter.is_empty() { String::new() } else { format!(" · /{}", app.matrix.filter) };
    format!("{} × {}{rest}{filter}", turn.rows.word(), turn.columns.word())
}

fn draw_grid(paint: &mut Paint, area: Rect, app: &App, board: &Board) {
    let (done, all) = board.counted();
    let title = format!("Matrix · {} of {} scored · {}", thousands(done), count(all, "cell"), title(app));
    let inner = paint.pane(area, &title, app.matrix.axes.is_none());
    let matrix = &app.matrix;
    let (names, heads) = (matrix.lattice.names(matrix.turn.rows), matrix.lattice.names(matrix.turn.columns));
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
    draw_heads(paint, inner, app, heads, (label, wide, from, shown, head_rows));
    for (at, &row) in matrix.order.iter().enumerate().skip(top).take(rows) {
        let y = inner.y + (head_rows + at - top) as u16;
        let name = &names[row];
        let here = at == matrix.row;
        let marked = matrix.turn.rows == MatrixAxis::Model && app.marked.contains(name);
        let ground = here.then(|| paint.theme.cursor());
        let mark = format!("{}{}", if here { "▸" } else { " " }, if marked { "▣" } else { " " });
        let mut spans = vec![
            Span::styled(mark, over_ground(paint.theme.accent(), ground)),
            Span::styled(left(&fit_end(name, label - 3), label - 2), over_ground(Style::new(), ground)),
        ];
        for (column, spot) in matrix.spots[row].iter().enumerate().skip(from).take(shown) {
            let cursor = here && column == matrix.column && matrix.axes.is_none();
            spans.extend(square(paint.theme, spot.as_ref(), wide, cursor));
            let at_x = inner.x + (label + (column - from) * wide) as u16;
            paint.hit(Rect { x: at_x, y, width: wide as u16, height: 1 }, Clicked::Place(at, column));
        }
        paint.line(Rect { y, height: 1, ..inner }, Line::from(spans));
    }
    scrollbar(paint, area, top, rows, matrix.order.len());
}

fn draw_heads(
    paint: &mut Paint,
    inner: Rect,
    app: &App,
    heads: &[String],
    (label, wide, from, shown, rows): (usize, usize, usize, usize, usize),
) {
    let matrix = &app.matrix;
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
fn square(theme: Theme, spot: Option<&MatrixSquare>, wide: usize, cursor: bool) -> Vec<Span<'static>> {
    let room = wide - 1;
    let end = if cursor { "◂" } else { " " };
    let Some(spot) = spot else {
        let style = if cursor { theme.cursor() } else { theme.dim() };
        return vec![Span::styled(left("  –", room), style), Span::styled(end, theme.accent())];
    };
    let settled = matches!(spot.state, CellState::Done | CellState::Verified);
    let mut style = theme.state(&spot.state);
    let words = match (&spot.state, spot.best) {
        (state, Some((_, best))) => {
            let value = score(best.quoted.value);
            let rest = format!(" {}", half(&best.quoted));
            let heat = if theme == Theme::Plain { bar(best.quoted.value).to_string() } else { String::new() };
            if settled {
                style = if best.ranked { theme.heat(best.quoted.value) } else { theme.dim() };
            }
            let sign = if matches!(state, CellState::Done) { ' ' } else { glyph(state) };
            let value = if best.ranked { value } else { format!("({value})") };
            let text = format!("{sign}{value}{heat}");
            if width(&text) + width(&rest) <= room { text + &rest } else { text }
        }
        (CellState::Running(Some(share)), None) => format!("{} {:.0}%", glyph(&spot.state), share * 100.0),
        // A score that there is and no number for: a class too small.
        (CellState::Done | CellState::Verified, None) if spot.done > 0 => format!("{} none", glyph(&spot.state)),
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

/// The figure of the square, and why it may be believed.
fn inspector(paint: &mut Paint, area: Rect, app: &App, board: &Board) {
    let Some(cell) = app.figure() else {
        let inner = paint.pane(area, "nothing here", false);
        paint.empty(inner, "the study has no such cell");
        return;
    };
    let title = board.name(&cell);
    // Numbers need forty columns; pictures take the rest.
    let beside = area.width >= 76;
    let [shown, why] = if beside {
        Layout::horizontal([Constraint::Fill(1), Constraint::Length((area.width * 9 / 20).clamp(38, 64))]).areas(area)
    } else {
        Layout::vertical([Constraint::Fill(1), Constraint::Length(if area.height > 14 { 10 } else { 0 })]).areas(area)
    };
    let inner = paint.pane(shown, &title, false);
    if app.spot().is_some_and(|spot| spot.best.is_some()) {
        figure::draw(paint, inner, app, cell, true);
    } else {
        let words = app.spot().map_or(String::new(), |spot| waits(&spot.state));
        paint.empty(inner, &words);
    }
    if why.height > 2 {
        let inner = paint.pane(why, "why believe it", false);
        let lines = believe(paint.theme, app, board, &cell, usize::from(inner.width));
        paint.lines(inner, lines);
    }
}

/// What an empty square waits for, and what to do.
fn waits(state: &CellState) -> String {
    match state {
        CellState::NotRun => "not run yet\n\nr runs the study · m makes this cell alone".to_owned(),
        CellState::Queued => "queued: it waits for what it is made from, or for a slot".to_owned(),
        CellState::Running(_) => "being made: 2 shows its curves and log".to_owned(),
        CellState::Failed(why) => format!("failed: {}\n\nR tries it again · 2 shows its log", why.lines().next().unwrap_or("")),
        CellState::Stale => "stale: it was made of other inputs than there are now\n\nr makes it again".to_owned(),
        CellState::Waits(why) => format!("waits for {why}\n\n`visavis plan` says where it is expected"),
        CellState::Paused => "paused by a person\n\nR takes it up again".to_owned(),
        CellState::Cancelled => "cancelled by a person\n\nR takes it up again".to_owned(),
        CellState::Done | CellState::Verified => "no score: a class is too small".to_owned(),
    }
}

fn believe(theme: Theme, app: &App, board: &Board, cell: &CellId, room: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line> = Vec::new();
    let Some(of) = board.cell(cell) else { return lines };
    let mut say =
        |text: String, style: Style| lines.extend(text::wrapped(&text, room).into_iter().map(|line| Line::styled(line, style)));
    let plain = Style::new();
    let state = app.seen.states.iter().zip(&board.cells).find(|(_, other)| std::ptr::eq(*other, of)).map(|(state, _)| state);
    if let Some(state) = state {
        let why = match state {
            CellState::Failed(why) | CellState::Waits(why) => format!(": {}", why.lines().next().unwrap_or("")),
            _ => String::new(),
        };
        say(format!("{} {}{why}", glyph(state), state.word()), theme.state(state));
    }
    let Some(scores) = &of.scores else { return lines };
    let view = scores.views.iter().find(|view| view.view == cell.view);
    let quantity = matches!(board.study.comparisons[cell.comparison].question.measured, Measured::Quantity(_));
    if let Some(pin) = board.pins.iter().find(|of| of.cell == Some(*cell)).map(|of| &of.pin) {
        let note = if pin.note.is_empty() { String::new() } else { format!(": {}", pin.note) };
        say(format!("◆ pinned to the report{note}"), theme.accent());
    }
    if let Some(why) = &scores.unranked {
        say(format!("not ranked: {why}"), theme.warning());
    }
    let (b, whole) = (view.and_then(|view| view.b), view.and_then(|view| view.whole));
    let interval = |of: &Estimate| format!("AUC {}", of.show(NumberForm::Score));
    match b.as_ref().or(whole.as_ref()) {
        Some(of) => {
            let where_from = match (b, view.and_then(|view| view.a)) {
                (Some(_), Some(a)) => format!(" on half B, chosen by {} on A", score(a.value)),
                (Some(_), None) => " on half B".to_owned(),
                // A class is missing from a half: nothing was held back.
                (None, _) => " over all images: what it was chosen by, too".to_owned(),
            };
            say(interval(of) + &where_from, plain.add_modifier(Modifier::BOLD));
        }
        None => match view.and_then(|view| view.monotone) {
            Some(rho) => say(
                format!("a gradient: |ρ| {} along the axis, which ranks nothing", rho.show(NumberForm::Score)),
                plain.add_modifier(Modifier::BOLD),
            ),
            None if quantity => {
                say("a quantity: only single axes have a gradient (v shows the other views)".to_owned(), theme.warning());
            }
            None => say("no AUC: a class is too small".to_owned(), theme.warning()),
        },
    }
    if let Some((row, reason)) = figures::row(board, cell) {
        let mark = board.study.statistics.separates_at;
        let sure = board.found.as_ref().and_then(|found| Some((&found.grid, found.grid.of(cell)?)));
        if let (Some(low), Some((grid, sure))) = (row.low, sure) {
            let word = if low >= mark {
                ("separates", theme.good())
            } else if sure.is_told() {
                ("told beyond chance, not shown to separate", plain)
            } else {
                ("not shown: a grid without signal does as well", theme.warning())
            };
            say(format!("at least {} beside {}: {}", score(low), count(grid.family(sure), "cell"), word.0), word.1);
        }
        if let Some(rank) = row.rank {
            let of = board.found.as_ref().map_or(0, |found| found.ledger.ranked);
            say(format!("rank {} of {}: {reason}", thousands(rank), thousands(of)), plain);
        }
    }
    let classes = &board.study.comparisons[cell.comparison].classes;
    let counts: Vec<String> =
        scores.counts.classes.iter().zip(classes).map(|(n, name)| format!("{} {}", name, thousands(*n))).collect();
    say(format!("n {} · {} people", counts.join(" | "), thousands(scores.counts.people)), plain);
    if let Some((features, probe)) = board.space(cell.model, cell.layer, cell.comparison) {
        let features = features.map_or("–".to_owned(), |of| score(of.value));
        let probe = probe.and_then(|probe| probe.b).map_or("–".to_owned(), |of| score(of.value));
        let kept = board.found.as_ref().and_then(|found| found.grid.beside.iter().find(|kept| kept.cell == *cell));
        let kept = kept
            .map_or(String::new(), |kept| format!(": the view {} ({})", signed_word(kept.word()), text::signed(kept.kept.value)));
        say(format!("in the features {features}, linear probe {probe}{kept}"), plain);
    }
    let others: Vec<String> = scores
        .views
        .iter()
        .filter(|of| of.view != cell.view)
        .filter_map(|of| Some(format!("{} {}", of.view, score(of.b.or(of.whole)?.value))))
        .collect();
    if !others.is_empty() {
        say(format!("v · other views: {}", others.join(" · ")), theme.dim());
    }
    if scores.seeds > 1 {
        say(format!("{} projection seeds, the median", scores.seeds), theme.dim());
    }
    let key = of.key.map_or(String::new(), |key| format!("key {} · ", key.short()));
    say(format!("{key}y copies the command that makes it"), theme.dim());
    lines
}

fn signed_word(word: &str) -> &str {
    match word {
        "inflated" => "tells more than they do",
        "lost" => "lost some of it",
        _ => "is not shown to differ",
    }
}

/// The study's levels: in it ✓, on offer ·.
fn draw_axes(paint: &mut Paint, area: Rect, app: &App, board: &Board) {
    let inner = paint.pane(area, "Levels of the study", app.matrix.axes.is_some());
    let lines = axes::lines(board);
    let rows = usize::from(inner.height).saturating_sub(2);
    let cursor = app.matrix.axes;
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
    let total = format!("{} · {}", count(board.study.models.len(), "model"), count(board.counted().1, "cell"));
    let hint = if cursor.is_some() { "Space takes in or out · Esc back" } else { "x to change them" };
    let lines = vec![Line::styled(right(&total, room), Style::new()), Line::styled(fit(hint, room), paint.theme.dim())];
    paint.lines(foot, lines);
}
