//! Compare: what each command does.

use super::state::CompareState;
use crate::{
    study::draft::Change,
    tui::{command::ScreenCommand, event::Effect, movement, shared::Shared},
};
use visavis_core::domain::{contrast, index::ModelIx};

pub(crate) fn update(compare: &mut CompareState, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
    if let Some(by) = movement::rows(command, shared.page) {
        compare.cursor = movement::moved(compare.cursor, by, compare.order.len());
        return vec![];
    }
    if let Some(by) = movement::columns(command) {
        sideways(compare, by);
        return vec![];
    }
    match command {
        ScreenCommand::Enter | ScreenCommand::Diff => match shared.marked.len() {
            2 => compare.diff = true,
            n => shared.say(format!("mark two models with Space: {n} are marked"), true),
        },
        ScreenCommand::Compare if shared.marked.len() < 2 => {
            shared.say("Space marks models: two of them are compared", false);
        }
        ScreenCommand::Back if compare.diff => compare.diff = false,
        ScreenCommand::Back => {
            compare.filter.clear();
            rebuild(compare, shared);
        }
        ScreenCommand::Mark => {
            if let Some(name) = compare.at(compare.cursor).map(str::to_owned) {
                shared.mark(name);
            }
        }
        ScreenCommand::Baseline => return baseline(compare, shared),
        ScreenCommand::Contrast => return contrast(shared),
        ScreenCommand::Sort => sort(compare, shared, false),
        ScreenCommand::SortLeast => sort(compare, shared, true),
        ScreenCommand::Hide => hide(compare),
        _ => {}
    }
    vec![]
}

pub(crate) fn rebuild(compare: &mut CompareState, shared: &Shared) {
    if let Some(matrix_snapshot) = shared.matrix_snapshot() {
        compare.rebuild(matrix_snapshot);
    }
}

fn sideways(compare: &mut CompareState, by: isize) {
    let shown = compare.columns();
    let place = shown.iter().position(|column| *column == compare.column).unwrap_or(0);
    compare.column = shown.get(movement::moved(place, by, shown.len())).copied().unwrap_or(0);
}

fn sort(compare: &mut CompareState, shared: &Shared, least: bool) {
    let wanted = Some((compare.column, least));
    compare.sorted = if compare.sorted == wanted { None } else { wanted };
    rebuild(compare, shared);
}

/// Holds every other model against the one of the cursor; against none, where this is the one.
fn baseline(compare: &CompareState, shared: &Shared) -> Vec<Effect> {
    let row = compare.order.get(compare.cursor).and_then(|row| compare.families.get(*row)?.first());
    let Some((snapshot, &model)) = shared.matrix_snapshot().zip(row) else { return vec![] };
    let is_it = contrast::baseline(&snapshot.study) == Some(model);
    let name = (!is_it).then(|| snapshot.study.models[model].name.clone());
    vec![Effect::Draft(Change::Baseline(name))]
}

/// The two marked models become a contrast of the study.
fn contrast(shared: &mut Shared) -> Vec<Effect> {
    let Some(snapshot) = shared.matrix_snapshot() else { return vec![] };
    let trainings = snapshot.trainings();
    let of_name = |name: &String| trainings.values().find(|models| snapshot.families[models[0]].0 == *name);
    let model = |models: &Vec<ModelIx>| snapshot.study.models[models[0]].name.clone();
    let marked: Vec<String> = shared.marked.iter().filter_map(of_name).map(model).collect();
    let count = marked.len();
    let Ok(models) = <[String; 2]>::try_from(marked) else {
        shared.say(format!("mark two models with Space: {count} are marked"), true);
        return vec![];
    };
    vec![Effect::Draft(Change::AddContrast { name: models.join(" and "), models })]
}

/// Hides the column of the cursor, which goes to the next; on the first column, shows all.
fn hide(compare: &mut CompareState) {
    if compare.column == 0 {
        compare.hidden.clear();
        return;
    }
    let column = compare.column;
    sideways(compare, 1);
    compare.hidden.insert(column);
    if compare.column == column {
        sideways(compare, -1);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::state::HEADS, *};
    use crate::tui::{screen::Screen, testing::opened};
    use ScreenCommand as C;

    /// The study of tests: the models pixels, blocks and noisy, the best first.
    fn after(commands: &[C]) -> (CompareState, Shared) {
        let (mut compare, mut shared) = opened(CompareState::default());
        for command in commands {
            update(&mut compare, &mut shared, *command);
        }
        (compare, shared)
    }

    fn models(compare: &CompareState) -> Vec<&str> {
        (0..compare.order.len()).filter_map(|row| compare.at(row)).collect()
    }

    #[test]
    fn each_model_is_a_row_with_the_mean_of_its_scores() {
        let (compare, _) = after(&[]);
        assert_eq!(models(&compare), ["pixels", "blocks", "noisy"]);
        let auc = HEADS.iter().position(|head| *head == "auc").unwrap();
        let number = compare.table.rows[0][auc].number().unwrap();
        assert!((number - 0.88).abs() < 1e-9, "the mean of 0.90 and 0.86: {number}");
    }

    #[test]
    fn the_cursor_passes_over_columns_that_hold_nothing() {
        let (compare, _) = after(&[C::Right; 5]);
        assert_eq!(HEADS[compare.column], "seeds", "no probe, no verification, no training");
    }

    #[test]
    fn rows_are_sorted_by_the_column_of_the_cursor_and_back() {
        let (compare, _) = after(&[C::Right, C::SortLeast]);
        assert_eq!(models(&compare), ["noisy", "blocks", "pixels"]);
        let (compare, _) = after(&[C::Right, C::SortLeast, C::SortLeast]);
        assert_eq!(models(&compare), ["pixels", "blocks", "noisy"]);
    }

    #[test]
    fn a_hidden_column_is_left_out_until_the_first_shows_all() {
        let (mut compare, mut shared) = after(&[C::Right, C::Hide]);
        assert!(!compare.columns().contains(&1) && compare.column == 2);
        update(&mut compare, &mut shared, C::Left);
        update(&mut compare, &mut shared, C::Hide);
        assert!(compare.hidden.is_empty() && compare.columns().contains(&1));
    }

    #[test]
    fn a_comparison_in_the_filter_restricts_the_means_and_takes_no_model_away() {
        let (mut compare, shared) = after(&[]);
        compare.set_filter(&shared, "comparison:zero".to_owned());
        assert_eq!(models(&compare).len(), 3);
        assert!((compare.table.rows[0][1].number().unwrap() - 0.9).abs() < 1e-9);
    }

    #[test]
    fn escape_takes_the_filter_off() {
        let (mut compare, mut shared) = after(&[]);
        compare.set_filter(&shared, "model=blocks".to_owned());
        assert_eq!(models(&compare), ["blocks"]);
        update(&mut compare, &mut shared, C::Back);
        assert_eq!(models(&compare).len(), 3);
    }

    #[test]
    fn differences_are_shown_of_two_marked_models() {
        let (compare, shared) = after(&[C::Mark, C::Enter]);
        assert!(!compare.diff && shared.toast.unwrap().text.contains("1 are marked"));
        let (compare, _) = after(&[C::Mark, C::Down, C::Mark, C::Enter]);
        assert!(compare.diff);
        let (compare, _) = after(&[C::Mark, C::Down, C::Mark, C::Enter, C::Back]);
        assert!(!compare.diff);
    }

    #[test]
    fn the_model_of_the_cursor_becomes_the_baseline_and_two_marked_ones_a_contrast() {
        let (mut compare, mut shared) = after(&[C::Down]);
        let drafted = update(&mut compare, &mut shared, C::Baseline);
        assert_eq!(drafted, [Effect::Draft(Change::Baseline(Some("blocks".to_owned())))]);
        assert!(update(&mut compare, &mut shared, C::Contrast).is_empty());
        assert!(shared.toast.as_ref().unwrap().text.contains("0 are marked"));
        for command in [C::Mark, C::Up, C::Mark] {
            update(&mut compare, &mut shared, command);
        }
        let drafted = update(&mut compare, &mut shared, C::Contrast);
        let models = ["blocks", "pixels"].map(str::to_owned);
        let contrast = Change::AddContrast { name: "blocks and pixels".to_owned(), models };
        assert_eq!(drafted, [Effect::Draft(contrast)]);
    }

    #[test]
    fn two_models_without_a_contrast_are_paired_without_verdicts() {
        let (_, shared) = after(&[]);
        let pair = super::super::paired::paired(shared.matrix_snapshot().unwrap(), "noisy", "pixels").unwrap();
        assert_eq!((pair.left.as_str(), pair.right.as_str()), ("pixels", "noisy"), "in the study's order");
        assert!(pair.verdicts.is_none() && pair.rows.len() == 2);
        assert!(pair.rows.iter().all(|row| row.right < row.left && row.difference.is_none()));
    }
}
