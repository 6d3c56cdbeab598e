//! A note to a figure that is pinned.

use super::{editing::typed, state::Overlay, window::over};
use crate::tui::{
    command::ScreenCommand,
    event::{CommandPurpose, Effect},
    paint::Paint,
    shared::Shared,
    text::{fit, fit_end},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};
use visavis_core::domain::ledger::CellId;

/// `visavis pin` takes no longer notes.
const LONGEST: usize = 500;

pub(crate) fn update(shared: &mut Shared, figure: CellId, text: String, command: ScreenCommand) -> Vec<Effect> {
    if command == ScreenCommand::Enter {
        let Some(name) = shared.matrix_snapshot().map(|matrix_snapshot| matrix_snapshot.name(&figure)) else { return vec![] };
        let (file, note) = (shared.study_file(), format!("--note={}", text.trim()));
        return shared.program(&["pin", &note, "--", &file, &name], CommandPurpose::Ask);
    }
    let is_full = text.chars().count() >= LONGEST && matches!(command, ScreenCommand::Type(_));
    let text = if is_full { text } else { typed(text, command) };
    shared.overlay = Some(Overlay::Note { figure, text });
    vec![]
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, shared: &Shared, figure: &CellId, text: &str) {
    let name = shared.matrix_snapshot().map_or(String::new(), |matrix_snapshot| matrix_snapshot.name(figure));
    let inner = over(paint, area, 76, 6, "pin to the report");
    let theme = paint.theme;
    let room = usize::from(inner.width);
    paint.lines(
        inner,
        vec![
            Line::raw(fit(&name, room)),
            Line::from(vec![
                Span::styled("note ", theme.dim()),
                Span::raw(fit_end(text, room.saturating_sub(8))),
                Span::styled("▏", theme.accent()),
            ]),
            Line::default(),
            Line::styled("Enter pins it, with or without a note · Esc leaves", theme.dim()),
        ],
    );
}
