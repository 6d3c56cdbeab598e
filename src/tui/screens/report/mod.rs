//! Screen 5: what the report will hold, and the verdicts of its last audit.

mod state;
mod update;
mod view;

use crate::{
    study::matrix_snapshot::MatrixSnapshot,
    tui::{
        audited::Audited, command::ScreenCommand, copied, event::Effect, paint::Paint, screen::Screen, screen_id::ScreenId,
        shared::Shared, table::ScreenTable,
    },
};
use ratatui::layout::Rect;
use std::path::Path;

pub(crate) use state::ReportState;

impl Screen for ReportState {
    fn id(&self) -> ScreenId {
        ScreenId::Report
    }

    fn about(&self) -> &'static [&'static str] {
        &[
            "What the one HTML file will hold. b builds it, o opens it, A makes its numbers again from its own evidence; Enter opens a verdict.",
        ]
    }

    fn keys(&self) -> &'static [ScreenCommand] {
        use ScreenCommand as C;
        &[C::Down, C::Build, C::Open, C::Audit, C::Enter, C::Pin, C::Copy]
    }

    fn tells_time(&self) -> bool {
        true
    }

    fn take_audit(&mut self, shared: &Shared, study: &str, audit: &Audited) {
        self.take_audit(study, audit, shared.now);
        self.rebuild(&shared.seen);
    }

    fn rebuild(&mut self, shared: &Shared) {
        self.rebuild(&shared.seen);
    }

    fn update(&mut self, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
        update::update(self, shared, command)
    }

    fn click(&mut self, shared: &mut Shared, row: usize, _column: usize) -> Vec<Effect> {
        self.cursor = row;
        update::update(self, shared, ScreenCommand::Enter)
    }

    fn command_line(&self, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String> {
        if self.is_at_audit() {
            if shared.seen.report.is_none() {
                return Err("nothing is copied: there is no report to audit yet; b builds it".to_owned());
            }
            let page = format!("{}reports/{}.html", shared.root, matrix_snapshot.study.name);
            return Ok(copied::words(&["audit", &shared.anywhere(Path::new(&page))]));
        }
        copied::findings(matrix_snapshot)?;
        copied::store_is_read(shared)?;
        Ok(copied::words(&["report", &shared.anywhere(&matrix_snapshot.file)]))
    }

    fn table(&self, _shared: &Shared) -> ScreenTable {
        state::table(self)
    }

    fn draw(&self, paint: &mut Paint, area: Rect, shared: &Shared) {
        view::draw(self, paint, area, shared);
    }
}
