//! Colours and shapes of classes: Okabe and Ito's eight for the colour-blind (2008), each class a shape of its own too,
//! so that colour is never the only sign.

use plotters::style::RGBColor;

/// Stands for the page's own text colour; [`super::paint`] writes `currentColor` for it.
pub(super) const FOREGROUND: RGBColor = RGBColor(1, 2, 3);

const COLOURS: [(u8, u8, u8); 8] =
    [(0, 114, 178), (230, 159, 0), (0, 158, 115), (213, 94, 0), (204, 121, 167), (86, 180, 233), (180, 170, 30), (140, 140, 140)];

/// Seven, to eight colours: the signs repeat only after fifty-six classes.
const SHAPES: usize = 7;

/// Red, green and blue of the classes, in their order; after the last comes the first.
pub fn class_colours() -> [[u8; 3]; COLOURS.len()] {
    COLOURS.map(|(red, green, blue)| [red, green, blue])
}

pub(super) fn colour(class: usize) -> RGBColor {
    let (r, g, b) = COLOURS[class % COLOURS.len()];
    RGBColor(r, g, b)
}

/// The outline of a class's sign, within the unit circle.
pub(super) fn shape(class: usize) -> Vec<(f64, f64)> {
    let polygon = |corners: usize, turn: f64, inner: f64| -> Vec<(f64, f64)> {
        let steps = if inner < 1.0 { 2 * corners } else { corners };
        let corner = |i: usize| {
            let radius = if inner < 1.0 && i % 2 == 1 { inner } else { 1.0 };
            let angle = turn + i as f64 * std::f64::consts::TAU / steps as f64;
            (radius * libm::cos(angle), radius * libm::sin(angle))
        };
        (0..steps).map(corner).collect()
    };
    let quarter = std::f64::consts::FRAC_PI_4;
    match class % SHAPES {
        0 => polygon(20, 0.0, 1.0),
        1 => polygon(4, 0.0, 1.0),
        2 => polygon(3, -2.0 * quarter, 1.0),
        3 => polygon(4, quarter, 1.0),
        4 => polygon(3, 2.0 * quarter, 1.0),
        5 => polygon(4, 0.0, 0.4),
        _ => polygon(5, -2.0 * quarter, 0.45),
    }
}
