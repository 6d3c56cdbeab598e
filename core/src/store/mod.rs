//! What a workspace keeps: results, objects, journals, and the only SQL.
//!
//! Results and objects are the truth, journals say what was tried, the database is an index that can be made again from
//! both. Workers write results, objects and journals; only one process at a time writes the database.

mod audits;
mod build;
mod checkpoints;
mod disk;
mod fail_point;
mod filesystem;
mod graphs;
mod index;
mod injection;
mod journal;
mod lease;
mod mailbox;
mod objects;
pub mod origin;
mod pages;
mod recorder;
mod results;
mod trash;
pub mod typed_paths;
mod user_caches;
mod waiting;
mod workspace;
mod write_out;
mod writer;

pub use audits::{AuditDifference, LastAudit, MOST_DIFFERENCES};
pub use build::Build;
pub use checkpoints::Checkpoints;
pub use disk::{make_folder, replace as write_whole, write_new};
pub use graphs::Graphs;
pub use index::{
    Aside, AttemptRow, Before, Index, IngestedEvent, JobRow, LogRow, Rebuilt, RunCounts, RunRow, SeriesRow, Spent, check_scores,
    sqlite_version,
};
pub use injection::Injection;
pub use journal::{Damage, Journal, JournalPart, Mark, StoredRecord, read as read_journal, why_strange};
pub use mailbox::{MailReader, MailWriter, clear as clear_letters, listed as letters_in, remove_folder};
pub use objects::Objects;
pub use pages::{MADE_OF, WrittenPage};
pub use recorder::{MOST_LINES, RecordFlusher, Recorder, now};
pub use results::Results;
pub use trash::{Moved, Removal, Trash};
pub use waiting::{Ticket, WaitingRun};
pub use workspace::{Holder, LOOKING, Lock, Workspace, stamp, tail};
pub use write_out::{write_out, write_out_unless_there};
