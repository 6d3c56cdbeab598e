//! Runs that wait for their turn in a workspace: a line of tickets, `data/waiting/<milliseconds>-<pid>.json`, in the order of their names.
//!
//! Each ticket is locked by the process that waits. One whose lock is granted to whoever looks is of a process that is gone, and stands for
//! nothing. Where locks do not reach from machine to machine, each machine has a line of its own; the workspace's lock decides between them.

use super::{
    disk, now, origin,
    workspace::{Lock, Workspace, lock_file},
    writer::{self, Locking},
};
use crate::{domain::Result, files};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

/// A ticket that nobody holds yet may be on its way.
const NEW: Duration = Duration::from_secs(10);

/// A run that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingRun {
    /// The study's name.
    pub study: String,
    /// The study file.
    pub file: String,
    /// The process that waits, on its host.
    pub pid: u32,
    /// The machine's name.
    pub host: String,
    /// Milliseconds since 1970.
    pub since: u64,
}

/// A place in the line, for as long as it is held.
pub struct Ticket {
    path: PathBuf,
    _lock: Lock,
}

impl Workspace {
    fn line(&self) -> PathBuf {
        self.data().join("waiting")
    }

    /// Stands at the end of the line.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn stand_in_line(&self, study: &str, file: &str) -> Result<Ticket> {
        let folder = self.line();
        disk::make_folder(&folder)?;
        let old = name_of(now().saturating_sub(NEW.as_millis() as u64), 0);
        // Those of other machines are not judged: locks may not reach from there.
        for ticket in tickets(&folder).into_iter().filter(|ticket| !ticket.is_held && ticket.is_of_this_machine()) {
            if ticket.path < folder.join(&old) {
                fs::remove_file(ticket.path).ok();
            }
        }
        let pid = std::process::id();
        loop {
            let since = now();
            let path = folder.join(name_of(since, pid));
            // Somebody may look at it this instant.
            let Some((mut lock, _)) = lock_file(&path)? else {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            };
            let waiting = WaitingRun { study: study.to_owned(), file: file.to_owned(), pid, host: origin::host(), since };
            lock.say(&serde_json::to_string(&waiting).unwrap_or_default());
            return Ok(Ticket { path, _lock: lock });
        }
    }

    /// The runs that wait here, the next one first.
    pub fn waiting(&self) -> Vec<WaitingRun> {
        tickets(&self.line()).into_iter().filter(|ticket| ticket.is_held).filter_map(|ticket| ticket.run).collect()
    }
}

impl Ticket {
    /// How many stand before it.
    pub fn before(&self) -> usize {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        tickets(folder).into_iter().take_while(|ticket| ticket.path < self.path).filter(|ticket| ticket.is_held).count()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Names are in the order of time.
fn name_of(since: u64, pid: u32) -> String {
    format!("{since:014}-{pid}.json")
}

/// A ticket as it was found.
struct FoundTicket {
    path: PathBuf,
    /// Its process lives, as far as this machine sees.
    is_held: bool,
    run: Option<WaitingRun>,
}

impl FoundTicket {
    fn is_of_this_machine(&self) -> bool {
        self.run.as_ref().is_none_or(|run| run.host == origin::host())
    }
}

/// The tickets of a folder, in their order.
fn tickets(folder: &Path) -> Vec<FoundTicket> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    paths.sort();
    let found = |path: PathBuf| {
        let file = files::open_own(File::options().read(true), &path).ok();
        let is_held = file.is_some_and(|file| matches!(writer::lock(&file, true), Ok(Locking::Refused)));
        let run = files::read_text(&path, 1 << 16).ok().and_then(|text| serde_json::from_str(&text).ok());
        FoundTicket { path, is_held, run }
    };
    paths.into_iter().map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_order_and_whoever_is_gone_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path().to_owned(), None).unwrap();
        assert_eq!(workspace.waiting(), []);
        let first = workspace.stand_in_line("a", "a.yaml").unwrap();
        std::thread::sleep(Duration::from_millis(3));
        let second = workspace.stand_in_line("b", "b.yaml").unwrap();
        let names = || workspace.waiting().into_iter().map(|of| of.study).collect::<Vec<_>>();
        assert_eq!(names(), ["a", "b"]);
        assert_eq!((first.before(), second.before()), (0, 1));
        drop(first);
        assert_eq!((names(), second.before()), (vec!["b".to_owned()], 0));
        // A ticket that nobody holds is of a process that ended without a word.
        fs::write(folder.path().join("data/waiting/00000000000001-1.json"), "{}").unwrap();
        assert_eq!((names(), second.before()), (vec!["b".to_owned()], 0));
        let third = workspace.stand_in_line("c", "c.yaml").unwrap();
        assert_eq!((third.before(), fs::read_dir(folder.path().join("data/waiting")).unwrap().count()), (1, 2));
    }
}
