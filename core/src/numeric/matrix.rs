//! A dense matrix: rows × columns of `f32`, row-major. Arithmetic on it is done in `f64`.

/// A dense matrix, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// `None` when `values` does not hold rows × columns numbers.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Option<Self> {
        (rows.checked_mul(columns)? == values.len()).then_some(Matrix { rows, columns, values })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// A copy of one column.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn column(&self, column: usize) -> Vec<f32> {
        (0..self.rows).map(|row| self.row(row)[column]).collect()
    }

    /// A copy of these rows, in this order.
    pub fn take(&self, rows: &[usize]) -> Matrix {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Matrix { rows: rows.len(), columns: self.columns, values }
    }

    /// A copy of these columns, in this order.
    pub fn select(&self, columns: &[usize]) -> Matrix {
        let values = (0..self.rows).flat_map(|row| columns.iter().map(move |&column| self.row(row)[column])).collect();
        Matrix { rows: self.rows, columns: columns.len(), values }
    }

    /// The first value that is not finite: row and column from 0.
    pub fn first_not_finite(&self) -> Option<(usize, usize)> {
        let at = self.values.iter().position(|value| !value.is_finite())?;
        Some((at / self.columns, at % self.columns))
    }
}
