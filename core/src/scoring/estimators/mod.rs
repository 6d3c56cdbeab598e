//! What is measured of points and features: one file an estimator.

pub(super) mod adjusted;
pub(super) mod agreement;
pub(super) mod association;
pub(super) mod auc;
mod average_precision;
pub(super) mod clicks;
pub(super) mod cluster_validity;
pub(super) mod faithfulness;
pub(super) mod feature_scores;
pub(super) mod finding;
pub(super) mod knn;
pub(super) mod monotone;
pub(super) mod nearest;
pub(super) mod nuisances;
pub(super) mod out_of_fold;
pub(super) mod pair_protocol;
pub(super) mod per_view;
pub(super) mod placed;
pub(super) mod probe;
pub(super) mod retained;
pub(super) mod retrieval;
pub(super) mod score;
mod swept;
pub(super) mod verification;
