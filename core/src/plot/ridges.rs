//! One axis: how each class lies along it, a ridge a class on one scale.

use super::{
    DrawingResult, PlottedClass, named,
    paint::{anchored, ink, sheet, told},
    palette::{FOREGROUND, colour},
    scatter::{range, tick},
};
use crate::domain::text::{shorten, thousands};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

const WIDTH: u32 = 620;
const NAMES: u32 = 150;
const BINS: usize = 72;

/// `axis`: what the axis is called. Members' first coordinate counts.
pub fn ridges(classes: &[PlottedClass], axis: &str) -> DrawingResult {
    let (low, high) = range(classes.iter().flat_map(|class| class.points.iter().map(|p| p[0])));
    let row = if classes.len() > 4 { 44 } else { 90 };
    let height = 76 + row * classes.len() as u32;
    let densities: Vec<Vec<f64>> = classes.iter().map(|class| density(&class.points, low, high)).collect();
    let tallest = densities.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);

    sheet(&format!("{} along {axis}", named(classes)), WIDTH, height, |root| {
        let (names, plot) = root.split_horizontally(NAMES);
        let rows = classes.len() as f64;
        let mut chart = ChartBuilder::on(&plot)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(48)
            .build_cartesian_2d(low..high, 0.0..rows + 0.25)
            .map_err(told)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_labels(7)
            .x_desc(axis)
            .bold_line_style(FOREGROUND.mix(0.12))
            .light_line_style(FOREGROUND.mix(0.0))
            .axis_style(FOREGROUND.mix(0.35))
            .label_style(ink(15, 0.75))
            .axis_desc_style(ink(17, 1.0))
            .x_label_formatter(&|value| tick(*value, (low, high)))
            .draw()
            .map_err(told)?;
        for (class, density) in densities.iter().enumerate() {
            let base = rows - 1.0 - class as f64;
            let at = |bin: usize| low + (bin as f64 + 0.5) / BINS as f64 * (high - low);
            let ridge: Vec<(f64, f64)> =
                density.iter().enumerate().map(|(bin, d)| (at(bin), base + 1.15 * d / tallest)).collect();
            chart
                .draw_series(
                    AreaSeries::new(ridge.iter().copied(), base, colour(class).mix(0.45))
                        .border_style(colour(class).stroke_width(2)),
                )
                .map_err(told)?;
            let (_, y) = chart.plotting_area().map_coordinate(&(low, base));
            let group = &classes[class];
            let lift = (row as i32 / 3).min(24);
            names
                .draw(&Text::new(
                    shorten(group.name, 18),
                    ((NAMES - 12) as i32, y - lift),
                    anchored(&ink(17, 1.0), HPos::Right, VPos::Center),
                ))
                .map_err(told)?;
            let counts = format!("{} · {:.0} %", thousands(group.points.len()), 100.0 * group.share);
            names
                .draw(&Text::new(
                    counts,
                    ((NAMES - 12) as i32, y - lift + 16),
                    anchored(&ink(14, 0.7), HPos::Right, VPos::Center),
                ))
                .map_err(told)?;
        }
        Ok(String::new())
    })
}

/// The share of the class in every bin, smoothed by five-point binomial weights.
fn density(points: &[[f64; 2]], low: f64, high: f64) -> Vec<f64> {
    let mut counts = vec![0.0; BINS];
    for point in points {
        let bin = ((point[0] - low) / (high - low) * BINS as f64) as usize;
        counts[bin.min(BINS - 1)] += 1.0 / points.len() as f64;
    }
    const WEIGHTS: [f64; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];
    let smoothed = |bin: usize| {
        (0..5).map(|i| WEIGHTS[i] * (bin + i).checked_sub(2).and_then(|at| counts.get(at)).copied().unwrap_or(0.0)).sum()
    };
    (0..BINS).map(smoothed).collect()
}
