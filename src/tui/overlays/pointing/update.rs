//! What each command does.

use super::state::Pointing;
use crate::tui::{
    command::ScreenCommand,
    event::{CommandPurpose, Effect},
    overlays::{
        editing::{moved, typed},
        state::Overlay,
    },
    shared::Shared,
};

pub(crate) fn update(shared: &mut Shared, mut pointing: Pointing, command: ScreenCommand) -> Vec<Effect> {
    let mut effects = vec![];
    let count = pointing.fields.len();
    let is_begun = !pointing.fields[pointing.cursor].value.is_empty();
    match command {
        ScreenCommand::Enter if pointing.cursor + 1 < count => pointing.cursor += 1,
        ScreenCommand::Enter => match pointing.command(&shared.root) {
            Ok((words, file)) => {
                pointing.told = "checking the files …".to_owned();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                effects = shared.program(&words, CommandPurpose::Begin(file));
            }
            Err(why) => why.clone_into(&mut pointing.told),
        },
        ScreenCommand::Complete if is_begun && pointing.has_more() => pointing.complete(),
        ScreenCommand::Complete if !is_begun && pointing.is_path() => pointing.begin(),
        ScreenCommand::Complete | ScreenCommand::Down => pointing.cursor = moved(pointing.cursor, count, ScreenCommand::Down),
        ScreenCommand::Up => pointing.cursor = moved(pointing.cursor, count, ScreenCommand::Up),
        other => {
            let field = &mut pointing.fields[pointing.cursor];
            field.value = typed(std::mem::take(&mut field.value), other);
            field.options.clear();
        }
    }
    let field = &pointing.fields[pointing.cursor];
    if pointing.is_path() && field.options.is_empty() && !field.value.is_empty() && effects.is_empty() {
        effects.push(Effect::Paths(field.value.clone()));
    }
    shared.overlay = Some(Overlay::Pointing(pointing));
    effects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;
    use ScreenCommand as C;

    fn after(steps: &[Result<&str, C>]) -> (Shared, Pointing, Vec<Effect>) {
        let mut shared = testing::shared(testing::seen(testing::study()));
        let (mut pointing, mut effects) = (Pointing::new(&[]), vec![]);
        for step in steps {
            let commands = match step {
                Ok(word) => word.chars().map(C::Type).collect(),
                Err(command) => vec![*command],
            };
            for command in commands {
                effects = update(&mut shared, pointing, command);
                let Some(Overlay::Pointing(after)) = shared.overlay.take() else { panic!("it is gone") };
                pointing = after;
            }
        }
        (shared, pointing, effects)
    }

    #[test]
    fn what_is_pointed_at_becomes_a_command_line() {
        let enter = Err(C::Enter);
        let (_, pointing, effects) =
            after(&[Ok("../my faces"), enter, Ok("../l.csv"), enter, enter, enter, Ok("~/a.npy"), enter, enter]);
        let [Effect::Program { arguments, purpose, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(
            arguments[..],
            ["init", ".", "--study=first", "--faces=../my faces", "--labels=../l.csv", "--features=~/a.npy"].map(str::to_owned)
        );
        assert_eq!(*purpose, CommandPurpose::Begin("experiments/first.yaml".into()));
        assert_eq!(pointing.told, "checking the files …");
        let (_, pointing, effects) = after(&[enter; 6]);
        assert!(effects.is_empty() && pointing.told.starts_with("faces is empty"), "{}", pointing.told);
    }

    #[test]
    fn paths_are_asked_for_as_they_are_typed_and_completed_as_far_as_they_agree() {
        let (mut shared, mut pointing, effects) = after(&[Ok("da")]);
        assert_eq!(effects, [Effect::Paths("da".to_owned())]);
        pointing.take("d", vec!["d/".to_owned()]);
        assert!(pointing.fields[1].options.is_empty(), "an answer to what was typed before");
        pointing.take("da", ["data/faces/", "data/facts/"].map(str::to_owned).to_vec());
        assert_eq!(update(&mut shared, pointing, C::Complete), [Effect::Paths("data/fac".to_owned())]);
        let (_, pointing, effects) = after(&[Err(C::Complete)]);
        assert_eq!((pointing.fields[1].value.as_str(), effects), ("../", vec![Effect::Paths("../".to_owned())]));
        // A name is no path.
        let (_, _, effects) = after(&[Err(C::Up), Ok("x")]);
        assert_eq!(effects, []);
    }
}
