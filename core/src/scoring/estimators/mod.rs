//! What is measured of points and features: one file an estimator.

pub mod auc;
pub mod cluster_validity;
pub mod faithfulness;
pub mod feature_scores;
pub mod knn;
pub mod monotone;
pub mod nearest;
pub mod per_view;
pub mod probe;
pub mod score;
pub mod verification;
