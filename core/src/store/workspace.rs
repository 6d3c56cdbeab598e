//! A workspace: any folder. What Visavis keeps there is below `data/`.

use super::{
    Checkpoints, Graphs, Objects, Results, Trash, disk, filesystem,
    lease::{self, Lease, LeaseAttempt, LeaseObserver, LeaseState},
    user_caches,
    writer::{self, Locking},
};
use crate::{
    domain::{Digest, Fault, Result, event::Writer},
    files,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A folder to work in, and where its store is. Clones share what was seen of other machines.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    store: PathBuf,
    /// The store was named, rather than found by the workspace.
    named: bool,
    /// The store is not in the workspace because that is on a shared file system: its name.
    moved: Option<&'static str>,
    /// What was seen of another machine's lease.
    watch: Arc<Mutex<LeaseObserver>>,
}

/// Held by the one process that dispatches: a lock, which the kernel releases when that process ends, however it ends; and for
/// machines that do not see the lock, a lease.
pub struct Lock {
    lease: Option<Lease>,
    file: File,
}

/// What a face does that takes in what journals say, because nobody else does.
pub const LOOKING: &str = "looking";

/// Who holds the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// The process number on its host; 0 of one that has not said.
    pub pid: u32,
    /// The machine's name.
    pub host: String,
    /// What it does: `running digits`.
    pub doing: String,
    /// Since when, milliseconds since 1970; 0 where nobody says.
    #[serde(default)]
    pub since: u64,
}

impl Holder {
    /// It only takes in what journals say, for an instant.
    pub fn only_looks(&self) -> bool {
        self.doing == LOOKING
    }

    /// `process 12 on a, running digits, since 2026-11-28T20:15:00Z`
    pub fn told(&self) -> String {
        let Holder { pid, host, doing, since } = self;
        let since = std::time::UNIX_EPOCH.checked_add(Duration::from_millis(*since)).filter(|_| *since > 0);
        let since = since.map_or(String::new(), |at| format!(", since {}", humantime::format_rfc3339_seconds(at)));
        format!("process {pid} on {host}, {doing}{since}")
    }
}

impl Workspace {
    /// `store`: where the database is, if not in the workspace.
    ///
    /// # Errors
    /// A store that is asked for on a shared file system, where SQLite's log is not safe.
    pub fn new(root: PathBuf, store: Option<PathBuf>) -> Result<Self> {
        let Some(store) = store else {
            let moved = filesystem::network(&root);
            let store = if moved.is_some() { filesystem::local_store(&root) } else { root.join("data/visavis.db") };
            return Ok(Workspace { root, store, named: false, moved, watch: Arc::default() });
        };
        let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match filesystem::network(folder) {
            None => Ok(Workspace { root, store, named: true, moved: None, watch: Arc::default() }),
            Some(name) => Err(Fault::asked(format!("the store cannot be on {name}: SQLite's log is safe on a local disk only"))
                .in_file(store)
                .next("name a file on a local disk; results and journals may stay where they are")),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path as results name it, whatever folder a command is given in: from the root where it lies below that, else absolute.
    pub fn place(&self, path: &Path) -> PathBuf {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (path, root) = (absolute(path), absolute(&self.root));
        path.strip_prefix(&root).map_or(path.clone(), Path::to_owned)
    }

    /// The options by which a command line of this program finds this workspace and its store from any folder.
    pub fn options(&self) -> Vec<String> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
        let store = self.named.then(|| ["--store".to_owned(), absolute(&self.store)]);
        ["--workspace".to_owned(), absolute(&self.root)].into_iter().chain(store.into_iter().flatten()).collect()
    }

    /// A path as it is given to others, in a report say: from the workspace on; of what is not in the workspace the last name
    /// alone. So it says nothing of the machine, and is found again in any copy of the workspace.
    pub fn shareable(&self, path: &Path) -> PathBuf {
        let absolute = |path: &Path| std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| without_dots(&path));
        let canonical = |path: &Path| path.canonicalize().ok();
        let roots = [Some(absolute(&self.root)), canonical(&self.root)];
        let names = [Some(absolute(path)), canonical(path)];
        let inside = names.iter().flatten().find_map(|name| {
            let below = roots.iter().flatten().find_map(|root| name.strip_prefix(root).ok())?;
            // `experiments/..` of a link leads elsewhere than its letters say.
            (self.root.join(below).exists() || !path.exists()).then(|| below.to_owned())
        });
        let last = || path.file_name().map_or_else(|| PathBuf::from("."), PathBuf::from);
        inside.filter(|below| !below.as_os_str().is_empty()).unwrap_or_else(last)
    }

    /// Where a path that [`Self::shareable`] gave is here.
    pub fn locate(&self, shareable: &Path) -> PathBuf {
        self.root.join(shareable)
    }

    /// The store's database file.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// The name of the shared file system that keeps the store out of the workspace.
    pub fn moved(&self) -> Option<&'static str> {
        self.moved
    }

    /// The workspace's random name, the same on whatever machine and under whatever path; empty where nothing was run.
    pub fn identity(&self) -> String {
        super::journal::workspace_of(&self.journals(), false)
    }

    /// The same, given where nothing was run: whoever goes on elsewhere finds it again.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn identify(&self) -> Result<String> {
        disk::make_folder(&self.journals())?;
        let name = super::journal::workspace_of(&self.journals(), true);
        if name.is_empty() {
            return Err(Fault::unexpected("the workspace cannot be given a name").in_file(self.data()));
        }
        Ok(name)
    }

    /// Where dispatchers and the workers of clusters leave each other letters, a folder a run.
    pub fn post(&self) -> PathBuf {
        self.data().join("post")
    }

    /// Does somebody dispatch here, on whatever machine? Asked now and then by one process: what it saw of a lease it remembers.
    pub fn is_dispatched(&self) -> bool {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        match lease::current(&self.leases()) {
            Ok(Some(found)) if found.card.as_ref().is_some_and(|card| card.over) => false,
            Ok(Some(found)) => {
                !matches!(watch.observe(found.number, found.state, lease::clock(), lease::length()), LeaseState::TakeOver)
            }
            // A folder that cannot be read says nothing.
            Ok(None) | Err(_) => false,
        }
    }

    /// What Visavis keeps in the workspace.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Objects of the workspace.
    pub fn objects(&self) -> Objects {
        Objects::new(self.data().join("objects"))
    }

    /// Results of the workspace.
    pub fn results(&self) -> Results {
        Results::new(self.data().join("results"))
    }

    /// What was removed of results and objects, and can still be brought back.
    pub fn trash(&self) -> Trash {
        Trash::new(self.data().join("trash"), self.results(), self.objects())
    }

    /// Checkpoints of trainings that go on.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.data().join("checkpoints"))
    }

    /// Neighbours of features that methods share.
    pub fn graphs(&self) -> Graphs {
        Graphs::new(self.data().join("cache/neighbours"))
    }

    /// The folder of journals.
    pub fn journals(&self) -> PathBuf {
        self.data().join("journals")
    }

    /// The digests of outside files that were read before. Commands that only read make nothing in a folder where nothing was
    /// run: until then they are kept in the user's cache.
    pub fn digests(&self) -> PathBuf {
        let folder = if self.journals().is_dir() { self.data().join("cache") } else { filesystem::user_cache(&self.root) };
        folder.join("digests.tsv")
    }

    /// Has what is kept in the user's cache of this workspace say whose it is. It does so after [`Self::digests`] were kept.
    pub fn sign_user_cache(&self) {
        if !self.journals().is_dir() {
            user_caches::sign(&self.root);
        }
    }

    /// Removes what is kept in the user's cache of workspaces that are gone; says of how many. It looks at a thousand at most.
    pub fn clear_user_caches(&self) -> usize {
        user_caches::clear_gone(&self.root)
    }

    /// What a detached dispatcher would have said on a terminal.
    pub fn said(&self) -> PathBuf {
        self.data().join("dispatcher.log")
    }

    /// The file of [`Self::said`], empty, to be written. A link in its place is not followed.
    ///
    /// # Errors
    /// Something else in its place; a folder that cannot be written.
    pub fn say_anew(&self) -> Result<File> {
        let file = self.say_on()?;
        file.set_len(0).map_err(|error| Fault::io("write", self.said(), &error))?;
        Ok(file)
    }

    /// The same file, to be written behind what stands there: the run before may still say something.
    ///
    /// # Errors
    /// As [`Self::say_anew`].
    pub fn say_on(&self) -> Result<File> {
        let path = self.said();
        path.parent().map_or(Ok(()), disk::make_folder)?;
        files::open_own(File::options().create(true).append(true), &path)
            .map_err(|error| Fault::io("write", &path, &error).next("remove what is in its place"))
    }

    /// Where a study's report goes.
    pub fn report(&self, study: &str) -> PathBuf {
        self.root.join("reports").join(format!("{study}.html"))
    }

    /// The study files of `experiments/`, by name.
    pub fn studies(&self) -> Vec<PathBuf> {
        Self::studies_in(&self.root.join("experiments"))
    }

    /// The study files of a folder, by name.
    pub fn studies_in(folder: &Path) -> Vec<PathBuf> {
        let is_study = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<PathBuf> = entries.filter(is_study).collect();
        found.sort();
        found
    }

    /// What the last audit of a study came to.
    pub fn audit(&self, study: &str) -> PathBuf {
        self.data().join("audits").join(format!("{study}.json"))
    }

    /// Can other machines, or other mounts of this one, write here too?
    pub fn is_shared(&self) -> bool {
        filesystem::network(&self.data()).is_some()
    }

    /// Removes what writers that are gone left half-written; says how many files.
    pub fn sweep(&self) -> usize {
        disk::sweep(&self.journals())
            + self.results().sweep()
            + self.objects().sweep()
            + self.checkpoints().sweep(&self.results())
    }

    /// Bytes that can still be written here; `None` where the system does not say.
    pub fn room(&self) -> Option<u64> {
        let about = rustix::fs::statvfs(&self.root).ok()?;
        Some(about.f_bavail.saturating_mul(about.f_frsize))
    }

    fn told(&self) -> PathBuf {
        self.data().join("dispatcher.lock")
    }

    fn leases(&self) -> PathBuf {
        self.data().join("lease")
    }

    /// Tries to take the workspace. Whoever only looks takes the lock alone: it keeps others of this machine off the store.
    fn try_lock(&self, doing: &str, watch: &mut LeaseObserver) -> Result<Tried> {
        let path = self.told();
        disk::make_folder(&self.data())?;
        let Some((mut lock, locking)) = lock_file(&path)? else { return Ok(Tried::Locked) };
        let holder =
            Holder { pid: std::process::id(), host: super::origin::host(), doing: doing.to_owned(), since: super::now() };
        if doing != LOOKING {
            let ours = Writer { locks: locking == Locking::Granted, ..writer::here(&self.data()) };
            match Lease::take(&self.leases(), &ours, doing, watch, lease::clock())? {
                LeaseAttempt::Ours(lease) => lock.lease = Some(lease),
                LeaseAttempt::Theirs(card, verdict) => return Ok(Tried::Leased(card.map(Holder::from), verdict)),
            }
        }
        // For people; a disk that is full must not keep anybody from the lock. Who only looks holds no lease: where locks are each
        // machine's own, the file may be another's who holds it.
        if lock.lease.is_some() || !self.is_shared() {
            lock.tell(&serde_json::to_string(&holder).unwrap_or_default());
        }
        Ok(Tried::Ours(lock))
    }

    /// Takes the workspace, or says who has it. Where another machine had it and is silent, waits for as long as its lease
    /// lasts, and says so once through `remark`.
    pub fn lock_or_say(&self, doing: &str, remark: &dyn Fn(&str)) -> Result<Lock> {
        let (started, mut watch, mut remarked) = (Instant::now(), LeaseObserver::default(), false);
        loop {
            let holder = match self.try_lock(doing, &mut watch)? {
                Tried::Ours(lock) => return Ok(lock),
                Tried::Leased(holder, LeaseState::Wait(left)) => {
                    // One that lives shows it sooner.
                    let silent = left < lease::length().mul_f64(0.9);
                    if silent && !std::mem::replace(&mut remarked, true) {
                        let who = holder.as_ref().map_or("somebody".to_owned(), Holder::told);
                        remark(&format!(
                            "{who}: it has not said that it ended, and nothing comes from it; in {:.0} s its place is taken",
                            left.as_secs_f64().ceil()
                        ));
                    }
                    std::thread::sleep((lease::length() / 200).min(left));
                    continue;
                }
                Tried::Leased(holder, _) => holder,
                Tried::Locked => {
                    let holder = self.holder();
                    let busy = holder.as_ref().is_some_and(|holder| holder.pid != 0 && !holder.only_looks());
                    // A face that only looks has the workspace for an instant.
                    if !busy && started.elapsed() < Duration::from_secs(2) {
                        std::thread::sleep(Duration::from_millis(20));
                        continue;
                    }
                    holder
                }
            };
            let who = holder.map_or(String::new(), |holder| format!(": {}", holder.told()));
            return Err(Fault::missing(format!("another visavis is at work in this workspace{who}")).next(
                "follow it with `visavis attach`, end it with `visavis drain`, or choose another workspace with --workspace DIR",
            ));
        }
    }

    /// Takes the store for writing, to look: the workspace's lock, or where the store had to be put elsewhere, that one's. So a
    /// machine of its own store can take in the journals that another's dispatcher writes. `None` while another process has it.
    pub fn lock_store(&self) -> Result<Option<Lock>> {
        if self.moved.is_none() && !(self.named && self.is_shared()) {
            return Ok(match self.try_lock(LOOKING, &mut LeaseObserver::default())? {
                Tried::Ours(lock) => Some(lock),
                Tried::Leased(..) | Tried::Locked => None,
            });
        }
        let path = self.store.with_extension("lock");
        path.parent().map_or(Ok(()), disk::make_folder)?;
        Ok(lock_file(&path)?.map(|(lock, _)| lock))
    }

    /// Takes one annotator's labelling of one attribute; `None` while another process has it.
    pub fn lock_labelling(&self, attribute: &str, annotator: &str) -> Result<Option<Lock>> {
        let folder = self.data().join("labelling");
        disk::make_folder(&folder)?;
        let name = Digest::of(format!("{attribute}\n{annotator}").as_bytes()).to_string();
        Ok(lock_file(&folder.join(format!("{}.lock", &name[..16])))?.map(|(lock, _)| lock))
    }

    /// Who has the workspace now; `None` when nobody has. Process 0: somebody who has not said. Of another machine's holder it
    /// is known once its lease was seen to change, which takes some seconds the first time.
    pub fn holder(&self) -> Option<Holder> {
        let mut granted = Locking::Granted;
        if let Ok(mut file) = files::open_own(File::options().read(true), &self.told()) {
            granted = writer::lock(&file, true).unwrap_or(Locking::Without);
            if granted == Locking::Refused {
                let mut text = String::new();
                file.read_to_string(&mut text).ok()?;
                let unknown = Holder { pid: 0, host: String::new(), doing: "at work".to_owned(), since: 0 };
                return serde_json::from_str(&text).ok().or(Some(unknown));
            }
        }
        let ours = Writer { locks: granted == Locking::Granted, ..writer::here(&self.data()) };
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *watch == LeaseObserver::default();
        // Two renewals, and what a folder may be late by.
        let patience = lease::length() / 12;
        let started = Instant::now();
        loop {
            let found = lease::current(&self.leases()).ok()??;
            let card = found.card.filter(|card| !lease::is_free(card, &ours))?;
            match watch.observe(found.number, found.state, lease::clock(), lease::length()) {
                LeaseState::Refuse => return Some(card.into()),
                LeaseState::Wait(_) if first && started.elapsed() < patience => std::thread::sleep(lease::length() / 200),
                LeaseState::Wait(_) | LeaseState::TakeOver => return None,
            }
        }
    }
}

/// A path without `.` and `..`, by its letters.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = plain.pop(),
            other => plain.push(other),
        }
    }
    plain
}

/// What came of trying to take a workspace.
enum Tried {
    Ours(Lock),
    /// A process that is seen by its lock has it.
    Locked,
    /// One that is not has its lease.
    Leased(Option<Holder>, LeaseState),
}

impl From<lease::LeaseCard> for Holder {
    fn from(card: lease::LeaseCard) -> Self {
        Holder { pid: card.writer.pid, host: card.writer.host, doing: card.doing, since: card.since }
    }
}

/// `None` while another process has it, as far as this machine knows.
pub(super) fn lock_file(path: &Path) -> Result<Option<(Lock, Locking)>> {
    let file = files::open_own(File::options().create(true).read(true).append(true), path).map_err(|error| {
        Fault::io("open", path, &error).next("remove what is in its place, or choose another workspace with --workspace DIR")
    })?;
    Ok(match writer::lock(&file, false).map_err(|error| Fault::io("lock", path, &error))? {
        Locking::Refused => None,
        locking => Some((Lock { lease: None, file }, locking)),
    })
}

impl Lock {
    fn tell(&mut self, text: &str) {
        let told = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        told.and_then(|_| self.file.write_all(text.as_bytes())).ok();
    }

    /// Writes a word into the locked file, for whoever takes it next.
    pub fn say(&mut self, word: &str) {
        self.tell(word);
        self.file.sync_data().ok();
    }

    /// What was written into the locked file.
    pub fn said(&mut self) -> String {
        let mut text = String::new();
        let read = self.file.seek(SeekFrom::Start(0)).and_then(|_| Read::take(&mut self.file, 4096).read_to_string(&mut text));
        if read.is_ok() { text } else { String::new() }
    }

    /// Has another machine's process taken the workspace over, because this one stood still for too long?
    pub fn is_lost(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::is_lost)
    }
}

/// What changes when a file is written: when that was, milliseconds since 1970, and its size. `None`: there is none.
pub fn stamp(path: &Path) -> Option<(u64, u64)> {
    let about = fs::metadata(path).ok()?;
    let at = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((at.as_millis() as u64, about.len()))
}

/// Reads what is there of a file; empty when there is none.
pub fn tail(path: &Path, most: usize) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = files::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(most as u64)))?;
        let mut text = Vec::new();
        file.take(most as u64).read_to_end(&mut text)?;
        Ok(text)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_place_of_the_lock_or_the_log_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path().join("w"), None).unwrap();
        let precious = folder.path().join("precious.txt");
        fs::create_dir_all(workspace.data()).unwrap();
        fs::write(&precious, "mine").unwrap();
        for path in [workspace.said(), workspace.told()] {
            std::os::unix::fs::symlink(&precious, path).unwrap();
        }
        assert!(workspace.say_anew().is_err() && workspace.lock_or_say("testing", &|_| ()).is_err());
        assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
    }

    #[test]
    fn what_is_shared_names_no_place_of_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("w");
        fs::create_dir_all(root.join("experiments")).unwrap();
        fs::create_dir_all(folder.path().join("elsewhere")).unwrap();
        fs::write(folder.path().join("elsewhere/x.npy"), b"x").unwrap();
        fs::write(root.join("y.npy"), b"y").unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), root.join("linked")).unwrap();
        std::os::unix::fs::symlink(&root, folder.path().join("alias")).unwrap();
        let workspace = Workspace::new(root.clone(), None).unwrap();
        let shared = |path: PathBuf| workspace.shareable(&path).display().to_string();
        assert_eq!(shared(root.join("experiments/../y.npy")), "y.npy");
        assert_eq!(shared(root.join("gone/data.npy")), "gone/data.npy", "what is not there yet has a place in the workspace");
        assert_eq!(shared(folder.path().join("elsewhere/x.npy")), "x.npy", "outside: its name alone");
        assert_eq!(shared(root.join("linked/x.npy")), "linked/x.npy", "a link in the workspace leads on in every copy");
        assert_eq!(shared(folder.path().join("alias/y.npy")), "y.npy", "the workspace by another way");
        assert_eq!(shared(PathBuf::from("/")), ".");
        let by_alias = Workspace::new(folder.path().join("alias"), None).unwrap();
        assert_eq!(by_alias.shareable(&root.join("y.npy")), PathBuf::from("y.npy"));
        assert!(workspace.locate(Path::new("y.npy")).is_file());
    }
}
