//! What the dispatcher writes down: its journal first, then the store; and what it reads in the journals of others.

use std::collections::BTreeSet;
use visavis_core::{
    domain::{
        Result,
        event::{Event, EventKind, Record},
        result::Manifest,
    },
    store::{Index, IngestedEvent, Journal, Lock, Workspace, now},
};

pub(crate) struct RunJournal {
    workspace: Workspace,
    /// Where the store is not in the workspace, it has a lock of its own.
    _store: Option<Lock>,
    journal: Journal,
    index: Index,
    clock: u64,
    noted: Vec<Event>,
    /// Journals of workers that have grown.
    grown: BTreeSet<String>,
    /// Those that were ever said to have grown.
    told: BTreeSet<String>,
    results: Vec<Manifest>,
}

impl RunJournal {
    /// Starts a journal, and brings the store up to date with all others. The caller holds the workspace's lock.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let store = workspace.moved().map(|_| workspace.lock_store()).transpose()?.flatten();
        let mut index = Index::open(workspace.store())?;
        index.dispatches();
        index.catch_up(workspace)?;
        let clock = index.clock()?;
        let journal = Journal::start(&workspace.journals(), now())?;
        Ok(RunJournal {
            workspace: workspace.clone(),
            _store: store,
            journal,
            index,
            clock,
            noted: vec![],
            grown: BTreeSet::new(),
            told: BTreeSet::new(),
            results: vec![],
        })
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    pub(crate) fn name(&self) -> String {
        self.journal.name()
    }

    pub(crate) fn clock(&self) -> u64 {
        self.clock
    }

    /// Notes an event, to be kept by the next [`RunJournal::keep`].
    pub(crate) fn note(&mut self, what: EventKind) {
        self.clock += 1;
        self.noted.push(Event { clock: self.clock, at: now(), what });
    }

    /// A worker's journal has grown.
    pub(crate) fn grew(&mut self, journal: &str) {
        self.grown.insert(journal.to_owned());
        if !self.told.contains(journal) {
            self.told.insert(journal.to_owned());
        }
    }

    pub(crate) fn result(&mut self, manifest: Manifest) {
        self.results.push(manifest);
    }

    /// Keeps what was noted and takes in what workers kept: one sync of the journal, one of the store. Gives the events that
    /// were kept.
    pub(crate) fn keep(&mut self) -> Result<Vec<Event>> {
        let noted = std::mem::take(&mut self.noted);
        let mut names: Vec<String> = std::mem::take(&mut self.grown).into_iter().collect();
        if !noted.is_empty() {
            let records: Vec<Record> = noted.iter().cloned().map(Record::Event).collect();
            self.journal.append(&records)?;
            names.push(self.journal.name());
        }
        if !self.results.is_empty() {
            self.index.take_results(std::mem::take(&mut self.results), &self.workspace.results(), &self.workspace.objects())?;
        }
        if !names.is_empty() {
            self.index.take_in(&self.workspace.journals(), &names)?;
        }
        Ok(noted)
    }

    /// What others wrote since this was last asked.
    pub(crate) fn read(&mut self) -> Result<Vec<IngestedEvent>> {
        let taken = self.index.follow(&self.workspace.journals())?;
        Ok(self.hear(taken))
    }

    /// The same, but of the journals of workers, which are told of by [`RunJournal::grew`].
    pub(crate) fn read_others(&mut self) -> Result<Vec<IngestedEvent>> {
        let taken = self.index.follow_others(&self.workspace.journals(), &self.told)?;
        Ok(self.hear(taken))
    }

    fn hear(&mut self, mut taken: Vec<IngestedEvent>) -> Vec<IngestedEvent> {
        let own = self.journal.name();
        taken.retain(|taken| taken.journal != own);
        let latest = taken.iter().map(|taken| taken.event.clock).max().unwrap_or(0);
        self.clock = self.clock.max(latest);
        taken
    }
}
