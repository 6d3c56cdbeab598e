//! Clusters that are there are found, what is not there is not, and nothing panics.

use super::*;
use linfa::{
    DatasetBase,
    traits::{Fit, Predict},
};

const METHODS: [ClusterMethod; 3] = [
    ClusterMethod::KMeans(ClusterCount::UpTo(8)),
    ClusterMethod::GaussianMixture(ClusterCount::UpTo(8)),
    ClusterMethod::Dbscan { min_points: 5 },
];

/// Normal clouds at these places, and the cloud of every point.
fn clouds(places: &[[f64; 2]], each: usize, deviation: f64) -> (Matrix, Vec<usize>) {
    let mut stream = PhiloxStream::for_test(3, places.len() as u64);
    let mut values = Vec::new();
    let cloud: Vec<usize> = (0..each * places.len()).map(|i| i % places.len()).collect();
    for cloud in &cloud {
        let noise = stream.normals(deviation);
        values.extend((0..2).map(|column| (places[*cloud][column] + noise[column]) as f32));
    }
    (Matrix::new(cloud.len(), 2, values).unwrap(), cloud)
}

fn known(cloud: &[usize]) -> Memberships {
    cloud.iter().map(|cloud| Some(*cloud)).collect()
}

#[test]
fn three_clouds_are_three_stable_clusters_by_every_method() {
    let (points, cloud) = clouds(&[[0.0, 0.0], [10.0, 0.0], [4.0, 9.0]], 100, 1.0);
    for method in METHODS {
        let (found, memberships) = clusters(&[points.clone(), points.clone()], &[View::Map], method, 1);
        let view = &found.views[0];
        assert_eq!((found.images, found.fitted, found.seeds), (300, 300, 2));
        // DBSCAN takes a few images at a cloud's fringe for clusters of their own.
        let large = view.clusters.iter().filter(|cluster| cluster.images > 20);
        assert_eq!(large.clone().count(), 3, "{method:?}: {view:?}");
        let is_dense = matches!(method, ClusterMethod::Dbscan { .. });
        assert!(is_dense || view.clusters.len() == 3, "{method:?}: {view:?}");
        assert!(adjusted_rand(&memberships[0], &known(&cloud)) > if is_dense { 0.8 } else { 0.95 }, "{method:?}");
        assert!(view.stability.unwrap() > 0.85 && view.between_seeds.unwrap() > 0.99, "{method:?}: {view:?}");
        assert!(large.clone().all(|cluster| cluster.stability.unwrap() > 0.8), "{method:?}: {view:?}");
        assert!(view.clusters.is_sorted_by_key(|cluster| std::cmp::Reverse(cluster.images)));
        assert_eq!(view.clusters.iter().map(|cluster| cluster.images).sum::<usize>() + view.in_none, 300);
    }
}

#[test]
fn one_cloud_is_one_component_and_pieces_of_it_are_not_stable() {
    let (points, _) = clouds(&[[0.0, 0.0]], 400, 1.0);
    let (found, _) = clusters(std::slice::from_ref(&points), &[View::Map], METHODS[1], 1);
    assert_eq!((found.views[0].clusters.len(), found.views[0].stability), (1, None));
    // k-means always cuts: how it cuts is not stable.
    let six = ClusterMethod::KMeans(ClusterCount::Fixed(6));
    let (found, _) = clusters(&[points], &[View::Map], six, 1);
    assert!(found.views[0].stability.unwrap() < 0.8, "{:?}", found.views[0].stability);
}

#[test]
fn the_bits_do_not_depend_on_threads() {
    let (points, _) = clouds(&[[0.0, 0.0], [5.0, 0.0], [2.0, 4.0], [-4.0, 3.0]], 40, 1.3);
    for method in METHODS {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| clusters(std::slice::from_ref(&points), &[View::Map, View::Axis(1)], method, 5))
        };
        let (one, many) = (with(1), with(16));
        assert!(one == many && one == with(2), "{method:?}");
    }
}

#[test]
fn beyond_the_sample_all_images_are_placed() {
    let (points, cloud) = clouds(&[[0.0, 0.0], [20.0, 0.0]], 400, 1.0);
    for method in METHODS.map(|method| method.with_count(2)) {
        let (found, memberships) = among(500, std::slice::from_ref(&points), &[View::Map], method, 1);
        assert_eq!((found.images, found.fitted), (800, 500));
        let agreement = adjusted_rand(&memberships[0], &known(&cloud));
        assert!(agreement > 0.85, "{method:?}: {agreement}");
        // 300 images were placed afterwards, nearly all of them.
        assert!(found.views[0].in_none < 100, "{method:?}: {}", found.views[0].in_none);
    }
}

#[test]
fn nothing_to_find_is_said_and_never_a_panic() {
    let at_one_place = Matrix::new(50, 2, vec![3.0; 100]).unwrap();
    let two_places = Matrix::new(40, 2, (0..80).map(|i| (i / 40) as f32).collect()).unwrap();
    let two = Matrix::new(2, 2, vec![0.0, 0.0, 1.0, 1.0]).unwrap();
    for method in METHODS {
        for (points, most) in [(&at_one_place, 1), (&two_places, 2), (&two, 2)] {
            let (found, memberships) = clusters(std::slice::from_ref(points), &[View::Map, View::Axis(7)], method, 1);
            assert!(found.views[0].clusters.len() <= most, "{method:?}: {:?}", found.views[0]);
            assert_eq!(memberships[0].len(), points.rows());
            assert_eq!((found.views[1].clusters.len(), found.views[1].in_none), (0, points.rows()), "there is no such axis");
        }
        let (found, _) = clusters(&[], &[View::Map], method, 1);
        assert_eq!((found.images, found.views[0].clusters.len()), (0, 0));
    }
}

/// Mixtures are those of linfa; but linfa's cannot place an image far from all means, and ours can.
#[test]
fn a_mixture_is_that_of_linfa_and_places_an_image_far_away() {
    let (points, _) = clouds(&[[0.0, 0.0], [6.0, 0.0], [2.0, 6.0]], 100, 1.0);
    let data = DatasetBase::from(crate::numeric::ndarray::in_double(&points));
    let stream = crate::numeric::ndarray::RandStream(PhiloxStream::for_test(1, 1));
    let peer = linfa_clustering::GaussianMixtureModel::params_with_rng(3, stream).fit(&data).unwrap();
    let of_linfa: Memberships = peer.predict(data.records()).iter().map(|cluster| Some(*cluster)).collect();
    let ours = Mixture::fit(&points, 3, 1).unwrap();
    assert!(adjusted_rand(&ours.place(&points), &of_linfa) > 0.98);
    let far = Matrix::new(1, 2, vec![1000.0, 1000.0]).unwrap();
    assert!(ours.place(&far)[0].is_some());
    let shares = peer.predict_proba(&crate::numeric::ndarray::in_double(&far));
    assert!(shares.iter().all(|share| !(0.0..=1.0).contains(share)), "linfa's mixture has learned to place it: use it");
}
