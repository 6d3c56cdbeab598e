//! The register of screens: one folder and one row each.

mod compare;
mod figures;
mod label;
mod matrix;
mod report;
mod runs;

use super::{screen::Screen, screen_id::ScreenId};

/// Every screen with its state, in the order of [`ScreenId::ALL`].
pub(crate) struct Screens([Box<dyn Screen>; ScreenId::ALL.len()]);

impl Default for Screens {
    fn default() -> Self {
        Screens([
            Box::new(matrix::MatrixState::default()),
            Box::new(runs::RunsState::default()),
            Box::new(compare::CompareState::default()),
            Box::new(figures::FiguresState::default()),
            Box::new(report::ReportState::default()),
            Box::new(label::LabelState::default()),
        ])
    }
}

impl Screens {
    pub(crate) fn get(&self, id: ScreenId) -> &dyn Screen {
        &*self.0[id as usize]
    }

    pub(crate) fn get_mut(&mut self, id: ScreenId) -> &mut dyn Screen {
        &mut *self.0[id as usize]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &dyn Screen> {
        self.0.iter().map(|screen| &**screen)
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Screen>> {
        self.0.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::command::COMMANDS;

    #[test]
    fn every_name_finds_its_screen() {
        let screens = Screens::default();
        assert!(ScreenId::ALL.into_iter().all(|id| screens.get(id).id() == id));
    }

    #[test]
    fn the_line_of_keys_names_only_keys_that_work_there() {
        for screen in Screens::default().all() {
            for command in screen.keys() {
                let entry = COMMANDS.iter().find(|entry| entry.command == *command).unwrap();
                assert!(entry.is_of(screen.id()) && !entry.short.is_empty(), "{command:?} on {}", screen.id().word());
            }
        }
    }
}
