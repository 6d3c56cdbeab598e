//! Arrays as files: NumPy's `.npy`, and safetensors.

use crate::{
    domain::{Fault, Result, nearest::suggestion},
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

/// The N × D matrix in the bytes of an `.npy` file; `path` is for messages.
pub fn from_npy(bytes: &[u8], path: &Path) -> Result<Matrix> {
    let wrong = |what: String| Fault::asked(what).in_file(path);
    // npyz multiplies the shape in the header unchecked; a lying one overflows.
    let opened = std::panic::catch_unwind(|| npyz::NpyFile::new(bytes));
    let opened = opened.map_err(|_| wrong("the header says more than any file can hold: it is cut short or damaged".into()))?;
    let file = opened.map_err(|error| wrong(format!("not a readable .npy file: {error}")))?;
    let (shape, order, dtype) = (file.shape().to_vec(), file.order(), file.dtype());
    let [rows, columns] =
        two_dimensions(&shape).ok_or_else(|| wrong(format!("features are N × D, this array has the shape {shape:?}")))?;
    // The header is checked against the bytes there are before anything is allocated by its word.
    let size = dtype.num_bytes().unwrap_or(0);
    let wanted = rows.checked_mul(columns).and_then(|count| count.checked_mul(size));
    if size == 0 || wanted.is_none_or(|wanted| wanted > bytes.len()) {
        return Err(wrong(format!(
            "the header says {rows} × {columns} of {}, the file has {} bytes: it is cut short or damaged",
            dtype.descr(),
            bytes.len()
        )));
    }
    let refused = |error: std::io::Error| wrong(format!("cannot read the array ({}): {error}", dtype.descr()));
    let again = || npyz::NpyFile::new(bytes);
    let numbers: Vec<f32> = match dtype.descr().trim_matches('\'') {
        "<f4" | ">f4" => file.into_vec::<f32>().map_err(refused)?,
        "<f8" | ">f8" => {
            again().and_then(npyz::NpyFile::into_vec::<f64>).map_err(refused)?.into_iter().map(|x| x as f32).collect()
        }
        "|u1" => again().and_then(npyz::NpyFile::into_vec::<u8>).map_err(refused)?.into_iter().map(f32::from).collect(),
        "<i4" | ">i4" => {
            again().and_then(npyz::NpyFile::into_vec::<i32>).map_err(refused)?.into_iter().map(|x| x as f32).collect()
        }
        "<i8" | ">i8" => {
            again().and_then(npyz::NpyFile::into_vec::<i64>).map_err(refused)?.into_iter().map(|x| x as f32).collect()
        }
        other => {
            return Err(wrong(format!("features of the type {other} are not read"))
                .next("save them as float32: np.save(path, features.astype(np.float32))"));
        }
    };
    let numbers = match order {
        npyz::Order::C => numbers,
        npyz::Order::Fortran => {
            (0..rows).flat_map(|row| (0..columns).map(move |column| column * rows + row)).map(|at| numbers[at]).collect()
        }
    };
    Matrix::new(rows, columns, numbers).ok_or_else(|| wrong("the array does not hold what its header says".to_owned()))
}

/// The tensor `name` of a safetensors file, or its only one.
pub fn from_safetensors(bytes: &[u8], name: &str, path: &Path) -> Result<Matrix> {
    let wrong = |what: String| Fault::asked(what).in_file(path);
    let file = safetensors::SafeTensors::deserialize(bytes)
        .map_err(|error| wrong(format!("not a readable safetensors file: {error}")))?;
    let names = file.names();
    let name = if names.len() == 1 { names[0] } else { name };
    let tensor = file.tensor(name).map_err(|_| wrong(format!("there is no tensor `{name}`")).next(suggestion(name, &names)))?;
    let [rows, columns] = two_dimensions(&tensor.shape().iter().map(|&n| n as u64).collect::<Vec<_>>())
        .ok_or_else(|| wrong(format!("features are N × D, the tensor `{name}` has the shape {:?}", tensor.shape())))?;
    let numbers: Vec<f32> = match tensor.dtype() {
        safetensors::Dtype::F32 => tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        safetensors::Dtype::F64 => {
            tensor.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("eight bytes")) as f32).collect()
        }
        safetensors::Dtype::BF16 => {
            tensor.data().chunks_exact(2).map(|b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16)).collect()
        }
        other => return Err(wrong(format!("features of the type {other:?} are not read")).next("save them as float32")),
    };
    Matrix::new(rows, columns, numbers).ok_or_else(|| wrong(format!("the tensor `{name}` does not hold what its header says")))
}

fn two_dimensions(shape: &[u64]) -> Option<[usize; 2]> {
    let [rows, columns] = shape else { return None };
    Some([usize::try_from(*rows).ok()?, usize::try_from(*columns).ok()?])
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
        assert!(from_safetensors(&[255; 40], "x", Path::new("x.safetensors")).is_err());
    }
}
