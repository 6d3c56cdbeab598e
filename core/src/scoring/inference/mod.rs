//! Uncertainty of scores: intervals, p-values, permutations, and tests of all cells of a study together.

pub(super) mod attention;
pub(super) mod bootstrap;
pub(super) mod difference;
pub(super) mod fdr;
pub(super) mod interval;
pub(super) mod permutation;
pub(super) mod proportion;
pub(super) mod ratio;
pub(super) mod side_difference;
pub mod simultaneous;
pub(super) mod student;
