//! One figure: points by class, or densities along one axis.

use super::{
    canvas::{TextCanvas, bounds},
    paint::Paint,
    shared::Shared,
    text::{fit, width},
    theme::{Theme, sign},
};
use crate::study::picture::FigurePoints;
use ratatui::{
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use visavis_core::domain::{ledger::CellId, text::thousands};

/// A figure with its legend below.
pub(crate) fn draw(paint: &mut Paint, area: Rect, shared: &Shared, cell: CellId, legend: bool) {
    if area.height < 2 || area.width < 4 {
        return;
    }
    match shared.pictures.get(&cell) {
        None => paint.empty(area, "reading its points …"),
        Some(Err(why)) => paint.empty(area, why),
        Some(Ok(picture)) => {
            let below = if legend && area.height > 4 { 1 } else { 0 };
            let points = Rect { height: area.height - below, ..area };
            let pixels = shared.drawing.is_pixels() && shared.theme != Theme::Plain && shared.overlay.is_none();
            if !(pixels && paint.pixels.draw(paint.frame, points, picture, shared.drawing, shared.theme)) {
                in_dots(paint, points, shared, picture);
            }
            if below > 0 {
                let at = Rect { y: area.bottom() - 1, height: 1, ..area };
                let line = self::legend(paint.theme, picture, usize::from(area.width));
                paint.line(at, line);
            }
        }
    }
}

fn in_dots(paint: &mut Paint, area: Rect, shared: &Shared, picture: &FigurePoints) {
    let mut canvas = TextCanvas::new(area, shared.drawing, paint.theme);
    if picture.one_axis {
        ridges(&mut canvas, picture);
    } else {
        scatter(&mut canvas, picture);
    }
    let theme = paint.theme;
    canvas.draw(paint.frame.buffer_mut(), &|class| theme.class(class));
}

fn scatter(canvas: &mut TextCanvas, picture: &FigurePoints) {
    let along = |axis: usize| bounds(picture.points.iter().map(|(point, _)| f64::from(point[axis])));
    let (Some(x), Some(y)) = (along(0), along(1)) else { return };
    let (wide, high) = canvas.size();
    let at = |value: f32, (low, high): (f64, f64), dots: usize| {
        ((f64::from(value) - low) / (high - low) * (dots as f64 - 1.0)).round()
    };
    // Few points are drawn larger, to be seen at all.
    let size = if picture.points.len() < 600 && high > picture.points.len().isqrt() { 2 } else { 1 };
    for (point, class) in picture.points.iter().filter(|(point, _)| point.iter().all(|value| value.is_finite())) {
        let (left, below) = (at(point[0], x, wide) as usize, at(point[1], y, high) as usize);
        let top = (high - 1).saturating_sub(below);
        for dx in 0..size {
            (0..size).for_each(|dy| canvas.dot(left + dx, top + dy, usize::from(*class)));
        }
    }
}

/// How dense each class is along the axis: a smoothed histogram, each class as high as the others.
fn ridges(canvas: &mut TextCanvas, picture: &FigurePoints) {
    let Some((low, top)) = bounds(picture.points.iter().map(|(point, _)| f64::from(point[0]))) else { return };
    let (wide, high) = canvas.size();
    let classes = picture.classes.len();
    let mut counts = vec![vec![0.0_f64; wide]; classes];
    for (point, class) in picture.points.iter().filter(|(point, _)| point[0].is_finite()) {
        let at = ((f64::from(point[0]) - low) / (top - low) * (wide as f64 - 1.0)).round();
        counts[usize::from(*class)][(at as usize).min(wide - 1)] += 1.0;
    }
    // Three passes of a moving mean are nearly a normal curve (Wells 1986).
    let reach = (wide / 40).max(1);
    for row in &mut counts {
        for _ in 0..3 {
            let before = row.clone();
            for (at, value) in row.iter_mut().enumerate() {
                let window = &before[at.saturating_sub(reach)..(at + reach + 1).min(wide)];
                *value = window.iter().sum::<f64>() / (2 * reach + 1) as f64;
            }
        }
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= total.max(1e-12));
    }
    let most = counts.iter().flatten().copied().fold(1e-12, f64::max);
    for (class, row) in counts.iter().enumerate() {
        let y = |value: f64| (high as i64 - 1) - (value / most * (high as f64 - 1.0)).round() as i64;
        for at in 1..wide {
            canvas.line((at as i64 - 1, y(row[at - 1])), (at as i64, y(row[at])), class);
        }
    }
}

/// `● Male 1,402  ◆ Female 1,990`; names are cut before numbers are.
fn legend(theme: Theme, picture: &FigurePoints, room: usize) -> Line<'static> {
    let count = |n: usize| format!(" {}  ", thousands(n));
    let whole: usize = picture.classes.iter().map(|(name, n)| 2 + width(name) + width(&count(*n))).sum();
    let numbers: usize = picture.classes.iter().map(|(_, n)| 2 + width(&count(*n))).sum();
    let most = if whole <= room { usize::MAX } else { (room.saturating_sub(numbers) / picture.classes.len().max(1)).max(2) };
    let mut spans = Vec::new();
    for (class, (name, n)) in picture.classes.iter().enumerate() {
        spans.push(Span::styled(format!("{} ", sign(class)), theme.class(class)));
        spans.push(Span::styled(format!("{}{}", fit(name, most), count(*n)), Style::new()));
    }
    Line::from(spans)
}
