//! Retrieval: are the images that fit a query the first of a ranking by a model's features? From one image as the example, from five, and from
//! a linear probe of the labels. Whoever is on an example is no part of what is searched.
//!
//! The likeness of two images is the cosine of their features, less the mean of all, as in verification. Five examples are of five identities,
//! and their directions are averaged. The probe is the one that features are scored by ([`super::probe`]): each half of the identities is
//! ranked by a probe that was fitted on the other half.
//!
//! Identities are resampled whole (Efron and Tibshirani 1993): they weigh the images of every ranking, and an example weighs as its identity
//! does; a set of five as its first, since sets have no identity in common. The interval is that of the log-odds, by their standard error
//! in the replicates and Student's t (Boyd, Eng and Page 2013), for an average precision of copies is higher than that of the sample: its
//! percentiles would not hold it.

use super::{
    average_precision::{RankedGallery, by_chance},
    probe::{ProbeTask, probe},
};
use crate::{
    domain::{
        comparison::{Expression, Measured, Question},
        membership::Members,
        retrieval::{
            AskedBy, AtFirst, EXAMPLES_OF_SET, FIRST, FoundBy, GroupRetrieval, MOST_EXAMPLES, MOST_SETS, QueryRetrieval,
            Retrieval, Unscored,
        },
        score::{Estimate, LEAST_IDENTITIES},
    },
    numeric::{
        Matrix, PhiloxStream, Purpose,
        special::{exp, ln},
        sum::{self, dot_lanes_f32},
    },
    scoring::{
        design::{
            members::{Setting, groups},
            resample::Resampler,
            split::{Half, Split, split},
        },
        fairness::frequencies::intersections,
        inference::{bootstrap::deviation, student},
    },
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of the features of one layer.
pub struct RetrievalInput<'a> {
    /// The images, labels and identities.
    pub setting: &'a Setting<'a>,
    /// N × D, rows in the order of the setting's images.
    pub features: &'a Matrix,
    /// Which images are wanted, one a query.
    pub queries: &'a [Expression],
    /// The attributes whose values are groups of people, intersected up to so many.
    pub groups: (&'a [String], usize),
    /// How many replicates there are.
    pub bootstraps: usize,
    /// Of examples, halves and replicates.
    pub seed: u64,
}

/// How well the images of each query are found.
pub fn retrieve(input: &RetrievalInput) -> Retrieval {
    let identity = groups(input.setting);
    let (attributes, depth) = input.groups;
    let group_table = intersections(input.setting, attributes, depth);
    let ids: Vec<&str> = input.setting.images.ids().collect();
    let is_in = |group: &Vec<(String, String)>| -> Vec<bool> {
        let has = |id: &str, (attribute, value): &(String, String)| input.setting.labels.of(attribute, id) == Some(value);
        ids.iter().map(|id| group.iter().all(|value| has(id, value))).collect()
    };
    let is_in: Vec<Vec<bool>> = group_table.iter().map(is_in).collect();
    let finite = input.features.columns() > 0 && input.features.first_not_finite().is_none();
    let directions = if finite { Directions::of(input.features) } else { Directions::default() };
    // One query after the other, so that no more than one keeps its resamples.
    let query = |wanted: &Expression| {
        let gallery = Gallery::of(input.setting, &identity, wanted);
        let unscored = gallery.unscored().or((!finite).then_some(Unscored::NotFinite));
        let mut of = gallery.counts(unscored);
        if unscored.is_none() {
            let scorer = QueryScorer::new(input, &gallery, &directions);
            let examples = scorer.examples();
            of.found = vec![scorer.told(AskedBy::Example, &examples), scorer.five_examples(), scorer.probe()];
            let group = |(group, is_in): (&Vec<(String, String)>, &Vec<bool>)| scorer.group(group, is_in, &examples);
            of.groups = group_table.iter().zip(&is_in).map(group).collect();
        }
        of
    };
    Retrieval { format: 1, images: ids.len(), queries: input.queries.iter().map(query).collect() }
}

/// Features less their mean, brought to length 1; 0 where a row is the mean.
#[derive(Default)]
pub(super) struct Directions {
    units: Matrix,
}

/// Directions that are held against all rows in one pass over them.
const BATCH: usize = 16;

impl Directions {
    pub(super) fn of(features: &Matrix) -> Self {
        let means = crate::numeric::tiled::column_means(features);
        let unit = |row: usize| {
            let centred: Vec<f64> = features.row(row).iter().zip(&means).map(|(value, mean)| f64::from(*value) - mean).collect();
            let length = sum::dot_lanes(&centred, &centred).sqrt();
            centred.into_iter().map(move |value| if length > 0.0 { (value / length) as f32 } else { 0.0 })
        };
        let mut values = vec![0.0f32; features.values().len()];
        values
            .par_chunks_mut(features.columns().max(1))
            .enumerate()
            .for_each(|(row, values)| values.iter_mut().zip(unit(row)).for_each(|(value, of)| *value = of));
        Directions { units: Matrix::new(features.rows(), features.columns(), values).unwrap_or_default() }
    }

    /// The mean of the directions of rows; 0 of none.
    pub(super) fn centre(&self, rows: &[usize]) -> Vec<f64> {
        let mut mean = vec![0.0; self.units.columns()];
        for &row in rows {
            mean.iter_mut().zip(self.units.row(row)).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        mean.iter_mut().for_each(|sum| *sum /= rows.len().max(1) as f64);
        mean
    }

    /// The direction of a row, less another vector.
    pub(super) fn minus(&self, row: usize, other: &[f64]) -> Vec<f64> {
        self.units.row(row).iter().zip(other).map(|(value, other)| f64::from(*value) - other).collect()
    }

    /// The mean direction of rows, brought to length 1; 0 where they cancel.
    pub(super) fn mean(&self, rows: &[usize]) -> Vec<f64> {
        let mut mean = self.centre(rows);
        let length = sum::dot_lanes(&mean, &mean).sqrt();
        mean.iter_mut().for_each(|value| *value = if length > 0.0 { *value / length } else { 0.0 });
        mean
    }

    /// The cosine of each of these rows with each direction: by direction, by place in `rows`.
    pub(super) fn likeness(&self, rows: &[usize], directions: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let of_row = |&row: &usize| -> Vec<f64> { directions.iter().map(|of| dot_lanes_f32(self.units.row(row), of)).collect() };
        let by_row: Vec<Vec<f64>> = rows.par_iter().with_min_len(64).map(of_row).collect();
        (0..directions.len()).map(|direction| by_row.iter().map(|of| of[direction]).collect()).collect()
    }
}

/// The images whose labels say whether they are wanted. A member is a place among them.
pub(super) struct Gallery {
    /// By member, its row among the images.
    pub rows: Vec<usize>,
    /// By member.
    pub wanted: Vec<bool>,
    /// By member.
    pub identity: Vec<usize>,
}

impl Gallery {
    pub(super) fn of(setting: &Setting, identity: &[usize], wanted: &Expression) -> Self {
        let not_wanted = Expression::Not(Box::new(wanted.clone()));
        let question = Question { measured: Measured::Classes(vec![wanted.clone(), not_wanted]), within: None };
        let members = setting.members(&question);
        let identity = members.rows.iter().map(|&row| identity[row]).collect();
        Gallery { wanted: members.classes[0].clone(), identity, rows: members.rows }
    }

    /// Members that are wanted.
    pub(super) fn positives(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|&member| self.wanted[member]).collect()
    }

    /// Identities of members.
    pub(super) fn identities(&self, members: &[usize]) -> usize {
        members.iter().map(|&member| self.identity[member]).collect::<BTreeSet<_>>().len()
    }

    pub(super) fn unscored(&self) -> Option<Unscored> {
        let positives = self.positives();
        match positives.len() {
            _ if self.rows.is_empty() => Some(Unscored::Unlabelled),
            0 => Some(Unscored::Nobody),
            wanted if wanted == self.rows.len() => Some(Unscored::Everybody),
            _ if self.identities(&positives) < 2 => Some(Unscored::OneIdentity),
            _ => None,
        }
    }

    fn counts(&self, unscored: Option<Unscored>) -> QueryRetrieval {
        let (positives, labelled) = (self.positives(), self.rows.len());
        QueryRetrieval {
            labelled,
            wanted: positives.len(),
            identities: self.identities(&positives),
            prevalence: (labelled > 0).then(|| positives.len() as f64 / labelled as f64),
            by_chance: by_chance(positives.len(), labelled),
            unscored,
            found: vec![],
            groups: vec![],
        }
    }
}

/// What one ranking gives.
struct RankingScore {
    /// The member whose identity the ranking weighs as; `None` weighs 1.
    weighs_as: Option<usize>,
    average_precision: f64,
    /// By replicate.
    resampled: Vec<Option<f64>>,
    /// Found in the first places, those looked at and those wanted: by [`FIRST`].
    first: [[f64; 3]; 2],
}

struct QueryScorer<'a> {
    input: &'a RetrievalInput<'a>,
    gallery: &'a Gallery,
    directions: &'a Directions,
    resampler: Resampler,
}

impl<'a> QueryScorer<'a> {
    fn new(input: &'a RetrievalInput, gallery: &'a Gallery, directions: &'a Directions) -> Self {
        let groups = gallery.identity.iter().map(|identity| Some(*identity));
        let resampler = Resampler::new(groups, input.seed, Purpose::ResampledQueries);
        QueryScorer { input, gallery, directions, resampler }
    }

    /// Every image that is wanted as the example, or as many as are drawn.
    fn examples(&self) -> Vec<RankingScore> {
        let mut examples = self.gallery.positives();
        if examples.len() > MOST_EXAMPLES {
            PhiloxStream::new(self.input.seed, Purpose::RetrievalExamples, 0).shuffle(&mut examples);
            examples.truncate(MOST_EXAMPLES);
            examples.sort_unstable();
        }
        self.by_likeness(&examples.into_iter().map(|example| vec![example]).collect::<Vec<_>>())
    }

    /// Identities are dealt into sets of five, and each gives one of its images.
    fn five_examples(&self) -> FoundBy {
        let mut by_identity: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for member in self.gallery.positives() {
            by_identity.entry(self.gallery.identity[member]).or_default().push(member);
        }
        let mut identities: Vec<Vec<usize>> = by_identity.into_values().collect();
        let mut stream = PhiloxStream::new(self.input.seed, Purpose::RetrievalExamples, 1);
        stream.shuffle(&mut identities);
        let one_of = |images: &Vec<usize>| images[stream.below(images.len() as u64) as usize];
        let dealt: Vec<usize> = identities.iter().map(one_of).collect();
        let sets: Vec<Vec<usize>> = dealt.chunks_exact(EXAMPLES_OF_SET).take(MOST_SETS).map(<[usize]>::to_vec).collect();
        self.told(AskedBy::FiveExamples, &self.by_likeness(&sets))
    }

    /// Rankings by likeness to the mean direction of each set of examples, without whoever is on them.
    fn by_likeness(&self, sets: &[Vec<usize>]) -> Vec<RankingScore> {
        let gallery = self.gallery;
        let mut scores = Vec::with_capacity(sets.len());
        for batch in sets.chunks(BATCH) {
            crate::numeric::pulse::beat();
            let mean =
                |set: &Vec<usize>| self.directions.mean(&set.iter().map(|&member| gallery.rows[member]).collect::<Vec<_>>());
            let likeness = self.directions.likeness(&gallery.rows, &batch.iter().map(mean).collect::<Vec<_>>());
            let score = |(set, likeness): (&Vec<usize>, &Vec<f64>)| {
                let excluded: Vec<usize> = set.iter().map(|&member| gallery.identity[member]).collect();
                let searched = |member: &usize| !excluded.contains(&gallery.identity[*member]);
                let scored = (0..gallery.rows.len()).filter(searched);
                let scored = scored.map(|member| (member as u32, likeness[member], gallery.wanted[member])).collect();
                self.ranked(scored, set.first().copied(), FIRST)
            };
            scores.extend(batch.par_iter().zip(&likeness).filter_map(score).collect::<Vec<_>>());
        }
        scores
    }

    /// `None` where nothing is wanted of what is searched.
    fn ranked(&self, scored: Vec<(u32, f64, bool)>, weighs_as: Option<usize>, first: [usize; 2]) -> Option<RankingScore> {
        let ranking = RankedGallery::new(scored);
        let average_precision = ranking.average_precision()?;
        let resampled = self.resampler.each_of_many(self.input.bootstraps, |weights| [ranking.in_replicates(weights)]);
        let first = first.map(|places| {
            let [found, all] = ranking.found_in_first(places);
            [found, places.min(ranking.len()) as f64, all]
        });
        Some(RankingScore {
            weighs_as,
            average_precision,
            resampled: resampled.into_iter().map(|[value]| value).collect(),
            first,
        })
    }

    /// Each half by a probe that was fitted on the other, both searched for half as many.
    fn probe(&self) -> FoundBy {
        let gallery = self.gallery;
        let halves = halves_and_folds(gallery, self.input.seed).half;
        let (mut target, mut fold) = (vec![None; self.input.features.rows()], vec![0; self.input.features.rows()]);
        for (member, &row) in gallery.rows.iter().enumerate() {
            (target[row], fold[row]) = (Some(gallery.wanted[member]), usize::from(halves[member] == Half::B));
        }
        let log_odds = probe(self.input.features, &[ProbeTask { target: &target, fold: &fold, weight: None }]).remove(0);
        let of_half = |half: Half| {
            let members = (0..gallery.rows.len()).filter(|&member| halves[member] == half);
            let scored: Vec<(u32, f64, bool)> =
                members.map(|member| (member as u32, log_odds[gallery.rows[member]], gallery.wanted[member])).collect();
            let known = scored.iter().all(|(_, score, _)| !score.is_nan());
            known.then(|| self.ranked(scored, None, FIRST.map(|places| places / 2))).flatten()
        };
        // Without both, half of the people were never searched.
        let rankings: Vec<RankingScore> = [Half::A, Half::B].into_iter().map(of_half).collect::<Option<_>>().unwrap_or_default();
        self.told(AskedBy::Probe, &rankings)
    }

    fn told(&self, by: AskedBy, rankings: &[RankingScore]) -> FoundBy {
        let all: Vec<&RankingScore> = rankings.iter().collect();
        let average_precision = self.estimate(&all, if by == AskedBy::FiveExamples { EXAMPLES_OF_SET } else { 1 });
        let gallery = self.gallery;
        let prevalence = gallery.positives().len() as f64 / gallery.rows.len() as f64;
        let at_first = |(place, first): (usize, usize)| {
            let total = |part: usize| sum::sum(&rankings.iter().map(|of| of.first[place][part]).collect::<Vec<_>>());
            let [found, looked_at, wanted] = [0, 1, 2].map(total);
            AtFirst { first, recall: found / wanted, precision: found / looked_at }
        };
        let first = if rankings.is_empty() { vec![] } else { FIRST.into_iter().enumerate().map(at_first).collect() };
        let lift = average_precision.map(|of| of.value / prevalence);
        FoundBy { by, rankings: rankings.len(), average_precision, lift, first }
    }

    /// The single examples of a group of people.
    fn group(&self, group: &[(String, String)], is_in: &[bool], examples: &[RankingScore]) -> GroupRetrieval {
        let gallery = self.gallery;
        let is_of = |of: &&RankingScore| of.weighs_as.is_some_and(|member| is_in[gallery.rows[member]]);
        let own: Vec<&RankingScore> = examples.iter().filter(is_of).collect();
        let members: Vec<usize> = own.iter().filter_map(|of| of.weighs_as).collect();
        GroupRetrieval {
            group: group.to_vec(),
            examples: own.len(),
            identities: gallery.identities(&members),
            average_precision: self.estimate(&own, 1),
        }
    }

    /// The mean of rankings with its interval; without one of fewer than [`LEAST_IDENTITIES`]. `of_each`: identities that an example is of.
    fn estimate(&self, rankings: &[&RankingScore], of_each: usize) -> Option<Estimate> {
        if rankings.is_empty() {
            return None;
        }
        let value = sum::mean(&rankings.iter().map(|of| of.average_precision).collect::<Vec<_>>());
        let examples: Vec<usize> = rankings.iter().filter_map(|of| of.weighs_as).collect();
        let wanted = self.gallery.identities(&self.gallery.positives());
        // Those who are wanted are always few; examples may be fewer.
        let independent = if examples.is_empty() { wanted } else { self.gallery.identities(&examples) };
        if wanted < LEAST_IDENTITIES || independent * of_each < LEAST_IDENTITIES {
            return Some(Estimate::bare(value));
        }
        let weights = self.weights(rankings);
        let replicate = |replicate: usize| {
            let (mut sum, mut all) = (0.0, 0.0);
            for (of, weight) in rankings.iter().zip(&weights) {
                if let Some(value) = of.resampled[replicate] {
                    let weight = weight.as_ref().map_or(1.0, |weight| weight[replicate]);
                    (sum, all) = (sum + weight * value, all + weight);
                }
            }
            (all > 0.0).then(|| sum / all)
        };
        let resampled: Vec<f64> = (0..rankings[0].resampled.len()).filter_map(replicate).collect();
        Some(log_odds_interval(value, &resampled, (independent - 1) as f64))
    }

    /// By ranking, by replicate: how often the identity of its example was drawn.
    fn weights(&self, rankings: &[&RankingScore]) -> Vec<Option<Vec<f64>>> {
        let of_member = |member: usize| {
            let drawn = self
                .resampler
                .each_of_many(self.input.bootstraps, |weights| [weights.of(member).map(|times| Some(f64::from(times)))]);
            drawn.into_iter().map(|[times]| times.unwrap_or_default()).collect()
        };
        rankings.iter().map(|of| of.weighs_as.map(of_member)).collect()
    }
}

/// Halves and folds of members, by identities.
pub(super) fn halves_and_folds(gallery: &Gallery, seed: u64) -> Split {
    let not_wanted = gallery.wanted.iter().map(|wanted| !wanted).collect();
    let classes = vec![gallery.wanted.clone(), not_wanted];
    split(&Members { rows: (0..gallery.rows.len()).collect(), classes, ..Members::default() }, &gallery.identity, seed)
}

/// A share with the interval of its log-odds: their standard error follows from that of replicates, times Student's t. Bare where nothing
/// varies, or the share is 0 or 1.
fn log_odds_interval(value: f64, resampled: &[f64], degrees: f64) -> Estimate {
    if resampled.len() < 2 || value <= 0.0 || value >= 1.0 {
        return Estimate::bare(value);
    }
    let error = deviation(resampled) / (value * (1.0 - value));
    let reach = student::quantile(0.025, degrees) * error;
    let (at, share) = (ln(value / (1.0 - value)), |log_odds: f64| 1.0 / (1.0 + exp(-log_odds)));
    Estimate::new(value, share(at - reach).min(value), share(at + reach).max(value))
}

#[cfg(test)]
mod tests;
