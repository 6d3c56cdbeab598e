//! Placing images that were not in the fit: what a fitted method gives, and the case of a linear map, which most methods of axes are.

use super::{ProjectionInput, projector, title};
use crate::{
    domain::{Fault, Result, projection::Method, result::Facts},
    numeric::{Matrix, tiled},
};

/// A fitted method, which can place images that were not in the fit.
pub trait Placement {
    /// Rows of as many columns as the features of the fit → their coordinates, one row each. Rows of the fit get the coordinates that they
    /// have: to rounding where the method is a map, nearly where it solves for each row.
    ///
    /// # Errors
    /// Rows that the method cannot place.
    fn place(&self, others: &Matrix) -> Result<Matrix>;

    /// Diagnostics of the fit that matter to what is placed.
    fn facts(&self) -> Facts {
        Facts::new()
    }
}

/// Where images that were not in the fit are placed.
#[derive(Debug)]
pub struct Placed {
    /// One row an image, in the coordinates of the fit.
    pub coordinates: Matrix,
    /// Diagnostics, as of a projection.
    pub facts: Facts,
}

/// Fits the method to features, and places others in its coordinates.
///
/// # Errors
/// A method that cannot place images that were not in the fit; features of another number of columns, or not finite; what
/// [`super::project`] refuses.
pub fn place(method: &Method, fitted_on: &ProjectionInput, others: &Matrix) -> Result<Placed> {
    let projector = projector(method)?;
    let (expected, columns) = (fitted_on.features.columns(), others.columns());
    if columns != expected {
        return Err(Fault::asked(format!(
            "features of {columns} columns are to be placed in a fit to features of {expected} columns"
        ))
        .next("give features of the same layer of the same model"));
    }
    fitted_on.all_finite()?;
    if let Some((row, column)) = others.first_not_finite() {
        return Err(Fault::asked(format!("the features to be placed are not all finite (row {row}, column {column}, from 0)")));
    }
    let Some(fitted) = projector.fit(fitted_on)? else {
        return Err(Fault::asked(format!("{} cannot place images that were not in the fit", title(method)))
            .next("project both sets together, or use a method that can, such as PCA"));
    };
    let coordinates = fitted.place(others)?;
    super::in_single_precision(&coordinates)?;
    Ok(Placed { coordinates, facts: fitted.facts() })
}

/// (x − means) · axes: the fit of PCA and of all that is linear.
pub(super) struct LinearMap {
    /// One a column.
    pub means: Vec<f64>,
    /// k × D, row by row.
    pub axes: Vec<f64>,
}

impl LinearMap {
    /// The coordinates, not yet rounded: N × k, row by row.
    pub(super) fn exact(&self, features: &Matrix) -> Vec<f64> {
        tiled::project(features, &self.means, &self.axes)
    }

    /// N × k.
    pub(super) fn coordinates(&self, features: &Matrix) -> Matrix {
        in_single(features.rows(), &self.exact(features))
    }
}

impl Placement for LinearMap {
    fn place(&self, others: &Matrix) -> Result<Matrix> {
        Ok(self.coordinates(others))
    }
}

/// Coordinates of `rows` images, row by row, in `f32`.
pub(super) fn in_single(rows: usize, exact: &[f64]) -> Matrix {
    let columns = exact.len() / rows.max(1);
    Matrix::new(rows, columns, exact.iter().map(|value| *value as f32).collect()).expect("one row an image, one column an axis")
}
