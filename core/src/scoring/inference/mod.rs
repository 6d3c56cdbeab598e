//! Uncertainty of scores: intervals, p-values, permutations, and tests of all cells of a study together.

pub mod bootstrap;
pub mod difference;
pub mod fdr;
pub mod interval;
pub mod permutation;
pub mod proportion;
pub mod simultaneous;
pub mod student;
