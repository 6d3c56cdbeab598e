use super::*;
use visavis_core::domain::post::SlurmPlace;

/// An executor whose fleet wants nothing, so that no command is run, and the letters of its workers.
struct Bench {
    executor: SlurmExecutor,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sender, done) = mpsc::channel();
        let job = WorkerJob {
            name: "visavis-run".into(),
            settings: Default::default(),
            workspace: folder.path().to_owned(),
            identity: String::new(),
            program: "visavis".into(),
            post: folder.path().to_owned(),
            logs: folder.path().to_owned(),
            run: "run.journal".into(),
            device: "cpu".into(),
            threads: 1,
            environment: vec![],
            barred: vec![],
        };
        let executor = SlurmExecutor {
            fleet: Fleet::new(job.settings.workers, 1001),
            job,
            places: BTreeMap::new(),
            started: Instant::now(),
            workers: BTreeMap::new(),
            seen: BTreeSet::new(),
            listed: None,
            looked: None,
            next: 100,
            messages: VecDeque::new(),
            done,
            sender,
            has_submitted: false,
        };
        Bench { executor, folder }
    }

    /// A worker starts, as element `index` of the array 7.
    fn starts(&mut self, token: &str, index: u64) -> MailWriter {
        let hello = Hello {
            token: token.to_owned(),
            host: "n1".into(),
            boot: String::new(),
            pid: 1,
            program: String::new(),
            slurm: Some(SlurmPlace { array: 7, index, restarts: 0 }),
            device: "cpu".into(),
            cards: None,
            threads: 1,
        };
        let first = serde_json::to_vec(&WorkerLetter::Hello(Box::new(hello))).unwrap();
        // New workers are looked for once a second: now.
        (self.executor.listed, self.executor.looked) = (None, None);
        MailWriter::create(self.folder.path(), &format!("{token}{ANSWERS}"), &first).unwrap()
    }

    fn next(&mut self) -> (u64, MessageKind) {
        let message = self.executor.next_message(Duration::from_secs(20)).unwrap().expect("a message comes");
        (message.worker, message.what)
    }

    /// What the dispatcher wrote to a worker.
    fn letters(&self, token: &str) -> Vec<DispatcherLetter> {
        let letters = MailReader::new(self.folder.path(), &format!("{token}{ORDERS}")).read().unwrap();
        letters.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect()
    }
}

fn say(letters: &mut MailWriter, letter: &WorkerLetter) {
    letters.append([serde_json::to_vec(letter).unwrap().as_slice()]).unwrap();
}

#[test]
fn a_worker_joins_by_its_hello_answers_and_leaves() {
    let mut bench = Bench::new();
    let mut worker = bench.starts("aa", 3);
    say(&mut worker, &WorkerLetter::Answer(WorkerAnswer::Kept));
    assert!(matches!(bench.next(), (100, MessageKind::Joined { slot: 3 })));
    assert!(matches!(bench.next(), (100, MessageKind::Answer(WorkerAnswer::Kept))));
    say(&mut worker, &WorkerLetter::Left { why: Some("the disk is full".into()) });
    let (100, MessageKind::Exited(exit)) = bench.next() else { panic!("it left") };
    assert!(exit.status.contains("the disk is full") && !exit.is_taken_away, "{exit:?}");
    assert!(bench.executor.next_message(Duration::ZERO).unwrap().is_none());
}

#[test]
fn a_sign_of_life_is_known_as_it_is_written() {
    assert_eq!(serde_json::to_vec(&WorkerLetter::Answer(WorkerAnswer::Beat)).unwrap(), BEAT_LETTER);
}

#[test]
fn what_a_worker_that_was_told_to_go_had_not_begun_is_not_to_blame() {
    let mut bench = Bench::new();
    let mut worker = bench.starts("aa", 3);
    say(&mut worker, &WorkerLetter::Left { why: None });
    assert!(matches!(bench.next(), (100, MessageKind::Joined { slot: 3 })));
    let (100, MessageKind::Exited(exit)) = bench.next() else { panic!("it left") };
    assert!(exit.is_taken_away, "{exit:?}");
}

#[test]
fn what_the_dispatcher_asks_of_a_worker_is_a_letter_to_it_alone() {
    let mut bench = Bench::new();
    let (_one, _two) = (bench.starts("aa", 0), bench.starts("bb", 1));
    let (first, second) = (bench.next().0, bench.next().0);
    assert_eq!((first, second), (100, 101));
    bench.executor.terminate(first);
    bench.executor.dismiss(first);
    bench.executor.dismiss(second);
    assert_eq!(bench.letters("aa"), [DispatcherLetter::Stop, DispatcherLetter::End]);
    assert_eq!(bench.letters("bb"), [DispatcherLetter::End]);
}

#[test]
fn a_second_start_of_a_job_ends_the_first_which_is_not_heard_any_more() {
    let mut bench = Bench::new();
    let mut orphan = bench.starts("aa", 0);
    assert!(matches!(bench.next(), (100, MessageKind::Joined { .. })));
    let _again = bench.starts("bb", 0);
    let (100, MessageKind::Exited(exit)) = bench.next() else { panic!("the first is given up") };
    assert_eq!(exit.status, "Slurm started its job again");
    assert!(matches!(bench.next(), (101, MessageKind::Joined { .. })));
    say(&mut orphan, &WorkerLetter::Answer(WorkerAnswer::Kept));
    assert!(bench.executor.next_message(Duration::from_millis(600)).unwrap().is_none());
}

#[test]
fn letters_that_cannot_be_read_end_a_worker_of_another_build() {
    let mut bench = Bench::new();
    let mut worker = bench.starts("aa", 0);
    assert!(matches!(bench.next(), (100, MessageKind::Joined { .. })));
    worker.append([&b"{\"sung\":{}}"[..]]).unwrap();
    let (100, MessageKind::Exited(exit)) = bench.next() else { panic!("it is given up") };
    assert!(exit.status.contains("another build"), "{exit:?}");
}

#[test]
fn a_worker_that_is_given_up_is_told_with_the_last_lines_of_its_log() {
    let mut bench = Bench::new();
    let _worker = bench.starts("aa", 4);
    assert!(matches!(bench.next(), (100, MessageKind::Joined { .. })));
    std::fs::write(bench.folder.path().join("7_4.log"), "loading\nerror: no room\n").unwrap();
    bench.executor.lose(100, "ended: its node failed");
    let (_, MessageKind::Exited(exit)) = bench.next() else { panic!("it is given up") };
    assert_eq!((exit.status.as_str(), exit.is_taken_away), ("ended: its node failed", false));
    assert_eq!(exit.log, ["loading", "error: no room"]);
}
