use super::*;
use crate::{
    domain::projection::{Metric, ParameterValue},
    numeric::{PhiloxStream, multiversion},
};
use proptest::prelude::*;

fn pca(axes: usize) -> Method {
    current("pca").with("axes", axes)
}

fn ica(axes: usize) -> Method {
    current("ica").with("axes", axes)
}

fn tsne(perplexity: f64) -> Method {
    current("tsne").with("perplexity", perplexity)
}

fn umap(neighbors: usize, min_dist: f64) -> Method {
    current("umap").with("neighbors", neighbors).with("min_dist", min_dist)
}

fn small() -> [Method; 4] {
    [pca(3), ica(3), tsne(5.0), umap(5, 0.1)]
}

fn cloud(n: usize, d: usize, seed: u64) -> Matrix {
    let mut stream = PhiloxStream::for_test(seed, 0);
    Matrix::new(n, d, (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap()
}

fn placed(method: &Method, features: &Matrix) -> Result<Projected> {
    project(method, &ProjectionInput::alone(features, 1))
}

/// What is refused is the asker's to mend, and says how.
fn refused(method: &Method, features: &Matrix, why: &str) {
    let fault = placed(method, features).unwrap_err();
    assert!(fault.ending == crate::domain::Ending::Asked && fault.what.contains(why), "{method:?}: {fault}");
}

#[test]
fn values_that_are_no_numbers_are_refused_with_their_image() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut values = cloud(40, 4, 1).values().to_vec();
        values[4 * 7 + 2] = bad;
        let features = Matrix::new(40, 4, values).unwrap();
        small()
            .iter()
            .for_each(|method| refused(method, &features, "image in row 7 (from 0) are not all finite (column 2, from 0)"));
    }
}

#[test]
fn one_image_or_equal_images_are_refused() {
    for method in &small() {
        assert!(placed(method, &cloud(1, 4, 1)).is_err());
        refused(method, &Matrix::new(60, 4, vec![0.5; 240]).unwrap(), "all 60 images have the same features");
    }
}

#[test]
fn too_few_images_for_the_neighbours_are_refused_with_what_would_do() {
    let features = cloud(16, 4, 1);
    let fault = placed(&small()[2], &features).unwrap_err();
    assert_eq!(fault.what, "t-SNE with perplexity 5 needs 17 images, there are 16");
    assert_eq!(fault.next.as_deref(), Some("lower the perplexity to 4 or less"));
    let fault = placed(&small()[3], &cloud(5, 4, 1)).unwrap_err();
    assert_eq!(fault.next.as_deref(), Some("lower neighbors to 4 or less"));
    assert!(placed(&tsne(4.0), &features).is_ok());
    assert!(placed(&umap(15, 0.1), &features).is_ok());
}

#[test]
fn parameters_out_of_range_are_refused() {
    let features = cloud(60, 4, 1);
    refused(&pca(0), &features, "one axis or more");
    refused(&ica(0), &features, "one axis or more");
    for perplexity in [0.5, f64::NAN, f64::INFINITY] {
        refused(&tsne(perplexity), &features, "perplexity");
    }
    refused(&umap(1, 0.1), &features, "neighbors");
    refused(&umap(5, f64::NAN), &features, "min_dist");
}

#[test]
fn an_image_without_direction_is_refused_by_name() {
    let mut values = cloud(60, 3, 1).values().to_vec();
    values[9..12].fill(0.0);
    let features = Matrix::new(60, 3, values).unwrap();
    let methods = [tsne(5.0).with("metric", Metric::Cosine), umap(5, 0.1).with("metric", Metric::Cosine)];
    for method in &methods {
        refused(method, &features, "image in row 3 (from 0) are all 0");
        assert!(placed(method, &cloud(60, 3, 1)).is_ok());
    }
}

#[test]
fn a_graph_in_parts_starts_from_the_principal_axes_and_parts_stay_apart() {
    let mut values = cloud(80, 3, 1).values().to_vec();
    values[120..].iter_mut().for_each(|value| *value += 1000.0);
    let projected = placed(&small()[3], &Matrix::new(80, 3, values).unwrap()).unwrap();
    assert_eq!(projected.facts["components"], [2.0]);
    let points = &projected.coordinates;
    let middle = |of: std::ops::Range<usize>| of.map(|i| f64::from(points.row(i)[0])).sum::<f64>() / 40.0;
    let spread = |of: std::ops::Range<usize>| {
        let middle = middle(of.clone());
        of.map(|i| (f64::from(points.row(i)[0]) - middle).abs()).fold(0.0, f64::max)
    };
    assert!((middle(0..40) - middle(40..80)).abs() > spread(0..40).max(spread(40..80)));
}

#[test]
fn whoever_watches_hears_the_objective_and_can_stop() {
    for method in &small()[1..] {
        checks::can_be_stopped(method, &cloud(200, 5, 1));
    }
}

/// With t-SNE's grid, and with a layout of several batches.
#[test]
fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
    let (few, many, small) = (cloud(700, 9, 3), cloud(4100, 5, 4), small());
    for (method, features) in small.iter().map(|method| (method, &few)).chain([(&small[2], &many)]) {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let projected = pool.install(|| placed(method, features)).unwrap();
            (projected.coordinates, projected.facts)
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16), "{method:?}");
        if features.rows() < 1000 {
            multiversion::each_level(|level| assert!(one == with(2), "{method:?} {level:?}"));
        }
    }
}

#[test]
fn a_seed_decides_and_another_gives_another_map() {
    let features = cloud(120, 6, 3);
    for method in &small()[2..] {
        let with = |seed| project(method, &ProjectionInput::alone(&features, seed)).unwrap().coordinates;
        assert!(with(1) == with(1) && with(1) != with(2), "{method:?}");
    }
}

#[test]
fn every_row_of_the_register_is_whole() {
    for (place, spec) in METHODS.iter().enumerate() {
        assert!(METHODS[..place].iter().all(|other| other.word != spec.word && other.title != spec.title), "{}", spec.word);
        assert!(spec.parameters.iter().all(|of| of.name != Method::VERSION), "{}", spec.word);
        let usual = spec.usual();
        let json = serde_json::to_string(&usual).unwrap();
        assert_eq!(serde_json::from_str::<Method>(&json).unwrap(), usual, "{json}");
        assert!(projector(&usual).is_ok() && operations(&usual, 1000, 64) > 0.0, "{json}");
        // Every word that a parameter may be, as a worker reads it.
        for of in spec.parameters {
            let ParameterKind::Word { words } = of.kind else { continue };
            for value in words.iter().map(|text| word(text)) {
                let json = serde_json::to_string(&usual.clone().with(of.name, value)).unwrap();
                assert!(spec.values(&serde_json::from_str(&json).unwrap()).is_ok(), "{json}");
            }
        }
        for (words, other) in other_settings(&usual) {
            assert!(other != usual && projector(&other).is_ok(), "{words}: {other:?}");
        }
    }
}

#[test]
fn a_method_that_is_not_there_or_not_as_it_is_here_is_refused() {
    let features = cloud(60, 4, 1);
    refused(&Method::new("tsn"), &features, "there is no projection method `tsn`");
    refused(&current("pca"), &features, "PCA lacks its parameter `axes`");
    refused(&pca(3).with("scale", 1.0), &features, "PCA has no parameter `scale`");
    refused(&current("pca").with("axes", 3.0), &features, "PCA does not take `axes: 3`");
    refused(&pca(3).of_version(1), &features, "PCA of version 1 is asked for, and this program has version 2");
}

#[test]
fn a_metric_that_is_the_usual_one_is_left_out_of_the_key() {
    let with_metric = |metric: Metric| tsne::SPEC.method(&[30.0.into(), metric.into()]);
    assert_eq!(with_metric(Metric::Euclidean), tsne(30.0));
    assert_eq!(with_metric(Metric::Cosine).parameter("metric"), Some(ParameterValue::Metric(Metric::Cosine)));
}

#[test]
fn other_settings_are_half_and_twice_the_neighbours_and_the_other_metric() {
    assert_eq!(
        other_settings(&tsne(30.0)),
        [
            ("perplexity 15".to_owned(), tsne(15.0)),
            ("perplexity 60".to_owned(), tsne(60.0)),
            ("cosine".to_owned(), tsne(30.0).with("metric", Metric::Cosine)),
        ]
    );
    assert_eq!(
        other_settings(&umap(3, 0.1).with("metric", Metric::Cosine)),
        [
            ("2 neighbours".to_owned(), umap(2, 0.1).with("metric", Metric::Cosine)),
            ("6 neighbours".to_owned(), umap(6, 0.1).with("metric", Metric::Cosine)),
            ("euclidean".to_owned(), umap(3, 0.1)),
        ]
    );
    assert!(other_settings(&pca(3)).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever the features: coordinates that are numbers, or a refusal; never a panic.
    #[test]
    fn any_features_are_placed_or_refused(
        n in 1usize..70,
        d in 1usize..90,
        levels in 1u64..6,
        dead in 0usize..4,
        scale in prop::sample::select(vec![1.0f32, 1e-30, 1e-6, 1e15, 1e37]),
        which in 0usize..4,
        seed in any::<u64>(),
    ) {
        // Few levels make duplicates and equal distances; some columns are constant.
        let mut stream = PhiloxStream::for_test(seed, 1);
        let value = |i: usize, draw: u64| if i % d < dead { 3.0 } else { (draw as f32 - 1.0) * scale };
        let values = (0..n * d).map(|i| value(i, stream.below(levels))).collect();
        let features = Matrix::new(n, d, values).unwrap();
        match placed(&small()[which], &features) {
            Ok(projected) => {
                prop_assert_eq!(projected.coordinates.rows(), n);
                prop_assert!(projected.coordinates.columns() <= 3.min(n.max(2)).min(d.max(2)));
                prop_assert!(projected.coordinates.first_not_finite().is_none());
                prop_assert!(projected.facts.values().flatten().all(|number| number.is_finite()));
            }
            Err(fault) => prop_assert_eq!(fault.ending, crate::domain::Ending::Asked),
        }
    }
}
