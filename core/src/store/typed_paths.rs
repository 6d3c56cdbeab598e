//! Paths as a person types them: what they may be completed to, and what `~` stands for.

use std::{fs, path::Path};

/// The home folder in place of a `~` at the beginning, as a shell has it; also behind an option's `=`.
pub fn expanded(typed: &str) -> String {
    if let Some((option, value)) = typed.split_once('=').filter(|(option, _)| option.starts_with("--")) {
        return format!("{option}={}", expanded(value));
    }
    let home = || std::env::var("HOME").ok().filter(|home| !home.is_empty());
    match typed.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')).zip(home()) {
        Some((rest, home)) => format!("{home}{rest}"),
        None => typed.to_owned(),
    }
}

/// Files and folders that begin as what is typed, in order; folders end with `/`. Hidden ones only where a dot is typed.
pub fn beginning_so(typed: &str) -> Vec<String> {
    let typed = expanded(typed);
    let (folder, begun) = typed.split_at(typed.rfind('/').map_or(0, |at| at + 1));
    let listed = fs::read_dir(if folder.is_empty() { Path::new(".") } else { Path::new(folder) });
    let mut found: Vec<String> = listed
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            if !name.starts_with(begun) || name.starts_with('.') && !begun.starts_with('.') {
                return None;
            }
            // Only a link is followed to see what it is.
            let kind = entry.file_type().ok()?;
            let is_folder = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
            Some(format!("{folder}{name}{}", if is_folder { "/" } else { "" }))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_so_is_found_in_the_folder_that_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["faces", "facts", ".hidden"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("face labels.csv"), "").unwrap();
        let at = folder.path().display();
        let names = |typed: &str| -> Vec<String> {
            let found = beginning_so(&format!("{at}/{typed}"));
            found.into_iter().map(|path| path.rsplit_once(&format!("{at}/")).unwrap().1.to_owned()).collect()
        };
        assert_eq!(names("fac"), ["face labels.csv", "faces/", "facts/"]);
        assert_eq!((names(".h"), names("nothing"), names("").len()), (vec![".hidden/".to_owned()], vec![], 3));
        assert_eq!(beginning_so(&format!("{at}/nowhere/x")), Vec::<String>::new());
    }

    #[test]
    fn a_tilde_is_the_home_folder_at_the_beginning_alone() {
        if let Ok(home) = std::env::var("HOME") {
            assert_eq!(expanded("~/faces"), format!("{home}/faces"));
        }
        assert!(!expanded("--faces=~/faces").contains('~'));
        assert_eq!((expanded("a/~/b").as_str(), expanded("~somebody").as_str()), ("a/~/b", "~somebody"));
    }
}
