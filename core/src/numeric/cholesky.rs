//! Systems of equations with a sparse, symmetric, positive definite matrix: L D Lᵀ, the row with the fewest entries first (minimum
//! degree; Tinney and Walker 1967; ties by index). Where what is left has few zeros, it goes on as a dense matrix, in tiles. The order of
//! every sum is fixed, so threads change nothing.
//!
//! One file: elimination hands over to the dense rest in the middle of one factorisation.

use super::{
    pulse,
    sum::dot_lanes,
    tiled::{Panels, WIDE, add_products},
};
use rayon::prelude::*;
use std::{cmp::Reverse, collections::BinaryHeap};

/// A factorised matrix.
pub struct Factorised {
    steps: Vec<Step>,
    /// Of all steps: where L has entries below the pivot, and what they are.
    entries: Vec<(u32, f64)>,
    /// The points of the dense rest.
    rest: Vec<u32>,
    /// Its lower triangle L, rest × rest, row by row.
    dense: Vec<f64>,
}

struct Step {
    point: u32,
    pivot: f64,
    /// Where its entries end.
    end: usize,
}

/// Rows are eliminated one by one until a row has more than one in so many of what is left: measured, and the result does not hang on it.
const DENSE: usize = 12;
/// A rest as small as this is dense at once.
const SMALL: usize = 64;
/// Updates of so many entries are worth a second thread.
const WORTH_SHARING: usize = 20_000;

impl Factorised {
    /// Both triangles of the matrix, row by row, columns ascending. `None` when it is not positive definite.
    pub fn new(rows: &[Vec<(u32, f64)>]) -> Option<Self> {
        let n = rows.len();
        let mut diagonal = vec![0.0; n];
        let mut rows: Vec<Vec<(u32, f64)>> = rows
            .iter()
            .enumerate()
            .map(|(i, row)| {
                diagonal[i] = row.iter().find(|(j, _)| *j as usize == i).map_or(0.0, |(_, value)| *value);
                row.iter().copied().filter(|(j, _)| *j as usize != i).collect()
            })
            .collect();
        let mut queue: BinaryHeap<Reverse<(usize, u32)>> =
            rows.iter().enumerate().map(|(i, row)| Reverse((row.len(), i as u32))).collect();
        let mut open = vec![true; n];
        let mut left = n;
        let (mut steps, mut entries) = (vec![], vec![]);
        while left > SMALL {
            let Some(Reverse((degree, point))) = queue.pop() else { break };
            let v = point as usize;
            if !open[v] || rows[v].len() != degree {
                continue;
            }
            if degree * DENSE > left {
                break;
            }
            pulse::beat();
            open[v] = false;
            left -= 1;
            let pivot = diagonal[v];
            if !(pivot > 0.0 && pivot.is_finite()) {
                return None;
            }
            let row = std::mem::take(&mut rows[v]);
            let update = |&(i, value): &(u32, f64), own: Vec<(u32, f64)>| subtracted(&own, &row, point, i, value / pivot);
            let taken: Vec<Vec<(u32, f64)>> = row.iter().map(|(i, _)| std::mem::take(&mut rows[*i as usize])).collect();
            let updated: Vec<Vec<(u32, f64)>> = if degree * degree > WORTH_SHARING {
                row.par_iter().zip(taken).map(|(entry, own)| update(entry, own)).collect()
            } else {
                row.iter().zip(taken).map(|(entry, own)| update(entry, own)).collect()
            };
            for ((i, value), updated) in row.iter().zip(updated) {
                diagonal[*i as usize] -= value / pivot * value;
                queue.push(Reverse((updated.len(), *i)));
                rows[*i as usize] = updated;
            }
            entries.extend(row.iter().map(|(i, value)| (*i, value / pivot)));
            steps.push(Step { point, pivot, end: entries.len() });
        }
        let rest: Vec<u32> = (0..n as u32).filter(|i| open[*i as usize]).collect();
        let mut place = vec![0; n];
        rest.iter().enumerate().for_each(|(at, i)| place[*i as usize] = at);
        let m = rest.len();
        let mut dense = vec![0.0; m * m];
        for (i, out) in rest.iter().zip(dense.chunks_exact_mut(m.max(1))) {
            let i = *i as usize;
            out[place[i]] = diagonal[i];
            rows[i].iter().for_each(|(j, value)| out[place[*j as usize]] = *value);
        }
        dense_lower(&mut dense, m)?;
        Some(Factorised { steps, entries, rest, dense })
    }

    /// The solution of A x = b; `x` holds b before and x after.
    pub fn solve(&self, x: &mut [f64]) {
        let mut first = 0;
        for step in &self.steps {
            let value = x[step.point as usize];
            self.entries[first..step.end].iter().for_each(|(i, of)| x[*i as usize] -= of * value);
            first = step.end;
        }
        let m = self.rest.len();
        let mut dense: Vec<f64> = self.rest.iter().map(|i| x[*i as usize]).collect();
        for i in 0..m {
            let row = &self.dense[i * m..][..i];
            dense[i] = (dense[i] - dot_lanes(row, &dense[..i])) / self.dense[i * m + i];
        }
        for i in (0..m).rev() {
            let row = &self.dense[i * m..][..=i];
            let value = dense[i] / row[i];
            dense[i] = value;
            dense[..i].iter_mut().zip(row).for_each(|(x, of)| *x -= of * value);
        }
        self.rest.iter().zip(dense).for_each(|(i, value)| x[*i as usize] = value);
        for (at, step) in self.steps.iter().enumerate().rev() {
            let first = if at == 0 { 0 } else { self.steps[at - 1].end };
            let sum = self.entries[first..step.end].iter().fold(0.0, |sum, (i, of)| sum + of * x[*i as usize]);
            x[step.point as usize] = x[step.point as usize] / step.pivot - sum;
        }
    }
}

/// Row `i` less `factor` times the row of the eliminated `point`, without the diagonal and without `point`.
fn subtracted(own: &[(u32, f64)], row: &[(u32, f64)], point: u32, i: u32, factor: f64) -> Vec<(u32, f64)> {
    let mut out = Vec::with_capacity(own.len() + row.len());
    let (mut a, mut b) = (0, 0);
    while a < own.len() || b < row.len() {
        let (left, right) = (own.get(a).map_or(u32::MAX, |of| of.0), row.get(b).map_or(u32::MAX, |of| of.0));
        let column = left.min(right);
        let mut value = 0.0;
        if left == column {
            value = own[a].1;
            a += 1;
        }
        if right == column {
            value -= factor * row[b].1;
            b += 1;
        }
        if column != point && column != i {
            out.push((column, value));
        }
    }
    out
}

/// Columns that are eliminated at once.
const BLOCK: usize = 64;

/// Cholesky's L over the lower triangle of an m × m matrix; what is above the diagonal is not looked at. `None` when it is not positive
/// definite.
fn dense_lower(a: &mut [f64], m: usize) -> Option<()> {
    for first in (0..m).step_by(BLOCK) {
        pulse::beat();
        let end = m.min(first + BLOCK);
        let (above, below) = a.split_at_mut(end * m);
        for i in first..end {
            for j in first..=i {
                let sum =
                    above[i * m + j] - dot_lanes(&above[i * m + first..][..j - first], &above[j * m + first..][..j - first]);
                if j < i {
                    above[i * m + j] = sum / above[j * m + j];
                } else if sum > 0.0 && sum.is_finite() {
                    above[i * m + i] = sum.sqrt();
                } else {
                    return None;
                }
            }
        }
        let above = &*above;
        below.par_chunks_mut(m).for_each(|row| {
            for j in first..end {
                let of = &above[j * m..];
                row[j] = (row[j] - dot_lanes(&row[first..j], &of[first..j])) / of[j];
            }
        });
        let left = m - end;
        let panels: Panels<f64, WIDE> = Panels::new(left, end - first, |i, k| below[i * m + first + k]);
        below.par_chunks_mut(WIDE * m).enumerate().for_each(|(panel, rows)| {
            let mut tile = [0.0; WIDE * WIDE];
            for other in 0..=panel {
                tile.fill(0.0);
                add_products(panels.panel(panel), panels.panel(other), &mut tile);
                for (row, products) in rows.chunks_exact_mut(m).zip(tile.chunks_exact(WIDE)) {
                    let from = end + other * WIDE;
                    let to = m.min(from + WIDE);
                    row[from..to].iter_mut().zip(products).for_each(|(value, product)| *value -= product);
                }
            }
        });
    }
    Some(())
}

/// The solution of A x = b of a small dense system, k × k row by row: `a` is used up, `x` holds b before and x after. `None` when it is not
/// positive definite.
pub fn solve_small(a: &mut [f64], x: &mut [f64]) -> Option<()> {
    let k = x.len();
    dense_lower(a, k)?;
    for i in 0..k {
        let sum = (0..i).fold(x[i], |sum, j| sum - a[i * k + j] * x[j]);
        x[i] = sum / a[i * k + i];
    }
    for i in (0..k).rev() {
        let sum = (i + 1..k).fold(x[i], |sum, j| sum - a[j * k + i] * x[j]);
        x[i] = sum / a[i * k + i];
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{PhiloxStream, multiversion};

    /// A random graph's weights, its degrees and a little more on the diagonal.
    fn random(n: usize, others: usize) -> Vec<Vec<(u32, f64)>> {
        let mut stream = PhiloxStream::for_test(8, n as u64);
        let mut rows = vec![std::collections::BTreeMap::new(); n];
        for i in 0..n {
            for _ in 0..others {
                let j = stream.below(n as u64) as usize;
                if i != j {
                    let weight = stream.uniform();
                    for (i, j) in [(i, j), (j, i)] {
                        *rows[i].entry(j as u32).or_insert(0.0) -= weight;
                        *rows[i].entry(i as u32).or_insert(0.01) += weight;
                    }
                }
            }
        }
        rows.into_iter().map(|row| row.into_iter().collect()).collect()
    }

    #[test]
    fn solutions_solve_whatever_part_of_the_matrix_is_dense() {
        for (n, others) in [(1, 0), (40, 2), (300, 1), (500, 2), (330, 30)] {
            let mut rows = random(n, others);
            rows.iter_mut().enumerate().filter(|(_, row)| row.is_empty()).for_each(|(i, row)| row.push((i as u32, 2.0)));
            let b: Vec<f64> = (0..n).map(|i| f64::from((i % 7) as u32) - 3.0).collect();
            let mut x = b.clone();
            let of = Factorised::new(&rows).unwrap();
            of.solve(&mut x);
            for (row, b) in rows.iter().zip(&b) {
                let product: f64 = row.iter().map(|(j, value)| value * x[*j as usize]).sum();
                assert!((product - b).abs() < 1e-9, "{n}: {product} {b}");
            }
            assert_eq!(of.rest.len() < n, n > SMALL && others < 10, "{n}: both ways are gone");
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_told() {
        let mut rows = random(200, 2);
        let own = rows[70].iter_mut().find(|(j, _)| *j == 70).unwrap();
        own.1 = -1.0;
        assert!(Factorised::new(&rows).is_none());
        assert!(solve_small(&mut [0.0], &mut [1.0]).is_none());
        let mut x = [1.0, 2.0];
        solve_small(&mut [2.0, 1.0, 1.0, 3.0], &mut x).unwrap();
        assert!((x[0] - 0.2).abs() < 1e-15 && (x[1] - 0.6).abs() < 1e-15);
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let rows = random(700, 3);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut x = vec![1.0; 700];
            x[3] = -5.0;
            pool.install(|| Factorised::new(&rows).unwrap().solve(&mut x));
            x
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16));
        multiversion::each_level(|level| assert!(one == with(2), "{level:?}"));
    }
}
