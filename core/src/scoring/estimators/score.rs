//! Every view of one projection (or the features themselves) on one question.

use super::{
    auc::{ReplicateWeights, TURNS},
    knn::{self, Pairs, Prepared},
    monotone,
    nearest::{self, FifthNeighborDistances, Sought},
};
use crate::{
    domain::{
        comparison::Question,
        membership::Members,
        projection::View,
        score::{Counts, Estimate, LEAST_IDENTITIES, Scores, Statistics, TOO_FEW, ViewScore},
    },
    numeric::{Matrix, Purpose},
    scoring::{
        design::{
            members::{Setting, groups},
            split::{FOLDS, Half, Split, split},
        },
        inference::{
            bootstrap::{Resampler, median},
            interval::AucInterval,
            permutation::Permutations,
        },
    },
};

/// What is found of one question: the scores, and what they were made of.
pub struct Scored {
    pub scores: Scores,
    /// On half B: one row a view, projection seed and pair of classes (in that order, the last fastest), one column a member
    /// of the half. The rank of the member's out-of-fold score in its fold, from 1, ties sharing their mean; NaN for those
    /// that the pair does not score. All that resampling the whole grid takes.
    pub ranks: Matrix,
    /// On half B: one row a view, one column a permutation of labels: the score again, of the first projection seed (the median
    /// of several varies less: so this is on the safe side). NaN where it is undefined.
    pub permuted: Matrix,
}

/// `points`: one N × k matrix a projection seed, rows in the setting's order. A view that the points do not have (an axis
/// beyond their rank) is undefined.
pub fn score(
    setting: &Setting,
    points: &[Matrix],
    question: &Question,
    views: &[View],
    statistics: &Statistics,
    seed: u64,
) -> Scored {
    let asked = EvaluationDesign::new(setting, question, statistics, seed);
    let permutations = Permutations::new(&asked, statistics.permutations, seed);
    let (mut scores, mut ranks, mut permuted) = (Vec::new(), Vec::new(), Vec::new());
    for view in views {
        let seen: Option<Vec<Matrix>> = points.iter().map(|points| asked.seen(*view, points)).collect();
        let seen = seen.unwrap_or_default();
        let classes = asked.members.quantity.is_none();
        let prepared: Vec<[Prepared; 3]> =
            seen.iter().filter(|_| classes).map(|points| asked.prepare(&nearest::in_view(points, &asked.sought()))).collect();
        scores.push(asked.view(*view, &prepared, seen.first()));
        asked.rank(&prepared, points.len(), &mut ranks);
        permuted.extend(match seen.first().filter(|_| classes) {
            Some(points) => permutations.scores(points),
            None => vec![f32::NAN; statistics.permutations],
        });
    }
    let scores = Scores { permuted: permutations.people(), ..asked.scores(question, points.len(), scores) };
    let permuted = Matrix::new(views.len(), statistics.permutations, permuted).unwrap_or_default();
    Scored { scores, ranks: asked.ranks(&ranks), permuted }
}

/// What all views of one question share.
pub struct EvaluationDesign<'a> {
    pub members: Members,
    pub split: Split,
    pub pairs: Pairs,
    resamplers: [Resampler; 3],
    /// In the whole, and in each half.
    scales: [AucInterval; 3],
    statistics: &'a Statistics,
    group: Vec<usize>,
}

fn resamplers(members: &Members, split: &Split, group: &[usize], seed: u64) -> [Resampler; 3] {
    [(None, Purpose::ResampledWhole), (Some(Half::A), Purpose::ResampledSelection), (Some(Half::B), Purpose::ResampledEvaluation)]
        .map(|(half, purpose)| {
            let takes = |i: usize| half.is_none_or(|half| split.half[i] == half);
            Resampler::new(members.rows.iter().enumerate().map(|(i, row)| takes(i).then_some(group[*row])), seed, purpose)
        })
}

impl<'a> EvaluationDesign<'a> {
    pub fn new(setting: &Setting, question: &Question, statistics: &'a Statistics, seed: u64) -> Self {
        let group = groups(setting);
        let members = setting.members(question);
        let split = split(&members, &group, seed);
        let (pairs, resamplers) = (Pairs::new(&members), resamplers(&members, &split, &group, seed));
        let scales = [None, Some(Half::A), Some(Half::B)].map(|half| {
            let counts = members.counts(&group, |i| half.is_none_or(|half| split.half[i] == half));
            AucInterval::of(&counts, FOLDS)
        });
        EvaluationDesign { members, split, pairs, resamplers, scales, statistics, group }
    }

    pub fn sought(&self) -> Sought<'_> {
        Sought { rows: &self.members.rows, sets: &self.pairs.sets, split: &self.split }
    }

    /// Who a member is: the images' identities, numbered in their order.
    pub fn group(&self, member: usize) -> usize {
        self.group[self.members.rows[member]]
    }

    pub fn scale(&self, half: Half) -> AucInterval {
        self.scales[if half == Half::A { 1 } else { 2 }]
    }

    pub fn groups(&self) -> impl Iterator<Item = usize> {
        self.group.iter().copied()
    }

    /// The two sets of every pair of classes: who is in the first, who in the second.
    pub fn pairs(&self) -> impl Iterator<Item = [&[bool]; 2]> {
        self.pairs.pairs.iter().map(|&(p, q)| [&self.pairs.sets[p][..], &self.pairs.sets[q][..]])
    }

    /// Per pair of classes, per member: is it of the first? `None` for those of neither, or of both.
    pub fn targets(&self) -> Vec<Vec<Option<bool>>> {
        let of = |[first, second]: [&[bool]; 2]| {
            first.iter().zip(second).map(|(first, second)| (*first != *second).then_some(*first)).collect()
        };
        self.pairs().map(of).collect()
    }

    pub fn prepare(&self, fifths: &FifthNeighborDistances) -> [Prepared; 3] {
        knn::prepare(fifths, &self.pairs, &self.split)
    }

    /// Of scores that were made in each half by itself: by pair, by member.
    pub fn held_out(&self, scores: &[Vec<f64>]) -> [Prepared; 3] {
        knn::held_out(scores, &self.pairs, &self.split)
    }

    pub fn scores(&self, question: &Question, seeds: usize, views: Vec<ViewScore>) -> Scores {
        let counts =
            |half: Option<Half>| self.members.counts(&self.group, |i| half.is_none_or(|half| self.split.half[i] == half));
        let (counts_a, counts_b) = (counts(Some(Half::A)), counts(Some(Half::B)));
        Scores {
            format: 1,
            unranked: unranked(question, &counts_a, &counts_b, self.statistics.min_positives),
            counts: counts(None),
            counts_a,
            counts_b,
            seeds,
            permuted: [0; 2],
            views,
        }
    }

    /// `prepared`: one a projection seed; none where the view is undefined, or a quantity is asked for.
    pub fn view(&self, view: View, prepared: &[[Prepared; 3]], axis: Option<&Matrix>) -> ViewScore {
        let mut score = ViewScore { view, whole: None, a: None, b: None, least: None, monotone: None };
        let axis = axis.filter(|_| matches!(view, View::Axis(_))).map(Matrix::values);
        let (resampler, turns) = (&self.resamplers[0], self.statistics.bootstraps);
        if let Some(quantity) = &self.members.quantity {
            score.monotone = axis.and_then(|axis| monotone::spearman(axis, quantity, resampler, turns));
            return score;
        }
        let [whole, a, b] = std::array::from_fn(|pool| self.estimate(prepared, pool));
        (score.whole, score.a, score.b) = (whole[0], a[0], b[0]);
        if self.members.classes.len() > 2 {
            score.least = whole[1];
        } else {
            let positive = &self.targets()[0];
            score.monotone = axis.and_then(|axis| monotone::auc(axis, positive, self.scales[0], resampler, turns));
        }
        score
    }

    /// Adds the view's rows of ranks: as many as there are seeds and pairs, whether it is defined or not.
    pub fn rank(&self, prepared: &[[Prepared; 3]], seeds: usize, rows: &mut Vec<Vec<f32>>) {
        let members = self.members.rows.len();
        for seed in 0..seeds {
            match prepared.get(seed) {
                Some([.., b]) => rows.extend(b.ranks(members)),
                None => rows.extend(self.pairs.pairs.iter().map(|_| vec![f32::NAN; members])),
            }
        }
    }

    /// Rows over all members, as a matrix over those of half B.
    pub fn ranks(&self, rows: &[Vec<f32>]) -> Matrix {
        let b = self.split.of(Half::B);
        let values = rows.iter().flat_map(|row| b.iter().map(|&i| row[i])).collect();
        Matrix::new(rows.len(), b.len(), values).unwrap_or_default()
    }

    /// The members' points in the view; `None` when the points lack one of its axes, or hold no numbers there.
    pub fn seen(&self, view: View, points: &Matrix) -> Option<Matrix> {
        let columns = view.columns(points.columns());
        if columns.iter().any(|&column| column >= points.columns()) {
            return None;
        }
        Some(points.select(&columns).take(&self.members.rows)).filter(|seen| seen.first_not_finite().is_none())
    }

    /// Mean and least over pairs in one pool; each resample takes the median over projection seeds.
    pub fn estimate(&self, prepared: &[[Prepared; 3]], pool: usize) -> [Option<Estimate>; 2] {
        let seeds: Vec<[Option<f64>; 2]> = prepared.iter().map(|pools| pools[pool].mean_and_least()).collect();
        let values: [Option<f64>; 2] = std::array::from_fn(|k| median(seeds.iter().map(|seed| seed[k])));
        let sorted: [Vec<f64>; 2] =
            self.resamplers[pool].distributions_of_many(self.statistics.bootstraps, |weights: ReplicateWeights| {
                let seeds: Vec<[[Option<f64>; 2]; TURNS]> = prepared.iter().map(|pools| pools[pool].resampled(weights)).collect();
                std::array::from_fn(|k| std::array::from_fn(|turn| median(seeds.iter().map(|seed| seed[turn][k]))))
            });
        let resampler = &self.resamplers[pool];
        let carried = |pools: &[Prepared; 3]| pools[pool].carried(resampler.people(), |member| resampler.identity(member));
        let carried = prepared.iter().map(carried).min_by(f64::total_cmp).unwrap_or(0.0);
        let scale = self.scales[pool].within(prepared.iter().map(|pools| pools[pool].folds()).max().unwrap_or(FOLDS));
        std::array::from_fn(|k| values[k].and_then(|value| scale.interval(value, &sorted[k], carried)))
    }
}

/// Why the scores are shown but not ranked.
fn unranked(question: &Question, a: &Counts, b: &Counts, least: usize) -> Option<String> {
    if question.width() < 2 {
        return Some("a quantity is shown as a gradient, not ranked".into());
    }
    for (half, counts) in [("A", a), ("B", b)] {
        for (class, (&images, &identities)) in counts.exclusive.iter().zip(&counts.identities).enumerate() {
            let place = class + 1;
            let of = |n: usize, what: &str, needed: usize| {
                (n < needed).then(|| format!("{TOO_FEW}: class {place} has {n} {what} in half {half}, {needed} are needed"))
            };
            let few = of(images, "images", least).or_else(|| of(identities, "identities", least.max(LEAST_IDENTITIES)));
            if few.is_some() {
                return few;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::image::{Column, Images, Labels},
        numeric::PhiloxStream,
    };

    fn setting(n: usize, label: impl Fn(usize) -> u8) -> (Images, Labels) {
        let id = |i: usize| format!("{i:05}");
        let column: Column = (0..n).map(|i| (id(i), label(i).to_string())).collect();
        (Images((0..n).map(|i| (id(i), None)).collect()), [("x", column)].into_iter().collect())
    }

    fn question() -> Question {
        Question {
            measured: crate::domain::comparison::Measured::Classes(vec!["x".parse().unwrap(), "not x".parse().unwrap()]),
            within: None,
        }
    }

    fn scores(
        n: usize,
        label: impl Fn(usize) -> u8,
        point: impl Fn(usize, &mut PhiloxStream) -> f32,
        identities: Option<&Column>,
    ) -> Scores {
        let (images, labels) = setting(n, label);
        let mut stream = PhiloxStream::for_test(11, 0);
        let points = Matrix::new(n, 1, (0..n).map(|i| point(i, &mut stream)).collect()).unwrap();
        let statistics = Statistics { bootstraps: 200, ..Statistics::default() };
        score(
            &Setting { images: &images, labels: &labels, identities },
            &[points],
            &question(),
            &[View::Axis(1), View::Axis(2)],
            &statistics,
            3,
        )
        .scores
    }

    #[test]
    fn what_separates_scores_near_one_and_noise_near_a_half() {
        let separated = scores(400, |i| (i % 2) as u8, |i, s| (i % 2) as f32 + s.uniform() as f32, None);
        assert!(separated.views[0].b.unwrap().low().unwrap() > 0.9);
        let noise = scores(400, |i| (i % 2) as u8, |_, s| s.uniform() as f32, None).views[0].clone();
        let (whole, monotone) = (noise.whole.unwrap().interval.unwrap(), noise.monotone.unwrap().interval.unwrap());
        assert!(whole.low < 0.5 && 0.5 < whole.high && monotone.low == 0.5, "{noise:?}");
    }

    #[test]
    fn an_axis_beyond_the_rank_is_undefined_and_a_small_class_unranked() {
        let scores = scores(400, |i| u8::from(i % 10 == 0), |_, s| s.uniform() as f32, None);
        assert_eq!(scores.views[1].whole, None);
        assert_eq!(scores.unranked.as_deref(), Some("too few to say: class 1 has 20 images in half A, 30 are needed"));
    }

    /// The trap that the contract names: a null attribute that is constant per identity scores .755 when an image's own
    /// identity is among its neighbours.
    #[test]
    fn a_null_attribute_constant_per_identity_scores_a_half() {
        let identities = (0..800).map(|i| (format!("{i:05}"), (i / 8).to_string())).collect::<Column>();
        let draw = |seed: u64| {
            let mut stream = PhiloxStream::for_test(seed, 9);
            let place: Vec<f32> = (0..100).map(|_| stream.uniform() as f32 * 100.0).collect();
            let null: Vec<u8> = (0..100).map(|_| (stream.bits() % 2) as u8).collect();
            let found = scores(800, |i| null[i / 8], |i, s| place[i / 8] + s.uniform() as f32, Some(&identities));
            found.views[0].whole.unwrap().value
        };
        let draws: Vec<f64> = (0..40).map(draw).collect();
        let mean = crate::numeric::sum::mean(&draws);
        assert!((mean - 0.5).abs() < 0.04, "{mean} of {draws:?}");
    }

    #[test]
    fn the_bits_do_not_depend_on_the_threads() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| scores(300, |i| u8::from(i % 3 == 0), |i, s| (i % 3) as f32 * 0.2 + s.uniform() as f32, None))
        };
        let text = |scores: &Scores| serde_json::to_string(scores).unwrap();
        assert_eq!(text(&with(1)), text(&with(2)));
        assert_eq!(text(&with(1)), text(&with(16)));
    }
}
