//! Keys as a terminal sends them → commands.

use super::{
    command::{self, ScreenCommand},
    overlays::state::Overlay,
    shared::Shared,
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// `j`, `Down`, `Ctrl-d`, `Space`.
pub(crate) fn name(key: &KeyEvent) -> String {
    let plain = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(letter) => letter.to_string(),
        KeyCode::BackTab => "Shift-Tab".to_owned(),
        other => format!("{other:?}"),
    };
    if key.modifiers.contains(KeyModifiers::CONTROL) { format!("Ctrl-{}", plain.to_lowercase()) } else { plain }
}

/// A key by its name: tests and recordings are written in these.
pub(crate) fn of_name(name: &str) -> KeyEvent {
    let (name, modifiers) = match name.strip_prefix("Ctrl-") {
        Some(rest) => (rest, KeyModifiers::CONTROL),
        None => (name, KeyModifiers::NONE),
    };
    let code = match name {
        "Space" => KeyCode::Char(' '),
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Shift-Tab" => KeyCode::BackTab,
        "Backspace" => KeyCode::Backspace,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        letter => KeyCode::Char(letter.chars().next().unwrap_or(' ')),
    };
    KeyEvent::new(code, modifiers)
}

/// What a key means where the person is.
pub(crate) fn command(shared: &Shared, key: &KeyEvent) -> Option<ScreenCommand> {
    let name = name(key);
    match name.as_str() {
        "Ctrl-c" => return Some(ScreenCommand::Quit),
        "Ctrl-z" => return Some(ScreenCommand::Suspend),
        _ => {}
    }
    let Some(overlay) = &shared.overlay else { return command::of_key(&name, shared.screen) };
    Some(match name.as_str() {
        "Enter" => ScreenCommand::Enter,
        "Esc" => ScreenCommand::Back,
        "Up" | "Ctrl-p" | "Shift-Tab" => ScreenCommand::Up,
        "Down" | "Ctrl-n" => ScreenCommand::Down,
        "Tab" => ScreenCommand::Complete,
        "PageUp" => ScreenCommand::PageUp,
        "PageDown" => ScreenCommand::PageDown,
        "Backspace" | "Ctrl-h" => ScreenCommand::Erase,
        "Ctrl-w" => ScreenCommand::EraseWord,
        "Ctrl-u" => ScreenCommand::EraseAll,
        _ => match key.code {
            KeyCode::Char(letter) if overlay.takes_text() && !key.modifiers.contains(KeyModifiers::CONTROL) => {
                ScreenCommand::Type(letter)
            }
            KeyCode::Char('j') => ScreenCommand::Down,
            KeyCode::Char('k') => ScreenCommand::Up,
            KeyCode::Char('q' | '?') => ScreenCommand::Back,
            KeyCode::Char('y') if matches!(overlay, Overlay::Confirm { .. }) => ScreenCommand::Enter,
            KeyCode::Char('n') => ScreenCommand::Back,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{drawing::DrawingMode, theme::Theme};

    fn means(overlay: Option<Overlay>, key: &str) -> Option<ScreenCommand> {
        let mut shared = Shared::new((120, 40), Theme::Dark, DrawingMode::Braille);
        shared.overlay = overlay;
        command(&shared, &of_name(key))
    }

    #[test]
    fn a_key_is_found_again_by_its_name() {
        for key in ["j", "Space", "Enter", "Esc", "Tab", "Up", "Ctrl-d", "PageDown", "?"] {
            assert_eq!(name(&of_name(key)), key);
        }
    }

    #[test]
    fn letters_are_typed_where_text_is_typed_and_are_commands_elsewhere() {
        assert_eq!(means(None, "q"), Some(ScreenCommand::Quit));
        assert_eq!(means(Some(Overlay::Filter(String::new())), "q"), Some(ScreenCommand::Type('q')));
        assert_eq!(means(Some(Overlay::Help { scroll: 0 }), "q"), Some(ScreenCommand::Back));
        assert_eq!(means(Some(Overlay::Help { scroll: 0 }), "x"), None);
    }

    #[test]
    fn a_question_is_answered_with_y_and_n() {
        let asked = || {
            let then = crate::tui::overlays::state::Confirmation::Drain;
            Some(Overlay::Confirm { question: "sure?".to_owned(), then })
        };
        assert_eq!(means(asked(), "y"), Some(ScreenCommand::Enter));
        assert_eq!(means(asked(), "n"), Some(ScreenCommand::Back));
    }

    #[test]
    fn ctrl_c_always_leaves() {
        assert_eq!(means(Some(Overlay::Filter(String::new())), "Ctrl-c"), Some(ScreenCommand::Quit));
    }
}
