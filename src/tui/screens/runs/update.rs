//! Runs: what each command does.

use super::state::{RunsState, SMOOTHING};
use crate::tui::{
    command::ScreenCommand,
    event::{CommandPurpose, Effect},
    movement,
    overlays::state::Confirmation,
    shared::Shared,
};
use visavis_core::domain::job::{JobId, JobState};

pub(crate) fn update(runs: &mut RunsState, shared: &mut Shared, command: ScreenCommand) -> Vec<Effect> {
    if let Some(by) = movement::rows(command, shared.page) {
        runs.cursor = movement::moved(runs.cursor, by, runs.order.len());
        return vec![];
    }
    match command {
        ScreenCommand::Enter => runs.alone = !runs.alone,
        ScreenCommand::Back if runs.alone => runs.alone = false,
        ScreenCommand::Back => {
            runs.filter.clear();
            runs.rebuild(&shared.seen);
        }
        ScreenCommand::Mark => mark(runs, shared),
        ScreenCommand::Series => runs.series += 1,
        ScreenCommand::Logarithm => runs.logarithmic = !runs.logarithmic,
        ScreenCommand::Smooth => runs.smoothing = (runs.smoothing + 1) % SMOOTHING.len(),
        ScreenCommand::Pause => return pause(runs, shared),
        ScreenCommand::Resume => return resume(runs, shared),
        ScreenCommand::Cancel => cancel(runs, shared),
        ScreenCommand::Drain if is_live(shared) => {
            shared.confirm("finish what runs, start nothing more, and end the run?".to_owned(), Confirmation::Drain);
        }
        _ => {}
    }
    vec![]
}

fn mark(runs: &mut RunsState, shared: &Shared) {
    if let Some(id) = runs.at(&shared.seen).map(|job| job.row.id)
        && !runs.marked.remove(&id)
    {
        runs.marked.insert(id);
    }
}

/// Says so where no run goes on.
fn is_live(shared: &mut Shared) -> bool {
    let live = shared.seen.is_live();
    if !live {
        shared.say("nothing runs: there is nothing to pause, stop or end", false);
    }
    live
}

/// A verb of the command line, and the marked jobs; without marks it is about all of them.
fn of_marked(runs: &RunsState, shared: &mut Shared, verb: &str) -> Vec<Effect> {
    let ids: Vec<String> = runs.marked.iter().map(|id| id.short()).collect();
    let words: Vec<&str> = std::iter::once(verb).chain(ids.iter().map(String::as_str)).collect();
    shared.program(&words, CommandPurpose::Ask)
}

/// The marked jobs; without marks it asks whether all are meant.
fn pause(runs: &RunsState, shared: &mut Shared) -> Vec<Effect> {
    if !is_live(shared) {
        return vec![];
    }
    if runs.marked.is_empty() {
        shared.confirm("start nothing more? what runs goes on, and R takes the rest up again".to_owned(), Confirmation::PauseAll);
        return vec![];
    }
    of_marked(runs, shared, "pause")
}

fn resume(runs: &RunsState, shared: &mut Shared) -> Vec<Effect> {
    of_marked(runs, shared, "retry")
}

/// Asks whether to stop the marked jobs, or the one under the cursor.
fn cancel(runs: &RunsState, shared: &mut Shared) {
    if !is_live(shared) {
        return;
    }
    let here = runs.at(&shared.seen).map(|job| job.row.id);
    let wanted: Vec<JobId> =
        if runs.marked.is_empty() { here.into_iter().collect() } else { runs.marked.iter().copied().collect() };
    let is_done = |id: &JobId| shared.seen.jobs.iter().any(|job| job.row.id == *id && job.row.state == JobState::Done);
    let jobs: Vec<JobId> = wanted.into_iter().filter(|id| !is_done(id)).collect();
    if jobs.is_empty() {
        shared.say("what is done cannot be stopped", false);
        return;
    }
    let labels: Vec<&str> =
        shared.seen.jobs.iter().filter(|job| jobs.contains(&job.row.id)).map(|job| job.row.label.as_str()).collect();
    let more = if labels.len() > 3 { format!(", and {} more", labels.len() - 3) } else { String::new() };
    let question = format!("stop {}{more}, and start no more of it until retried?", labels[..labels.len().min(3)].join("; "));
    shared.confirm(question, Confirmation::Cancel(jobs));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        overlays::state::Overlay,
        screen::Screen,
        testing::{live, opened_with, ran},
    };
    use ScreenCommand as C;

    /// After a run of three jobs: one done, one failed, one paused.
    fn after(commands: &[C]) -> (RunsState, Shared) {
        let (mut runs, mut shared) = opened_with(RunsState::default(), ran());
        for command in commands {
            update(&mut runs, &mut shared, *command);
        }
        (runs, shared)
    }

    fn lines(effects: &[Effect]) -> Vec<String> {
        effects
            .iter()
            .map(|effect| if let Effect::Program { words, .. } = effect { words.clone() } else { String::new() })
            .collect()
    }

    #[test]
    fn the_cursor_stays_in_the_list_of_jobs() {
        assert_eq!(after(&[C::Down]).0.cursor, 1);
        assert_eq!(after(&[C::Last, C::Down]).0.cursor, 2);
        assert_eq!(after(&[C::Up]).0.cursor, 0);
    }

    #[test]
    fn a_filter_leaves_the_jobs_that_fit() {
        let (mut runs, mut shared) = after(&[C::Last, C::Mark]);
        runs.set_filter(&shared, "state=failed".to_owned());
        assert_eq!((runs.order.clone(), runs.cursor), (vec![1], 0));
        assert!(runs.marked.is_empty(), "the marked job is not listed any more");
        update(&mut runs, &mut shared, C::Back);
        assert_eq!(runs.order.len(), 3);
    }

    #[test]
    fn enter_shows_a_job_alone_and_escape_the_list() {
        assert!(after(&[C::Enter]).0.alone);
        assert!(!after(&[C::Enter, C::Back]).0.alone);
    }

    #[test]
    fn curves_are_drawn_over_each_other_of_marked_jobs_with_the_cursors_last() {
        let (runs, shared) = after(&[C::Mark, C::Down]);
        let jobs: Vec<JobId> = shared.seen.jobs.iter().map(|job| job.row.id).collect();
        assert_eq!(runs.jobs_wanted(&shared), [jobs[0], jobs[1]]);
        let (runs, shared) = after(&[C::Mark]);
        assert_eq!(runs.jobs_wanted(&shared), [jobs[0]], "marked and under the cursor: once");
    }

    #[test]
    fn smoothing_comes_round() {
        assert_eq!(after(&[C::Smooth]).0.smoothing, 1);
        assert_eq!(after(&[C::Smooth; 4]).0.smoothing, 0);
    }

    #[test]
    fn nothing_is_paused_stopped_or_ended_where_nothing_runs() {
        for command in [C::Pause, C::Cancel, C::Drain] {
            let (mut runs, mut shared) = opened_with(RunsState::default(), ran());
            assert_eq!(update(&mut runs, &mut shared, command), []);
            assert!(shared.overlay.is_none() && shared.toast.unwrap().text.starts_with("nothing runs"));
        }
    }

    #[test]
    fn the_whole_run_is_paused_where_no_job_is_marked_else_the_marked_jobs() {
        let (mut runs, mut shared) = opened_with(RunsState::default(), live());
        assert!(update(&mut runs, &mut shared, C::Pause).is_empty());
        assert!(matches!(shared.overlay.take(), Some(Overlay::Confirm { then: Confirmation::PauseAll, .. })));
        update(&mut runs, &mut shared, C::Mark);
        let id = shared.seen.jobs[0].row.id.short();
        assert_eq!(lines(&update(&mut runs, &mut shared, C::Pause)), [format!("visavis pause {id}")]);
    }

    #[test]
    fn what_failed_is_retried_also_after_the_run() {
        let (mut runs, mut shared) = after(&[]);
        assert_eq!(lines(&update(&mut runs, &mut shared, C::Resume)), ["visavis retry"]);
    }

    #[test]
    fn a_job_is_stopped_after_a_question_and_one_that_is_done_never() {
        let (mut runs, mut shared) = opened_with(RunsState::default(), live());
        update(&mut runs, &mut shared, C::Cancel);
        assert!(shared.overlay.is_none() && shared.toast.as_ref().unwrap().text.contains("cannot be stopped"));
        update(&mut runs, &mut shared, C::Down);
        update(&mut runs, &mut shared, C::Cancel);
        let id = shared.seen.jobs[1].row.id;
        let Some(Overlay::Confirm { question, then }) = &shared.overlay else { panic!("no question") };
        assert!(question.starts_with("stop project pixels"), "{question}");
        assert_eq!(*then, Confirmation::Cancel(vec![id]));
    }

    #[test]
    fn a_run_is_ended_after_a_question() {
        let (mut runs, mut shared) = opened_with(RunsState::default(), live());
        update(&mut runs, &mut shared, C::Drain);
        assert!(matches!(shared.overlay, Some(Overlay::Confirm { then: Confirmation::Drain, .. })));
    }
}
