//! Parse, run, exit.

use clap::Parser;
use std::process::ExitCode;
use visavis::cli::{self, Cli};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), |place| format!(" ({}:{})", place.file(), place.line()));
        eprintln!(
            "error: a bug in visavis{place}\n  next please report it with the command you gave and the study file; nothing that was finished is lost"
        );
    }));
    // A panic was told by the hook; it ends the program as any unexpected fault does.
    match std::panic::catch_unwind(|| cli::run(Cli::parse())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(fault)) => ExitCode::from(cli::tell_fault(&fault)),
        Err(_) => ExitCode::from(1),
    }
}
