//! Fine texture taken away: a Gaussian blur.

use super::square::Square;

/// The kernel's deviation is the side over this.
const SIDES: f64 = 32.0;

/// Each channel, across and then down; beyond the edge lie the outermost pixels.
pub(super) fn blur(square: &mut Square) {
    let size = square.size;
    let kernel = kernel(size as f64 / SIDES);
    for plane in square.planes.chunks_exact_mut(size * size) {
        let values: Vec<f64> = plane.iter().map(|value| f64::from(*value)).collect();
        let across = along(&values, &kernel, size, |line, at| line * size + at);
        let both = along(&across, &kernel, size, |line, at| at * size + line);
        plane.iter_mut().zip(both).for_each(|(value, blurred)| *value = (blurred + 0.5) as u8);
    }
}

/// Half a kernel, from its middle on: it and its mirror image add up to 1.
fn kernel(deviation: f64) -> Vec<f64> {
    let reach = (3.0 * deviation).ceil() as usize;
    let heights: Vec<f64> = (0..=reach).map(|at| libm::exp(-((at * at) as f64) / (2.0 * deviation * deviation))).collect();
    let sum: f64 = heights[0] + 2.0 * heights[1..].iter().sum::<f64>();
    heights.into_iter().map(|height| height / sum).collect()
}

/// `place`: where the number of a line at a place along it is.
fn along(values: &[f64], kernel: &[f64], size: usize, place: impl Fn(usize, usize) -> usize) -> Vec<f64> {
    let mut blurred = vec![0.0; values.len()];
    for (line, at) in (0..size).flat_map(|line| (0..size).map(move |at| (line, at))) {
        let value = |at: usize| values[place(line, at)];
        let mut sum = kernel[0] * value(at);
        for (away, weight) in kernel.iter().enumerate().skip(1) {
            sum += weight * (value(at.saturating_sub(away)) + value((at + away).min(size - 1)));
        }
        blurred[place(line, at)] = sum;
    }
    blurred
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataset::alteration::tests::{altered, painted},
        domain::alteration::Alteration,
    };

    #[test]
    fn fine_stripes_vanish_and_broad_halves_stay() {
        let stripes = altered(&painted(64, |x, _| [if x % 2 == 0 { 0 } else { 200 }; 3]), Alteration::Blurred);
        assert!(stripes[5 * 64 + 10..5 * 64 + 50].iter().all(|value| value.abs_diff(100) <= 2));
        let halves = altered(&painted(64, |x, _| [if x < 32 { 0 } else { 200 }; 3]), Alteration::Blurred);
        assert!(halves[20] == 0 && halves[44] == 200 && halves[31].abs_diff(100) < 30);
        let flat = altered(&painted(64, |_, _| [7, 99, 255]), Alteration::Blurred);
        assert_eq!(flat, painted(64, |_, _| [7, 99, 255]));
    }

    #[test]
    fn a_kernel_adds_up_to_one() {
        let half = kernel(2.0);
        assert_eq!(half.len(), 7);
        assert!((2.0 * half.iter().sum::<f64>() - half[0] - 1.0).abs() < 1e-12);
    }
}
