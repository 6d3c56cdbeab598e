use super::*;
use visavis_core::{
    domain::post::{ORDERS, SlurmPlace},
    store::{MailReader, MailWriter},
};

/// An executor whose fleet wants nothing, so that no command is run, and the letters of its workers.
struct Bench {
    executor: SlurmExecutor,
    folder: tempfile::TempDir,
    /// Workers that have started.
    starts: u64,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let job = WorkerJob {
            name: "visavis-run".into(),
            settings: Default::default(),
            workspace: folder.path().to_owned(),
            identity: String::new(),
            programs: vec![],
            post: folder.path().to_owned(),
            logs: folder.path().to_owned(),
            run: "run.journal".into(),
            device: "cpu".into(),
            threads: 1,
            environment: vec![],
            barred: vec![],
        };
        let fleet = Fleet::new(job.settings.workers, None, 1001);
        let mut executor = SlurmExecutor::of(job, BTreeMap::new(), fleet);
        executor.next = 100;
        Bench { executor, folder, starts: 0 }
    }

    /// A worker starts, as element `index` of the array 7.
    fn starts(&mut self, token: &str, index: u64) -> MailWriter {
        let first =
            serde_json::to_vec(&WorkerLetter::Hello(Box::new(Hello { started: self.starts, ..hello(token, index) }))).unwrap();
        self.starts += 1;
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

/// What a worker says first, as element `index` of the array 7.
pub(super) fn hello(token: &str, index: u64) -> Hello {
    Hello {
        token: token.to_owned(),
        host: "n1".into(),
        boot: String::new(),
        pid: 1,
        program: String::new(),
        slurm: Some(SlurmPlace { array: 7, index, restarts: 0 }),
        device: "cpu".into(),
        cards: None,
        threads: 1,
        started: 0,
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
    assert!(matches!(bench.next(), (100, MessageKind::Joined { slot: 3, .. })));
    assert!(matches!(bench.next(), (100, MessageKind::Answer(WorkerAnswer::Kept))));
    say(&mut worker, &WorkerLetter::Left { stopped: false, why: Some("the disk is full".into()) });
    let (100, MessageKind::Exited(exit)) = bench.next() else { panic!("it left") };
    assert!(exit.status.contains("the disk is full") && !exit.is_taken_away, "{exit:?}");
    assert!(bench.executor.next_message(Duration::ZERO).unwrap().is_none());
}

#[test]
fn a_sign_of_life_is_known_as_it_is_written() {
    assert_eq!(serde_json::to_vec(&WorkerLetter::Answer(WorkerAnswer::Beat)).unwrap(), posted_worker::BEAT_LETTER);
}

#[test]
fn what_a_worker_that_was_told_to_go_had_not_begun_is_not_to_blame() {
    let mut bench = Bench::new();
    let mut worker = bench.starts("aa", 3);
    say(&mut worker, &WorkerLetter::Left { why: None, stopped: false });
    assert!(matches!(bench.next(), (100, MessageKind::Joined { slot: 3, .. })));
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
    bench.starts = 0;
    let _late = bench.starts("cc", 0);
    assert!(bench.executor.next_message(Duration::from_millis(600)).unwrap().is_none(), "it started before the second");
    // It may live and hold a card: it is told to leave, as the first was.
    for token in ["aa", "cc"] {
        assert_eq!(bench.letters(token), [DispatcherLetter::End], "{token}");
    }
}

#[test]
fn a_worker_that_goes_on_as_another_program_is_the_same_job_and_comes_anew() {
    let mut bench = Bench::new();
    let _worker = bench.starts("aa", 0);
    assert!(matches!(bench.next(), (100, MessageKind::Joined { program: None, .. })));
    bench.executor.go_on_as(100, "visavis-onnx");
    assert_eq!(bench.letters("aa"), [DispatcherLetter::Become { program: "visavis-onnx".into() }]);
    let hello = Hello { started: 9, program: "visavis-onnx 0.1.0".into(), ..hello("bb", 0) };
    let first = serde_json::to_vec(&WorkerLetter::Hello(Box::new(hello))).unwrap();
    (bench.executor.listed, bench.executor.looked) = (None, None);
    MailWriter::create(bench.folder.path(), "bb.answers", &first).unwrap();
    let (100, MessageKind::Exited(exit)) = bench.next() else { panic!("the one before is over") };
    assert_eq!((exit.status.as_str(), exit.is_taken_away), ("it went on as visavis-onnx", true));
    assert!(matches!(bench.next(), (101, MessageKind::Joined { program: Some(WorkerProgram::Onnx), .. })));
    assert_eq!(bench.executor.not_changed, 0);
}

#[test]
fn where_no_worker_can_go_on_as_another_program_the_run_ends_with_the_reason() {
    let mut bench = Bench::new();
    for (index, token) in ["aa", "bb", "cc"].into_iter().enumerate() {
        let mut worker = bench.starts(token, index as u64);
        let (number, MessageKind::Joined { .. }) = bench.next() else { panic!("it joins") };
        bench.executor.go_on_as(number, "visavis-onnx");
        say(&mut worker, &WorkerLetter::Left { why: Some("visavis-onnx does not start".into()), stopped: false });
        if index < 2 {
            assert!(matches!(bench.next(), (_, MessageKind::Exited(_))), "it may be its node");
        }
    }
    let ended = (0..5).find_map(|_| bench.executor.next_message(Duration::from_secs(1)).err()).expect("the run ends");
    assert!(ended.to_string().contains("3 workers in a row could not go on as visavis-onnx"), "{ended}");
    assert!(ended.to_string().contains("does not start"), "{ended}");
}

#[test]
fn one_that_cannot_even_say_who_it_is_ends_the_run() {
    let mut bench = Bench::new();
    MailWriter::create(bench.folder.path(), "aa.answers", b"{\"sung\":{}}").unwrap();
    let ended = (0..5).find_map(|_| bench.executor.next_message(Duration::from_secs(1)).err()).expect("the run ends");
    assert!(ended.to_string().contains("another build"), "{ended}");
}

#[test]
fn what_a_worker_was_given_before_it_holds_after_the_dispatcher_was_replaced() {
    use visavis_core::domain::{
        Digest,
        stage::{IndexImages, Input, Location, Order, Task, Work},
    };
    let task = |role: &str| Task {
        work: Work::Index(IndexImages { take: None }),
        inputs: vec![Input { role: role.to_owned(), digest: Digest::of(b""), at: Location::Object }],
    };
    let order = |role: &str| Order { task: task(role), label: role.to_owned(), attempt: 1, clock: 0, again: false };
    let mut bench = Bench::new();
    let mut worker = bench.starts("aa", 2);
    let (_gone, number) = (bench.starts("bb", 3), bench.next().0);
    for role in ["one", "two"] {
        bench.executor.assign(number, &order(role)).unwrap();
    }
    say(&mut worker, &WorkerLetter::Answer(WorkerAnswer::Ready { journal: "j".into() }));
    say(&mut worker, &WorkerLetter::Answer(WorkerAnswer::Begun { key: task("one").key() }));
    let job = bench.executor.job.clone();
    bench.executor = SlurmExecutor::of(job, BTreeMap::new(), Fleet::new(4, None, 1001));
    bench.executor.adopt().unwrap();
    assert_eq!(bench.executor.adopted(), 2);
    let (worker_again, MessageKind::Joined { slot: 2, holds, .. }) = bench.next() else { panic!("it is there") };
    assert_eq!(holds, [(task("one").key(), 1), (task("two").key(), 1)]);
    let said = [bench.next().1, bench.next().1];
    assert!(matches!(&said[0], MessageKind::Answer(WorkerAnswer::Ready { journal }) if journal == "j"));
    assert!(matches!(&said[1], MessageKind::Answer(WorkerAnswer::Begun { .. })));
    bench.executor.assign(worker_again, &order("three")).unwrap();
    assert_eq!(bench.letters("aa").len(), 3, "it goes on where the one before ended");
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
    bench.executor.give_up(100, "ended: its node failed");
    let (_, MessageKind::Exited(exit)) = bench.next() else { panic!("it is given up") };
    assert_eq!((exit.status.as_str(), exit.is_taken_away), ("ended: its node failed", false));
    assert_eq!(exit.log, ["loading", "error: no room"]);
}

#[test]
fn what_a_worker_printed_that_never_said_hello_goes_into_the_runs_log() {
    let mut bench = Bench::new();
    bench.executor.fleet.submitted(7, 2, Duration::ZERO);
    let _worker = bench.starts("aa", 0);
    let (first, MessageKind::Joined { .. }) = bench.next() else { panic!("it joins") };
    std::fs::write(bench.folder.path().join("7_0.log"), "all is well\n").unwrap();
    std::fs::write(bench.folder.path().join("7_1.log"), "loading\nno such module\n").unwrap();
    let out = "7|0|FAILED|n1|NonZeroExitCode\n7|1|FAILED|n2|NonZeroExitCode\n".to_owned();
    let end = CommandEnd { out, err: String::new(), is_well: true, is_missing: false };
    bench.executor.ended(Done { command: FleetCommand::Query, end });
    let mut lines = Vec::new();
    while let Some(WorkerMessage { worker, what }) = bench.executor.messages.pop_front() {
        match what {
            MessageKind::Line(line) => lines.push((worker != first, line)),
            MessageKind::Exited(exit) => assert_eq!((worker, exit.log), (first, vec!["all is well".to_owned()])),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|(is_of_another, _)| *is_of_another), "they are of no worker that is known");
    assert!(lines[0].1.starts_with("Slurm job 7_1 ended before its worker said hello: ended with an error"), "{lines:?}");
    assert_eq!((lines[1].1.as_str(), lines[2].1.as_str()), ("7_1 │ loading", "7_1 │ no such module"));
}
