//! Several machines on one folder, whose locks are each machine's own: one dispatches, the others are told who; what another
//! machine writes is "not yet" before it is damage.
//!
//! A test's machine has a name, a folder that is said to be shared, a store of its own and short leases.

use crate::desk::{Desk, Inject, Said, wait_until};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use visavis_core::store::Injection;

const MICRO: &str = "experiments/micro.yaml";
pub(crate) const SMALL: &str = "experiments/small.yaml";
const NFS: u32 = 0x6969;

/// A command of the machine `node`; its leases last so many milliseconds.
fn command(desk: &Desk, node: &str, lease: u64, arguments: &[&str]) -> Command {
    let mut command = desk.command(arguments);
    command
        .inject(Injection::Node, node)
        .inject(Injection::FileSystem, format!("{}={NFS}", desk.path(".").canonicalize().unwrap().display()))
        .inject(Injection::LeaseLength, lease.to_string())
        .env("XDG_STATE_HOME", desk.path(&format!("state-{node}")));
    command
}

fn on(desk: &Desk, node: &str, lease: u64, arguments: &[&str]) -> Said {
    command(desk, node, lease, arguments).output().unwrap().into()
}

pub(crate) fn json(said: &Said) -> serde_json::Value {
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    serde_json::from_str(said.out.lines().last().unwrap()).unwrap()
}

/// A process that ends with the test.
pub(crate) struct Running(pub Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
    }

    pub(crate) fn ends(mut self) -> Said {
        let mut err = String::new();
        std::io::Read::read_to_string(&mut self.0.stderr.take().unwrap(), &mut err).unwrap();
        Said { code: self.0.wait().unwrap().code().unwrap_or(-1), out: String::new(), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

pub(crate) fn results(folder: &Path) -> usize {
    fs::read_dir(folder.join("data/results")).map_or(0, Iterator::count)
}

#[test]
fn a_second_machine_is_told_who_dispatches_and_takes_over_from_one_that_stands_still() {
    const LEASE: u64 = 3000;
    let desk = Desk::with_pretence();
    desk.edit(MICRO, "epochs: 4", "epochs: 2000");
    let first = Running::start(&mut command(&desk, "one", LEASE, &["run", MICRO, "--quiet"]));
    wait_until("a result", || results(&desk.path(".")) > 0);
    // Another machine does not see the lock: here, it is another file.
    fs::remove_file(desk.path("data/dispatcher.lock")).unwrap();
    for arguments in [&["run", MICRO][..], &["run", MICRO, "--detach"], &["store", "gc", "--yes"], &["store", "rebuild"]] {
        let said = on(&desk, "two", LEASE, arguments);
        let who =
            format!("another visavis is at work in this workspace: process {} on one, running micro, since 2", first.0.id());
        assert!(said.code == 5 && said.err.contains(&who), "{arguments:?}: {} {}", said.code, said.err);
    }
    let status = json(&on(&desk, "two", LEASE, &["status", "--json"]));
    assert_eq!((&status["state"], &status["process"]), (&"running".into(), &first.0.id().into()), "{status}");

    // It stands still for longer than its lease: another takes the workspace, and it leaves when it goes on.
    first.signal("-STOP");
    desk.edit(MICRO, "epochs: 2000", "epochs: 4");
    let clock = Instant::now();
    let second = on(&desk, "two", LEASE, &["run", MICRO]);
    assert!(second.code == 0 && second.err.contains("on one, running micro"), "{}", second.err);
    assert!(
        second.err.contains("has not said that it ended") && clock.elapsed() >= Duration::from_millis(LEASE),
        "{}",
        second.err
    );
    first.signal("-CONT");
    let first = first.ends();
    assert!(first.code == 5 && first.err.contains("another visavis took the workspace over"), "{} {}", first.code, first.err);
    // A lease that is over is nobody's, on either machine.
    for node in ["two", "one"] {
        assert_eq!(json(&on(&desk, node, 600_000, &["status", "--json"]))["state"], "ended", "{node}");
        let said = on(&desk, node, 600_000, &["run", MICRO, "--quiet"]);
        assert_eq!(said.code, 0, "{}", said.err);
    }
    assert!(on(&desk, "two", 600_000, &["store", "rebuild"]).out.contains("equal to the one before"));
}

#[test]
fn a_kill_on_ones_own_machine_is_waited_for_by_others_only() {
    let desk = Desk::with_pretence();
    desk.edit(MICRO, "epochs: 4", "epochs: 2000");
    // A lease of ten minutes: whoever waited for it would not come back in time.
    for node in ["one", "two"] {
        let leases = || fs::read_dir(desk.path("data/lease")).map_or(0, Iterator::count);
        let before = leases();
        let run = Running::start(&mut command(&desk, node, 600_000, &["run", MICRO, "--quiet", "--force"]));
        wait_until("a lease", || leases() > before);
        wait_until("a worker", || {
            let found = Command::new("pgrep").args(["-P", &run.0.id().to_string()]).output().unwrap();
            !found.stdout.is_empty()
        });
        run.signal("-KILL");
        drop(run);
        desk.edit(MICRO, "epochs: 2000", "epochs: 4");
        let clock = Instant::now();
        let again = on(&desk, node, 600_000, &["run", MICRO]);
        assert!(again.code == 0 && !again.err.contains("has not said"), "{}", again.err);
        assert!(clock.elapsed() < Duration::from_secs(25), "{:?}", clock.elapsed());
        desk.edit(MICRO, "epochs: 4", "epochs: 2000");
    }
}

#[test]
fn a_journal_that_another_machine_is_writing_is_not_damaged() {
    let desk = Desk::with_pretence();
    assert_eq!(on(&desk, "one", 60_000, &["run", MICRO, "--quiet"]).code, 0);
    let dump = |node: &str| on(&desk, node, 60_000, &["store", "dump"]).out;
    assert_eq!(on(&desk, "whole", 60_000, &["store", "rebuild"]).code, 0);
    let whole = dump("whole");
    assert!(whole.lines().count() > 100);
    let mut journals: Vec<PathBuf> =
        fs::read_dir(desk.path("data/journals")).unwrap().map(|entry| entry.unwrap().path()).collect();
    journals.sort();
    for (turn, journal) in journals.iter().take(3).enumerate() {
        let bytes = fs::read(journal).unwrap();
        // Its last words are still on their way, and some bytes of what came before them.
        let closing = br#"{"closed":{}}"#;
        assert!(bytes.ends_with(closing), "a writer on a shared folder says that it ends");
        fs::write(journal, &bytes[..bytes.len() - closing.len() - 40 - 5 - turn]).unwrap();
        let node = format!("late{turn}");
        let checked = on(&desk, &node, 60_000, &["store", "check"]);
        let name = journal.file_name().unwrap().to_str().unwrap();
        assert!(
            checked.code == 0 && checked.out.contains("ends within a record") && checked.out.contains(name),
            "{}",
            checked.out
        );
        json(&on(&desk, &node, 60_000, &["status", "--json"]));
        assert_ne!(dump(&node), whole);
        fs::write(journal, &bytes).unwrap();
        json(&on(&desk, &node, 60_000, &["status", "--json"]));
        assert_eq!(dump(&node), whole, "nothing was lost by reading early");
    }
    // A byte flipped in the middle, with whole records after it, of a writer that said it ended: that is damage.
    let mut bytes = fs::read(&journals[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journals[0], &bytes).unwrap();
    for node in ["one", "two"] {
        let checked = on(&desk, node, 60_000, &["store", "check"]);
        assert!(checked.code == 4 && checked.out.contains("is damaged"), "{node}: {}", checked.out);
    }
}
