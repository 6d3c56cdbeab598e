//! Scores by what they are of: one model at one layer, a projection or the features themselves, one comparison.

use super::StudyResults;
use crate::study::steps::Step;
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use visavis_core::domain::{
    Fault, Key, Result,
    index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
    projection::View,
    score::{Counts, Estimate, FeatureScores, ProbeScore, Scores, ViewScore},
    stage::{ScoreFeatures, ScoreViews, Work},
};

/// Scores of one model at one layer on one comparison; `projection: None` for the features themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScoreOf {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub projection: Option<ProjectionIx>,
    pub comparison: ComparisonIx,
}

/// Scores, and where they stand: an output of a result, from this JSON pointer on.
#[derive(Clone)]
pub struct ScoreSource {
    pub key: Key,
    pub output: &'static str,
    pub pointer: String,
    pub scores: Arc<Scores>,
    /// Of features alone.
    pub probe: Option<ProbeScore>,
}

/// One score of one view, under the name that exports use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedScore<'a> {
    pub view: View,
    /// Such as `knn_auc_b`.
    pub name: &'static str,
    pub estimate: Estimate,
    /// The images that it is over.
    pub counts: &'a Counts,
}

/// Scores of views that were read before, by their results.
pub(crate) type ScoreCache = HashMap<Key, Arc<Scores>>;

impl StudyResults<'_> {
    /// Every score that is there: of views and of features.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn scores(&self) -> Result<BTreeMap<ScoreOf, ScoreSource>> {
        let mut scores = self.view_scores(&ScoreCache::new())?;
        scores.append(&mut self.feature_scores()?);
        Ok(scores)
    }

    /// The scores of all views; what `kept` holds is not read again.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn view_scores(&self, kept: &ScoreCache) -> Result<BTreeMap<ScoreOf, ScoreSource>> {
        let of = |step: &Step| match *step {
            Step::Score { model, layer, projection, comparison } => {
                Some(ScoreOf { model, layer, projection: Some(projection), comparison })
            }
            _ => None,
        };
        // A file each: many at once.
        let all: Vec<(Step, ScoreOf, Key)> =
            self.known.iter().filter_map(|(step, manifest)| Some((*step, of(step)?, manifest.key))).collect();
        let read = |(step, of, key): (Step, ScoreOf, Key)| {
            let scores = match kept.get(&key) {
                Some(scores) => Arc::clone(scores),
                None => {
                    let found = self.json(step, ScoreViews::SCORES)?;
                    Arc::new(found.ok_or_else(|| Fault::unexpected("a result of scores has none"))?.value)
                }
            };
            let source = ScoreSource { key, output: ScoreViews::SCORES, pointer: String::new(), scores, probe: None };
            Ok((of, source))
        };
        all.into_par_iter().map(read).collect()
    }

    /// The scores of the features themselves, with those of their probes.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn feature_scores(&self) -> Result<BTreeMap<ScoreOf, ScoreSource>> {
        let mut scores = BTreeMap::new();
        for (&step, manifest) in &self.known {
            let Step::FeatureScores { model, layer } = step else { continue };
            let Work::FeatureScores(ScoreFeatures { questions, .. }) = &manifest.work else { continue };
            let Some(found) = self.json::<FeatureScores>(step, ScoreFeatures::SCORES)? else { continue };
            for (comparison, asked) in self.study.comparisons.iter_enumerated() {
                let place = questions.iter().position(|question| *question == asked.question);
                let Some((place, answer)) = place.and_then(|place| Some((place, found.value.answers.get(place)?))) else {
                    continue;
                };
                let source = ScoreSource {
                    key: found.key,
                    output: found.output,
                    pointer: format!("/answers/{place}/scores"),
                    scores: Arc::new(answer.scores.clone()),
                    probe: answer.probe.clone(),
                };
                scores.insert(ScoreOf { model, layer, projection: None, comparison }, source);
            }
        }
        Ok(scores)
    }
}

impl ScoreSource {
    /// Every score that has a value: view by view, those of the probe last.
    pub fn named(&self) -> Vec<NamedScore<'_>> {
        let scores = &*self.scores;
        let (whole, a, b) = (&scores.counts, &scores.counts_a, &scores.counts_b);
        let gradient = if whole.classes.len() == 1 { "spearman" } else { "monotone_auc" };
        let of_view = |of: &ViewScore| {
            [
                (of.view, "knn_auc", of.whole, whole),
                (of.view, "knn_auc_a", of.a, a),
                (of.view, "knn_auc_b", of.b, b),
                (of.view, "knn_auc_least", of.least, whole),
                (of.view, gradient, of.monotone, whole),
            ]
        };
        let of_probe = |probe: &ProbeScore| {
            let view = View::Features;
            [(view, "probe_auc", probe.whole, whole), (view, "probe_auc_a", probe.a, a), (view, "probe_auc_b", probe.b, b)]
        };
        let all = scores.views.iter().flat_map(of_view).chain(self.probe.iter().flat_map(of_probe));
        all.filter_map(|(view, name, estimate, counts)| Some(NamedScore { view, name, estimate: estimate?, counts })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study_of};
    use visavis_core::domain::{comparison::Question, score::FeatureScore, study::Study};

    fn counts(n: usize) -> Counts {
        Counts { n, classes: vec![n, 0], exclusive: vec![n, 0], identities: vec![n, 0], people: n, several: 0, none: 0 }
    }

    fn scores(views: &[View], value: f64) -> Scores {
        let view = |view: &View| ViewScore {
            view: *view,
            whole: Some(Estimate::bare(value)),
            a: None,
            b: Some(Estimate::bare(value - 0.1)),
            least: None,
            monotone: None,
        };
        Scores {
            format: Scores::FORMAT,
            counts: counts(5),
            counts_a: counts(3),
            counts_b: counts(2),
            unranked: None,
            seeds: 1,
            permuted: [0, 0],
            permuted_sample: None,
            views: views.iter().map(view).collect(),
        }
    }

    const STEP: Step =
        Step::Score { model: ModelIx(1), layer: LayerIx(0), projection: ProjectionIx(0), comparison: ComparisonIx(0) };
    const OF: ScoreOf =
        ScoreOf { model: ModelIx(1), layer: LayerIx(0), projection: Some(ProjectionIx(0)), comparison: ComparisonIx(0) };

    fn two_models() -> Study {
        study_of(&[("one", "1.npy"), ("other", "2.npy")])
    }

    /// A result of features' scores that were asked these questions; the first answer is 0.9.
    fn with_features(results: &mut MadeUpResults, study: &Study, questions: Vec<Question>) {
        let answer = |place: usize| FeatureScore {
            scores: scores(&[View::Features], 0.9 - 0.2 * place as f64),
            probe: Some(ProbeScore {
                whole: Some(Estimate::bare(0.95)),
                a: None,
                b: None,
                balanced_accuracy: None,
                accuracy: None,
                majority: None,
            }),
        };
        let found = FeatureScores { format: 1, answers: (0..questions.len()).map(answer).collect() };
        let work = ScoreFeatures { questions, statistics: study.statistics, seed: 1 };
        results.put(
            Step::FeatureScores { model: ModelIx(0), layer: LayerIx(0) },
            Work::FeatureScores(work),
            ScoreFeatures::SCORES,
            &found,
        );
    }

    #[test]
    fn a_score_is_found_by_what_it_is_of() {
        let study = two_models();
        let mut results = MadeUpResults::default();
        results.put_json(STEP, ScoreViews::SCORES, &scores(&[View::Axis(1)], 0.8));
        let all = results.of(&study).scores().unwrap();
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), [OF], "nothing else was scored");
        assert_eq!((all[&OF].key, &*all[&OF].pointer), (results.key(STEP), ""));
        assert_eq!(*all[&OF].scores, scores(&[View::Axis(1)], 0.8));
    }

    #[test]
    fn what_was_read_before_is_not_read_again() {
        let study = two_models();
        let mut results = MadeUpResults::default();
        results.put_json(STEP, ScoreViews::SCORES, &"no scores at all");
        assert!(results.of(&study).scores().is_err());
        let kept = Arc::new(scores(&[View::Map], 0.7));
        let cache = ScoreCache::from([(results.key(STEP), Arc::clone(&kept))]);
        assert!(Arc::ptr_eq(&results.of(&study).view_scores(&cache).unwrap()[&OF].scores, &kept));
    }

    #[test]
    fn features_are_scored_on_the_comparisons_that_they_were_asked_about() {
        let study = two_models();
        let of = ScoreOf { model: ModelIx(0), layer: LayerIx(0), projection: None, comparison: ComparisonIx(0) };
        let mut other = study.comparisons[ComparisonIx(0)].question.clone();
        other.within = Some("glasses".parse().unwrap());
        let mut results = MadeUpResults::default();
        with_features(&mut results, &study, vec![other.clone(), study.comparisons[ComparisonIx(0)].question.clone()]);
        let all = results.of(&study).scores().unwrap();
        assert_eq!(all[&of].pointer, "/answers/1/scores", "an auditor finds it there");
        assert_eq!(all[&of].scores.views[0].whole, Some(Estimate::bare(0.7)));
        with_features(&mut results, &study, vec![other]);
        assert!(results.of(&study).scores().unwrap().is_empty(), "its question was not asked");
    }

    #[test]
    fn each_score_has_a_name_and_the_counts_of_its_half() {
        let study = two_models();
        let mut results = MadeUpResults::default();
        with_features(&mut results, &study, vec![study.comparisons[ComparisonIx(0)].question.clone()]);
        let all = results.of(&study).scores().unwrap();
        let source = all.values().next().unwrap();
        let named: Vec<(&str, usize)> = source.named().iter().map(|of| (of.name, of.counts.n)).collect();
        assert_eq!(named, [("knn_auc", 5), ("knn_auc_b", 2), ("probe_auc", 5)]);
    }
}
