//! Finished numbers → SVG bytes: vector axes and text, points as one raster, so that a figure of 200,000 points stays
//! small. Foreground is `currentColor`, backgrounds are transparent: one picture serves light and dark pages.
//! Receives numbers and class names, decides nothing.

mod curves;
mod frequencies;
mod heat_map;
mod lines;
mod paint;
mod palette;
mod range;
mod ridges;
mod scatter;
mod sizes;
mod stack;

pub use curves::curves;
pub use frequencies::{Bar, frequencies};
pub use heat_map::heat_map;
pub use lines::{ABSENT, LINES_BOX, MOST_LINES, line_class, line_of_nothing, line_points, lines};
pub use palette::class_colours;
pub use range::{RANGE_BOX, RangeMark, RangeScale, range};
pub use ridges::ridges;
pub use scatter::scatter;
pub use sizes::{SizeBar, sizes};
pub use stack::stack;

/// The points of one class.
pub struct PlottedClass<'a> {
    /// What the legend and the drawing's description call it.
    pub name: &'a str,
    /// Of all images that take part.
    pub share: f64,
    /// x (and y) of each member, in the order they are drawn.
    pub points: Vec<[f64; 2]>,
}

/// A drawing that could not be made: a bug, or memory.
pub type DrawingResult = Result<String, String>;

/// `Zero, One`: the classes of a figure.
fn named(classes: &[PlottedClass]) -> String {
    classes.iter().map(|class| class.name).collect::<Vec<_>>().join(", ")
}
