//! Data sets on disk → images, labels, identities, given features. Nothing here is trusted: every file is checked as it
//! is read, and every refusal says which line.

pub mod array;
pub mod celeba;
mod collection;
mod decode;
mod defects;
mod digests;
pub mod faces;
mod features;
mod folders;
mod identities;
mod jpeg;
mod labels;
mod loader;
mod matching;
mod narrow;
mod numbers;
mod pictures;
pub mod prepare;
mod row_list;
mod survey;
mod tables;

pub use collection::{Collection, collect, recognise};
pub use defects::{Defects, Finding, Severity};
pub use digests::DigestCache;
pub use features::{GivenArray, examine_given, read_given};
pub use identities::{People, SAY as SAY_IDENTITIES, UNKNOWN as UNKNOWN_IDENTITIES};
pub use labels::label_table;
pub use loader::{Album, Batch, Loader, examine_picture};
pub use matching::taken;
pub use numbers::Numbers;
pub use pictures::list as list_pictures;
pub use row_list::read_rows;
pub use survey::{Need, Survey, survey};
