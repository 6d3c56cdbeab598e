//! The sections of the page: each a struct of what it shows, a pure function that fills it, and a template of its own. Numbers are
//! ids of claims.

mod agreement;
mod attended;
mod attention_contrasts;
mod beside_baseline;
mod claims_tested;
mod clicks;
mod clusters;
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
mod layers_and_axes;
mod ledger;
mod models;
mod nuisances;
mod overlap;
mod overview;
mod projections;
mod quality;
mod reproduction;
mod retrieval;
mod robustness;
mod scores;
mod static_text;
mod subgroups;
mod summary;
mod training;
mod training_set;
mod verification_sets;
mod worst_served;

pub(crate) use attended::Attended;
pub(crate) use claims_tested::ClaimsTested;
pub(crate) use clicks::ClicksSection;
pub(crate) use clusters::Clusters;
pub(crate) use comparisons::Comparisons;
pub(crate) use contrasts::{Contrasts, PairVerdict};
pub(crate) use data::Data;
pub(crate) use fairness::Fairness;
pub(crate) use figures::Figures;
pub(crate) use findings::Findings;
pub(crate) use known_truth::KnownTruth;
pub(crate) use layers_and_axes::LayersAndAxes;
pub(crate) use ledger::{LedgerSection, Table};
pub(crate) use models::Models;
pub(crate) use nuisances::Nuisances;
pub(crate) use quality::Quality;
pub(crate) use reproduction::Reproduction;
pub(crate) use retrieval::Retrieval;
pub(crate) use scores::ScoreMatrix;
pub(crate) use static_text::{Methods, Words};
pub(crate) use summary::Summary;
pub(crate) use training::Training;
pub(crate) use verification_sets::VerificationSets;

use serde::Serialize;

/// A part of the page under one heading.
pub(crate) trait Section: Serialize {
    /// What links lead to.
    const ANCHOR: &'static str;
    const TITLE: &'static str;
    /// Its template reads the fields of the struct.
    const TEMPLATE: &'static str;
}
