//! Features → coordinates, one file a method. Same features, method and seed: same bits.

mod pca;

use crate::{
    domain::{Fault, Result, projection::Method, result::Facts},
    numeric::Matrix,
};

/// N × k coordinates, and what is to be known of them (see each method).
pub struct Projected {
    pub coordinates: Matrix,
    pub facts: Facts,
}

/// Can this release compute it?
pub fn can(method: &Method) -> bool {
    matches!(method, Method::Pca { .. })
}

/// # Errors
/// Features that the method cannot place, or a method that comes with a later release.
pub fn project(method: &Method, features: &Matrix, _seed: u64) -> Result<Projected> {
    match *method {
        Method::Pca { axes } => pca::project(features, axes),
        _ => Err(Fault::missing(format!("this release cannot compute {}", method.word()))),
    }
}
