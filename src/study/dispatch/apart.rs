//! One stage of a network, carried out by the program that knows its library, in a folder of its own that is removed afterwards: for
//! whoever makes a result again and believes none that is stored.

use super::executors::{LocalExecutor, MessageKind, WorkerExecutor, WorkerMessage, WorkerPlace};
use crate::study::programs::WorkerProgram;
use std::time::Duration;
use visavis_core::{
    domain::{
        Fault, Result,
        event::WorkerAnswer,
        result::Facts,
        stage::{Input, Location, Order, Task},
    },
    store::{Workspace, make_folder, now, write_out},
};

/// The only worker of its executor.
const WORKER: u64 = 1;

/// What a stage gave: outputs by name, and small numbers.
pub struct MadeApart {
    pub outputs: Vec<(String, Vec<u8>)>,
    pub facts: Facts,
}

/// Carries the task out with `program` and so many threads, which decide the bits of a network where its study declares none. `read`
/// gives an input's bytes, verified. Pictures are read where they are.
///
/// # Errors
/// Always [`Fault::missing`]: a machine without the library, the memory, the disk or the card is no fault of a result.
pub fn carry_out_apart(
    task: &Task,
    program: WorkerProgram,
    threads: usize,
    read: &dyn Fn(&Input) -> Result<Vec<u8>>,
) -> Result<MadeApart> {
    carried(task, program, threads, read)
        .map_err(|fault| Fault::missing(format!("{} cannot be run again here: {}", program.runs(), fault.what)))
}

fn carried(task: &Task, program: WorkerProgram, threads: usize, read: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<MadeApart> {
    let file = program.path().ok_or_else(|| Fault::missing(format!("there is no {} beside this program", program.name())))?;
    let folder = tempfile::Builder::new().prefix("visavis-audit-").tempdir();
    let folder = folder.map_err(|error| Fault::missing(format!("no folder for its inputs: {error}")))?;
    let workspace = Workspace::new(folder.path().to_owned(), None)?;
    let order =
        Order { task: brought(task, &workspace, read)?, label: "audit".to_owned(), attempt: 1, clock: now(), again: false };
    let device = if task.work.needs_card() { "cuda:0" } else { "cpu" };
    let mut executor = LocalExecutor::new(&workspace, String::new());
    executor.spawn(WORKER, &WorkerPlace { program: &file, device: device.to_owned(), slot: 0, threads })?;
    executor.assign(WORKER, &order)?;
    executor.dismiss(WORKER);
    ended(&mut executor)?;
    let manifest = workspace.results().get(order.task.key())?;
    let manifest = manifest.ok_or_else(|| Fault::missing(format!("{} left no result", program.name())))?;
    let outputs = manifest.outputs.iter().map(|output| Ok((output.name.clone(), workspace.objects().get(output.digest)?)));
    Ok(MadeApart { outputs: outputs.collect::<Result<_>>()?, facts: manifest.facts })
}

/// The task with its inputs in a workspace: as objects, and as files under their names, whose endings say what they are.
fn brought(task: &Task, workspace: &Workspace, read: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Task> {
    let mut task = task.clone();
    for (place, input) in task.inputs.iter_mut().enumerate() {
        let bytes = read(input)?;
        let Location::File(path) = &input.at else {
            workspace.objects().put(&bytes)?;
            continue;
        };
        let folder = workspace.root().join(format!("inputs/{place}"));
        let file = folder.join(path.file_name().unwrap_or_default());
        make_folder(&folder)?;
        write_out(&file, &bytes)?;
        input.at = Location::File(file);
    }
    Ok(task)
}

/// Waits until the worker has made the result.
///
/// # Errors
/// Why it has not.
fn ended(executor: &mut LocalExecutor) -> Result<()> {
    loop {
        match executor.next_message(Duration::from_secs(1))? {
            Some(WorkerMessage { what: MessageKind::Answer(WorkerAnswer::Finished { .. }), .. }) => return Ok(()),
            Some(WorkerMessage { what: MessageKind::Answer(WorkerAnswer::Failed { why, .. }), .. }) => {
                return Err(Fault::missing(why));
            }
            Some(WorkerMessage { what: MessageKind::Exited(exit), .. }) => {
                return Err(Fault::missing(exit.log.last().cloned().unwrap_or(exit.status)));
            }
            _ => {}
        }
    }
}
