//! How groups of people fare: rates, gaps between groups, dispersion over groups, and what reweighing changes.

pub mod dispersion;
pub mod frequencies;
pub mod gaps;
pub mod groups;
pub mod rates;
pub mod reweigh;
