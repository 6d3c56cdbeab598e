//! Which cells are shown and why, and how well that holds.

pub mod ranking;
pub mod recovered;
pub mod robustness;
