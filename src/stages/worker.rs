//! The worker: tasks in, one JSON value a line; answers out, likewise. It ends when its input does, so it cannot outlive
//! the dispatcher that holds the other end.

use super::carry_out;
use crate::{
    domain::{
        Digest, Fault, Result,
        event::Answer,
        result::{Manifest, Output, Provenance},
        stage::{Input, Location, Order},
    },
    store::Workspace,
};
use std::{
    io::{BufRead, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Works off the tasks on `tasks` until it ends.
///
/// # Errors
/// A line that is no task, or a dispatcher that no longer listens.
pub fn work(workspace: &Workspace, threads: usize, tasks: impl BufRead, mut answers: impl Write) -> Result<()> {
    for line in tasks.lines() {
        let line = line.map_err(|error| Fault::unexpected(format!("cannot read tasks: {error}")))?;
        let order: Order = serde_json::from_str(&line).map_err(|error| Fault::asked(format!("not a task: {error}")))?;
        let key = order.task.key();
        // A panic is a bug, but it is this task's: the others still deserve their turn.
        let outcome = catch_unwind(AssertUnwindSafe(|| attempt(workspace, threads, &order)));
        let answer = match outcome {
            Ok(Ok((seconds, first))) => Answer::Finished { key, seconds, first },
            Ok(Err(fault)) => Answer::Failed { key, ending: fault.ending as i32, why: fault.to_string() },
            Err(_) => Answer::Failed {
                key,
                ending: 1,
                why: "a bug in visavis stopped this stage; please report it with the study file".to_owned(),
            },
        };
        let line = serde_json::to_string(&answer).map_err(|error| Fault::unexpected(error.to_string()))?;
        writeln!(answers, "{line}")
            .and_then(|()| answers.flush())
            .map_err(|error| Fault::unexpected(format!("nobody listens: {error}")))?;
    }
    Ok(())
}

/// Carries the task out and publishes its result; says how long it took, and whether it was the first.
fn attempt(workspace: &Workspace, threads: usize, Order { task, again }: &Order) -> Result<(f64, bool)> {
    let (results, objects) = (workspace.results(), workspace.objects());
    if !again && results.get(task.key())?.is_some() {
        return Ok((0.0, false));
    }
    let (clock, started) = (Instant::now(), SystemTime::now());
    let made = carry_out(task, &|input| read(workspace, input))?;
    let mut outputs = Vec::new();
    for (name, bytes) in &made.outputs {
        outputs.push(Output { name: name.clone(), digest: objects.put(bytes)?, bytes: bytes.len() as u64 });
    }
    let seconds = clock.elapsed().as_secs_f64();
    let kind = task.work.kind();
    let manifest = Manifest {
        format: 1,
        key: task.key(),
        stage: kind,
        version: kind.version(),
        work: task.work.clone(),
        inputs: task.inputs.clone(),
        outputs,
        facts: made.facts,
        provenance: Provenance {
            program: concat!("visavis ", env!("CARGO_PKG_VERSION")).to_owned(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            cpu: cpu(),
            system: {
                let about = rustix::system::uname();
                format!(
                    "{} {} {}",
                    about.sysname().to_string_lossy(),
                    about.release().to_string_lossy(),
                    about.machine().to_string_lossy()
                )
            },
            threads,
            started: started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
            seconds,
        },
    };
    let first = if *again { results.replace(&manifest).map(|()| true) } else { results.publish(&manifest) };
    Ok((seconds, first?))
}

/// An input's bytes, verified against what the key says they are.
pub fn read(workspace: &Workspace, input: &Input) -> Result<Vec<u8>> {
    let path = match &input.at {
        Location::Object => return workspace.objects().get(input.digest),
        Location::File(path) => path.clone(),
    };
    let bytes = std::fs::read(&path).map_err(|error| Fault::io("read", &path, &error))?;
    if Digest::of(&bytes) == input.digest {
        return Ok(bytes);
    }
    Err(Fault::failed("the file changed since the run was planned").in_file(&path).next("run the same command again"))
}

fn cpu() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map(|(_, name)| name.trim().to_owned());
    model.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
