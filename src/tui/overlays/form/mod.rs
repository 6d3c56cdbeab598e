//! Forms: what is asked of a person who adds to a study, with completion.

pub mod state;
pub mod update;
pub mod view;
