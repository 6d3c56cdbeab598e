//! A study of one's own, begun by pointing: where pictures, labels, features and weights are. What these are `visavis init` finds out.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;
