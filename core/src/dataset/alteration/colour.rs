//! Colours that are others: turned across the colour circle, or with the mean and deviation of all pictures alike.

use super::square::{Square, luma};

/// Mean and deviation of red, green and blue in ImageNet, on 0 … 1.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];

/// The colour across the circle: its distance from grey of the same luma, the other way; nearer to grey where there is no such colour.
pub(super) fn turned(colour: [u8; 3]) -> [u8; 3] {
    let grey = i32::from(luma(colour));
    let away = colour.map(|value| grey - i32::from(value));
    // How far it may go in units of 1/`whole`, by the channel that reaches its end first.
    let reach = |away: i32| if away > 0 { 255 - grey } else { grey };
    let (mut far, mut whole) = (1, 1);
    for away in away {
        let (room, wanted) = (reach(away), away.abs());
        if wanted > room && room * whole < far * wanted {
            (far, whole) = (room, wanted);
        }
    }
    away.map(|away| {
        let moved = 2 * away * far;
        // To the nearest whole number, halves away from 0.
        let nearest = (moved.abs() + whole) / (2 * whole) * moved.signum();
        (grey + nearest).clamp(0, 255) as u8
    })
}

/// Gives every channel the stated mean and deviation. A channel that does not vary is its mean.
pub(super) fn normalise(square: &mut Square) {
    let places = square.size * square.size;
    for colour in 0..3 {
        let plane = &mut square.planes[square.channel[colour] * places..][..places];
        // Whole numbers: their sums are exact.
        let sum: u64 = plane.iter().map(|value| u64::from(*value)).sum();
        let squares: u64 = plane.iter().map(|value| u64::from(*value).pow(2)).sum();
        let (n, sum, squares) = (places as f64, sum as f64, squares as f64);
        let (mean, variance) = (sum / n, (squares * n - sum * sum) / (n * n));
        let factor = if variance > 0.0 { DEVIATION[colour] * 255.0 / variance.sqrt() } else { 0.0 };
        for value in plane {
            *value = (MEAN[colour] * 255.0 + (f64::from(*value) - mean) * factor + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataset::alteration::tests::{SIZE, altered, painted},
        domain::alteration::Alteration,
    };

    #[test]
    fn a_turned_colour_is_across_the_circle_and_as_light() {
        // Muted colours have one across: grey less what they are away from it.
        assert_eq!(turned([120, 100, 90]), [90, 110, 120]);
        assert_eq!(turned([7, 7, 7]), [7, 7, 7]);
        // Of pure ones it is as vivid as there is.
        assert_eq!(turned([255, 0, 0]), [0, 108, 108]);
        for red in (0..=255).step_by(15) {
            for (green, blue) in (0..=255).step_by(15).flat_map(|green| (0..=255).step_by(15).map(move |blue| (green, blue))) {
                let colour = [red as u8, green as u8, blue as u8];
                let found = turned(colour);
                assert!(luma(found).abs_diff(luma(colour)) <= 1, "{colour:?} {found:?}");
            }
        }
    }

    #[test]
    fn normalised_pictures_of_one_scene_in_two_lights_are_nearly_the_same() {
        let scene = |x: usize, y: usize| [(x * 3 + y) as u8, (y * 3) as u8, (x + 2 * y) as u8];
        let white = altered(&painted(SIZE, scene), Alteration::ColourNormalised);
        let warm = |x: usize, y: usize| {
            let [red, green, blue] = scene(x, y);
            [red + 60, green / 2 + 30, blue / 2]
        };
        let warm = altered(&painted(SIZE, warm), Alteration::ColourNormalised);
        assert!(white.iter().zip(&warm).all(|(one, other)| one.abs_diff(*other) <= 2));
        let constant = altered(&painted(SIZE, |_, _| [9, 9, 9]), Alteration::ColourNormalised);
        assert_eq!([0, 1, 2].map(|channel| constant[channel * SIZE * SIZE]), [124, 116, 104]);
    }
}
