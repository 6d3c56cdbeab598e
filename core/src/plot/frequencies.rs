//! How often each attribute occurs: one bar an attribute, the most frequent on top.

use super::{
    DrawingResult,
    paint::{anchored, ink, sheet, told},
    palette::{FOREGROUND, colour},
};
use crate::domain::text::{shorten, thousands};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

/// One attribute, or one value of it.
pub struct Bar {
    /// What stands to the left of the bar.
    pub name: String,
    /// Images that have it.
    pub positives: usize,
    /// Images with a label.
    pub n: usize,
}

const WIDTH: u32 = 620;
const NAMES: i32 = 170;
const ROW: i32 = 24;
const NUMBERS: i32 = 120;

/// Draws the bars from top to bottom in the order given.
pub fn frequencies(bars: &[Bar]) -> DrawingResult {
    let height = (24 + ROW * bars.len().max(1) as i32) as u32;
    sheet("How often each attribute occurs", WIDTH, height, |root| {
        let room = WIDTH as i32 - NAMES - NUMBERS;
        for quarter in 0..=4 {
            let x = NAMES + room * quarter / 4;
            root.draw(&PathElement::new([(x, 0), (x, height as i32 - 20)], FOREGROUND.mix(0.12))).map_err(told)?;
            root.draw(&Text::new(
                format!("{} %", 25 * quarter),
                (x, height as i32 - 8),
                anchored(&ink(14, 0.7), HPos::Center, VPos::Center),
            ))
            .map_err(told)?;
        }
        for (row, bar) in bars.iter().enumerate() {
            let top = 4 + ROW * row as i32;
            let share = if bar.n == 0 { 0.0 } else { bar.positives as f64 / bar.n as f64 };
            let end = NAMES + (f64::from(room) * share).round() as i32;
            root.draw(&Rectangle::new([(NAMES, top), (end, top + ROW - 6)], colour(0).filled())).map_err(told)?;
            let middle = top + (ROW - 6) / 2;
            root.draw(&Text::new(
                shorten(&bar.name, 24),
                (NAMES - 8, middle),
                anchored(&ink(16, 1.0), HPos::Right, VPos::Center),
            ))
            .map_err(told)?;
            let numbers = format!("{} of {}", thousands(bar.positives), thousands(bar.n));
            root.draw(&Text::new(numbers, (end + 8, middle), anchored(&ink(14, 0.75), HPos::Left, VPos::Center)))
                .map_err(told)?;
        }
        Ok(String::new())
    })
}
