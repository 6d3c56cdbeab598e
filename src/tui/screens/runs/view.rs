//! Screen 2: devices, jobs, their curves over each other, the log, and how attempts ended.

use super::{curves, state::RunsState};
use crate::{
    study::{
        Phase,
        curves::JobHistory,
        watch::{DeviceSeen, JobSeen},
    },
    tui::{
        paint::{Clicked, Paint, first, over_ground, scrollbar},
        shared::Shared,
        text::{self, fit, fit_middle, left, width},
        theme::Theme,
    },
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};
use std::sync::Arc;
use visavis_core::domain::{
    job::{JobId, JobState},
    machine::WorkerMachine,
    text::{ago, count, size, thousands},
};

pub(crate) fn draw(runs: &RunsState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let Some(run) = &shared.seen.run else {
        let inner = paint.pane(area, "Runs", true);
        paint.empty(
            inner,
            if shared.seen.matrix_snapshot.is_some() {
                "nothing was run in this workspace yet\n\nr runs the study in the background; it goes on when you leave"
            } else {
                "nothing was run in this workspace yet\n\nEnter on screen 1 opens or starts a study"
            },
        );
        return;
    };
    if runs.alone {
        details(runs, paint, area, shared);
        return;
    }
    let room = usize::from(area.width.saturating_sub(2));
    let lines = device_lines(paint.theme, &shared.seen.devices, room);
    let devices = (lines.len() as u16).clamp(1, 5) + 2;
    let [top, rest] = Layout::vertical([Constraint::Length(devices.min(area.height / 3)), Constraint::Fill(1)]).areas(area);
    let state = match run.phase() {
        Phase::Running => run.held.map_or("running", |held| held.word()),
        Phase::Ended => "ended",
        Phase::Interrupted => "interrupted",
        Phase::Lost => "ended without a word",
    };
    let on = format!(
        "{} · {state} · started {} · {} in all",
        run.run.study,
        ago(run.run.started, shared.now),
        count(shared.seen.runs, "run")
    );
    let inner = paint.pane(top, &format!("Devices · {on}"), false);
    paint.lines(inner, lines);
    if area.width >= 90 {
        let [list, side] = Layout::horizontal([Constraint::Percentage(46), Constraint::Fill(1)]).areas(rest);
        jobs(runs, paint, list, shared);
        details(runs, paint, side, shared);
    } else {
        let [list, below] = Layout::vertical([Constraint::Percentage(50), Constraint::Fill(1)]).areas(rest);
        jobs(runs, paint, list, shared);
        details(runs, paint, below, shared);
    }
}

/// Why workers of a cluster wait may take so many lines.
const MOST_LINES: usize = 3;

/// The devices, their names in one column.
fn device_lines(theme: Theme, devices: &[DeviceSeen], room: usize) -> Vec<Line<'static>> {
    let names = devices.iter().map(|device| width(&device.name)).max().unwrap_or(0).clamp(7, 14);
    devices.iter().flat_map(|device| device_line(theme, device, names, room)).collect()
}

/// `cpu ████████░░ 81 %  2 of 2 slots  12.0/24.0 GB`; of a cluster's workers how they stand, whole.
fn device_line(theme: Theme, device: &DeviceSeen, names: usize, room: usize) -> Vec<Line<'static>> {
    let mut spans = vec![Span::styled(format!("{} ", left(&device.name, names)), theme.title())];
    if let Some(load) = device.load {
        spans.push(Span::styled(gauge(load, 10), theme.accent()));
        spans.push(Span::raw(format!(" {:>3.0} %  ", load * 100.0)));
    }
    spans.push(Span::raw(format!("{} of {} busy  ", device.busy, count(device.slots, "slot"))));
    if let Some((used, there)) = device.memory {
        spans.push(Span::raw(format!("{} of {}  ", size(used), size(there))));
    }
    let used: usize = spans.iter().map(|span| width(&span.content)).sum();
    let left_over = room.saturating_sub(used);
    let mut told = if device.load.is_none() { text::wrapped(&device.model, left_over) } else { vec![device.model.clone()] };
    if told.len() > MOST_LINES {
        let rest = told.split_off(MOST_LINES - 1).join(" ");
        told.push(rest);
    }
    let mut told = told.into_iter().map(|line| Span::styled(fit(&line, left_over), theme.dim()));
    spans.extend(told.next());
    let under = told.map(|line| Line::from(vec![Span::raw(" ".repeat(used)), line]));
    std::iter::once(Line::from(spans)).chain(under).collect()
}

pub(crate) fn gauge(share: f32, wide: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * wide as f32).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(wide - full))
}

pub(crate) fn job_sign(state: JobState) -> char {
    match state {
        JobState::Queued => '○',
        JobState::Running => '◐',
        JobState::Done => '●',
        JobState::Failed => '✕',
        JobState::Paused => '‖',
        JobState::Cancelled => '–',
    }
}

pub(crate) fn job_style(theme: Theme, state: JobState) -> Style {
    match state {
        JobState::Queued | JobState::Cancelled => theme.dim(),
        JobState::Running => theme.accent(),
        JobState::Done => theme.good(),
        JobState::Failed => theme.error(),
        JobState::Paused => theme.warning(),
    }
}

fn jobs(runs: &RunsState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let run = shared.seen.run.as_ref();
    let counts: Vec<String> =
        [JobState::Running, JobState::Failed, JobState::Queued, JobState::Paused, JobState::Cancelled, JobState::Done]
            .into_iter()
            .filter_map(|state| Some((state, run?.count(state))).filter(|(_, n)| *n > 0))
            .map(|(state, n)| format!("{} {}", thousands(n), state.word()))
            .collect();
    let filter = if runs.filter.is_empty() { String::new() } else { format!(" · /{}", runs.filter) };
    let inner = paint.pane(area, &format!("Jobs · {}{filter}", counts.join(" · ")), true);
    if runs.order.is_empty() {
        paint.empty(
            inner,
            if runs.filter.is_empty() { "no jobs: everything was there" } else { "no job fits the filter · Esc takes it off" },
        );
        return;
    }
    let rows = usize::from(inner.height);
    let top = first(runs.cursor, rows, runs.order.len());
    for (at, &place) in runs.order.iter().enumerate().skip(top).take(rows) {
        let y = inner.y + (at - top) as u16;
        let row = Rect { y, height: 1, ..inner };
        let line = job_line(runs, paint.theme, shared, &shared.seen.jobs[place], at == runs.cursor, usize::from(inner.width));
        paint.line(row, line);
        paint.hit(row, Clicked::Place(at, 0));
    }
    scrollbar(paint, area, top, rows, runs.order.len());
}

fn job_line(runs: &RunsState, theme: Theme, shared: &Shared, job: &JobSeen, here: bool, room: usize) -> Line<'static> {
    let row = &job.row;
    let ground = here.then(|| theme.cursor());
    let mark = format!("{}{}", if here { "▸" } else { " " }, if runs.marked.contains(&row.id) { "▣" } else { " " });
    let end = match row.state {
        JobState::Running => {
            let on = job.on.as_ref().map_or(String::new(), |(device, slot, attempt)| {
                let place = job.machine.as_ref().and_then(WorkerMachine::on_cluster);
                let place = place.unwrap_or_else(|| format!("{device}/{}", slot + 1));
                format!("{place}{}", if *attempt > 1 { format!(" try {attempt}") } else { String::new() })
            });
            let share = job.progress.map_or_else(
                || ago(row.at, shared.now).replace(" ago", ""),
                |progress| {
                    let share = progress.share();
                    let left = crate::study::duration(progress.left());
                    format!("{} {:>3.0} % · {left}", gauge(share, 6), share * 100.0)
                },
            );
            format!("{on} {share}")
        }
        JobState::Done => row.seconds.map_or("was there".to_owned(), |seconds| format!("{seconds:.2} s")),
        JobState::Queued if row.why.is_some() => "to be tried again".to_owned(),
        JobState::Failed => "failed".to_owned(),
        state => state.word().to_owned(),
    };
    let end = fit(&end, room / 2);
    let wide = room.saturating_sub(width(&end) + 6);
    let label = left(&fit_middle(&row.label, wide), wide);
    Line::from(vec![
        Span::styled(mark, over_ground(theme.accent(), ground)),
        Span::styled(format!("{} ", job_sign(row.state)), over_ground(job_style(theme, row.state), ground)),
        Span::styled(label, over_ground(Style::new(), ground)),
        Span::styled(format!(" {end} "), over_ground(job_style(theme, row.state), ground)),
    ])
}

/// The least height of a log: a line in its frame.
const LEAST_LOG: u16 = 3;

/// Curves above, words below.
fn details(runs: &RunsState, paint: &mut Paint, area: Rect, shared: &Shared) {
    let shown = runs.shown(&shared.seen);
    let histories: Vec<(JobId, Arc<JobHistory>)> =
        shown.iter().filter_map(|id| Some((*id, Arc::clone(shared.histories.get(id)?)))).collect();
    let has_curves = histories.iter().any(|(_, history)| !history.curves.is_empty());
    // A curve needs some height; the log has the rest.
    let high = match has_curves {
        // A log of which only the frame would be seen is left out: `L` shows it.
        true if area.height < 8 + LEAST_LOG => area.height,
        true => (area.height * 29 / 50).max(8),
        false => 0,
    };
    let [above, below] = Layout::vertical([Constraint::Length(high), Constraint::Fill(1)]).areas(area);
    if has_curves {
        curves::draw(runs, paint, above, shared, &histories);
    }
    if below.height > 0 {
        words(paint, below, shared, histories.last().map(|(_, history)| history.as_ref()));
    }
}

/// How attempts ended, and the log.
fn words(paint: &mut Paint, area: Rect, shared: &Shared, history: Option<&JobHistory>) {
    let inner = paint.pane(area, "Log", false);
    let Some(history) = history else {
        paint.empty(inner, "a job's log and attempts are shown here");
        return;
    };
    let room = usize::from(inner.width);
    let theme = paint.theme;
    let mut lines: Vec<Line> = Vec::new();
    if let Some(job) = &history.job {
        lines.push(Line::from(vec![
            Span::styled(format!("{} {} ", job_sign(job.state), job.state.word()), job_style(theme, job.state)),
            Span::styled(fit(&format!("{} · {}", job.id.short(), job.label), room.saturating_sub(12)), theme.title()),
        ]));
    }
    for (place, attempt) in history.attempts.iter().enumerate() {
        let ended = match (attempt.cause, attempt.ended) {
            (Some(cause), _) => {
                format!("✕ {}", attempt.why.as_deref().and_then(|why| why.lines().next()).unwrap_or(cause.words()))
            }
            (None, Some(_)) => {
                format!("● done after {}", attempt.seconds.map_or(String::new(), |seconds| format!("{seconds:.2} s")))
            }
            (None, None) => "◐ at work".to_owned(),
        };
        let machine = history.machines.get(place).and_then(Option::as_ref).filter(|machine| machine.slurm.is_some());
        let on = machine.map_or(attempt.device.clone(), |machine| format!("{} on {}", attempt.device, machine.told()));
        let text = format!("attempt {} on {on}, {}: {ended}", attempt.number, ago(attempt.started, shared.now));
        let style = if attempt.cause.is_some() { theme.error() } else { theme.dim() };
        lines.extend(text::wrapped(&text, room).into_iter().map(|line| Line::styled(line, style)));
        // The end of its log, which is kept with an attempt that failed.
        if attempt.cause.is_some() {
            lines.extend(
                attempt
                    .log
                    .iter()
                    .rev()
                    .take(4)
                    .rev()
                    .map(|line| Line::styled(format!("  {}", fit(line, room.saturating_sub(2))), theme.dim())),
            );
        }
    }
    let rest = usize::from(inner.height).saturating_sub(lines.len());
    let log: Vec<Line> = history.log.iter().rev().take(rest).rev().map(|row| Line::raw(fit(&row.line, room))).collect();
    lines.extend(log);
    paint.lines(inner, lines);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, model: &str, room: usize) -> Vec<String> {
        let device = DeviceSeen { name: name.into(), slots: 6, busy: 2, load: None, memory: None, model: model.into() };
        device_lines(Theme::default(), &[device], room).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_devices_name_is_whole_and_why_a_clusters_workers_wait_is_told_to_its_end() {
        assert_eq!(lines("pretend:0", "", 60), ["pretend:0 2 of 6 slots busy  "]);
        let why = "4 workers of Slurm here, 2 submitted (waiting: Priority (jobs of a higher priority go first))";
        assert_eq!(lines("Slurm", why, 130), [format!("Slurm   2 of 6 slots busy  {why}")]);
        let narrow = lines("Slurm", why, 78);
        assert_eq!(narrow.len(), 2, "{narrow:?}");
        assert!(narrow.iter().all(|line| width(line) <= 78) && narrow.concat().ends_with("go first))"), "{narrow:?}");
        let narrowest = lines("Slurm", why, 50);
        assert!(narrowest.len() == MOST_LINES && narrowest[2].ends_with('…'), "{narrowest:?}");
    }
}
