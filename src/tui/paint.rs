//! Drawing: panes and lines in the room there is, and what can be clicked in them.

use super::{
    command::ScreenCommand,
    pixels::Pixels,
    text::{self, fit},
    theme::Theme,
};
use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    style::Style,
    text::Line,
    widgets::{Block, BorderType, Paragraph},
};

/// Something that can be clicked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    pub area: Rect,
    pub what: Clicked,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Clicked {
    Command(ScreenCommand),
    /// A row and a column of the screen's list.
    Place(usize, usize),
}

/// The least room in which anything can be shown.
pub(crate) const LEAST: (u16, u16) = (40, 12);

/// What drawing needs besides the state: the frame, a list of what can be clicked, and pictures that were encoded before.
pub(crate) struct Paint<'a, 'f> {
    pub frame: &'a mut Frame<'f>,
    pub hits: &'a mut Vec<Hit>,
    pub pixels: &'a mut Pixels,
    pub theme: Theme,
}

impl Paint<'_, '_> {
    pub(crate) fn line(&mut self, area: Rect, line: impl Into<Line<'static>>) {
        self.frame.render_widget(line.into(), area);
    }

    pub(crate) fn lines(&mut self, area: Rect, lines: Vec<Line<'static>>) {
        self.frame.render_widget(Paragraph::new(lines), area);
    }

    /// A rounded pane with a title; what is left inside.
    pub(crate) fn pane(&mut self, area: Rect, title: &str, focused: bool) -> Rect {
        let room = usize::from(area.width.saturating_sub(4));
        let block =
            Block::bordered().border_type(BorderType::Rounded).border_style(self.theme.border(focused)).title(Line::styled(
                format!(" {} ", fit(title, room)),
                if focused { self.theme.title().patch(self.theme.border(true)) } else { self.theme.title() },
            ));
        let inner = block.inner(area);
        self.frame.render_widget(block, area);
        inner
    }

    /// What an empty pane says: what would fill it, and which key does it.
    pub(crate) fn empty(&mut self, area: Rect, words: &str) {
        let lines = text::wrapped(words, usize::from(area.width.saturating_sub(2)));
        let top = area.height.saturating_sub(lines.len() as u16) / 2;
        let area = Rect { y: area.y + top, height: area.height - top, ..area };
        let lines: Vec<Line> = lines.into_iter().map(|line| Line::styled(line, self.theme.dim())).collect();
        self.frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), area);
    }

    pub(crate) fn hit(&mut self, area: Rect, what: Clicked) {
        self.hits.push(Hit { area, what });
    }
}

/// The first row to show, so that the cursor is among so many.
pub(crate) fn first(cursor: usize, rows: usize, count: usize) -> usize {
    cursor.saturating_sub(rows / 2).min(count.saturating_sub(rows))
}

/// How far a list is: a mark on the right border.
pub(crate) fn scrollbar(paint: &mut Paint, area: Rect, first: usize, rows: usize, count: usize) {
    if count <= rows || area.height < 3 {
        return;
    }
    let track = usize::from(area.height - 2);
    let at = first * track.saturating_sub(1) / (count - rows).max(1);
    let mark = Rect { x: area.right() - 1, y: area.y + 1 + at as u16, width: 1, height: 1 };
    let style = paint.theme.accent();
    paint.line(mark, Line::styled("┃", style));
}

/// A style for a span, over another's ground.
pub(crate) fn over_ground(style: Style, ground: Option<Style>) -> Style {
    ground.map_or(style, |ground| ground.patch(style))
}
