//! A form: what each command does.

use super::state::Form;
use crate::tui::{
    command::ScreenCommand,
    event::Effect,
    overlays::{
        editing::{moved, typed},
        state::Overlay,
    },
    shared::Shared,
};

pub(crate) fn update(shared: &mut Shared, mut form: Form, command: ScreenCommand) -> Vec<Effect> {
    let mut effects = vec![];
    match command {
        ScreenCommand::Enter if form.cursor + 1 < form.fields.len() => form.cursor += 1,
        ScreenCommand::Enter => match form.change() {
            Ok(change) => {
                // It stays until the change can be made: a mistake in it can be mended.
                form.fault.clear();
                effects.push(Effect::Draft(change));
            }
            Err(why) => form.fault = why,
        },
        ScreenCommand::Complete if !form.completions().is_empty() && !form.fields[form.cursor].value.is_empty() => {
            form.complete();
        }
        ScreenCommand::Complete | ScreenCommand::Down => {
            form.cursor = moved(form.cursor, form.fields.len(), ScreenCommand::Down);
        }
        ScreenCommand::Up => form.cursor = moved(form.cursor, form.fields.len(), ScreenCommand::Up),
        other => {
            let value = std::mem::take(&mut form.fields[form.cursor].value);
            form.fields[form.cursor].value = typed(value, other);
        }
    }
    shared.overlay = Some(Overlay::Form(form));
    effects
}

#[cfg(test)]
mod tests {
    use super::{super::state::Adding, *};
    use crate::{study::draft::Change, tui::testing};
    use ScreenCommand as C;

    /// A form after keys: `'` types a word, everything else is a command.
    fn filled(adding: Adding, steps: &[Result<&str, C>]) -> (Form, Vec<Effect>) {
        let mut shared = testing::shared(testing::seen(testing::study()));
        let mut form = Form::new(adding, &testing::study());
        let mut effects = vec![];
        for step in steps {
            let commands = match step {
                Ok(word) => word.chars().map(C::Type).collect(),
                Err(command) => vec![*command],
            };
            for command in commands {
                effects = update(&mut shared, form, command);
                let Some(Overlay::Form(after)) = shared.overlay.take() else { panic!("the form is gone") };
                form = after;
            }
        }
        (form, effects)
    }

    #[test]
    fn enter_goes_through_the_fields_and_at_the_last_drafts_the_change() {
        let enter = Err(C::Enter);
        let steps = [Ok("a"), enter, Ok("A"), enter, Ok("digit=1"), enter, Ok("B"), enter, Ok("digit=2"), enter, enter];
        let (form, effects) = filled(Adding::Comparison, &steps);
        assert_eq!(form.fault, "");
        let body = "{ \"A\": \"digit=1\", \"B\": \"digit=2\" }".to_owned();
        assert_eq!(effects, [Effect::Draft(Change::AddComparison { name: "a".to_owned(), body })]);
    }

    #[test]
    fn a_field_that_is_empty_is_named_and_nothing_is_drafted() {
        let (form, effects) = filled(Adding::Projection, &[Err(C::Enter)]);
        assert_eq!((form.fault.as_str(), effects), ("projection is empty", vec![]));
    }

    #[test]
    fn tab_completes_what_was_begun_and_else_goes_on() {
        let (form, _) = filled(Adding::Projection, &[Ok("uma"), Err(C::Complete)]);
        assert!(form.fields[0].value.starts_with("umap: {"), "{}", form.fields[0].value);
        let (form, _) = filled(Adding::Comparison, &[Err(C::Complete)]);
        assert_eq!(form.cursor, 1);
        let (form, _) = filled(Adding::Comparison, &[Err(C::Up)]);
        assert_eq!(form.cursor, form.fields.len() - 1);
    }
}
