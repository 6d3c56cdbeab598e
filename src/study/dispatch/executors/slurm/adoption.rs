//! What a dispatcher finds of one before it that ended without a word, killed or cut off: a folder of letters that nobody closed, and workers
//! that still live and do what they were given. They are adopted if they were started as this run would start them.

use super::{MessageKind, PostedWorker, SlurmExecutor, commands::run, name_of, script::WorkerJob};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    time::Instant,
};
use visavis_core::{
    domain::{
        Digest, Fault, Key, Result,
        event::WorkerAnswer,
        post::{ANSWERS, DispatcherLetter, Hello, OPEN, ORDERS, WorkerLetter},
    },
    store::{MailReader, MailWriter, clear_letters, letters_in, remove_folder},
};

/// A folder of letters whose workers may still be there.
pub(super) struct OpenPost {
    pub folder: PathBuf,
    /// What its jobs are called.
    pub name: String,
    card: OpenCard,
}

/// The one letter in the file that says that a run's workers may still be there.
#[derive(serde::Serialize, serde::Deserialize)]
struct OpenCard {
    /// Where the folder is: in a copy of the workspace it says nothing about the copy.
    folder: PathBuf,
    /// How its workers were started: [`WorkerJob::fingerprint`].
    fingerprint: Option<Digest>,
}

impl OpenPost {
    /// Those of a workspace, in the order of their runs.
    pub(super) fn all(posts: &Path) -> Vec<Self> {
        let names = letters_in(posts, "").unwrap_or_default().into_iter();
        let open = names.filter_map(|name| {
            let folder = posts.join(&name);
            let first = letters_in(&folder, OPEN).unwrap_or_default().into_iter().next()?;
            let letters = MailReader::new(&folder, &format!("{first}{OPEN}")).read().unwrap_or_default();
            let card: OpenCard = serde_json::from_slice(letters.first()?).ok()?;
            (folder.canonicalize().is_ok_and(|folder| folder == card.folder)).then(|| OpenPost {
                folder,
                name: name_of(&name),
                card,
            })
        });
        open.collect()
    }

    /// Were its workers started as this run would start them?
    pub(super) fn is_like(&self, job: &WorkerJob) -> bool {
        self.card.fingerprint.is_some() && self.card.fingerprint == job.fingerprint()
    }

    /// Says that a run's workers may be there, until [`close`] is called.
    ///
    /// # Errors
    /// A disk that refuses.
    pub(super) fn open(job: &WorkerJob) -> Result<()> {
        let folder = job.post.canonicalize().map_err(|error| Fault::io("find", &job.post, &error))?;
        let card = OpenCard { folder, fingerprint: job.fingerprint() };
        let card = serde_json::to_vec(&card).map_err(|error| Fault::unexpected(error.to_string()))?;
        MailWriter::create(&job.post, OPEN, &card).map(drop)
    }
}

/// So many runs keep what their workers printed.
const KEPT: usize = 20;

/// No worker of a run is left: its letters are needed no more, nor what workers of runs long ago printed.
pub(super) fn close(post: &Path) {
    clear_letters(post, &[ANSWERS, ORDERS, OPEN]);
    let Some(posts) = post.parent() else { return };
    let runs = letters_in(posts, "").unwrap_or_default();
    for run in runs.iter().rev().skip(KEPT).map(|run| posts.join(run)) {
        if letters_in(&run, OPEN).is_ok_and(|open| open.is_empty()) {
            remove_folder(&run);
        }
    }
}

/// A worker that an earlier dispatcher gave work to, as its letters tell.
#[derive(Debug, PartialEq)]
pub(super) struct WorkerAtWork {
    pub hello: Box<Hello>,
    /// The name of its journal.
    pub journal: Option<String>,
    /// What it was given and has not answered, in that order, and which attempt each is.
    pub holds: VecDeque<(Key, u32)>,
    /// What it is at.
    pub begun: Option<Key>,
}

impl WorkerAtWork {
    /// `None` of one that has left or was told to, or that never said who it is.
    pub(super) fn of(answers: Vec<WorkerLetter>, orders: Vec<DispatcherLetter>) -> Option<Self> {
        let mut answers = answers.into_iter();
        let Some(WorkerLetter::Hello(hello)) = answers.next() else { return None };
        let mut worker = WorkerAtWork { hello, journal: None, holds: VecDeque::new(), begun: None };
        for order in orders {
            match order {
                DispatcherLetter::Order(order) => worker.holds.push_back((order.task.key(), order.attempt)),
                DispatcherLetter::Recall { .. } => {}
                DispatcherLetter::Stop | DispatcherLetter::Become { .. } | DispatcherLetter::End => return None,
            }
        }
        for letter in answers {
            match letter {
                WorkerLetter::Hello(_) | WorkerLetter::Left { .. } => return None,
                WorkerLetter::Answer(answer) => worker.take(answer),
            }
        }
        Some(worker)
    }

    fn take(&mut self, answer: WorkerAnswer) {
        match answer {
            WorkerAnswer::Ready { journal } => self.journal = Some(journal),
            WorkerAnswer::Begun { key } => self.begun = Some(key),
            WorkerAnswer::Finished { key, .. } | WorkerAnswer::Failed { key, .. } => {
                self.begun = None;
                self.drop_order(key);
            }
            WorkerAnswer::Returned { keys } => keys.into_iter().for_each(|key| self.drop_order(key)),
            WorkerAnswer::Kept | WorkerAnswer::Beat => {}
        }
    }

    /// A key can be ordered twice, when an attempt at it failed: the earlier order is answered.
    fn drop_order(&mut self, key: Key) {
        if let Some(place) = self.holds.iter().position(|(held, _)| *held == key) {
            self.holds.remove(place);
        }
    }
}

impl SlurmExecutor {
    /// Takes over the workers that were started before, as their letters tell. Whether they live shows as with any other.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub(super) fn adopt(&mut self) -> Result<()> {
        let (now, post) = (Instant::now(), self.job.post.clone());
        let ordered = letters_in(&post, ORDERS)?;
        for token in letters_in(&post, ANSWERS)? {
            self.seen.insert(token.clone());
            let mut answers = MailReader::new(&post, &format!("{token}{ANSWERS}"));
            let orders = format!("{token}{ORDERS}");
            let was_ordered = ordered.contains(&token);
            let given = if was_ordered { all_letters(&mut MailReader::new(&post, &orders)) } else { vec![] };
            let Some(WorkerAtWork { hello, journal, holds, begun }) = WorkerAtWork::of(all_letters(&mut answers), given) else {
                continue;
            };
            // One that cannot be written to is of no use: Slurm's queue shows it, and that it never comes.
            let Ok(writer) = was_ordered.then(|| MailWriter::resume(&post, &orders)).transpose() else { continue };
            let worker = self.next;
            self.next += 1;
            self.workers.insert(worker, PostedWorker::adopted(token, hello.clone(), answers, writer, now));
            self.adopted += 1;
            self.greet(worker, hello, holds.into());
            let ready = journal.map(|journal| WorkerAnswer::Ready { journal });
            let answers = ready.into_iter().chain(begun.map(|key| WorkerAnswer::Begun { key }));
            answers.for_each(|answer| self.say(worker, MessageKind::Answer(answer)));
        }
        Ok(())
    }
}

/// Looks for runs whose dispatcher ended without a word: this process has the workspace, so no dispatcher of theirs is left. The last of them
/// whose workers were started as this job says is to be adopted; the workers of the others are ended.
pub(super) fn adopt_or_end(job: &WorkerJob) -> Option<OpenPost> {
    let mut open = OpenPost::all(job.post.parent()?);
    let like = open.iter().rposition(|post| post.is_like(job)).map(|place| open.remove(place));
    open.iter().for_each(end);
    like
}

/// Ends the workers of runs whose dispatcher ended without a word, for a run that has no use for them.
pub(crate) fn end_earlier_runs(posts: &Path) {
    OpenPost::all(posts).iter().for_each(end);
}

fn end(post: &OpenPost) {
    let ended = run("scancel", &[format!("--name={}", post.name)], "");
    if ended.is_well || ended.is_missing {
        close(&post.folder);
    }
}

/// All letters that are there, of those that this build can read.
fn all_letters<T: serde::de::DeserializeOwned>(reader: &mut MailReader) -> Vec<T> {
    let mut all = Vec::new();
    while let Ok(letters) = reader.read()
        && !letters.is_empty()
    {
        all.extend(letters.iter().map_while(|bytes| serde_json::from_slice(bytes).ok()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::stage::{IndexImages, Input, Location, Order, Task, Work};

    fn task(name: &str) -> Task {
        let input = Input { role: name.to_owned(), digest: Digest::of(b""), at: Location::Object };
        Task { work: Work::Index(IndexImages { take: None }), inputs: vec![input] }
    }

    fn order(name: &str) -> DispatcherLetter {
        let order = Order { task: task(name), label: name.to_owned(), attempt: 1, clock: 0, again: false };
        DispatcherLetter::Order(Box::new(order))
    }

    fn hello() -> WorkerLetter {
        WorkerLetter::Hello(Box::new(super::super::tests::hello("w", 0)))
    }

    fn says(answers: Vec<WorkerAnswer>) -> Vec<WorkerLetter> {
        std::iter::once(hello()).chain(answers.into_iter().map(WorkerLetter::Answer)).collect()
    }

    #[test]
    fn a_worker_holds_what_it_was_given_and_has_not_answered() {
        let key = |name: &str| task(name).key();
        let answers = says(vec![
            WorkerAnswer::Ready { journal: "j".into() },
            WorkerAnswer::Begun { key: key("a") },
            WorkerAnswer::Finished { key: key("a"), seconds: 1.0, first: true },
            WorkerAnswer::Begun { key: key("b") },
            WorkerAnswer::Returned { keys: vec![key("d")] },
        ]);
        let worker = WorkerAtWork::of(answers, ["a", "b", "c", "d"].map(order).into()).unwrap();
        assert_eq!(worker.holds, [(key("b"), 1), (key("c"), 1)]);
        assert_eq!((worker.begun, worker.journal.as_deref()), (Some(key("b")), Some("j")));
    }

    #[test]
    fn one_that_left_or_is_told_to_leave_is_not_adopted() {
        let left = [hello(), WorkerLetter::Left { why: None, stopped: true }];
        assert_eq!(WorkerAtWork::of(left.into(), vec![]), None);
        assert_eq!(WorkerAtWork::of(says(vec![]), vec![DispatcherLetter::Stop]), None);
        assert_eq!(WorkerAtWork::of(vec![], vec![]), None);
        assert!(WorkerAtWork::of(says(vec![]), vec![]).unwrap().holds.is_empty());
    }
}
