//! Files that a dispatcher holds open: two for each worker, its letters and those to it. Many systems let a process open 1,024 unless it asks
//! for more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use visavis_core::domain::{Fault, Result, text::count};

/// What a dispatcher opens beside the letters: journals, the store, pipes.
const OTHERS: u64 = 200;

/// Sees to it that the letters of so many workers can be open at a time.
///
/// # Errors
/// A machine that does not let a process open so many.
pub(super) fn make_room(workers: usize) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    match raised(limit.current, limit.maximum, workers) {
        Ok(None) => Ok(()),
        Ok(Some(current)) => setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit })
            .map_err(|error| Fault::unexpected(format!("cannot ask for {current} open files: {error}"))),
        Err(most) => Err(Fault::missing(format!(
            "this machine lets a process open {most} files, and the letters of {} take {}",
            count(workers, "worker"),
            2 * workers
        ))
        .next("ask for fewer: `run.slurm.workers`; or raise the limit: `ulimit -n`")),
    }
}

/// What the limit is to be raised to, if it is too low. No higher than needed: `sbatch` gives jobs the limits of whoever submits them.
fn raised(current: Option<u64>, maximum: Option<u64>, workers: usize) -> std::result::Result<Option<u64>, u64> {
    let needed = 2 * workers as u64 + OTHERS;
    match (current, maximum) {
        (None, _) => Ok(None),
        (Some(current), _) if current >= needed => Ok(None),
        (_, Some(most)) if most < needed => Err(most),
        _ => Ok(Some(needed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_raised_to_what_the_workers_need_and_no_further() {
        assert_eq!(raised(Some(1024), Some(4096), 100), Ok(None));
        assert_eq!(raised(Some(1024), Some(4096), 1000), Ok(Some(2200)));
        assert_eq!(raised(Some(1024), None, 1000), Ok(Some(2200)));
        assert_eq!(raised(Some(1024), Some(2000), 1000), Err(2000), "it is refused before anything is submitted");
        assert_eq!(raised(None, None, 1000), Ok(None));
    }
}
