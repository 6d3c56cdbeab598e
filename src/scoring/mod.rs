//! Coordinates and features → scores with intervals, frequencies, the ledger.
//!
//! The definitions are those of the methods appendix of every report (`templates/methods.html`); each file cites its own.
//! Pure: labels and points in, numbers out.

mod auc;
mod bootstrap;
pub mod frequencies;
mod knn;
mod members;
mod monotone;
mod quality;
pub mod ranking;
mod split;
mod verification;
mod views;

pub use members::Setting;
pub use quality::quality;
pub use verification::verify;
pub use views::score;
