//! A question before something is stopped or deleted.

use super::{
    state::{Confirmation, Overlay},
    window::over,
};
use crate::tui::{
    command::ScreenCommand,
    event::{CommandPurpose, Effect},
    paint::Paint,
    shared::Shared,
    text::wrapped,
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

pub(crate) fn update(shared: &mut Shared, question: String, then: Confirmation, command: ScreenCommand) -> Vec<Effect> {
    if command != ScreenCommand::Enter {
        shared.overlay = Some(Overlay::Confirm { question, then });
        return vec![];
    }
    match then {
        Confirmation::Drain => shared.program(&["drain"], CommandPurpose::Ask),
        Confirmation::PauseAll => shared.program(&["pause"], CommandPurpose::Ask),
        Confirmation::Queue(file) => shared.program(&["run", &file, "--queue", "--detach"], CommandPurpose::Run),
        Confirmation::Unpin(name) => shared.program(&["unpin", &shared.study_file(), &name], CommandPurpose::Ask),
        Confirmation::Cancel(jobs) => {
            let ids: Vec<String> = jobs.iter().map(|id| id.short()).collect();
            let words: Vec<&str> = std::iter::once("cancel").chain(ids.iter().map(String::as_str)).collect();
            shared.program(&words, CommandPurpose::Ask)
        }
    }
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, question: &str) {
    let inner = over(paint, area, 66, 5, "sure?");
    let mut lines: Vec<Line> = wrapped(question, usize::from(inner.width)).into_iter().map(Line::from).collect();
    lines.push(Line::default());
    lines.push(Line::from(vec![
        Span::styled("y", paint.theme.key()),
        Span::raw(" yes   "),
        Span::styled("n", paint.theme.key()),
        Span::raw(" no"),
    ]));
    paint.lines(inner, lines);
}
