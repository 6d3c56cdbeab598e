//! Which images and identities a question is about, and how they are parted: halves, folds, resamples.

pub mod members;
pub mod split;
