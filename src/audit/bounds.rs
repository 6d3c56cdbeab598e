//! What a stage may ask for before an audit makes it again: what a study file may, and no more than a machine has. A page could ask
//! for a thousand million resamples.

use visavis_core::domain::{
    projection::{Method, ParameterValue},
    score::Statistics,
    stage::Work,
};

const MOST_RESAMPLES: usize = 100_000;
const MOST_AXES: usize = 1000;
const MOST_NEIGHBOURS: usize = 10_000;
const LARGEST_PICTURE: usize = 2048;
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
        Work::Index(_) | Work::Features(_) | Work::Train(_) | Work::Quality(_) | Work::Draw(_) => None,
        Work::Extract(of) => told(of.preparation.size, LARGEST_PICTURE, "pixels a side"),
        Work::Baseline(of) => told(of.preparation.size, LARGEST_PICTURE, "pixels a side"),
        Work::Project(of) => of_method(&of.method, &told),
        Work::Score(of) => resamples(&of.statistics),
        Work::FeatureScores(of) => resamples(&of.statistics),
        Work::Robustness(of) => of_method(&of.method, &told),
        Work::Fairness(of) => resamples(&of.statistics).or_else(|| told(of.depth, DEEPEST, "attributes an intersection")),
        Work::Verify(of) => told(of.bootstraps, MOST_RESAMPLES, "bootstraps"),
        Work::Visibility(of) => {
            let rectangles = of.regions.iter().map(Vec::len).sum::<usize>();
            told(of.fields.len().saturating_mul(rectangles), MOST_RECTANGLES, "rectangles in crops")
        }
        Work::Simultaneous(of) => resamples(&of.statistics),
        Work::Rank(of) => told(of.depth, DEEPEST, "attributes an intersection"),
    }
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
        ParameterValue::Metric(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::stage::{ProjectFeatures, VerifyIdentities};

    #[test]
    fn what_no_study_asks_for_is_not_made() {
        let of = |bootstraps| Work::Verify(VerifyIdentities { bootstraps, seed: 1 });
        assert_eq!(too_much(&of(1000)), None);
        assert!(too_much(&of(1 << 40)).unwrap().contains("bootstraps"));
        let pca = |axes| Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", axes), seed: 1 });
        assert!(too_much(&pca(10)).is_none() && too_much(&pca(usize::MAX)).is_some());
        let tsne =
            |perplexity| Work::Project(ProjectFeatures { method: Method::new("tsne").with("perplexity", perplexity), seed: 1 });
        assert!(too_much(&tsne(30.0)).is_none() && too_much(&tsne(f64::NAN)).is_some() && too_much(&tsne(1e300)).is_some());
    }
}
