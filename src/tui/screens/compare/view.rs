//! Compare, drawn: the table of models, and below it two that are marked.

use super::{
    paired::{Paired, paired},
    state::{CompareState, HEADS, explained},
};
use crate::{
    study::matrix_snapshot::MatrixSnapshot,
    tui::{
        paint::{Clicked, Paint, first, over_ground, scrollbar},
        shared::Shared,
        table::TableValue,
        text::{self, fit, fit_end, half, left, right, score, signed, width},
        theme::Theme,
    },
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
};
use visavis_core::domain::{claim::NumberForm, contrast, simultaneous::DifferenceVerdict, text::count};

pub(crate) fn draw(compare: &CompareState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return };
    let marked: Vec<&String> = shared.marked.iter().collect();
    let pair = match &marked[..] {
        [one, other] => paired(matrix_snapshot, one, other),
        _ => None,
    };
    let below = match (&pair, compare.diff) {
        (Some(pair), true) => (pair.rows.len() as u16 + pair.differs.len() as u16 + 6).min(area.height * 2 / 3),
        (Some(_), false) => 6,
        (None, _) => 3,
    };
    let [table, under] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(below.min(area.height / 2 + area.height / 6))]).areas(area);
    draw_table(compare, paint, table, shared);
    match pair {
        Some(pair) => draw_pair(paint, under, compare.diff, matrix_snapshot, &pair),
        None => {
            let inner = paint.pane(under, "paired on the same images", false);
            let n = shared.marked.len();
            paint.line(
                inner,
                Line::styled(
                    fit(
                        &format!(" {n} marked: Space marks two models to hold them against each other"),
                        usize::from(inner.width),
                    ),
                    paint.theme.dim(),
                ),
            );
        }
    }
}

fn shown(value: &TableValue, room: usize) -> String {
    match value {
        TableValue::Estimate(of) => {
            let whole = format!("{} {}", score(of.value), half(of));
            if width(&whole) <= room { whole } else { score(of.value) }
        }
        other => other.text(),
    }
}

fn draw_table(compare: &CompareState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let filter = if compare.filter.is_empty() { String::new() } else { format!(" · /{}", compare.filter) };
    let study = shared.matrix_snapshot().map(|snapshot| &snapshot.study);
    let baseline = study.and_then(|study| Some(format!(" · baseline {}", study.models[contrast::baseline(study)?].name)));
    let baseline = baseline.unwrap_or_default();
    let title = format!("Compare · {} · mean over training seeds ± 95 %{baseline}{filter}", count(compare.order.len(), "model"));
    let inner = paint.pane(area, &title, true);
    if compare.order.is_empty() {
        paint.empty(
            inner,
            if compare.filter.is_empty() { "no models yet: a adds one" } else { "no model fits the filter · Esc takes it off" },
        );
        return;
    }
    let theme = paint.theme;
    let rows = usize::from(inner.height).saturating_sub(2);
    let columns = compare.columns();
    let wide = |column: usize| {
        let cells = compare.order.iter().map(|&row| width(&shown(&compare.table.rows[row][column], 99)));
        cells.max().unwrap_or(0).max(HEADS[column].len() + 2).clamp(4, if column == 0 { 34 } else { 24 })
    };
    let widths: Vec<usize> = columns.iter().map(|&column| wide(column)).collect();
    // Columns from the cursor's on that fit; the model's name always stays.
    let room = usize::from(inner.width).saturating_sub(widths.first().copied().unwrap_or(0) + 4);
    let cursor = columns.iter().position(|column| *column == compare.column).unwrap_or(0);
    let fits = |from: usize| {
        let mut used = 0;
        (from..columns.len())
            .take_while(|&place| {
                used += widths[place] + 2;
                used <= room
            })
            .count()
    };
    let from = (1..=cursor.max(1)).find(|&from| cursor == 0 || from + fits(from) > cursor).unwrap_or(cursor.max(1));
    let visible: Vec<usize> = std::iter::once(0).chain((from..columns.len()).take(fits(from).max(1))).collect();
    let top = first(compare.cursor, rows, compare.order.len());
    let line = |row: Option<usize>, here: bool| -> Vec<Span<'static>> {
        let ground = here.then(|| theme.cursor());
        let mut spans = Vec::new();
        for &place in &visible {
            let column = columns[place];
            let (text, style) = match row {
                None => {
                    let arrow = match compare.sorted {
                        Some((of, least)) if of == column => {
                            if least {
                                " ▴"
                            } else {
                                " ▾"
                            }
                        }
                        _ => "",
                    };
                    (
                        format!("{}{arrow}", HEADS[column]),
                        if column == compare.column { theme.accent().add_modifier(Modifier::BOLD) } else { theme.dim() },
                    )
                }
                Some(row) => {
                    let value = &compare.table.rows[row][column];
                    let style = match (HEADS[column], value.number()) {
                        ("auc" | "probe" | "features", Some(number)) if theme != Theme::Plain => theme.heat(number),
                        _ => over_ground(Style::new(), ground),
                    };
                    (shown(value, widths[place]), style)
                }
            };
            // Heads stand over their numbers.
            let number = match row {
                Some(row) => compare.table.rows[row][column].number().is_some(),
                None => compare.table.rows.iter().any(|row| row[column].number().is_some()),
            };
            let text = if number {
                right(&text, widths[place])
            } else if place == 0 {
                left(&fit_end(&text, widths[place]), widths[place])
            } else {
                left(&text, widths[place])
            };
            spans.push(Span::styled(text, style));
            spans.push(Span::styled("  ", over_ground(Style::new(), ground)));
        }
        spans
    };
    let mut head = vec![Span::raw("    ")];
    head.extend(line(None, false));
    paint.line(Rect { height: 1, ..inner }, Line::from(head));
    for (at, &row) in compare.order.iter().enumerate().skip(top).take(rows) {
        let y = inner.y + 1 + (at - top) as u16;
        let here = at == compare.cursor;
        let name = compare.at(at).unwrap_or("");
        let mark = if shared.marked.contains(name) { "▣" } else { " " };
        let mut spans =
            vec![Span::styled(if here { " ▸" } else { "  " }, theme.accent()), Span::styled(format!("{mark} "), theme.accent())];
        spans.extend(line(Some(row), here));
        let area = Rect { y, height: 1, ..inner };
        paint.line(area, Line::from(spans));
        paint.hit(area, Clicked::Place(at, compare.column));
    }
    if visible.len() < columns.len() {
        let last = visible.last().map_or(1, |place| place + 1);
        let words = format!(" columns {}–{last} of {} ", visible.get(1).map_or(1, |place| place + 1), columns.len());
        let wide = width(&words) as u16;
        let place = Rect { x: area.right().saturating_sub(wide + 3), y: area.y, width: wide, height: 1 }.intersection(area);
        paint.line(place, Line::styled(words, theme.dim()));
    }
    if explained(compare.column).is_empty() {
        return;
    }
    let foot = Rect { y: inner.bottom().saturating_sub(1), height: 1, ..inner };
    let words = explained(compare.column);
    paint.line(
        foot,
        Line::styled(
            fit(
                &format!("    {}{}", HEADS[compare.column], if words.is_empty() { String::new() } else { format!(": {words}") }),
                usize::from(inner.width),
            ),
            theme.dim(),
        ),
    );
    scrollbar(paint, area, top, rows, compare.order.len());
}

fn draw_pair(paint: &mut Paint, area: Rect, whole: bool, matrix_snapshot: &MatrixSnapshot, pair: &Paired) {
    let theme = paint.theme;
    let images = matrix_snapshot.cells.iter().filter_map(|cell| Some(cell.scores.as_ref()?.counts.n)).max().unwrap_or(0);
    let inner = paint.pane(
        area,
        &format!(
            "{} minus {} · on the same images (up to {})",
            pair.right,
            pair.left,
            visavis_core::domain::text::thousands(images)
        ),
        whole,
    );
    let room = usize::from(inner.width);
    let differs: Vec<String> = pair.differs.iter().map(|(name, ..)| name.clone()).collect();
    // The study's own verdicts: the sign of a difference alone is no finding.
    let said = match pair.verdicts {
        Some(verdicts) => verdicts.words(),
        None => count(pair.rows.len(), "comparison"),
    };
    let differs = if differs.is_empty() { "nothing the study names".to_owned() } else { differs.join(", ") };
    let line = format!("{said} · median {} · differs in: {differs}", signed(pair.median));
    let mut lines: Vec<Line> = text::wrapped(&line, room).into_iter().map(Line::raw).collect();
    if pair.verdicts.is_none() {
        let hint =
            "the study does not hold these two against each other: no intervals. In its `contrasts`, a pair of them gives some";
        lines.extend(text::wrapped(hint, room).into_iter().map(|line| Line::styled(line, theme.warning())));
    }
    if !whole {
        lines.push(Line::styled(fit("d shows every comparison and what differs", room), theme.dim()));
        paint.lines(inner, lines);
        return;
    }
    for (name, one, other) in &pair.differs {
        lines.push(Line::from(vec![
            Span::styled(left(name, 14), theme.dim()),
            Span::raw(fit(&format!("{one} | {other}"), room.saturating_sub(14))),
        ]));
    }
    let name = pair.rows.iter().map(|row| width(&row.comparison)).max().unwrap_or(10).min(28);
    let (one, other) = (fit_end(&pair.left, 12), fit_end(&pair.right, 12));
    let side = width(&one).max(width(&other)).max(5);
    lines.push(Line::styled(
        format!("{} {} {}  right − left (95 %), and what is said of it", left("", name), right(&one, side), right(&other, side)),
        theme.dim(),
    ));
    // What does not fit is counted, not dropped.
    let fits = usize::from(inner.height).saturating_sub(lines.len());
    let shown = if pair.rows.len() > fits { fits.saturating_sub(1) } else { pair.rows.len() };
    for row in pair.rows.iter().take(shown) {
        let (text, style) = match &row.difference {
            Some((of, verdict)) => {
                let style = match verdict {
                    DifferenceVerdict::Higher => theme.good(),
                    DifferenceVerdict::Lower => theme.warning(),
                    DifferenceVerdict::NotShown | DifferenceVerdict::Neither => Style::new(),
                };
                (format!("{}  {}", of.show(NumberForm::Difference), verdict.word()), style)
            }
            None => (signed(row.right - row.left), theme.dim()),
        };
        let (left_value, right_value) = (right(&score(row.left), side), right(&score(row.right), side));
        lines.push(Line::from(vec![
            Span::raw(format!("{} {left_value} {right_value}  ", left(&row.comparison, name))),
            Span::styled(text, style),
        ]));
    }
    if shown < pair.rows.len() {
        lines.push(Line::styled(
            format!("and {} more: y copies the command that prints all", pair.rows.len() - shown),
            theme.dim(),
        ));
    }
    paint.lines(inner, lines);
}
