//! What a stage may ask for before an audit makes it again: what a study file may, and no more than a machine has. A page could ask
//! for a thousand million resamples.

use visavis_core::domain::{
    alteration::Alteration,
    comparison::{Measured, Question},
    model::Architecture,
    projection::{LearnedLabels, Method, ParameterValue, View},
    score::Statistics,
    stage::{Figure, Work},
};

const MOST_RESAMPLES: usize = 100_000;
const MOST_AXES: usize = 1000;
const MOST_NEIGHBOURS: usize = 10_000;
/// Each axis and two thousand pairs.
const MOST_VIEWS: usize = 3000;
/// Models of all pairs of sides together.
const MOST_SIDES: usize = 10_000;
/// AUCs in all replicates of a stage: 200 questions of eight sets in 10,000 replicates, and more.
const MOST_REPLICATES: usize = 50_000_000;
const MOST_CLUSTERS: usize = 100;
const MOST_QUERIES: usize = 1000;
const MOST_NUISANCES: usize = 1000;
const LARGEST_PICTURE: usize = 2048;
/// As many times as wide as the network of its paper.
const WIDEST: f64 = 8.0;
const LONGEST: usize = 100_000;
const LARGEST_BATCH: usize = 1_000_000;
const DEEPEST: usize = 3;
const MOST_RECTANGLES: usize = 10_000;

/// Why the stage is not made again, if it asks for too much.
pub(crate) fn too_much(work: &Work) -> Option<String> {
    let told = |n: usize, most: usize, what: &str| {
        (n > most).then(|| format!("it asks for {n} {what}, more than the {most} that an audit makes"))
    };
    let resamples = |of: &Statistics| {
        told(of.bootstraps, MOST_RESAMPLES, "bootstraps").or_else(|| told(of.permutations, MOST_RESAMPLES, "permutations"))
    };
    match work {
        Work::Index(_)
        | Work::Features(_)
        | Work::Hashes(_)
        | Work::Nuisances(_)
        | Work::Overlap(_)
        | Work::Agreement(_)
        | Work::VerifyPairs(_)
        | Work::Thumbnails(_)
        | Work::Draw(_) => None,
        Work::Train(of) => too_wide(&of.architecture)
            .or_else(|| told(of.preparation.size, LARGEST_PICTURE, "pixels a side"))
            .or_else(|| told(of.recipe.epochs, LONGEST, "epochs"))
            .or_else(|| told(of.recipe.batch, LARGEST_BATCH, "pictures a batch")),
        Work::Quality(of) => told(of.views.len(), MOST_VIEWS, "views"),
        Work::Clusters(of) => {
            told(of.views.len(), MOST_VIEWS, "views").or_else(|| told(of.method.most(), MOST_CLUSTERS, "clusters"))
        }
        Work::NuisanceScores(of) => told(of.bootstraps, MOST_RESAMPLES, "bootstraps")
            .or_else(|| told(of.views.len(), MOST_VIEWS, "views"))
            .or_else(|| told(of.nuisances.len(), MOST_NUISANCES, "nuisances")),
        Work::AdjustedScores(of) => resamples(&of.statistics).or_else(|| told(of.held.len(), MOST_NUISANCES, "nuisances")),
        Work::Extract(of) => too_wide(&of.architecture).or_else(|| told(of.preparation.size, LARGEST_PICTURE, "pixels a side")),
        Work::Baseline(of) => told(of.preparation.size, LARGEST_PICTURE, "pixels a side"),
        Work::Project(of) => of_method(&of.method, &told),
        Work::Score(of) => resamples(&of.statistics).or_else(|| told(of.views.len(), MOST_VIEWS, "views")),
        Work::FeatureScores(of) => resamples(&of.statistics),
        Work::Retained(of) => {
            let replicates = of.questions.len().saturating_mul(of.alterations.len() + 1).saturating_mul(of.statistics.bootstraps);
            resamples(&of.statistics)
                .or_else(|| told(of.alterations.len(), Alteration::ALL.len(), "alterations"))
                .or_else(|| told(replicates, MOST_REPLICATES, "numbers of replicates"))
        }
        Work::Robustness(of) => of_method(&of.method, &told),
        Work::Fairness(of) => resamples(&of.statistics).or_else(|| told(of.depth, DEEPEST, "attributes an intersection")),
        Work::Clicks(of) => told(of.settings.draws, MOST_RESAMPLES, "draws")
            .or_else(|| told(of.settings.clusters, MOST_CLUSTERS, "clusters"))
            .or_else(|| told(of.views.len(), MOST_VIEWS, "views")),
        Work::Retrieval(of) => told(of.bootstraps, MOST_RESAMPLES, "bootstraps")
            .or_else(|| told(of.queries.len(), MOST_QUERIES, "queries"))
            .or_else(|| told(of.depth, DEEPEST, "attributes an intersection")),
        Work::Verify(of) => told(of.bootstraps, MOST_RESAMPLES, "bootstraps"),
        Work::Visibility(of) => {
            let rectangles = of.regions.iter().map(Vec::len).sum::<usize>();
            told(of.fields.len().saturating_mul(rectangles), MOST_RECTANGLES, "rectangles in crops")
        }
        Work::Subgroups(of) => resamples(&of.statistics).or_else(|| told(of.depth, DEEPEST, "attributes an intersection")),
        Work::LayerDifferences(of) => resamples(&of.statistics),
        Work::Attention(of) => {
            let models = of.held.iter().map(|held| held.left.len() + held.right.len()).sum::<usize>();
            told(of.models.len().max(models), MOST_SIDES, "models of pairs of sides")
        }
        Work::Simultaneous(of) => resamples(&of.statistics),
        Work::Rank(of) => told(of.depth, DEEPEST, "attributes an intersection"),
    }
}

fn too_wide(of: &Architecture) -> Option<String> {
    let is_right = of.width > 0.0 && of.width <= WIDEST;
    (!is_right).then(|| format!("it asks for a network {} times as wide, and an audit makes those up to {WIDEST}", of.width))
}

/// What no study file can ask for, if the stage asks for it: axis 0, a comparison of one class, a figure whose classes have other
/// names than it has classes.
pub(crate) fn impossible(work: &Work) -> Option<String> {
    match work {
        Work::Index(_)
        | Work::Features(_)
        | Work::Hashes(_)
        | Work::Thumbnails(_)
        | Work::Nuisances(_)
        | Work::Overlap(_)
        | Work::Agreement(_)
        | Work::Train(_)
        | Work::Extract(_)
        | Work::Baseline(_)
        | Work::Verify(_)
        | Work::VerifyPairs(_)
        | Work::Retrieval(_)
        | Work::Visibility(_)
        | Work::Attention(_) => None,
        Work::Project(of) => no_axes(&of.method).or_else(|| match &of.labels {
            Some(LearnedLabels::Classes(question)) => of_questions([question]),
            Some(LearnedLabels::Identity) | None => None,
        }),
        Work::Score(of) => of_views(&of.views).or_else(|| of_questions([&of.question])),
        Work::FeatureScores(of) => of_questions(&of.questions),
        Work::Retained(of) => of_questions(&of.questions),
        Work::Fairness(of) => of_questions(&of.questions),
        Work::Robustness(of) => no_axes(&of.method).or_else(|| of_views([&of.view])).or_else(|| of_questions([&of.question])),
        Work::Quality(of) => of_views(&of.views),
        Work::Clicks(of) => of_views(&of.views)
            .or_else(|| of_questions(&of.questions))
            .or_else(|| (of.settings.clusters == 0 || of.settings.draws == 0).then(|| "no clicks".to_owned())),
        Work::NuisanceScores(of) => of_views(&of.views),
        Work::AdjustedScores(of) => of_views([&of.view]).or_else(|| of_questions([&of.question])),
        Work::Clusters(of) => of_views(&of.views).or_else(|| (of.method.most() == 0).then(|| "no clusters".to_owned())),
        Work::Subgroups(of) => of_views([&of.view]).or_else(|| of_questions([&of.question])),
        Work::LayerDifferences(of) => of_questions(&of.questions),
        Work::Simultaneous(of) => of_questions(&of.questions),
        Work::Rank(of) => of_questions(&of.questions),
        Work::Draw(Figure::View { view, question, classes, .. }) => {
            let named = match &question.measured {
                Measured::Classes(of) => {
                    (of.len() != classes.len()).then(|| format!("{} classes with {} names", of.len(), classes.len()))
                }
                Measured::Quantity(_) => None,
            };
            of_views([view]).or_else(|| of_questions([question])).or(named)
        }
        Work::Draw(Figure::Frequencies | Figure::Curves) => None,
    }
}

fn no_axes(method: &Method) -> Option<String> {
    (method.parameter(Method::AXES) == Some(ParameterValue::Count(0))).then(|| "no axes".to_owned())
}

fn of_views<'a>(views: impl IntoIterator<Item = &'a View>) -> Option<String> {
    views.into_iter().find_map(|view| match view {
        View::Axis(0) | View::Pair(0, _) | View::Pair(_, 0) => Some("axis 0, and axes count from 1".to_owned()),
        View::Pair(one, other) if one == other => Some(format!("the pair of axis {one} with itself")),
        _ => None,
    })
}

fn of_questions<'a>(questions: impl IntoIterator<Item = &'a Question>) -> Option<String> {
    let few = |question: &Question| matches!(&question.measured, Measured::Classes(classes) if classes.len() < 2);
    questions.into_iter().any(few).then(|| "a comparison of fewer than two classes".to_owned())
}

/// Counts as a method's axes and neighbours, numbers as a perplexity: whatever the method, no study file takes more.
fn of_method(method: &Method, told: &dyn Fn(usize, usize, &str) -> Option<String>) -> Option<String> {
    method.parameters().find_map(|(name, value)| match value {
        ParameterValue::Count(count) if name == Method::AXES => told(count, MOST_AXES, "axes"),
        ParameterValue::Count(count) => told(count, MOST_NEIGHBOURS, name),
        ParameterValue::Number(number) => {
            let usual = number.is_finite() && number.abs() <= MOST_NEIGHBOURS as f64;
            (!usual).then(|| format!("it asks for {name} {number}"))
        }
        ParameterValue::Metric(_) | ParameterValue::Word(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::stage::{MeasureQuality, ProjectFeatures, ScoreFeatures, VerifyIdentities};

    #[test]
    fn what_no_study_can_ask_for_is_refused() {
        let views = |views: Vec<View>| Work::Quality(MeasureQuality { views, seed: 1 });
        assert_eq!(impossible(&views(vec![View::Axis(1), View::Pair(1, 2), View::Map])), None);
        for view in [View::Axis(0), View::Pair(0, 1), View::Pair(1, 0), View::Pair(2, 2)] {
            assert!(impossible(&views(vec![View::Axis(1), view])).is_some(), "{view:?}");
        }
        assert!(too_much(&views(vec![View::Axis(1); 100_000])).unwrap().contains("views"));
        let classes = |classes: usize| {
            let one = serde_json::from_value(serde_json::json!({ "measured": { "quantity": "x" }, "within": null })).unwrap();
            let question = match classes {
                0 => one,
                _ => Question { measured: Measured::Classes(vec![]), ..one },
            };
            Work::FeatureScores(ScoreFeatures { questions: vec![question], statistics: Statistics::default(), seed: 1 })
        };
        assert!(impossible(&classes(0)).is_none() && impossible(&classes(1)).is_some());
        let pca = |axes| Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", axes), seed: 1, labels: None });
        assert!(impossible(&pca(0)).is_some() && impossible(&pca(1)).is_none());
    }

    #[test]
    fn what_no_study_asks_for_is_not_made() {
        let of = |bootstraps| Work::Verify(VerifyIdentities { bootstraps, seed: 1 });
        assert_eq!(too_much(&of(1000)), None);
        assert!(too_much(&of(1 << 40)).unwrap().contains("bootstraps"));
        let pca = |axes| Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", axes), seed: 1, labels: None });
        assert!(too_much(&pca(10)).is_none() && too_much(&pca(usize::MAX)).is_some());
        let tsne = |perplexity| {
            Work::Project(ProjectFeatures { method: Method::new("tsne").with("perplexity", perplexity), seed: 1, labels: None })
        };
        assert!(too_much(&tsne(30.0)).is_none() && too_much(&tsne(f64::NAN)).is_some() && too_much(&tsne(1e300)).is_some());
    }
}
