//! Screen 6: what people labelled in this workspace, how far they agree, and the way to label more.

mod state;
mod update;
mod view;

use crate::{
    study::matrix_snapshot::MatrixSnapshot,
    tui::{
        command::ScreenCommand, copied, event::Effect, paint::Paint, screen::Screen, screen_id::ScreenId, shared::Shared,
        table::ScreenTable,
    },
};
use ratatui::layout::Rect;

pub(crate) use state::LabelState;

impl Screen for LabelState {
    fn id(&self) -> ScreenId {
        ScreenId::Label
    }

    fn about(&self) -> &'static [&'static str] {
        &[
            "Labels that people gave by looking at the study's pictures. Enter labels on under your own name; a asks for another attribute and its classes.",
            "A study reads them: evaluation: { labels: [{ journal: race }] }.",
        ]
    }

    fn keys(&self) -> &'static [ScreenCommand] {
        use ScreenCommand as C;
        &[C::Down, C::Enter, C::NewLabel, C::Copy]
    }

    fn tells_time(&self) -> bool {
        true
    }

    fn rebuild(&mut self, shared: &Shared) {
        self.rebuild(&shared.seen.labels);
    }

    fn update(&mut self, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
        update::update(self, shared, command)
    }

    fn click(&mut self, shared: &mut Shared, row: usize, _column: usize) -> Vec<Effect> {
        self.cursor = row;
        update::update(self, shared, ScreenCommand::Enter)
    }

    fn command_line(&self, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String> {
        let Some(line) = self.lines.get(self.cursor) else {
            return Err("nothing is copied: nothing is labelled yet; a asks for an attribute".to_owned());
        };
        let file = shared.anywhere(&matrix_snapshot.file);
        Ok(copied::words(&["label", &file, "--attribute", &line.attribute, "--summary"]))
    }

    fn table(&self, _shared: &Shared) -> ScreenTable {
        state::table(self)
    }

    fn draw(&self, paint: &mut Paint, area: Rect, shared: &Shared) {
        view::draw(self, paint, area, shared);
    }
}
