//! What features retain of each question when their pictures are altered: the probes of the originals, asked of the altered features of the
//! images that they were not trained on. Retained is (AUC′ − ½) / (AUC − ½). What is compared are answers of one probe, never distances or
//! angles of features, which an alteration may move without anything being lost.
//!
//! Halves, folds, probes and resamples are those of the feature scores, so the AUC of the originals is theirs, with its interval. Identities
//! are drawn once for both AUCs. What a model attends to is summed over questions, so identities are drawn there for all questions at once.

use super::{
    feature_scores::{ProbeRows, by_members},
    knn::{ScoredFolds, ScoredPools},
    per_view::ViewScorer,
    probe::FittedProbes,
};
use crate::{
    domain::{
        Fault, Result,
        alteration::{Alteration, Cue},
        retained::{AlteredAnswer, AttendedCues, CueShare, NothingToRetain, RetainedAnswer, RetainedSignal},
        score::Estimate,
        stage::MeasureRetained,
    },
    numeric::{Matrix, Purpose},
    scoring::{
        design::{
            EvaluationDesign,
            members::{Setting, groups},
            resample::{REPLICATES, ReplicateWeights, Resampler, sorted},
            split::Pool,
        },
        inference::{bootstrap, difference::difference, ratio::ratio},
    },
};
use rayon::prelude::*;

/// The originals, and every alteration.
const SETS: usize = Alteration::ALL.len() + 1;

/// Of one replicate, the AUCs of the originals, then of the alterations.
type ReplicateAucs = [Option<f64>; SETS];

/// Asks the probes of `features` (N × D, rows in the order of the setting's images) of the same images' altered features: `altered` gives those
/// of an alteration, by its place.
///
/// Beside the signal it gives the AUCs of every replicate of identities that were drawn for all questions: replicates × (questions × sets), of each
/// question that of the originals, then that of each alteration; NaN where there is nothing to retain, or the replicate lacks a class.
///
/// # Errors
/// Altered features that cannot be read, or are of another shape than those of the originals.
pub fn retained_signal(
    setting: &Setting,
    features: &Matrix,
    stage: &MeasureRetained,
    altered: impl Fn(usize) -> Result<Matrix>,
) -> Result<(RetainedSignal, Matrix)> {
    let design = |question| EvaluationDesign::new(setting, question, &stage.statistics, stage.seed);
    let designs: Vec<EvaluationDesign> = stage.questions.par_iter().map(design).collect();
    let rows = ProbeRows::of(&designs, features.rows());
    let tasks = rows.tasks();
    let fitted = FittedProbes::of(features, &tasks);
    // By set of features, by question, by pair of classes, by member.
    let mut decisions = vec![by_members(fitted.decisions(features), &designs)];
    for (place, alteration) in stage.alterations.iter().enumerate() {
        let altered = altered(place)?;
        if (altered.rows(), altered.columns()) != (features.rows(), features.columns()) {
            return Err(Fault::unexpected(format!("the features of {} pictures have another shape", alteration.title())));
        }
        decisions.push(by_members(fitted.decisions(&altered), &designs));
    }
    let people = Resampler::new(groups(setting).into_iter().map(Some), stage.seed, Purpose::ResampledCues);
    let mut answers = Vec::new();
    let mut known = KnownInAll::new(stage.statistics.bootstraps);
    let columns = resampled_column(designs.len(), 0, stage.alterations.len());
    let mut resampled = vec![f32::NAN; stage.statistics.bootstraps * columns];
    for (question, design) in designs.iter().enumerate() {
        let scorer = ViewScorer::new(design);
        // One question after the other, so that no more than one keeps its resamples.
        let scored: Vec<ScoredPools> = decisions.iter().map(|of| scorer.sort_held_out(&of[question])).collect();
        let answer = retained_answer(&scorer, &scored, &stage.alterations);
        if answer.nothing.is_none() {
            let whole: Vec<&ScoredFolds> = scored.iter().map(|pools| &pools[Pool::Whole.index()]).collect();
            let own: Vec<u32> = design.members.rows.iter().map(|&row| people.identity(row) as u32).collect();
            let replicates = people.each_of_many(stage.statistics.bootstraps, |of| {
                aucs(&whole, ReplicateWeights { multiplicities: of.multiplicities, identity: &own })
            });
            let first = resampled_column(question, 0, stage.alterations.len());
            for (row, aucs) in resampled.chunks_exact_mut(columns).zip(&replicates) {
                let of_question = row[first..].iter_mut().zip(&aucs[..whole.len()]);
                of_question.for_each(|(value, auc)| *value = auc.map_or(f32::NAN, |auc| auc as f32));
            }
            known.add(question, whole.iter().map(|of| of.mean_and_least()[0]), &replicates);
        }
        answers.push(answer);
    }
    let cues = known.cues(&stage.alterations, answers.len());
    let signal = RetainedSignal { format: 1, alterations: stage.alterations.clone(), answers, cues };
    let resampled = Matrix::new(stage.statistics.bootstraps, columns, resampled);
    Ok((signal, resampled.ok_or_else(|| Fault::unexpected("replicates of another number"))?))
}

/// Where the AUC of a question stands in a row of replicates; `set`: 0 of the originals, else of the alteration before.
pub(crate) fn resampled_column(question: usize, set: usize, alterations: usize) -> usize {
    question * (alterations + 1) + set
}

/// What is held against each other to say what a cue is worth.
#[derive(Clone, Copy)]
pub(crate) struct CueSets {
    /// The alteration that speaks for the cue.
    pub(crate) by: Alteration,
    /// The set with the cue: the originals; of shape the control, which has the borders that shuffling makes.
    pub(crate) with: usize,
    /// The set without it.
    pub(crate) without: usize,
}

impl CueSets {
    /// `None` where no alteration speaks for the cue.
    pub(crate) fn of(cue: Cue, alterations: &[Alteration]) -> Option<Self> {
        let set = |of: Alteration| alterations.iter().position(|other| *other == of).map(|place| place + 1);
        let by = cue.spoken_for(alterations)?;
        let control = set(Alteration::EdgeArtefact).filter(|_| cue == Cue::Shape);
        Some(CueSets { by, with: control.unwrap_or(0), without: set(by)? })
    }
}

/// The mean AUC over pairs of each set, in [`REPLICATES`] replicates.
fn aucs(sets: &[&ScoredFolds], weights: ReplicateWeights) -> [[Option<f64>; REPLICATES]; SETS] {
    let of_set = |set: usize| match sets.get(set) {
        Some(folds) => folds.mean_and_least_in_replicates(weights).map(|[mean, _]| mean),
        None => [None; REPLICATES],
    };
    std::array::from_fn(of_set)
}

/// `scored`: the originals, then the alterations.
pub(crate) fn retained_answer(scorer: &ViewScorer, scored: &[ScoredPools], alterations: &[Alteration]) -> RetainedAnswer {
    let design = scorer.design;
    if design.members.quantity.is_some() {
        let nothing = AlteredAnswer { auc: None, retained: None, beyond_control: None };
        return RetainedAnswer { auc: None, nothing: Some(NothingToRetain::Quantity), altered: vec![nothing; alterations.len()] };
    }
    let whole: Vec<&ScoredFolds> = scored.iter().map(|pools| &pools[Pool::Whole.index()]).collect();
    let resampler = design.resampler(Pool::Whole);
    let replicates: Vec<ReplicateAucs> = resampler.each_of_many(design.statistics.bootstraps, |weights| aucs(&whole, weights));
    let of_set = |set: usize| sorted(replicates.iter().filter_map(|of| of[set]).collect());
    let estimates: Vec<Option<Estimate>> =
        scored.iter().enumerate().map(|(set, pools)| scorer.mean_of(pools, Pool::Whole, &of_set(set))).collect();
    let nothing = nothing_to_retain(estimates[0]);
    let above = |set: usize| estimates[set].map(above_chance).filter(|_| nothing.is_none());
    let pairs =
        |set: usize| -> Vec<[f64; 2]> { replicates.iter().filter_map(|of| Some([of[set]? - 0.5, of[0]? - 0.5])).collect() };
    let retained: Vec<Option<Estimate>> = (1..scored.len()).map(|set| ratio(above(set)?, above(0)?, &pairs(set))).collect();
    let control = alterations.iter().position(|of| *of == Alteration::EdgeArtefact);
    let beyond_control = |place: usize| {
        let control = control.filter(|_| alterations[place].makes_borders())?;
        let share = |of: &ReplicateAucs, place: usize| Some((of[place + 1]? - 0.5) / (of[0]? - 0.5));
        let both = replicates.iter().filter(|of| of[0].is_some_and(|auc| auc > 0.5));
        let both: Vec<[f64; 2]> = both.filter_map(|of| Some([share(of, place)?, share(of, control)?])).collect();
        Some(difference(retained[place]?, retained[control]?, &both).0)
    };
    let altered = |place: usize| AlteredAnswer {
        auc: estimates[place + 1],
        retained: retained[place],
        beyond_control: beyond_control(place),
    };
    RetainedAnswer { auc: estimates[0], nothing, altered: (0..alterations.len()).map(altered).collect() }
}

/// Why there is nothing to retain of an AUC.
fn nothing_to_retain(auc: Option<Estimate>) -> Option<NothingToRetain> {
    match auc.and_then(Estimate::low) {
        None => Some(NothingToRetain::TooFew),
        Some(low) => (low <= 0.5).then_some(NothingToRetain::NotKnown),
    }
}

/// How far above chance an AUC is.
fn above_chance(auc: Estimate) -> Estimate {
    match auc.interval {
        Some(of) => Estimate::new(auc.value - 0.5, of.low - 0.5, of.high - 0.5),
        None => Estimate::bare(auc.value - 0.5),
    }
}

/// What is known of all questions together: sums over questions of AUC − ½, of the originals and of each alteration.
struct KnownInAll {
    questions: Vec<usize>,
    /// In the sample.
    sums: [f64; SETS],
    /// By replicate.
    resampled: Vec<[f64; SETS]>,
}

impl KnownInAll {
    fn new(replicates: usize) -> Self {
        KnownInAll { questions: vec![], sums: [0.0; SETS], resampled: vec![[0.0; SETS]; replicates] }
    }

    /// Adds a question. A replicate in which one of its AUCs is not defined leaves it out.
    fn add(&mut self, question: usize, own: impl Iterator<Item = Option<f64>>, replicates: &[ReplicateAucs]) {
        let own: Option<Vec<f64>> = own.collect();
        let Some(own) = own else { return };
        self.questions.push(question);
        self.sums.iter_mut().zip(&own).for_each(|(sum, auc)| *sum += auc - 0.5);
        for (sums, aucs) in self.resampled.iter_mut().zip(replicates) {
            if aucs[..own.len()].iter().all(Option::is_some) {
                sums.iter_mut().zip(aucs[..own.len()].iter().flatten()).for_each(|(sum, auc)| *sum += auc - 0.5);
            }
        }
    }

    fn cues(self, alterations: &[Alteration], asked: usize) -> AttendedCues {
        let left_out = asked - self.questions.len();
        let share = |cue: Cue| {
            let CueSets { by, with, without } = CueSets::of(cue, alterations)?;
            let lost = |sums: &[f64; SETS]| (sums[0] > 0.0).then(|| (sums[with] - sums[without]) / sums[0]);
            let value = lost(&self.sums)?;
            let resampled = sorted(self.resampled.iter().filter_map(lost).collect());
            let lost = bootstrap::interval(value, &resampled).unwrap_or(Estimate::bare(value));
            Some(CueShare { cue, by, lost })
        };
        let shares = if self.questions.is_empty() { vec![] } else { Cue::ALL.into_iter().filter_map(share).collect() };
        AttendedCues { counted: self.questions.len(), questions: self.questions, left_out, shares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            comparison::{Measured, Question},
            image::{Column, Images, Labels},
            score::Statistics,
        },
        numeric::PhiloxStream,
        scoring::score_features,
    };

    const IMAGES: usize = 400;
    const ATTRIBUTES: [&str; 4] = ["colour", "texture", "shape", "noise"];

    struct Planted {
        images: Images,
        labels: Labels,
        /// A column an attribute, and some that say nothing.
        features: Matrix,
    }

    fn id(image: usize) -> String {
        format!("{image:04}")
    }

    /// Each attribute but the last is in one column of the features, and goes with no other.
    fn planted() -> Planted {
        let mut stream = PhiloxStream::for_test(8, 0);
        let mut labels = Labels::default();
        let mut values = vec![0.0; IMAGES * 6];
        for (place, attribute) in ATTRIBUTES.into_iter().enumerate() {
            let has: Vec<bool> =
                (0..IMAGES).map(|image| if place < 3 { image >> place & 1 == 1 } else { stream.uniform() < 0.5 }).collect();
            for (image, has) in has.iter().enumerate() {
                let planted = if *has && place < 3 { 1.5 } else { 0.0 };
                values[image * 6 + place] = (planted + stream.normals(1.0)[0]) as f32;
            }
            let column: Column = has.iter().enumerate().map(|(image, has)| (id(image), u8::from(*has).to_string())).collect();
            labels.insert(attribute.to_owned(), column);
        }
        values.iter_mut().skip(4).step_by(6).for_each(|value| *value = stream.normals(1.0)[0] as f32);
        let images = Images((0..IMAGES).map(|image| (id(image), None)).collect());
        Planted { images, labels, features: Matrix::new(IMAGES, 6, values).unwrap() }
    }

    fn stage(alterations: &[Alteration]) -> MeasureRetained {
        let classes = |of: &str| Measured::Classes(vec![of.parse().unwrap(), format!("not {of}").parse().unwrap()]);
        let mut questions: Vec<Question> = ATTRIBUTES.iter().map(|of| Question { measured: classes(of), within: None }).collect();
        questions.push(Question { measured: Measured::Quantity("colour".into()), within: None });
        let statistics = Statistics { bootstraps: 200, ..Statistics::default() };
        MeasureRetained { questions, alterations: alterations.to_vec(), statistics, seed: 5 }
    }

    /// The features with one column as if nothing were known of it.
    fn without(features: &Matrix, column: Option<usize>) -> Matrix {
        let mut values = features.values().to_vec();
        if let Some(column) = column {
            values.iter_mut().skip(column).step_by(6).for_each(|value| *value = 0.75);
        }
        Matrix::new(features.rows(), 6, values).unwrap()
    }

    fn measured(alterations: &[Alteration]) -> RetainedSignal {
        let Planted { images, labels, features } = planted();
        let setting = Setting { images: &images, labels: &labels, identities: None };
        let stage = stage(alterations);
        let altered = |place: usize| {
            Ok(without(
                &features,
                match stage.alterations[place] {
                    Alteration::Grey => Some(0),
                    Alteration::Blurred => Some(1),
                    Alteration::PatchShuffled => Some(2),
                    _ => None,
                },
            ))
        };
        retained_signal(&setting, &features, &stage, altered).unwrap().0
    }

    const CARRIED_OUT: [Alteration; 4] =
        [Alteration::Grey, Alteration::Blurred, Alteration::PatchShuffled, Alteration::EdgeArtefact];

    #[test]
    fn what_is_planted_in_one_cue_is_lost_without_it_and_with_no_other() {
        let signal = measured(&CARRIED_OUT);
        for question in 0..3 {
            let answer = &signal.answers[question];
            assert_eq!(answer.nothing, None);
            for (place, altered) in answer.altered.iter().enumerate() {
                let retained = altered.retained.unwrap().interval.unwrap();
                if place == question {
                    assert!(retained.low < 0.1 && retained.high < 0.5, "{question} {altered:?}");
                } else {
                    assert!(retained.low > 0.8 && retained.low < 1.0 && 1.0 < retained.high, "{question} {place} {altered:?}");
                }
            }
        }
        let beyond = signal.answers[2].altered[2].beyond_control.unwrap();
        assert!(beyond.low().unwrap() > 0.5, "{beyond:?}");
        assert!(signal.answers[2].altered[0].beyond_control.is_none(), "grey makes no borders");
        let cues = &signal.cues;
        assert_eq!((&cues.questions[..], cues.left_out), (&[0, 1, 2][..], 2));
        let found: Vec<(Cue, Alteration)> = cues.shares.iter().map(|of| (of.cue, of.by)).collect();
        assert_eq!(
            found,
            [(Cue::Colour, Alteration::Grey), (Cue::Texture, Alteration::Blurred), (Cue::Shape, Alteration::PatchShuffled)]
        );
        for of in &cues.shares {
            assert!(of.lost.low().unwrap() > 0.2 && of.lost.high().unwrap() < 0.5, "a third each: {of:?}");
        }
    }

    #[test]
    fn the_originals_score_as_the_probes_of_the_feature_scores_do_and_the_same_pictures_retain_all() {
        let Planted { images, labels, features } = planted();
        let setting = Setting { images: &images, labels: &labels, identities: None };
        let stage = stage(&[Alteration::Edges]);
        let signal = retained_signal(&setting, &features, &stage, |_| Ok(features.clone())).unwrap().0;
        let scored = score_features(&setting, &features, &stage.questions, &stage.statistics, stage.seed).scores;
        for (question, (own, of)) in signal.answers.iter().zip(&scored.answers).enumerate() {
            assert_eq!(own.auc, of.probe.as_ref().and_then(|probe| probe.whole), "{question}");
            assert_eq!(own.altered[0].auc, own.auc);
            assert!(own.altered[0].retained.is_none_or(|of| (of.value - 1.0).abs() < 1e-12));
        }
    }

    #[test]
    fn of_noise_and_of_a_quantity_there_is_nothing_to_retain() {
        let signal = measured(&CARRIED_OUT);
        assert_eq!(signal.answers[3].nothing, Some(NothingToRetain::NotKnown));
        assert_eq!(signal.answers[4].nothing, Some(NothingToRetain::Quantity));
        assert!(signal.answers[3..].iter().flat_map(|of| &of.altered).all(|of| of.retained.is_none()));
        assert!(signal.answers[3].altered[0].auc.is_some(), "what is measured is said");
    }

    #[test]
    fn the_bits_depend_on_no_thread() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| serde_json::to_string(&measured(&CARRIED_OUT)).unwrap())
        };
        assert_eq!(with(1), with(4));
    }

    #[test]
    fn features_of_another_shape_are_refused() {
        let Planted { images, labels, features } = planted();
        let setting = Setting { images: &images, labels: &labels, identities: None };
        let narrow = |_| Ok(Matrix::new(IMAGES, 1, vec![0.0; IMAGES]).unwrap());
        let fault = retained_signal(&setting, &features, &stage(&[Alteration::Grey]), narrow).unwrap_err();
        assert!(fault.what.contains("grey"), "{fault}");
    }
}
