//! Labelling: people look at pictures and say what they show. What is asked (`question.rs`) and what was answered (`session.rs`) is pure; the journal
//! keeps each answer before the next picture is shown (`answer_journal.rs`).

mod answer_journal;
mod order;
mod progress;
mod question;
mod session;

pub use answer_journal::AnswerJournal;
pub use order::{RANKED_AFTER, UncertaintyOrder, shuffled};
pub use progress::{LabellingProgress, WorkspaceLabels};
pub use question::{ClassKey, LabellingQuestion, RESERVED_KEYS};
pub use session::{Answer, LabellingSession, Outcome, Tally};
pub use visavis_core::{
    dataset::{PictureSource, open_picture},
    domain::agreement::Agreement,
};
