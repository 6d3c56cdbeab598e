//! Groups in which a shown figure separates its two classes better, or worse, than elsewhere: found on half A, tested on half B.
//!
//! An image keeps the score that it has among all images; the AUC is taken over pairs of images inside the group, and over pairs outside. The
//! difference of both is tested in replicates of identities that both share.

use crate::{
    domain::{
        comparison::Question,
        projection::View,
        score::{Counts, Statistics},
        subgroups::{SubgroupFinding, Subgroups},
    },
    numeric::Matrix,
    scoring::{
        design::{
            EvaluationDesign,
            members::Setting,
            resample::sorted,
            split::{FOLDS, Half, Pool},
        },
        estimators::{
            auc::{Sorted, auc_in_replicates},
            knn::{effective_identities_of_losses, u_statistic},
            nearest,
            per_view::ViewScorer,
        },
        fairness::frequencies::intersections,
        inference::{difference::difference, fdr, interval::AucInterval},
    },
};

/// Groups of a figure that are tested on half B.
const MOST_FOUND: usize = 3;

/// A shown figure, and the groups among which to search.
pub struct SubgroupSearch<'a> {
    /// The images, labels and identities.
    pub setting: &'a Setting<'a>,
    /// Of two classes.
    pub question: &'a Question,
    /// N × k, one row an image: the coordinates that the figure shows.
    pub points: &'a Matrix,
    /// The axes that are shown.
    pub view: View,
    /// Attributes whose values are groups, and how many of them an intersection has at most.
    pub groups: &'a [String],
    /// See `groups`.
    pub depth: usize,
    /// How intervals are made, and how many images a class needs.
    pub statistics: &'a Statistics,
    /// Of halves, folds and replicates; the same that the scores were made with.
    pub seed: u64,
}

/// Searches half A for the groups that stand out most, and tests these on half B. Nothing is found where the question has other than two
/// classes, or the view is undefined.
pub fn subgroups(search: &SubgroupSearch) -> Subgroups {
    let groups = intersections(search.setting, search.groups, search.depth);
    let mut subgroups = Subgroups { format: 1, searched: 0, too_few: groups.len(), found: vec![] };
    let design = EvaluationDesign::new(search.setting, search.question, search.statistics, search.seed);
    let Some(scores) = MemberScores::of(&design, search) else { return subgroups };
    let mut candidates: Vec<Candidate> =
        groups.into_iter().filter_map(|group| Candidate::of(&scores, search.setting, group)).collect();
    subgroups.searched = candidates.len();
    subgroups.too_few -= candidates.len();
    // The first of equals stays the first.
    candidates.sort_by(|a, b| b.standing_out.total_cmp(&a.standing_out));
    subgroups.found = candidates.into_iter().take(MOST_FOUND).filter_map(|of| of.tested(&scores)).collect();
    let p: Vec<f64> = subgroups.found.iter().map(|of| of.p).collect();
    subgroups.found.iter_mut().zip(fdr::q_values(&p)).for_each(|(of, q)| of.q = q);
    subgroups
}

/// The scores of members in the figure: for the first class against the second, in each half by itself.
struct MemberScores<'a> {
    design: &'a EvaluationDesign<'a>,
    /// By member: score and class; `None` of members that are not compared.
    scored: Vec<Option<(f64, bool)>>,
}

impl<'a> MemberScores<'a> {
    fn of(design: &'a EvaluationDesign<'a>, search: &SubgroupSearch) -> Option<Self> {
        let (&[(p, q)], 2) = (&design.pairs.pairs[..], design.members.classes.len()) else { return None };
        let scorer = ViewScorer::new(design);
        let in_view = scorer.points_in_view(search.view, search.points)?;
        let fifths = nearest::in_view(&in_view, &scorer.neighbor_query());
        let scored = design.targets().into_iter().next()?.into_iter().enumerate().map(|(member, first)| {
            // Of its half, as `knn::score_members` takes them.
            let distances = &fifths[member][1];
            first.map(|first| (distances[q] - distances[p], first)).filter(|(score, _)| !score.is_nan())
        });
        Some(MemberScores { design, scored: scored.collect() })
    }

    /// The members of a half on one side of a group, fold by fold.
    fn folds(&self, half: Half, side: &[bool]) -> Vec<Sorted> {
        let split = &self.design.split;
        let mut folds = vec![vec![]; FOLDS];
        for member in split.members_of(half).into_iter().filter(|&member| side[member]) {
            if let Some((score, first)) = self.scored[member] {
                folds[split.fold[member]].push((member as u32, score, first));
            }
        }
        folds.into_iter().map(Sorted::new).collect()
    }

    fn counts(&self, half: Half, side: &[bool]) -> Counts {
        self.design.counts_where(|member| self.design.split.half[member] == half && side[member])
    }

    /// Both classes have as many images as may be ranked, and as many identities as an interval needs.
    fn are_enough(&self, counts: &Counts) -> bool {
        let least = self.design.statistics.min_positives;
        counts.exclusive.iter().all(|images| *images >= least) && AucInterval::of(counts, FOLDS).has_enough_identities()
    }
}

/// A group with enough images.
struct Candidate {
    members: Vec<(String, String)>,
    /// By member of the comparison: is it inside, is it outside? Neither, where a label is missing.
    sides: [Vec<bool>; 2],
    /// On half A: inside less outside.
    selection: f64,
    /// How far the selection is from 0, in units of a rough standard error.
    standing_out: f64,
}

impl Candidate {
    /// `None` of a group with too few images or identities of a class, inside or outside.
    fn of(scores: &MemberScores, setting: &Setting, members: Vec<(String, String)>) -> Option<Self> {
        let ids: Vec<&str> = setting.images.ids().collect();
        let value = |row: usize, attribute: &str| setting.labels.of(attribute, ids[row]);
        let has = |row: usize| members.iter().all(|(attribute, own)| value(row, attribute) == Some(own));
        let is_labelled = |row: usize| members.iter().all(|(attribute, _)| value(row, attribute).is_some());
        let rows = &scores.design.members.rows;
        let sides = [
            rows.iter().map(|&row| has(row)).collect::<Vec<bool>>(),
            rows.iter().map(|&row| is_labelled(row) && !has(row)).collect(),
        ];
        let counts = |half: Half| [&sides[0], &sides[1]].map(|side| scores.counts(half, side));
        let (on_a, on_b) = (counts(Half::A), counts(Half::B));
        if !on_a.iter().chain(&on_b).all(|counts| scores.are_enough(counts)) {
            return None;
        }
        let auc = |side: &[bool]| u_statistic(&scores.folds(Half::A, side)).auc();
        let selection = auc(&sides[0])? - auc(&sides[1])?;
        // The variance of an AUC falls with the identities of the rarer class.
        let [inside, outside] = on_a.map(|counts| counts.identities.iter().copied().min().unwrap_or(0) as f64);
        let standing_out = selection.abs() * (inside * outside / (inside + outside)).sqrt();
        Some(Candidate { members, sides, selection, standing_out })
    }

    /// `None` where a side has no AUC on half B.
    fn tested(self, scores: &MemberScores) -> Option<SubgroupFinding> {
        let pool = Pool::Half(Half::B);
        let (resampler, replicates) = (scores.design.resampler(pool), scores.design.statistics.bootstraps);
        let [inside, outside] = [&self.sides[0], &self.sides[1]].map(|side| scores.folds(Half::B, side));
        let of_replicates = resampler
            .each_of_many(replicates, |weights| [auc_in_replicates(&inside, weights), auc_in_replicates(&outside, weights)]);
        let estimate = |folds: &[Sorted], which: usize| {
            let resampled = sorted(of_replicates.iter().filter_map(|values| values[which]).collect());
            let effective = effective_identities_of_losses(folds, resampler.identities(), |member| resampler.identity(member));
            let counts = scores.counts(Half::B, &self.sides[which]);
            AucInterval::of(&counts, usable(folds)).interval(u_statistic(folds).auc()?, &resampled, effective)
        };
        let (inside, outside) = (estimate(&inside, 0)?, estimate(&outside, 1)?);
        let both: Vec<[f64; 2]> = of_replicates.iter().filter_map(|[inside, outside]| Some([(*outside)?, (*inside)?])).collect();
        let (difference, p) = difference(outside, inside, &both);
        Some(SubgroupFinding { members: self.members, selection: self.selection, inside, outside, difference, p: p?, q: 1.0 })
    }
}

/// Folds that hold both classes; at least 1.
fn usable(folds: &[Sorted]) -> usize {
    folds.iter().filter(|fold| fold.count(true) > 0 && fold.count(false) > 0).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            comparison::Measured,
            image::{Column, Images, Labels},
        },
        numeric::PhiloxStream,
    };

    /// One axis on which old and young lie apart among women, by so much, and not among men; glasses have no part in it.
    fn search(apart: f64) -> Subgroups {
        let (n, id) = (1600, |i: usize| format!("{i:04}"));
        let images = Images((0..n).map(|i| (id(i), None)).collect());
        let column = |has: &dyn Fn(usize) -> bool| -> Column { (0..n).map(|i| (id(i), u8::from(has(i)).to_string())).collect() };
        let every = |n: usize| move |i: usize| (i / n).is_multiple_of(2);
        let (old, woman, glasses) = (every(1), every(2), every(4));
        let labels: Labels = [("old", column(&old)), ("woman", column(&woman)), ("glasses", column(&glasses))]
            .map(|(name, column)| (name.to_owned(), column))
            .into_iter()
            .collect();
        let setting = Setting { images: &images, labels: &labels, identities: None };
        let classes = ["old", "not old"].map(|class| class.parse().unwrap()).to_vec();
        let question = Question { measured: Measured::Classes(classes), within: None };
        let mut rng = PhiloxStream::for_test(7, 1);
        let value = |i: usize| (rng.normals(1.0)[0] + if old(i) && woman(i) { apart } else { 0.0 }) as f32;
        let points = Matrix::new(n, 1, (0..n).map(value).collect()).unwrap();
        let statistics = Statistics { bootstraps: 200, permutations: 20, min_positives: 10, ..Statistics::default() };
        let groups = ["woman".to_owned(), "glasses".to_owned(), "old".to_owned()];
        subgroups(&SubgroupSearch {
            setting: &setting,
            question: &question,
            points: &points,
            view: View::Axis(1),
            groups: &groups,
            depth: 1,
            statistics: &statistics,
            seed: 1,
        })
    }

    #[test]
    fn a_group_in_which_the_classes_lie_apart_is_found_and_confirmed() {
        let found = search(3.0);
        assert_eq!((found.searched, found.too_few), (4, 2), "of the attribute itself no group has both classes");
        let [first, second, ..] = &found.found[..] else { panic!("{found:?}") };
        assert!([first, second].iter().all(|of| of.members[0].0 == "woman" && of.is_confirmed()), "{found:?}");
        let women = found.found.iter().find(|of| of.members == [("woman".to_owned(), "1".to_owned())]).unwrap();
        assert!(women.inside.value > 0.9 && women.outside.value < 0.6 && women.difference.low().unwrap() > 0.25, "{women:?}");
    }

    #[test]
    fn of_noise_no_group_is_confirmed() {
        let found = search(0.0);
        assert!(found.found.len() == 3 && found.found.iter().all(|of| !of.is_confirmed()), "{found:?}");
    }
}
