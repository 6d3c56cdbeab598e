//! The linear methods together, beside scikit-learn (`tests/linear.py` writes its answers); and placing, of all methods that can.

use super::*;
use crate::{
    domain::{Ending, projection::ParameterValue},
    numeric::{PhiloxStream, multiversion},
};
use proptest::prelude::*;
use serde_json::Value;

const AXES: usize = 3;

fn usual(word: &str) -> Method {
    METHODS.iter().find(|of| of.word == word).unwrap().usual().with(Method::AXES, AXES)
}

/// Every linear method but the four of old, with all kernels and kinds.
fn linear() -> Vec<Method> {
    let of = |method: &str, name: &str, words: &[&str]| -> Vec<Method> {
        words.iter().map(|text| usual(method).with(name, word(text))).collect()
    };
    let one = ["truncated_svd", "factor_analysis", "nmf", "lda"].map(usual).to_vec();
    [one, of("kernel_pca", "kernel", &["rbf", "poly", "cosine"]), of("random_projection", "kind", &["gaussian", "sparse"])]
        .concat()
}

/// Not negative; as many classes as a third of the columns would tell apart.
fn cloud(n: usize, d: usize, seed: u64) -> Matrix {
    let mut stream = PhiloxStream::for_test(seed, 0);
    let value = |i: usize, stream: &mut PhiloxStream| {
        let class = if i % d == (i / d) % 4 { 2.0 } else { 0.0 };
        (class + stream.normals(1.0)[0].abs()) as f32
    };
    Matrix::new(n, d, (0..n * d).map(|i| value(i, &mut stream)).collect()).unwrap()
}

fn labels(n: usize) -> (Vec<Option<usize>>, Vec<usize>) {
    ((0..n).map(|i| (i % 11 != 7).then_some(i % 4)).collect(), (0..n).map(|i| (i / 4) % 3).collect())
}

/// As a study asks: with labels for methods that look at them.
fn with_labels<T>(features: &Matrix, seed: u64, then: impl Fn(&ProjectionInput) -> T) -> T {
    let (classes, folds) = labels(features.rows());
    let supervision = Some(Supervision { classes: &classes, folds: &folds });
    then(&ProjectionInput { supervision, ..ProjectionInput::alone(features, seed) })
}

fn placed(method: &Method, features: &Matrix) -> Result<Projected> {
    with_labels(features, 1, |given| project(method, given))
}

/// The largest distance of a coordinate, as a share of the largest coordinate of its axis; with the sign that is nearer, unless it is ours to say.
fn apart(ours: &Matrix, peer: &[f64], either_sign: bool) -> f64 {
    let k = ours.columns();
    assert_eq!(ours.values().len(), peer.len());
    let of_axis = |axis: usize| {
        let pairs: Vec<(f64, f64)> =
            ours.column(axis).into_iter().map(f64::from).zip(peer.iter().skip(axis).step_by(k).copied()).collect();
        let size = pairs.iter().map(|(_, peer)| peer.abs()).fold(0.0, f64::max);
        let with = |sign: f64| pairs.iter().map(|(a, b)| (a - sign * b).abs()).fold(0.0, f64::max) / size;
        if either_sign { with(1.0).min(with(-1.0)) } else { with(1.0) }
    };
    (0..k).map(of_axis).fold(0.0, f64::max)
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// scikit-learn's answers, and the features.
fn fixture() -> (Value, Matrix, Matrix) {
    let answers: Value = serde_json::from_str(include_str!("../../../tests/fixtures/linear.json")).unwrap();
    let columns = answers["columns"].as_u64().unwrap() as usize;
    let matrix = |name: &str| {
        let values: Vec<f32> = numbers(&answers[name]).into_iter().map(|x| x as f32).collect();
        Matrix::new(values.len() / columns, columns, values).unwrap()
    };
    let (features, others) = (matrix("features"), matrix("others"));
    (answers, features, others)
}

#[test]
fn coordinates_facts_and_placed_images_are_those_of_scikit_learn() {
    let (answers, features, others) = fixture();
    let poly = usual("kernel_pca").with("kernel", word("poly")).with("gamma", 0.05).with("degree", 2).with("coef0", 0.5);
    let methods = [
        ("truncated_svd", usual("truncated_svd"), 1e-6),
        ("factor_analysis", usual("factor_analysis").with(Method::AXES, 2), 1e-5),
        ("nmf", usual("nmf"), 1e-4),
        ("kernel_pca_rbf", usual("kernel_pca"), 1e-6),
        ("kernel_pca_poly", poly, 1e-6),
        ("kernel_pca_cosine", usual("kernel_pca").with("kernel", word("cosine")), 1e-6),
    ];
    for (name, method, tolerance) in methods {
        let peer = &answers[name];
        let given = ProjectionInput::alone(&features, 1);
        let found = project(&method, &given).unwrap();
        let off = apart(&found.coordinates, &numbers(&peer["coordinates"]), name != "nmf");
        let of_others = place(&method, &given, &others).unwrap().coordinates;
        let off_placed = apart(&of_others, &numbers(&peer["placed"]), name != "nmf");
        println!("{name}: {off:.1e} of an axis apart, placed {off_placed:.1e}");
        assert!(off < tolerance && off_placed < tolerance, "{name}: {off:e}, placed {off_placed:e}");
        for fact in ["explained", "singular", "noise", "likelihood", "loss", "turns"] {
            let Some(peer) = peer.get(fact).map(numbers) else { continue };
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * b.abs().max(1e-3);
            assert_eq!(found.facts[fact].len(), peer.len());
            assert!(found.facts[fact].iter().zip(&peer).all(near), "{name} {fact}: {:?} {peer:?}", found.facts[fact]);
        }
    }
}

#[test]
fn discriminant_axes_are_those_of_scikit_learn_each_fold_placed_by_the_others() {
    let (answers, features, others) = fixture();
    let peer = &answers["lda"];
    let counts = |name: &str| peer[name].as_array().unwrap().iter().map(|x| x.as_u64().map(|x| x as usize)).collect::<Vec<_>>();
    let (classes, folds) = (counts("classes"), counts("folds").into_iter().flatten().collect::<Vec<_>>());
    assert!(classes.contains(&None));
    let supervision = Some(Supervision { classes: &classes, folds: &folds });
    let given = ProjectionInput { supervision, ..ProjectionInput::alone(&features, 1) };
    let method = usual("lda");
    let found = project(&method, &given).unwrap();
    let of_others = place(&method, &given, &others).unwrap().coordinates;
    let off =
        [apart(&found.coordinates, &numbers(&peer["coordinates"]), true), apart(&of_others, &numbers(&peer["placed"]), true)];
    println!("lda: {off:?} of an axis apart");
    assert!(off.iter().all(|off| *off < 1e-6), "{off:?}");
    assert!(found.facts["explained"].iter().zip(numbers(&peer["explained"])).all(|(a, b)| (a - b).abs() < 1e-8));
    let shrunk = place(&method.with("shrinkage", 0.3), &given, &others).unwrap().coordinates;
    let off = apart(&shrunk, &numbers(&answers["lda_shrunk"]["placed"]), true);
    assert!(off < 1e-6, "{off:e}");
}

#[test]
fn images_of_the_fit_are_placed_where_they_are() {
    let features = cloud(150, 9, 5);
    let methods = [usual("pca"), usual("ica")].into_iter().chain(linear()).filter(|of| of.word() != "lda");
    for method in methods {
        let found = placed(&method, &features).unwrap().coordinates;
        let again = with_labels(&features, 1, |given| place(&method, given, &features)).unwrap().coordinates;
        let off = apart(&again, &found.values().iter().map(|x| f64::from(*x)).collect::<Vec<_>>(), false);
        // NMF stops before it has settled.
        let tolerance = if method.word() == "nmf" { 0.05 } else { 1e-6 };
        assert!(off < tolerance, "{method:?}: {off:e}");
    }
}

/// An image that is halfway between two is placed halfway: of all maps that are linear.
#[test]
fn an_image_that_was_not_in_the_fit_is_placed_among_those_that_were() {
    let features = cloud(150, 9, 6);
    let between: Vec<f32> = (0..9).map(|j| 0.5 * (features.row(3)[j] + features.row(8)[j])).collect();
    let others = Matrix::new(3, 9, [features.row(3), features.row(8), &between].concat()).unwrap();
    let methods = ["pca", "ica", "truncated_svd", "factor_analysis", "random_projection", "lda"].map(usual);
    for method in methods {
        let placed = with_labels(&features, 1, |given| place(&method, given, &others)).unwrap().coordinates;
        for axis in 0..placed.columns() {
            let middle = 0.5 * (placed.row(0)[axis] + placed.row(1)[axis]);
            assert!((placed.row(2)[axis] - middle).abs() < 1e-4, "{method:?}");
            assert!((placed.row(0)[axis] - placed.row(1)[axis]).abs() > 1e-3, "{method:?}");
        }
    }
}

#[test]
fn what_cannot_be_placed_is_refused() {
    let features = cloud(60, 4, 1);
    let refused = |method: &Method, others: &Matrix, why: &str| {
        let fault = with_labels(&features, 1, |given| place(method, given, others)).unwrap_err();
        assert!(fault.ending == Ending::Asked && fault.what.contains(why), "{fault}");
    };
    refused(&usual("pca"), &cloud(5, 3, 1), "features of 3 columns are to be placed in a fit to features of 4");
    refused(&usual("pca"), &Matrix::new(1, 4, vec![0.0, 1.0, f32::NAN, 0.0]).unwrap(), "not all finite (row 0, column 2");
    refused(&usual("nmf"), &Matrix::new(1, 4, vec![0.0, 1.0, -1.0, 0.0]).unwrap(), "no features below 0: 1 are");
    let far = Matrix::new(1, 4, vec![1e38; 4]).unwrap();
    refused(&usual("kernel_pca").with("kernel", word("poly")), &far, "the kernel overflows");
    let unknown = with_labels(&features, 1, |given| place(&Method::new("pcb"), given, &features)).unwrap_err();
    assert!(unknown.what.contains("no projection method"));
}

#[test]
fn negative_features_are_refused_with_their_column_their_number_and_the_image() {
    let mut values = cloud(40, 4, 1).values().to_vec();
    for at in [4 * 7 + 2, 4 * 9 + 2, 4 * 12 + 1] {
        values[at] = -0.5;
    }
    let fault = placed(&usual("nmf"), &Matrix::new(40, 4, values).unwrap()).unwrap_err();
    assert_eq!(
        fault.what,
        "NMF takes no features below 0: 3 are, 2 of them in column 2 (from 0), first of the image in row 7 (from 0)"
    );
    assert!(fault.next.unwrap().contains("ReLU"));
}

#[test]
fn one_image_equal_images_and_no_axis_are_refused() {
    for method in &linear() {
        let refused = |method: &Method, features: &Matrix, why: &str| {
            let fault = placed(method, features).unwrap_err();
            assert!(fault.ending == Ending::Asked && fault.what.contains(why), "{method:?}: {fault}");
        };
        refused(method, &cloud(1, 4, 1), "two images or more, there is 1");
        refused(method, &Matrix::new(60, 4, vec![0.5; 240]).unwrap(), "all 60 images have the same features");
        refused(&method.clone().with(Method::AXES, 0), &cloud(60, 4, 1), "one axis or more");
        assert!(matches!(method.parameter(Method::AXES), Some(ParameterValue::Count(AXES))));
    }
}

#[test]
fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
    let features = cloud(700, 13, 3);
    for method in &linear() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let projected = pool.install(|| placed(method, &features)).unwrap();
            (projected.coordinates, projected.facts)
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16), "{method:?}");
        multiversion::each_level(|level| assert!(one == with(2), "{method:?} {level:?}"));
    }
}

#[test]
fn a_seed_decides_random_directions_and_nothing_that_is_seen_of_the_others() {
    let features = cloud(120, 6, 3);
    for method in &linear() {
        let with = |seed| with_labels(&features, seed, |given| project(method, given)).unwrap().coordinates;
        let (one, other) = (with(1), with(2));
        assert!(one == with(1), "{method:?}");
        let off = apart(&one, &other.values().iter().map(|x| f64::from(*x)).collect::<Vec<_>>(), false);
        assert_eq!(off > 1e-5, method.word() == "random_projection", "{method:?}: {off:e}");
    }
}

#[test]
fn whoever_watches_hears_the_objective_and_can_stop() {
    for method in &["factor_analysis", "nmf"].map(usual) {
        checks::can_be_stopped(method, &cloud(200, 9, 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]
    /// Whatever the features: coordinates that are numbers, or a refusal; never a panic.
    #[test]
    fn any_features_are_placed_or_refused(
        n in 1usize..70,
        d in 1usize..90,
        levels in 1u64..6,
        dead in 0usize..4,
        scale in prop::sample::select(vec![1.0f32, 1e-30, 1e-6, 1e15, 1e37]),
        lowest in prop::sample::select(vec![0.0f32, 0.0, 1.0]),
        which in 0usize..9,
        seed in any::<u64>(),
    ) {
        // Few levels make duplicates and equal distances; some columns are constant.
        let mut stream = PhiloxStream::for_test(seed, 1);
        let value = |i: usize, draw: u64| if i % d < dead { 3.0 } else { (draw as f32 - lowest) * scale };
        let values = (0..n * d).map(|i| value(i, stream.below(levels))).collect();
        let features = Matrix::new(n, d, values).unwrap();
        let method = &linear()[which];
        match placed(method, &features) {
            Ok(projected) => {
                prop_assert_eq!(projected.coordinates.rows(), n);
                prop_assert!((1..=AXES).contains(&projected.coordinates.columns()));
                prop_assert!(projected.coordinates.first_not_finite().is_none());
                prop_assert!(projected.facts.values().flatten().all(|number| number.is_finite()), "{:?}", projected.facts);
                let again = with_labels(&features, 1, |given| place(method, given, &features));
                prop_assert!(again.is_ok(), "{:?}", again);
            }
            Err(fault) => prop_assert_eq!(fault.ending, Ending::Asked, "{} {:?}", fault, method),
        }
    }
}
