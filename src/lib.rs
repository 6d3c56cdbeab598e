//! Visavis: compare recognition models, face to face. The map is in `ARCHITECTURE.md`.

pub mod audit;
pub mod cli;
pub mod config;
pub mod dataset;
pub mod domain;
pub mod numeric;
pub mod plot;
pub mod projection;
pub mod report;
pub mod scoring;
pub mod stages;
pub mod store;
pub mod study;
pub mod tui;
pub mod weights;
