//! Edges alone: how steep the luma is, by Sobel's operator (Sobel and Feldman 1968).

use super::square::Square;

/// A quarter of the gradient, in all channels: 255 is a step from black to white.
pub(super) fn edges(square: &mut Square) {
    let (size, lumas) = (square.size, square.lumas());
    let at = |x: usize, y: usize| f64::from(lumas[y * size + x]);
    for (x, y) in (0..size).flat_map(|y| (0..size).map(move |x| (x, y))) {
        let (left, right) = (x.saturating_sub(1), (x + 1).min(size - 1));
        let (above, below) = (y.saturating_sub(1), (y + 1).min(size - 1));
        let down = |x: usize| at(x, above) + 2.0 * at(x, y) + at(x, below);
        let across = |y: usize| at(left, y) + 2.0 * at(x, y) + at(right, y);
        let (dx, dy) = (down(right) - down(left), across(below) - across(above));
        let steepness = ((dx * dx + dy * dy).sqrt() / 4.0 + 0.5).min(255.0);
        square.set(y * size + x, [steepness as u8; 3]);
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        dataset::alteration::tests::{altered, painted},
        domain::alteration::Alteration,
    };

    #[test]
    fn a_step_is_a_line_and_nothing_else_is_left() {
        let step =
            |dark: [u8; 3], light: [u8; 3]| altered(&painted(8, |x, _| if x < 4 { dark } else { light }), Alteration::Edges);
        let black = step([0; 3], [255; 3]);
        for row in black.chunks_exact(8) {
            assert_eq!(row, [0, 0, 0, 255, 255, 0, 0, 0]);
        }
        assert_eq!(step([0; 3], [255; 3]), step([255; 3], [0; 3]), "which side is dark is not left");
        assert_eq!(step([100, 100, 100], [100, 100, 100]), vec![0; 3 * 64]);
    }
}
