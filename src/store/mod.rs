//! What a workspace keeps: results, objects, journals, and the only SQL.
//!
//! Results and objects are the truth, journals say what was tried, the database is an index that can be made again from
//! both. Workers write results and objects; only one process at a time writes the database.

mod durable;
pub use durable::replace as write_whole;
mod index;
mod journal;
mod objects;
mod results;
mod workspace;

pub use index::{Index, ScoreRow, rows as score_rows, sqlite_version};
pub use journal::{Journal, Reading, read as read_journal};
pub use objects::Objects;
pub use results::Results;
pub use workspace::{Lock, Workspace};
