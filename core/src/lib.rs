//! What both programs share: values and the rules between them, data sets, projections, scores, figures, the store, and the stages
//! that are made of them. The map is in `ARCHITECTURE.md`.

#![deny(missing_docs)]

pub mod clustering;
pub mod dataset;
pub mod domain;
pub mod files;
pub mod numeric;
pub mod pickle;
pub mod plot;
pub mod projection;
pub mod scoring;
pub mod stages;
pub mod store;
pub mod weights;
