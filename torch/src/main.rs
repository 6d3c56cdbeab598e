//! The worker that knows libtorch: `visavis` starts it where networks learn or are read. It speaks the same protocol, and
//! carries out the other stages too, so that a device needs one worker.

use clap::{Parser, Subcommand};
use std::{io::Write, path::PathBuf, process::ExitCode};
use visavis_core::{domain::Result, stages::WorkerArguments};
use visavis_torch::{device, worker};

/// Runs networks for visavis, which starts it by itself.
#[derive(Parser)]
#[command(name = "visavis-torch", version, propagate_version = true)]
struct TorchCli {
    #[command(subcommand)]
    command: TorchCommand,
}

#[derive(Subcommand)]
enum TorchCommand {
    /// Be a worker: tasks in, answers out
    Work(WorkerArguments),
    /// Say which libtorch this is, and whether the device is here
    Doctor {
        #[arg(long, default_value = "cpu")]
        device: String,
    },
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // What libtorch refuses comes as a panic and is told by who catches it.
        if device::said(panic.payload()).is_none() {
            let place = panic.location().map_or(String::new(), |place| format!(" ({}:{})", place.file(), place.line()));
            eprintln!("error: a bug in visavis-torch{place}");
        }
    }));
    match std::panic::catch_unwind(|| run(TorchCli::parse())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(fault)) => {
            writeln!(std::io::stderr().lock(), "error: {fault}").ok();
            ExitCode::from(fault.ending.code())
        }
        Err(_) => ExitCode::from(1),
    }
}

fn run(cli: TorchCli) -> Result<()> {
    match cli.command {
        TorchCommand::Work(arguments) => worker::run(arguments),
        TorchCommand::Doctor { device } => {
            let device = device::open(&device)?;
            let folder = device::libtorch().map_or(PathBuf::new(), |path| path.parent().map_or(PathBuf::new(), PathBuf::from));
            println!("libtorch {}, {}, {}", device::VERSION, device::words(device), folder.display());
            Ok(())
        }
    }
}
