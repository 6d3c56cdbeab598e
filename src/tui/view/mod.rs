//! State → what is on the screen. Decides nothing: the same state gives the same frame.

mod compare;
mod figure;
mod figures;
mod matrix;
mod overlays;
mod report;
mod runs;

use super::{
    app::{App, Screen},
    command::{self, ScreenCommand},
    pixels::Pixels,
    text::{self, fit, width},
    theme::Theme,
};
use crate::study::{HeldBecause, Phase};
use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph},
};
use visavis_core::domain::{
    job::JobState,
    text::{printable, thousands},
};

pub use figures::wall;
pub use overlays::filter_fault;

/// Something that can be clicked.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub area: Rect,
    pub what: Clicked,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Clicked {
    Command(ScreenCommand),
    /// A row and a column of the screen's list.
    Place(usize, usize),
}

/// The least room in which anything can be shown.
pub const LEAST: (u16, u16) = (40, 12);

/// What drawing needs beside the state: where clicks go, and pictures that were encoded before.
pub struct Paint<'a, 'f> {
    pub frame: &'a mut Frame<'f>,
    pub hits: &'a mut Vec<Hit>,
    pub pixels: &'a mut Pixels,
    pub theme: Theme,
}

impl Paint<'_, '_> {
    pub fn line(&mut self, area: Rect, line: impl Into<Line<'static>>) {
        self.frame.render_widget(line.into(), area);
    }

    pub fn lines(&mut self, area: Rect, lines: Vec<Line<'static>>) {
        self.frame.render_widget(Paragraph::new(lines), area);
    }

    /// A rounded pane with a title; what is left inside.
    pub fn pane(&mut self, area: Rect, title: &str, focused: bool) -> Rect {
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
    pub fn empty(&mut self, area: Rect, words: &str) {
        let lines = text::wrapped(words, usize::from(area.width.saturating_sub(2)));
        let top = area.height.saturating_sub(lines.len() as u16) / 2;
        let area = Rect { y: area.y + top, height: area.height - top, ..area };
        let lines: Vec<Line> = lines.into_iter().map(|line| Line::styled(line, self.theme.dim())).collect();
        self.frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), area);
    }

    pub fn hit(&mut self, area: Rect, what: Clicked) {
        self.hits.push(Hit { area, what });
    }
}

pub fn draw(frame: &mut Frame, app: &App, pixels: &mut Pixels) -> Vec<Hit> {
    let area = frame.area();
    let mut hits = Vec::new();
    let mut paint = Paint { frame, hits: &mut hits, pixels, theme: app.theme };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(&mut paint, area);
        return hits;
    }
    let [top, body, bottom] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    header(&mut paint, top, app);
    match app.screen {
        _ if app.seen.board.is_none() && app.screen != Screen::Runs => welcome(&mut paint, body, app),
        Screen::Matrix => matrix::draw(&mut paint, body, app),
        Screen::Runs => runs::draw(&mut paint, body, app),
        Screen::Compare => compare::draw(&mut paint, body, app),
        Screen::Figures => figures::draw(&mut paint, body, app),
        Screen::Report => report::draw(&mut paint, body, app),
    }
    footer(&mut paint, bottom, app);
    if let Some(overlay) = &app.overlay {
        overlays::draw(&mut paint, body, app, overlay);
    }
    hits
}

fn too_small(paint: &mut Paint, area: Rect) {
    let words = format!(
        "visavis needs {} × {}; this is {} × {}. It goes on when there is more room.",
        LEAST.0, LEAST.1, area.width, area.height
    );
    let lines = text::wrapped(&words, usize::from(area.width.max(1)));
    paint.lines(area, lines.into_iter().map(Line::from).collect());
}

/// `visavis · study ── 1 Matrix  2 Runs … ── ◐ 3 running · 2,156 left · ~14 min`
fn header(paint: &mut Paint, area: Rect, app: &App) {
    let theme = paint.theme;
    let wide = usize::from(area.width);
    let name = app.seen.board.as_ref().map_or("no study", |board| board.study.name.as_str());
    let right = standing(app);
    let tabs: usize = Screen::ALL.iter().map(|screen| screen.word().len() + 4).sum();
    let brief = wide < tabs + 40;
    let title = format!(" visavis · {} ", fit(name, if brief { 12 } else { 30 }));
    let mut spans = vec![Span::styled(title.clone(), theme.title())];
    let mut at = width(&title);
    for (place, screen) in Screen::ALL.into_iter().enumerate() {
        let here = screen == app.screen;
        let word = if brief && !here { format!(" {} ", place + 1) } else { format!(" {} {} ", place + 1, screen.word()) };
        let style = if here { theme.cursor() } else { theme.dim() };
        let tab = Rect { x: area.x + at as u16, width: width(&word) as u16, ..area };
        paint.hit(tab.intersection(area), Clicked::Command(ScreenCommand::Go(screen)));
        at += width(&word);
        spans.push(Span::styled(word, style));
    }
    let room = wide.saturating_sub(at + 1);
    let right = fit(&right, room.saturating_sub(1));
    let gap = room.saturating_sub(width(&right));
    spans.push(Span::styled(if gap > 2 { format!(" {} ", "─".repeat(gap - 2)) } else { " ".repeat(gap) }, theme.border(false)));
    let live = app.seen.is_live();
    spans.push(Span::styled(right, if live { theme.accent() } else { theme.dim() }));
    paint.line(area, Line::from(spans));
}

/// How the latest run stands, in a few words.
fn standing(app: &App) -> String {
    if let Some(store) = &app.seen.store {
        return format!("✕ store: {store}");
    }
    if app.seen.reading {
        return "◐ reading the study".to_owned();
    }
    if let Some(fault) = app.seen.trouble.as_ref().filter(|_| app.seen.board.is_some()) {
        let line = fault.place.as_ref().and_then(|place| place.at).map_or(String::new(), |(line, _)| format!("line {line}: "));
        return format!("✕ {line}{} · E opens it", printable(&fault.what));
    }
    let left = |run: &crate::study::Timeline| run.count(JobState::Queued) + run.count(JobState::Running);
    match &app.seen.run {
        Some(run) if run.phase() == Phase::Running => {
            let held = match run.held {
                Some(HeldBecause::Paused) => "‖ paused · ",
                Some(HeldBecause::Draining) => "draining · ",
                None => "",
            };
            let time = app.seen.board.as_ref().filter(|board| board.seconds > 1.0 && board.study.name == run.run.study);
            let time = time.map_or(String::new(), |board| format!(" · {}", text::about(board.seconds)));
            let failed = if run.count(JobState::Failed) > 0 {
                format!("✕ {} failed · ", run.count(JobState::Failed))
            } else {
                String::new()
            };
            format!("{held}{failed}◐ {} running · {} left{time}", run.count(JobState::Running), thousands(left(run)))
        }
        Some(run) if run.count(JobState::Failed) > 0 => format!("✕ {} failed", run.count(JobState::Failed)),
        Some(run) if run.phase() == Phase::Interrupted => "‖ the last run was interrupted".to_owned(),
        Some(run) if run.phase() == Phase::Lost => "✕ the last run ended without a word".to_owned(),
        _ => app.seen.board.as_ref().map_or(String::new(), |board| match (board.to_run, board.waiting) {
            (0, 0) => "● everything is done".to_owned(),
            (0, waiting) => format!("… {} wait for what is missing", thousands(waiting)),
            (n, 0) => format!("○ {} to run · {}", thousands(n), text::about(board.seconds)),
            (n, waiting) => format!("○ {} to run · {} · {} wait", thousands(n), text::about(board.seconds), thousands(waiting)),
        }),
    }
}

/// Before a study is open: what there is, and what to do.
fn welcome(paint: &mut Paint, area: Rect, app: &App) {
    let inner = paint.pane(area, "Visavis", true);
    let words = match (&app.seen.trouble, app.seen.reading, app.seen.studies.is_empty()) {
        (Some(fault), ..) => {
            let lines: Vec<Line> = std::iter::once(Line::styled("the study file cannot be read", paint.theme.error()))
                .chain(std::iter::once(Line::default()))
                .chain(fault.to_string().lines().flat_map(|line| text::wrapped(line, usize::from(inner.width.max(2)) - 2)).map(Line::from))
                .chain([Line::default(), Line::styled("E opens it in $EDITOR · F opens another study · it is read again when it changes", paint.theme.dim())])
                .collect();
            paint.lines(inner, lines);
            return;
        }
        (None, true, _) => "reading the study and its data …".to_owned(),
        (None, false, true) => "This workspace has no study yet.\n\nEnter starts one: your own, scanned digits, or drawn faces\n\n: finds every command · ? helps · q leaves".to_owned(),
        (None, false, false) => "Enter opens a study".to_owned(),
    };
    paint.empty(inner, &words);
}

/// The keys that work here; or what is being typed, done, or was said.
fn footer(paint: &mut Paint, area: Rect, app: &App) {
    let theme = paint.theme;
    let room = usize::from(area.width);
    if let Some(super::app::Overlay::Filter(filter)) = &app.overlay {
        let wrong = overlays::filter_fault(app, filter);
        let line = vec![
            Span::styled(" / ", theme.key()),
            Span::raw(text::fit_end(filter, room.saturating_sub(6))),
            Span::styled("▏", theme.accent()),
            Span::styled(
                wrong.map_or("   Enter keeps it · Esc takes it off".to_owned(), |wrong| format!("   ✕ {wrong}")),
                theme.dim(),
            ),
        ];
        paint.line(area, Line::from(line));
        return;
    }
    if let Some(toast) = &app.toast {
        let style = if toast.bad { theme.error() } else { theme.good() };
        let sign = if toast.bad { "✕" } else { "●" };
        paint.line(area, Line::styled(format!(" {sign} {}", fit(&toast.text, room.saturating_sub(4))), style));
        return;
    }
    if let Some(overlay) = &app.overlay {
        let keys = match overlay {
            super::app::Overlay::Help(_) | super::app::Overlay::Message { .. } => " j k scroll · Esc back",
            super::app::Overlay::Ask { .. } => " y yes · n no",
            super::app::Overlay::Palette { .. } => " type to find · ↑ ↓ choose · Enter does it · Esc back",
            super::app::Overlay::Choice { .. } => " j k choose · Enter takes it · Esc back",
            super::app::Overlay::Draft { .. } => " Enter writes it · Esc back, nothing is written",
            _ => " Enter takes it · Esc leaves",
        };
        paint.line(area, Line::styled(fit(keys, room), theme.dim()));
        return;
    }
    let mut spans = vec![Span::raw(" ")];
    let mut at = 1;
    if let Some(words) = app.working.last() {
        let text = format!("◐ {}   ", fit(words, room / 2));
        at += width(&text);
        spans.push(Span::styled(text, theme.accent()));
    }
    let entry = |command: &ScreenCommand| command::COMMANDS.iter().find(|entry| entry.command == *command);
    let first: Vec<&command::CommandEntry> = command::foot(app.screen).iter().filter_map(entry).collect();
    // Help and quit are always there.
    let last: Vec<&command::CommandEntry> =
        [ScreenCommand::Palette, ScreenCommand::Help, ScreenCommand::Quit].iter().filter_map(entry).collect();
    let reserved: usize = last.iter().map(|entry| width(entry.keys[0]) + width(entry.short) + 4).sum();
    let mut put = |entry: &command::CommandEntry, at: &mut usize, spans: &mut Vec<Span<'static>>, limit: usize| {
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

/// The first row to show, so that the cursor is among so many.
pub fn first(cursor: usize, rows: usize, count: usize) -> usize {
    cursor.saturating_sub(rows / 2).min(count.saturating_sub(rows))
}

/// How far a list is: a mark on the right border.
pub fn scrollbar(paint: &mut Paint, area: Rect, first: usize, rows: usize, count: usize) {
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
pub fn over_ground(style: Style, ground: Option<Style>) -> Style {
    ground.map_or(style, |ground| ground.patch(style))
}
