//! How large groups are: one bar a range of sizes.

use super::{
    DrawingResult,
    paint::{anchored, ink, sheet, told},
    palette::colour,
};
use crate::domain::text::thousands;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

/// One range of sizes.
pub struct SizeBar {
    /// The smallest size in it.
    pub from: usize,
    /// The greatest size in it.
    pub to: usize,
    /// How many groups are of such a size.
    pub groups: usize,
}

impl SizeBar {
    /// `5–8`, or `2`.
    pub fn range(&self) -> String {
        if self.from == self.to { thousands(self.from) } else { format!("{}–{}", thousands(self.from), thousands(self.to)) }
    }
}

const WIDTH: u32 = 620;
const NAMES: i32 = 170;
const ROW: i32 = 24;
const NUMBERS: i32 = 120;

/// Draws the bars from top to bottom. `title`: what is counted; `unit`: what sizes are in, one of it.
///
/// # Errors
/// A drawing that cannot be made.
pub fn sizes(title: &str, unit: &str, bars: &[SizeBar]) -> DrawingResult {
    let height = (8 + ROW * bars.len().max(1) as i32) as u32;
    let most = bars.iter().map(|bar| bar.groups).max().unwrap_or(0).max(1);
    sheet(title, WIDTH, height, |root| {
        let room = f64::from(WIDTH as i32 - NAMES - NUMBERS);
        for (row, bar) in bars.iter().enumerate() {
            let top = 4 + ROW * row as i32;
            let end = NAMES + (room * bar.groups as f64 / most as f64).round() as i32;
            root.draw(&Rectangle::new([(NAMES, top), (end, top + ROW - 6)], colour(2).filled())).map_err(told)?;
            let middle = top + (ROW - 6) / 2;
            let name = if bar.to == 1 { format!("1 {unit}") } else { format!("{} {unit}s", bar.range()) };
            root.draw(&Text::new(name, (NAMES - 8, middle), anchored(&ink(16, 1.0), HPos::Right, VPos::Center))).map_err(told)?;
            let number = thousands(bar.groups);
            root.draw(&Text::new(number, (end + 8, middle), anchored(&ink(14, 0.75), HPos::Left, VPos::Center))).map_err(told)?;
        }
        Ok(String::new())
    })
}
