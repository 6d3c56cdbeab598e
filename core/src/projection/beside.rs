//! What tests of graph and distance methods share: scikit-learn's answers (`tests/manifolds.py`), how far apart two maps are, and features
//! that are hard. Only tests use it.

use super::{METHODS, ProjectionInput, Projector, project, word};
use crate::{
    domain::{Digest, Ending},
    numeric::{Matrix, multiversion, random::mixed},
};
use serde_json::Value;

pub(super) fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/manifolds.json")).unwrap()
}

pub(super) fn rows(of: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(of.clone()).unwrap()
}

pub(super) fn matrix(of: &Value) -> Matrix {
    let rows = rows(of);
    Matrix::new(rows.len(), rows[0].len(), rows.concat().into_iter().map(|value| value as f32).collect()).unwrap()
}

pub(super) fn furthest(ours: &Matrix, peer: &Value) -> f64 {
    furthest_of(ours, &matrix(peer))
}

/// The largest distance of a point from the same point of the other map, shifted, turned and reflected but not scaled so that they fit best;
/// relative to the root mean square distance from the middle.
pub(super) fn furthest_of(ours: &Matrix, peer: &Matrix) -> f64 {
    let centred = |map: &Matrix| -> Vec<[f64; 2]> {
        let column = |axis: usize| -> Vec<f64> { map.column(axis).into_iter().map(f64::from).collect() };
        let (x, y) = (column(0), column(1));
        let n = x.len() as f64;
        let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        x.iter().zip(&y).map(|(x, y)| [x - mx, y - my]).collect()
    };
    let (a, b) = (centred(ours), centred(peer));
    assert_eq!(a.len(), b.len());
    let size = (b.iter().map(|[x, y]| x * x + y * y).sum::<f64>() / b.len() as f64).sqrt();
    let apart = |sign: f64| {
        // The angle that brings (x, sign y) of ours nearest to the peer's.
        let (mut along, mut across) = (0.0, 0.0);
        for ([x, y], [u, v]) in a.iter().zip(&b) {
            along += x * u + sign * y * v;
            across += x * v - sign * y * u;
        }
        let (sin, cos) = across.atan2(along).sin_cos();
        let turned = a.iter().map(|[x, y]| [cos * x - sin * sign * y, sin * x + cos * sign * y]);
        turned.zip(&b).map(|([x, y], [u, v])| ((x - u).powi(2) + (y - v).powi(2)).sqrt()).fold(0.0, f64::max) / size
    };
    apart(1.0).min(apart(-1.0))
}

/// Numbers that need no stream.
fn drawn(n: usize, d: usize, levels: u64, scale: f32, sequence: u64) -> Matrix {
    let value = |i: usize| (mixed(sequence, i as u64) % levels) as f32 * scale;
    Matrix::new(n, d, (0..n * d).map(value).collect()).unwrap()
}

/// Duplicates, constant columns, few images, very large and very small numbers: coordinates that are numbers, two a row, the same with
/// any number of threads and at any level, or a refusal that is the asker's to mend.
pub(super) fn holds_on_hard_features(method: &(dyn Fn() -> Box<dyn Projector> + Sync)) {
    let mut placed = 0;
    for (case, (n, d)) in [(1, 3), (2, 2), (3, 1), (6, 4), (30, 2), (45, 3), (60, 40), (70, 5)].into_iter().enumerate() {
        for (levels, scale) in [(1, 1.0), (2, 1.0), (3, 1e-30), (1 << 20, 1e-6), (1 << 20, 1e15), (5, 1e37)] {
            let features = drawn(n, d, levels, scale, case as u64);
            let told = format!("{n} × {d}, {levels} levels of {scale}");
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                // What watches cannot be sent, so everything is made inside.
                pool.install(|| method().project(&ProjectionInput::alone(&features, 1)))
            };
            match with(1) {
                Ok(one) => {
                    placed += 1;
                    assert_eq!((one.coordinates.rows(), one.coordinates.columns()), (n, 2), "{told}");
                    assert!(one.coordinates.values().iter().all(|value| !value.is_nan()), "{told}");
                    assert!(one.facts.values().flatten().all(|number| number.is_finite()), "{told}: {:?}", one.facts);
                    let other = with(3).unwrap();
                    assert!(one.coordinates == other.coordinates && one.facts == other.facts, "{told}");
                    if n == 45 {
                        multiversion::each_level(|level| {
                            assert!(one.coordinates == with(2).unwrap().coordinates, "{told} {level:?}");
                        });
                    }
                }
                Err(fault) => assert_eq!(fault.ending, Ending::Asked, "{told}: {fault}"),
            }
        }
    }
    assert!(placed > 10, "{placed}");
}

/// What is said of n × d features that are refused.
pub(super) fn refusal(method: &dyn Projector, n: usize, d: usize) -> String {
    method.project(&ProjectionInput::alone(&drawn(n, d, 1 << 20, 1.0, 1), 1)).unwrap_err().what
}

/// One digest a method, of coordinates and facts on the S-curve. Another one means other bits: then the method's version is raised.
#[test]
fn maps_have_the_bits_they_had() {
    const WERE: [(&str, &str); 9] = [
        ("isomap", "cd254ac9"),
        ("lle standard", "2dabd17c"),
        ("lle modified", "796b4499"),
        ("lle hessian", "6b3a9641"),
        ("lle ltsa", "c0455e23"),
        ("mds classical", "86c3953d"),
        ("mds metric", "3a6b3ca9"),
        ("spectral", "6175946d"),
        ("diffusion_map", "0fc76a57"),
    ];
    let features = matrix(&fixture()["curve"]);
    let found = WERE.map(|(name, _)| {
        let (method, own) = name.split_once(' ').unwrap_or((name, ""));
        let usual = METHODS.iter().find(|of| of.word == method).unwrap().usual();
        let method = match method {
            "lle" => usual.with("neighbors", 9).with("variant", word(own)),
            "mds" => usual.with("kind", word(own)),
            _ => usual,
        };
        let found = project(&method, &ProjectionInput::alone(&features, 7)).unwrap();
        let coordinates = found.coordinates.values().iter().flat_map(|value| value.to_le_bytes());
        let facts = found.facts.values().flatten().flat_map(|number| number.to_le_bytes());
        (name, Digest::of(&coordinates.chain(facts).collect::<Vec<_>>()).short())
    });
    assert_eq!(found, WERE.map(|(name, digest)| (name, digest.to_owned())));
}
