//! What reads files of other people, as targets of the driver.

mod containers;
mod pages;
mod parquet;
mod tables;
mod weight_files;

use super::driver::FuzzTarget;
use std::{
    cell::OnceCell,
    fs,
    path::{Path, PathBuf},
};
use visavis_core::domain::Result;

/// What a reader answered, in words.
fn told<T>(answer: Result<T>) -> String {
    answer.map_or_else(|fault| fault.what, |_| "read".to_owned())
}

/// A file or folder of this thread, in memory where that can be.
fn place(name: &str) -> PathBuf {
    thread_local!(static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() });
    let made = || {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
    };
    FOLDER.with(|folder| folder.get_or_init(made).path().join(name))
}

fn seed(name: &str) -> Vec<u8> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    fs::read(here.join("fuzz/seeds").join(name)).or_else(|_| fs::read(here.join("fixtures").join(name))).unwrap()
}

fn seeds(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| seed(name)).collect()
}

fn of_repository(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// How many, in a word: answers are told apart by their letters.
fn few(n: usize) -> &'static str {
    ["no", "one", "two", "many"][n.min(3)]
}

/// Between the files of one input.
const NEXT_FILE: &[u8] = b"\n=====\n";

/// The next file of an input, and what is left of it; `None` past the last.
fn next_file(input: Option<&[u8]>) -> Option<(&[u8], Option<&[u8]>)> {
    let input = input?;
    let at = input.windows(NEXT_FILE.len()).position(|window| window == NEXT_FILE);
    Some(at.map_or((input, None), |at| (&input[..at], Some(&input[at + NEXT_FILE.len()..]))))
}

pub(super) fn targets() -> Vec<FuzzTarget> {
    [pages::targets(), weight_files::targets(), tables::targets(), containers::targets(), parquet::targets()]
        .into_iter()
        .flatten()
        .collect()
}
