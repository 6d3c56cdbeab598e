//! Labels: what each command does.

use super::state::LabelState;
use crate::tui::{command::ScreenCommand, event::Effect, movement, overlays::state::Overlay, shared::Shared};

pub(crate) fn update(state: &mut LabelState, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
    if let Some(by) = movement::rows(command, shared.page) {
        state.cursor = movement::moved(state.cursor, by, state.lines.len());
        return vec![];
    }
    match (command, state.lines.get(state.cursor)) {
        (ScreenCommand::Enter, Some(line)) => {
            let attribute = format!("--attribute={}", line.attribute);
            return vec![Effect::Label(vec!["label".to_owned(), attribute, "--".to_owned(), shared.study_file()])];
        }
        (ScreenCommand::Enter, None) | (ScreenCommand::NewLabel, _) => shared.overlay = Some(Overlay::NewLabel(String::new())),
        _ => {}
    }
    vec![]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        study::labelling::{LabellingProgress, WorkspaceLabels},
        tui::{screen::Screen, testing::opened},
    };

    fn with(lines: &[&str]) -> (LabelState, Shared) {
        let (mut state, mut shared) = opened(LabelState::default());
        let progress =
            lines.iter().map(|attribute| LabellingProgress { attribute: (*attribute).into(), ..LabellingProgress::default() });
        shared.seen.labels = WorkspaceLabels { progress: progress.collect(), ..WorkspaceLabels::default() }.into();
        Screen::rebuild(&mut state, &shared);
        (state, shared)
    }

    #[test]
    fn enter_labels_on_with_the_attribute_under_the_cursor() {
        let (mut state, mut shared) = with(&["age", "race"]);
        update(&mut state, &mut shared, ScreenCommand::Down);
        let [Effect::Label(words)] = &update(&mut state, &mut shared, ScreenCommand::Enter)[..] else { panic!() };
        assert_eq!(words[..3], ["label", "--attribute=race", "--"]);
    }

    #[test]
    fn where_nothing_is_labelled_enter_asks_what_to_label() {
        let (mut state, mut shared) = with(&[]);
        assert_eq!(update(&mut state, &mut shared, ScreenCommand::Enter), []);
        assert_eq!(shared.overlay, Some(Overlay::NewLabel(String::new())));
    }
}
