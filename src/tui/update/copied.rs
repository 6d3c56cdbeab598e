//! The command line that shows or does what is looked at: the same in any folder, and none that would fail.

use super::act::only;
use crate::{
    study::{matrix_snapshot::Board, watch::CellState},
    tui::{
        app::{App, Screen},
        event::line,
        report::AUDIT,
    },
};
use std::path::Path;
use visavis_core::domain::{contrast::ContrastSides, job::JobId, study::RunOn};

/// A command line, or why there is none to copy.
pub fn equivalent(app: &App) -> Result<String, String> {
    let said = |words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned());
        Ok(line(&words.chain(app.globals.iter().cloned()).collect::<Vec<_>>()))
    };
    let store = || match &app.seen.unread {
        Some(why) => Err(format!("nothing is copied: the store cannot be read: {why}")),
        None => Ok(()),
    };
    let Some(board) = app.seen.board.as_deref() else {
        store()?;
        return said(&["status"]);
    };
    if app.screen == Screen::Runs {
        store()?;
        return match app.runs.at(&app.seen) {
            Some(job) => said(&["logs", &job.row.id.short()]),
            None => said(&["status"]),
        };
    }
    if let Some(fault) = &app.seen.trouble {
        return Err(format!("nothing is copied: the study cannot be read: {}", fault.what));
    }
    let file = app.anywhere(&board.file);
    let found = || match &board.found {
        Some(found) => Ok(found),
        None => Err("nothing is copied: the study has no results to show yet; r runs it".to_owned()),
    };
    match app.screen {
        Screen::Matrix => match (only(board, app), cell(app, board)) {
            (Some(only), Some((state, job))) => match hinders(app, board, state) {
                None => said(&["run", &file, "--only", &only]),
                // To run it would not make it: this says why.
                Some(_) => said(&["explain", &job.to_string(), "--study", &file]),
            },
            _ => found().and_then(|_| said(&["show", &file])),
        },
        Screen::Compare => {
            let held = &found()?.held;
            let marked: Vec<&str> = app.marked.iter().map(String::as_str).collect();
            match &marked[..] {
                _ if held.is_empty() => Err("nothing is copied: the study names no contrasts to print".to_owned()),
                [one, other] => {
                    let name = |side: &[usize]| side.first().map(|&model| board.families[model].0.as_str());
                    let is = |of: &&ContrastSides| {
                        let sides = (name(&of.left), name(&of.right));
                        sides == (Some(*one), Some(*other)) || sides == (Some(*other), Some(*one))
                    };
                    let held = held.iter().find(is).ok_or_else(|| {
                        format!("nothing is copied: the study does not hold {one} and {other} against each other")
                    })?;
                    let (left, right) = (name(&held.left).unwrap_or(one), name(&held.right).unwrap_or(other));
                    said(&["compare", &file, left, right])
                }
                _ => said(&["compare", &file]),
            }
        }
        Screen::Figures => {
            found()?;
            match app.figure() {
                Some(figure) => {
                    let study = &board.study;
                    let (model, layer, projection) = (
                        &study.models[figure.model].name,
                        &board.layers[figure.model][figure.layer],
                        &study.projections[figure.projection].name,
                    );
                    said(&[
                        "export",
                        &file,
                        "--what",
                        "coordinates",
                        "--model",
                        model,
                        "--layer",
                        layer,
                        "--projection",
                        projection,
                    ])
                }
                None => said(&["export", &file, "--what", "ledger"]),
            }
        }
        Screen::Report if app.report.lines.iter().take(app.report.cursor + 1).any(|line| line.text == AUDIT) => {
            if app.seen.report.is_none() {
                return Err("nothing is copied: there is no report to audit yet; b builds it".to_owned());
            }
            let page = format!("{}reports/{}.html", app.root, board.study.name);
            said(&["audit", &app.anywhere(Path::new(&page))])
        }
        Screen::Report => {
            found()?;
            store()?;
            said(&["report", &file])
        }
        Screen::Runs => said(&["status"]),
    }
}

/// How the cell that is looked at stands, and its job.
fn cell<'a>(app: &'a App, board: &'a Board) -> Option<(&'a CellState, JobId)> {
    let figure = app.figure()?;
    let place = board.cells.iter().position(|cell| {
        (cell.model, cell.layer, cell.projection, cell.comparison)
            == (figure.model, figure.layer, figure.projection, figure.comparison)
    })?;
    Some((app.seen.states.get(place)?, board.job(&board.cells[place])?))
}

/// Why a run would not make the cell, if it would not.
fn hinders(app: &App, board: &Board, state: &CellState) -> Option<&'static str> {
    match state {
        _ if app.seen.is_live() => Some("a run goes on"),
        _ if board.study.run != RunOn::Local => Some("the study asks to run elsewhere"),
        CellState::Waits(_) => Some("it waits for something that is not here"),
        CellState::Failed(_) => Some("it failed"),
        CellState::Paused | CellState::Cancelled => Some("a person set it aside"),
        _ => None,
    }
}
