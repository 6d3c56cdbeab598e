//! Mishaps on request, so that what follows from them can be tested: `VISAVIS_MISHAPS` holds `WORDS=WHAT[*TIMES]`, several
//! divided by `;`. A stage whose label holds all the words has the mishap in its first TIMES attempts, or in every one:
//! `train resnet34=crash*1; score=slow`. Only builds with fault injection read it (see [`Injection`]).

use crate::{
    domain::{Fault, job::Cause, stage::Order},
    store::Injection,
};
use rustix::process::{Signal, getpid, kill_process};
use std::time::Duration;

/// Has the order's mishap, if one is asked for.
///
/// # Errors
/// A mishap that ends the stage and not the worker.
pub(crate) fn befall(order: &Order) -> Result<(), (Cause, Fault)> {
    let Some(asked) = Injection::Mishaps.value() else { return Ok(()) };
    mishaps(&asked, &order.label, order.attempt).into_iter().try_for_each(have)
}

/// The mishaps that a text asks for in this attempt (from 1) at the stage with this label.
fn mishaps<'a>(asked: &'a str, label: &str, attempt: u32) -> Vec<&'a str> {
    let befalls = |mishap: &'a str| {
        let (words, what) = mishap.split_once('=')?;
        let (what, times) = what.split_once('*').unwrap_or((what, "1000000"));
        let meant = words.split_whitespace().all(|word| label.split(' ').any(|part| part == word));
        (meant && attempt <= times.trim().parse().ok()?).then(|| what.trim())
    };
    asked.split(';').filter_map(befalls).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mishap_comes_to_stages_whose_label_has_all_its_words() {
        let asked = "train resnet34=crash; score=slow";
        assert_eq!(mishaps(asked, "train resnet34", 1), ["crash"]);
        assert_eq!(mishaps(asked, "train resnet34-softmax", 1), Vec::<&str>::new(), "a word is meant whole");
        assert_eq!(mishaps(asked, "score pixels pca", 7), ["slow"]);
        assert_eq!(mishaps("=input", "anything", 1), ["input"], "no words: every stage");
        assert_eq!(mishaps("", "anything", 1), Vec::<&str>::new());
    }

    #[test]
    fn a_mishap_may_come_to_the_first_attempts_only() {
        let of = |attempt| mishaps("train=crash*2;train=slow", "train a", attempt);
        assert_eq!((of(1), of(2), of(3)), (vec!["crash", "slow"], vec!["crash", "slow"], vec!["slow"]));
    }
}
