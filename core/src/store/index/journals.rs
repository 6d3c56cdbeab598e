//! Journals into tables: each record exactly once, for how far a journal was taken in changes in the same transaction.

use super::{Index, fold::fold, results::of_the_row, schema};
use crate::{
    domain::{
        Fault, Result,
        event::{Event, Record},
        metric::Chunk,
    },
    store::{
        disk,
        journal::{self, JournalPart, Mark, StoredRecord},
        writer,
    },
};
use rusqlite::{OptionalExtension, Transaction, params};
use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

/// An event that was taken in just now.
#[derive(Debug)]
pub struct IngestedEvent {
    /// The journal's name.
    pub journal: String,
    /// Where in the journal its record starts, in bytes.
    pub offset: u64,
    /// What the record says.
    pub event: Event,
}

/// Bytes of journals that are taken in at once.
const MOST: u64 = 16 << 20;

/// A folder that changed so short a time ago may change again within the same tick of its clock.
const TICK: Duration = Duration::from_millis(200);

/// Nothing came for so long from a writer whose dispatcher is gone: nothing will.
const QUIET: Duration = Duration::from_secs(60);

impl Index {
    /// From now on, this process dispatches: dispatchers of other machines are gone, and their workers with them.
    pub fn dispatches(&mut self) {
        self.alone = true;
    }

    /// Journals that an index holds for closed are over here, too.
    pub fn believe_closed(&mut self, other: &Index) -> Result<()> {
        self.over = other.closed_journals()?;
        Ok(())
    }

    /// Takes in whatever journals have grown by. Cheap when nothing has: the folder is listed only when it changed, and
    /// journals whose writers are gone are not looked at again. What a shared folder says of its changes may be late: it is
    /// listed every time.
    pub fn follow(&mut self, folder: &Path) -> Result<Vec<IngestedEvent>> {
        self.follow_others(folder, &BTreeSet::new())
    }

    /// The same of all journals but these: their writers say themselves when they have grown. To ask a thousand of them takes as many
    /// messages to the server of a shared folder.
    ///
    /// # Errors
    /// As those of [`Index::follow`].
    pub fn follow_others(&mut self, folder: &Path, told: &BTreeSet<String>) -> Result<Vec<IngestedEvent>> {
        let changed = std::fs::metadata(folder).and_then(|about| about.modified()).ok();
        let recent = changed.is_none_or(|at| SystemTime::now().duration_since(at).unwrap_or_default() < TICK);
        let is_local = writer::here(folder).local;
        if self.closed.is_none() || recent || changed != self.listed || !told.is_empty() || !is_local {
            self.list(folder, told)?;
            // What was passed over now is to be found later.
            self.listed = changed.filter(|_| told.is_empty());
        }
        let names = std::mem::take(&mut self.open);
        let outcome = self.take_in(folder, &names);
        self.open = names;
        if let Some(closed) = &self.closed {
            self.open.retain(|name| !closed.contains(name));
        }
        outcome
    }

    fn closed_journals(&self) -> Result<HashSet<String>> {
        let outcome = (|| {
            let mut statement = self.connection.prepare("SELECT name FROM journal WHERE closed")?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<String>>>()
        })();
        self.ran(outcome)
    }

    fn list(&mut self, folder: &Path, told: &BTreeSet<String>) -> Result<()> {
        if self.closed.is_none() {
            self.closed = Some(self.closed_journals()?);
        }
        disk::look_anew(folder);
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let strange = self.strangers()?;
        let is_over = |name: &str| {
            told.contains(name) || self.closed.as_ref().is_some_and(|closed| closed.contains(name)) || strange.contains(name)
        };
        let is_file = |name: &str| std::fs::metadata(folder.join(name)).is_ok_and(|about| about.is_file());
        let names = may_grow(names, is_over, is_file);
        self.open = names;
        Ok(())
    }

    /// Journals that are passed over as a whole.
    fn strangers(&self) -> Result<HashSet<String>> {
        let outcome = (|| {
            let query = "SELECT name FROM journal_aside WHERE name NOT IN (SELECT name FROM journal)";
            self.connection.prepare(query)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<String>>>()
        })();
        self.ran(outcome)
    }

    /// Journals that are passed over, or of which some records are; and why. By name.
    pub fn journals_aside(&self) -> Result<Vec<(String, String)>> {
        if schema::version(&self.connection, &self.path())? < 5 {
            return Ok(vec![]);
        }
        let outcome = (|| {
            let mut statement = self.connection.prepare("SELECT name, why FROM journal_aside ORDER BY name")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<Vec<_>>>()
        })();
        self.ran(outcome)
    }

    /// How far each journal was taken in, and whether that was all of it. By name.
    pub fn marks(&self) -> Result<Vec<(String, Mark, bool)>> {
        let outcome = (|| {
            let mut statement = self.connection.prepare("SELECT name, offset, chain, closed FROM journal ORDER BY name")?;
            let row = |row: &rusqlite::Row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?, row.get(3)?));
            statement.query_map([], row)?.collect::<rusqlite::Result<Vec<(String, i64, Vec<u8>, bool)>>>()
        })();
        let mark = |(name, offset, chain, closed): (String, i64, Vec<u8>, bool)| {
            Some((name, Mark { offset: offset as u64, chain: chain.try_into().ok()? }, closed))
        };
        Ok(self.ran(outcome)?.into_iter().filter_map(mark).collect())
    }

    /// Takes in what these journals have grown by, in one transaction for some megabytes.
    pub fn take_in(&mut self, folder: &Path, names: &[String]) -> Result<Vec<IngestedEvent>> {
        let mut taken = Vec::new();
        let mut readings: Vec<(&String, JournalPart)> = Vec::new();
        let mut held = 0;
        for name in names {
            if self.closed.as_ref().is_some_and(|closed| closed.contains(name)) {
                continue;
            }
            let mut mark = self.mark(name)?;
            loop {
                let quiet = self.alone && self.still.get(name).is_some_and(|(_, since)| since.elapsed() > QUIET);
                let over = quiet || self.over.contains(name);
                let reading = journal::read_after(&folder.join(name), mark.as_ref().unwrap_or(&Mark::default()), over)?;
                let more = reading.more;
                if let Some(why) = reading.opened.as_ref().and_then(|writer| journal::why_strange(&folder.join(name), writer)) {
                    let note =
                        self.connection.execute("INSERT OR REPLACE INTO journal_aside VALUES (?1, ?2)", params![name, why]);
                    self.ran(note)?;
                    // It is not listed again.
                    self.listed = None;
                    break;
                }
                self.note_still(name, &reading);
                if reading.closed || mark.as_ref() != Some(&reading.mark) {
                    held += reading.mark.offset.saturating_sub(mark.as_ref().map_or(0, |mark| mark.offset));
                    mark = Some(reading.mark.clone());
                    readings.push((name, reading));
                }
                if held > MOST {
                    self.commit(std::mem::take(&mut readings), &mut taken)?;
                    held = 0;
                }
                if !more {
                    break;
                }
            }
        }
        self.commit(readings, &mut taken)?;
        Ok(taken)
    }

    /// Notes since when a journal has been as long as it is.
    fn note_still(&mut self, name: &str, reading: &JournalPart) {
        let end = reading.mark.offset + reading.pending;
        match self.still.get_mut(name) {
            _ if reading.closed => _ = self.still.remove(name),
            Some((before, _)) if *before == end => {}
            Some(still) => *still = (end, Instant::now()),
            None => _ = self.still.insert(name.to_owned(), (end, Instant::now())),
        }
    }

    fn commit(&mut self, readings: Vec<(&String, JournalPart)>, taken: &mut Vec<IngestedEvent>) -> Result<()> {
        if readings.is_empty() {
            return Ok(());
        }
        let outcome = (|| {
            let transaction = self.connection.transaction()?;
            for (name, reading) in &readings {
                take(&transaction, name, reading)?;
            }
            transaction.commit()
        })();
        self.ran(outcome)?;
        for (name, reading) in readings {
            if reading.closed
                && let Some(closed) = &mut self.closed
            {
                closed.insert(name.clone());
            }
            let event = |StoredRecord { offset, record }| match record {
                Record::Event(event) => Some(IngestedEvent { journal: name.clone(), offset, event }),
                _ => None,
            };
            taken.extend(reading.records.into_iter().filter_map(event));
        }
        Ok(())
    }

    fn mark(&self, name: &str) -> Result<Option<Mark>> {
        let outcome =
            self.connection.prepare_cached("SELECT offset, chain FROM journal WHERE name = ?1").and_then(|mut statement| {
                statement.query_row([name], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).optional()
            });
        let Some((offset, chain)) = self.ran(outcome)? else { return Ok(None) };
        let chain = chain.try_into().map_err(|_| {
            Fault::unexpected("the store does not know how far it has read a journal")
                .in_file(self.path())
                .next("`visavis store rebuild` makes it again from results and journals")
        })?;
        Ok(Some(Mark { offset: offset as u64, chain }))
    }
}

/// The journals of a folder that something may be added to, by name. Of one that is over, nothing is asked but its name: of thousands on a
/// shared folder, each question is a message to another machine.
fn may_grow(
    names: impl Iterator<Item = String>,
    is_over: impl Fn(&str) -> bool,
    mut is_file: impl FnMut(&str) -> bool,
) -> Vec<String> {
    // A folder, a pipe or a device of such a name is no journal; `store check` names it.
    let mut open: Vec<String> =
        names.filter(|name| name.ends_with(".journal") && !is_over(name)).filter(|name| is_file(name)).collect();
    open.sort();
    open
}

fn take(transaction: &Transaction, name: &str, reading: &JournalPart) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO journal VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET offset = ?2, chain = ?3, closed = ?4",
        )?
        .execute(params![name, reading.mark.offset as i64, reading.mark.chain, reading.closed])?;
    let mut refused = 0;
    for StoredRecord { offset, record } in &reading.records {
        let taken = match record {
            Record::Event(event) => fold(transaction, name, *offset, event),
            Record::Metrics(chunk) => metrics(transaction, name, *offset, chunk),
            Record::Opened(_) | Record::Closed | Record::Later => Ok(()),
        };
        match taken {
            // What contradicts itself (a run that starts twice, say) is nobody else's affair.
            Err(error) if of_the_row(&error) => refused += 1,
            taken => taken?,
        }
    }
    if refused > 0 {
        let why = "records of it contradict others, and are passed over";
        transaction.execute("INSERT OR REPLACE INTO journal_aside VALUES (?1, ?2)", params![name, why])?;
    }
    Ok(())
}

fn metrics(transaction: &Transaction, journal: &str, offset: u64, chunk: &Chunk) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO metric VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![
            journal,
            offset as i64,
            chunk.key.to_string(),
            chunk.attempt,
            chunk.series,
            chunk.points.len() as i64,
            chunk.to_bytes()
        ])
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            Digest,
            event::{EventKind, RunOrigin},
        },
        store::{Before, Journal, Workspace},
    };
    use std::path::PathBuf;

    fn run_started(clock: u64) -> Record {
        let text = Digest::of(b"text");
        let (study, file) = ("s".to_owned(), "s.yaml".to_owned());
        let what = EventKind::RunStarted { study, file, text, devices: vec![], origin: Box::new(RunOrigin::default()) };
        Record::Event(Event { clock, at: 1, what })
    }

    /// A journal of these records in a workspace.
    fn journal(workspace: &Workspace, now: u64, records: &[Record]) -> PathBuf {
        let mut journal = Journal::start(&workspace.journals(), now).unwrap();
        journal.append(records).unwrap();
        workspace.journals().join(journal.name())
    }

    #[test]
    fn of_thousands_of_finished_journals_none_is_looked_at_but_for_its_name() {
        let name = |n: usize| format!("{n:015}-7.journal");
        let others = ["notes.txt".to_owned(), ".part-1".to_owned()];
        let names = (0..5_000).rev().map(name).chain(others);
        // 4,998 are over; one of the others is a folder.
        let is_over = |of: &str| of != name(17) && of != name(4_000);
        let mut asked = vec![];
        let open = may_grow(names, is_over, |of| {
            asked.push(of.to_owned());
            of != name(17)
        });
        assert_eq!(open, [name(4_000)]);
        assert_eq!(asked, [name(4_000), name(17)]);
    }

    #[test]
    fn what_follows_in_a_journal_that_is_not_over_is_taken_in_and_one_that_is_over_is_not_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path().join("w"), None).unwrap();
        let finished = journal(&workspace, 1, &[run_started(1)]);
        let mut living = Journal::start(&workspace.journals(), 2).unwrap();
        let mut index = Index::open(workspace.store()).unwrap();
        let clocks = |index: &mut Index| -> Vec<u64> {
            let taken = index.follow(&workspace.journals()).unwrap();
            taken.iter().map(|taken| taken.event.clock).collect()
        };
        assert_eq!(clocks(&mut index), [1]);
        assert_eq!(index.open, [living.name()]);
        // Nobody asks of it any more: that it is gone is nothing to who follows.
        std::fs::remove_file(&finished).unwrap();
        living.append(&[run_started(2)]).unwrap();
        assert_eq!(clocks(&mut index), [2]);
        let later = journal(&workspace, 3, &[run_started(3)]);
        assert_eq!(clocks(&mut index), [3]);
        assert!(index.closed.as_ref().unwrap().contains(later.file_name().unwrap().to_str().unwrap()));
        drop(living);
        assert_eq!((clocks(&mut index), index.open.len()), (vec![], 0));
    }

    #[test]
    fn journals_that_are_told_of_are_passed_over_and_read_when_all_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path().join("w"), None).unwrap();
        let start = |now: u64| {
            let mut journal = Journal::start(&workspace.journals(), now).unwrap();
            journal.append(&[run_started(now)]).unwrap();
            journal
        };
        let (mut told, mut other) = (start(1), start(2));
        let mut index = Index::open(workspace.store()).unwrap();
        let journals = workspace.journals();
        let clocks = |taken: Vec<IngestedEvent>| taken.iter().map(|taken| taken.event.clock).collect::<Vec<u64>>();
        let passed = BTreeSet::from([told.name()]);
        assert_eq!(clocks(index.follow_others(&journals, &passed).unwrap()), [2]);
        assert_eq!(clocks(index.follow(&journals).unwrap()), [1]);
        // And passed over again, although nothing in the folder has changed.
        std::thread::sleep(2 * TICK);
        index.follow(&journals).unwrap();
        told.append(&[run_started(4)]).unwrap();
        other.append(&[run_started(3)]).unwrap();
        assert_eq!(clocks(index.follow_others(&journals, &passed).unwrap()), [3]);
        assert_eq!(index.open, [other.name()]);
    }

    #[test]
    fn copies_strangers_and_what_contradicts_itself_are_named_and_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = |name: &str| Workspace::new(folder.path().join(name), None).unwrap();
        let (ours, theirs) = (workspace("ours"), workspace("theirs"));
        let own = journal(&ours, 1, &[run_started(1)]);
        let foreign = journal(&theirs, 2, &[run_started(1)]);
        let twice = journal(&ours, 3, &[run_started(1), run_started(2)]);
        std::fs::copy(&own, own.with_file_name("000000000000000-1.journal")).unwrap();
        std::fs::copy(&foreign, own.with_file_name(foreign.file_name().unwrap())).unwrap();
        std::fs::create_dir(own.with_file_name("000000000000009-1.journal")).unwrap();

        let rebuilt = Index::rebuild(&ours).unwrap();
        assert_eq!(rebuilt.before, Before::None);
        let why: Vec<&str> = rebuilt.journals_aside.iter().map(|(_, why)| why.as_str()).collect();
        assert_eq!(why.len(), 3, "{why:?}");
        assert!(why[0].contains("a copy of") && why[1].contains("another workspace") && why[2].contains("contradict"), "{why:?}");
        let index = Index::open_to_read(ours.store()).unwrap().unwrap();
        let taken: Vec<String> = index.marks().unwrap().into_iter().map(|(name, ..)| name).collect();
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(taken, [name(&own), name(&twice)]);
        assert_eq!(index.check().unwrap(), Vec::<String>::new());
        // Made again it is the same.
        assert_eq!(Index::rebuild(&ours).unwrap().before, Before::Equal);
    }
}
