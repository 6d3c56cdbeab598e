//! Study files that give one name to their studies: their reports would overwrite each other, and their jobs are told as one study's.

use crate::config::{self, Text};
use std::path::{Path, PathBuf};
use visavis_core::{domain::Digest, store::Workspace};

/// Another study file of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namesake {
    pub file: PathBuf,
    /// Digest of its text.
    pub text: Digest,
}

/// The other study files of the workspace, and of the study's own folder, that give their study this name.
pub fn namesakes(name: &str, file: &Path, workspace: &Workspace) -> Vec<Namesake> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = real(file);
    let mut files: Vec<PathBuf> =
        workspace.studies().into_iter().chain(Workspace::studies_in(own.parent().unwrap_or(&own))).collect();
    files.iter_mut().for_each(|path| *path = real(path));
    files.sort();
    files.dedup();
    let same = |file: PathBuf| digest_of_named(name, &file).map(|text| Namesake { text, file });
    files.into_iter().filter(|file| *file != own).filter_map(same).collect()
}

/// The digest of a study file's text, if it gives its study this name. Nothing else of it is checked, and its data are not looked at.
pub fn digest_of_named(name: &str, file: &Path) -> Option<Digest> {
    let text = Text::read(file).ok()?;
    let says = text.source.lines().any(|line| line.contains("study") && line.contains(name));
    (says && config::name_of(&text).as_deref() == Some(name)).then(|| Digest::of(text.source.as_bytes()))
}

impl Namesake {
    /// What it leads to, for people.
    pub fn warning(&self, name: &str, workspace: &Workspace) -> String {
        format!(
            "the study file {} is called `{name}` too: their reports overwrite each other, and their jobs are told as one study's; \
             give one of them another name (`study:`)",
            workspace.shareable(&self.file).display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn another_file_of_the_same_name_is_found_and_a_link_to_the_same_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join("experiments").join(name);
        fs::create_dir_all(path("")).unwrap();
        for (file, study) in [("a.yaml", "digits"), ("b.yaml", "'digits'"), ("c.yaml", "digits-two"), ("broken.yaml", "[digits")]
        {
            fs::write(path(file), format!("format: 1\nstudy: {study}\n")).unwrap();
        }
        std::os::unix::fs::symlink("a.yaml", path("link.yaml")).unwrap();
        let workspace = Workspace::new(folder.path().to_owned(), None).unwrap();
        let found = namesakes("digits", &path("a.yaml"), &workspace);
        assert_eq!(found.iter().map(|of| of.file.file_name().unwrap().to_str().unwrap()).collect::<Vec<_>>(), ["b.yaml"]);
        assert!(found[0].warning("digits", &workspace).contains("experiments/b.yaml is called `digits` too"));
        assert_eq!(digest_of_named("digits", &path("b.yaml")), Some(found[0].text));
        assert_eq!(digest_of_named("digits", &path("c.yaml")), None);
        assert!(namesakes("digits-two", &path("c.yaml"), &workspace).is_empty());
    }
}
