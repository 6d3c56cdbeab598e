//! Texts that people wrote, as they are handed out: without absolute paths, which say where somebody keeps what.

use std::path::{Path, PathBuf};

/// The text with every absolute path in it as `shareable` gives it.
///
/// A path begins with `/` where a word begins, and has two parts or more; in quotes it ends with them, else with the word.
pub fn shareable_text(text: &str, shareable: &dyn Fn(&Path) -> PathBuf) -> String {
    let mut shared = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, ' ');
    while let Some(first) = rest.chars().next() {
        let begins = !before.is_alphanumeric() && !"/.~_-$}<".contains(before);
        match path(rest, before).filter(|_| begins) {
            Some(path) => {
                shared += &shareable(Path::new(path)).display().to_string();
                rest = &rest[path.len()..];
                before = 'x';
            }
            None => {
                shared.push(first);
                rest = &rest[first.len_utf8()..];
                before = first;
            }
        }
    }
    shared
}

/// The absolute path that a text begins with, where `before` stands.
fn path(text: &str, before: char) -> Option<&str> {
    if !text.starts_with('/') || text.starts_with("//") {
        return None;
    }
    let end = match before {
        '"' | '\'' => text.find(before)?,
        _ => text.find(|c: char| c.is_whitespace() || ",;\"'`{}[]()<>".contains(c)).unwrap_or(text.len()),
    };
    let path = text[..end].trim_end_matches([':', '.', '!', '?']);
    let parts = path.split('/').filter(|part| !part.is_empty()).count();
    (parts > 1).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_are_named_and_nothing_else_is_touched() {
        let shareable = |path: &Path| match path.strip_prefix("/home/me/w") {
            Ok(below) => below.to_owned(),
            Err(_) => PathBuf::from(path.file_name().unwrap()),
        };
        let shared = |text: &str| shareable_text(text, &shareable);
        assert_eq!(shared("root: /home/me/w/data/x, labels: /srv/f/labels.csv }"), "root: data/x, labels: labels.csv }");
        assert_eq!(shared("file: \"/mnt/my faces/a.csv\" # from /home/me/old."), "file: \"a.csv\" # from old.");
        assert_eq!(shared("{root:/srv/a/b}"), "{root:b}");
        for plain in
            ["a / b and/or 1/2 ../data/x ./y", "see https://example.org/a/b and file", "m/s/s", "\"/\" '/' // x", "é/ü/ß"]
        {
            assert_eq!(shared(plain), plain);
        }
    }
}
