//! Figures: what each command does.

use super::{
    close_up::CloseUp,
    state::{FiguresState, wall},
};
use crate::tui::{command::ScreenCommand, event::Effect, movement, shared::Shared};
use std::sync::Arc;

pub(crate) fn update(figures: &mut FiguresState, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
    if figures.close_up.is_some() {
        return close_up(figures, shared, command);
    }
    if let Some(by) = movement::rows(command, shared.page) {
        // On the wall a row holds several.
        let across = if figures.alone { 1 } else { wall(shared.size).0 };
        figures.cursor = movement::moved(figures.cursor, by.saturating_mul(across as isize), figures.list.len());
        return vec![];
    }
    if let Some(by) = movement::columns(command) {
        figures.cursor = movement::moved(figures.cursor, by, figures.list.len());
        return vec![];
    }
    match command {
        ScreenCommand::Enter => figures.alone = !figures.alone,
        ScreenCommand::Back => back(figures, shared),
        ScreenCommand::Mark => {
            let model = shared
                .matrix_snapshot()
                .and_then(|matrix_snapshot| Some(matrix_snapshot.families[figures.here()?.model].0.clone()));
            if let Some(model) = model {
                shared.mark(model);
            }
        }
        ScreenCommand::Beside => {
            let here = figures.here();
            figures.beside = if figures.beside == here { None } else { here };
            figures.alone = true;
            shared.say("move on to a figure to see beside it", false);
        }
        ScreenCommand::CloseUp => return look_closely(figures, shared),
        ScreenCommand::ZoomIn
        | ScreenCommand::ZoomOut
        | ScreenCommand::WholeMap
        | ScreenCommand::SelectArea
        | ScreenCommand::SaveSelection => shared.say("e opens the map of this figure first", false),
        ScreenCommand::Pin => {
            if let Some(figure) = figures.here() {
                shared.pin(figure);
            }
        }
        _ => {}
    }
    vec![]
}

pub(crate) fn rebuild(figures: &mut FiguresState, shared: &Shared) {
    if let Some(matrix_snapshot) = shared.matrix_snapshot() {
        figures.rebuild(matrix_snapshot);
    }
}

fn look_closely(figures: &mut FiguresState, shared: &mut Shared) -> Vec<Effect> {
    let Some(cell) = figures.here() else { return vec![] };
    figures.close_up = Some(CloseUp::new(cell));
    (shared.looked_at, shared.is_map_stale) = (Some(cell), false);
    // What was read of another figure, or before, is not shown.
    shared.map = None;
    vec![Effect::Map(cell)]
}

/// Commands while a map is looked at: of the list behind it none works, for nobody sees it.
fn close_up(figures: &mut FiguresState, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
    let Some(close_up) = &mut figures.close_up else { return vec![] };
    if close_up.update(command, shared.map_of(close_up.cell)) {
        return vec![];
    }
    match command {
        ScreenCommand::Back if close_up.back() => vec![],
        ScreenCommand::Back | ScreenCommand::CloseUp => {
            (figures.close_up, shared.looked_at) = (None, None);
            vec![]
        }
        ScreenCommand::SaveSelection => save(close_up, shared),
        ScreenCommand::Pin => {
            shared.pin(close_up.cell);
            vec![]
        }
        _ => vec![],
    }
}

fn save(close_up: &CloseUp, shared: &mut Shared) -> Vec<Effect> {
    let map = shared.map.as_ref().and_then(|(cell, map)| map.as_ref().ok().filter(|_| *cell == close_up.cell));
    match (map, close_up.selected.as_ref().filter(|of| of.images > 0)) {
        (Some(map), Some(selected)) => vec![Effect::SaveSelection(Arc::clone(map), selected.is_selected.clone())],
        _ => {
            shared.say("nothing is selected: s begins a rectangle, s again ends it", true);
            vec![]
        }
    }
}

fn back(figures: &mut FiguresState, shared: &Shared) {
    if figures.beside.is_some() {
        figures.beside = None;
    } else if figures.alone {
        figures.alone = false;
    } else {
        figures.filter.clear();
        rebuild(figures, shared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        overlays::state::{Confirmation, Overlay},
        screen::Screen,
        testing::{opened, opened_with, pinned},
    };
    use ScreenCommand as C;

    /// The study of tests: its ledger ranks twelve figures. A terminal of 120 × 40 holds three across, two down.
    fn after(commands: &[C]) -> (FiguresState, Shared) {
        let (mut figures, mut shared) = opened(FiguresState::default());
        for command in commands {
            update(&mut figures, &mut shared, *command);
        }
        (figures, shared)
    }

    #[test]
    fn figures_stand_in_the_order_of_the_ledger() {
        let (figures, shared) = after(&[]);
        let ranks: Vec<usize> = figures
            .list
            .iter()
            .map(|cell| crate::tui::ledger::row(shared.matrix_snapshot().unwrap(), cell).unwrap().0.rank.unwrap())
            .collect();
        assert_eq!(ranks, (1..=12).collect::<Vec<_>>());
    }

    #[test]
    fn down_goes_one_row_of_the_wall_and_right_one_figure() {
        let across = wall((120, 40)).0;
        assert_eq!(across, 3);
        assert_eq!(after(&[C::Down]).0.cursor, across);
        assert_eq!(after(&[C::Down, C::Right]).0.cursor, across + 1);
        assert_eq!(after(&[C::Enter, C::Down]).0.cursor, 1, "by itself, down is the next figure");
    }

    #[test]
    fn the_figures_on_the_screen_are_read_and_no_others() {
        let (figures, shared) = after(&[]);
        assert_eq!(figures.figures_wanted(&shared), figures.list[..6]);
        let (figures, shared) = after(&[C::Last]);
        assert_eq!(figures.figures_wanted(&shared), figures.list[6..]);
        let (figures, shared) = after(&[C::Right, C::Enter]);
        assert_eq!(figures.figures_wanted(&shared), figures.list[1..2]);
    }

    #[test]
    fn a_figure_is_put_aside_and_another_seen_beside_it() {
        let (figures, shared) = after(&[C::Beside, C::Right]);
        assert_eq!(figures.figures_wanted(&shared), figures.list[..2]);
        assert_eq!(after(&[C::Beside, C::Beside]).0.beside, None);
    }

    #[test]
    fn escape_closes_one_thing_at_a_time() {
        let (mut figures, mut shared) = after(&[C::Beside]);
        figures.set_filter(&shared, "pixels".to_owned());
        let mut left = Vec::new();
        for _ in 0..3 {
            update(&mut figures, &mut shared, C::Back);
            left.push((figures.beside.is_some(), figures.alone, figures.filter.is_empty()));
        }
        assert_eq!(left, [(false, true, false), (false, false, false), (false, false, true)]);
    }

    #[test]
    fn the_figure_under_the_cursor_stays_there_when_the_list_is_filtered() {
        let (mut figures, shared) = after(&[C::Last]);
        let here = figures.here().unwrap();
        let model = shared.matrix_snapshot().unwrap().study.models[here.model].name.clone();
        figures.set_filter(&shared, format!("model={model}"));
        assert_eq!((figures.here(), figures.list.len()), (Some(here), 4));
    }

    #[test]
    fn a_figure_is_pinned_with_a_note_and_taken_off_after_a_question() {
        let (figures, shared) = after(&[C::Pin]);
        assert_eq!(shared.overlay, Some(Overlay::Note { figure: figures.list[0], text: String::new() }));
        let (mut figures, mut shared) = opened_with(FiguresState::default(), pinned(""));
        update(&mut figures, &mut shared, C::Pin);
        assert!(matches!(shared.overlay, Some(Overlay::Confirm { then: Confirmation::Unpin(_), .. })));
    }

    #[test]
    fn a_map_is_looked_at_closely_and_a_selection_is_written_as_labels() {
        let (mut figures, mut shared) = after(&[]);
        let cell = figures.list[0];
        assert_eq!(update(&mut figures, &mut shared, C::CloseUp), [Effect::Map(cell)]);
        assert!(update(&mut figures, &mut shared, C::SaveSelection).is_empty() && shared.toast.take().unwrap().bad);
        let map = crate::study::map_images::MapImages { cell, ..crate::study::make_up::tests::map() };
        shared.map = Some((cell, Ok(Arc::new(map))));
        for command in [C::Up, C::SelectArea, C::Down, C::Down, C::Right, C::Right, C::Enter] {
            assert!(update(&mut figures, &mut shared, command).is_empty());
        }
        let [Effect::SaveSelection(_, is_selected)] = &update(&mut figures, &mut shared, C::SaveSelection)[..] else { panic!() };
        assert_eq!(is_selected.iter().filter(|is| **is).count(), 5);
        // The list behind it does not move unseen.
        update(&mut figures, &mut shared, C::Last);
        assert_eq!((figures.cursor, figures.close_up.is_some()), (0, true));
        // The rectangle goes first, then the close look, and only then what was open before.
        let mut left = vec![];
        for _ in 0..2 {
            update(&mut figures, &mut shared, C::Back);
            left.push(figures.close_up.as_ref().map(|of| of.selected.is_some()));
        }
        assert_eq!(left, [Some(false), None]);
    }

    #[test]
    fn the_model_of_a_figure_is_marked() {
        let (_, shared) = after(&[C::Mark]);
        assert_eq!(shared.marked.iter().collect::<Vec<_>>(), ["pixels"]);
    }
}
