//! Fairness among groups of identities: rates, gaps between groups, dispersion over groups, and what reweighing changes.

mod all_groups;
mod beside_baseline;
pub mod dispersion;
pub mod frequencies;
pub mod gaps;
mod group_replicates;
pub mod groups;
pub mod rates;
pub mod reweigh;
mod reweighed_probe;
mod worst_served;
