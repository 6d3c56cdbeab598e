//! The studies of a workspace: how each stands, and its runs over time.

use crate::config::Text;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{Digest, Result, text::count},
    store::{Index, RunRow, WaitingRun, Workspace},
};

/// How a study stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StudyState {
    /// Nobody has run it here.
    NeverRun,
    /// It runs now.
    Running,
    /// It waits for its turn; so many stand before it.
    Waiting(usize),
    /// Its latest run came to its end.
    Done,
    /// Its latest run came to its end, and so many stages failed.
    Failed(usize),
    /// Somebody stopped its latest run.
    Interrupted,
    /// Its latest run ended without a word: a machine without power, a kill.
    Lost,
}

/// A study file, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyStanding {
    /// The study file.
    pub file: PathBuf,
    /// How it stands.
    pub state: StudyState,
    /// Its runs, the latest first.
    pub runs: Vec<RunRow>,
    /// The file was changed since its latest run began.
    pub changed: bool,
}

impl StudyStanding {
    /// Is it of this file, under whatever path?
    pub fn is_of(&self, file: &Path) -> bool {
        file.canonicalize().is_ok_and(|own| self.file.canonicalize().is_ok_and(|of| of == own))
    }

    /// Its file, from the workspace's root on if it lies there.
    pub fn shown_in(&self, root: &Path) -> String {
        let own = self.file.strip_prefix(root).unwrap_or(&self.file);
        own.strip_prefix(".").unwrap_or(own).display().to_string()
    }
}

impl StudyState {
    /// The word of JSON.
    pub fn word(self) -> &'static str {
        match self {
            StudyState::NeverRun => "never_run",
            StudyState::Running => "running",
            StudyState::Waiting(_) => "waiting",
            StudyState::Done => "done",
            StudyState::Failed(_) => "failed",
            StudyState::Interrupted => "interrupted",
            StudyState::Lost => "lost",
        }
    }

    /// How many stand before a study that waits.
    pub fn before(self) -> Option<usize> {
        match self {
            StudyState::Waiting(before) => Some(before),
            _ => None,
        }
    }

    /// What people read.
    pub fn told(self) -> String {
        match self {
            StudyState::NeverRun => "never run".to_owned(),
            StudyState::Running => "runs".to_owned(),
            StudyState::Waiting(0) => "waits, is next".to_owned(),
            StudyState::Waiting(before) => format!("waits behind {before} more"),
            StudyState::Done => "done".to_owned(),
            StudyState::Failed(stages) => format!("{} failed", count(stages, "stage")),
            StudyState::Interrupted => "interrupted".to_owned(),
            StudyState::Lost => "ended without a word".to_owned(),
        }
    }
}

/// How one run stands. `is_live`: it is the latest of all, and somebody dispatches here.
pub fn state_of_run(run: &RunRow, is_live: bool) -> StudyState {
    match (run.ended, run.counts) {
        (None, _) if is_live => StudyState::Running,
        (None, _) => StudyState::Lost,
        (Some(_), _) if run.interrupted => StudyState::Interrupted,
        (Some(_), Some(counts)) if counts.failed > 0 => StudyState::Failed(counts.failed),
        (Some(_), _) => StudyState::Done,
    }
}

/// The study files of the workspace by name, then those elsewhere that were run here. `is_live`: the latest run goes on.
///
/// # Errors
/// A store that cannot be read.
pub fn standings(workspace: &Workspace, index: Option<&Index>, is_live: bool) -> Result<Vec<StudyStanding>> {
    let runs = index.map_or(Ok(vec![]), Index::runs)?;
    let place = |file: &str| workspace.locate(Path::new(file));
    let elsewhere = runs.iter().map(|run| place(&run.file)).filter(|file| file.is_file());
    Ok(arranged(workspace.studies(), elsewhere.collect(), &runs, is_live, &workspace.waiting(), &place))
}

fn arranged(
    files: Vec<PathBuf>,
    elsewhere: Vec<PathBuf>,
    runs: &[RunRow],
    is_live: bool,
    waiting: &[WaitingRun],
    place: &dyn Fn(&str) -> PathBuf,
) -> Vec<StudyStanding> {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let named = runs.iter().map(|run| run.file.as_str()).chain(waiting.iter().map(|run| run.file.as_str()));
    let places: HashMap<&str, PathBuf> =
        named.collect::<HashSet<&str>>().into_iter().map(|file| (file, whole(&place(file)))).collect();
    let mut files: Vec<(PathBuf, PathBuf)> = files.into_iter().map(|file| (whole(&file), file)).collect();
    for file in elsewhere {
        let own = whole(&file);
        if files.iter().all(|(known, _)| *known != own) {
            files.push((own, file));
        }
    }
    let standing = |(own, file): (PathBuf, PathBuf)| {
        let is_of = |named: &str| places[named] == own;
        let of_file: Vec<RunRow> = runs.iter().filter(|run| is_of(&run.file)).cloned().collect();
        let is_latest = |run: &RunRow| runs.first().is_some_and(|latest| latest.journal == run.journal);
        let ended = of_file.first().map_or(StudyState::NeverRun, |run| state_of_run(run, is_live && is_latest(run)));
        let state = match waiting.iter().position(|of| is_of(&of.file)) {
            Some(before) if ended != StudyState::Running => StudyState::Waiting(before),
            _ => ended,
        };
        let text = of_file.first().and_then(|run| run.text);
        let changed = text.is_some_and(|text| Text::read(&file).is_ok_and(|now| Digest::of(now.source.as_bytes()) != text));
        StudyStanding { file, state, runs: of_file, changed }
    };
    files.into_iter().map(standing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::{domain::event::RunOrigin, store::RunCounts};

    fn run(journal: &str, file: &str, ended: Option<u64>, failed: usize) -> RunRow {
        RunRow {
            journal: journal.to_owned(),
            clock: 1,
            study: "s".to_owned(),
            file: file.to_owned(),
            text: None,
            devices: vec![],
            origin: RunOrigin::default(),
            started: 0,
            ended,
            interrupted: false,
            counts: ended.map(|_| RunCounts { ran: 3, stored: 2, failed }),
        }
    }

    #[test]
    fn each_study_stands_as_its_latest_run_says_and_waits_where_it_waits() {
        let runs = [
            run("4", "/w/b.yaml", None, 0),
            run("3", "/w/a.yaml", Some(9), 2),
            run("2", "/w/a.yaml", Some(5), 0),
            run("1", "/elsewhere/d.yaml", None, 0),
        ];
        let waits = |file: &str| WaitingRun { study: "s".into(), file: file.into(), pid: 1, host: "h".into(), since: 0 };
        let files = ["/w/a.yaml", "/w/b.yaml", "/w/c.yaml", "/w/e.yaml"].map(PathBuf::from).to_vec();
        let waiting = [waits("/w/c.yaml"), waits("/w/a.yaml")];
        let place = |file: &str| PathBuf::from(file);
        let found = arranged(files, vec!["/elsewhere/d.yaml".into(), "/w/a.yaml".into()], &runs, true, &waiting, &place);
        let states: Vec<StudyState> = found.iter().map(|of| of.state).collect();
        let expected =
            [StudyState::Waiting(1), StudyState::Running, StudyState::Waiting(0), StudyState::NeverRun, StudyState::Lost];
        assert_eq!(states, expected);
        assert_eq!(found.iter().map(|of| of.runs.len()).collect::<Vec<_>>(), [2, 1, 0, 0, 1]);
        assert_eq!(state_of_run(&runs[1], false), StudyState::Failed(2));
        assert_eq!(state_of_run(&RunRow { interrupted: true, ..runs[1].clone() }, false), StudyState::Interrupted);
        assert_eq!(StudyState::Waiting(2).told(), "waits behind 2 more");
    }
}
