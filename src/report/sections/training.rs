//! What networks learned: verification of identities that they were not trained on, and how training went.

use super::{
    Section,
    summary::{BestVerification, VerifiedModel},
    training_set::{TrainingSet, fact, last_fact},
};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims},
        phrase::Phrase,
        source::{Drawing, ReportSource},
        words,
    },
    study::Step,
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{Result, claim::NumberForm, index::ModelIx, score::Estimate, study::Validation};

#[derive(Serialize)]
pub(crate) struct Training {
    /// Of the evaluation: images, identities.
    images: ClaimId,
    identities: ClaimId,
    sets: Vec<ShownSet>,
    has_curves: bool,
    rows: Vec<TrainingRow>,
    /// The rows of the models that verify best, the highest AUC first.
    #[serde(skip)]
    best: Vec<usize>,
}

/// A data set, and some of its pictures.
#[derive(Serialize)]
struct ShownSet {
    name: String,
    /// What networks learned from; of the evaluation nothing.
    learned: Option<TrainingSet>,
    /// The models that learned from it.
    models: Vec<String>,
    pictures: Drawing,
}

#[derive(Serialize)]
struct TrainingRow {
    model: String,
    auc: Option<EstimateClaims>,
    /// The share of pairs of one identity that is accepted where one pair of two in a hundred is.
    accepted: Option<EstimateClaims>,
    /// What it was trained on; nothing where it was not trained here.
    trained_on: Option<TrainingSet>,
    accuracy: Option<ClaimId>,
    held_out: Option<HeldOut>,
    verdict: Option<Phrase>,
    curves: Option<Drawing>,
}

/// How well a network told identities apart that were held out of its training.
#[derive(Serialize)]
struct HeldOut {
    /// The epoch whose weights are kept.
    kept: ClaimId,
    /// Their AUC then.
    auc: ClaimId,
    /// Pictures of them.
    images: ClaimId,
    /// It is the highest of all epochs: it flatters.
    is_highest: bool,
    /// The training accuracy of that epoch.
    #[serde(skip)]
    accuracy: Option<ClaimId>,
}

impl HeldOut {
    /// `None` where none were held out.
    fn of(source: &ReportSource, model: ModelIx) -> Option<Self> {
        let manifest = source.outcome.results.result(Step::Train { model })?;
        let kept = (*manifest.fact("kept_epoch").first()? as usize).checked_sub(1)?;
        let claim = |name: &str, at: usize, what: &str, form: NumberForm| fact(source, model, name, at, what, form);
        Some(HeldOut {
            kept: claim("kept_epoch", 0, "epoch whose weights are kept", NumberForm::Count)?,
            auc: claim("validation", kept, "AUC of held-out identities", NumberForm::Score)?,
            images: claim("held_out_images", 0, "images of held-out identities", NumberForm::Count)?,
            is_highest: Validation::best(manifest.fact("validation")) == Some(kept),
            accuracy: claim("accuracy", kept, "training accuracy in the epoch whose weights are kept", NumberForm::Score),
        })
    }
}

/// What is known of one model, as results have it.
struct Learned {
    auc: Option<Estimate>,
    /// Of the last epoch.
    accuracy: Option<f64>,
    is_untrained: bool,
}

impl Section for Training {
    const ANCHOR: &'static str = "training";
    const TITLE: &'static str = "Training and verification";
    const TEMPLATE: &'static str = "training.html";
}

impl Training {
    /// `None` where no model was verified.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource, faces_of: &BTreeSet<String>) -> Result<Option<Self>> {
        let (mut rows, mut known) = (Vec::new(), Vec::new());
        for training in source.outcome.results.training()? {
            let Some(verified) = &training.verified else { continue };
            let verification = training.verification();
            let model = &source.study().models[training.model];
            let output = source.output(verified, format!("{} · verification", model.name));
            let estimate =
                |pointer: &str, what: &str, of: Estimate| source.claims.estimate(&output, pointer, what, NumberForm::Score, of);
            let auc = verification.map(|of| of.auc);
            let held_out = HeldOut::of(source, training.model);
            known.push(Learned {
                auc,
                accuracy: training.fact("accuracy").last().copied(),
                is_untrained: model.source.learned_nothing(),
            });
            rows.push(TrainingRow {
                model: model.name.clone(),
                auc: auc.map(|auc| estimate("/auc", "verification AUC", auc)),
                accepted: verification.map(|of| estimate("/tar", "TAR at FAR 0.01", of.tar)),
                trained_on: TrainingSet::of(source, training.model),
                accuracy: match &held_out {
                    Some(of) => of.accuracy.clone(),
                    None => {
                        last_fact(source, training.model, "accuracy", "training accuracy in the last epoch", NumberForm::Score)
                    }
                },
                held_out,
                verdict: None,
                curves: source.drawing(Step::DrawCurves { model: training.model })?,
            });
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let names: Vec<String> = rows.iter().map(|row| row.model.clone()).collect();
        for (row, verdict) in rows.iter_mut().zip(verdicts(&names, &known)) {
            row.verdict = verdict;
        }
        let best = not_beaten(&known.iter().map(|of| of.auc).collect::<Vec<_>>());
        let sets = shown_sets(source, faces_of)?;
        Ok(Some(Training {
            images: source.images(),
            identities: source.identities(),
            sets,
            has_curves: rows.iter().any(|row| row.curves.is_some()),
            rows,
            best,
        }))
    }

    /// The models that verify best.
    pub(crate) fn best(&self) -> Option<BestVerification> {
        let models = self.best.iter().map(|place| &self.rows[*place]);
        let mut models = models.filter_map(|row| Some(VerifiedModel { model: row.model.clone(), auc: row.auc.clone()? }));
        Some(BestVerification { best: models.next()?, too_close: models.collect() })
    }
}

/// The evaluation's pictures, then those of each training set, where they may be shown.
fn shown_sets(source: &ReportSource, faces_of: &BTreeSet<String>) -> Result<Vec<ShownSet>> {
    let study = source.study();
    let may_be_shown = |name: &str| faces_of.contains(name);
    let mut sets = Vec::new();
    if let Some(name) = study.evaluation.dataset.as_deref().filter(|name| may_be_shown(name))
        && let Some(pictures) = source.drawing(Step::SampleEvaluation)?
    {
        sets.push(ShownSet { name: name.to_owned(), learned: None, models: vec![], pictures });
    }
    for set in study.training_sets() {
        let Some((name, _)) = study.dataset(set).filter(|(name, _)| may_be_shown(name)) else { continue };
        let Some(pictures) = source.drawing(Step::SampleTraining { set })? else { continue };
        let learns = study.models.iter_enumerated().filter(|(_, of)| of.learns_from(name));
        let (places, models): (Vec<_>, Vec<_>) = learns.map(|(place, of)| (place, of.name.clone())).unzip();
        let learned = places.first().and_then(|place| TrainingSet::of(source, *place));
        sets.push(ShownSet { name: name.to_owned(), learned, models, pictures });
    }
    Ok(sets)
}

/// The places of the highest value and of those whose interval reaches into its own, the highest first.
fn not_beaten(aucs: &[Option<Estimate>]) -> Vec<usize> {
    let Some(best) = highest(aucs.iter().copied()).and_then(|place| aucs[place]) else { return vec![] };
    let low = best.low().unwrap_or(best.value);
    let reaches = |of: &Estimate| of.high().unwrap_or(of.value) >= low;
    let mut places: Vec<usize> = (0..aucs.len()).filter(|place| aucs[*place].as_ref().is_some_and(reaches)).collect();
    let value = |place: &usize| aucs[*place].map_or(f64::NEG_INFINITY, |of| of.value);
    places.sort_by(|one, other| value(other).total_cmp(&value(one)));
    places
}

/// The place of the highest value; the first of equal ones.
fn highest(aucs: impl Iterator<Item = Option<Estimate>>) -> Option<usize> {
    let values = aucs.enumerate().filter_map(|(place, auc)| Some((place, auc?.value)));
    values.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(place, _)| place)
}

/// Of each model: its verification beside that of the best baseline. Baselines have none, nor has anything where there is no baseline.
fn verdicts(names: &[String], known: &[Learned]) -> Vec<Option<Phrase>> {
    let baseline = highest(known.iter().map(|of| of.auc.filter(|_| of.is_untrained)));
    let verdict = |of: &Learned| {
        let baseline = baseline.filter(|_| !of.is_untrained)?;
        words::verification(of.auc?, (&names[baseline], known[baseline].auc?), of.accuracy)
    };
    known.iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        claims::Claims,
        fixture::{self, text_of},
    };

    #[test]
    fn each_model_is_held_against_the_best_baseline() {
        let trained = |value: f64, is_untrained: bool, accuracy| Learned {
            auc: Some(Estimate::new(value, value - 0.02, value + 0.02)),
            accuracy,
            is_untrained,
        };
        let known = [
            trained(0.6, true, None),
            trained(0.7, true, None),
            trained(0.9, false, Some(0.8)),
            trained(0.69, false, Some(0.99)),
        ];
        let names = ["colours", "pixels", "varied", "uniform"].map(str::to_owned);
        let found = verdicts(&names, &known);
        let better = Phrase::words("better than ") + Phrase::name("pixels");
        assert_eq!(found[..3], [None, None, Some(better)]);
        assert!(found[3].as_ref().unwrap().text().starts_with("memorised"));
        assert_eq!(verdicts(&names[2..], &known[2..]), [None, None], "there is no baseline");
    }

    #[test]
    fn models_that_the_best_does_not_beat_are_named_with_it() {
        let auc = |value: f64, wide: f64| Some(Estimate::new(value, value - wide, value + wide));
        assert_eq!(not_beaten(&[auc(0.989, 0.003), auc(0.7, 0.01), None, auc(0.992, 0.002)]), [3, 0]);
        assert_eq!(not_beaten(&[auc(0.98, 0.003), auc(0.99, 0.002)]), [1]);
        assert!(not_beaten(&[None]).is_empty());
    }

    #[test]
    fn a_row_reads_as_a_table_of_a_paper_does() {
        let claims = Claims::default();
        let output = fixture::output();
        let score = |at: &str, value: f64| {
            claims.estimate(&output, at, "x", NumberForm::Score, Estimate::new(value, value - 0.1, value + 0.1))
        };
        let [images, identities] = ["/images", "/identities"].map(|at| claims.count(&output, at, "x", 40));
        let row = TrainingRow {
            model: "resnet".to_owned(),
            auc: Some(score("/auc", 0.85)),
            accepted: None,
            trained_on: Some(TrainingSet {
                images: claims.count(&output, "/i", "x", 2000),
                classes: claims.count(&output, "/c", "x", 250),
            }),
            accuracy: None,
            held_out: None,
            verdict: Some(Phrase::words("better than ") + Phrase::name("pixels")),
            curves: None,
        };
        let text =
            text_of(&Training { images, identities, sets: vec![], has_curves: false, rows: vec![row], best: vec![0] }, &claims);
        assert!(text.contains("resnet 0.850 (0.750–0.950) undefined 2,000 images, 250 classes – better than pixels"), "{text}");
    }
}
