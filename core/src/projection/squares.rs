//! Squared distances from many images to the same many others, in tiles: |a|² + |b|² − 2 a·b of the centred rows, and where little is left
//! of that, as for equal images, the distance as it is defined (`numeric::neighbours`). Every product is one chain, so threads and lanes
//! change nothing; the error is some 10⁻¹⁵ of the squared lengths.

use crate::numeric::{
    Matrix,
    neighbours::distances_to,
    pulse,
    sum::dot_lanes,
    tiled::{Panels, WIDE, add_products, column_means},
};

/// Images whose distances are computed at once.
pub(super) const TOGETHER: usize = WIDE;
/// Less than this of the squared lengths is computed as defined.
const LITTLE: f64 = 1e-10;
/// Bytes of panels, at most: beyond, all distances are computed as defined.
const MOST_BYTES: usize = 2_000_000_000;

pub(super) struct Squares<'a> {
    features: &'a Matrix,
    /// Those to which distances are taken.
    rows: &'a [u32],
    means: Vec<f64>,
    panels: Option<Panels<f64, WIDE>>,
    /// Squared, of the centred rows.
    lengths: Vec<f64>,
}

impl<'a> Squares<'a> {
    pub(super) fn new(features: &'a Matrix, rows: &'a [u32]) -> Self {
        let means = column_means(features);
        let fits = rows.len().saturating_mul(features.columns()).saturating_mul(8) <= MOST_BYTES;
        let centred = |at: usize, k: usize| f64::from(features.row(rows[at] as usize)[k]) - means[k];
        let panels = fits.then(|| Panels::new(rows.len(), features.columns(), centred));
        let mut squares = Squares { features, rows, means, panels, lengths: vec![] };
        squares.lengths = rows.iter().map(|row| squares.length(*row)).collect();
        squares
    }

    fn length(&self, row: u32) -> f64 {
        let centred: Vec<f64> =
            self.features.row(row as usize).iter().zip(&self.means).map(|(value, mean)| f64::from(*value) - mean).collect();
        dot_lanes(&centred, &centred)
    }

    /// Squared distances from these images, at most [`TOGETHER`], to the first n rows: one image after the other.
    pub(super) fn from(&self, images: &[u32], n: usize) -> Vec<f64> {
        pulse::beat();
        let mut out = vec![0.0; images.len() * n];
        let Some(panels) = &self.panels else {
            for (image, out) in images.iter().zip(out.chunks_exact_mut(n)) {
                distances_to(self.features.row(*image as usize), self.features, &self.rows[..n], out);
            }
            return out;
        };
        let mut own = vec![0.0; WIDE * self.features.columns()];
        for (lane, image) in images.iter().enumerate() {
            for (k, (value, mean)) in self.features.row(*image as usize).iter().zip(&self.means).enumerate() {
                own[k * WIDE + lane] = f64::from(*value) - mean;
            }
        }
        let lengths: Vec<f64> = images.iter().map(|image| self.length(*image)).collect();
        for first in (0..n).step_by(WIDE) {
            let mut tile = [0.0; WIDE * WIDE];
            add_products(&own, panels.panel(first / WIDE), &mut tile);
            for (lane, products) in tile.chunks_exact(WIDE).take(images.len()).enumerate() {
                for (at, product) in (first..n).zip(products) {
                    let together = lengths[lane] + self.lengths[at];
                    let square = &mut out[lane * n + at];
                    *square = together - 2.0 * product;
                    if *square <= LITTLE * together {
                        let own = self.features.row(images[lane] as usize);
                        distances_to(own, self.features, &self.rows[at..=at], std::slice::from_mut(square));
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::beside;

    #[test]
    fn they_are_those_of_the_definition_and_0_between_equal_images() {
        let curve = beside::matrix(&beside::fixture()["curve"]);
        let features = curve.take(&(0..50).chain(10..20).collect::<Vec<_>>());
        let (rows, images): (Vec<u32>, Vec<u32>) = ((3..60).collect(), (12..17).collect());
        let found = Squares::new(&features, &rows).from(&images, 57);
        for (image, found) in images.iter().zip(found.chunks_exact(57)) {
            let mut plain = vec![0.0; 57];
            distances_to(features.row(*image as usize), &features, &rows, &mut plain);
            assert!(found.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-13 && (*b > 0.0 || *a == 0.0)));
            assert_eq!(found.iter().filter(|square| **square == 0.0).count(), 2);
        }
    }
}
