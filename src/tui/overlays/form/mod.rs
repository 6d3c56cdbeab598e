//! Forms: what is asked of a person who adds to a study, with completion.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;
