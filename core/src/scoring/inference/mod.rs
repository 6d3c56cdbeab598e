//! How sure a number is: resamples, intervals, permutations, and all cells of a study together.

pub mod bootstrap;
pub mod difference;
pub mod interval;
pub mod permutation;
pub mod proportion;
pub mod simultaneous;
pub mod student;
