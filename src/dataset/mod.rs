//! Data sets on disk → images, labels, identities, given features. Nothing here is trusted: every file is checked as it
//! is read, and every refusal says which line.

pub mod array;
pub mod celeba;
mod digests;
mod features;
mod labels;
mod pictures;
mod survey;

pub use digests::DigestCache;
pub use features::{read_given, read_rows};
pub use survey::{Need, Survey, survey};
