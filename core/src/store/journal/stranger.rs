//! Journals that are not this workspace's own: copies under another name, and those of other workspaces. Each journal's first record says
//! what its file was called and where it was started.

use super::reader::opened;
use crate::{domain::event::Writer, files, store::disk};
use std::path::{Path, PathBuf};

/// The file that holds a workspace's random name, beside its folder of journals; `None` for a folder that is no workspace's.
fn name_file(journals: &Path) -> Option<PathBuf> {
    let data = journals.parent()?;
    (journals.file_name()? == "journals" && data.file_name()? == "data").then(|| data.join("workspace.id"))
}

/// The random name of the workspace that a folder of journals is of; empty where there is none. `make`: it is given one.
pub(in crate::store) fn workspace_of(journals: &Path, make: bool) -> String {
    let Some(file) = name_file(journals) else { return String::new() };
    let read = || files::read_text(&file, 1 << 10).ok().map(|text| text.trim().to_owned()).filter(|name| name.len() == 32);
    let made = || {
        let random = || {
            let of = format!("{}{:?}", crate::store::writer::token(), std::time::SystemTime::now());
            crate::domain::Digest::of(of.as_bytes()).to_string()[..32].to_owned()
        };
        let name = named_by_journals(journals).unwrap_or_else(random);
        disk::create(&file, format!("{name}\n").as_bytes()).ok()?;
        // Another process may have been first.
        read()
    };
    read().or_else(|| if make { made() } else { None }).unwrap_or_default()
}

/// The workspace that the oldest journal names: where the journals were brought without the file, they are its own.
fn named_by_journals(journals: &Path) -> Option<String> {
    let entries = std::fs::read_dir(journals).ok()?.flatten().map(|entry| entry.path());
    let mut all: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "journal")).collect();
    all.sort();
    all.iter().find_map(|path| {
        let (writer, _) = opened(&files::open(path).ok()?).ok()?;
        writer.map(|of| of.workspace).filter(|name| name.len() == 32)
    })
}

/// Why a journal is not one that this workspace made: it is passed over. `None`: it is, or it says nothing of that.
pub fn why_strange(path: &Path, writer: &Writer) -> Option<String> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    let Writer { journal, workspace, .. } = writer;
    let journal = journal.split('#').next().unwrap_or_default();
    // Of two that would have one name, the later one has an `x` behind it.
    let behind = name.strip_prefix(journal).filter(|behind| behind.bytes().all(|byte| byte == b'x'));
    if !journal.is_empty() && behind.is_none() {
        return Some(format!("it is a copy of {journal}.journal under another name"));
    }
    if !journal.is_empty() {
        let mut before =
            (0..behind.map_or(0, str::len)).map(|n| path.with_file_name(format!("{journal}{}.journal", "x".repeat(n))));
        let is_same = |path: &PathBuf| {
            let first = files::open(path).and_then(|file| opened(&file)).ok();
            first.and_then(|(first, _)| first).as_ref() == Some(writer)
        };
        if let Some(first) = before.find(is_same) {
            return Some(format!("it is a copy of {}", first.file_name().unwrap_or_default().to_string_lossy()));
        }
    }
    let ours = workspace_of(path.parent()?, false);
    (!workspace.is_empty() && !ours.is_empty() && *workspace != ours).then(|| "it was written in another workspace".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Journal, Mark, read_journal};
    use std::fs;

    fn journal(workspace: &Path, now: u64) -> PathBuf {
        let journals = workspace.join("data/journals");
        let name = Journal::start(&journals, now).unwrap().name();
        journals.join(name)
    }

    fn strange(path: &Path) -> Option<String> {
        why_strange(path, &read_journal(path, &Mark::default()).unwrap().opened.unwrap())
    }

    #[test]
    fn a_copy_and_a_journal_of_another_workspace_are_told_from_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        let (one, again, other) = (journal(&ours, 1), journal(&ours, 1), journal(&theirs, 2));
        assert!(again.to_string_lossy().ends_with("x.journal"), "{}", again.display());
        assert_eq!([&one, &again, &other].map(|path| strange(path)), [None, None, None]);
        let put = |from: &Path, name: &str| {
            let to = one.with_file_name(name);
            fs::copy(from, &to).unwrap();
            strange(&to).unwrap()
        };
        assert!(put(&one, "000000000000009-7.journal").contains("a copy of"));
        let behind = format!("{}xx.journal", one.file_stem().unwrap().to_str().unwrap());
        assert!(put(&one, &behind).contains("a copy of"), "as if two had had one name");
        let name = other.file_name().unwrap().to_str().unwrap();
        assert_eq!(put(&other, name), "it was written in another workspace");
    }
}
