//! Curves of jobs over each other.

use super::state::{RunsState, SMOOTHING, smoothed};
use crate::{
    study::curves::{JobHistory, SeriesCurve},
    tui::{
        canvas::{TextCanvas, bounds, tick},
        paint::Paint,
        shared::Shared,
        text::{fit, left, right, width},
        theme::sign,
    },
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};
use std::sync::Arc;
use visavis_core::domain::{
    job::JobId,
    text::{count, thousands},
};

/// The series of all shown jobs that is chosen: one line a job, a legend below.
pub(crate) fn draw(runs: &RunsState, paint: &mut Paint, area: Rect, shared: &Shared, histories: &[(JobId, Arc<JobHistory>)]) {
    let mut names: Vec<&str> =
        histories.iter().flat_map(|(_, history)| history.curves.iter().map(|curve| curve.series.as_str())).collect();
    names.sort_by_key(|name| {
        (["loss", "accuracy", "validation", "images_per_second"].iter().position(|of| of == name).unwrap_or(9), *name)
    });
    names.dedup();
    let Some(&series) = names.get(runs.series % names.len().max(1)) else { return };
    let of: Vec<(usize, &JobHistory, &SeriesCurve)> = histories
        .iter()
        .enumerate()
        .flat_map(|(kind, (_, history))| {
            history.curves.iter().filter(|curve| curve.series == series).map(move |curve| (kind, history.as_ref(), curve))
        })
        .collect();
    let past = SMOOTHING[runs.smoothing];
    let how = format!(
        "{}{}",
        if past > 0.0 { format!(" · smoothed {past}") } else { String::new() },
        if runs.logarithmic { " · logarithmic" } else { "" }
    );
    let inner = paint.pane(
        area,
        &format!("{} · {} of {}{how}", series.replace('_', " "), runs.series % names.len() + 1, names.len()),
        false,
    );
    if inner.height < 3 || inner.width < 20 {
        return;
    }
    let scaled = |y: f64| if runs.logarithmic { y.max(1e-12).log10() } else { y };
    let lines: Vec<(usize, Vec<(f64, f64)>)> = of
        .iter()
        .map(|(kind, _, curve)| (*kind, smoothed(&curve.points, past).into_iter().map(|(x, y)| (x, scaled(y))).collect()))
        .collect();
    let along = |axis: fn(&(f64, f64)) -> f64| bounds(lines.iter().flat_map(|(_, points)| points.iter().map(axis)));
    let (Some(x), Some(y)) = (along(|point| point.0), along(|point| point.1)) else { return };
    let legend = (of.len() as u16).min(3).min(inner.height / 3);
    let plot = Rect { x: inner.x + 8, width: inner.width - 8, height: inner.height - 1 - legend, ..inner };
    let mut canvas = TextCanvas::of_lines(plot, shared.drawing);
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
    let raw = |y: f64| if runs.logarithmic { 10f64.powf(y) } else { y };
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
    for (line, (kind, history, curve)) in of.iter().rev().take(usize::from(legend)).enumerate() {
        let name = history.job.as_ref().map_or("", |job| job.label.as_str());
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
