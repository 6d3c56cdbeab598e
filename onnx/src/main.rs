//! The worker that knows onnxruntime: `visavis` starts it where features are made with ONNX models. It speaks the same protocol, and
//! carries out the stages that need no network too, so that a device needs one worker.

use clap::{Parser, Subcommand};
use std::{io::Write, process::ExitCode};
use visavis_core::{domain::Result, stages::WorkerArguments};
use visavis_onnx::{library, worker};

/// Runs ONNX models for visavis, which starts it by itself.
#[derive(Parser)]
#[command(name = "visavis-onnx", version, propagate_version = true)]
struct OnnxCli {
    #[command(subcommand)]
    command: OnnxCommand,
}

#[derive(Subcommand)]
enum OnnxCommand {
    /// Be a worker: tasks in, answers out
    Work(WorkerArguments),
    /// Say which onnxruntime this is
    Doctor {
        /// Asked of every program that runs networks; ONNX models run on the processor
        #[arg(long, default_value = "cpu", value_parser = ["cpu"])]
        device: String,
    },
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), |place| format!(" ({}:{})", place.file(), place.line()));
        eprintln!("error: a bug in visavis-onnx{place}");
    }));
    match std::panic::catch_unwind(|| run(OnnxCli::parse())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(fault)) => {
            writeln!(std::io::stderr().lock(), "error: {fault}").ok();
            ExitCode::from(fault.ending.code())
        }
        Err(_) => ExitCode::from(1),
    }
}

fn run(cli: OnnxCli) -> Result<()> {
    match cli.command {
        OnnxCommand::Work(arguments) => worker::run(arguments),
        OnnxCommand::Doctor { device } => {
            let path = library::find()?;
            let version = library::version(&path)?;
            println!("onnxruntime {version}, {device}, {}", path.display());
            Ok(())
        }
    }
}
