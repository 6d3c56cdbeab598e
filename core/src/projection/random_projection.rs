//! Random projections: features times directions drawn at random, which keep distances on average (Johnson and Lindenstrauss 1984). Gaussian
//! entries, or sparse ones of which one in √D is not 0 (Achlioptas 2003; Li, Hastie and Church 2006). As scikit-learn's, with the house's `axes`
//! instead of a number by the lemma: entries have variance 1 / axes, so that a squared distance keeps its size. linfa's are not used: its entries
//! have variance 1 / D (Gaussian) or √D (sparse) whatever the number of axes, so that distances do not keep their size, and another
//! generator's bits.

use super::{
    Placement, Projected, ProjectionInput, Projector,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    placement::LinearMap,
    start::varies,
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{PhiloxStream, Purpose},
};

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "random_projection",
    title: "Random projection",
    about: "Features times random directions (Johnson and Lindenstrauss), Gaussian or sparse, scaled so that squared distances are kept on average: what a view shows without looking for anything. It hangs on its seed by design.",
    version: 1,
    parameters: &[
        ParameterSpec::AXES,
        ParameterSpec {
            name: "kind",
            kind: ParameterKind::Word { words: &["gaussian", "sparse"] },
            added_later: false,
            variation: Variation::None,
        },
    ],
    supervised: false,
    seeds: Some(5),
    build: |of| {
        let kind = if of.word("kind")?.as_str() == "sparse" { Kind::Sparse } else { Kind::Gaussian };
        Ok(Box::new(RandomProjection::new(of.count(Method::AXES)?, kind)?))
    },
};

#[derive(Clone, Copy)]
enum Kind {
    Gaussian,
    Sparse,
}

struct RandomProjection {
    axes: usize,
    kind: Kind,
}

impl RandomProjection {
    fn new(axes: usize, kind: Kind) -> Result<Self> {
        if axes > 0 {
            Ok(RandomProjection { axes, kind })
        } else {
            Err(Fault::asked("a random projection takes one axis or more"))
        }
    }

    fn map(&self, given: &ProjectionInput) -> Result<LinearMap> {
        let (n, d) = (given.features.rows(), given.features.columns());
        if n < 2 {
            return Err(Fault::asked(format!("a random projection needs two images or more, there is {n}")));
        }
        varies(given.features)?;
        let axes = self.axes.min(d);
        let axes = (0..axes).flat_map(|axis| self.kind.direction(given.seed, axis, d, axes)).collect();
        Ok(LinearMap { means: vec![0.0; d], axes })
    }
}

impl Kind {
    /// D numbers of mean 0 and variance 1 / `axes`.
    fn direction(self, seed: u64, axis: usize, d: usize, axes: usize) -> Vec<f64> {
        let mut stream = PhiloxStream::new(seed, Purpose::RandomDirections, axis as u64);
        let deviation = 1.0 / (axes as f64).sqrt();
        match self {
            Kind::Gaussian => {
                let mut direction: Vec<f64> = (0..d.div_ceil(2)).flat_map(|_| stream.normals(deviation)).collect();
                direction.truncate(d);
                direction
            }
            Kind::Sparse => {
                // One in √D; half of them negative.
                let density = 1.0 / (d as f64).sqrt();
                let size = deviation / density.sqrt();
                let entry = |drawn: f64| match drawn {
                    drawn if drawn < 0.5 * density => size,
                    drawn if drawn < density => -size,
                    _ => 0.0,
                };
                (0..d).map(|_| entry(stream.uniform())).collect()
            }
        }
    }
}

impl Projector for RandomProjection {
    /// `axes` axes, no more than columns. Facts: `nonzero`, the share of entries that are not 0.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let map = self.map(given)?;
        let nonzero = map.axes.iter().filter(|entry| **entry != 0.0).count() as f64 / map.axes.len() as f64;
        let facts = [("nonzero".to_owned(), vec![nonzero])].into();
        Ok(Projected { coordinates: map.coordinates(given.features), facts })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        Ok(Some(Box::new(self.map(given)?)))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        2.0 * n * d * self.axes as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::sum;

    #[test]
    fn entries_have_mean_0_and_variance_1_by_axes_and_few_of_the_sparse_are_not_0() {
        let (d, axes) = (400, 50);
        for (kind, share) in [(Kind::Gaussian, 1.0), (Kind::Sparse, 0.05)] {
            let entries: Vec<f64> = (0..axes).flat_map(|axis| kind.direction(3, axis, d, axes)).collect();
            let squares: Vec<f64> = entries.iter().map(|entry| entry * entry).collect();
            // Five standard errors.
            let error = if share < 1.0 { 0.16 } else { 0.05 };
            assert!((sum::mean(&squares) * axes as f64 - 1.0).abs() < error, "{}", sum::mean(&squares) * axes as f64);
            assert!(sum::mean(&entries).abs() < 5.0 / (d as f64).sqrt() / axes as f64);
            let nonzero = entries.iter().filter(|entry| **entry != 0.0).count() as f64 / entries.len() as f64;
            assert!((nonzero - share).abs() < 0.01, "{nonzero}");
        }
    }
}
