//! Linear discriminant analysis (Fisher 1936; Rao 1948): axes along which classes are far apart in units of their spread. scikit-learn's
//! `LinearDiscriminantAnalysis`, solver `svd`: its scale (mean square 1 within classes), its floors under what is left of rank; `shrinkage`
//! is of the covariance within classes alone (0: none), where its `eigen` solver shrinks the total one too. No more axes than classes less one.
//!
//! It looks at labels, so no image's coordinates come from a fit that saw its fold: there is one fit without each fold, turned (Schönemann 1966, without
//! scaling) so that the images it was made from come nearest to where the fit to all has them. linfa has no such method.

use super::{
    Placement, Projected, ProjectionInput, Projector, Supervision, memory,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    pca::fix_sign,
    placement::{LinearMap, in_single},
    start::varies,
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{Matrix, eigen, pivoted_cholesky, sum::dot_lanes, tiled},
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// scikit-learn's, of singular values: of standardised features within classes, and of class means, as a share of the first.
const TOLERANCE: f64 = 1e-4;
/// A pivot that keeps well away from that floor.
const WELL_ABOVE: f64 = 1e-6;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "lda",
    title: "LDA",
    about: "Linear discriminant analysis of the labels (Fisher; Rao): <b>supervised</b>. The coordinates of an image come from a fit that saw neither its fold nor its label; the fits are turned onto that of all images, so that they share axes. Such views are never ranked beside those that see no label.",
    version: 1,
    parameters: &[
        ParameterSpec::AXES,
        ParameterSpec {
            name: "shrinkage",
            kind: ParameterKind::Number { default: 0.0, least: 0.0, most: 1.0 },
            added_later: true,
            variation: Variation::None,
        },
    ],
    supervised: true,
    seeds: None,
    build: |of| Ok(Box::new(Lda::new(of.count(Method::AXES)?, of.number("shrinkage")?)?)),
};

struct Lda {
    axes: usize,
    shrinkage: f64,
}

impl Lda {
    fn new(axes: usize, shrinkage: f64) -> Result<Self> {
        if axes == 0 {
            return Err(Fault::asked("LDA takes one axis or more"));
        }
        if (0.0..=1.0).contains(&shrinkage) {
            Ok(Lda { axes, shrinkage })
        } else {
            Err(Fault::asked("LDA takes a `shrinkage` from 0 to 1"))
        }
    }
}

impl Projector for Lda {
    /// At most `axes` axes: fewer than classes. Facts: `explained` (share of the variance between classes, of the fit to all), `stability` (mean
    /// correlation of an axis with that of the fits without a fold), `classes`, `folds`, `labelled` (images).
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let labels = Labels::new(given)?;
        let (n, d) = (given.features.rows(), given.features.columns());
        let moments = Moments::new(given.features, &labels.labelled(|_| true), tiled::column_means(given.features));
        let all = self.fitted(&moments, &labels, None)?;
        let k = all.axes();
        let mut coordinates = vec![0.0; n * k];
        let mut stability = vec![0.0; k];
        for fold in labels.folds.iter().copied() {
            given.watch.go_on()?;
            let held_out = Moments::new(given.features, &labels.labelled(|of| of == fold), moments.centre.clone());
            let others = moments.without(&held_out);
            let map = self.fitted(&others, &labels, Some(fold))?;
            let scatter = others.about_mean();
            let (turned, along) = turned_onto(&map.map, &all.map, &scatter, d);
            stability.iter_mut().zip(along).for_each(|(sum, along)| *sum += along / labels.folds.len() as f64);
            let rows: Vec<usize> = (0..n).filter(|row| labels.fold[*row] == fold).collect();
            let placed = turned.exact(&given.features.take(&rows));
            for (row, placed) in rows.iter().zip(placed.chunks_exact(k)) {
                coordinates[row * k..][..k].copy_from_slice(placed);
            }
        }
        let facts = [
            ("explained", all.explained),
            ("stability", stability),
            ("classes", vec![labels.classes.len() as f64]),
            ("folds", vec![labels.folds.len() as f64]),
            ("labelled", vec![moments.count()]),
        ];
        let facts = facts.map(|(name, numbers)| (name.to_owned(), numbers)).into();
        Ok(Projected { coordinates: in_single(n, &coordinates), facts })
    }

    /// The fit to all labelled images. Images of the fit are placed by it too, so not where they are in the projection, which kept their fold out.
    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        let labels = Labels::new(given)?;
        let moments = Moments::new(given.features, &labels.labelled(|_| true), tiled::column_means(given.features));
        Ok(Some(Box::new(self.fitted(&moments, &labels, None)?.map)))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        const FOLDS: f64 = 5.0;
        2.0 * n * d * d + FOLDS * (d * d * d + 40.0 * d * d) + 2.0 * n * d * self.axes as f64
    }
}

/// Classes and folds, checked; classes are numbered anew without gaps.
struct Labels {
    class: Vec<Option<usize>>,
    fold: Vec<usize>,
    /// Their numbers as they were given.
    classes: Vec<usize>,
    folds: Vec<usize>,
}

impl Labels {
    fn new(given: &ProjectionInput) -> Result<Self> {
        let (n, d) = (given.features.rows(), given.features.columns());
        let Some(Supervision { classes, folds }) = given.supervision else {
            return Err(Fault::asked("LDA learns from labels, and none are given")
                .next("say what it is to learn, such as `labels: identity`, or use a method that needs no label, such as PCA"));
        };
        if classes.len() != n || folds.len() != n {
            let counts = (classes.len(), folds.len());
            return Err(Fault::unexpected(format!("{n} images have {} classes and {} folds", counts.0, counts.1)));
        }
        if n < 2 {
            return Err(Fault::asked(format!("LDA needs two images or more, there is {n}")));
        }
        varies(given.features)?;
        memory::affordable(&format!("LDA of {d} columns"), 48.0 * (d as f64).powi(2))?;
        let numbers: Vec<usize> = classes.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let place: BTreeMap<usize, usize> = numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect();
        let class: Vec<Option<usize>> = classes.iter().map(|of| of.map(|number| place[&number])).collect();
        let of_folds: BTreeSet<usize> = folds.iter().copied().collect();
        let labels = Labels { class, fold: folds.to_vec(), classes: numbers, folds: of_folds.into_iter().collect() };
        labels.check()?;
        Ok(labels)
    }

    fn check(&self) -> Result<()> {
        let (count, folds) = (self.classes.len(), self.folds.len());
        if count < 2 {
            return Err(Fault::asked(format!("LDA needs images of two classes or more, there are {count}"))
                .next("name labels that tell images apart"));
        }
        if folds < 2 {
            return Err(Fault::asked(format!("LDA needs two folds or more, there is {folds}: no image would be left to fit to")));
        }
        let mut met: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
        for (class, fold) in self.class.iter().zip(&self.fold) {
            if let Some(class) = class {
                met[*class].insert(*fold);
            }
        }
        let images = self.class.iter().flatten().count();
        if images <= count {
            return Err(Fault::asked(format!(
                "LDA needs more images than classes: there are {images} labelled images of {count} classes"
            ))
            .next("name labels of fewer classes, or leave out classes of one image"));
        }
        if let Some(class) = met.iter().position(|folds| folds.len() < 2) {
            let fold = met[class].first().copied().unwrap_or_default();
            return Err(Fault::asked(format!(
                "all images of class {} are in fold {fold}: the fit without the fold knows nothing of the class",
                self.classes[class]
            ))
            .next("use fewer folds, or leave the class out"));
        }
        Ok(())
    }

    /// Rows with their class, of the folds that are asked for.
    fn labelled(&self, fold: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
        let known = self.class.iter().enumerate().filter_map(|(row, class)| class.map(|class| (row, class)));
        known.filter(|(row, _)| fold(self.fold[*row])).collect()
    }

    fn count(&self) -> usize {
        self.classes.len()
    }
}

/// Sums over labelled images, about a point.
struct Moments {
    centre: Vec<f64>,
    /// D × D.
    scatter: Vec<f64>,
    /// One row a class.
    sums: Vec<Vec<f64>>,
    counts: Vec<f64>,
}

impl Moments {
    /// Of these rows, each with its class.
    fn new(features: &Matrix, labelled: &[(usize, usize)], centre: Vec<f64>) -> Self {
        let rows: Vec<usize> = labelled.iter().map(|(row, _)| *row).collect();
        let scatter = tiled::scatter(&features.take(&rows), &centre);
        let classes = labelled.iter().map(|(_, class)| class + 1).max().unwrap_or(0);
        let mut members: Vec<Vec<usize>> = vec![vec![]; classes];
        labelled.iter().for_each(|(row, class)| members[*class].push(*row));
        let sum = |rows: &Vec<usize>| {
            let mut sum = vec![0.0; centre.len()];
            for row in rows {
                sum.iter_mut().zip(features.row(*row)).zip(&centre).for_each(|((sum, x), at)| *sum += f64::from(*x) - at);
            }
            sum
        };
        let sums = members.par_iter().map(sum).collect();
        Moments { scatter, sums, counts: members.iter().map(|rows| rows.len() as f64).collect(), centre }
    }

    /// Of the images that are not in the part.
    fn without(&self, part: &Moments) -> Moments {
        let mut left = Moments {
            centre: self.centre.clone(),
            scatter: self.scatter.iter().zip(&part.scatter).map(|(all, part)| all - part).collect(),
            sums: self.sums.clone(),
            counts: self.counts.clone(),
        };
        left.counts.iter_mut().zip(&part.counts).for_each(|(all, part)| *all -= part);
        for (sums, part) in left.sums.iter_mut().zip(&part.sums) {
            sums.iter_mut().zip(part).for_each(|(all, part)| *all -= part);
        }
        left
    }

    fn count(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The mean, less the centre.
    fn offset(&self) -> Vec<f64> {
        let n = self.count();
        (0..self.centre.len()).map(|j| self.sums.iter().map(|sums| sums[j]).sum::<f64>() / n).collect()
    }

    /// The scatter about the mean of these images.
    fn about_mean(&self) -> Vec<f64> {
        let mut scatter = self.scatter.clone();
        let (n, offset) = (self.count(), self.offset());
        take_out(&mut scatter, &offset, n);
        scatter
    }

    /// The scatter of the images of a class about the mean of the class, of all classes together.
    fn within(&self) -> Vec<f64> {
        let mut scatter = self.scatter.clone();
        for (sums, count) in self.sums.iter().zip(&self.counts).filter(|(_, count)| **count > 0.0) {
            let mean: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
            take_out(&mut scatter, &mean, *count);
        }
        scatter
    }
}

/// `scatter −= count · mean meanᵀ`
fn take_out(scatter: &mut [f64], mean: &[f64], count: f64) {
    scatter.par_chunks_mut(mean.len()).zip(mean).for_each(|(row, own)| {
        row.iter_mut().zip(mean).for_each(|(value, other)| *value -= count * (own * other));
    });
}

/// Axes along which classes are apart.
struct Discriminant {
    map: LinearMap,
    explained: Vec<f64>,
}

impl Discriminant {
    fn axes(&self) -> usize {
        self.explained.len()
    }
}

impl Lda {
    fn fitted(&self, moments: &Moments, labels: &Labels, without: Option<usize>) -> Result<Discriminant> {
        let (n, count, d) = (moments.count(), labels.count(), moments.centre.len());
        if n <= count as f64 {
            let fold = without.map_or_else(String::new, |fold| format!(" without fold {fold}"));
            return Err(Fault::asked(format!(
                "LDA needs more images than classes:{fold} there are {n} labelled images of {count} classes"
            ))
            .next("name labels of fewer classes, or use more folds"));
        }
        let mut within = moments.within();
        within.iter_mut().for_each(|value| *value /= n);
        let trace: f64 = (0..d).map(|j| within[j * d + j].max(0.0)).sum();
        // What is left of sums that cancel is rounding.
        let spread: f64 = (0..d).map(|j| moments.scatter[j * d + j]).sum::<f64>() / n;
        if trace <= spread * n.max(d as f64) * f64::EPSILON {
            return Err(Fault::asked("all images of a class have the same features: nothing says how far apart classes are")
                .next("use a method that needs no label, such as PCA"));
        }
        if self.shrinkage > 0.0 {
            within.iter_mut().for_each(|value| *value *= 1.0 - self.shrinkage);
            (0..d).for_each(|j| within[j * d + j] += self.shrinkage * trace / d as f64);
        }
        let offset = moments.offset();
        let between = |class: usize| {
            let (sums, of) = (&moments.sums[class], moments.counts[class]);
            let weight = (of / (count as f64 - 1.0)).sqrt();
            (0..d).map(|j| weight * (sums[j] / of - offset[j])).collect::<Vec<f64>>()
        };
        let between: Vec<Vec<f64>> = (0..count).map(between).collect();
        let solved = Within::new(within, d, spread)?.solved(&between)?;
        // Products of class means in units of the spread: its eigenvectors say how axes are mixed of them.
        let product = |at: usize| {
            let (i, j) = ((at / count).max(at % count), (at / count).min(at % count));
            dot_lanes(&between[i], &solved[j])
        };
        let square: Vec<f64> = (0..count * count).into_par_iter().map(product).collect();
        let apart = || Fault::asked("the classes have the same mean features: no axis tells them apart");
        let spectrum = eigen::symmetric(&square, count).ok_or_else(apart)?;
        let most = self.axes.min(count - 1).min(d);
        let total: f64 = spectrum.values[..count - 1].iter().map(|value| value.max(0.0)).sum();
        let floor = (TOLERANCE * TOLERANCE * spectrum.values[0]).max(n * f64::EPSILON);
        let kept = spectrum.values[..most].iter().take_while(|value| **value > floor).count();
        if kept == 0 {
            return Err(apart());
        }
        let axis = |axis: usize| {
            let mut direction = vec![0.0; d];
            let size = spectrum.values[axis].sqrt();
            for (weight, solved) in spectrum.vectors[axis * count..][..count].iter().zip(&solved) {
                direction.iter_mut().zip(solved).for_each(|(sum, value)| *sum += weight / size * value);
            }
            fix_sign(&mut direction);
            direction
        };
        let axes: Vec<Vec<f64>> = (0..kept).into_par_iter().map(axis).collect();
        let means = moments.centre.iter().zip(&offset).map(|(centre, offset)| centre + offset).collect();
        let explained = spectrum.values[..kept].iter().map(|value| value / total).collect();
        Ok(Discriminant { map: LinearMap { means, axes: axes.concat() }, explained })
    }
}

/// The covariance within classes, standardised, so that floors know no units.
struct Within {
    roots: Vec<f64>,
    inverse: Inverse,
}

/// Of full rank, or what there is of it.
enum Inverse {
    Factor(pivoted_cholesky::Cholesky),
    Spectrum { eigen: eigen::Eigen, rank: usize },
}

impl Within {
    fn new(mut within: Vec<f64>, d: usize, spread: f64) -> Result<Self> {
        // A column that varies in no class counts as one of variance 1, with nothing in it.
        let floor = spread * d as f64 * f64::EPSILON * 1e-3;
        let root = |j: usize| if within[j * d + j] > floor { within[j * d + j].sqrt() } else { 0.0 };
        let roots: Vec<f64> = (0..d).map(root).collect();
        within.par_chunks_mut(d).zip(&roots).for_each(|(row, own)| {
            for (value, other) in row.iter_mut().zip(&roots) {
                *value = if own * other > 0.0 { *value / (own * other) } else { 0.0 };
            }
        });
        let factor = pivoted_cholesky::pivoted(&within, d, WELL_ABOVE);
        if factor.rank() == d {
            return Ok(Within { roots, inverse: Inverse::Factor(factor) });
        }
        let eigen = eigen::symmetric(&within, d);
        let eigen = eigen.ok_or_else(|| Fault::unexpected("the covariance within classes has no eigenvectors"))?;
        let rank = eigen.values.iter().take_while(|value| **value > TOLERANCE * TOLERANCE).count();
        Ok(Within { roots, inverse: Inverse::Spectrum { eigen, rank } })
    }

    /// The inverse, of what has one, times each of these.
    fn solved(&self, vectors: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        let divided = |vector: &[f64]| -> Vec<f64> {
            vector.iter().zip(&self.roots).map(|(value, root)| if *root > 0.0 { value / root } else { 0.0 }).collect()
        };
        let solve = |vector: &Vec<f64>| {
            let standard = divided(vector);
            let solved = match &self.inverse {
                Inverse::Factor(factor) => factor.solve(&standard),
                Inverse::Spectrum { eigen, rank } => {
                    let mut sum = vec![0.0; standard.len()];
                    for (value, axis) in eigen.values[..*rank].iter().zip(eigen.vectors.chunks_exact(standard.len())) {
                        let along = dot_lanes(axis, &standard) / value;
                        sum.iter_mut().zip(axis).for_each(|(sum, axis)| *sum += along * axis);
                    }
                    sum
                }
            };
            divided(&solved)
        };
        Ok(vectors.par_iter().map(solve).collect())
    }
}

/// The map whose axes are turned and reflected, not stretched, so that images of this scatter come nearest to where the other has them; and the
/// correlation of its axes with the other's.
fn turned_onto(map: &LinearMap, other: &LinearMap, scatter: &[f64], d: usize) -> (LinearMap, Vec<f64>) {
    let rows = |axes: &[f64]| -> Vec<Vec<f64>> { axes.chunks_exact(d).map(<[f64]>::to_vec).collect() };
    let (own, others) = (rows(&map.axes), rows(&other.axes));
    let times = |axis: &Vec<f64>| scatter.par_chunks(d).map(|row| dot_lanes(row, axis)).collect::<Vec<f64>>();
    let seen: Vec<Vec<f64>> = others.iter().map(times).collect();
    let product: Vec<Vec<f64>> = own.iter().map(|a| seen.iter().map(|b| dot_lanes(a, b)).collect()).collect();
    let turn = orthogonal(&product);
    let axes: Vec<Vec<f64>> = (0..others.len())
        .map(|axis| (0..d).map(|j| own.iter().zip(&turn).map(|(own, turn)| own[j] * turn[axis]).sum()).collect())
        .collect();
    let correlation = |axis: usize| {
        let both = dot_lanes(&axes[axis], &seen[axis]);
        let sizes = dot_lanes(&axes[axis], &times(&axes[axis])) * dot_lanes(&others[axis], &seen[axis]);
        if sizes > 0.0 { (both / sizes.sqrt()).clamp(-1.0, 1.0) } else { 0.0 }
    };
    let along = (0..others.len()).map(correlation).collect();
    (LinearMap { means: map.means.clone(), axes: axes.concat() }, along)
}

/// U Vᵀ of a matrix U Σ Vᵀ, r × k: by one-sided rotations (Hestenes 1958) of its columns. A direction that is not there stays 0.
fn orthogonal(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    const SWEEPS: usize = 60;
    let (r, k) = (matrix.len(), matrix.first().map_or(0, Vec::len));
    let mut u: Vec<Vec<f64>> = (0..k).map(|j| (0..r).map(|i| matrix[i][j]).collect()).collect();
    let mut v: Vec<Vec<f64>> = (0..k).map(|j| (0..k).map(|i| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..SWEEPS {
        let mut still = true;
        for p in 0..k {
            for q in p + 1..k {
                let (a, b, c) = (dot_lanes(&u[p], &u[p]), dot_lanes(&u[q], &u[q]), dot_lanes(&u[p], &u[q]));
                if c.abs() <= 1e-15 * (a * b).sqrt() || c == 0.0 {
                    continue;
                }
                still = false;
                let zeta = (b - a) / (2.0 * c);
                let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let cosine = 1.0 / (1.0 + t * t).sqrt();
                for of in [&mut u, &mut v] {
                    let (before, after) = of.split_at_mut(q);
                    for (x, y) in before[p].iter_mut().zip(&mut after[0]) {
                        (*x, *y) = (cosine * (*x - t * *y), cosine * (*y + t * *x));
                    }
                }
            }
        }
        if still {
            break;
        }
    }
    let sizes: Vec<f64> = u.iter().map(|column| dot_lanes(column, column).sqrt()).collect();
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    let mut out = vec![vec![0.0; k]; r];
    for ((u, v), size) in u.iter().zip(&v).zip(&sizes).filter(|(_, size)| **size > largest * 1e-12) {
        for (row, u) in out.iter_mut().zip(u) {
            row.iter_mut().zip(v).for_each(|(value, v)| *value += u / size * v);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    /// n images of 4 columns in 3 classes and 4 folds; the first two columns tell classes apart.
    fn given(n: usize) -> (Matrix, Vec<Option<usize>>, Vec<usize>) {
        let mut stream = PhiloxStream::for_test(31, 0);
        let class = |i: usize| i % 3;
        let row = |i: usize, stream: &mut PhiloxStream| {
            let noise: [f64; 4] = std::array::from_fn(|_| stream.normals(1.0)[0]);
            let [a, b] = [[3.0, 0.0], [-3.0, 1.0], [0.0, -3.0]][class(i)];
            [noise[0] + a, noise[1] + b, noise[2], 5.0 * noise[3]].map(|value| value as f32)
        };
        let features = Matrix::new(n, 4, (0..n).flat_map(|i| row(i, &mut stream)).collect()).unwrap();
        (features, (0..n).map(|i| Some(class(i))).collect(), (0..n).map(|i| (i / 3) % 4).collect())
    }

    fn project(features: &Matrix, classes: &[Option<usize>], folds: &[usize]) -> Result<Projected> {
        let supervision = Some(Supervision { classes, folds });
        Lda::new(2, 0.0)?.project(&ProjectionInput { supervision, ..ProjectionInput::alone(features, 1) })
    }

    #[test]
    fn an_image_is_placed_by_a_fit_that_did_not_see_its_label() {
        let (features, classes, folds) = given(240);
        let placed = project(&features, &classes, &folds).unwrap();
        assert!(placed.facts["stability"].iter().all(|along| *along > 0.99), "{:?}", placed.facts);
        // Its own label changes nothing for an image whose fold has no other; those of other folds do.
        let mut own = classes.clone();
        own[5] = None;
        let without = project(&features, &own, &folds).unwrap();
        let fold: Vec<usize> = (0..240).filter(|row| folds[*row] == folds[5]).collect();
        let close = |row: usize| {
            let (a, b) = (placed.coordinates.row(row), without.coordinates.row(row));
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        // The fit is the same; the turn onto the fit to all hardly differs.
        assert!(fold.iter().all(|row| close(*row) < 0.02), "{:?}", fold.iter().map(|row| close(*row)).fold(0.0, f32::max));
        let middle = |class: usize| {
            let rows: Vec<usize> = (0..240).filter(|row| classes[*row] == Some(class)).collect();
            [0, 1].map(|axis| rows.iter().map(|row| placed.coordinates.row(*row)[axis]).sum::<f32>() / rows.len() as f32)
        };
        let apart = |a: [f32; 2], b: [f32; 2]| ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
        assert!(apart(middle(0), middle(1)) > 4.0 && apart(middle(1), middle(2)) > 3.0, "in units of the spread");
    }

    #[test]
    fn labels_of_pure_chance_separate_nothing() {
        // Fewer images than twice the columns: a fit to all would tell any classes apart.
        let (n, d) = (60, 40);
        let mut stream = PhiloxStream::for_test(32, 0);
        let features = Matrix::new(n, d, (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap();
        let classes: Vec<Option<usize>> = (0..n).map(|i| Some(i % 2)).collect();
        let folds: Vec<usize> = (0..n).map(|i| (i / 2) % 5).collect();
        let apart = |coordinates: &Matrix| {
            let of =
                |class: usize| (0..n).filter(|i| i % 2 == class).map(|i| f64::from(coordinates.row(i)[0])).collect::<Vec<_>>();
            let (one, other) = (of(0), of(1));
            let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
            let spread = |of: &[f64]| (of.iter().map(|x| (x - mean(of)).powi(2)).sum::<f64>() / of.len() as f64).sqrt();
            (mean(&one) - mean(&other)).abs() / (0.5 * (spread(&one) + spread(&other)))
        };
        let placed = project(&features, &classes, &folds).unwrap();
        let supervision = Some(Supervision { classes: &classes, folds: &folds });
        let given = ProjectionInput { supervision, ..ProjectionInput::alone(&features, 1) };
        let seen = Lda::new(1, 0.0).unwrap().fit(&given).unwrap().unwrap().place(&features).unwrap();
        assert!(apart(&seen) > 2.5, "{}", apart(&seen));
        assert!(apart(&placed.coordinates) < 0.9, "{}", apart(&placed.coordinates));
    }

    #[test]
    fn images_of_unknown_class_are_placed_and_take_part_in_no_fit() {
        let (features, mut classes, folds) = given(120);
        classes[7] = None;
        let mut values = features.values().to_vec();
        let before = project(&features, &classes, &folds).unwrap().coordinates;
        values[28..32].fill(40.0);
        let after = project(&Matrix::new(120, 4, values).unwrap(), &classes, &folds).unwrap().coordinates;
        let moved: Vec<usize> =
            (0..120).filter(|row| before.row(*row).iter().zip(after.row(*row)).any(|(a, b)| (a - b).abs() > 1e-3)).collect();
        assert_eq!(moved, [7]);
    }

    #[test]
    fn labels_that_say_too_little_are_refused() {
        let (features, classes, folds) = given(60);
        let refused = |classes: &[Option<usize>], folds: &[usize], why: &str| {
            let fault = project(&features, classes, folds).unwrap_err();
            assert!(fault.ending == crate::domain::Ending::Asked && fault.what.contains(why), "{fault}");
        };
        let alone = Lda::new(2, 0.0).unwrap().project(&ProjectionInput::alone(&features, 1)).unwrap_err();
        assert!(
            alone.what.contains("LDA learns from labels, and none are given") && alone.next.unwrap().contains("labels: identity")
        );
        refused(&vec![Some(4); 60], &folds, "two classes or more, there are 1");
        refused(&vec![None; 60], &folds, "two classes or more, there are 0");
        refused(&classes, &vec![0; 60], "two folds or more, there is 1");
        refused(&(0..60).map(Some).collect::<Vec<_>>(), &folds, "more images than classes: there are 60 labelled images of 60");
        let mut lonely = classes.clone();
        lonely[3] = Some(9);
        refused(&lonely, &folds, &format!("all images of class 9 are in fold {}", folds[3]));
        let flat = Matrix::new(60, 1, (0..60).map(|i| (i % 3) as f32).collect()).unwrap();
        let fault = project(&flat, &classes, &folds).unwrap_err();
        assert!(fault.what.contains("all images of a class have the same features"), "{fault}");
        assert!(Lda::new(0, 0.0).is_err() && Lda::new(1, 1.5).is_err());
    }

    #[test]
    fn a_turn_is_found_whatever_the_sizes() {
        let turn = orthogonal(&[vec![0.0, -3.0], vec![2.0, 0.0]]);
        for (row, wanted) in turn.iter().zip([[0.0, -1.0], [1.0, 0.0]]) {
            assert!(row.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{turn:?}");
        }
        let narrow = orthogonal(&[vec![3.0, 4.0]]);
        assert!((narrow[0][0] - 0.6).abs() < 1e-12 && (narrow[0][1] - 0.8).abs() < 1e-12, "{narrow:?}");
    }
}
