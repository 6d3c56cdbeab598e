//! Eigenvalues and eigenvectors of a symmetric matrix, `f64`: Householder's reduction to a tridiagonal matrix and the
//! implicit QL method (Bowdler, Martin, Reinsch and Wilkinson 1968; EISPACK's `tred2` and `tql2`). Where few vectors of many
//! are wanted, QL gives values alone, and inverse iteration the vectors (Peters and Wilkinson 1971; LAPACK's `dstein`).
//!
//! One file: reduction, QL and inverse iteration share the reduced matrix, and are tested against each other.

use super::{PhiloxStream, Purpose, multiversion::multiversion, sum::dot};
use rayon::prelude::*;

/// Eigenvalues and eigenvectors of a symmetric n × n matrix.
pub struct Eigen {
    /// In descending order.
    pub values: Vec<f64>,
    /// Unit vectors in the same order, row by row: `vectors[i * n..][..n]` belongs to `values[i]`. There may be fewer than values.
    pub vectors: Vec<f64>,
}

/// QL needs two or three iterations a value; far more means that something is not a number.
const MOST_ITERATIONS: usize = 64;

/// All eigenvalues and eigenvectors. `matrix` is n × n, row-major; only its lower triangle is read. `None` when a value is not finite or QL
/// does not converge.
pub fn symmetric(matrix: &[f64], n: usize) -> Option<Eigen> {
    if matrix.len() != n * n || matrix.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| matrix[i.max(j) * n + i.min(j)]).collect()).collect();
    let (mut diagonal, mut subdiagonal) = tridiagonal(&mut v);
    ql(&mut v, &mut diagonal, &mut subdiagonal)?;

    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]).then(a.cmp(&b)));
    let vectors = order.iter().flat_map(|&column| v.iter().map(move |row| row[column])).collect();
    Some(Eigen { values: order.iter().map(|&i| diagonal[i]).collect(), vectors })
}

/// Below this size, or when more than a quarter of the vectors is wanted, QL's vectors are the shorter way.
const SMALL: usize = 96;

/// All values, and the `k` vectors of the largest. `matrix` is n × n, row by row, both triangles; `None` as for [`symmetric`].
pub fn leading(mut matrix: Vec<f64>, n: usize, k: usize) -> Option<Eigen> {
    if n < SMALL || 4 * k > n {
        return symmetric(&matrix, n).map(|all| Eigen { vectors: all.vectors[..k.min(n) * n].to_vec(), ..all });
    }
    if matrix.len() != n * n || matrix.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let whole = matrix.clone();
    let Reflected { diagonal, subdiagonal, factors } = reflect(&mut matrix, n);
    let (mut values, mut off) = (diagonal.clone(), subdiagonal.clone());
    ql(&mut [], &mut values, &mut off)?;
    values.sort_by(|a, b| b.total_cmp(a));

    let size = diagonal.iter().zip(&subdiagonal).map(|(d, e)| d.abs() + e.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let (mut vectors, mut shift): (Vec<f64>, f64) = (Vec::with_capacity(k * n), f64::INFINITY);
    for &value in &values[..k] {
        // Equal values are told apart, or each would give the vector of the first.
        shift = value.min(shift - 10.0 * f64::EPSILON * size);
        match inverse_iteration(&diagonal, &subdiagonal, size, [value, shift], &vectors) {
            Some(vector) => vectors.extend(vector),
            None => return symmetric(&whole, n).map(|all| Eigen { vectors: all.vectors[..k * n].to_vec(), ..all }),
        }
    }
    vectors.par_chunks_mut(n).for_each(|vector| transform_back(&matrix, &factors, n, vector));
    Some(Eigen { values, vectors })
}

/// A tridiagonal matrix, and how it was come by: reflections I − factor v vᵀ, the i-th v in row i of the matrix.
struct Reflected {
    diagonal: Vec<f64>,
    /// As [`ql`] takes it: `beside[i]` stands between i − 1 and i.
    subdiagonal: Vec<f64>,
    factors: Vec<f64>,
}

/// Rows whose shares of a product are summed together, before those of other rows: fixed, so that threads change nothing.
const ROWS: usize = 64;
/// Below this size a pass over the matrix is not worth a second thread.
const WORTH_SHARING: usize = 384;

/// Householder's reduction from the first row on, in blocks of rows. Each step's update and the next step's product are one
/// pass, for the matrix is read from far more slowly than it is calculated with.
fn reflect(a: &mut [f64], n: usize) -> Reflected {
    let (mut diagonal, mut subdiagonal, mut factors) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    // A − v wᵀ − w vᵀ is owed to all rows from `i` on.
    let (mut v, mut w) = (vec![0.0; n], vec![0.0; n]);
    for i in 0..n {
        let (_, rest) = a.split_at_mut(i * n);
        let (row, below) = rest.split_at_mut(n);
        pay(&mut row[i..], v[i], w[i], &v[i..], &w[i..]);
        diagonal[i] = row[i];
        if i + 1 == n {
            break;
        }
        // The reflection that leaves of row i nothing beyond its neighbour.
        let reach = &mut row[i + 1..];
        let norm = dot(reach, reach).sqrt();
        let factor = if norm == 0.0 {
            0.0
        } else {
            let turned = if reach[0] > 0.0 { -norm } else { norm };
            let factor = 1.0 / (norm * (norm + reach[0].abs()));
            subdiagonal[i + 1] = turned;
            reach[0] -= turned;
            factor
        };
        factors[i] = factor;
        let next = reach.to_vec();
        let (v_rest, w_rest) = (&v[i + 1..], &w[i + 1..]);
        crate::numeric::pulse::beat();
        let share = |(block, rows): (usize, &mut [f64])| {
            let mut product = vec![0.0; next.len()];
            for (place, row) in (block * ROWS..).zip(rows.chunks_exact_mut(n)) {
                pay_and_multiply(&mut row[i + 1..], v_rest[place], w_rest[place], v_rest, w_rest, next[place], &mut product);
            }
            product
        };
        let shares: Vec<Vec<f64>> = if next.len() < WORTH_SHARING {
            below.chunks_mut(ROWS * n).enumerate().map(share).collect()
        } else {
            below.par_chunks_mut(ROWS * n).enumerate().map(share).collect()
        };
        let mut product = vec![0.0; next.len()];
        shares.iter().for_each(|share| product.iter_mut().zip(share).for_each(|(sum, value)| *sum += value));
        product.iter_mut().for_each(|value| *value *= factor);
        let half = 0.5 * factor * dot(&product, &next);
        v = [vec![0.0; i + 1], next].concat();
        w = vec![0.0; n];
        for j in i + 1..n {
            w[j] = product[j - i - 1] - half * v[j];
        }
    }
    Reflected { diagonal, subdiagonal, factors }
}

multiversion! {
    /// `row −= v_i w + w_i v`
    fn pay(row: &mut [f64], v_i: f64, w_i: f64, v: &[f64], w: &[f64]) = pay_kernel
}

#[inline(always)]
fn pay_kernel(row: &mut [f64], v_i: f64, w_i: f64, v: &[f64], w: &[f64]) {
    for ((value, v), w) in row.iter_mut().zip(v).zip(w) {
        *value = (-v_i).mul_add(*w, (-w_i).mul_add(*v, *value));
    }
}

multiversion! {
    /// The same, and `product += next_i row` of the row so updated.
    fn pay_and_multiply(
        row: &mut [f64], v_i: f64, w_i: f64, v: &[f64], w: &[f64], next_i: f64, product: &mut [f64],
    ) = pay_and_multiply_kernel
}

#[inline(always)]
fn pay_and_multiply_kernel(row: &mut [f64], v_i: f64, w_i: f64, v: &[f64], w: &[f64], next_i: f64, product: &mut [f64]) {
    for (((value, v), w), sum) in row.iter_mut().zip(v).zip(w).zip(product) {
        *value = (-v_i).mul_add(*w, (-w_i).mul_add(*v, *value));
        *sum = next_i.mul_add(*value, *sum);
    }
}

/// Transforms a vector of the tridiagonal matrix into one of the matrix itself.
fn transform_back(a: &[f64], factors: &[f64], n: usize, vector: &mut [f64]) {
    for i in (0..n - 1).rev() {
        let v = &a[i * n + i + 1..(i + 1) * n];
        let along = factors[i] * dot(v, &vector[i + 1..]);
        vector[i + 1..].iter_mut().zip(v).for_each(|(value, v)| *value -= along * v);
    }
}

/// The unit vector of `value`, orthogonal to those before it; `None` when it does not settle.
pub(super) fn inverse_iteration(
    diagonal: &[f64],
    subdiagonal: &[f64],
    size: f64,
    [value, shift]: [f64; 2],
    before: &[f64],
) -> Option<Vec<f64>> {
    const MOST_SOLVES: usize = 8;
    let n = diagonal.len();
    let tolerance = 64.0 * (n as f64).sqrt() * f64::EPSILON * size;
    let solver = Shifted::new(diagonal, subdiagonal, shift, f64::EPSILON * size);
    let mut start = PhiloxStream::new(0x5EED, Purpose::Eigenvector, before.len() as u64);
    let mut x: Vec<f64> = (0..n).map(|_| start.uniform() - 0.5).collect();
    unit(&mut x)?;
    for _ in 0..MOST_SOLVES {
        solver.solve(&mut x);
        // A solution may be as large as 1 / ε: it is brought to size before it is made orthogonal, twice.
        unit(&mut x)?;
        for _ in 0..2 {
            for other in before.chunks_exact(n) {
                let along = dot(other, &x);
                x.iter_mut().zip(other).for_each(|(x, other)| *x -= along * other);
            }
            unit(&mut x)?;
        }
        let residual = (0..n).map(|i| {
            let left = if i > 0 { subdiagonal[i] * x[i - 1] } else { 0.0 };
            let right = if i + 1 < n { subdiagonal[i + 1] * x[i + 1] } else { 0.0 };
            (left + (diagonal[i] - value) * x[i] + right).abs()
        });
        if residual.fold(0.0, f64::max) <= tolerance {
            return Some(x);
        }
    }
    None
}

fn unit(x: &mut [f64]) -> Option<()> {
    let largest = x.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    x.iter_mut().for_each(|x| *x /= largest);
    let norm = dot(x, x).sqrt();
    x.iter_mut().for_each(|x| *x /= norm);
    Some(())
}

/// T − λI = P L U, with partial pivoting.
struct Shifted {
    /// Of U: the diagonal and the two above it.
    upper: Vec<[f64; 3]>,
    /// Of L: the factor, and whether rows i and i + 1 were exchanged.
    lower: Vec<(f64, bool)>,
}

impl Shifted {
    /// A pivot nearer to 0 than `least` is set to it.
    fn new(diagonal: &[f64], subdiagonal: &[f64], shift: f64, least: f64) -> Self {
        let n = diagonal.len();
        let row = |i: usize| [diagonal[i] - shift, if i + 1 < n { subdiagonal[i + 1] } else { 0.0 }, 0.0];
        let (mut upper, mut lower) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut current = row(0);
        for i in 0..n {
            if i + 1 < n {
                let (below, next) = (subdiagonal[i + 1], row(i + 1));
                let exchanged = below.abs() > current[0].abs();
                let (pivot, other) =
                    if exchanged { ([below, next[0], next[1]], current) } else { (current, [below, next[0], next[1]]) };
                let pivot_at = if pivot[0].abs() < least { least.copysign(pivot[0]) } else { pivot[0] };
                let factor = other[0] / pivot_at;
                upper.push([pivot_at, pivot[1], pivot[2]]);
                lower.push((factor, exchanged));
                current = [other[1] - factor * pivot[1], other[2] - factor * pivot[2], 0.0];
            } else {
                let pivot = if current[0].abs() < least { least.copysign(current[0]) } else { current[0] };
                upper.push([pivot, 0.0, 0.0]);
            }
        }
        Shifted { upper, lower }
    }

    fn solve(&self, x: &mut [f64]) {
        for (i, (factor, exchanged)) in self.lower.iter().enumerate() {
            if *exchanged {
                x.swap(i, i + 1);
            }
            x[i + 1] -= factor * x[i];
        }
        for (i, [pivot, first, second]) in self.upper.iter().enumerate().rev() {
            let after = |j: usize| x.get(j).copied().unwrap_or(0.0);
            x[i] = (x[i] - first * after(i + 1) - second * after(i + 2)) / pivot;
        }
    }
}

/// Reduces `v` to tridiagonal form in place, keeping the rotation in `v`. Returns the diagonal and what stands beside it.
#[expect(clippy::needless_range_loop, reason = "the published algorithm is written in indices")]
fn tridiagonal(v: &mut [Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let n = v.len();
    let mut d: Vec<f64> = v.last().cloned().unwrap_or_default();
    let mut e = vec![0.0; n];
    for i in (1..n).rev() {
        crate::numeric::pulse::beat();
        let scale: f64 = d[..i].iter().map(|x| x.abs()).sum();
        let mut h = 0.0;
        if scale == 0.0 {
            e[i] = d[i - 1];
            for j in 0..i {
                d[j] = v[i - 1][j];
                v[i][j] = 0.0;
                v[j][i] = 0.0;
            }
        } else {
            for k in 0..i {
                d[k] /= scale;
                h += d[k] * d[k];
            }
            let f = d[i - 1];
            let g = if f > 0.0 { -h.sqrt() } else { h.sqrt() };
            e[i] = scale * g;
            h -= f * g;
            d[i - 1] = f - g;
            e[..i].fill(0.0);
            for j in 0..i {
                let f = d[j];
                v[j][i] = f;
                let mut g = e[j] + v[j][j] * f;
                for k in j + 1..i {
                    g += v[k][j] * d[k];
                    e[k] += v[k][j] * f;
                }
                e[j] = g;
            }
            let mut f = 0.0;
            for j in 0..i {
                e[j] /= h;
                f += e[j] * d[j];
            }
            let hh = f / (h + h);
            for j in 0..i {
                e[j] -= hh * d[j];
            }
            for j in 0..i {
                let (f, g) = (d[j], e[j]);
                for k in j..i {
                    v[k][j] -= f * e[k] + g * d[k];
                }
                d[j] = v[i - 1][j];
                v[i][j] = 0.0;
            }
        }
        d[i] = h;
    }
    for i in 0..n.saturating_sub(1) {
        v[n - 1][i] = v[i][i];
        v[i][i] = 1.0;
        let h = d[i + 1];
        if h != 0.0 {
            for k in 0..=i {
                d[k] = v[k][i + 1] / h;
            }
            for j in 0..=i {
                let g: f64 = (0..=i).map(|k| v[k][i + 1] * v[k][j]).sum();
                for k in 0..=i {
                    v[k][j] -= g * d[k];
                }
            }
        }
        for k in 0..=i {
            v[k][i + 1] = 0.0;
        }
    }
    for j in 0..n {
        d[j] = v[n - 1][j];
        v[n - 1][j] = 0.0;
    }
    if n > 0 {
        v[n - 1][n - 1] = 1.0;
        e[0] = 0.0;
    }
    (d, e)
}

/// Diagonalises the tridiagonal matrix, turning the rotation in `v` along. `None` when it does not converge.
fn ql(v: &mut [Vec<f64>], d: &mut [f64], e: &mut [f64]) -> Option<()> {
    let n = d.len();
    e.rotate_left(usize::from(n > 0));
    let (mut f, mut largest) = (0.0, 0.0f64);
    for l in 0..n {
        crate::numeric::pulse::beat();
        largest = largest.max(d[l].abs() + e[l].abs());
        let m = (l..n).find(|&m| m + 1 == n || e[m].abs() <= f64::EPSILON * largest)?;
        let mut iterations = 0;
        while m > l && (iterations == 0 || e[l].abs() > f64::EPSILON * largest) {
            iterations += 1;
            if iterations > MOST_ITERATIONS {
                return None;
            }
            let g = d[l];
            let mut p = (d[l + 1] - g) / (2.0 * e[l]);
            let mut r = libm::hypot(p, 1.0);
            if p < 0.0 {
                r = -r;
            }
            d[l] = e[l] / (p + r);
            d[l + 1] = e[l] * (p + r);
            let below = d[l + 1];
            let shift = g - d[l];
            for value in &mut d[l + 2..] {
                *value -= shift;
            }
            f += shift;
            p = d[m];
            let (mut c, mut c2, mut c3) = (1.0, 1.0, 1.0);
            let (mut s, mut s2) = (0.0, 0.0);
            let subdiagonal = e[l + 1];
            for i in (l..m).rev() {
                c3 = c2;
                c2 = c;
                s2 = s;
                let g = c * e[i];
                let h = c * p;
                r = libm::hypot(p, e[i]);
                e[i + 1] = s * r;
                s = e[i] / r;
                c = p / r;
                p = c * d[i] - s * g;
                d[i + 1] = h + s * (c * g + s * d[i]);
                for row in v.iter_mut() {
                    let h = row[i + 1];
                    row[i + 1] = s * row[i] + c * h;
                    row[i] = c * row[i] - s * h;
                }
            }
            p = -s * s2 * c3 * subdiagonal * e[l] / below;
            e[l] = s * p;
            d[l] = c * p;
        }
        d[l] += f;
        e[l] = 0.0;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;
    use proptest::prelude::*;

    fn random(n: usize, seed: u64) -> Vec<f64> {
        let mut stream = PhiloxStream::for_test(seed, 0);
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let value = stream.uniform() - 0.5;
                (matrix[i * n + j], matrix[j * n + i]) = (value, value);
            }
        }
        matrix
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn vectors_are_unit_orthogonal_and_give_back_the_matrix(n in 1usize..24, seed in any::<u64>()) {
            let matrix = random(n, seed);
            let Eigen { values, vectors } = symmetric(&matrix, n).unwrap();
            prop_assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
            for i in 0..n {
                for j in 0..n {
                    let dot: f64 = (0..n).map(|k| vectors[i * n + k] * vectors[j * n + k]).sum();
                    prop_assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
                    let back: f64 = (0..n).map(|k| values[k] * vectors[k * n + i] * vectors[k * n + j]).sum();
                    prop_assert!((back - matrix[i * n + j]).abs() < 1e-12);
                }
            }
        }
    }

    fn holds(matrix: &[f64], n: usize, found: &Eigen, k: usize, size: f64) {
        assert_eq!(found.vectors.len(), k * n);
        for (i, x) in found.vectors.chunks_exact(n).enumerate() {
            for (j, y) in found.vectors.chunks_exact(n).enumerate() {
                assert!((dot(x, y) - f64::from(u8::from(i == j))).abs() < 1e-10, "{i} {j}: {}", dot(x, y));
            }
            for (row, value) in matrix.chunks_exact(n).zip(x) {
                assert!((dot(row, x) - found.values[i] * value).abs() < 1e-11 * size, "vector {i}");
            }
        }
    }

    #[test]
    fn few_vectors_of_many_are_those_of_all_vectors() {
        for (n, k, seed) in [(97, 5, 1), (200, 20, 2), (450, 3, 3)] {
            let matrix = random(n, seed);
            let (few, all) = (leading(matrix.clone(), n, k).unwrap(), symmetric(&matrix, n).unwrap());
            assert!(few.values.iter().zip(&all.values).all(|(a, b)| (a - b).abs() < 1e-11 * n as f64));
            holds(&matrix, n, &few, k, n as f64);
        }
    }

    #[test]
    fn few_vectors_of_a_degenerate_spectrum_are_still_orthogonal() {
        let n = 150;
        // Thrice 2, and 1 otherwise, turned around by a reflection; then nothing but 1; then 0.
        let (mut turned, mut same) = (vec![0.0; n * n], vec![0.0; n * n]);
        let mut stream = PhiloxStream::for_test(4, 4);
        let v: Vec<f64> = (0..n).map(|_| stream.uniform() - 0.5).collect();
        let reflection = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / dot(&v, &v);
        for i in 0..n {
            same[i * n + i] = 1.0;
            for j in 0..n {
                let sum: f64 = (0..n).map(|m| if m < 3 { 2.0 } else { 1.0 } * reflection(i, m) * reflection(j, m)).sum();
                turned[i * n + j] = sum;
            }
        }
        let found = leading(turned.clone(), n, 6).unwrap();
        assert!((found.values[2] - 2.0).abs() < 1e-12 && (found.values[3] - 1.0).abs() < 1e-12);
        holds(&turned, n, &found, 6, 10.0);
        holds(&same, n, &leading(same.clone(), n, 4).unwrap(), 4, 10.0);
        assert_eq!(leading(vec![0.0; n * n], n, 2).unwrap().values, vec![0.0; n]);
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let n = WORTH_SHARING + 70;
        let matrix = random(n, 8);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| leading(matrix.clone(), n, 4).unwrap().vectors)
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16));
        crate::numeric::multiversion::each_level(|level| assert!(one == with(2), "{level:?}"));
    }

    #[test]
    fn a_degenerate_spectrum_and_nothing_at_all_are_answered() {
        let zero = symmetric(&[0.0; 9], 3).unwrap();
        assert_eq!(zero.values, [0.0; 3]);
        assert!(symmetric(&[], 0).unwrap().values.is_empty());
        assert!(symmetric(&[f64::NAN], 1).is_none());
    }
}
