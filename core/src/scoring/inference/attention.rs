//! How much more one side of a contrast attends to a cue than the other: of what both know, the share that each loses without the cue.
//! Identities are drawn once for all models, so the difference is paired.

use super::{fdr::q_values, side_difference::SideDifference};
use crate::{
    domain::{
        alteration::Cue,
        attention::{AttentionContrast, AttentionDifference},
        contrast::ContrastSides,
        index::ModelIx,
        retained::RetainedSignal,
    },
    numeric::{Matrix, sum},
    scoring::estimators::retained::{CueSets, resampled_column},
};
use std::collections::BTreeMap;

/// More replicates than a study can ask for.
const MOST_REPLICATES: usize = 1_000_000;

/// What a model retains, at one layer.
pub struct ModelRetains {
    model: ModelIx,
    /// In the sample.
    signal: RetainedSignal,
    /// In every replicate.
    resampled: Matrix,
}

impl ModelRetains {
    /// `resampled`: [`MeasureRetained::RESAMPLED`](crate::domain::stage::MeasureRetained::RESAMPLED). `None` where it does not fit the
    /// signal.
    pub fn new(model: ModelIx, signal: RetainedSignal, resampled: Matrix) -> Option<Self> {
        let columns = resampled_column(signal.answers.len(), 0, signal.alterations.len());
        let questions = &signal.cues.questions;
        let are_asked =
            questions.is_sorted_by(|one, next| one < next) && questions.last().is_none_or(|last| *last < signal.answers.len());
        let fits = resampled.columns() == columns && resampled.rows() <= MOST_REPLICATES && are_asked;
        fits.then_some(ModelRetains { model, signal, resampled })
    }
}

/// Every pair of sides whose models are all there.
pub fn attention_contrasts(models: &[ModelRetains], held: &[ContrastSides]) -> Vec<AttentionContrast> {
    let contrasts = held.iter().enumerate().filter_map(|(place, sides)| contrast(models, place, sides));
    let mut contrasts: Vec<AttentionContrast> = contrasts.collect();
    let p: Vec<f64> = contrasts.iter().flat_map(|of| &of.cues).map(|of| of.p).collect();
    contrasts.iter_mut().flat_map(|of| &mut of.cues).zip(q_values(&p)).for_each(|(of, q)| of.q = q);
    contrasts
}

fn contrast(models: &[ModelRetains], held: usize, sides: &ContrastSides) -> Option<AttentionContrast> {
    if sides.left.is_empty() || sides.right.is_empty() {
        return None;
    }
    let known: BTreeMap<ModelIx, &ModelRetains> = models.iter().map(|of| (of.model, of)).collect();
    let of = |model: ModelIx| known.get(&model).copied();
    let all: Vec<&ModelRetains> = sides.left.iter().chain(&sides.right).map(|&model| of(model)).collect::<Option<_>>()?;
    let first = &all.first()?.signal;
    let is_known_by_all = |question: &usize| all.iter().all(|of| of.signal.cues.questions.binary_search(question).is_ok());
    let questions: Vec<usize> = first.cues.questions.iter().copied().filter(is_known_by_all).collect();
    let replicates = all.iter().map(|of| of.resampled.rows()).min()?;
    let difference = |cue: Cue| {
        let sets = CueSets::of(cue, &first.alterations)?;
        if all.iter().any(|of| of.signal.alterations != first.alterations) {
            return None;
        }
        let lost = |model: ModelIx, replicate: Option<usize>| of(model)?.lost(sets, &questions, replicate);
        let (difference, p) = SideDifference::of(sides, replicates, &lost)?.interval_and_p()?;
        let mean = |side: &[ModelIx]| {
            let values: Option<Vec<f64>> = side.iter().map(|&model| lost(model, None)).collect();
            values.map(|values| sum::mean(&values))
        };
        let (left, right) = (mean(&sides.left)?, mean(&sides.right)?);
        Some(AttentionDifference { cue, by: sets.by, left, right, difference, p, q: 1.0 })
    };
    Some(AttentionContrast {
        held,
        models: all.iter().map(|of| of.model).collect(),
        counted: questions.len(),
        left_out: first.answers.len().saturating_sub(questions.len()),
        cues: Cue::ALL.into_iter().filter_map(difference).collect(),
        questions,
    })
}

impl ModelRetains {
    /// The share of what the model knows of these questions that is lost, in the sample or in a replicate, which leaves out a question whose
    /// classes it does not hold. `None` where nothing is known.
    fn lost(&self, sets: CueSets, questions: &[usize], replicate: Option<usize>) -> Option<f64> {
        let auc = |question: usize, set: usize| match replicate {
            None => {
                let answer = self.signal.answers.get(question)?;
                let altered = |set: usize| answer.altered.get(set - 1).and_then(|of| of.auc);
                Some(if set == 0 { answer.auc } else { altered(set) }?.value)
            }
            Some(replicate) => {
                let column = resampled_column(question, set, self.signal.alterations.len());
                let auc = *self.resampled.row(replicate).get(column)?;
                auc.is_finite().then_some(f64::from(auc))
            }
        };
        let of = |question: usize| Some([auc(question, 0)?, auc(question, sets.with)?, auc(question, sets.without)?]);
        let sums = questions
            .iter()
            .filter_map(|&question| of(question))
            .fold([0.0; 2], |[known, lost], [own, with, without]| [known + own - 0.5, lost + with - without]);
        (sums[0] > 0.0).then(|| sums[1] / sums[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            alteration::Alteration,
            retained::{AlteredAnswer, AttendedCues, NothingToRetain, RetainedAnswer},
            score::Estimate,
        },
        numeric::PhiloxStream,
    };

    const REPLICATES: usize = 400;
    const GREY: [Alteration; 1] = [Alteration::Grey];

    /// A model with these AUCs of the originals and of grey pictures, one pair a question. What identities do to an AUC is `shared` by all models,
    /// and a little is the model's own.
    fn model(place: usize, aucs: &[[f64; 2]], known: &[usize], shared: u64) -> ModelRetains {
        let mut all = PhiloxStream::for_test(shared, 0);
        let mut own = PhiloxStream::for_test(shared, 1 + place as u64);
        let mut values = vec![f32::NAN; REPLICATES * aucs.len() * 2];
        for row in values.chunks_exact_mut(aucs.len() * 2) {
            for question in known {
                let moved = 0.02 * all.normals(1.0)[0];
                for (set, auc) in aucs[*question].iter().enumerate() {
                    row[resampled_column(*question, set, 1)] = (auc + moved + 0.004 * own.normals(1.0)[0]) as f32;
                }
            }
        }
        let answer = |(place, [auc, grey]): (usize, &[f64; 2])| RetainedAnswer {
            auc: Some(Estimate::bare(*auc)),
            nothing: (!known.contains(&place)).then_some(NothingToRetain::NotKnown),
            altered: vec![AlteredAnswer { auc: Some(Estimate::bare(*grey)), retained: None, beyond_control: None }],
        };
        let signal = RetainedSignal {
            format: 1,
            alterations: GREY.into(),
            answers: aucs.iter().enumerate().map(answer).collect(),
            cues: AttendedCues {
                questions: known.into(),
                counted: known.len(),
                left_out: aucs.len() - known.len(),
                shares: vec![],
            },
        };
        let resampled = Matrix::new(REPLICATES, aucs.len() * 2, values).unwrap();
        ModelRetains::new(place.into(), signal, resampled).unwrap()
    }

    fn sides(left: &[usize], right: &[usize]) -> ContrastSides {
        let places = |of: &[usize]| of.iter().map(|&place| ModelIx(place)).collect();
        ContrastSides { contrast: 0, left: places(left), right: places(right) }
    }

    #[test]
    fn who_loses_more_without_colour_attends_to_it_more_on_what_both_know() {
        // The second question is the left side's alone: it does not count, though all of it is colour there.
        let models = [model(0, &[[0.9, 0.85], [0.9, 0.5]], &[0, 1], 3), model(1, &[[0.8, 0.6], [0.5, 0.5]], &[0], 3)];
        let found = attention_contrasts(&models, &[sides(&[0], &[1]), sides(&[1], &[0]), sides(&[0], &[2])]);
        assert_eq!(found.iter().map(|of| of.held).collect::<Vec<_>>(), [0, 1], "a model that is not there is in no contrast");
        assert_eq!((&found[0].questions[..], found[0].counted, found[0].left_out), (&[0][..], 1, 1));
        let of = found[0].cues[0];
        assert_eq!((of.cue, of.by), (Cue::Colour, Alteration::Grey));
        assert!((of.left - 0.125).abs() < 1e-12 && (of.right - 2.0 / 3.0).abs() < 1e-12, "{of:?}");
        let interval = of.difference.interval.unwrap();
        assert!(interval.low > 0.4 && interval.high < 0.7 && of.is_shown(), "{of:?}");
        let turned = found[1].cues[0];
        assert!((turned.difference.value + of.difference.value).abs() < 1e-12 && turned.is_shown(), "{turned:?}");
    }

    #[test]
    fn models_that_lose_as_much_are_told_apart_in_one_of_twenty_samples() {
        // The sample itself errs as its replicates do.
        let runs = 300;
        let shown = (0..runs).filter(|run| {
            let mut drawn = PhiloxStream::for_test(100 + run, 9);
            let shared = 0.02 * drawn.normals(1.0)[0];
            let mut auc = |of: f64| of + shared + 0.004 * drawn.normals(1.0)[0];
            let models = [0, 1].map(|place| model(place, &[[auc(0.9), auc(0.7)]], &[0], 1000 + run));
            attention_contrasts(&models, &[sides(&[0], &[1])])[0].cues[0].p <= 0.05
        });
        let share = shown.count() as f64 / runs as f64;
        assert!((0.02..0.09).contains(&share), "{share}");
    }

    #[test]
    fn sides_that_were_altered_in_other_ways_and_hostile_numbers_are_held_against_nothing() {
        let mut other = model(1, &[[0.8, 0.6]], &[0], 3);
        other.signal.alterations = vec![Alteration::HueTurned];
        let models = [model(0, &[[0.9, 0.85]], &[0], 3), other];
        assert!(attention_contrasts(&models, &[sides(&[0], &[1])])[0].cues.is_empty());
        let ModelRetains { model, signal, resampled } = self::model(1, &[[0.8, 0.6]], &[0], 3);
        let without = Matrix::new(0, 2, vec![]).unwrap();
        let asked = |questions: &[usize]| {
            let cues = AttendedCues { questions: questions.into(), ..signal.cues.clone() };
            RetainedSignal { cues, ..signal.clone() }
        };
        for questions in [&[0, 1_000_000][..], &[usize::MAX], &[0, 0]] {
            assert!(ModelRetains::new(model, asked(questions), resampled.clone()).is_none(), "{questions:?}");
        }
        assert!(ModelRetains::new(model, signal.clone(), Matrix::new(2, 1, vec![0.5; 2]).unwrap()).is_none());
        let unsampled = ModelRetains::new(model, signal.clone(), without).unwrap();
        let models = [self::model(0, &[[0.9, 0.85]], &[0], 3), unsampled];
        let found = attention_contrasts(&models, &[sides(&[0], &[1]), sides(&[], &[1])]);
        assert!(found.iter().all(|of| of.cues.is_empty()), "{found:?}");
    }
}
