//! Coordinates and features → scores with intervals, tests over all cells, fairness, the ledger of figures.
//!
//! The definitions are those of the methods appendix of every report (`templates/methods.html`); each file cites its own.
//! Pure: labels and points in, numbers out.

#[cfg(test)]
mod degenerate;
mod design;
mod estimators;
pub mod fairness;
mod inference;
#[cfg(test)]
mod peers;
pub mod selection;
#[cfg(test)]
mod simulations;

pub use design::{learned::LearnedClasses, members::Setting};
pub use estimators::{
    adjusted::adjusted_scores,
    agreement::{agreements, cohens_kappa},
    association::{BinaryLabels, CooccurrenceTable, quantile, sizes_by_doubling},
    clicks::{ClickInput, simulate_clicks},
    faithfulness::quality,
    feature_scores::{ScoredFeatures, score_features},
    finding::{FoundImages, RankedBy, images_like, images_that_fit},
    nuisances::{NuisanceValues, score_nuisances, score_nuisances_of_features},
    out_of_fold::REACH,
    pair_protocol::{PairError, can_verify, pair_distances, verify_pairs},
    placed::neighbours_kept,
    retained::retained_signal,
    retrieval::{RetrievalInput, retrieve},
    score::{Scored, score},
    verification::verify,
};
pub use inference::{
    attention::{ModelRetains, attention_contrasts},
    proportion::{effective_images, wilson},
    simultaneous::{self, layers},
};
pub use selection::{
    robustness::{ShownFigure, figure_robustness},
    subgroups::{SubgroupSearch, subgroups},
};
