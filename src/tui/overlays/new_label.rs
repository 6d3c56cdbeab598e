//! What is to be labelled: an attribute and its classes, typed in a line.

use super::{editing::typed, state::Overlay, window::over};
use crate::tui::{
    command::ScreenCommand,
    event::Effect,
    paint::Paint,
    shared::Shared,
    text::{fit, fit_end},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

pub(crate) fn update(shared: &mut Shared, text: String, command: ScreenCommand) -> Vec<Effect> {
    if command == ScreenCommand::Enter {
        return match asked(&text) {
            Some((attribute, classes)) => {
                let words = [format!("--attribute={attribute}"), format!("--classes={classes}")];
                let words = ["label".to_owned()].into_iter().chain(words).chain(["--".to_owned(), shared.study_file()]);
                vec![Effect::Label(words.collect())]
            }
            None => {
                shared.overlay = Some(Overlay::NewLabel(text));
                shared.say("write an attribute, a colon and two classes or more: race: white, black, asian", true);
                vec![]
            }
        };
    }
    shared.overlay = Some(Overlay::NewLabel(typed(text, command)));
    vec![]
}

/// `race: white, black` → the attribute, and its classes with commas between them.
fn asked(text: &str) -> Option<(String, String)> {
    let (attribute, classes) = text.split_once(':')?;
    let classes: Vec<&str> = classes.split(',').map(str::trim).filter(|class| !class.is_empty()).collect();
    let attribute = attribute.trim();
    (!attribute.is_empty() && classes.len() > 1).then(|| (attribute.to_owned(), classes.join(",")))
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, text: &str) {
    let inner = over(paint, area, 76, 6, "label pictures");
    let theme = paint.theme;
    let room = usize::from(inner.width);
    paint.lines(
        inner,
        vec![
            Line::styled(fit("an attribute and its classes, such as race: white, black, asian", room), theme.dim()),
            Line::from(vec![Span::raw(fit_end(text, room.saturating_sub(2))), Span::styled("▏", theme.accent())]),
            Line::default(),
            Line::styled("Enter shows the first picture · Esc leaves", theme.dim()),
        ],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_and_its_classes_are_told_by_colon_and_commas() {
        assert_eq!(asked(" race : white,  black ,asian"), Some(("race".into(), "white,black,asian".into())));
        for text in ["race", "race: white", ": a, b", "race: ,"] {
            assert_eq!(asked(text), None, "{text}");
        }
    }
}
