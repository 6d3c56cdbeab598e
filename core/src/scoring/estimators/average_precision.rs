//! Average precision of a ranking: precision at the place of each image that is wanted, averaged over them, without interpolation. Images of
//! equal score have one place, the last of theirs: what scikit-learn's `average_precision_score` says (Manning, Raghavan and Schütze 2008,
//! section 8.4). Images weigh whole numbers, as resampled identities do.

use crate::{
    numeric::multiversion::multiversion,
    scoring::design::resample::{REPLICATES, ReplicateWeights},
};

/// A gallery, sorted once, weighted often.
pub(crate) struct RankedGallery {
    /// From the highest score down: the member, whether it is wanted, and whether it ends a run of equal scores.
    order: Vec<(u32, bool, bool)>,
}

impl RankedGallery {
    /// `scored`: member, score, whether it is wanted. Scores are not NaN.
    pub(crate) fn new(mut scored: Vec<(u32, f64, bool)>) -> Self {
        scored.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let ends = |i: usize| scored.get(i + 1).is_none_or(|next| next.1 != scored[i].1);
        RankedGallery { order: (0..scored.len()).map(|i| (scored[i].0, scored[i].2, ends(i))).collect() }
    }

    /// Images that are searched.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// `None` where nothing is wanted.
    pub(crate) fn average_precision(&self) -> Option<f64> {
        let (mut seen, mut found, mut tied, mut sum) = (0.0, 0.0, 0.0, 0.0);
        for &(_, wanted, ends) in &self.order {
            seen += 1.0;
            tied += f64::from(u8::from(wanted));
            if ends {
                found += tied;
                sum += tied * (found / seen);
                tied = 0.0;
            }
        }
        (found > 0.0).then(|| sum / found)
    }

    /// The same in [`REPLICATES`] replicates.
    pub(crate) fn in_replicates(&self, weights: ReplicateWeights) -> [Option<f64>; REPLICATES] {
        let mut sums = [[0.0; REPLICATES]; 2];
        add_precisions(&self.order, weights, &mut sums);
        std::array::from_fn(|k| (sums[1][k] > 0.0).then(|| sums[0][k] / sums[1][k]))
    }

    /// How many of the first `places` are wanted, as expected where the last place cuts a run of equal scores; and how many there are in all.
    pub(crate) fn found_in_first(&self, places: usize) -> [f64; 2] {
        let (mut found, mut first, mut all) = (0.0, 0, 0.0);
        for run in self.order.chunk_by(|one, _| !one.2) {
            let wanted = run.iter().filter(|(_, wanted, _)| *wanted).count() as f64;
            let inside = places.saturating_sub(first).min(run.len());
            found += wanted * inside as f64 / run.len() as f64;
            first += run.len();
            all += wanted;
        }
        [found, all]
    }
}

/// The average precision that a random order of `images`, of which so many are wanted, has on average (Bestgen 2015):
/// (Hₙ + (m − 1) (n − Hₙ) / (n − 1)) / n. `None` where nothing is wanted.
pub(crate) fn by_chance(wanted: usize, images: usize) -> Option<f64> {
    let (m, n) = (wanted as f64, images as f64);
    let harmonic: f64 = (1..=images).rev().map(|place| 1.0 / place as f64).sum();
    let others = if images > 1 { (m - 1.0) * (n - harmonic) / (n - 1.0) } else { 0.0 };
    (wanted > 0).then(|| (harmonic + others) / n)
}

multiversion! { fn add_precisions(order: &[(u32, bool, bool)], weights: ReplicateWeights, sums: &mut [[f64; REPLICATES]; 2]) = add_precisions_kernel }

/// Adds the sums of weighted precisions, and of the weights of what is wanted.
#[inline(always)]
fn add_precisions_kernel(order: &[(u32, bool, bool)], weights: ReplicateWeights, sums: &mut [[f64; REPLICATES]; 2]) {
    let (mut seen, mut found, mut tied) = ([0u32; REPLICATES], [0u32; REPLICATES], [0u32; REPLICATES]);
    let mut any = false;
    for &(member, wanted, ends) in order {
        let weight = weights.of(member as usize);
        for k in 0..REPLICATES {
            seen[k] += u32::from(weight[k]);
        }
        if wanted {
            any = true;
            for k in 0..REPLICATES {
                tied[k] += u32::from(weight[k]);
            }
        }
        if ends && any {
            any = false;
            for k in 0..REPLICATES {
                found[k] += tied[k];
                sums[0][k] += f64::from(tied[k]) * (f64::from(found[k]) / f64::from(seen[k].max(1)));
                tied[k] = 0;
            }
        }
    }
    for k in 0..REPLICATES {
        sums[1][k] += f64::from(found[k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        numeric::{PhiloxStream, Purpose, multiversion::each_level},
        scoring::design::resample::Resampler,
    };

    fn ranked(scores: &[f64], wanted: &[bool]) -> RankedGallery {
        RankedGallery::new((0..scores.len()).map(|i| (i as u32, scores[i], wanted[i])).collect())
    }

    /// `tests/retrieval.py` wrote what scikit-learn says of tables with ties and without.
    #[test]
    fn average_precision_is_scikit_learns_ties_as_well() {
        let fixture: serde_json::Value = serde_json::from_str(include_str!("../../../../tests/fixtures/retrieval.json")).unwrap();
        let tables = fixture["average_precision"].as_array().unwrap();
        assert!(tables.len() > 20);
        for table in tables {
            let scores: Vec<f64> = serde_json::from_value(table["scores"].clone()).unwrap();
            let wanted: Vec<bool> = serde_json::from_value(table["wanted"].clone()).unwrap();
            let weights: Vec<usize> = serde_json::from_value(table["weights"].clone()).unwrap();
            let close = |found: Option<f64>, peer: &str| {
                let (found, peer) = (found.unwrap(), table[peer].as_f64().unwrap());
                assert!((found - peer).abs() < 1e-12, "{found} {peer}");
            };
            close(ranked(&scores, &wanted).average_precision(), "plain");
            // A whole-number weight is so many copies, which are tied.
            let copies: Vec<usize> = (0..scores.len()).flat_map(|i| vec![i; weights[i]]).collect();
            let pick = ranked(
                &copies.iter().map(|&i| scores[i]).collect::<Vec<_>>(),
                &copies.iter().map(|&i| wanted[i]).collect::<Vec<_>>(),
            );
            close(pick.average_precision(), "weighted");
        }
    }

    #[test]
    fn a_replicate_is_the_ranking_of_so_many_copies() {
        let mut stream = PhiloxStream::for_test(5, 0);
        let n = 60;
        let scores: Vec<f64> = (0..n).map(|_| (stream.uniform() * 20.0).floor()).collect();
        let wanted: Vec<bool> = (0..n).map(|_| stream.uniform() < 0.2).collect();
        let gallery = ranked(&scores, &wanted);
        let resampler = Resampler::new((0..n).map(|i| Some(i / 3)), 1, Purpose::ResampledWhole);
        let found = resampler.each_of_many(32, |weights| [gallery.in_replicates(weights)]);
        let by_hand = resampler.each_of_many(32, |weights| {
            [std::array::from_fn(|k| {
                let copies = (0..n).flat_map(|i| vec![(i as u32, scores[i], wanted[i]); usize::from(weights.of(i)[k])]);
                RankedGallery::new(copies.collect()).average_precision()
            })]
        });
        for (found, by_hand) in found.iter().zip(&by_hand) {
            assert!((found[0].unwrap() - by_hand[0].unwrap()).abs() < 1e-12);
        }
        each_level(|level| {
            let again = resampler.each_of_many(32, |weights| [gallery.in_replicates(weights)]);
            assert!(again == found, "{level:?}");
        });
    }

    #[test]
    fn what_is_found_in_the_first_places_counts_a_cut_run_by_its_share() {
        let gallery = ranked(&[9.0, 5.0, 5.0, 5.0, 5.0, 1.0], &[true, true, false, true, false, true]);
        assert_eq!(gallery.found_in_first(1), [1.0, 4.0]);
        assert_eq!(gallery.found_in_first(3), [2.0, 4.0]);
        assert_eq!(gallery.found_in_first(100), [4.0, 4.0]);
        assert_eq!(ranked(&[1.0], &[false]).average_precision(), None);
    }

    #[test]
    fn chance_is_what_random_orders_have() {
        let mut stream = PhiloxStream::for_test(6, 0);
        let (n, m, draws) = (30, 3, 40_000);
        let mut sum = 0.0;
        for _ in 0..draws {
            let mut wanted: Vec<bool> = (0..n).map(|i| i < m).collect();
            stream.shuffle(&mut wanted);
            sum += ranked(&(0..n).map(|i| i as f64).collect::<Vec<_>>(), &wanted).average_precision().unwrap();
        }
        let expected = by_chance(m, n).unwrap();
        assert!((sum / f64::from(draws) - expected).abs() < 0.003, "{} {expected}", sum / f64::from(draws));
        assert!(expected > 0.1 + 0.05, "above the prevalence of 0.1: {expected}");
        assert_eq!((by_chance(1, 1), by_chance(0, 5)), (Some(1.0), None));
        assert!((by_chance(5, 5).unwrap() - 1.0).abs() < 1e-12);
    }
}
