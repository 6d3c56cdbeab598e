//! What lies over a screen: help, palette, forms, questions. Each in a file of its own; their state is in `state.rs`.

mod confirm;
mod draft;
mod editing;
mod filter;
pub(crate) mod form;
mod help;
mod menu;
mod message;
mod new_label;
mod note;
mod palette;
pub(crate) mod pointing;
pub(crate) mod state;
pub(crate) mod studies;
mod then;
mod window;

use super::{command::ScreenCommand, paint::Paint, screen::Screen, shared::Shared};
use ratatui::layout::Rect;
use state::Overlay;

pub(crate) use filter::fault as filter_fault;
pub(crate) use then::Then;

/// Does a command, where something lies over the screen.
pub(crate) fn update(shared: &mut Shared, screen: &mut dyn Screen, command: ScreenCommand) -> Then {
    let Some(overlay) = shared.overlay.take() else { return Then::nothing() };
    if command == ScreenCommand::Back {
        back(shared, screen, overlay);
        return Then::nothing();
    }
    Then::Effects(match overlay {
        Overlay::Palette { text, cursor } => return palette::update(shared, &text, cursor, command),
        Overlay::Help { scroll } => {
            help::update(shared, scroll, command);
            vec![]
        }
        Overlay::Message { title, text, scroll } => {
            message::update(shared, title, text, scroll, command);
            vec![]
        }
        Overlay::Filter(text) => {
            filter::update(shared, screen, text, command);
            vec![]
        }
        Overlay::Note { figure, text } => note::update(shared, figure, text, command),
        Overlay::NewLabel(text) => new_label::update(shared, text, command),
        Overlay::Form(form) => form::update::update(shared, form, command),
        Overlay::Pointing(pointing) => pointing::update::update(shared, pointing, command),
        Overlay::Menu { .. } => menu::update(shared, overlay, command),
        Overlay::Draft { .. } => draft::update(shared, overlay, command),
        Overlay::Confirm { question, then } => confirm::update(shared, question, then, command),
    })
}

/// Leaves an overlay.
fn back(shared: &mut Shared, screen: &mut dyn Screen, overlay: Overlay) {
    match overlay {
        // A filter that is left is taken off.
        Overlay::Filter(_) => screen.set_filter(shared, String::new()),
        // Back to what was typed.
        Overlay::Draft { form: Some(form), .. } => shared.overlay = Some(Overlay::Form(form)),
        _ => {}
    }
}

/// A line of a list was clicked: the cursor goes there.
pub(crate) fn click(shared: &mut Shared, line: usize) {
    if let Some(Overlay::Palette { cursor, .. } | Overlay::Menu { cursor, .. }) = &mut shared.overlay {
        *cursor = line;
    }
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, shared: &Shared, screen: &dyn Screen, overlay: &Overlay) {
    match overlay {
        // It is typed in the line of keys.
        Overlay::Filter(_) => {}
        Overlay::Help { scroll } => help::draw(paint, area, screen, *scroll),
        Overlay::Palette { text, cursor } => palette::draw(paint, area, screen.id(), text, *cursor),
        Overlay::NewLabel(text) => new_label::draw(paint, area, text),
        Overlay::Note { figure, text } => note::draw(paint, area, shared, figure, text),
        Overlay::Form(form) => form::view::draw(paint, area, form),
        Overlay::Pointing(pointing) => pointing::view::draw(paint, area, pointing),
        Overlay::Menu { title, options, cursor, .. } => menu::draw(paint, area, title, options, *cursor),
        Overlay::Draft { draft, .. } => draft::draw(paint, area, draft),
        Overlay::Confirm { question, .. } => confirm::draw(paint, area, question),
        Overlay::Message { title, text, scroll } => message::draw(paint, area, title, text, *scroll),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::screens::Screens,
        state::{Confirmation, MenuChoice},
        *,
    };
    use crate::tui::{
        event::{CommandPurpose, Effect},
        screen_id::ScreenId,
        testing,
    };
    use ScreenCommand as C;

    /// What a command does in an overlay over the matrix of the study of tests.
    fn after(overlay: Overlay, commands: &[C]) -> (Shared, Screens, Then) {
        let (mut shared, mut screens) = (testing::shared(testing::seen(testing::study())), Screens::default());
        let matrix_snapshot = shared.seen.matrix_snapshot.clone().unwrap();
        screens.all_mut().for_each(|screen| {
            screen.take_study(&matrix_snapshot, false);
            screen.rebuild(&shared);
        });
        shared.overlay = Some(overlay);
        let mut then = Then::nothing();
        for command in commands {
            then = update(&mut shared, screens.get_mut(ScreenId::Matrix), *command);
        }
        (shared, screens, then)
    }

    fn program(then: &Then) -> &str {
        match then {
            Then::Effects(effects) => match &effects[..] {
                [Effect::Program { words, .. }] => words,
                other => panic!("{other:?}"),
            },
            other @ Then::Command(_) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_palette_finds_a_command_and_hands_it_on() {
        let palette = Overlay::Palette { text: String::new(), cursor: 0 };
        let (shared, _, then) = after(palette, &[C::Type('p'), C::Type('i'), C::Type('n'), C::Enter]);
        assert_eq!((shared.overlay, then), (None, Then::Command(C::Pin)));
    }

    #[test]
    fn a_filter_is_applied_while_it_is_typed_and_escape_takes_it_off() {
        let typed: Vec<C> = "blocks".chars().map(C::Type).collect();
        let (_, screens, _) = after(Overlay::Filter(String::new()), &typed);
        assert_eq!(screens.get(ScreenId::Matrix).filter().unwrap().0, "blocks");
        let (shared, screens, _) = after(Overlay::Filter("blocks".to_owned()), &[C::Back]);
        assert_eq!((screens.get(ScreenId::Matrix).filter().unwrap().0, shared.overlay), ("", None));
    }

    #[test]
    fn a_filter_that_is_wrong_is_not_kept() {
        let (shared, ..) = after(Overlay::Filter("acu>1".to_owned()), &[C::Enter]);
        assert_eq!(shared.overlay, Some(Overlay::Filter("acu>1".to_owned())));
    }

    #[test]
    fn a_note_is_pinned_as_one_argument() {
        let figure = testing::study().figures()[0];
        let (shared, _, then) = after(Overlay::Note { figure, text: "it's --odd".to_owned() }, &[C::Enter]);
        assert!(
            program(&then).starts_with("visavis pin '--note=it'\\''s --odd' -- experiments/test.yaml "),
            "{}",
            program(&then)
        );
        assert_eq!(shared.working.len(), 1);
    }

    #[test]
    fn a_question_does_what_it_asks_only_after_a_yes() {
        let asked = || Overlay::Confirm { question: "sure?".to_owned(), then: Confirmation::Drain };
        assert_eq!(program(&after(asked(), &[C::Enter]).2), "visavis drain");
        let (shared, _, then) = after(asked(), &[C::Down]);
        assert_eq!((shared.overlay, then), (Some(asked()), Then::nothing()));
        let (shared, _, then) = after(asked(), &[C::Back]);
        assert_eq!((shared.overlay, then), (None, Then::nothing()));
    }

    #[test]
    fn a_menu_opens_a_form_to_add_to_the_study() {
        let options = vec!["a comparison".to_owned(), "a projection".to_owned()];
        let menu = Overlay::Menu { title: "add", options, cursor: 0, choice: MenuChoice::Add };
        let (shared, ..) = after(menu, &[C::Down, C::Enter]);
        let Some(Overlay::Form(form)) = shared.overlay else { panic!("no form") };
        assert_eq!(form.adding, form::state::Adding::Projection);
    }

    #[test]
    fn a_workspace_starts_with_a_command_line() {
        let menu = Overlay::Menu { title: "start", options: vec![String::new(); 5], cursor: 2, choice: MenuChoice::Start };
        let (_, _, then) = after(menu.clone(), &[C::Enter]);
        assert_eq!(program(&then), "visavis demo --digits --prepare");
        let (shared, ..) = after(menu, &[C::Up, C::Up, C::Enter]);
        assert!(matches!(shared.overlay, Some(Overlay::Pointing(_))), "the first asks where things are");
    }

    #[test]
    fn a_study_is_run_after_the_one_that_runs() {
        let ask = Overlay::Confirm { question: "after it?".to_owned(), then: Confirmation::Queue("b.yaml".to_owned()) };
        let (_, _, then) = after(ask, &[C::Enter]);
        assert_eq!(program(&then), "visavis run b.yaml --queue --detach");
    }

    #[test]
    fn the_same_command_line_is_not_run_twice_at_once() {
        let mut shared = testing::shared(testing::seen(testing::study()));
        assert_eq!(shared.program(&["doctor"], CommandPurpose::Show).len(), 1);
        assert_eq!(shared.program(&["doctor"], CommandPurpose::Show), []);
    }
}
