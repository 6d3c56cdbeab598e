//! The pulse of a stage: long computations count their rounds here, so that whoever watches can tell work from an endless wait. A count
//! changes no number.

use std::sync::atomic::{AtomicU64, Ordering};

static ROUNDS: AtomicU64 = AtomicU64::new(0);

/// One more round is done: a block, a replicate, a step, a picture. Called at least once in some seconds of work.
pub fn beat() {
    ROUNDS.fetch_add(1, Ordering::Relaxed);
}

/// How many rounds this process has done.
pub fn rounds() -> u64 {
    ROUNDS.load(Ordering::Relaxed)
}
