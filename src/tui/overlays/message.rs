//! A fault, or the output of a command.

use super::{editing::scrolled, state::Overlay, window::over};
use crate::tui::{
    command::ScreenCommand,
    paint::Paint,
    shared::Shared,
    text::{fit, wrapped},
};
use ratatui::{layout::Rect, text::Line};

/// Enter closes it.
pub(crate) fn update(shared: &mut Shared, title: String, text: String, scroll: usize, command: ScreenCommand) {
    if command != ScreenCommand::Enter {
        shared.overlay = Some(Overlay::Message { title, text, scroll: scrolled(scroll, command) });
    }
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, title: &str, text: &str, scroll: usize) {
    let wide = area.width.saturating_sub(4).min(110);
    let lines: Vec<String> = text.lines().flat_map(|line| wrapped(line, usize::from(wide.saturating_sub(4)))).collect();
    let inner = over(paint, area, wide, lines.len() as u16 + 2, title);
    let scroll = scroll.min(lines.len().saturating_sub(usize::from(inner.height)));
    let shown = lines.into_iter().skip(scroll);
    paint.lines(inner, shown.map(|line| Line::raw(fit(&line, usize::from(inner.width)))).collect());
}
