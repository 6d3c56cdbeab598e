//! The last line: the keys that work here; or what is typed, done, or was said.

use crate::tui::{
    command::{COMMANDS, CommandEntry, ScreenCommand},
    overlays::{filter_fault, state::Overlay},
    paint::{Clicked, Hit, Paint},
    screen::Screen,
    shared::Shared,
    text::{fit, fit_end, width},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

/// The keys that work here; or what is being typed, done, or was said.
pub(crate) fn draw(paint: &mut Paint, area: Rect, shared: &Shared, screen: &dyn Screen) {
    let theme = paint.theme;
    let room = usize::from(area.width);
    if let Some(Overlay::Filter(filter)) = &shared.overlay {
        let wrong = filter_fault(screen, filter);
        let line = vec![
            Span::styled(" / ", theme.key()),
            Span::raw(fit_end(filter, room.saturating_sub(6))),
            Span::styled("▏", theme.accent()),
            Span::styled(
                wrong.map_or("   Enter keeps it · Esc takes it off".to_owned(), |wrong| format!("   ✕ {wrong}")),
                theme.dim(),
            ),
        ];
        paint.line(area, Line::from(line));
        return;
    }
    if let Some(toast) = &shared.toast {
        let style = if toast.bad { theme.error() } else { theme.good() };
        let sign = if toast.bad { "✕" } else { "●" };
        paint.line(area, Line::styled(format!(" {sign} {}", fit(&toast.text, room.saturating_sub(4))), style));
        return;
    }
    if let Some(overlay) = &shared.overlay {
        let keys = match overlay {
            Overlay::Help { .. } | Overlay::Message { .. } => " j k scroll · Esc back",
            Overlay::Confirm { .. } => " y yes · n no",
            Overlay::Palette { .. } => " type to find · ↑ ↓ choose · Enter does it · Esc back",
            Overlay::Menu { .. } => " j k choose · Enter takes it · Esc back",
            Overlay::Draft { .. } => " Enter writes it · Esc back, nothing is written",
            _ => " Enter takes it · Esc leaves",
        };
        paint.line(area, Line::styled(fit(keys, room), theme.dim()));
        return;
    }
    let mut spans = vec![Span::raw(" ")];
    let mut at = 1;
    if let Some(words) = shared.working.last() {
        let text = format!("◐ {}   ", fit(words, room / 2));
        at += width(&text);
        spans.push(Span::styled(text, theme.accent()));
    }
    let entry = |command: &ScreenCommand| COMMANDS.iter().find(|entry| entry.command == *command);
    let first: Vec<&CommandEntry> = screen.keys().iter().filter_map(entry).collect();
    // Help and quit are always there.
    let last: Vec<&CommandEntry> =
        [ScreenCommand::Palette, ScreenCommand::Help, ScreenCommand::Quit].iter().filter_map(entry).collect();
    let reserved: usize = last.iter().map(|entry| width(entry.keys[0]) + width(entry.short) + 4).sum();
    let mut put = |entry: &CommandEntry, at: &mut usize, spans: &mut Vec<Span<'static>>, limit: usize| {
        let key = if entry.command == ScreenCommand::Down { "hjkl" } else { entry.keys[0] };
        let wide = width(key) + 1 + width(entry.short);
        if *at + wide + 3 > limit {
            return;
        }
        let separator = if *at > 1 { "· " } else { "" };
        *at += width(separator);
        paint.hits.push(Hit {
            area: Rect { x: area.x + *at as u16, width: wide as u16, ..area },
            what: Clicked::Command(entry.command),
        });
        *at += wide + 1;
        spans.push(Span::styled(separator, theme.dim()));
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::styled(format!(" {} ", entry.short), theme.dim()));
    };
    first.iter().for_each(|entry| put(entry, &mut at, &mut spans, room.saturating_sub(reserved)));
    last.iter().for_each(|entry| put(entry, &mut at, &mut spans, room + 2));
    paint.line(area, Line::from(spans));
}
