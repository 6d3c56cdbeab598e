//! Leading eigenpairs of a symmetric matrix of which few are wanted, `f64`, by one thread: Householder's reduction of the lower
//! triangle alone (half the memory of [`eigen::leading`](super::eigen::leading)'s, which bounds its time), bisection by Sturm's
//! counts for the values (Barth, Martin and Wilkinson 1967; LAPACK's `dstebz`), inverse iteration for the vectors. A count also says how
//! many values lie above a floor, so the rest of the spectrum need not be known.

use super::{eigen::inverse_iteration, multiversion::multiversion, sum::dot};

/// The largest eigenvalues, and their vectors.
pub struct Leading {
    /// In descending order.
    pub values: Vec<f64>,
    /// Unit vectors in the same order, row by row.
    pub vectors: Vec<f64>,
    /// How many of all eigenvalues are above `floor` times the largest.
    pub above_floor: usize,
}

/// The `k` largest eigenpairs of an n × n matrix (row-major; only the lower triangle is read). `None` where a value is not finite, or
/// inverse iteration does not settle.
pub fn leading(mut matrix: Vec<f64>, n: usize, k: usize, floor: f64) -> Option<Leading> {
    let finite = matrix.chunks_exact(n.max(1)).enumerate().all(|(i, row)| row[..=i].iter().all(|value| value.is_finite()));
    if matrix.len() != n * n || n == 0 || !finite {
        return None;
    }
    let (diagonal, subdiagonal, factors) = reduce(&mut matrix, n);
    let tridiagonal = Tridiagonal::new(&diagonal, &subdiagonal);
    let values = tridiagonal.largest(k.min(n));
    let above_floor = n - tridiagonal.below(&[floor * values.first().copied().unwrap_or(0.0); LANES])[0];
    let size = tridiagonal.size;
    let (mut vectors, mut shift): (Vec<f64>, f64) = (Vec::with_capacity(values.len() * n), f64::INFINITY);
    for &value in &values {
        // Equal values are told apart, or each would give the vector of the first.
        shift = value.min(shift - 10.0 * f64::EPSILON * size);
        vectors.extend(inverse_iteration(&diagonal, &subdiagonal, size, [value, shift], &vectors)?);
    }
    vectors.chunks_exact_mut(n).for_each(|vector| transform_back(&matrix, &factors, n, vector));
    Some(Leading { values, vectors, above_floor })
}

/// Householder's reduction from the last row on: the diagonal, what stands before it in each row, and the factors of the reflections
/// I − factor v vᵀ, the i-th v in row i before the diagonal. Each step's update and the next step's product are one pass.
fn reduce(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut diagonal, mut subdiagonal, mut factors) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    // A − v wᵀ − w vᵀ is owed to all rows up to `i`.
    let (mut v, mut w, mut product, mut next) = (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut along = [0.0];
    for i in (0..n).rev() {
        if i % 32 == 0 {
            super::pulse::beat();
        }
        let (before, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..=i];
        next[..=i].fill(0.0);
        product[..=i].fill(0.0);
        update_and_multiply(row, [v[i], w[i], 0.0], [&v[..=i], &w[..=i], &next[..=i]], &mut product[..=i], &mut along);
        diagonal[i] = row[i];
        if i == 0 {
            break;
        }
        // The reflection that leaves of row i nothing beyond its neighbour.
        let reach = &mut row[..i];
        let norm = dot(reach, reach).sqrt();
        if norm > 0.0 {
            let turned = if reach[i - 1] > 0.0 { -norm } else { norm };
            factors[i] = 1.0 / (norm * (norm + reach[i - 1].abs()));
            subdiagonal[i] = turned;
            reach[i - 1] -= turned;
        }
        next[..i].copy_from_slice(reach);
        product[..i].fill(0.0);
        for (r, row) in before.chunks_exact_mut(n).enumerate() {
            let (row, at) = row.split_at_mut(r);
            at[0] = (-2.0 * v[r]).mul_add(w[r], at[0]);
            update_and_multiply(row, [v[r], w[r], next[r]], [&v[..r], &w[..r], &next[..r]], &mut product[..r], &mut along);
            product[r] += at[0].mul_add(next[r], along[0]);
        }
        product[..i].iter_mut().for_each(|value| *value *= factors[i]);
        let half = 0.5 * factors[i] * dot(&product[..i], &next[..i]);
        for j in 0..i {
            w[j] = product[j] - half * next[j];
        }
        v[..i].copy_from_slice(&next[..i]);
    }
    (diagonal, subdiagonal, factors)
}

multiversion! {
    /// `row −= v_i w + w_i v`; then `product += next_i row`, and `along` is the product of `row` and `next`.
    fn update_and_multiply(row: &mut [f64], at: [f64; 3], vectors: [&[f64]; 3], product: &mut [f64], along: &mut [f64; 1]) =
        update_and_multiply_kernel
}

/// Chains of the inner product, added in pairs at the end.
const CHAINS: usize = 16;

#[inline(always)]
fn update_and_multiply_kernel(
    row: &mut [f64],
    [v_i, w_i, next_i]: [f64; 3],
    [v, w, next]: [&[f64]; 3],
    product: &mut [f64],
    along: &mut [f64; 1],
) {
    let mut chains = [0.0; CHAINS];
    let (rows, row_rest) = row.as_chunks_mut::<CHAINS>();
    let (products, product_rest) = product.as_chunks_mut::<CHAINS>();
    let ((vs, v_rest), (ws, w_rest), (nexts, next_rest)) =
        (v.as_chunks::<CHAINS>(), w.as_chunks::<CHAINS>(), next.as_chunks::<CHAINS>());
    for ((((row, v), w), next), product) in rows.iter_mut().zip(vs).zip(ws).zip(nexts).zip(products) {
        for i in 0..CHAINS {
            row[i] = (-v_i).mul_add(w[i], (-w_i).mul_add(v[i], row[i]));
            product[i] = next_i.mul_add(row[i], product[i]);
            chains[i] = row[i].mul_add(next[i], chains[i]);
        }
    }
    for ((((i, row), v), (w, next)), product) in
        row_rest.iter_mut().enumerate().zip(v_rest).zip(w_rest.iter().zip(next_rest)).zip(product_rest)
    {
        *row = (-v_i).mul_add(*w, (-w_i).mul_add(*v, *row));
        *product = next_i.mul_add(*row, *product);
        chains[i] = row.mul_add(*next, chains[i]);
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            chains[i] += chains[i + half];
        }
    }
    along[0] = chains[0];
}

/// Transforms a vector of the tridiagonal matrix into one of the matrix itself.
fn transform_back(a: &[f64], factors: &[f64], n: usize, vector: &mut [f64]) {
    for i in 1..n {
        let v = &a[i * n..][..i];
        let along = factors[i] * dot(v, &vector[..i]);
        vector[..i].iter_mut().zip(v).for_each(|(value, v)| *value -= along * v);
    }
}

/// Places whose counts are taken at once.
const LANES: usize = 16;

struct Tridiagonal {
    /// By row: the diagonal, and the square of what stands before it.
    rows: Vec<[f64; 2]>,
    /// No eigenvalue is farther from 0.
    size: f64,
    /// A pivot nearer to 0 counts as this much below it.
    least: f64,
}

impl Tridiagonal {
    fn new(diagonal: &[f64], subdiagonal: &[f64]) -> Self {
        let beside = |i: usize| subdiagonal.get(i).map_or(0.0, |value| value.abs());
        let reach = (0..diagonal.len()).map(|i| diagonal[i].abs() + beside(i) + beside(i + 1));
        let size = reach.fold(f64::MIN_POSITIVE, f64::max);
        let rows = diagonal.iter().zip(subdiagonal).map(|(d, e)| [*d, e * e]).collect();
        Tridiagonal { rows, size, least: (f64::EPSILON * f64::EPSILON * size).max(f64::MIN_POSITIVE) }
    }

    /// For each place, how many eigenvalues are below it: as many as there are negative pivots (Sylvester's law of inertia).
    fn below(&self, places: &[f64; LANES]) -> [usize; LANES] {
        let mut counts = [0.0; LANES];
        count_negative_pivots(&self.rows, self.least, places, &mut counts);
        counts.map(|count| count as usize)
    }

    /// The k largest eigenvalues, descending, to the last bits of the largest.
    fn largest(&self, k: usize) -> Vec<f64> {
        const BISECTIONS: usize = 56;
        let n = self.rows.len();
        let of_group = |first: usize| {
            let (mut low, mut high) = ([-self.size; LANES], [self.size; LANES]);
            for _ in 0..BISECTIONS {
                let middle: [f64; LANES] = std::array::from_fn(|lane| f64::midpoint(low[lane], high[lane]));
                let below = self.below(&middle);
                for lane in 0..LANES {
                    // The value of this rank, from 0: it is above a place that has no more than n − 1 − rank values below it.
                    if below[lane] + first + lane < n { low[lane] = middle[lane] } else { high[lane] = middle[lane] }
                }
            }
            std::array::from_fn::<f64, LANES, _>(|lane| f64::midpoint(low[lane], high[lane]))
        };
        let mut values: Vec<f64> = (0..k).step_by(LANES).flat_map(of_group).collect();
        values.truncate(k);
        values
    }
}

multiversion! {
    fn count_negative_pivots(rows: &[[f64; 2]], least: f64, places: &[f64; LANES], counts: &mut [f64; LANES]) =
        count_negative_pivots_kernel
}

#[inline(always)]
fn count_negative_pivots_kernel(rows: &[[f64; 2]], least: f64, places: &[f64; LANES], counts: &mut [f64; LANES]) {
    let mut pivots = [1.0; LANES];
    for [diagonal, square] in rows {
        for lane in 0..LANES {
            let pivot = diagonal - places[lane] - square / pivots[lane];
            let pivot = if pivot.abs() < least { -least } else { pivot };
            counts[lane] += if pivot < 0.0 { 1.0 } else { 0.0 };
            pivots[lane] = pivot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{PhiloxStream, eigen, multiversion::each_level};

    /// A Gram matrix of m random vectors of length n: of rank m at most.
    fn gram(n: usize, m: usize) -> Vec<f64> {
        let mut stream = PhiloxStream::for_test(n as u64, m as u64);
        let vectors: Vec<Vec<f64>> = (0..m).map(|_| (0..n).map(|_| stream.uniform() - 0.5).collect()).collect();
        (0..n * n).map(|at| vectors.iter().map(|v| v[at / n] * v[at % n]).sum()).collect()
    }

    #[test]
    fn pairs_are_those_of_ql_and_the_rank_is_counted() {
        for (n, m, k) in [(1, 1, 1), (2, 2, 2), (7, 9, 3), (40, 60, 10), (130, 30, 20), (65, 64, 18)] {
            let matrix = gram(n, m);
            let all = eigen::symmetric(&matrix, n).unwrap();
            let found = leading(matrix.clone(), n, k, 1e-12).unwrap();
            assert_eq!((found.values.len(), found.above_floor), (k.min(n), n.min(m)));
            for (i, value) in found.values.iter().enumerate() {
                assert!((value - all.values[i]).abs() < 1e-13 * all.values[0] * n as f64, "{n} {i}: {value} {}", all.values[i]);
                let x = &found.vectors[i * n..][..n];
                let residual = (0..n).map(|row| (dot(&matrix[row * n..][..n], x) - value * x[row]).abs()).fold(0.0, f64::max);
                assert!(residual < 1e-12 * all.values[0] && (dot(x, x) - 1.0).abs() < 1e-12, "{n} {i}: {residual:e}");
            }
        }
    }

    #[test]
    fn equal_values_have_vectors_of_their_own_and_a_single_one_is_counted() {
        let n = 20;
        let identity: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect();
        let found = leading(identity, n, 3, 1e-9).unwrap();
        assert_eq!(found.above_floor, n);
        assert!((0..9).all(|at| {
            let (i, j) = (at / 3, at % 3);
            (dot(&found.vectors[i * n..][..n], &found.vectors[j * n..][..n]) - f64::from(u8::from(i == j))).abs() < 1e-9
        }));
        let single: Vec<f64> = (0..9).map(|at| if at == 4 { 2.0 } else { 0.0 }).collect();
        assert_eq!(leading(single, 3, 1, 1e-9).unwrap().above_floor, 1);
        assert!(leading(vec![f64::NAN; 9], 3, 2, 1e-9).is_none());
    }

    #[test]
    fn the_bits_do_not_depend_on_the_machines_lanes() {
        let matrix = gram(70, 90);
        let bits =
            || leading(matrix.clone(), 70, 9, 1e-9).unwrap().vectors.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let first = bits();
        each_level(|level| assert!(bits() == first, "{level:?}"));
    }
}
