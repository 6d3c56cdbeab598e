//! Texts that people wrote, as they are handed out: without absolute paths, which say where somebody keeps what.

use std::path::{Path, PathBuf};

/// The text with every absolute path in it as `shareable` gives it, and of paths of other systems and of homes the last part.
///
/// A path begins where a word begins. In quotes it ends with them. Where it is the value of a YAML entry or item it may hold blanks
/// and ends with the value, or before the next path; else it ends with the word.
pub(crate) fn shareable_text(text: &str, shareable: &dyn Fn(&Path) -> PathBuf) -> String {
    let mut shared = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        match path(text, at) {
            Some((length, name)) => {
                shared += &match name {
                    Named::Here(path) => shareable(Path::new(path)).display().to_string(),
                    Named::Elsewhere(last) => last.to_owned(),
                };
                at += length;
            }
            None => {
                shared.push(first);
                at += first.len_utf8();
            }
        }
    }
    shared
}

/// What a path is.
enum Named<'a> {
    /// A path of this system.
    Here(&'a str),
    /// Of another, or of a home: its last part.
    Elsewhere(&'a str),
}

/// The absolute path that begins at a place in the text, and its length.
fn path(text: &str, at: usize) -> Option<(usize, Named<'_>)> {
    let (before, rest) = text.split_at(at);
    let last = before.chars().next_back().unwrap_or(' ');
    if last.is_alphanumeric() || "/.~_-$}<\\".contains(last) {
        return None;
    }
    let kind = PathKind::of(rest)?;
    let quoted = "\"'`".contains(last).then(|| rest.find(last)).flatten();
    let end = quoted.unwrap_or_else(|| if is_value(before) { value_end(before, rest) } else { word_end(rest) });
    let path = match quoted {
        Some(_) => &rest[..end],
        None => rest[..end].trim_end_matches(|c: char| c.is_whitespace() || ":.,;!?}])".contains(c)),
    };
    kind.named(path).map(|name| (path.len(), name))
}

/// How a path begins.
#[derive(Clone, Copy)]
enum PathKind {
    /// `/home/me`
    Root,
    /// `file:///home/me`
    Uri,
    /// `~/x`, `~me/x`
    Home,
    /// `C:\x`, `C:/x`, `\\server\x`
    Windows,
}

impl PathKind {
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        match bytes {
            [b'/', next, ..] if *next != b'/' && !next.is_ascii_whitespace() => Some(PathKind::Root),
            [b'~', rest @ ..] if rest.iter().find(|byte| !is_name(byte)) == Some(&b'/') => Some(PathKind::Home),
            [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic() => Some(PathKind::Windows),
            [b'A'..=b'Z', b':', b'/', next, ..] if *next != b'/' => Some(PathKind::Windows),
            [b'\\', b'\\', ..] if text.trim_start_matches('\\').starts_with(char::is_alphanumeric) => Some(PathKind::Windows),
            _ if text.starts_with("file://") => Some(PathKind::Uri),
            _ => None,
        }
    }

    /// `None` for a path of one part: it says nothing.
    fn named(self, path: &str) -> Option<Named<'_>> {
        let parts = |separators: &'static [char]| path.split(separators).filter(|part| !part.is_empty());
        let slashes: &[char] = if matches!(self, PathKind::Windows) { &['/', '\\'] } else { &['/'] };
        if parts(slashes).count() < 2 {
            return None;
        }
        match self {
            PathKind::Root => Some(Named::Here(path)),
            PathKind::Uri => path["file://".len()..].find('/').map(|root| Named::Here(&path["file://".len() + root..])),
            PathKind::Home | PathKind::Windows => parts(slashes).next_back().map(Named::Elsewhere),
        }
    }
}

/// Is what follows the whole value of an entry or item, as far as its line tells?
fn is_value(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim_end();
    let item = line.trim_start_matches([' ', '#', '-']);
    item.is_empty() || line.ends_with([':', '[', '{']) || (line.ends_with(',') && is_flow(line))
}

/// Is a bracket of the line still open?
fn is_flow(line: &str) -> bool {
    let all = |brackets: [char; 2]| line.matches(brackets).count();
    all(['{', '[']) > all(['}', ']'])
}

/// Where a plain value ends that a line begins with.
fn value_end(before: &str, text: &str) -> usize {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let end = text.find(['\n', '\r', '"']).unwrap_or(text.len());
    let end = text[..end].find(" #").unwrap_or(end);
    let end = if is_flow(line) { text[..end].find([',', '[', ']', '{', '}']).unwrap_or(end) } else { end };
    // What is followed by `: ` is a key, of a mapping that began lines before.
    let end = match text[..end].find(": ") {
        Some(colon) => text[..colon].rfind(',').unwrap_or(colon),
        None => end,
    };
    // Texts may go on with other paths.
    let blanks = text[..end].match_indices(' ').map(|(blank, _)| blank);
    blanks.into_iter().find(|blank| PathKind::of(&text[blank + 1..]).is_some()).unwrap_or(end)
}

fn word_end(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || ",;\"'`{}[]()<>".contains(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(text: &str) -> String {
        let shareable = |path: &Path| match path.strip_prefix("/home/me/w") {
            Ok(below) => below.to_owned(),
            Err(_) => PathBuf::from(path.file_name().unwrap()),
        };
        shareable_text(text, &shareable)
    }

    #[test]
    fn absolute_paths_are_named_and_nothing_else_is_touched() {
        assert_eq!(shared("root: /home/me/w/data/x, labels: /srv/f/labels.csv }"), "root: data/x, labels: labels.csv }");
        assert_eq!(shared("file: \"/mnt/my faces/a.csv\" # from /home/me/old."), "file: \"a.csv\" # from old.");
        assert_eq!(shared("{root:/srv/a/b}"), "{root:b}");
        for plain in [
            "a / b and/or 1/2 ../data/x ./y",
            "see https://example.org/a/b and file",
            "m/s/s",
            "\"/\" '/' // x",
            "é/ü/ß",
            "about: / and ~ 5, ~5 or a~/b, s3://bucket/x/y, $HOME/x/y and 3:/4/",
        ] {
            assert_eq!(shared(plain), plain);
        }
    }

    #[test]
    fn values_end_where_yaml_ends_them() {
        for (text, wanted) in [
            ("root: /mnt/my faces/a b/x.csv\nname: x", "root: x.csv\nname: x"),
            ("root:  /mnt/my faces/a b # mine, /mnt/my c\n", "root:  a b # mine, my c\n"),
            ("root:\n  /mnt/my faces/a b\r\n", "root:\n  a b\r\n"),
            ("  - /mnt/my faces/a b\n  - - /srv/c d/e", "  - a b\n  - - e"),
            ("{ images: { root: /mnt/my faces/a b, labels: /srv/c d/e f.csv } }", "{ images: { root: a b, labels: e f.csv } }"),
            ("files: [/mnt/a b/c d, /srv/e f/g]", "files: [c d, g]"),
            ("{ /mnt/a b/c: 1 }", "{ c: 1 }"),
            ("x: {\n  root: /mnt/my faces/a, labels: /srv/c d/e.csv }", "x: {\n  root: a, labels: e.csv }"),
            ("# root: /mnt/my faces/a b", "# root: a b"),
            ("root: '/mnt/bob''s/a b' # see /mnt/a b", "root: 'bob''s/a b' # see a b"),
            ("root: /home/me/w/my faces/a b", "root: my faces/a b"),
        ] {
            assert_eq!(shared(text), wanted);
        }
    }

    #[test]
    fn in_sentences_each_path_is_its_own() {
        for (text, wanted) in [
            ("about: see /home/me/x and /srv/y/z", "about: see x and z"),
            ("about: /home/me/x and /srv/y/z, or not", "about: x and z, or not"),
            ("about: (from /home/me/x), then: `/srv/a b/c`!", "about: (from x), then: `c`!"),
            ("a, /home/me/x b", "a, x b"),
            ("it's in '/home/me/x y", "it's in 'x y"),
        ] {
            assert_eq!(shared(text), wanted);
        }
    }

    #[test]
    fn homes_addresses_and_other_systems_are_shortened_too() {
        for (text, wanted) in [
            ("root: ~/my faces/a b", "root: a b"),
            ("see ~/x and ~me/y/z.", "see x and z."),
            ("root: C:\\Users\\me\\my faces\\x.csv # D:\\", "root: x.csv # D:\\"),
            ("see C:/Users/me/x and c:\\me\\y, \"\\\\\\\\server\\\\share\\\\z\"", "see x and y, \"z\""),
            ("see \\\\server\\share\\x", "see x"),
            ("see file:///home/me/x, file://host/srv/y/z", "see x, z"),
            ("root: file:///home/me/w/my faces/x", "root: my faces/x"),
        ] {
            assert_eq!(shared(text), wanted);
        }
    }
}
