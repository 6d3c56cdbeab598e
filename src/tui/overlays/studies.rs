//! The lines of a menu of studies: file, state, and when it was run last.

use crate::{
    study::standing::StudyStanding,
    tui::text::{fit_end, left, width},
};
use std::path::Path;
use visavis_core::domain::text::{ago, count};

/// Columns of the longest path that is shown whole.
const LONGEST: usize = 36;

/// One line a study. `root`: the workspace, which paths begin in; `now`: milliseconds since 1970.
pub(crate) fn study_lines(studies: &[StudyStanding], root: &Path, now: u64) -> Vec<String> {
    let path = |of: &StudyStanding| fit_end(&of.shown_in(root), LONGEST);
    let state = |of: &StudyStanding| of.state.told() + if of.changed { ", changed since" } else { "" };
    let wide = |of: &dyn Fn(&StudyStanding) -> String| studies.iter().map(|study| width(&of(study))).max().unwrap_or(0);
    let (paths, states) = (wide(&path), wide(&state));
    let line = |of: &StudyStanding| {
        let runs = of.runs.first().map_or(String::new(), |run| match of.runs.len() {
            1 => ago(run.started, now),
            runs => format!("{}, {}", ago(run.started, now), count(runs, "run")),
        });
        format!("{}  {}  {runs}", left(&path(of), paths), left(&state(of), states)).trim_end().to_owned()
    };
    studies.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::standing::StudyState;

    #[test]
    fn each_study_has_a_line_with_its_state() {
        let of = |file: &str, state, changed| StudyStanding { file: file.into(), state, runs: vec![], changed };
        let studies = [
            of("./experiments/demo.yaml", StudyState::Running, false),
            of("/w/experiments/a-long-name-that-does-not-fit-in-the-room.yaml", StudyState::Failed(2), true),
            of("/elsewhere/b.yaml", StudyState::Waiting(0), false),
        ];
        assert_eq!(
            study_lines(&studies, Path::new("/w"), 0),
            [
                "experiments/demo.yaml                 runs",
                "…-that-does-not-fit-in-the-room.yaml  2 stages failed, changed since",
                "/elsewhere/b.yaml                     waits, is next",
            ]
        );
    }
}
