//! The command line that shows or does what is looked at: the same in any folder, and none that would fail.

use super::{event::line, screen::Screen, shared::Shared};
use crate::study::{
    matrix_snapshot::{MatrixSnapshot, StudyFindings},
    watch::CellState,
};
use visavis_core::domain::{job::JobId, ledger::CellId, study::RunOn};

/// The command line of a screen, with the options that every one is given.
///
/// # Errors
/// Why there is none to copy.
pub(crate) fn equivalent(shared: &Shared, screen: &dyn Screen) -> Result<String, String> {
    let arguments = match shared.matrix_snapshot() {
        None => {
            store_is_read(shared)?;
            words(&["status"])
        }
        Some(matrix_snapshot) => {
            if let Some(fault) = shared.seen.trouble.as_ref().filter(|_| !screen.works_without_study()) {
                return Err(format!("nothing is copied: the study cannot be read: {}", fault.what));
            }
            screen.command_line(shared, matrix_snapshot)?
        }
    };
    Ok(line(&arguments.into_iter().chain(shared.globals.iter().cloned()).collect::<Vec<_>>()))
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// # Errors
/// Why the store cannot be read.
pub(crate) fn store_is_read(shared: &Shared) -> Result<(), String> {
    match &shared.seen.unread {
        Some(why) => Err(format!("nothing is copied: the store cannot be read: {why}")),
        None => Ok(()),
    }
}

/// The study's findings.
///
/// # Errors
/// There are none yet.
pub(crate) fn findings(matrix_snapshot: &MatrixSnapshot) -> Result<&StudyFindings, String> {
    matrix_snapshot.found.as_ref().ok_or_else(|| "nothing is copied: the study has no results to show yet; r runs it".to_owned())
}

/// The state of a figure's cell, and the job that scores it.
pub(crate) fn cell<'a>(shared: &'a Shared, matrix_snapshot: &MatrixSnapshot, figure: &CellId) -> Option<(&'a CellState, JobId)> {
    let place = matrix_snapshot.cells.iter().position(|cell| {
        (cell.model, cell.layer, cell.projection, cell.comparison)
            == (figure.model, figure.layer, figure.projection, figure.comparison)
    })?;
    Some((shared.seen.states.get(place)?, matrix_snapshot.job(&matrix_snapshot.cells[place])?))
}

/// Would a run here not make a cell in this state?
pub(crate) fn is_hindered(shared: &Shared, matrix_snapshot: &MatrixSnapshot, state: &CellState) -> bool {
    let stays = matches!(state, CellState::Waits(_) | CellState::Failed(_) | CellState::Paused | CellState::Cancelled);
    stays || shared.seen.is_live() || matrix_snapshot.study.run != RunOn::Local
}
