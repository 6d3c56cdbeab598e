//! Audits: recompute, compare, verdict. Of a report file alone; then against the results and the data it came from.
//!
//! Nothing on the page is believed: it is read by a parser and within bounds (`markup`, `container`, `page`), what it marks up as a
//! name is one (`names`), every number in its other words has a claim (`stray`), every claim is held against the embedded evidence (`alone`), stages are made again from verified
//! bytes (`remake`), and no path of a page is opened unless the auditor said so (`reach`).
//!
//! Stages are carried out again by a function that is passed in: this module compares, it does not know how a score is
//! made.

mod alone;
mod bounds;
mod container;
mod context;
mod digest_table;
mod evidence;
mod examine;
mod findings;
mod markup;
mod names;
mod objects;
mod packing;
mod page;
mod plain;
mod pointers;
mod reach;
mod remake;
mod rendered;
mod seal;
mod sources;
mod stray;
mod verdict;

pub use context::{PageContext, PinnedFigure};
pub use evidence::{Evidence, FORMAT, MARK};
pub use examine::{Examination, PageAudit, ResultsExamination};
pub(crate) use names::{lost_names, shown_name};
pub use objects::{EmbeddedObject, OpenedObject};
pub use packing::{pack, within_an_element};
pub use page::{LARGEST_PAGE, pictures, too_large};
pub use reach::{Reach, read_named};
pub use remake::{Again, Recompute, Remade, Remaking};
pub use rendered::{Rendered, RenderedFrom, compare};
pub use seal::seal;
pub(crate) use stray::holds_number;
pub use verdict::{Audit, Checked, Verdict};
