//! Mishaps on request, so that what follows from them can be tested: `VISAVIS_MISHAPS` holds `WORDS=WHAT[*TIMES]`, several
//! divided by `;`. A stage whose label holds all the words has the mishap in its first TIMES attempts, or in every one:
//! `train resnet34=crash*1; score=slow`. Optimised builds have none.

use crate::domain::{Fault, job::Cause, stage::Order};
use rustix::process::{Signal, getpid, kill_process};
use std::time::Duration;

/// Has the order's mishap, if one is asked for.
///
/// # Errors
/// A mishap that ends the stage and not the worker.
pub(super) fn befall(order: &Order) -> Result<(), (Cause, Fault)> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    let Ok(asked) = std::env::var("VISAVIS_MISHAPS") else { return Ok(()) };
    let befalls = |mishap: &&str| {
        let (words, what) = mishap.split_once('=')?;
        let (what, times) = what.split_once('*').unwrap_or((what, "1000000"));
        let meant = words.split_whitespace().all(|word| order.label.split(' ').any(|part| part == word));
        (meant && order.attempt <= times.trim().parse().ok()?).then(|| what.trim().to_owned())
    };
    for what in asked.split(';').filter_map(|mishap| befalls(&mishap)) {
        have(&what)?;
    }
    Ok(())
}

fn have(what: &str) -> Result<(), (Cause, Fault)> {
    let end_with = |signal| kill_process(getpid(), signal).unwrap_or_default();
    match what {
        "crash" => end_with(Signal::KILL),
        "silence" => end_with(Signal::STOP),
        "stall" => std::thread::sleep(Duration::from_secs(3600)),
        "slow" => std::thread::sleep(Duration::from_millis(300)),
        "memory" => {
            eprintln!("memory allocation of 8589934592 bytes failed");
            std::process::abort();
        }
        "diverged" => return Err((Cause::Diverged, Fault::failed("the loss is no number at step 17"))),
        "input" => return Err((Cause::Input, Fault::asked("its input was made unusable on request"))),
        "bug" => panic!("a bug on request"),
        _ => {}
    }
    Ok(())
}
