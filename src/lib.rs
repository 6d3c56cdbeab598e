//! Visavis: compare recognition models, face to face. The map is in `ARCHITECTURE.md`.

pub mod audit;
pub mod cli;
pub mod config;
pub mod report;
pub mod study;
pub mod tui;
