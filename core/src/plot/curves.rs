//! How a training went: the mean loss and the share of right answers of each epoch, and how well held-out identities were told apart, side by side.

use super::{
    DrawingResult,
    paint::{anchored, ink, sheet, told},
    palette::{FOREGROUND, colour},
};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

/// Of one course.
const COURSE: u32 = 230;
const HEIGHT: u32 = 130;
const LEFT: i32 = 44;
const TOP: i32 = 24;
const BOTTOM: i32 = 22;

/// Draws the courses in one sheet, which has a fixed size for each: `loss`, `right` (0 to 1) and `validation` (an AUC; empty where nobody
/// is held out) have one value an epoch.
pub fn curves(loss: &[f64], right: &[f64], validation: &[f64]) -> DrawingResult {
    let most = loss.iter().copied().fold(0.0, f64::max);
    let mut courses = vec![("mean loss", loss, most), ("share right", right, 1.0)];
    let mut title = "Loss and share of right answers, epoch by epoch";
    if !validation.is_empty() {
        courses.push(("held-out AUC", validation, 1.0));
        title = "Loss, share of right answers and AUC of held-out identities, epoch by epoch";
    }
    sheet(title, COURSE * courses.len() as u32, HEIGHT, |root| {
        for (place, (name, values, top)) in courses.iter().copied().enumerate() {
            let left = LEFT + place as i32 * COURSE as i32;
            let (wide, high) = (COURSE as i32 - LEFT - 14, HEIGHT as i32 - TOP - BOTTOM);
            let y =
                |value: f64| TOP + high - (f64::from(high) * (value / top.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)).round() as i32;
            let x = |epoch: usize| {
                left + (f64::from(wide) * epoch as f64 / values.len().saturating_sub(1).max(1) as f64).round() as i32
            };
            let text = |words: String, at: (i32, i32), horizontal: HPos| {
                root.draw(&Text::new(words, at, anchored(&ink(13, 0.75), horizontal, VPos::Center))).map_err(told)
            };
            root.draw(&PathElement::new([(left, TOP), (left, TOP + high), (left + wide, TOP + high)], FOREGROUND.mix(0.3)))
                .map_err(told)?;
            text(name.to_owned(), (left, 10), HPos::Left)?;
            text(shown(top), (left - 6, TOP), HPos::Right)?;
            text("0".to_owned(), (left - 6, TOP + high), HPos::Right)?;
            text("1".to_owned(), (left, HEIGHT as i32 - 9), HPos::Center)?;
            text(values.len().to_string(), (left + wide, HEIGHT as i32 - 9), HPos::Center)?;
            let line: Vec<(i32, i32)> = values.iter().enumerate().map(|(epoch, value)| (x(epoch), y(*value))).collect();
            root.draw(&PathElement::new(line, colour(place).stroke_width(2))).map_err(told)?;
        }
        Ok(String::new())
    })
}

fn shown(top: f64) -> String {
    if top < 10.0 { format!("{top:.1}") } else { format!("{top:.0}") }
}
