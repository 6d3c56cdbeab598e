//! Labelling: people look at pictures and say what they show. What is asked and what was answered (`session.rs`) is pure; the journal
//! keeps each answer before the next picture is shown (`answer_journal.rs`).

mod agreement;
mod answer_journal;
mod order;
mod progress;
mod session;

pub use agreement::{Agreement, agreements};
pub use answer_journal::AnswerJournal;
pub use order::{RANKED_AFTER, UncertaintyOrder, shuffled};
pub use progress::{LabellingProgress, WorkspaceLabels};
pub use session::{Answer, ClassKey, LabellingQuestion, LabellingSession, Outcome, RESERVED_KEYS, Tally};
pub use visavis_core::dataset::{PictureSource, open_picture};
