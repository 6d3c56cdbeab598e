//! What a screen is. A new screen is a folder in `screens/`, its name in `screen_id.rs` and its row in `screens/mod.rs`.

use super::{
    audited::Audited, command::ScreenCommand, event::Effect, layout::ScreenLayout, paint::Paint, screen_id::ScreenId,
    shared::Shared, table::ScreenTable,
};
use crate::study::matrix_snapshot::MatrixSnapshot;
use ratatui::layout::Rect;
use visavis_core::domain::{job::JobId, ledger::CellId};

/// One screen: its state, and what is done with it. `update` and everything before it is pure: no I/O, no clock. `draw` decides nothing.
pub(crate) trait Screen {
    fn id(&self) -> ScreenId;

    /// What it is for, in a few lines of the help.
    fn about(&self) -> &'static [&'static str];

    /// What the line of keys shows, the most needed first: what does not fit is left to the help.
    fn keys(&self) -> &'static [ScreenCommand];

    /// Does it show anything before a study is open?
    fn works_without_study(&self) -> bool {
        false
    }

    /// Does it show how long ago something was?
    fn tells_time(&self) -> bool {
        false
    }

    /// Takes up what was remembered from the last session.
    fn restore(&mut self, _layout: &ScreenLayout) {}

    /// Writes down what to remember for the next.
    fn remember(&self, _layout: &mut ScreenLayout) {}

    /// The study has changed. `same_text`: its file has not, only results have.
    fn take_study(&mut self, _matrix_snapshot: &MatrixSnapshot, _same_text: bool) {}

    /// An audit of this study has ended.
    fn take_audit(&mut self, _shared: &Shared, _study: &str, _audit: &Audited) {}

    /// The images of a figure's map were read.
    fn take_map(&mut self, _shared: &Shared, _cell: CellId) {}

    /// Makes its lists anew from what was seen.
    fn rebuild(&mut self, shared: &Shared);

    /// The filter of its rows, and the fields that a filter may name; `None`: it has none.
    fn filter(&self) -> Option<(&str, &'static [&'static str])> {
        None
    }

    fn set_filter(&mut self, _shared: &Shared, _text: String) {}

    /// Does a command, where nothing lies over the screen.
    fn update(&mut self, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect>;

    /// A row and a column of its list were clicked.
    fn click(&mut self, shared: &mut Shared, row: usize, column: usize) -> Vec<Effect>;

    /// The person goes to another screen.
    fn leave(&mut self) {}

    /// Takes off the marks that it keeps itself.
    fn unmark(&mut self) {}

    /// The figures that it shows, so that their points are read.
    fn figures_wanted(&self, _shared: &Shared) -> Vec<CellId> {
        vec![]
    }

    /// The jobs whose histories it shows, so that they are read.
    fn jobs_wanted(&self, _shared: &Shared) -> Vec<JobId> {
        vec![]
    }

    /// The command line that shows or does what is looked at, without the program's name.
    ///
    /// # Errors
    /// Why there is none.
    fn command_line(&self, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String>;

    /// What it says, as a table for scripts.
    fn table(&self, shared: &Shared) -> ScreenTable;

    fn draw(&self, paint: &mut Paint, area: Rect, shared: &Shared);
}
