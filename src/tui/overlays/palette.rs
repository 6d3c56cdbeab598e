//! The palette: every command, found by typing.

use super::{
    editing::{moved, typed},
    state::Overlay,
    then::Then,
    window::over,
};
use crate::tui::{
    command::{self, ScreenCommand},
    paint::{Clicked, Paint, first},
    screen_id::ScreenId,
    shared::Shared,
    text::{fit_end, left},
};
use ratatui::{
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

pub(crate) fn update(shared: &mut Shared, text: &str, cursor: usize, command: ScreenCommand) -> Then {
    let found = command::found(text);
    if command == ScreenCommand::Enter {
        return found.get(cursor).map_or(Then::nothing(), |entry| Then::Command(entry.command));
    }
    let after = typed(text.to_owned(), command);
    let cursor = if after == text { moved(cursor, found.len(), command) } else { 0 };
    shared.overlay = Some(Overlay::Palette { text: after, cursor });
    Then::nothing()
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, screen: ScreenId, typed: &str, cursor: usize) {
    let found = command::found(typed);
    let inner = over(paint, area, 84, area.height.min(found.len() as u16 + 4).max(6), "every command");
    let theme = paint.theme;
    let room = usize::from(inner.width);
    paint.line(
        Rect { height: 1, ..inner },
        Line::from(vec![
            Span::styled(": ", theme.key()),
            Span::raw(fit_end(typed, room.saturating_sub(4))),
            Span::styled("▏", theme.accent()),
        ]),
    );
    let rows = usize::from(inner.height).saturating_sub(1);
    let top = first(cursor, rows, found.len());
    if found.is_empty() {
        paint.line(Rect { y: inner.y + 1, height: 1, ..inner }, Line::styled("no command has these words", theme.dim()));
    }
    for (at, entry) in found.iter().enumerate().skip(top).take(rows) {
        let place = Rect { y: inner.y + 1 + (at - top) as u16, height: 1, ..inner };
        let here = at == cursor;
        let ground = if here { theme.cursor() } else { Style::new() };
        let other_screen = if entry.is_of(screen) {
            String::new()
        } else {
            format!(" ({})", entry.screens.first().map_or("", |screen| screen.word()))
        };
        let line = Line::from(vec![
            Span::styled(left(entry.keys.first().copied().unwrap_or(""), 8), ground.patch(theme.key())),
            Span::styled(left(&format!("{}{other_screen}", entry.words), room.saturating_sub(8)), ground),
        ]);
        paint.line(place, line);
        paint.hit(place, Clicked::Place(at, 0));
    }
}
