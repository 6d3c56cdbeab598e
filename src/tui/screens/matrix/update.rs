//! The matrix: what each command does.

use super::{
    levels,
    pivot::{MatrixAxis, Pivot},
    state::MatrixState,
};
use crate::{
    study::{draft::Change, matrix_snapshot::MatrixSnapshot},
    tui::{
        command::ScreenCommand,
        event::{CommandPurpose, Effect},
        movement,
        shared::Shared,
    },
};
use visavis_core::domain::job::{JobId, JobState};

pub(crate) fn update(matrix: &mut MatrixState, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
    if let Some(by) = movement::rows(command, shared.page) {
        down(matrix, shared, by);
        return vec![];
    }
    if let Some(by) = movement::columns(command) {
        let columns = matrix.index.names(matrix.pivot.columns).len();
        matrix.column = movement::moved(matrix.column, by, columns);
        matrix.view = None;
        return vec![];
    }
    match command {
        ScreenCommand::Enter if matrix.levels.is_some() => return mark(matrix, shared),
        ScreenCommand::Enter => matrix.zoom = matrix.square().is_some() && !matrix.zoom,
        ScreenCommand::Back => back(matrix, shared),
        ScreenCommand::Mark => return mark(matrix, shared),
        ScreenCommand::Sort => sort(matrix, shared, false),
        ScreenCommand::SortLeast => sort(matrix, shared, true),
        ScreenCommand::Axes => matrix.levels = if matrix.levels.is_some() { None } else { Some(1) },
        ScreenCommand::PivotRows => {
            let rows = next_axis(matrix, matrix.pivot.rows, matrix.pivot.columns);
            turn(matrix, shared, rows, matrix.pivot.columns);
        }
        ScreenCommand::PivotColumns => {
            let columns = next_axis(matrix, matrix.pivot.columns, matrix.pivot.rows);
            turn(matrix, shared, matrix.pivot.rows, columns);
        }
        ScreenCommand::Swap => turn(matrix, shared, matrix.pivot.columns, matrix.pivot.rows),
        ScreenCommand::ResetPivot => {
            matrix.pivot = Pivot::default();
            matrix.filter.clear();
            turn(matrix, shared, MatrixAxis::Model, MatrixAxis::Comparison);
        }
        ScreenCommand::StepAxis => step_axis(matrix),
        ScreenCommand::StepForth => step_level(matrix, shared, 1),
        ScreenCommand::StepBack => step_level(matrix, shared, -1),
        ScreenCommand::View => {
            matrix.view = shared.matrix_snapshot().and_then(|matrix_snapshot| next_view(matrix, matrix_snapshot));
        }
        ScreenCommand::Wide => matrix.wide = !matrix.wide,
        ScreenCommand::Exclude => return exclude(matrix, shared),
        ScreenCommand::RunThis => {
            let only = shared.matrix_snapshot().and_then(|matrix_snapshot| matrix.only(matrix_snapshot));
            return only.map_or(vec![], |only| shared.run(Some(&only)));
        }
        ScreenCommand::Resume => return retry(matrix, shared),
        ScreenCommand::Pin => {
            if let Some(figure) = shared.matrix_snapshot().and_then(|matrix_snapshot| matrix.figure(matrix_snapshot)) {
                shared.pin(figure);
            }
        }
        _ => {}
    }
    vec![]
}

fn down(matrix: &mut MatrixState, shared: &Shared, by: isize) {
    match (matrix.levels, shared.matrix_snapshot()) {
        (Some(line), Some(matrix_snapshot)) => {
            matrix.levels = Some(movement::moved(line, by, levels::lines(matrix_snapshot).len()));
        }
        _ => {
            matrix.row = movement::moved(matrix.row, by, matrix.order.len());
            matrix.view = None;
        }
    }
}

fn back(matrix: &mut MatrixState, shared: &Shared) {
    if matrix.zoom {
        matrix.zoom = false;
    } else if matrix.levels.is_some() {
        matrix.levels = None;
    } else {
        matrix.filter.clear();
        matrix.rebuild(shared);
    }
}

/// Marks a model; in the list of levels, takes one in or out.
fn mark(matrix: &MatrixState, shared: &mut Shared) -> Vec<Effect> {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return vec![] };
    if let Some(line) = matrix.levels {
        let change = levels::lines(matrix_snapshot).get(line).and_then(|line| line.change.clone());
        return change.map_or(vec![], |change| vec![Effect::Draft(change)]);
    }
    if let Some(name) = matrix.model(matrix_snapshot) {
        shared.mark(name);
    }
    vec![]
}

fn sort(matrix: &mut MatrixState, shared: &Shared, least: bool) {
    let wanted = Some((matrix.column, least));
    matrix.sorted = if matrix.sorted == wanted { None } else { wanted };
    if let Some(matrix_snapshot) = shared.matrix_snapshot() {
        matrix.order(matrix_snapshot);
    }
}

/// The next axis with more than one level, if there is another.
fn next_axis(matrix: &MatrixState, axis: MatrixAxis, taken: MatrixAxis) -> MatrixAxis {
    let all = MatrixAxis::ALL.len();
    let mut others = (1..all).map(|by| MatrixAxis::ALL[(axis as usize + by) % all]);
    others.find(|of| *of != taken && matrix.index.names(*of).len() > 1).unwrap_or(axis)
}

/// Other rows and columns. The cursor keeps its place on an axis that stays where it was.
fn turn(matrix: &mut MatrixState, shared: &Shared, rows: MatrixAxis, columns: MatrixAxis) {
    if columns != matrix.pivot.columns {
        (matrix.column, matrix.sorted) = (0, None);
    }
    if rows != matrix.pivot.rows {
        matrix.row = 0;
    }
    (matrix.pivot.rows, matrix.pivot.columns) = (rows, columns);
    (matrix.stepping, matrix.view) = (None, None);
    matrix.rebuild(shared);
}

fn step_axis(matrix: &mut MatrixState) {
    let axes = matrix.steppable();
    if axes.is_empty() {
        return;
    }
    let place = matrix.stepping.and_then(|axis| axes.iter().position(|of| *of == axis)).map_or(0, |place| place + 1);
    matrix.stepping = axes.get(place % axes.len()).copied();
}

fn step_level(matrix: &mut MatrixState, shared: &Shared, by: isize) {
    let Some(axis) = matrix.stepping.or_else(|| matrix.steppable().first().copied()) else { return };
    matrix.stepping = Some(axis);
    let count = matrix.index.names(axis).len() as isize;
    // All levels together come before the first.
    let place = matrix.pivot.fixed[axis as usize].map_or(0, |level| level as isize + 1);
    let next = (place + by).rem_euclid(count + 1);
    matrix.pivot.fixed[axis as usize] = (next > 0).then(|| next as usize - 1);
    matrix.view = None;
    matrix.rebuild(shared);
}

fn next_view(matrix: &MatrixState, matrix_snapshot: &MatrixSnapshot) -> Option<usize> {
    let figure = matrix.figure(matrix_snapshot)?;
    let views = matrix_snapshot.study.projections[figure.projection].views();
    let place = views.iter().position(|view| *view == figure.view)?;
    Some((place + 1) % views.len())
}

/// Leaves the combination of factors that is looked at out of the study.
fn exclude(matrix: &MatrixState, shared: &mut Shared) -> Vec<Effect> {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return vec![] };
    let Some(figure) = matrix.figure(matrix_snapshot) else { return vec![] };
    let model = &matrix_snapshot.study.models[figure.model];
    if model.recipe().is_none() || matrix_snapshot.levels.factors.is_empty() {
        shared.say("this model stands by its name, not in the matrix: x lists it, Space takes it out", true);
        return vec![];
    }
    let factors = model.factors();
    let varying = |(factor, levels): (&&'static str, &Vec<String>)| {
        (levels.len() > 1).then(|| Some(((*factor).to_owned(), factors.get(factor)?.clone())))?
    };
    let levels: Vec<(String, String)> = matrix_snapshot.levels.factors.iter().filter_map(varying).collect();
    vec![Effect::Draft(Change::Exclude { levels })]
}

/// Takes up again the job that holds up the cell looked at.
fn retry(matrix: &MatrixState, shared: &mut Shared) -> Vec<Effect> {
    match shared.matrix_snapshot().and_then(|matrix_snapshot| set_aside(matrix, shared, matrix_snapshot)) {
        Some(id) => shared.program(&["retry", &id.short()], CommandPurpose::Ask),
        None => {
            shared.say("nothing here failed or was set aside", false);
            vec![]
        }
    }
}

/// A job of the cell that failed, or that a person paused or cancelled.
fn set_aside(matrix: &MatrixState, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Option<JobId> {
    let cell = matrix_snapshot.cells.get(matrix.square()?.urgent)?;
    let waits = |state: JobState| matches!(state, JobState::Failed | JobState::Paused | JobState::Cancelled);
    matrix_snapshot.jobs(cell).find(|id| shared.seen.jobs.iter().any(|job| job.row.id == *id && waits(job.row.state)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        overlays::state::{Confirmation, Overlay},
        screen::Screen,
        testing::{opened, opened_with, pinned, study},
    };
    use ScreenCommand as C;

    /// The matrix of the study of tests: three models, two projections, two comparisons.
    fn matrix() -> (MatrixState, Shared) {
        opened(MatrixState::default())
    }

    fn after(commands: &[C]) -> (MatrixState, Shared) {
        let (mut matrix, mut shared) = matrix();
        for command in commands {
            update(&mut matrix, &mut shared, *command);
        }
        (matrix, shared)
    }

    fn names(matrix: &MatrixState) -> Vec<&str> {
        matrix.order.iter().map(|&row| matrix.index.names(matrix.pivot.rows)[row].as_str()).collect()
    }

    #[test]
    fn the_cursor_moves_among_squares_and_stays_in_the_matrix() {
        let (matrix, _) = after(&[C::Down, C::Right]);
        assert_eq!((matrix.row, matrix.column), (1, 1));
        let (matrix, _) = after(&[C::Last, C::Down, C::Right, C::Right, C::Right]);
        assert_eq!((matrix.row, matrix.column), (2, 1));
    }

    #[test]
    fn another_axis_for_the_rows_puts_the_cursor_on_the_first() {
        let (matrix, _) = after(&[C::Down, C::Right, C::PivotRows]);
        assert_eq!((matrix.pivot.rows, matrix.row), (MatrixAxis::Projection, 0));
        assert_eq!(matrix.column, 1, "the columns stay, and the cursor in them");
        assert_eq!(matrix.order.len(), 2);
    }

    #[test]
    fn an_axis_of_one_level_is_passed_over() {
        let (matrix, _) = after(&[C::PivotColumns]);
        assert_eq!(matrix.pivot.columns, MatrixAxis::Projection, "after comparison comes seed: there is one");
    }

    #[test]
    fn rows_and_columns_are_swapped_and_set_back() {
        let (matrix, _) = after(&[C::Swap]);
        assert_eq!((matrix.pivot.rows, matrix.pivot.columns), (MatrixAxis::Comparison, MatrixAxis::Model));
        let (matrix, _) = after(&[C::Swap, C::StepForth, C::ResetPivot]);
        assert_eq!(matrix.pivot, Pivot::default());
    }

    #[test]
    fn stepping_goes_through_the_levels_and_then_all_of_them() {
        let fixed = |matrix: &MatrixState| matrix.pivot.fixed[MatrixAxis::Projection as usize];
        let (matrix, _) = after(&[C::StepForth]);
        assert_eq!((fixed(&matrix), matrix.stepping), (Some(0), Some(MatrixAxis::Projection)));
        let (matrix, _) = after(&[C::StepForth, C::StepForth, C::StepForth]);
        assert_eq!(fixed(&matrix), None);
        let (matrix, _) = after(&[C::StepBack]);
        assert_eq!(fixed(&matrix), Some(1));
    }

    #[test]
    fn rows_are_sorted_by_the_column_of_the_cursor_and_back() {
        let (matrix, _) = after(&[C::Sort]);
        assert_eq!(names(&matrix), ["pixels", "blocks", "noisy"]);
        let (matrix, _) = after(&[C::SortLeast]);
        assert_eq!(names(&matrix), ["noisy", "blocks", "pixels"]);
        let (matrix, _) = after(&[C::SortLeast, C::SortLeast]);
        assert_eq!(names(&matrix), ["pixels", "blocks", "noisy"]);
    }

    #[test]
    fn a_filter_leaves_the_rows_that_fit_and_escape_takes_it_off() {
        let (mut matrix, mut shared) = after(&[C::Last]);
        matrix.set_filter(&shared, "auc>0.85".to_owned());
        assert_eq!((names(&matrix), matrix.row), (vec!["pixels"], 0));
        update(&mut matrix, &mut shared, C::Back);
        assert_eq!(names(&matrix).len(), 3);
    }

    #[test]
    fn enter_shows_the_figure_alone_and_escape_the_matrix() {
        let (matrix, _) = after(&[C::Enter]);
        assert!(matrix.zoom);
        let (matrix, _) = after(&[C::Enter, C::Back]);
        assert!(!matrix.zoom);
    }

    #[test]
    fn v_goes_through_the_views_of_the_cell_and_moving_shows_the_best_again() {
        let (matrix, shared) = after(&[C::View]);
        let best = after(&[]).0.figure(&study()).unwrap();
        let other = matrix.figure(shared.matrix_snapshot().unwrap()).unwrap();
        assert!(other.view != best.view && (other.model, other.comparison) == (best.model, best.comparison));
        assert_eq!(after(&[C::View, C::Down]).0.view, None);
    }

    #[test]
    fn a_model_is_marked_and_unmarked() {
        let (_, shared) = after(&[C::Down, C::Mark]);
        assert_eq!(shared.marked.iter().collect::<Vec<_>>(), ["blocks"]);
        assert!(after(&[C::Mark, C::Mark]).1.marked.is_empty());
    }

    #[test]
    fn space_in_the_list_of_levels_drafts_a_change_to_the_study() {
        let (mut matrix, mut shared) = after(&[C::Axes]);
        let effects = update(&mut matrix, &mut shared, C::Mark);
        assert_eq!(effects, [Effect::Draft(Change::DropModel { name: "pixels".to_owned() })]);
        assert!(shared.marked.is_empty());
    }

    #[test]
    fn a_cell_is_made_alone_by_the_stage_that_scores_it() {
        let (mut matrix, mut shared) = matrix();
        let effects = update(&mut matrix, &mut shared, C::RunThis);
        let [Effect::Program { arguments, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(arguments[..3], ["run", "experiments/test.yaml", "--only"]);
        assert_eq!(arguments[3], "=score pixels · embedding · ica · zero or one");
    }

    #[test]
    fn a_figure_is_pinned_with_a_note() {
        let (matrix, shared) = after(&[C::Pin]);
        let figure = matrix.figure(shared.matrix_snapshot().unwrap()).unwrap();
        assert_eq!(shared.overlay, Some(Overlay::Note { figure, text: String::new() }));
    }

    #[test]
    fn a_pinned_figure_is_taken_off_after_a_question() {
        let (mut matrix, mut shared) = opened_with(MatrixState::default(), pinned("as an example"));
        update(&mut matrix, &mut shared, C::Pin);
        let Some(Overlay::Confirm { question, then: Confirmation::Unpin(name) }) = &shared.overlay else { panic!("no question") };
        assert!(question.contains("as an example") && name.starts_with("pixels · "), "{question}");
    }

    #[test]
    fn a_model_that_stands_by_its_name_is_not_excluded() {
        let (mut matrix, mut shared) = matrix();
        assert_eq!(update(&mut matrix, &mut shared, C::Exclude), []);
        assert!(shared.toast.is_some_and(|toast| toast.bad && toast.text.contains("by its name")));
    }

    #[test]
    fn nothing_is_retried_where_nothing_failed() {
        let (mut matrix, mut shared) = matrix();
        assert_eq!(update(&mut matrix, &mut shared, C::Resume), []);
        assert!(shared.toast.is_some_and(|toast| toast.text.contains("nothing here failed")));
    }

    #[test]
    fn a_level_stays_fixed_by_name_when_the_study_changes() {
        let (mut matrix, _) = after(&[C::StepForth, C::StepForth]);
        let mut matrix_snapshot = study();
        matrix_snapshot.study.projections.swap(0.into(), 1.into());
        matrix.take_study(&matrix_snapshot);
        assert_eq!(matrix.pivot.fixed[MatrixAxis::Projection as usize], Some(0));
    }
}
