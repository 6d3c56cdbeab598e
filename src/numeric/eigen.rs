//! Eigenvalues and eigenvectors of a symmetric matrix, `f64`, one thread: Householder's reduction to a tridiagonal
//! matrix and the implicit QL method (Bowdler, Martin, Reinsch and Wilkinson 1968; EISPACK's `tred2` and `tql2`).

/// Values in descending order and, in the same order, unit vectors: `vectors[i * n..][..n]` belongs to `values[i]`.
pub struct Eigen {
    pub values: Vec<f64>,
    pub vectors: Vec<f64>,
}

/// QL needs two or three turns a value; far more means that the matrix held something that is not a number.
const MOST_TURNS: usize = 64;

/// `None` when a value is not finite or QL does not converge. `matrix` is n × n, row by row; only its lower triangle is
/// read.
pub fn symmetric(matrix: &[f64], n: usize) -> Option<Eigen> {
    if matrix.len() != n * n || matrix.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| matrix[i.max(j) * n + i.min(j)]).collect()).collect();
    let (mut diagonal, mut beside) = tridiagonal(&mut v);
    ql(&mut v, &mut diagonal, &mut beside)?;

    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]).then(a.cmp(&b)));
    let vectors = order.iter().flat_map(|&column| v.iter().map(move |row| row[column])).collect();
    Some(Eigen { values: order.iter().map(|&i| diagonal[i]).collect(), vectors })
}

/// Reduces `v` to tridiagonal form in place, keeping the rotation in `v`. Returns the diagonal and what stands beside it.
#[expect(clippy::needless_range_loop, reason = "the published algorithm is written in indices")]
fn tridiagonal(v: &mut [Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let n = v.len();
    let mut d: Vec<f64> = v.last().cloned().unwrap_or_default();
    let mut e = vec![0.0; n];
    for i in (1..n).rev() {
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
        largest = largest.max(d[l].abs() + e[l].abs());
        let m = (l..n).find(|&m| m + 1 == n || e[m].abs() <= f64::EPSILON * largest)?;
        let mut turns = 0;
        while m > l && (turns == 0 || e[l].abs() > f64::EPSILON * largest) {
            turns += 1;
            if turns > MOST_TURNS {
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
            let beside = e[l + 1];
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
            p = -s * s2 * c3 * beside * e[l] / below;
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
    use crate::numeric::Stream;
    use proptest::prelude::*;

    fn random(n: usize, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, 0);
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

    #[test]
    fn a_degenerate_spectrum_and_nothing_at_all_are_answered() {
        let zero = symmetric(&[0.0; 9], 3).unwrap();
        assert_eq!(zero.values, [0.0; 3]);
        assert!(symmetric(&[], 0).unwrap().values.is_empty());
        assert!(symmetric(&[f64::NAN], 1).is_none());
    }
}
