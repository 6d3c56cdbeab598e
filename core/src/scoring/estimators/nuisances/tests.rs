use super::*;
use crate::{
    domain::{
        image::{Column, Images, Labels},
        nuisance::PictureNuisance,
    },
    numeric::{PhiloxStream, neighbours::NeighbourMetric},
    scoring::estimators::out_of_fold::REACH,
};

/// So many images of people with four each.
pub(super) fn with<T>(n: usize, then: impl FnOnce(&Setting) -> T) -> T {
    let id = |i: usize| format!("{i:05}");
    let images = Images((0..n).map(|i| (id(i), None)).collect());
    let identities: Column = (0..n).map(|i| (id(i), (i / 4).to_string())).collect();
    then(&Setting { images: &images, labels: &Labels::default(), identities: Some(&identities) })
}

fn brightness(values: Vec<f64>) -> NuisanceValues {
    NuisanceValues { nuisance: Nuisance::Measured(PictureNuisance::Brightness), columns: vec![values] }
}

pub(super) fn normals(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = PhiloxStream::for_test(seed, 1);
    (0..n).map(|_| rng.normals(1.0)[0]).collect()
}

pub(super) fn points(columns: &[&[f64]]) -> Matrix {
    let n = columns[0].len();
    let values = (0..n).flat_map(|i| columns.iter().map(move |column| column[i] as f32)).collect();
    Matrix::new(n, columns.len(), values).unwrap()
}

#[test]
fn an_axis_that_is_the_nuisance_tells_it_and_another_tells_nothing() {
    let n = 1200;
    let (nuisance, other) = (normals(n, 1), normals(n, 2));
    let found = with(n, |setting| {
        let views = [View::Axis(1), View::Axis(2), View::Pair(1, 2), View::Axis(3)];
        score_nuisances(setting, &[points(&[&nuisance, &other])], &views, &[brightness(nuisance.clone())], 200, 7)
    });
    let score = |view: usize| found.views[view].scores[0];
    let b = |view: usize| score(view).b.unwrap();
    assert!(b(0).value > 0.97 && score(0).monotone.unwrap().value > 0.999, "{:?}", score(0));
    let (null, gradient) = (b(1), score(1).monotone.unwrap());
    assert!(null.low().unwrap() < 0.0 && null.high().unwrap() < 0.05, "{null:?}");
    assert_eq!(gradient.low(), Some(0.0));
    assert!(b(2).value > 0.85 && b(2).value < b(0).value && score(2).monotone.is_none(), "{:?}", b(2));
    assert_eq!(score(3), NuisanceScore::default(), "an axis that the points do not have");
    assert_eq!((found.identities, found.nuisances[0].defined), (300, n));
}

#[test]
fn half_of_the_variance_told_is_an_r_squared_of_a_half() {
    let n = 4000;
    let (told, untold) = (normals(n, 3), normals(n, 4));
    let nuisance: Vec<f64> = told.iter().zip(&untold).map(|(a, b)| a + b).collect();
    let found =
        with(n, |setting| score_nuisances(setting, &[points(&[&told])], &[View::Axis(1)], &[brightness(nuisance)], 200, 7));
    // A mean of twenty adds a twentieth of the untold half.
    let whole = found.views[0].scores[0].whole.unwrap();
    assert!((whole.value - 0.475).abs() < 0.02, "{whole:?}");
    assert!(whole.low().unwrap() < 0.475 && 0.475 < whole.high().unwrap());
}

#[test]
fn what_is_undefined_is_left_out_and_a_constant_is_not_scored() {
    let n = 800;
    let axis = normals(n, 5);
    let hue = axis.iter().enumerate().map(|(i, value)| if i % 5 == 0 { f64::NAN } else { *value }).collect();
    let lightness = normals(n, 6);
    let colour = NuisanceValues { nuisance: Nuisance::Measured(PictureNuisance::Background), columns: vec![lightness, hue] };
    let found = with(n, |setting| {
        score_nuisances(setting, &[points(&[&axis])], &[View::Axis(1)], &[colour, brightness(vec![3.0; n])], 100, 7)
    });
    assert_eq!((found.nuisances[0].defined, found.nuisances[0].partly, found.nuisances[0].constant), (640, 800, false));
    assert_eq!((found.nuisances[1].constant, found.views[0].scores[1]), (true, NuisanceScore::default()));
    // Of 1.8 n values 0.8 n are told.
    let whole = found.views[0].scores[0].whole.unwrap().value;
    assert!((whole - 0.8 / 1.8).abs() < 0.06, "{whole}");
}

#[test]
fn features_with_the_neighbours_they_have_are_scored_as_a_view_is_and_threads_change_no_bit() {
    let n = 600;
    let (a, b, c) = (normals(n, 8), normals(n, 9), normals(n, 10));
    let features = points(&[&a, &b, &c]);
    let scores = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            with(n, |setting| {
                let neighbours = Neighbours::exact(&features, REACH, NeighbourMetric::Euclidean);
                let of_features = score_nuisances_of_features(setting, neighbours.as_ref(), &[brightness(a.clone())], 100, 7);
                let view = score_nuisances(
                    setting,
                    std::slice::from_ref(&features),
                    &[View::Features],
                    &[brightness(a.clone())],
                    100,
                    7,
                );
                [of_features, view].map(|of| serde_json::to_string(&of).unwrap())
            })
        })
    };
    let [one, two] = scores(1);
    assert_eq!(one, two);
    assert_eq!(scores(4), [one, two]);
}

/// By `tests/fixtures/nuisances/make.py`.
#[test]
fn r_squared_is_that_of_an_independent_program() {
    #[derive(serde::Deserialize)]
    struct Oracle {
        points: Vec<[f64; 2]>,
        /// By column.
        values: Vec<Vec<f64>>,
        fold: Vec<usize>,
        r_squared: f64,
    }
    let oracle: Oracle = serde_json::from_str(include_str!("../../../../../tests/fixtures/nuisances/r_squared.json")).unwrap();
    let n = oracle.points.len();
    let [x, y] = [0, 1].map(|axis| oracle.points.iter().map(|point| point[axis]).collect::<Vec<f64>>());
    let design = NuisanceDesign {
        split: Split { half: vec![crate::scoring::design::split::Half::A; n], fold: oracle.fold },
        resamplers: Pool::ALL.map(|pool| Resampler::new((0..n).map(Some), 1, purpose(pool))),
        bootstraps: 0,
    };
    let neighbours = out_of_fold(&points(&[&x, &y]), &design.split);
    let columns: Vec<Vec<f64>> = oracle.values.iter().filter_map(|column| standardised(column)).collect();
    let found = explained(&design, &[neighbours], &columns, Pool::Whole).unwrap();
    assert!((found.value - oracle.r_squared).abs() < 1e-9, "{} {}", found.value, oracle.r_squared);
}
