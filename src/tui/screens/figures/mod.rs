//! Screen 4: figures in the ledger's order, each with its rank, score and reason.

mod close_up;
mod close_up_view;
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
            "e opens the map of a figure: + zooms in, - zooms out, s selects a rectangle, w writes the selection as labels.",
        ]
    }

    fn keys(&self) -> &'static [ScreenCommand] {
        use ScreenCommand as C;
        if self.close_up.is_some() {
            &[C::Down, C::ZoomIn, C::SelectArea, C::SaveSelection, C::ZoomOut, C::WholeMap, C::Back]
        } else {
            &[C::Down, C::Enter, C::CloseUp, C::Pin, C::Beside, C::Filter, C::Build, C::Mark]
        }
    }

    fn take_study(&mut self, _matrix_snapshot: &MatrixSnapshot, same_text: bool) {
        // Figures are known by their places in the study file.
        if !same_text {
            (self.beside, self.close_up) = (None, None);
        }
    }

    fn take_map(&mut self, shared: &Shared, cell: CellId) {
        if let Some(close_up) = self.close_up.as_mut().filter(|of| of.cell == cell) {
            close_up.select(shared.map_of(cell));
        }
    }

    fn rebuild(&mut self, shared: &Shared) {
        update::rebuild(self, shared);
    }

    fn filter(&self) -> Option<(&str, &'static [&'static str])> {
        // Of a list that is behind a map nobody would see it.
        self.close_up.is_none().then_some((&self.filter, &state::FIELDS[..]))
    }

    fn set_filter(&mut self, shared: &Shared, text: String) {
        self.filter = text;
        update::rebuild(self, shared);
    }

    fn update(&mut self, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
        update::update(self, shared, command)
    }

    fn click(&mut self, shared: &mut Shared, row: usize, column: usize) -> Vec<Effect> {
        if let Some(close_up) = &mut self.close_up {
            close_up.put([column, row].map(|part| part as f64 / close_up_view::PARTS));
            close_up.select(shared.map_of(close_up.cell));
            return vec![];
        }
        self.cursor = row.min(self.list.len().saturating_sub(1));
        vec![]
    }

    fn figures_wanted(&self, shared: &Shared) -> Vec<CellId> {
        self.on_screen(state::wall(shared.size))
    }

    fn command_line(&self, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String> {
        copied::findings(matrix_snapshot)?;
        let file = shared.anywhere(&matrix_snapshot.file);
        let looked_at = self.close_up.as_ref().map(|of| of.cell);
        let Some(figure) = looked_at.or_else(|| self.here()) else {
            return Ok(copied::words(&["export", &file, "--what", "ledger"]));
        };
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
