//! Reproducible arithmetic, on which everything else is built.
//!
//! Results have the same bits with any number of threads, on any x86-64, at any optimisation level: sums have a fixed order, every product
//! and distance is one chain of fused multiply-adds in the order of its terms (so tiles and lanes cannot change it), random numbers are
//! functions of a counter, and exp and ln come from `libm`, not from the system. It reads no files and no clock.

pub(crate) mod block_lanczos;
pub mod cholesky;
pub mod eigen;
pub mod fourier;
pub mod krylov;
pub mod lanes;
pub mod leading;
pub mod matrix;
pub mod multiversion;
pub mod ndarray;
pub mod neighbours;
pub(crate) mod pivoted_cholesky;
pub mod pulse;
pub mod purpose;
pub mod random;
pub mod single;
pub mod special;
pub mod sum;
pub(crate) mod sweep;
pub mod tiled;

pub use matrix::Matrix;
pub use purpose::Purpose;
pub use random::PhiloxStream;
