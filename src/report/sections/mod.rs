//! The sections of the page: each a struct of what it shows, a pure function that fills it, and a template of its own. Numbers are
//! ids of claims.

mod comparisons;
mod contrasts;
mod data;
mod dispersion;
mod fairness;
mod figures;
mod findings;
mod gradients;
mod group_rates;
mod kept;
mod known_truth;
mod ledger;
mod models;
mod projections;
mod quality;
mod reproduction;
mod robustness;
mod scores;
mod static_text;
mod summary;
mod training;

pub use comparisons::Comparisons;
pub use contrasts::{Contrasts, PairVerdict};
pub use data::Data;
pub use fairness::Fairness;
pub use figures::Figures;
pub use findings::Findings;
pub use known_truth::KnownTruth;
pub use ledger::{LedgerSection, Table};
pub use models::Models;
pub use quality::Quality;
pub use reproduction::Reproduction;
pub use scores::ScoreMatrix;
pub use static_text::{Methods, Words};
pub use summary::Summary;
pub use training::Training;

use serde::Serialize;

/// A part of the page under one heading.
pub trait Section: Serialize {
    /// What links lead to.
    const ANCHOR: &'static str;
    const TITLE: &'static str;
    /// Its template reads the fields of the struct.
    const TEMPLATE: &'static str;
}
