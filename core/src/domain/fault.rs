//! What went wrong, in one shape for the whole program: what happened, where, what to do next, and how the program
//! ends because of it.

use super::{
    Digest,
    text::{bounded, printable},
};
use std::{fmt, path::PathBuf};

/// With a [`Fault`] as the error.
pub type Result<T> = std::result::Result<T, Fault>;

/// How a fault ends the program: the exit codes that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A bug, or a machine that misbehaves.
    Unexpected = 1,
    /// What was asked is wrong: usage, study file, data.
    Asked = 2,
    /// Some jobs failed.
    Failed = 3,
    /// An audit found a difference.
    Differs = 4,
    /// Something needed is not here.
    Missing = 5,
    /// An audit found no difference, and lacks what it needs to call all of it identical.
    Unchecked = 6,
    /// Stopped by the user, its state saved.
    Interrupted = 130,
}

impl Ending {
    /// The exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What an exit code of this program meant.
    pub fn of_code(code: i32) -> Self {
        [Ending::Asked, Ending::Failed, Ending::Differs, Ending::Missing, Ending::Unchecked, Ending::Interrupted]
            .into_iter()
            .find(|ending| *ending as i32 == code)
            .unwrap_or(Ending::Unexpected)
    }
}

/// A place in a file; line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// As it was given, or as it is shown.
    pub file: PathBuf,
    /// Line and column; `None` for the file as a whole.
    pub at: Option<(usize, usize)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&self.file.to_string_lossy()))?;
        match self.at {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// One thing that went wrong. It displays as up to three lines: what, where, what next.
#[derive(Clone, Debug)]
pub struct Fault {
    /// How the program ends because of it.
    pub ending: Ending,
    /// A sentence for people, without a full stop.
    pub what: String,
    /// The file it is about.
    pub place: Option<Place>,
    /// What people can do: a command or an action.
    pub next: Option<String>,
}

impl Fault {
    fn new(ending: Ending, what: impl Into<String>) -> Self {
        Fault { ending, what: what.into(), place: None, next: None }
    }

    /// A bug, or a machine that misbehaves.
    pub fn unexpected(what: impl Into<String>) -> Self {
        Self::new(Ending::Unexpected, what)
    }

    /// What was asked is wrong: usage, study file, data.
    pub fn asked(what: impl Into<String>) -> Self {
        Self::new(Ending::Asked, what)
    }

    /// A job failed.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Ending::Failed, what)
    }

    /// An audit found a difference.
    pub fn differs(what: impl Into<String>) -> Self {
        Self::new(Ending::Differs, what)
    }

    /// An audit found no difference, and lacks what it needs to call all of it identical.
    pub fn unchecked(what: impl Into<String>) -> Self {
        Self::new(Ending::Unchecked, what)
    }

    /// Something needed is not here.
    pub fn missing(what: impl Into<String>) -> Self {
        Self::new(Ending::Missing, what)
    }

    /// The user stopped it.
    pub fn interrupted() -> Self {
        Self::new(Ending::Interrupted, "interrupted; what was finished is kept").next("run the same command again to go on")
    }

    /// A file whose bytes are not those that were consumed, or that a run was planned with.
    pub fn changed(file: impl Into<PathBuf>, expected: Digest, found: Digest) -> Self {
        Self::failed(format!("the file changed since the run was planned: expected blake3 {expected}, found {found}"))
            .in_file(file)
            .next("run the same command again: the file will be read anew")
    }

    /// An operation on a file that the operating system refused.
    pub fn io(doing: &str, path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let next = match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => {
                Some("free some space and run the same command again: what was finished is kept")
            }
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
                Some("check the permissions, or choose another workspace with --workspace DIR")
            }
            _ => None,
        };
        let ending = match error.kind() {
            // What is in a file's place is no file: see `files/`.
            Kind::InvalidInput => Ending::Asked,
            Kind::NotFound | Kind::IsADirectory | Kind::NotADirectory | Kind::InvalidFilename => Ending::Asked,
            _ if error.raw_os_error() == Some(40) => Ending::Asked, // ELOOP: a link that leads back to itself
            _ => Ending::Unexpected,
        };
        let mut fault = Self::new(ending, format!("cannot {doing}: {}", describe(error))).in_file(path);
        fault.next = next.map(str::to_owned);
        fault
    }

    /// The same, of a file as a whole.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.place = Some(Place { file: file.into(), at: None });
        self
    }

    /// The same, at a line and column, from 1.
    #[must_use]
    pub fn at(mut self, file: impl Into<PathBuf>, line: usize, column: usize) -> Self {
        self.place = Some(Place { file: file.into(), at: Some((line, column)) });
        self
    }

    /// The same, with what people can do.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

/// The operating system's words without Rust's `(os error 28)`.
fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&bounded(&self.what)))?;
        if let Some(place) = &self.place {
            write!(f, "\n  at   {place}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  next {}", printable(&bounded(next)))?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
