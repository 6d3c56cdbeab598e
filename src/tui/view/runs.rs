//! Screen 2: devices, jobs, their curves over each other, the log, and how attempts ended.

use super::{Clicked, Paint, first, over_ground, scrollbar};
use crate::{
    study::{
        Phase,
        curves::{JobHistory, SeriesCurve},
        watch::{DeviceSeen, JobSeen},
    },
    tui::{
        app::App,
        canvas::{TextCanvas, bounds, tick},
        runs::{SMOOTHING, smoothed},
        text::{self, fit, fit_middle, left, right, width},
        theme::{Theme, sign},
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
    text::{ago, count, size, thousands},
};

pub fn draw(paint: &mut Paint, area: Rect, app: &App) {
    let Some(run) = &app.seen.run else {
        let inner = paint.pane(area, "Runs", true);
        paint.empty(
            inner,
            if app.seen.board.is_some() {
                "nothing was run in this workspace yet\n\nr runs the study in the background; it goes on when you leave"
            } else {
                "nothing was run in this workspace yet\n\nEnter on screen 1 opens or starts a study"
            },
        );
        return;
    };
    if app.runs.alone {
        details(paint, area, app);
        return;
    }
    let devices = (app.seen.devices.len() as u16).clamp(1, 5) + 2;
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
        ago(run.run.started, app.now),
        count(app.seen.runs, "run")
    );
    let inner = paint.pane(top, &format!("Devices · {on}"), false);
    let lines = app.seen.devices.iter().map(|device| device_line(paint.theme, device, usize::from(inner.width))).collect();
    paint.lines(inner, lines);
    if area.width >= 90 {
        let [list, side] = Layout::horizontal([Constraint::Percentage(46), Constraint::Fill(1)]).areas(rest);
        jobs(paint, list, app);
        details(paint, side, app);
    } else {
        let [list, below] = Layout::vertical([Constraint::Percentage(50), Constraint::Fill(1)]).areas(rest);
        jobs(paint, list, app);
        details(paint, below, app);
    }
}

/// `cpu ████████░░ 81 %  2 of 2 slots  12.0/24.0 GB`
fn device_line(theme: Theme, device: &DeviceSeen, room: usize) -> Line<'static> {
    let mut spans = vec![Span::styled(left(&device.name, 8), theme.title())];
    if let Some(load) = device.load {
        spans.push(Span::styled(gauge(load, 10), theme.accent()));
        spans.push(Span::raw(format!(" {:>3.0} %  ", load * 100.0)));
    }
    spans.push(Span::raw(format!("{} of {} busy  ", device.busy, count(device.slots, "slot"))));
    if let Some((used, there)) = device.memory {
        spans.push(Span::raw(format!("{} of {}  ", size(used), size(there))));
    }
    let used: usize = spans.iter().map(|span| width(&span.content)).sum();
    spans.push(Span::styled(fit(&device.model, room.saturating_sub(used)), theme.dim()));
    Line::from(spans)
}

pub fn gauge(share: f32, wide: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * wide as f32).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(wide - full))
}

pub fn job_sign(state: JobState) -> char {
    match state {
        JobState::Queued => '○',
        JobState::Running => '◐',
        JobState::Done => '●',
        JobState::Failed => '✕',
        JobState::Paused => '‖',
        JobState::Cancelled => '–',
    }
}

pub fn job_style(theme: Theme, state: JobState) -> Style {
    match state {
        JobState::Queued | JobState::Cancelled => theme.dim(),
        JobState::Running => theme.accent(),
        JobState::Done => theme.good(),
        JobState::Failed => theme.error(),
        JobState::Paused => theme.warning(),
    }
}

fn jobs(paint: &mut Paint, area: Rect, app: &App) {
    let run = app.seen.run.as_ref();
    let counts: Vec<String> =
        [JobState::Running, JobState::Failed, JobState::Queued, JobState::Paused, JobState::Cancelled, JobState::Done]
            .into_iter()
            .filter_map(|state| Some((state, run?.count(state))).filter(|(_, n)| *n > 0))
            .map(|(state, n)| format!("{} {}", thousands(n), state.word()))
            .collect();
    let filter = if app.runs.filter.is_empty() { String::new() } else { format!(" · /{}", app.runs.filter) };
    let inner = paint.pane(area, &format!("Jobs · {}{filter}", counts.join(" · ")), true);
    if app.runs.order.is_empty() {
        paint.empty(
            inner,
            if app.runs.filter.is_empty() {
                "no jobs: everything was there"
            } else {
                "no job fits the filter · Esc takes it off"
            },
        );
        return;
    }
    let rows = usize::from(inner.height);
    let top = first(app.runs.cursor, rows, app.runs.order.len());
    for (at, &place) in app.runs.order.iter().enumerate().skip(top).take(rows) {
        let y = inner.y + (at - top) as u16;
        let row = Rect { y, height: 1, ..inner };
        let line = job_line(paint.theme, app, &app.seen.jobs[place], at == app.runs.cursor, usize::from(inner.width));
        paint.line(row, line);
        paint.hit(row, Clicked::Place(at, 0));
    }
    scrollbar(paint, area, top, rows, app.runs.order.len());
}

fn job_line(theme: Theme, app: &App, job: &JobSeen, here: bool, room: usize) -> Line<'static> {
    let row = &job.row;
    let ground = here.then(|| theme.cursor());
    let mark = format!("{}{}", if here { "▸" } else { " " }, if app.runs.marked.contains(&row.id) { "▣" } else { " " });
    let end = match row.state {
        JobState::Running => {
            let on = job.on.as_ref().map_or(String::new(), |(device, slot, attempt)| {
                format!("{device}/{}{}", slot + 1, if *attempt > 1 { format!(" try {attempt}") } else { String::new() })
            });
            let share = job.progress.map_or_else(
                || ago(row.at, app.now).replace(" ago", ""),
                |share| format!("{} {:>3.0} %", gauge(share, 6), share * 100.0),
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

/// Curves above, words below.
fn details(paint: &mut Paint, area: Rect, app: &App) {
    let shown = app.runs.shown(&app.seen);
    let diaries: Vec<(JobId, Arc<JobHistory>)> =
        shown.iter().filter_map(|id| Some((*id, Arc::clone(app.diaries.get(id)?)))).collect();
    let has_curves = diaries.iter().any(|(_, diary)| !diary.curves.is_empty());
    // A curve needs some height; its log makes do with what is left.
    let high = if has_curves { (area.height * 29 / 50).max(8).min(area.height) } else { 0 };
    let [above, below] = Layout::vertical([Constraint::Length(high), Constraint::Fill(1)]).areas(area);
    if has_curves {
        curves(paint, above, app, &diaries);
    }
    words(paint, below, app, diaries.last().map(|(_, diary)| diary.as_ref()));
}

fn curves(paint: &mut Paint, area: Rect, app: &App, diaries: &[(JobId, Arc<JobHistory>)]) {
    let mut names: Vec<&str> =
        diaries.iter().flat_map(|(_, diary)| diary.curves.iter().map(|curve| curve.series.as_str())).collect();
    names.sort_by_key(|name| (["loss", "accuracy", "images_per_second"].iter().position(|of| of == name).unwrap_or(9), *name));
    names.dedup();
    let Some(&series) = names.get(app.runs.series % names.len().max(1)) else { return };
    let of: Vec<(usize, &JobHistory, &SeriesCurve)> = diaries
        .iter()
        .enumerate()
        .flat_map(|(kind, (_, diary))| {
            diary.curves.iter().filter(|curve| curve.series == series).map(move |curve| (kind, diary.as_ref(), curve))
        })
        .collect();
    let past = SMOOTHING[app.runs.smoothing];
    let how = format!(
        "{}{}",
        if past > 0.0 { format!(" · smoothed {past}") } else { String::new() },
        if app.runs.logarithmic { " · logarithmic" } else { "" }
    );
    let inner = paint.pane(
        area,
        &format!("{} · {} of {}{how}", series.replace('_', " "), app.runs.series % names.len() + 1, names.len()),
        false,
    );
    if inner.height < 3 || inner.width < 20 {
        return;
    }
    let scaled = |y: f64| if app.runs.logarithmic { y.max(1e-12).log10() } else { y };
    let lines: Vec<(usize, Vec<(f64, f64)>)> = of
        .iter()
        .map(|(kind, _, curve)| (*kind, smoothed(&curve.points, past).into_iter().map(|(x, y)| (x, scaled(y))).collect()))
        .collect();
    let along = |axis: fn(&(f64, f64)) -> f64| bounds(lines.iter().flat_map(|(_, points)| points.iter().map(axis)));
    let (Some(x), Some(y)) = (along(|point| point.0), along(|point| point.1)) else { return };
    let legend = (of.len() as u16).min(3).min(inner.height / 3);
    let plot = Rect { x: inner.x + 8, width: inner.width - 8, height: inner.height - 1 - legend, ..inner };
    let mut canvas = TextCanvas::of_lines(plot, app.drawing);
    let (wide, high) = canvas.size();
    let at =
        |value: f64, (low, high): (f64, f64), dots: usize| ((value - low) / (high - low) * (dots as f64 - 1.0)).round() as i64;
    for (kind, points) in &lines {
        let finite: Vec<(i64, i64)> = points
            .iter()
            .filter(|(_, y)| y.is_finite())
            .map(|(px, py)| (at(*px, x, wide), high as i64 - 1 - at(*py, y, high)))
            .collect();
        finite.windows(2).for_each(|pair| canvas.line(pair[0], pair[1], *kind));
        if let [(px, py)] = finite[..] {
            canvas.dot(px.max(0) as usize, py.max(0) as usize, *kind);
        }
    }
    let theme = paint.theme;
    canvas.draw(paint.frame.buffer_mut(), &|kind| theme.class(kind));
    let raw = |y: f64| if app.runs.logarithmic { 10f64.powf(y) } else { y };
    for (value, row) in [(y.1, plot.y), (f64::midpoint(y.0, y.1), plot.y + plot.height / 2), (y.0, plot.bottom() - 1)] {
        paint.line(Rect { x: inner.x, y: row, width: 7, height: 1 }, Line::styled(right(&tick(raw(value)), 7), theme.dim()));
    }
    let ends_at = lines.iter().flat_map(|(_, points)| points.iter().map(|point| point.0));
    let x_ends = ends_at.fold((f64::INFINITY, 0.0_f64), |(low, high), at| (low.min(at), high.max(at)));
    let ends = format!(
        "{}{}",
        left(&thousands(x_ends.0 as usize), usize::from(plot.width / 2)),
        right(&format!("step {}", thousands(x_ends.1 as usize)), usize::from(plot.width - plot.width / 2))
    );
    paint.line(Rect { y: plot.bottom(), height: 1, ..plot }, Line::styled(ends, theme.dim()));
    for (line, (kind, diary, curve)) in of.iter().rev().take(usize::from(legend)).enumerate() {
        let name = diary.job.as_ref().map_or("", |job| job.label.as_str());
        let numbers = format!(" last {} · best {} · {}", tick(curve.last), tick(curve.best), count(curve.count, "point"));
        let room = usize::from(inner.width).saturating_sub(width(&numbers) + 3);
        let row = Rect { y: plot.bottom() + 1 + line as u16, height: 1, ..inner };
        paint.line(
            row,
            Line::from(vec![
                Span::styled(format!("{} ", sign(*kind)), theme.class(*kind)),
                Span::raw(fit(name, room)),
                Span::styled(numbers, theme.dim()),
            ]),
        );
    }
}

/// How attempts ended, and the last words.
fn words(paint: &mut Paint, area: Rect, app: &App, diary: Option<&JobHistory>) {
    let inner = paint.pane(area, "Log", false);
    let Some(diary) = diary else {
        paint.empty(inner, "a job's log and attempts are shown here");
        return;
    };
    let room = usize::from(inner.width);
    let theme = paint.theme;
    let mut lines: Vec<Line> = Vec::new();
    if let Some(job) = &diary.job {
        lines.push(Line::from(vec![
            Span::styled(format!("{} {} ", job_sign(job.state), job.state.word()), job_style(theme, job.state)),
            Span::styled(fit(&format!("{} · {}", job.id.short(), job.label), room.saturating_sub(12)), theme.title()),
        ]));
    }
    for attempt in &diary.attempts {
        let ended = match (attempt.cause, attempt.ended) {
            (Some(cause), _) => {
                format!("✕ {}", attempt.why.as_deref().and_then(|why| why.lines().next()).unwrap_or(cause.words()))
            }
            (None, Some(_)) => {
                format!("● done after {}", attempt.seconds.map_or(String::new(), |seconds| format!("{seconds:.2} s")))
            }
            (None, None) => "◐ at work".to_owned(),
        };
        let text = format!("attempt {} on {}, {}: {ended}", attempt.number, attempt.device, ago(attempt.started, app.now));
        let style = if attempt.cause.is_some() { theme.error() } else { theme.dim() };
        lines.extend(text::wrapped(&text, room).into_iter().map(|line| Line::styled(line, style)));
        // Its last words, kept with it where it failed.
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
    let log: Vec<Line> = diary.log.iter().rev().take(rest).rev().map(|row| Line::raw(fit(&row.line, room))).collect();
    lines.extend(log);
    paint.lines(inner, lines);
}
