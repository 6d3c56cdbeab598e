//! Keys as a terminal sends them → commands.

use super::{
    app::{App, Overlay},
    command::{self, ScreenCommand},
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// `j`, `Down`, `Ctrl-d`, `Space`.
pub fn name(key: &KeyEvent) -> String {
    let plain = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(letter) => letter.to_string(),
        KeyCode::BackTab => "Shift-Tab".to_owned(),
        other => format!("{other:?}"),
    };
    if key.modifiers.contains(KeyModifiers::CONTROL) { format!("Ctrl-{}", plain.to_lowercase()) } else { plain }
}

/// A key by its name: what journeys and recordings are written in.
pub fn of_name(name: &str) -> KeyEvent {
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
pub fn command(app: &App, key: &KeyEvent) -> Option<ScreenCommand> {
    let name = name(key);
    if name == "Ctrl-c" {
        return Some(ScreenCommand::Quit);
    }
    let typed = match &app.overlay {
        None => return command::of_key(&name, app.screen),
        Some(Overlay::Palette { .. } | Overlay::Filter(_) | Overlay::Note { .. } | Overlay::Form(_)) => true,
        Some(_) => false,
    };
    Some(match name.as_str() {
        "Enter" => ScreenCommand::Enter,
        "Esc" => ScreenCommand::Back,
        "Up" | "Ctrl-p" | "Shift-Tab" => ScreenCommand::Up,
        "Down" | "Ctrl-n" => ScreenCommand::Down,
        "Tab" => ScreenCommand::Complete,
        "PageUp" => ScreenCommand::PageUp,
        "PageDown" => ScreenCommand::PageDown,
        "Backspace" | "Ctrl-h" => ScreenCommand::Erase,
        "Ctrl-w" | "Ctrl-u" => ScreenCommand::EraseWord,
        _ => match key.code {
            KeyCode::Char(letter) if typed && !key.modifiers.contains(KeyModifiers::CONTROL) => ScreenCommand::Type(letter),
            KeyCode::Char('j') => ScreenCommand::Down,
            KeyCode::Char('k') => ScreenCommand::Up,
            KeyCode::Char('q' | '?') => ScreenCommand::Back,
            KeyCode::Char('y') if matches!(app.overlay, Some(Overlay::Ask { .. })) => ScreenCommand::Enter,
            KeyCode::Char('n') => ScreenCommand::Back,
            _ => return None,
        },
    })
}
