//! State → one frame. Decides nothing: the same state gives the same frame.

mod footer;
mod header;
mod welcome;

use super::{
    app::App,
    overlays,
    paint::{Hit, LEAST, Paint},
    pixels::Pixels,
    text,
};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::Line,
};

/// Draws everything; what can be clicked in it.
pub(crate) fn draw(frame: &mut Frame, app: &App, pixels: &mut Pixels) -> Vec<Hit> {
    let area = frame.area();
    let (shared, screen) = (&app.shared, app.screen());
    let mut hits = Vec::new();
    let mut paint = Paint { frame, hits: &mut hits, pixels, theme: shared.theme };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(&mut paint, area);
        return hits;
    }
    let [top, body, bottom] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    header::draw(&mut paint, top, shared);
    if shared.seen.matrix_snapshot.is_none() && !screen.works_without_study() {
        welcome::draw(&mut paint, body, shared);
    } else {
        screen.draw(&mut paint, body, shared);
    }
    footer::draw(&mut paint, bottom, shared, screen);
    if let Some(overlay) = &shared.overlay {
        overlays::draw(&mut paint, body, shared, screen, overlay);
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
