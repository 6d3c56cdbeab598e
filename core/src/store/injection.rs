//! Faults that tests inject through environment variables. Only a build with the cargo feature `fault-injection` reads them;
//! `make test` turns it on, and what users build does not have it.

use std::ffi::OsString;

/// A fault, or another part of a test's surroundings, that a variable of the environment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// A stage crashes, hangs, is slow or fails: see `stages/fault_injection.rs`.
    Mishaps,
    /// An operation on a disk is refused, or the process is killed there: see `store/fail_point.rs`.
    DiskFault,
    /// Names a file to which each process appends the records that it acknowledged.
    Acknowledged,
    /// Milliseconds that the wall clock is ahead; may be negative.
    ClockJump,
    /// The name of a machine that is not this one.
    Node,
    /// `FOLDER=NUMBER`: what is below the folder counts as on the file system of this number of statfs(2).
    FileSystem,
    /// The length of a lease, in milliseconds.
    LeaseLength,
    /// The most pictures for which a device has memory.
    MostPictures,
    /// Number of steps of a training after which a checkpoint is written.
    CheckpointEvery,
    /// The step at which a training's process ends at once.
    DieAtStep,
}

impl Injection {
    /// Whether this build reads the variables.
    pub const BUILT_IN: bool = cfg!(feature = "fault-injection");

    /// Every injection.
    pub const ALL: [Injection; 10] = [
        Injection::Mishaps,
        Injection::DiskFault,
        Injection::Acknowledged,
        Injection::ClockJump,
        Injection::Node,
        Injection::FileSystem,
        Injection::LeaseLength,
        Injection::MostPictures,
        Injection::CheckpointEvery,
        Injection::DieAtStep,
    ];

    /// The name of its variable.
    pub fn variable(self) -> &'static str {
        match self {
            Injection::Mishaps => "VISAVIS_MISHAPS",
            Injection::DiskFault => "VISAVIS_FAIL",
            Injection::Acknowledged => "VISAVIS_ACKNOWLEDGED",
            Injection::ClockJump => "VISAVIS_JUMP",
            Injection::Node => "VISAVIS_NODE",
            Injection::FileSystem => "VISAVIS_STATFS",
            Injection::LeaseLength => "VISAVIS_LEASE",
            Injection::MostPictures => "VISAVIS_MOST_PICTURES",
            Injection::CheckpointEvery => "VISAVIS_KEEP_EVERY",
            Injection::DieAtStep => "VISAVIS_DIE_AT",
        }
    }

    /// What its variable holds; `None` where it is not set, and always in a build without the feature.
    pub fn value_os(self) -> Option<OsString> {
        if Self::BUILT_IN { std::env::var_os(self.variable()) } else { None }
    }

    /// As [`Self::value_os`]; `None` also for what is not UTF-8.
    pub fn value(self) -> Option<String> {
        self.value_os()?.into_string().ok()
    }

    /// As [`Self::value`]; `None` also for what is no number of this kind.
    pub fn number<T: std::str::FromStr>(self) -> Option<T> {
        self.value()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_injection_has_a_variable_of_its_own() {
        let variables: BTreeSet<&str> = Injection::ALL.map(Injection::variable).into();
        assert_eq!(variables.len(), Injection::ALL.len());
    }
}
