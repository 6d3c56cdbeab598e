//! The similarity transform (turned, scaled, moved) that takes points nearest to others, by least squares (Umeyama, PAMI 1991); in the
//! plane it has a closed form without angles, so its bits are the same everywhere.

/// Places of the five landmarks in a picture of 112 × 112 pixels, as InsightFace's networks are trained (Deng et al., CVPR 2019): eyes,
/// nose, corners of the mouth, those on the picture's left first.
pub(super) const ARCFACE_TEMPLATE: [[f64; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

/// Pixels a side of the picture that the template is of.
pub(super) const TEMPLATE_SIDE: usize = 112;

/// x ↦ (a x − b y + c, b x + a y + d).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Similarity {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
}

impl Similarity {
    /// The one that takes `from` nearest to `to`; `None` where the points of either lie on one point, so that there is none.
    pub(super) fn between(from: &[[f64; 2]; 5], to: &[[f64; 2]; 5]) -> Option<Self> {
        let (of, at) = (middle(from), middle(to));
        let (mut turned, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (from, to) in from.iter().zip(to) {
            let (x, y) = (from[0] - of[0], from[1] - of[1]);
            let (u, v) = (to[0] - at[0], to[1] - at[1]);
            turned += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        let (a, b) = (turned / spread, across / spread);
        let found = Similarity { a, b, c: at[0] - (a * of[0] - b * of[1]), d: at[1] - (b * of[0] + a * of[1]) };
        let stands = found.scale_squared().is_finite() && found.scale_squared() > 0.0;
        stands.then_some(found)
    }

    /// Where the point comes from.
    pub(super) fn back(&self, x: f64, y: f64) -> [f64; 2] {
        let (x, y, of) = (x - self.c, y - self.d, self.scale_squared());
        [(self.a * x + self.b * y) / of, (self.a * y - self.b * x) / of]
    }

    /// x ↦ scale · x + moved, nothing turned.
    pub(super) fn straight(scale: f64, moved: [f64; 2]) -> Self {
        Similarity { a: scale, b: 0.0, c: moved[0], d: moved[1] }
    }

    /// The same into a square whose pixels are others: `scale` of the new for one of the old, middles of pixels on middles.
    pub(super) fn resized(&self, scale: f64) -> Self {
        let moved = |at: f64| (at + 0.5) * scale - 0.5;
        Similarity { a: self.a * scale, b: self.b * scale, c: moved(self.c), d: moved(self.d) }
    }

    /// How much longer things become.
    pub(super) fn scale(&self) -> f64 {
        self.scale_squared().sqrt()
    }

    /// Where the point goes.
    pub(super) fn forth(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.c, self.b * x + self.a * y + self.d]
    }

    fn scale_squared(&self) -> f64 {
        self.a * self.a + self.b * self.b
    }
}

fn middle(points: &[[f64; 2]; 5]) -> [f64; 2] {
    [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_were_turned_scaled_and_moved_are_taken_back() {
        // Half as large, a quarter turn, moved by (10, −3): (x, y) ↦ (−y / 2 + 10, x / 2 − 3).
        let moved = ARCFACE_TEMPLATE.map(|[x, y]| [10.0 - y / 2.0, x / 2.0 - 3.0]);
        let found = Similarity::between(&moved, &ARCFACE_TEMPLATE).unwrap();
        for (from, to) in moved.iter().zip(ARCFACE_TEMPLATE) {
            let (there, back) = (found.forth(*from), found.back(to[0], to[1]));
            assert!((0..2).all(|axis| (there[axis] - to[axis]).abs() < 1e-9 && (back[axis] - from[axis]).abs() < 1e-9));
        }
        assert!((found.scale_squared() - 4.0).abs() < 1e-12);
    }

    /// By scikit-image 0.26.0: `SimilarityTransform().estimate(src, dst)`, on points that no similarity takes to the template.
    #[test]
    fn points_that_fit_only_nearly_are_taken_as_scikit_image_takes_them() {
        let landmarks = [[69.0, 111.0], [108.0, 111.0], [88.0, 136.0], [72.0, 152.0], [105.0, 152.0]];
        let found = Similarity::between(&landmarks, &ARCFACE_TEMPLATE).unwrap();
        let expected = SKIMAGE;
        for (found, expected) in [found.a, found.b, found.c, found.d].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} against {expected}");
        }
    }

    const SKIMAGE: [f64; 4] = [0.9445746469491072, -0.00521570743405276, -28.164798454569663, -52.69983471889152];

    #[test]
    fn points_on_one_point_have_no_transform() {
        assert_eq!(Similarity::between(&[[5.0, 7.0]; 5], &ARCFACE_TEMPLATE), None);
        assert_eq!(Similarity::between(&ARCFACE_TEMPLATE, &[[5.0, 7.0]; 5]), None);
    }
}
