//! How groups of people fare: rates, gaps and what labels alone say of them.

pub mod frequencies;
pub mod groups;
pub mod measures;
