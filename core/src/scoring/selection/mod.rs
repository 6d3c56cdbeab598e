//! Which cells are shown and why, which images are worth labelling next, how robust they are, and whether a known truth is recovered.

pub mod least_sure;
pub mod ranking;
pub mod recovered;
pub mod robustness;
pub mod subgroups;
