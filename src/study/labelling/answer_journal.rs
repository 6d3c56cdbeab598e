//! Answers are kept, each before the next picture is shown: in a journal of this workspace, synced.

use visavis_core::{
    domain::{
        Fault, Result,
        annotation::Annotation,
        event::{Event, EventKind},
    },
    store::{Index, Journal, Lock, Workspace, now},
};

/// Where one annotator's answers on one attribute go. While it is open, nobody else labels that under that name.
pub struct AnswerJournal {
    workspace: Workspace,
    /// Started with the first answer; anew when a disk refused one.
    journal: Option<Journal>,
    clock: u64,
    _lock: Lock,
}

impl AnswerJournal {
    /// `index`: the store, for the clock of events.
    ///
    /// # Errors
    /// Somebody labels this attribute under this name right now; a disk that refuses.
    pub fn open(workspace: &Workspace, index: Option<&Index>, attribute: &str, annotator: &str) -> Result<Self> {
        let lock = workspace.lock_labelling(attribute, annotator)?.ok_or_else(|| {
            Fault::asked(format!("`{annotator}` labels `{attribute}` in another window, or on another machine"))
                .next("end that first; a second person needs a name of their own: --annotator NAME")
        })?;
        let clock = index.map_or(Ok(0), Index::clock)?;
        Ok(AnswerJournal { workspace: workspace.clone(), journal: None, clock, _lock: lock })
    }

    /// Keeps an answer: when this returns, it outlasts a crash and a power cut.
    ///
    /// # Errors
    /// A disk that refuses; the answer is then not kept, and may be given again.
    pub fn keep(&mut self, annotation: &Annotation) -> Result<()> {
        if self.journal.is_none() {
            self.journal = Some(Journal::start(&self.workspace.journals(), now())?);
        }
        let Some(journal) = &mut self.journal else { return Ok(()) };
        self.clock += 1;
        let event = Event { clock: self.clock, at: now(), what: EventKind::Labelled(annotation.clone()) };
        let kept = journal.append_event(event).map(|_| ());
        if kept.is_err() {
            self.journal = None;
        }
        kept
    }
}
