//! Screen 1: the matrix of all cells; the figure of the square under the cursor, and the evidence for its score.

mod inspector;
mod levels;
mod pivot;
mod state;
mod table;
mod update;
mod view;

use crate::{
    study::matrix_snapshot::MatrixSnapshot,
    tui::{
        command::ScreenCommand, copied, event::Effect, layout::ScreenLayout, paint::Paint, screen::Screen, screen_id::ScreenId,
        shared::Shared, table::ScreenTable,
    },
};
use ratatui::layout::Rect;
use visavis_core::domain::ledger::CellId;

pub(crate) use state::MatrixState;

impl Screen for MatrixState {
    fn id(&self) -> ScreenId {
        ScreenId::Matrix
    }

    fn about(&self) -> &'static [&'static str] {
        &[
            "Every square holds the cells of its row and column: its colour is the best score, quoted on the half that did not choose it.",
            "To start: a adds what is compared, x takes levels in and out, r runs. Watch with 2, compare with 3, pin with p, build with 5 and b.",
            "± is the longer arm of the 95 % interval. ( ): not ranked, for a class is too small or the comparison is of a quantity.",
            "· not run  ○ queued  ◐ running  ● done  ◆ verified by an audit  ✕ failed  ◌ stale  … waits  ‖ paused  – not in the study",
        ]
    }

    fn keys(&self) -> &'static [ScreenCommand] {
        use ScreenCommand as C;
        &[
            C::Down,
            C::Enter,
            C::Mark,
            C::Run,
            C::Add,
            C::Axes,
            C::Pin,
            C::PivotRows,
            C::StepForth,
            C::View,
            C::Sort,
            C::Diff,
            C::Filter,
        ]
    }

    fn restore(&mut self, layout: &ScreenLayout) {
        self.restore(layout);
    }

    fn remember(&self, layout: &mut ScreenLayout) {
        self.remember(layout);
    }

    fn take_study(&mut self, matrix_snapshot: &MatrixSnapshot, _same_text: bool) {
        self.take_study(matrix_snapshot);
    }

    fn rebuild(&mut self, shared: &Shared) {
        self.rebuild(shared);
    }

    fn filter(&self) -> Option<(&str, &'static [&'static str])> {
        Some((&self.filter, &pivot::FIELDS))
    }

    fn set_filter(&mut self, shared: &Shared, text: String) {
        self.filter = text;
        self.rebuild(shared);
    }

    fn update(&mut self, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
        update::update(self, shared, command)
    }

    fn click(&mut self, _shared: &mut Shared, row: usize, column: usize) -> Vec<Effect> {
        (self.row, self.column, self.view) = (row.min(self.order.len().saturating_sub(1)), column, None);
        vec![]
    }

    fn leave(&mut self) {
        self.levels = None;
    }

    fn figures_wanted(&self, shared: &Shared) -> Vec<CellId> {
        shared.matrix_snapshot().and_then(|matrix_snapshot| self.figure(matrix_snapshot)).into_iter().collect()
    }

    fn command_line(&self, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String> {
        let file = shared.anywhere(&matrix_snapshot.file);
        let cell = self.figure(matrix_snapshot).and_then(|figure| copied::cell(shared, matrix_snapshot, &figure));
        match (self.only(matrix_snapshot), cell) {
            (Some(only), Some((state, _))) if !copied::is_hindered(shared, matrix_snapshot, state) => {
                Ok(copied::words(&["run", &file, "--only", &only]))
            }
            // To run it would not make it: this says why.
            (Some(_), Some((_, job))) => Ok(copied::words(&["explain", &job.to_string(), "--study", &file])),
            _ => copied::findings(matrix_snapshot).map(|_| copied::words(&["show", &file])),
        }
    }

    fn table(&self, shared: &Shared) -> ScreenTable {
        table::table(shared.matrix_snapshot(), &shared.seen.states)
    }

    fn draw(&self, paint: &mut Paint, area: Rect, shared: &Shared) {
        view::draw(self, paint, area, shared);
    }
}
