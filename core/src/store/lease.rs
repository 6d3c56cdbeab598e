//! Who dispatches, where locks do not say it: a lease, `data/lease/<number>`, renewed every two seconds.
//!
//! Each holder takes the number after the last by link(2), which refuses a name that is taken on every file system, so one
//! of two wins; what it wins is never given to another name. The holder counts up in its file. Whoever comes later looks
//! whether the file changes: if it does, the holder lives; if it stood still for a minute on the observer's own clock, the
//! next number may be taken. A holder that finds a later number beside its own has lost the lease, and stops. Nothing that
//! is kept depends on this: results are named by content, and two dispatchers cost time.

use super::{Injection, disk, writer};
use crate::domain::{Digest, Fault, Result, event::Writer, text::shorten};
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// A lease that stood still for so long may be taken over.
const LENGTH: Duration = Duration::from_secs(60);

/// How often its holder renews it, as a part of that.
const RENEWALS: u32 = 30;

/// Numbers before the last that stay taken: so slow an observer finds that it is late.
const KEPT: u64 = 16;

/// A card's bytes on disk: it never changes its size, which others may see late.
const SIZE: usize = 2048;

/// The lease's length; a test's is shorter.
pub(super) fn length() -> Duration {
    Injection::LeaseLength.number().map_or(LENGTH, Duration::from_millis)
}

/// What a lease's file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaseCard {
    pub format: u32,
    pub writer: Writer,
    /// What it does: `running digits`.
    pub doing: String,
    /// Milliseconds since 1970; for people.
    pub since: u64,
    pub counter: u64,
    /// Its holder has ended, and said so.
    pub over: bool,
}

impl LeaseCard {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.resize(bytes.len().next_multiple_of(SIZE), b' ');
        bytes
    }
}

/// What an observer makes of a lease that another holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseState {
    /// It was seen to change: its holder lives.
    Refuse,
    /// It has not changed yet; after so long it may be taken over.
    Wait(Duration),
    /// It stood still for as long as a lease lasts.
    TakeOver,
}

/// One observer's memory of a lease, on its own clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LeaseObserver {
    last: Option<(u64, Digest)>,
    since: Duration,
    changed: bool,
}

impl LeaseObserver {
    /// `number` and `state` are what the lease is now; `now` counts from any moment of the observer's own.
    pub(super) fn observe(&mut self, number: u64, state: Digest, now: Duration, length: Duration) -> LeaseState {
        if self.last != Some((number, state)) {
            self.changed = self.last.is_some();
            (self.last, self.since) = (Some((number, state)), now);
        }
        let still = now.saturating_sub(self.since);
        match length.checked_sub(still) {
            None | Some(Duration::ZERO) => LeaseState::TakeOver,
            Some(_) if self.changed => LeaseState::Refuse,
            Some(left) => LeaseState::Wait(left),
        }
    }
}

/// The lease that is the last now.
#[derive(Debug)]
pub(super) struct CurrentLease {
    pub number: u64,
    /// `None`: what is there is no card, or not whole.
    pub card: Option<LeaseCard>,
    pub state: Digest,
}

/// Looks at the last lease of a folder; `None` where there is none.
///
/// # Errors
/// A folder or file that is there and cannot be read.
pub(super) fn current(folder: &Path) -> Result<Option<CurrentLease>> {
    for _ in 0..10 {
        let Some(number) = last(folder)? else { return Ok(None) };
        let path = path_of(folder, number);
        match crate::files::read_up_to(&path, 1 << 20) {
            Ok(bytes) => {
                return Ok(Some(CurrentLease { number, card: serde_json::from_slice(&bytes).ok(), state: Digest::of(&bytes) }));
            }
            // Removed, for there are much later ones.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Fault::io("read the lease", &path, &error)),
        }
    }
    Ok(None)
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}"))
}

/// The greatest number that is taken. Listed, never asked for by name: a name that is asked for too early is "not there" for
/// as long as a cache lasts.
fn last(folder: &Path) -> Result<Option<u64>> {
    disk::look_anew(folder);
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).max()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::io("list the leases", folder, &error)),
    }
}

/// What came of trying to take the lease.
pub(super) enum LeaseAttempt {
    Ours(Lease),
    Theirs(Option<LeaseCard>, LeaseState),
}

/// A lease that this process holds: renewed by a thread until it is dropped.
pub(super) struct Lease {
    stop: Option<Sender<()>>,
    renews: Option<JoinHandle<()>>,
    lost: Arc<AtomicBool>,
}

impl Lease {
    /// Takes the lease if nobody has it, or whoever had it is gone. The caller holds the lock beside it, if there are locks.
    /// `now` counts from any moment of this process's own.
    ///
    /// # Errors
    /// A disk that refuses.
    pub(super) fn take(
        folder: &Path,
        ours: &Writer,
        doing: &str,
        watch: &mut LeaseObserver,
        now: Duration,
    ) -> Result<LeaseAttempt> {
        disk::make_folder(folder)?;
        loop {
            let found = current(folder)?;
            let number = found.as_ref().map_or(0, |found| found.number);
            if let Some(CurrentLease { card, state, .. }) = found
                && !card.as_ref().is_some_and(|card| is_free(card, ours))
            {
                let verdict = watch.observe(number, state, now, length());
                if verdict != LeaseState::TakeOver {
                    return Ok(LeaseAttempt::Theirs(card, verdict));
                }
            }
            let card = LeaseCard {
                format: 1,
                writer: ours.clone(),
                doing: shorten(doing, 200),
                since: super::now(),
                counter: 1,
                over: false,
            };
            if let Some(lease) = Lease::link(folder, number + 1, card)? {
                return Ok(LeaseAttempt::Ours(lease));
            }
        }
    }

    /// Makes the lease of this number; `None` where another process was faster.
    fn link(folder: &Path, number: u64, card: LeaseCard) -> Result<Option<Self>> {
        let (half, path) = (disk::part_in(folder), path_of(folder, number));
        let written = File::create_new(&half).and_then(|mut file| {
            disk::write(&mut file, &card.bytes())?;
            // On a disk of this machine alone, a lease need not outlive the machine.
            if card.writer.local { Ok(()) } else { disk::sync(&file) }
        });
        let linked = written.and_then(|()| match disk::link(&half, &path) {
            // Over a network the link may be made and the answer lost: then this file has two names.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Ok(statx(CWD, &half, AtFlags::STATX_FORCE_SYNC, StatxFlags::NLINK).is_ok_and(|about| about.stx_nlink == 2))
            }
            linked => linked.map(|()| true),
        });
        fs::remove_file(&half).ok();
        if !linked.map_err(|error| Fault::io("take the lease", &path, &error))? {
            return Ok(None);
        }
        // Whoever was late by many numbers may have taken one that was given up.
        if last(folder)? != Some(number) {
            fs::remove_file(&path).ok();
            return Ok(None);
        }
        disk::sweep(folder);
        let old = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| {
            entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok()).is_some_and(|old| old + KEPT <= number)
        });
        old.for_each(|entry| _ = fs::remove_file(entry.path()));
        let file = File::options().write(true).open(&path).map_err(|error| Fault::io("open the lease", &path, &error))?;
        Ok(Some(Lease::renew(folder.to_owned(), number, file, card)))
    }

    fn renew(folder: PathBuf, number: u64, file: File, mut card: LeaseCard) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let lost = Arc::new(AtomicBool::new(false));
        let renews = std::thread::spawn({
            let lost = Arc::clone(&lost);
            move || {
                let write = |card: &LeaseCard| {
                    let written = file.write_all_at(&card.bytes(), 0);
                    written.and_then(|()| if card.writer.local { Ok(()) } else { file.sync_data() }).ok();
                };
                let taken_over = || last(&folder).is_ok_and(|last| last.is_some_and(|last| last > number));
                while matches!(stopped.recv_timeout(length() / RENEWALS), Err(RecvTimeoutError::Timeout)) {
                    if taken_over() {
                        lost.store(true, Ordering::SeqCst);
                        return;
                    }
                    card.counter += 1;
                    // A disk that refuses once may take it the next time.
                    write(&card);
                }
                card.over = true;
                write(&card);
            }
        });
        Lease { stop: Some(stop), renews: Some(renews), lost }
    }

    /// Has another process taken it over, because this one stood still for too long?
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(renews) = self.renews.take() {
            renews.join().ok();
        }
    }
}

/// Is a lease free to be taken at once? The caller holds the lock that its holder held, as far as locks go.
pub(super) fn is_free(card: &LeaseCard, ours: &Writer) -> bool {
    card.over || writer::sees_locks_of(ours, &card.writer) || writer::is_gone(&card.writer, ours)
}

/// This process's clock: since some moment, never back.
pub(super) fn clock() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn ours(host: &str) -> Writer {
        Writer {
            host: host.into(),
            boot: host.into(),
            machine: host.into(),
            pid: std::process::id(),
            token: host.into(),
            device: 1,
            local: false,
            locks: true,
            journal: String::new(),
            workspace: String::new(),
        }
    }

    #[test]
    fn a_lease_that_changes_is_refused_and_one_that_stands_still_is_taken_over() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let mut watch = LeaseObserver::default();
        assert_eq!(watch.observe(7, one, at(1000), MINUTE), LeaseState::Wait(MINUTE));
        assert_eq!(watch.observe(7, one, at(1059), MINUTE), LeaseState::Wait(at(1)));
        assert_eq!(watch.observe(7, two, at(1059), MINUTE), LeaseState::Refuse);
        // Its minute counts from the last change.
        assert_eq!(watch.observe(7, two, at(1118), MINUTE), LeaseState::Refuse);
        assert_eq!(watch.observe(7, two, at(1119), MINUTE), LeaseState::TakeOver);
        // Somebody else was faster: that is a change, too.
        assert_eq!(watch.observe(8, two, at(1120), MINUTE), LeaseState::Refuse);
        // An observer that looks only twice.
        let mut seldom = LeaseObserver::default();
        seldom.observe(7, one, at(0), MINUTE);
        assert_eq!(seldom.observe(7, one, at(400), MINUTE), LeaseState::TakeOver);
    }

    fn taken(taken: LeaseAttempt) -> Option<Lease> {
        match taken {
            LeaseAttempt::Ours(lease) => Some(lease),
            LeaseAttempt::Theirs(..) => None,
        }
    }

    #[test]
    fn one_of_many_wins_and_a_lease_that_is_over_is_free_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let won = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for node in 0..8 {
                let (folder, won) = (folder.path(), &won);
                scope.spawn(move || {
                    let take =
                        Lease::take(folder, &ours(&format!("node{node}")), "running", &mut LeaseObserver::default(), at(0));
                    won.lock().unwrap().extend(taken(take.unwrap()));
                });
            }
        });
        assert_eq!(won.lock().unwrap().len(), 1);
        won.lock().unwrap().clear();
        let card = current(folder.path()).unwrap().unwrap().card.unwrap();
        assert!(card.over && card.doing == "running");
        let next = Lease::take(folder.path(), &ours("other"), "next", &mut LeaseObserver::default(), at(0)).unwrap();
        assert!(taken(next).is_some());
    }

    #[test]
    fn a_killed_holder_of_another_machine_is_waited_for_and_one_of_this_mount_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let card = |writer: Writer| LeaseCard { format: 1, writer, doing: "running".into(), since: 0, counter: 9, over: false };
        // What a killed holder leaves.
        fs::write(path_of(folder.path(), 5), card(ours("a")).bytes()).unwrap();
        let (b, mut watch) = (ours("b"), LeaseObserver::default());
        let mut attempt = |now: u64| Lease::take(folder.path(), &b, "running", &mut watch, at(now)).unwrap();
        assert!(matches!(attempt(0), LeaseAttempt::Theirs(Some(card), LeaseState::Wait(_)) if card.writer.host == "a"));
        assert!(matches!(attempt(59), LeaseAttempt::Theirs(..)));
        drop(taken(attempt(60)).unwrap());
        assert_eq!(last(folder.path()).unwrap(), Some(6));
        // On its own machine and mount, whoever holds the lock knows at once.
        fs::write(path_of(folder.path(), 7), card(ours("b")).bytes()).unwrap();
        assert!(taken(Lease::take(folder.path(), &b, "running", &mut LeaseObserver::default(), at(0)).unwrap()).is_some());
        // What is no card is waited for as well.
        fs::write(path_of(folder.path(), 99), "not a card").unwrap();
        let take = Lease::take(folder.path(), &b, "running", &mut LeaseObserver::default(), at(0)).unwrap();
        assert!(matches!(take, LeaseAttempt::Theirs(None, LeaseState::Wait(_))));
    }

    #[test]
    fn whoever_is_late_by_many_numbers_does_not_win_and_old_numbers_go() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..20 {
            drop(taken(Lease::take(folder.path(), &ours("a"), "x", &mut LeaseObserver::default(), at(0)).unwrap()).unwrap());
        }
        let names = || fs::read_dir(folder.path()).unwrap().count();
        assert_eq!((last(folder.path()).unwrap(), names() as u64), (Some(20), KEPT));
        let card = LeaseCard { format: 1, writer: ours("b"), doing: "x".into(), since: 0, counter: 1, over: false };
        assert!(Lease::link(folder.path(), 2, card.clone()).unwrap().is_none(), "a number that was given up");
        assert!(Lease::link(folder.path(), 20, card).unwrap().is_none(), "a number that is taken");
        assert_eq!(names() as u64, KEPT);
    }

    #[test]
    fn a_holder_that_finds_a_later_number_has_lost_the_lease() {
        let folder = tempfile::tempdir().unwrap();
        let lease = taken(Lease::take(folder.path(), &ours("a"), "x", &mut LeaseObserver::default(), at(0)).unwrap()).unwrap();
        assert!(!lease.is_lost());
        fs::write(path_of(folder.path(), 2), b"{}").unwrap();
        let before = fs::read(path_of(folder.path(), 1)).unwrap();
        // It looks at its next renewal.
        let since = Instant::now();
        while !lease.is_lost() {
            assert!(since.elapsed() < 2 * LENGTH / RENEWALS + at(5));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(fs::read(path_of(folder.path(), 1)).unwrap(), before, "it writes no more");
    }
}
