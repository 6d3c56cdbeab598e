//! The figure of the square under the cursor, and the evidence for its score.

use super::state::MatrixState;
use crate::{
    study::{matrix_snapshot::MatrixSnapshot, watch::CellState},
    tui::{
        figure, ledger,
        paint::Paint,
        shared::Shared,
        text::{self, score},
        theme::{Theme, glyph},
    },
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::Line,
};
use visavis_core::domain::{
    claim::NumberForm,
    comparison::Measured,
    ledger::CellId,
    nuisance::AdjustingDoubt,
    score::Estimate,
    text::{count, thousands},
};

/// The figure of the square, and why it may be believed.
pub(crate) fn draw(matrix: &MatrixState, paint: &mut Paint, area: Rect, shared: &Shared, matrix_snapshot: &MatrixSnapshot) {
    let Some(cell) = matrix.figure(matrix_snapshot) else {
        let inner = paint.pane(area, "nothing here", false);
        paint.empty(inner, "the study has no such cell");
        return;
    };
    let title = matrix_snapshot.name(&cell);
    // Numbers need forty columns; pictures take the rest.
    let beside = area.width >= 76;
    let [shown, why] = if beside {
        Layout::horizontal([Constraint::Fill(1), Constraint::Length((area.width * 9 / 20).clamp(38, 64))]).areas(area)
    } else {
        Layout::vertical([Constraint::Fill(1), Constraint::Length(if area.height > 14 { 10 } else { 0 })]).areas(area)
    };
    let inner = paint.pane(shown, &title, false);
    if matrix.square().is_some_and(|square| square.best.is_some()) {
        figure::draw(paint, inner, shared, cell, true);
    } else {
        let words = matrix.square().map_or(String::new(), |square| waits(&square.state));
        paint.empty(inner, &words);
    }
    if why.height > 2 {
        let inner = paint.pane(why, "why believe it", false);
        let lines = believe(paint.theme, shared, matrix_snapshot, &cell, usize::from(inner.width));
        paint.lines(inner, lines);
    }
}

/// What an empty square waits for, and what to do about it.
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

fn believe(theme: Theme, shared: &Shared, matrix_snapshot: &MatrixSnapshot, cell: &CellId, room: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line> = Vec::new();
    let Some(of) = matrix_snapshot.cell(cell) else { return lines };
    let mut say =
        |text: String, style: Style| lines.extend(text::wrapped(&text, room).into_iter().map(|line| Line::styled(line, style)));
    let plain = Style::new();
    let state =
        shared.seen.states.iter().zip(&matrix_snapshot.cells).find(|(_, other)| std::ptr::eq(*other, of)).map(|(state, _)| state);
    if let Some(state) = state {
        let why = match state {
            CellState::Failed(why) | CellState::Waits(why) => format!(": {}", why.lines().next().unwrap_or("")),
            _ => String::new(),
        };
        say(format!("{} {}{why}", glyph(state), state.word()), theme.state(state));
    }
    let Some(scores) = &of.scores else { return lines };
    let view = scores.views.iter().find(|view| view.view == cell.view);
    let quantity = matches!(matrix_snapshot.study.comparisons[cell.comparison].question.measured, Measured::Quantity(_));
    if let Some(pin) = matrix_snapshot.pins.iter().find(|of| of.cell == Some(*cell)).map(|of| &of.pin) {
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
                (Some(_), Some(a)) => format!(" on the evaluation half; {} on the selection half", score(a.value)),
                (Some(_), None) => " on the evaluation half".to_owned(),
                // A class is missing from a half, so that no images were held back.
                (None, _) => " over all images, by which the view was chosen, too".to_owned(),
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
    if let Some((row, reason)) = ledger::row(matrix_snapshot, cell) {
        let mark = matrix_snapshot.study.statistics.separates_at;
        let sure = matrix_snapshot.found.as_ref().and_then(|found| Some((&found.grid, found.grid.of(cell)?)));
        if let (Some(low), Some((grid, sure))) = (row.low, sure) {
            let word = if low >= mark {
                ("separates", theme.good())
            } else if sure.is_told() {
                ("above chance, does not separate", plain)
            } else {
                ("not above chance", theme.warning())
            };
            say(format!("at least {}, corrected for {}: {}", score(low), count(grid.family(sure), "cell"), word.0), word.1);
        }
        if let Some(rank) = row.rank {
            let ranked = matrix_snapshot.found.as_ref().map_or(0, |found| found.ledger.ranked);
            say(format!("rank {} of {}: {reason}", thousands(rank), thousands(ranked)), plain);
        }
    }
    if let Some(seen) = matrix_snapshot.visibility.of(cell.model, cell.comparison).filter(|seen| !seen.is_visible) {
        let share = NumberForm::Percent.show(seen.share);
        say(
            format!("⊘ not visible: {} of the {} that {} needs is inside the crop", share, seen.region, seen.attribute),
            theme.warning(),
        );
    }
    let classes = &matrix_snapshot.study.comparisons[cell.comparison].classes;
    let counts: Vec<String> =
        scores.counts.classes.iter().zip(classes).map(|(n, name)| format!("{} {}", name, thousands(*n))).collect();
    say(format!("n {} · {} identities", counts.join(" | "), thousands(scores.counts.people)), plain);
    if let Some((features, probe)) = matrix_snapshot.space(cell.model, cell.layer, cell.comparison) {
        let features = features.map_or("–".to_owned(), |of| score(of.value));
        let probe = probe.and_then(|probe| probe.b).map_or("–".to_owned(), |of| score(of.value));
        let kept = matrix_snapshot.found.as_ref().and_then(|found| found.grid.beside.iter().find(|kept| kept.cell == *cell));
        let kept = kept.map_or(String::new(), |kept| {
            format!(": the view is {} ({})", beside_features(kept.word()), text::signed(kept.kept.value))
        });
        say(format!("in the features {features}, linear probe {probe}{kept}"), plain);
    }
    for of in matrix_snapshot.adjusted.get(cell).into_iter().flat_map(|of| &of.held) {
        let doubt = of.doubt.map(AdjustingDoubt::phrase);
        let words = match (of.adjusted, doubt) {
            (Some(adjusted), doubt) => {
                let doubt = doubt.map_or(String::new(), |doubt| format!("; {doubt}"));
                format!("{} when {} is held{doubt}", adjusted.show(NumberForm::Score), of.nuisance.title())
            }
            (None, Some(doubt)) => format!("{}: {doubt}", of.nuisance.title()),
            (None, None) => continue,
        };
        say(words, if doubt.is_some() { theme.warning() } else { plain });
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

/// How a view compares with the better of its features' two scores.
fn beside_features(word: &str) -> &str {
    match word {
        "inflated" => "inflated, better than both",
        "lost" => "lost, worse than the better",
        _ => "inconclusive",
    }
}
