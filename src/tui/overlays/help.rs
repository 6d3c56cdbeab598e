//! The help on a screen: what it is for, its keys, and the words that it uses.

use super::{editing::scrolled, state::Overlay, window::over};
use crate::tui::{
    command::{COMMANDS, CommandEntry, ScreenCommand},
    paint::Paint,
    screen::Screen,
    shared::Shared,
    text::{fit, left, wrapped},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};
use visavis_core::domain::glossary::GLOSSARY;

pub(crate) fn update(shared: &mut Shared, scroll: usize, command: ScreenCommand) {
    shared.overlay = Some(Overlay::Help { scroll: scrolled(scroll, command) });
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, screen: &dyn Screen, scroll: usize) {
    let wide = area.width.min(104);
    let inner = over(paint, area, wide, area.height, &format!("help · {}", screen.id().word()));
    let room = usize::from(inner.width);
    let theme = paint.theme;
    let mut lines: Vec<Line> = screen.about().iter().flat_map(|line| wrapped(line, room)).map(Line::raw).collect();
    let mut section = |title: &str, of: &dyn Fn(&CommandEntry) -> bool| {
        lines.push(Line::default());
        lines.push(Line::styled(title.to_owned(), theme.title()));
        for entry in COMMANDS.iter().filter(|entry| !entry.keys.is_empty() && of(entry)) {
            let keys = entry.keys.join(" ");
            lines.push(Line::from(vec![
                Span::styled(left(&keys, 17), theme.key()),
                Span::raw(fit(entry.words, room.saturating_sub(17))),
            ]));
        }
    };
    section("here", &|entry| entry.screens.contains(&screen.id()));
    section("everywhere", &|entry| entry.screens.is_empty());
    lines.push(Line::default());
    lines.push(Line::styled("words", theme.title()));
    for term in GLOSSARY {
        let meaning = wrapped(term.definition, room.saturating_sub(17));
        for (at, line) in meaning.into_iter().enumerate() {
            lines.push(Line::from(vec![Span::raw(left(if at == 0 { term.word } else { "" }, 17)), Span::raw(line)]));
        }
    }
    let rows = usize::from(inner.height);
    let scroll = scroll.min(lines.len().saturating_sub(rows));
    let more = lines.len() > scroll + rows;
    paint.lines(inner, lines.into_iter().skip(scroll).take(rows).collect());
    if more {
        let foot = Rect { y: inner.bottom(), height: 1, ..inner };
        paint.line(foot, Line::styled(" j more · Esc back ", theme.key()));
    }
}
