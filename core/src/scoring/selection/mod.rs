//! Which cells are shown and why, how robust they are, and whether a known truth is recovered.

pub mod ranking;
pub mod recovered;
pub mod robustness;
