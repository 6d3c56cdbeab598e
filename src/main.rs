//! Parse, run, exit.

use clap::Parser;
use std::{
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};
use visavis::cli::{self, Cli};

/// What is said when memory ran out. Nothing may be allocated then, so it is one text.
const NO_MEMORY: &[u8] =
    b"error: memory ran out, or the program had to end at once for another reason (the line above)\n  next use fewer \
--threads or --jobs, or fewer images; or a machine with more memory. What was finished is kept\n";

/// A refused allocation aborts the program: it then ends with one error and an exit code, not with a signal and a core dump.
#[expect(unsafe_code, reason = "the handler only writes a constant and ends the process, which a handler of signals may do")]
fn tell_when_memory_runs_out() {
    let tell = || {
        // Without the lock of standard error, which another thread may hold.
        rustix::io::write(rustix::stdio::stderr(), NO_MEMORY).ok();
        signal_hook::low_level::exit(1);
    };
    unsafe { signal_hook::low_level::register(signal_hook::consts::SIGABRT, tell) }.ok();
}

/// A file that grows beyond what its user may write (`ulimit -f`) is an error of the write; the signal would end the program unsaid.
fn pass_over_file_limits() {
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))).ok();
}

fn main() -> ExitCode {
    tell_when_memory_runs_out();
    pass_over_file_limits();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), |place| format!(" ({}:{})", place.file(), place.line()));
        eprintln!(
            "error: a bug in visavis{place}\n  next please report it with the command you gave and the study file; nothing that was finished is lost"
        );
    }));
    // A panic was told by the hook; it ends the program as any unexpected fault does.
    match std::panic::catch_unwind(|| match cli::help_page() {
        Some(page) => {
            cli::say_page(page);
            0
        }
        None => {
            let cli = Cli::parse();
            let json = cli.asks_for_json();
            cli::run(cli).map_or_else(|fault| cli::tell_fault(&fault, json), |()| 0)
        }
    }) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(1),
    }
}
