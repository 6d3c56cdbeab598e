//! Screen 2: devices, jobs of the latest run, their curves and logs.

mod curves;
mod state;
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
use visavis_core::domain::job::JobId;

pub(crate) use state::RunsState;

impl Screen for RunsState {
    fn id(&self) -> ScreenId {
        ScreenId::Runs
    }

    fn about(&self) -> &'static [&'static str] {
        &[
            "Jobs of the latest run, on this machine's devices or Slurm's. Leaving stops nothing; D ends a run cleanly, K stops a job.",
        ]
    }

    fn keys(&self) -> &'static [ScreenCommand] {
        use ScreenCommand as C;
        &[C::Down, C::Run, C::Mark, C::Series, C::Smooth, C::Logarithm, C::Pause, C::Resume, C::Cancel, C::Filter]
    }

    fn works_without_study(&self) -> bool {
        true
    }

    fn tells_time(&self) -> bool {
        true
    }

    fn restore(&mut self, layout: &ScreenLayout) {
        (self.logarithmic, self.smoothing) = (layout.logarithmic, layout.smoothing.min(state::SMOOTHING.len() - 1));
    }

    fn remember(&self, layout: &mut ScreenLayout) {
        (layout.logarithmic, layout.smoothing) = (self.logarithmic, self.smoothing);
    }

    fn rebuild(&mut self, shared: &Shared) {
        self.rebuild(&shared.seen);
    }

    fn filter(&self) -> Option<(&str, &'static [&'static str])> {
        Some((&self.filter, &state::FIELDS))
    }

    fn set_filter(&mut self, shared: &Shared, text: String) {
        self.filter = text;
        self.rebuild(&shared.seen);
    }

    fn update(&mut self, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
        update::update(self, shared, command)
    }

    fn click(&mut self, _shared: &mut Shared, row: usize, _column: usize) -> Vec<Effect> {
        self.cursor = row.min(self.order.len().saturating_sub(1));
        vec![]
    }

    fn unmark(&mut self) {
        self.marked.clear();
    }

    fn jobs_wanted(&self, shared: &Shared) -> Vec<JobId> {
        self.shown(&shared.seen)
    }

    fn command_line(&self, shared: &Shared, _matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String> {
        copied::store_is_read(shared)?;
        Ok(match self.at(&shared.seen) {
            Some(job) => copied::words(&["logs", &job.row.id.short()]),
            None => copied::words(&["status"]),
        })
    }

    fn table(&self, shared: &Shared) -> ScreenTable {
        state::table(&shared.seen)
    }

    fn draw(&self, paint: &mut Paint, area: Rect, shared: &Shared) {
        view::draw(self, paint, area, shared);
    }
}
