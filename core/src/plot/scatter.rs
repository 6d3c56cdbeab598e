//! Two axes: the labelled images as points, a sign and a colour a class, the rarest class on top.

use super::{
    DrawingResult, PlottedClass, named,
    paint::{anchored, fill, ink, raster, sheet, told},
    palette::{FOREGROUND, colour, shape},
};
use crate::domain::text::{shorten, thousands};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

const WIDTH: u32 = 620;
const HEIGHT: u32 = 400;
const LEGEND: u32 = 150;

/// `axes`: what each axis is called; `ticks`: whether its numbers mean anything.
pub fn scatter(classes: &[PlottedClass], axes: [&str; 2], ticks: bool) -> DrawingResult {
    let all = || classes.iter().flat_map(|class| &class.points);
    let [x, y] = [range(all().map(|p| p[0])), range(all().map(|p| p[1]))];
    let count = all().count().max(1) as f64;
    // Points shrink and fade as they become many, so that density stays visible.
    let radius = (90.0 / count.sqrt()).clamp(1.2, 4.0);
    let alpha = (24.0 / count.sqrt()).clamp(0.35, 0.85);

    sheet(&format!("{} by {} and {}", named(classes), axes[0], axes[1]), WIDTH, HEIGHT, |root| {
        let (plot, legend) = root.split_horizontally(WIDTH - LEGEND);
        let mut chart = ChartBuilder::on(&plot)
            .margin(8)
            .x_label_area_size(46)
            .y_label_area_size(58)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)
            .map_err(told)?;
        let labels = if ticks { 5 } else { 0 };
        chart
            .configure_mesh()
            .x_labels(labels)
            .y_labels(labels)
            .x_desc(axes[0])
            .y_desc(axes[1])
            .bold_line_style(FOREGROUND.mix(0.12))
            .light_line_style(FOREGROUND.mix(0.0))
            .axis_style(FOREGROUND.mix(0.35))
            .label_style(ink(15, 0.75))
            .axis_desc_style(ink(17, 1.0))
            .x_label_formatter(&|value| tick(*value, x))
            .y_label_formatter(&|value| tick(*value, y))
            .draw()
            .map_err(told)?;

        let (across, down) = chart.plotting_area().get_pixel_range();
        let (width, height) = (across.end - across.start, down.end - down.start);
        let place = |point: &[f64; 2]| {
            ((point[0] - x.0) / (x.1 - x.0) * f64::from(width), (y.1 - point[1]) / (y.1 - y.0) * f64::from(height))
        };
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by_key(|&class| std::cmp::Reverse(classes[class].points.len()));
        let points = raster((across.start, down.start), (width.unsigned_abs(), height.unsigned_abs()), |pixels| {
            for &class in &order {
                let sign = shape(class);
                for point in &classes[class].points {
                    let (cx, cy) = place(point);
                    let outline: Vec<_> = sign.iter().map(|(dx, dy)| (cx + radius * dx, cy + radius * dy)).collect();
                    fill(pixels, &outline, colour(class), alpha);
                }
            }
        })?;
        legend_of(&legend, classes)?;
        Ok(points)
    })
}

/// Sign, name, count and share of every class.
fn legend_of(area: &super::paint::Sheet, classes: &[PlottedClass]) -> Result<(), String> {
    let step = if classes.len() > 9 { 30 } else { 40 };
    for (class, of) in classes.iter().enumerate() {
        let y = 24 + step * class as i32;
        let outline: Vec<(i32, i32)> =
            shape(class).iter().map(|(dx, dy)| (14 + (7.0 * dx).round() as i32, y + (7.0 * dy).round() as i32)).collect();
        area.draw(&Polygon::new(outline, colour(class).filled())).map_err(told)?;
        area.draw(&Text::new(shorten(of.name, 18), (28, y - 1), anchored(&ink(17, 1.0), HPos::Left, VPos::Center)))
            .map_err(told)?;
        let counts = format!("{} · {:.0} %", thousands(of.points.len()), 100.0 * of.share);
        area.draw(&Text::new(counts, (28, y + 15), anchored(&ink(14, 0.7), HPos::Left, VPos::Center))).map_err(told)?;
    }
    Ok(())
}

/// The span of the values with a little room around it.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low >= high || !low.is_finite() {
        let middle = if low.is_finite() { low } else { 0.0 };
        return (middle - 1.0, middle + 1.0);
    }
    let room = 0.03 * (high - low);
    (low - room, high + room)
}

/// A tick's number, with as many decimals as the axis needs.
pub(super) fn tick(value: f64, (low, high): (f64, f64)) -> String {
    match high - low {
        span if !(1e-3..1e5).contains(&span) => format!("{value:.1e}"),
        span if span < 0.4 => format!("{value:.3}"),
        span if span < 1.0 => format!("{value:.2}"),
        span if span < 5.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
