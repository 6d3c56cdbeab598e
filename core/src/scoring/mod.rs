//! Coordinates and features → scores with intervals, frequencies, the ledger.
//!
//! The definitions are those of the methods appendix of every report (`templates/methods.html`); each file cites its own.
//! Pure: labels and points in, numbers out.

mod auc;
mod beside;
mod bootstrap;
#[cfg(test)]
mod degenerate;
mod difference;
pub mod fairness;
pub mod frequencies;
pub mod gaps;
pub mod grid;
mod knn;
mod members;
mod monotone;
mod nearest;
mod permuted;
mod probe;
mod quality;
pub mod ranking;
pub mod recovered;
mod scale;
#[cfg(test)]
mod simulations;
mod space;
mod split;
mod steady;
mod student;
mod verification;
mod views;

pub use members::Setting;
pub use quality::quality;
pub use space::{Measured, space};
pub use steady::{Figure, steady};
pub use verification::verify;
pub use views::{Scored, score};
