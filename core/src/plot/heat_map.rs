//! How far each two attributes go together: a triangle of cells, blue where they occur together, red where one occurs without the other.

use super::{
    DrawingResult,
    paint::{anchored, ink, sheet, told},
    palette::{FOREGROUND, colour},
};
use crate::domain::text::shorten;
use plotters::{
    prelude::*,
    style::{
        FontTransform,
        text_anchor::{HPos, VPos},
    },
};

const WIDTH: i32 = 620;
const NAMES: i32 = 170;
const BELOW: i32 = 150;
const HEAD: i32 = 30;
/// A cell of this size holds its number.
const READABLE: i32 = 24;

/// Blue is for positive coefficients, red for negative ones.
fn tint(phi: f64) -> RGBAColor {
    colour(if phi < 0.0 { 3 } else { 0 }).mix(0.06 + 0.94 * phi.abs())
}

/// `.53`, `−.08`, `1`.
fn brief(phi: f64) -> String {
    let text = format!("{:.2}", phi.abs());
    let text = text.strip_prefix('0').unwrap_or(if text == "1.00" { "1" } else { &text }).to_owned();
    if phi < 0.0 && text != ".00" { format!("−{text}") } else { text }
}

/// Draws the coefficients of each two attributes. `phi(row, column)` is asked for `column < row` only; `None` is left empty.
///
/// # Errors
/// A drawing that cannot be made.
pub fn heat_map(names: &[String], phi: impl Fn(usize, usize) -> Option<f64>) -> DrawingResult {
    let n = names.len().max(1) as i32;
    let cell = ((WIDTH - NAMES - 20) / n).clamp(12, 36);
    let width = (NAMES + cell * n + 20).max(WIDTH);
    let height = HEAD + cell * n + BELOW;
    sheet("How far each two attributes go together (φ coefficient)", width as u32, height as u32, |root| {
        // The key: eleven steps from −1 to 1.
        for step in -5..=5 {
            let x = NAMES + 150 + 20 * step;
            root.draw(&Rectangle::new([(x - 10, 0), (x + 10, 12)], tint(f64::from(step) / 5.0).filled())).map_err(told)?;
        }
        for (text, x, side) in [("φ = −1", NAMES + 34, HPos::Right), ("+1", NAMES + 266, HPos::Left)] {
            root.draw(&Text::new(text, (x, 6), anchored(&ink(14, 0.8), side, VPos::Center))).map_err(told)?;
        }
        let size = (cell - 1).clamp(9, 16) as u32;
        for (row, name) in names.iter().enumerate() {
            let top = HEAD + cell * row as i32;
            let middle = top + cell / 2;
            let style = anchored(&ink(size, 1.0), HPos::Right, VPos::Center);
            root.draw(&Text::new(shorten(name, 24), (NAMES - 6, middle), style)).map_err(told)?;
            for column in 0..row {
                let left = NAMES + cell * column as i32;
                let Some(phi) = phi(row, column) else { continue };
                let area = [(left, top), (left + cell - 1, top + cell - 1)];
                root.draw(&Rectangle::new(area, tint(phi).filled())).map_err(told)?;
                if cell >= READABLE {
                    let style = anchored(&ink(11, 1.0), HPos::Center, VPos::Center);
                    root.draw(&Text::new(brief(phi), (left + cell / 2, middle), style)).map_err(told)?;
                }
            }
            let place = (NAMES + cell * row as i32, top);
            let corner = [(place.0, place.1), (place.0 + cell - 1, place.1 + cell - 1)];
            root.draw(&Rectangle::new(corner, FOREGROUND.mix(0.15).filled())).map_err(told)?;
            // Turned by a quarter, anchored at its end.
            let below = ("system-ui, sans-serif", size).into_font().transform(FontTransform::Rotate270).color(&FOREGROUND);
            let style = anchored(&below, HPos::Right, VPos::Center);
            root.draw(&Text::new(shorten(name, 24), (place.0 + cell / 2, HEAD + cell * n + 6), style)).map_err(told)?;
        }
        Ok(String::new())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_has_a_cell_and_numbers_are_brief() {
        assert_eq!([0.526, -0.08, 1.0, -0.001, 0.0].map(brief), [".53", "−.08", "1", ".00", ".00"]);
        let names: Vec<String> = ["Male", "Beard", "<Hat>"].map(str::to_owned).into();
        let drawn = heat_map(&names, |row, column| (row + column != 3).then_some(-0.5)).unwrap();
        assert_eq!(drawn.matches("−.50").count(), 2, "{drawn}");
        assert!(drawn.contains("&lt;Hat&gt;") && !drawn.contains("<Hat>"), "{drawn}");
        heat_map(&[], |_, _| None).unwrap();
    }
}
