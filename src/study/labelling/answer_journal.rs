//! Answers are kept, each before the next picture is shown: in a journal of this workspace, synced.

use crate::study::open_store;
use std::time::Duration;
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
    /// It names the journal, so that the next session knows what it must have read.
    lock: Lock,
}

/// The store is waited for some seconds.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);

impl AnswerJournal {
    /// # Errors
    /// Somebody labels this attribute under this name right now; a disk that refuses.
    pub fn open(workspace: &Workspace, attribute: &str, annotator: &str) -> Result<Self> {
        let lock = workspace.lock_labelling(attribute, annotator)?.ok_or_else(|| {
            Fault::asked(format!("`{annotator}` labels `{attribute}` in another window, or on another machine"))
                .next("end that first; a second person needs a name of their own: --annotator NAME")
        })?;
        Ok(AnswerJournal { workspace: workspace.clone(), journal: None, clock: 0, lock })
    }

    /// The store, with all that this annotator said before: it is waited for, where another process has it.
    ///
    /// # Errors
    /// A store that does not take in the last session's answers: they would be asked again, and the older ones would count.
    pub fn caught_up(&mut self, workspace: &Workspace) -> Result<Option<Index>> {
        let last = self.lock.said();
        for _ in 0..TRIES {
            let index = open_store(workspace)?.index;
            let knows = |index: &Index| last.is_empty() || index.knows(&last).unwrap_or(false);
            if index.as_ref().map_or(last.is_empty(), knows) {
                self.clock = index.as_ref().map_or(Ok(0), Index::clock)?;
                return Ok(index);
            }
            std::thread::sleep(PAUSE);
        }
        Err(Fault::missing("the answers of your last session are not in the store yet, and another visavis has it")
            .next("try again in a moment; `visavis status` says who has it"))
    }

    /// Keeps an answer: when this returns, it outlasts a crash and a power cut.
    ///
    /// # Errors
    /// A disk that refuses; the answer is then not kept, and may be given again.
    pub fn keep(&mut self, annotation: &Annotation) -> Result<()> {
        if self.journal.is_none() {
            let journal = Journal::start(&self.workspace.journals(), now())?;
            self.lock.say(&journal.name());
            self.journal = Some(journal);
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
