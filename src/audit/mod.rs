//! Audits: recompute, compare, verdict. Of a report file alone; then against the results and the data it came from.
//!
//! Stages are carried out again by a function that is passed in: this module compares, it does not know how a score is
//! made.

mod evidence;
mod examine;
mod page;
mod verdict;

pub use evidence::{Evidence, MARK, pack};
pub use examine::{Again, Recompute, Remade, examine_report, examine_results};
pub use page::seal;
pub use verdict::{Audit, Checked, Verdict};
