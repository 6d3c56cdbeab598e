//! Screen 4: figures in the ledger's order, each with its rank, score and reason.

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
use visavis_core::domain::ledger::CellId;

pub(crate) use state::FiguresState;

impl Screen for FiguresState {
    fn id(&self) -> ScreenId {
        ScreenId::Figures
    }

    fn about(&self) -> &'static [&'static str] {
        &[
            "Figures in the ledger's order, each with why it is shown or left out. ● in the report by the rule, ◆ pinned by a person.",
        ]
    }

    fn keys(&self) -> &'static [ScreenCommand] {
        use ScreenCommand as C;
        &[C::Down, C::Enter, C::Pin, C::Beside, C::Filter, C::Build, C::Mark]
    }

    fn take_study(&mut self, _matrix_snapshot: &MatrixSnapshot, same_text: bool) {
        // Figures are known by their places in the study file.
        if !same_text {
            self.beside = None;
        }
    }

    fn rebuild(&mut self, shared: &Shared) {
        update::rebuild(self, shared);
    }

    fn filter(&self) -> Option<(&str, &'static [&'static str])> {
        Some((&self.filter, &state::FIELDS))
    }

    fn set_filter(&mut self, shared: &Shared, text: String) {
        self.filter = text;
        update::rebuild(self, shared);
    }

    fn update(&mut self, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
        update::update(self, shared, command)
    }

    fn click(&mut self, _shared: &mut Shared, row: usize, _column: usize) -> Vec<Effect> {
        self.cursor = row.min(self.list.len().saturating_sub(1));
        vec![]
    }

    fn figures_wanted(&self, shared: &Shared) -> Vec<CellId> {
        self.on_screen(state::wall(shared.size))
    }

    fn command_line(&self, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String> {
        copied::findings(matrix_snapshot)?;
        let file = shared.anywhere(&matrix_snapshot.file);
        let Some(figure) = self.here() else { return Ok(copied::words(&["export", &file, "--what", "ledger"])) };
        let options = [
            ("--model", &matrix_snapshot.study.models[figure.model].name),
            ("--layer", &matrix_snapshot.layers[figure.model][figure.layer]),
            ("--projection", &matrix_snapshot.study.projections[figure.projection].name),
        ];
        let mut words = copied::words(&["export", &file, "--what", "coordinates"]);
        words.extend(options.iter().flat_map(|(option, name)| [(*option).to_owned(), (*name).clone()]));
        Ok(words)
    }

    fn table(&self, shared: &Shared) -> ScreenTable {
        state::table(shared.matrix_snapshot(), &self.list)
    }

    fn draw(&self, paint: &mut Paint, area: Rect, shared: &Shared) {
        view::draw(self, paint, area, shared);
    }
}
