//! Runs the commands of Slurm, each in a thread of its own: a controller that is away takes seconds to say so, and one that hangs never does.

use super::environment::{PLAIN, is_taken_away};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    io::{Read, Write},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A command that takes longer is given up: no news.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// How often it is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandEnd {
    /// It ended by itself, with exit status 0.
    pub is_well: bool,
    /// There is no such program.
    pub is_missing: bool,
    pub out: String,
    pub err: String,
}

/// Runs a command of Slurm until it ends or its time is up.
pub(crate) fn run(program: &str, arguments: &[String], input: &str) -> CommandEnd {
    run_within(program, arguments, input, PATIENCE)
}

fn run_within(program: &str, arguments: &[String], input: &str, patience: Duration) -> CommandEnd {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_taken_away)) {
        command.env_remove(name);
    }
    command.envs(PLAIN);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let is_missing = error.kind() == std::io::ErrorKind::NotFound;
            return CommandEnd { is_well: false, is_missing, out: String::new(), err: format!("{program}: {error}") };
        }
    };
    if let Some(mut into) = child.stdin.take() {
        // One that reads nothing says why, or hangs.
        let input = input.to_owned();
        std::thread::spawn(move || into.write_all(input.as_bytes()));
    }
    let (out, err) = (child.stdout.take().map(all_of), child.stderr.take().map(all_of));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if begun.elapsed() < patience => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => {
                // With what it has started: it is a group of its own.
                if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                    kill_process_group(group, Signal::KILL).ok();
                }
                child.kill().ok();
                child.wait().ok();
                break None;
            }
        }
    };
    // What a child of its own holds open is not waited for.
    let text = |of: Option<std::sync::mpsc::Receiver<Vec<u8>>>| {
        let bytes = of.and_then(|of| of.recv_timeout(Duration::from_secs(5)).ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (out, mut err) = (text(out), text(err));
    if status.is_none() {
        err += &format!("{program} did not end within {} s\n", patience.as_secs());
    }
    CommandEnd { is_well: status.is_some_and(|status| status.success()), is_missing: false, out, err }
}

/// Reads all that comes, at most 64 MiB of it.
fn all_of(from: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (send, all) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.take(64 << 20).read_to_end(&mut bytes).ok();
        send.send(bytes).ok();
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, input: &str, patience: u64) -> CommandEnd {
        run_within("sh", &["-c".to_owned(), script.to_owned()], input, Duration::from_millis(patience))
    }

    #[test]
    fn a_command_is_given_its_input_and_told_with_all_that_it_says() {
        let end = sh("cat; echo refused >&2; exit 1", "the script", 20_000);
        assert_eq!((end.is_well, end.out.as_str(), end.err.as_str()), (false, "the script", "refused\n"));
        assert!(sh("true", "", 20_000).is_well);
    }

    #[test]
    fn a_command_that_hangs_is_given_up_and_one_that_is_not_there_is_missing() {
        let begun = Instant::now();
        let end = sh("echo begun; exec sleep 60", "", 200);
        assert!(!end.is_well && end.out == "begun\n" && end.err.contains("did not end"), "{end:?}");
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(run("no-such-command-of-slurm", &[], "").is_missing);
    }
}
