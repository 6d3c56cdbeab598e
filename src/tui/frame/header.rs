//! The first line: the study, the screens, and the state of the latest run.

use crate::{
    study::{HeldBecause, Phase, Timeline},
    tui::{
        command::ScreenCommand,
        paint::{Clicked, Paint},
        screen_id::ScreenId,
        shared::Shared,
        text::{self, fit, width},
    },
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};
use visavis_core::domain::{
    job::JobState,
    text::{printable, thousands},
};

/// `visavis · study ── 1 Matrix  2 Runs … ── ◐ 3 running · 2,156 left · ~14 min`
pub(crate) fn draw(paint: &mut Paint, area: Rect, shared: &Shared) {
    let theme = paint.theme;
    let wide = usize::from(area.width);
    let name = shared.seen.matrix_snapshot.as_ref().map_or("no study", |matrix_snapshot| matrix_snapshot.study.name.as_str());
    let right = run_state(shared);
    let tabs: usize = ScreenId::ALL.iter().map(|screen| screen.word().len() + 4).sum();
    let brief = wide < tabs + 40;
    let title = format!(" visavis · {} ", fit(name, if brief { 12 } else { 30 }));
    let mut spans = vec![Span::styled(title.clone(), theme.title())];
    let mut at = width(&title);
    for (place, screen) in ScreenId::ALL.into_iter().enumerate() {
        let here = screen == shared.screen;
        let word = if brief && !here { format!(" {} ", place + 1) } else { format!(" {} {} ", place + 1, screen.word()) };
        let style = if here { theme.cursor() } else { theme.dim() };
        let tab = Rect { x: area.x + at as u16, width: width(&word) as u16, ..area };
        paint.hit(tab.intersection(area), Clicked::Command(ScreenCommand::Go(screen)));
        at += width(&word);
        spans.push(Span::styled(word, style));
    }
    let room = wide.saturating_sub(at + 1);
    let right = fit(&right, room.saturating_sub(1));
    let gap = room.saturating_sub(width(&right));
    spans.push(Span::styled(if gap > 2 { format!(" {} ", "─".repeat(gap - 2)) } else { " ".repeat(gap) }, theme.border(false)));
    let live = shared.seen.is_live();
    spans.push(Span::styled(right, if live { theme.accent() } else { theme.dim() }));
    paint.line(area, Line::from(spans));
}

/// The state of the latest run, in a few words.
fn run_state(shared: &Shared) -> String {
    if let Some(store) = &shared.seen.store {
        return format!("✕ store: {store}");
    }
    if shared.seen.reading {
        return "◐ reading the study".to_owned();
    }
    if let Some(fault) = shared.seen.trouble.as_ref().filter(|_| shared.seen.matrix_snapshot.is_some()) {
        let line = fault.place.as_ref().and_then(|place| place.at).map_or(String::new(), |(line, _)| format!("line {line}: "));
        return format!("✕ {line}{} · E opens it", printable(&fault.what));
    }
    let left = |run: &Timeline| run.count(JobState::Queued) + run.count(JobState::Running);
    match &shared.seen.run {
        Some(run) if run.phase() == Phase::Running => {
            let held = match run.held {
                Some(HeldBecause::Paused) => "‖ paused · ",
                Some(HeldBecause::Draining) => "draining · ",
                None => "",
            };
            let time = shared.seen.left.map_or(String::new(), |left| format!(" · {}", left.told()));
            let failed = if run.count(JobState::Failed) > 0 {
                format!("✕ {} failed · ", run.count(JobState::Failed))
            } else {
                String::new()
            };
            format!("{held}{failed}◐ {} running · {} to run{time}", run.count(JobState::Running), thousands(left(run)))
        }
        Some(run) if run.count(JobState::Failed) > 0 => format!("✕ {} failed", run.count(JobState::Failed)),
        Some(run) if run.phase() == Phase::Interrupted => "‖ the last run was interrupted".to_owned(),
        Some(run) if run.phase() == Phase::Lost => "✕ the last run ended without a word".to_owned(),
        _ => shared.seen.matrix_snapshot.as_ref().map_or(String::new(), |matrix_snapshot| {
            match (matrix_snapshot.to_run, matrix_snapshot.waiting) {
                (0, 0) => "● everything is done".to_owned(),
                (0, waiting) => format!("… {} wait for what is missing", thousands(waiting)),
                (n, 0) => format!("○ {} to run · {}", thousands(n), text::about(matrix_snapshot.seconds)),
                (n, waiting) => {
                    format!("○ {} to run · {} · {} wait", thousands(n), text::about(matrix_snapshot.seconds), thousands(waiting))
                }
            }
        }),
    }
}
