//! Matrices as linfa and ndarray have them, and random numbers as the crate `rand` draws them.

use super::{Matrix, PhiloxStream};
use ndarray::{Array2, ArrayView2};
use rand_core::{Error, RngCore};

/// The same numbers, not copied.
///
/// # Panics
/// Never: a matrix has as many values as its shape says.
pub fn view(matrix: &Matrix) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((matrix.rows(), matrix.columns()), matrix.values()).expect("rows × columns values")
}

/// The same numbers in double precision.
pub fn in_double(matrix: &Matrix) -> Array2<f64> {
    view(matrix).mapv(f64::from)
}

/// A stream of random numbers for code of the crate `rand`.
#[derive(Clone, Debug)]
pub struct RandStream(pub PhiloxStream);

impl RngCore for RandStream {
    fn next_u32(&mut self) -> u32 {
        (self.0.bits() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0.bits()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.bits().to_le_bytes()[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_the_rows_of_its_matrix() {
        let matrix = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!((view(&matrix)[[1, 0]], in_double(&matrix)[[0, 2]]), (4.0, 3.0));
    }

    #[test]
    fn a_stream_gives_its_own_bits_and_goes_on() {
        let mut stream = RandStream(PhiloxStream::for_test(1, 2));
        let mut same = PhiloxStream::for_test(1, 2);
        assert_eq!([stream.next_u64(), stream.next_u64()], [same.bits(), same.bits()]);
        let mut bytes = [0; 11];
        stream.fill_bytes(&mut bytes);
        assert_eq!(bytes[..8], same.bits().to_le_bytes());
    }
}
