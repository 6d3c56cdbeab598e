//! How far two clusterings of the same images agree. Images in no cluster are a cluster of their own.

use super::Memberships;
use std::collections::BTreeMap;

/// The adjusted Rand index (Hubert and Arabie 1985): 1 for the same clusters whatever their numbers, 0 on average for unrelated ones. 1 where
/// both have all images in one.
pub(super) fn adjusted_rand(one: &Memberships, other: &Memberships) -> f64 {
    let (mut cells, mut rows, mut columns) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (a, b) in one.iter().zip(other) {
        *cells.entry((a, b)).or_insert(0u64) += 1;
        *rows.entry(a).or_insert(0u64) += 1;
        *columns.entry(b).or_insert(0u64) += 1;
    }
    let pairs = |n: u64| (n * n.saturating_sub(1)) as f64 / 2.0;
    let together: f64 = cells.values().map(|n| pairs(*n)).sum();
    let (in_rows, in_columns): (f64, f64) = (rows.values().map(|n| pairs(*n)).sum(), columns.values().map(|n| pairs(*n)).sum());
    let all = pairs(one.len() as u64);
    if all == 0.0 {
        return 1.0;
    }
    let (expected, most) = (in_rows * in_columns / all, f64::midpoint(in_rows, in_columns));
    if most == expected { 1.0 } else { (together - expected) / (most - expected) }
}

/// The greatest Jaccard index of a cluster of `one` with any of `other`; `None` where the cluster has no image here.
pub(super) fn jaccard(one: &Memberships, other: &Memberships, cluster: usize) -> Option<f64> {
    let (mut both, mut sizes) = (BTreeMap::new(), BTreeMap::new());
    let mut own = 0u64;
    for (a, b) in one.iter().zip(other) {
        own += u64::from(*a == Some(cluster));
        let Some(b) = b else { continue };
        *sizes.entry(b).or_insert(0u64) += 1;
        *both.entry(b).or_insert(0u64) += u64::from(*a == Some(cluster));
    }
    let index = |(b, both): (&&usize, &u64)| *both as f64 / (own + sizes[*b] - both) as f64;
    (own > 0).then(|| both.iter().map(index).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(clusters: &[usize]) -> Memberships {
        clusters.iter().map(|cluster| Some(*cluster)).collect()
    }

    #[test]
    fn the_index_is_that_of_scikit_learn() {
        // sklearn.metrics.adjusted_rand_score
        assert_eq!(adjusted_rand(&of(&[0, 0, 1, 1]), &of(&[1, 1, 0, 0])), 1.0);
        assert!((adjusted_rand(&of(&[0, 0, 1, 1]), &of(&[0, 0, 1, 2])) - 0.571_428_571_428_571_4).abs() < 1e-12);
        assert!((adjusted_rand(&of(&[0, 0, 0, 1, 1, 2]), &of(&[0, 1, 2, 0, 1, 2])) - -0.296_296_296_296_296_3).abs() < 1e-12);
        assert_eq!(adjusted_rand(&of(&[0, 0, 0]), &of(&[1, 1, 1])), 1.0);
    }

    #[test]
    fn a_cluster_is_held_against_the_one_it_is_most_like() {
        let (one, other) = (of(&[0, 0, 0, 1, 1, 1]), of(&[5, 5, 7, 7, 7, 7]));
        assert_eq!(jaccard(&one, &other, 0), Some(2.0 / 3.0));
        assert_eq!(jaccard(&one, &other, 1), Some(3.0 / 4.0));
        assert_eq!(jaccard(&one, &other, 2), None);
        assert_eq!(jaccard(&one, &vec![None; 6], 0), Some(0.0));
    }
}
