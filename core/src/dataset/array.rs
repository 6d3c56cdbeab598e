//! Matrices of our own as files: NumPy's `.npy`.

use super::numbers::{NumberKind, Numbers};
use crate::{
    domain::{Fault, Result},
    numeric::Matrix,
};
use npyz::WriterBuilder;
use std::path::Path;

/// A matrix as the bytes of an `.npy` file (version 1.0, `<f4`, C order).
pub fn to_npy(matrix: &Matrix) -> Vec<u8> {
    let mut bytes = Vec::new();
    let shape = [matrix.rows() as u64, matrix.columns() as u64];
    let writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd();
    let written = writer.and_then(|mut writer| writer.extend(matrix.values().iter().copied()).and_then(|()| writer.finish()));
    written.expect("writing to memory does not fail");
    bytes
}

/// The N × D matrix in the bytes of an `.npy` file as [`to_npy`] writes them; `path` is for messages. Arrays of other people:
/// `numbers.rs`.
///
/// # Errors
/// Bytes that are no such file.
pub fn from_npy(bytes: &[u8], path: &Path) -> Result<Matrix> {
    let numbers = Numbers::of_npy(bytes, path)?;
    let (rows, columns) = (numbers.rows(), numbers.columns());
    if numbers.kind() != NumberKind::F32 {
        return Err(Fault::asked("an array of other numbers than single precision").in_file(path));
    }
    let (mut values, mut row_values) = (Vec::with_capacity(rows * columns), Vec::new());
    for row in 0..rows {
        numbers.row(row, &mut row_values);
        values.extend(row_values.iter().map(|value| *value as f32));
    }
    Matrix::new(rows, columns, values).ok_or_else(|| Fault::asked("the array does not hold what its header says").in_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_survives_its_file() {
        let matrix = Matrix::new(3, 2, vec![1.0, 2.0, 3.5, -4.0, 0.0, 6.0]).unwrap();
        let bytes = to_npy(&matrix);
        assert_eq!(from_npy(&bytes, Path::new("x.npy")).unwrap(), matrix);
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    }

    #[test]
    fn damaged_and_lying_files_are_refused() {
        let bytes = to_npy(&Matrix::new(3, 2, vec![0.0; 6]).unwrap());
        for cut in [0, 5, 30, bytes.len() - 1] {
            assert!(from_npy(&bytes[..cut], Path::new("x.npy")).is_err(), "cut at {cut}");
        }
        let lying = String::from_utf8_lossy(&bytes[..60]).replace("(3, 2", "(9999999999999, 9");
        assert!(from_npy(&[b"\x93NUMPY", &lying.as_bytes()[8..]].concat(), Path::new("x.npy")).is_err());
    }
}
