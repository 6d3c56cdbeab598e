//! Screen 3: model against model: a table of scores, and two models paired on the same images.

mod paired;
mod row;
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
use visavis_core::domain::{contrast::ContrastSides, index::ModelIx};

pub(crate) use state::CompareState;

impl Screen for CompareState {
    fn id(&self) -> ScreenId {
        ScreenId::Compare
    }

    fn about(&self) -> &'static [&'static str] {
        &[
            "Each row is a model: means over its trainings, ± 95 %. Space marks two; d shows their differences on the same images.",
            "Filter: loss=arcface auc>0.8 comparison:hair set=lfw -pixels   (fields: columns; = whole, : part, > < numbers, - not)",
        ]
    }

    fn keys(&self) -> &'static [ScreenCommand] {
        use ScreenCommand as C;
        &[C::Down, C::Mark, C::Diff, C::Baseline, C::Sort, C::Filter, C::Copy]
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

    fn click(&mut self, _shared: &mut Shared, row: usize, column: usize) -> Vec<Effect> {
        (self.cursor, self.column) = (row, column);
        vec![]
    }

    fn command_line(&self, shared: &Shared, matrix_snapshot: &MatrixSnapshot) -> Result<Vec<String>, String> {
        let file = shared.anywhere(&matrix_snapshot.file);
        let held = &copied::findings(matrix_snapshot)?.held;
        if held.is_empty() {
            return Err("nothing is copied: the study names no contrasts to print".to_owned());
        }
        let marked: Vec<&str> = shared.marked.iter().map(String::as_str).collect();
        let [one, other] = marked[..] else { return Ok(copied::words(&["compare", &file])) };
        let name = |side: &[ModelIx]| side.first().map(|&model| matrix_snapshot.families[model].0.as_str());
        let is = |of: &&ContrastSides| {
            let sides = (name(&of.left), name(&of.right));
            sides == (Some(one), Some(other)) || sides == (Some(other), Some(one))
        };
        let contrast = held
            .iter()
            .find(is)
            .ok_or_else(|| format!("nothing is copied: the study does not hold {one} and {other} against each other"))?;
        let (left, right) = (name(&contrast.left).unwrap_or(one), name(&contrast.right).unwrap_or(other));
        Ok(copied::words(&["compare", &file, left, right]))
    }

    fn table(&self, _shared: &Shared) -> ScreenTable {
        self.shown()
    }

    fn draw(&self, paint: &mut Paint, area: Rect, shared: &Shared) {
        view::draw(self, paint, area, shared);
    }
}
